"""People who are removed while they hold approvals: the rule for finding no one takes over."""

from dataclasses import replace
from uuid import UUID

import pytest

from core import erasure, people
from core.people import Person
from core.reconcile import reconcile
from core.unit import unit
from tests.core.approvals.staff import asked, decide_by, hire, pass_by, seats, tags, turn_to
from tests.core.house import Office


async def leave(office: Office, person: Person) -> list[str]:
    """They are let go; what is said because of it."""
    async with unit(office.house) as work:
        await people.change(work, person, email=None, active=False)
    return await pass_by(office)


async def left(office: Office) -> list[str]:
    """By which rule, and the approval's state since."""
    row = await office.row(
        "select array_agg(body -> 'data' ->> 'rule' || ' ' || (body -> 'data' ->> 'state')"
        " order by at) as all from audit_events where tag = 'approval:seat:left'",
        {},
    )
    return list(row.all or [])


BOTH = 'who = [{ person = "boss" }, { person = "other" }], need = "all"'


async def test_those_who_are_left_are_enough_and_an_admin_is_told(office: Office) -> None:
    await hire(office, "admin", "admin")
    await decide_by(office, BOTH)
    task = await asked(office)
    await office.click("approve", await office.approval_id(task), office.other_boss)

    said = await leave(office, office.boss)

    assert await office.state(task) == "done"
    assert await seats(office, task) == ["other approved"]
    assert await left(office) == ["enough approved"]
    assert "Boss is not there any more. Step “s1” of #1001: those who are left are enough." in said


async def test_the_superior_takes_the_place_of_who_left(office: Office) -> None:
    sato = await hire(office, "sato", above=office.other_boss)
    await decide_by(office, 'who = [{ person = "sato" }], empty = "superior"')
    task = await asked(office)

    await leave(office, sato)

    assert await seats(office, task) == ["other open"]
    assert await left(office) == ["superior pending"]
    done = await office.click("approve", await office.approval_id(task), office.other_boss)
    assert done.outcome == "done"


@pytest.mark.parametrize("once", ["true", "false"])
async def test_the_next_step_follows_where_the_rule_says_so(office: Office, once: str) -> None:
    """A step that somebody has yet to decide is left out; a quorum is of those who are left."""
    third = await hire(office, "third")
    await decide_by(
        office,
        'who = [{ person = "other" }, { person = "third" }], need = 2, empty = "next"\n'
        'who = [{ person = "boss" }], empty = "next"',
        f"once = {once}",
    )
    task = await asked(office)
    approval = await office.approval_id(task)

    await leave(office, office.boss)
    assert await seats(office, task) == ["other open", "third open"]
    await office.click("approve", approval, office.other_boss)
    assert await office.state(task) == "waiting:approval"
    await leave(office, third)

    assert await office.state(task) == "done"
    assert await left(office) == ["next pending", "next approved"]


@pytest.mark.parametrize("empty", ["refuse", "next", "superior"])
async def test_where_nobody_is_left_it_goes_back_to_who_asked(office: Office, empty: str) -> None:
    """Also by a rule that would have approved it by nobody, or asks a superior there is not."""
    await decide_by(office, f'who = [{{ person = "boss" }}], empty = "{empty}"')
    task = await asked(office)

    said = await leave(office, office.boss)

    assert await office.state(task) == "waiting:answer"
    assert await left(office) == ["refuse returned"]
    assert [text for text in said if "nobody else can decide step “s1”" in text]
    cards = [m for m in office.wall.posted.values() if "Approval wanted" in m.text]
    assert cards
    assert all(card.buttons == () and "nobody is left" in card.note for card in cards)


async def test_what_a_delegate_who_left_held_returns(office: Office) -> None:
    await turn_to(office, "2026-11-25T10:00")
    sato = await hire(office, "sato")
    await decide_by(office, 'who = [{ person = "boss" }]')
    task = await asked(office)
    await office.say("delegate @sato today", office.boss)
    await pass_by(office)
    assert await seats(office, task) == ["sato(boss) open"]

    await leave(office, sato)

    assert await seats(office, task) == ["boss open"]
    assert await tags(office, "approval:seat:left") == 0


async def test_whoever_is_erased_leaves_too_and_is_named_by_nobody(office: Office) -> None:
    await hire(office, "admin", "admin")
    await decide_by(office, BOTH)
    task = await asked(office)

    await erasure.erase(office.house, office.organisation.id, "boss")
    said = await pass_by(office)

    assert await seats(office, task) == ["other open"]
    told = [text for text in said if "is not there any more" in text]
    assert len(told) == 1
    assert told[0].startswith("erased-")


async def test_a_seat_of_somebody_gone_is_found_without_having_been_said(office: Office) -> None:
    """As an older version, or a hand in the database, leaves it."""
    await decide_by(office, BOTH)
    task = await asked(office)
    await office.execute(f"update people set active = false where id = '{office.boss.id}'")
    await office.execute("update schedule set next_at = now() where kind = 'housekeeping'")

    await reconcile(office.house)
    await pass_by(office)

    assert await seats(office, task) == ["other open"]


async def test_somebody_who_lives_elsewhere_has_other_days(office: Office) -> None:
    """A delegation of theirs begins when the day begins there."""
    await turn_to(office, "2026-11-25T10:00")
    await hire(office, "sato")
    await decide_by(office, 'who = [{ person = "boss" }]')
    task: UUID = await asked(office)
    await office.say("delegate @sato 11/26", office.boss)
    moved = replace(office.boss, time_zone="America/New_York")
    async with unit(office.house) as work:
        await people.change(work, moved, email=None, active=True)

    await turn_to(office, "2026-11-26T13:59")
    assert await seats(office, task) == ["boss open"]
    await turn_to(office, "2026-11-26T14:01")
    assert await seats(office, task) == ["sato(boss) open"]
    await turn_to(office, "2026-11-27T13:59")
    assert await seats(office, task) == ["sato(boss) open"]
    await turn_to(office, "2026-11-27T14:01")
    assert await seats(office, task) == ["boss open"]
