"""Digests: each item in one window, each window once, whoever closes it and whatever falls over."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from core import preferences
from core.acknowledging import acknowledge
from core.db import fetch_all, from_json
from core.ids import new_id
from core.notices import Notice, Recipient, publish
from core.preferences import Digest, Mute, Preferences, QuietHours, with_mute
from core.unit import unit
from notifier.hub import digesting
from notifier.hub.decision import Window
from notifier.hub.digesting import close_due, open_windows
from notifier.hub.fanning import fan_out_due
from notifier.hub.windows import quiet_window, window_of
from tests.core.house import Office

TOKYO = ZoneInfo("Asia/Tokyo")
AGO = timedelta(minutes=1)


def daily(due_in: timedelta = -AGO) -> Window:
    due = datetime.now(UTC) + due_in
    return Window("*", f"daily:{due.astimezone(TOKYO).date()}", due)


def quiet(due_in: timedelta = -AGO) -> Window:
    return quiet_window(TOKYO, datetime.now(UTC) + due_in)


class Shelf:
    """What is held in an office for somebody who asked for digests."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.person = office.asker

    async def hold(self, window: Window, topic: str = "task.done", *to: Recipient) -> UUID:
        """A notice whose dispatch waits in that window; gives the notice."""
        organisation = self.office.organisation.id
        async with unit(self.office.house) as work:
            told = to or (Recipient("person", str(self.person.id)),)
            notice = Notice(topic, told, {"n": topic})
            notice_id = await publish(work, organisation, notice)
            found = await open_windows(work.connection, organisation, [(self.person.id, window)])
            opened = found[self.person.id, window.topic, window.key]
            await self._dispatch(work.connection, notice_id, opened.id, opened.due_at)
        return notice_id

    async def _dispatch(
        self, connection: Any, notice_id: UUID, digest_id: UUID, until: datetime
    ) -> None:
        await fetch_all(
            connection,
            "insert into dispatches (id, organisation_id, notice_id, person_id, channel, address,"
            " importance, state, digest_id, held_until) values (:id, :organisation_id, :notice_id,"
            " :person_id, 'wall', 'a', 2, 'held', :digest_id, :until) returning id",
            {
                "id": new_id(),
                "organisation_id": self.office.organisation.id,
                "notice_id": notice_id,
                "person_id": self.person.id,
                "digest_id": digest_id,
                "until": until,
            },
        )

    async def rows(self, sql: str) -> list[Any]:
        async with self.office.house.engine.connect() as connection:
            return await fetch_all(connection, sql, {})

    async def states(self) -> dict[UUID, tuple[str, str | None]]:
        found = await self.rows("select notice_id, state, reason from dispatches")
        return {row.notice_id: (row.state, row.reason) for row in found}

    async def told(self) -> list[dict[str, Any]]:
        found = await self.rows("select facts from notices where topic = 'digest' order by id")
        return [from_json(row.facts) for row in found]

    async def choose(self, chosen: Preferences) -> None:
        async with unit(self.office.house) as work:
            await preferences.change(
                work, self.office.organisation.id, self.person.id, lambda _: chosen
            )


@pytest.fixture
def shelf(office: Office) -> Shelf:
    return Shelf(office)


async def test_what_waits_goes_out_as_one_and_what_is_not_true_any_more_is_left_out(
    shelf: Shelf,
) -> None:
    ids = [await shelf.hold(daily(), f"task.n{n}") for n in range(7)]
    later = await shelf.hold(daily(timedelta(days=2)), "task.later")
    organisation = shelf.office.organisation.id
    async with unit(shelf.office.house) as work:
        await acknowledge(work, organisation, ids[0], None, "read")
        await preferences.change(
            work, organisation, shelf.person.id, lambda old: with_mute(old, Mute("task.n1"))
        )
    await shelf.office.execute(f"update notices set cancelled_at = now() where id = '{ids[2]}'")
    await shelf.office.execute(f"update notices set expires_at = now() where id = '{ids[3]}'")

    assert await close_due(shelf.office.house, most=2) == 1

    [facts] = await shelf.told()
    assert [item["topic"] for item in facts["items"]] == ["task.n4", "task.n5"]
    assert (facts["kind"], facts["total"], facts["left"]) == ("daily", 3, 1)
    assert facts["items"][0]["facts"] == {"n": "task.n4"}
    states = await shelf.states()
    assert [states[each] for each in ids] == [
        ("dropped", "acknowledged"), ("dropped", "muted"), ("dropped", "cancelled"),
        ("dropped", "expired"), *[("digested", None)] * 3,
    ]  # fmt: skip
    assert states[later] == ("held", None)
    assert await close_due(shelf.office.house) == 0


async def test_what_was_decided_or_read_meanwhile_is_taken_out(shelf: Shelf) -> None:
    office = shelf.office
    asked = await office.say("letter hello")
    await office.work()
    approval = await office.approval_id(asked.task_id)
    decided, read, open_one = [await shelf.hold(daily(), f"alert.n{n}") for n in range(3)]
    no_right = await shelf.hold(daily(), "alert.n4", Recipient("role", "auditor"))
    await office.execute(f"update notices set approval_id = '{approval}' where id = '{decided}'")
    await office.execute(
        "insert into dispatches (id, organisation_id, notice_id, person_id, channel, address,"
        " importance, state) select gen_random_uuid(), organisation_id, notice_id, person_id,"
        f" 'other', 'b', 2, 'read' from dispatches where notice_id = '{read}'"
    )
    await office.click("approve", approval, office.boss)
    await close_due(office.house)
    rows = await shelf.rows(
        "select notice_id, state, reason from dispatches where channel = 'wall'"
    )
    assert {row.notice_id: (row.state, row.reason) for row in rows} == {
        decided: ("dropped", "decided"),
        read: ("dropped", "read_elsewhere"),
        no_right: ("dropped", "no_right"),
        open_one: ("digested", None),
    }


async def test_an_empty_one_is_not_sent(shelf: Shelf) -> None:
    await shelf.hold(daily())
    await shelf.choose(Preferences(mutes=(Mute("task.*"),)))
    assert await close_due(shelf.office.house) == 1
    assert await shelf.told() == []
    assert (await shelf.rows("select state, notice_id from digests"))[0] == ("empty", None)


async def test_several_workers_and_a_crash_make_it_neither_twice_nor_never(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    windows = [Window("*", f"hourly:2026-11-2{n}T09", datetime.now(UTC) - AGO) for n in range(4)]
    for window in windows:
        for _ in range(3):
            await shelf.hold(window)
    tell = digesting.tell_together

    async def crash(*args: Any, **more: Any) -> None:
        await tell(*args, **more)
        raise ConnectionError("pulled the plug before the commit")

    monkeypatch.setattr(digesting, "tell_together", crash)
    assert await close_due(shelf.office.house) == 4
    assert await shelf.told() == []
    monkeypatch.undo()
    await shelf.office.execute("update digests set due_at = now() - interval '1 minute'")
    await asyncio.gather(*(close_due(shelf.office.house) for _ in range(3)))
    assert [len(facts["items"]) for facts in await shelf.told()] == [3, 3, 3, 3]
    assert Counter(state for state, _ in (await shelf.states()).values()) == {"digested": 12}


async def test_nothing_is_lost_between_adding_and_closing(shelf: Shelf) -> None:
    """While some add without a pause, others close: each item is in exactly one digest."""
    window = Window("*", "hourly:2026-11-27T09", datetime.now(UTC) - AGO)
    ids: list[UUID] = []

    async def add() -> None:
        ids.extend([await shelf.hold(window) for _ in range(8)])

    async def close() -> None:
        for _ in range(10):
            await close_due(shelf.office.house)

    await asyncio.gather(add(), add(), close(), close())
    await shelf.office.execute("update digests set due_at = now() - interval '1 minute'")
    await close_due(shelf.office.house)
    told = [item["notice"] for facts in await shelf.told() for item in facts["items"]]
    assert Counter(told) == dict.fromkeys(map(str, ids), 1)
    keys = await shelf.rows("select window_key from digests order by due_at")
    assert len(keys) > 1  # the closed one was not opened again


async def test_one_alone_that_quiet_hours_held_goes_out_as_it_is(shelf: Shelf) -> None:
    alone = await shelf.hold(quiet())
    assert await close_due(shelf.office.house) == 1
    assert await shelf.told() == []
    assert (await shelf.states())[alone] == ("queued", None)


async def test_where_it_is_quiet_when_it_is_due_it_waits_with_what_else_waits(
    shelf: Shelf,
) -> None:
    here = datetime.now(TOKYO)
    hours = QuietHours(
        (here - timedelta(hours=2)).time().replace(second=0, microsecond=0),
        (here + timedelta(hours=2)).time().replace(second=0, microsecond=0),
    )
    await shelf.choose(Preferences(quiet=hours))
    for _ in range(2):
        await shelf.hold(daily())
    first, second = await shelf.hold(quiet()), await shelf.hold(quiet(timedelta(hours=1)))
    await close_due(shelf.office.house)
    assert await shelf.told() == []
    assert {state for state, _ in (await shelf.states()).values()} == {"held"}
    # no more quiet hours: all that was held by them goes out, each piece once
    await shelf.choose(Preferences())
    await shelf.office.execute("update digests set due_at = now() where window_key like 'daily:%'")
    await close_due(shelf.office.house)
    states = await shelf.states()
    assert states[first] == states[second] == ("queued", None)
    assert [facts["kind"] for facts in await shelf.told()] == ["daily"]


async def test_who_wants_no_such_digest_any_more_gets_at_once_what_waits_in_it(
    shelf: Shelf,
) -> None:
    morning = Digest("*", "daily", time(9))
    await shelf.choose(Preferences(digests=(morning,)))
    window = window_of(morning, TOKYO, datetime.now(UTC))
    assert window is not None
    await shelf.hold(window)
    await shelf.choose(Preferences(digests=(Digest("*", "daily", time(18)),)))
    # its name is free for the one that is chosen now
    await shelf.hold(window)
    assert await close_due(shelf.office.house) == 1
    assert len(await shelf.told()) == 1
    open_ones = await shelf.rows("select window_key from digests where state = 'open'")
    assert [row.window_key for row in open_ones] == [window.key]


@pytest.mark.parametrize("channel", ["", "wall"])
async def test_who_wants_no_digests_is_told_what_is_needed_all_the_same(
    shelf: Shelf, channel: str
) -> None:
    plain, needed = await shelf.hold(daily()), await shelf.hold(daily(), "security.token_made")
    await shelf.choose(Preferences(mutes=(Mute("digest", channel=channel),)))
    await close_due(shelf.office.house)
    states = await shelf.states()
    assert (states[plain], states[needed]) == (("dropped", "muted"), ("queued", None))
    assert await shelf.told() == []


async def test_who_has_left_is_told_nothing(shelf: Shelf) -> None:
    held = await shelf.hold(daily())
    await shelf.office.execute(f"update people set active = false where id = '{shelf.person.id}'")
    await close_due(shelf.office.house)
    assert (await shelf.states())[held] == ("dropped", "left")


async def test_from_what_somebody_chose_to_what_they_are_told(shelf: Shelf) -> None:
    """Chosen in a chat, decided at the fan-out, held, closed, and told as one like any notice."""
    office, person = shelf.office, shelf.person
    await office.say("notify digest daily 9:00", person)
    organisation = office.organisation.id
    to = (Recipient("person", str(person.id)),)
    async with unit(office.house) as work:
        for n in range(3):
            await publish(work, organisation, Notice("task.done", to, {"n": n}))
        await publish(work, organisation, Notice("alert.fire", to, importance="critical"))
    await fan_out_due(office.house)
    found = await shelf.rows("select state, digest_id, held_until from dispatches order by id")
    assert sorted(row.state for row in found) == ["held"] * 3 + ["queued"]
    [held] = {(row.digest_id, row.held_until) for row in found if row.digest_id}
    assert held[1].astimezone(TOKYO).time() == time(9)
    await office.execute("update digests set due_at = now()")
    await close_due(office.house)
    await fan_out_due(office.house)
    told = await shelf.rows(
        "select d.state, d.channel, n.facts from dispatches d join notices n on n.id = d.notice_id"
        " where n.topic = 'digest'"
    )
    assert [(row.state, row.channel) for row in told] == [("queued", "wall")]
    assert from_json(told[0].facts)["total"] == 3
    last = await office.say("notify list", person)
    assert last.message is not None
    assert len(last.message.lines) == 3
    # the very same is asked for by a reader who mutes digests: what is not needed ends there
    await office.say("notify mute digest wall", person)
    async with unit(office.house) as work:
        await publish(work, organisation, Notice("task.done", to, {"n": 4}))
    await fan_out_due(office.house)
    await office.execute("update digests set due_at = now() where state = 'open'")
    await close_due(office.house)
    ends = await shelf.rows("select state, reason from dispatches order by id desc limit 1")
    assert tuple(ends[0]) == ("dropped", "muted")
