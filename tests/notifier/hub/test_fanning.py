"""From notices to dispatches: recipients, groups and storms, and what has become untrue."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import event

from core import people
from core.db import execute, from_json
from core.ids import new_id
from core.inbound import Sender
from core.notices import Ladder, Recipient
from core.preferences import Digest, Mute, QuietHours, change
from core.unit import unit
from core.words import same
from notifier.hub.fanning import cancel, fan_more
from notifier.hub.rule_store import put
from tests.core.house import Office
from tests.notifier.hub.fanner import FIVE_HUNDRED, THEIR_ACCOUNTS, THEIR_CHOICES, Hub, to


@pytest.fixture
async def hub(office: Office) -> AsyncIterator[Hub]:
    return Hub(office)


async def test_who_is_meant_each_once_and_not_who_did_it(hub: Hub) -> None:
    office = hub.office
    role = await hub.tell("x.y", Recipient("role", "approver"), to(office.boss))
    everybody = await hub.tell("x.y", Recipient("all"), by=office.boss.id)
    handle = await hub.tell("x.y", Recipient("person", "asker"), Recipient("role", "nobody"))
    async with unit(hub.house) as work:
        gone = office.other_boss
        await people.change(work, gone, email=None, active=False)

    assert await hub.fan_out() == 3
    assert await hub.handles(role) == ["boss"]
    assert await hub.handles(everybody) == ["asker"]
    assert await hub.handles(handle) == ["asker"]
    assert await hub.fan_out() == 0


async def test_requester_and_whoever_it_waits_for(hub: Hub) -> None:
    task_id = (await hub.office.say("letter hello")).task_id
    await hub.office.work()
    asked = await hub.tell("x.y", Recipient("requester"), task_id=task_id)
    waits = await hub.tell("x.y", Recipient("waits_for"), task_id=task_id)
    await hub.fan_out()

    assert await hub.handles(asked) == ["asker"]
    assert await hub.handles(waits) == ["boss", "other"]


async def test_a_place_is_told_and_one_that_is_off_is_not(hub: Hub) -> None:
    async with hub.house.engine.begin() as connection:
        for name, off in (("ops", None), ("gone", datetime.now(UTC))):
            await execute(
                connection,
                "insert into notice_places (id, organisation_id, name, channel, address, off_since)"
                " values (:id, :o, :name, 'webhook', 'https://x', :off)",
                {"id": new_id(), "o": hub.organisation, "name": name, "off": off},
            )
    places = [Recipient("place", name) for name in ("ops", "gone", "never")]
    notice_id = await hub.tell("alert.disk", *places)
    await hub.fan_out()

    assert await hub.told(notice_id) == [
        (None, "webhook", "failed"),
        (None, "webhook", "queued"),
    ]


async def test_something_important_for_nobody_is_told_to_the_admins(hub: Hub) -> None:
    async with unit(hub.house) as work:
        admin = await people.add(work, hub.organisation, "admin", "Admin", frozenset({"admin"}))
        await people.link(work, admin, Sender("wall", "w1", "admin"))
    critical = await hub.tell("alert.disk", Recipient("on_call", "ops"), importance="critical")
    plain = await hub.tell("log.x", Recipient("on_call", "ops"))
    by_rule = await hub.tell("alert.disk")
    await hub.fan_out()

    assert await hub.handles(critical) == ["admin"]
    assert await hub.handles(plain) == []
    assert await hub.handles(by_rule) == ["admin"]


async def test_who_is_reached_nowhere_is_told_of_to_the_admins_once(hub: Hub) -> None:
    async with unit(hub.house) as work:
        admin = await people.add(work, hub.organisation, "admin", "Admin", frozenset({"admin"}))
        await people.link(work, admin, Sender("wall", "w1", "admin"))
        await people.unlink(work, hub.office.asker, hub.office.sender(hub.office.asker))
    for _ in range(2):
        await hub.tell("security.token_made", to(hub.office.asker))
        await hub.fan_out()
    await hub.tell("log.backup", to(hub.office.asker))
    await hub.fan_out()

    rows = await hub.rows(
        "select id, facts, count as times from notices where organisation_id = :o"
        " and topic = 'person.unreachable' and head_id is null"
    )
    [row] = rows
    assert (row.times, from_json(row.facts)["person"]) == (2, hub.office.asker.name)
    assert await hub.handles(row.id) == ["admin"]


async def test_muted_held_and_digested_are_rows_with_the_reason(hub: Hub) -> None:
    office = hub.office
    always = QuietHours(datetime.min.time(), datetime.max.time().replace(microsecond=0))
    async with unit(hub.house) as work:
        for person, chosen in (
            (office.asker, {"mutes": (Mute("x.*"),)}),
            (office.boss, {"quiet": always}),
            (office.other_boss, {"digests": (Digest("x.*", "daily"),)}),
        ):
            await change(
                work, hub.organisation, person.id, lambda old, new=chosen: replace(old, **new)
            )
    notice_id = await hub.tell("x.y", Recipient("all"))
    await hub.fan_out()

    rows = await hub.rows(
        "select p.handle, d.state, d.reason, d.held_until = g.due_at as due, d.why"
        " from dispatches d join people p on p.id = d.person_id left join digests g"
        " on g.id = d.digest_id where d.organisation_id = :o and d.notice_id = :id order by handle",
        id=notice_id,
    )
    assert [(row.handle, row.state, row.reason, row.due) for row in rows] == [
        ("asker", "dropped", "muted", None),
        ("boss", "held", "quiet", True),
        ("other", "held", "digest", True),
    ]
    assert [each["code"] for each in from_json(rows[0].why)] == ["rule", "mute"]


async def test_a_storm_is_one_message_that_counts(hub: Hub) -> None:
    for n in range(30):
        await hub.tell("alert.disk", to(hub.office.boss), facts={"n": n}, group="db-1")
    other = await hub.tell("alert.disk", to(hub.office.boss), group="db-2")
    await hub.fan_out()
    [head] = await hub.rows(
        "select id, count as times, revision, facts from notices where organisation_id = :o"
        " and group_key = 'db-1' and head_id is null"
    )
    assert (head.times, from_json(head.facts)) == (30, {"n": 29})
    assert await hub.handles(head.id) == ["boss"]
    assert await hub.handles(other) == ["boss"]

    await hub.tell("alert.disk", to(hub.office.boss), facts={"n": 30}, group="db-1")
    await hub.fan_out()
    [after] = await hub.rows(
        "select count as times, revision, facts from notices where id = :id", id=head.id
    )
    assert (after.times, from_json(after.facts)) == (31, {"n": 30})
    assert after.revision == head.revision + 1
    [all_of_it] = await hub.rows("select count(*) as n from dispatches where organisation_id = :o")
    assert all_of_it.n == 2


async def test_it_begins_anew_after_its_window_and_when_it_gets_worse(hub: Hub) -> None:
    first = await hub.tell("alert.disk", to(hub.office.boss), group="db")
    await hub.fan_out()
    worse = await hub.tell("alert.disk", to(hub.office.boss), group="db", importance="critical")
    await hub.fan_out()
    await hub.office.execute("update notices set created_at = now() - interval '11 minutes'")
    later = await hub.tell("alert.disk", to(hub.office.boss), group="db")
    await hub.fan_out()

    for notice_id in (first, worse, later):
        assert await hub.handles(notice_id) == ["boss"]


async def test_when_it_is_over_what_stands_there_says_so_however_late(hub: Hub) -> None:
    first = await hub.tell("alert.disk", to(hub.office.boss), group="db", ladder=LADDER)
    await hub.fan_out()
    await hub.office.execute("update notices set created_at = now() - interval '3 hours'")
    over = await hub.tell("alert.disk", to(hub.office.boss), group="db", resolved=True)
    await hub.fan_out()

    [head] = await hub.rows("select resolved, count as times from notices where id = :id", id=first)
    assert (head.resolved, head.times) == (True, 1)
    assert await hub.handles(over) == []


async def test_what_is_not_true_any_more_is_told_to_nobody(hub: Hub) -> None:
    task_id = (await hub.office.say("letter hello")).task_id
    await hub.office.work()
    approval = await hub.office.approval_id(task_id)
    pending = await hub.tell("x.y", to(hub.office.boss), approval_id=approval)
    await hub.fan_out()
    await hub.office.click("approve", approval, hub.office.boss)
    decided = await hub.tell("x.y", to(hub.office.boss), approval_id=approval)
    expired = await hub.tell("x.y", to(hub.office.boss), expires_at=datetime.now(UTC))
    await hub.fan_out()

    assert await hub.told(pending) == [("boss", "wall", "queued")]
    assert await hub.told(decided) == await hub.told(expired) == []
    async with unit(hub.house) as work:
        assert await cancel(work, hub.organisation, pending)
        assert not await cancel(work, hub.organisation, pending)
    assert await hub.told(pending) == [("boss", "wall", "dropped")]


LADDER = Ladder(10, ((Recipient("role", "approver"),),))


async def test_a_ladder_begins_and_more_people_are_told_who_were_not(hub: Hub) -> None:
    rule = """
        [[rules]]
        name = "ladder"
        topics = ["alert.*"]
        ladder = { minutes = 10, rungs = [["role:approver"]] }
    """
    async with unit(hub.house) as work:
        assert await put(work, hub.organisation, rule, 1) == 1
        assert await put(work, hub.organisation, rule, 1) is None
    notice_id = await hub.tell("alert.disk", to(hub.office.boss))
    await hub.fan_out()
    rows = await hub.rows("select next_at from escalations where organisation_id = :o")
    assert len(rows) == 1

    async with unit(hub.house) as work:
        told = await fan_more(
            work, hub.organisation, notice_id, LADDER.rungs[0], same("nobody answered"),
            datetime.now(UTC), house=hub.house,
        )  # fmt: skip
    assert told == [hub.office.other_boss.id]
    assert await hub.handles(notice_id) == ["boss", "other"]


async def test_one_that_is_broken_holds_up_no_other(hub: Hub) -> None:
    before = await hub.tell("x.y", to(hub.office.boss))
    broken = await hub.tell("x.y", to(hub.office.boss))
    after = await hub.tell("x.y", to(hub.office.asker))
    await hub.office.execute(
        f"update notices set recipients = '[{{\"kind\": 1}}]' where id = '{broken}'"
    )
    await hub.fan_out()

    assert await hub.handles(before) == ["boss"]
    assert await hub.handles(after) == ["asker"]
    [row] = await hub.rows("select attempts, next_at > now() as later, error from notices"
                           " where id = :id", id=broken)  # fmt: skip
    assert (row.attempts, row.later) == (1, True)
    assert row.error


async def test_two_workers_tell_each_notice_once(hub: Hub) -> None:
    for n in range(20):
        await hub.tell("x.y", to(hub.office.boss), group="g" if n % 2 else None)
    await asyncio.gather(*(hub.fan_out() for _ in range(4)))
    await hub.fan_out()

    [row] = await hub.rows(
        "select count(*) as n, count(distinct notice_id) as notices from dispatches"
        " where organisation_id = :o"
    )
    assert (row.n, row.notices) == (11, 11)


async def test_five_hundred_with_preferences_are_no_more_statements_than_three(hub: Hub) -> None:
    statements: list[str] = []
    engine = hub.house.engine.sync_engine
    event.listen(engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    await hub.tell("x.y", Recipient("all"))
    statements.clear()
    await hub.fan_out()
    of_three = list(statements)
    async with hub.house.engine.begin() as connection:
        await execute(connection, FIVE_HUNDRED, {"o": hub.organisation})
        await execute(connection, THEIR_ACCOUNTS, {"o": hub.organisation})
        await execute(connection, THEIR_CHOICES, {"o": hub.organisation})
    await hub.tell("x.y", Recipient("all"))
    statements.clear()
    await hub.fan_out()
    assert statements == of_three

    [row] = await hub.rows("select count(*) as n from dispatches where organisation_id = :o")
    assert row.n == 3 + 503
