"""Direct conversations as their readers want them: when, by which account, or not at all."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from core import people, preferences
from core.inbound import Sender
from core.people import Person
from core.preferences import Channels, Digest, Mute, Preferences, QuietHours
from core.unit import unit
from core.words import same
from tests.core.house import Office, Wall
from tests.notifier.saying import CARD, flatten

HOUR = timedelta(hours=1)


def _around_now(person: Person) -> QuietHours:
    """Quiet hours that have begun, by the person's own clock."""
    now = datetime.now(ZoneInfo(person.time_zone))
    return QuietHours((now - HOUR).time(), (now + HOUR).time())


async def _choose(office: Office, person: Person, chosen: Preferences) -> None:
    async with unit(office.house) as work:
        await preferences.change(work, person.organisation_id, person.id, lambda _: chosen)


async def _quiet(office: Office, person: Person) -> None:
    await _choose(office, person, Preferences(quiet=_around_now(person)))


async def _due(office: Office) -> None:
    """What waits has been due for a moment, and nothing but the reconciler tells of it."""
    await office.execute(
        "update deliveries set next_at = now() - interval '3 seconds' where state = 'pending'"
    )
    await office.recover()


def _cards(office: Office, room: str, wall: Wall | None = None) -> list[str]:
    return [text for text in (wall or office.wall).texts(room) if text.startswith(CARD)]


async def test_a_card_waits_for_the_end_of_quiet_hours_and_is_looked_at_again_then(
    office: Office,
) -> None:
    await _quiet(office, office.boss)
    await office.say("letter hello")
    await office.work()
    assert len(_cards(office, "other")) == 1
    assert _cards(office, "boss") == []
    row = await office.row(
        "select d.held_until - now() as wait, d.next_at = d.held_until as same from deliveries d"
        " join threads h on h.id = d.thread_id where h.account = 'boss' and d.slot like 'card:%'",
        {},
    )
    assert timedelta(minutes=59) < row.wait <= timedelta(minutes=60)
    assert row.same

    await _due(office)  # it is still quiet, by what they chose meanwhile
    assert _cards(office, "boss") == []
    await _choose(office, office.boss, Preferences())
    row = await office.row(
        "select count(*) as n from deliveries where state = 'pending' and next_at <= now()", {}
    )
    assert row.n == 1  # what they chose now makes it due
    await _due(office)
    assert len(_cards(office, "boss")) == 1


async def test_a_card_that_waited_for_a_digest_does_not_wait_for_the_next(office: Office) -> None:
    await _choose(office, office.boss, Preferences(digests=(Digest("*", "daily"),)))
    await office.say("letter hello")
    await office.work()
    assert _cards(office, "boss") == []
    await _due(office)
    assert len(_cards(office, "boss")) == 1


async def test_what_was_decided_in_their_quiet_hours_is_not_told_afterwards(
    office: Office,
) -> None:
    await _quiet(office, office.boss)
    answer = await office.say("letter hello")
    await office.work()
    approval = await office.approval_id(answer.task_id)
    await office.click("approve", approval, office.other_boss)
    await office.work()
    await _choose(office, office.boss, Preferences())
    await _due(office)
    assert office.wall.texts("boss") == []


async def test_what_stands_already_loses_its_buttons_in_quiet_hours_too(office: Office) -> None:
    answer = await office.say("letter hello")
    await office.work()
    [key] = [key for key, room in office.wall.rooms.items() if room == "boss"]
    await _quiet(office, office.boss)
    approval = await office.approval_id(answer.task_id)
    await office.click("approve", approval, office.other_boss)
    await office.work()
    assert office.wall.posted[key].buttons == ()


async def test_where_nothing_can_be_edited_it_waits_and_holds_up_no_other_conversation(
    office: Office,
) -> None:
    flat = await flatten(office)
    await _quiet(office, office.boss)
    await flat.asked()
    assert flat.wall.texts("boss") == []
    assert any(CARD in text for text in office.wall.texts("other"))
    await _choose(office, office.boss, Preferences())
    await _due(office)
    assert any(CARD in text for text in flat.wall.texts("boss"))


async def _halls(office: Office, *names: str) -> dict[str, Wall]:
    """One of those who approve has an account on each of these platforms besides."""
    halls = {name: Wall() for name in names}
    office.house = replace(office.house, outbounds={**office.house.outbounds, **halls})
    async with unit(office.house) as work:
        for name in names:
            await people.link(work, office.boss, Sender(name, "h1", "boss"))
    return halls


async def test_a_card_goes_by_the_channel_they_chose_and_from_there_to_the_next_of_their_list(
    office: Office,
) -> None:
    halls = await _halls(office, "hall", "den")
    chosen = Preferences(channels=(Channels("approval.*", ("den", "hall")),))
    await _choose(office, office.boss, chosen)
    await office.say("letter hello")
    await office.work()
    assert len(_cards(office, "boss", halls["den"])) == 1
    assert halls["hall"].posted == {}
    assert _cards(office, "boss") == []
    assert len(_cards(office, "other")) == 1  # who chose nothing is told as ever

    halls["den"].unreachable["boss"] = same("The den is closed.")
    await office.say("letter again")
    await office.work()
    [card] = halls["hall"].posted.values()
    assert card.note.endswith("The den is closed.")


@pytest.mark.parametrize("muted", [True, False])
async def test_a_muted_task_says_nothing_more_but_what_they_have_to_decide(
    office: Office, muted: bool
) -> None:
    answer = await office.say("letter hello")
    assert answer.task_id is not None
    if muted:
        await _choose(office, office.boss, Preferences(mutes=(Mute(task_id=answer.task_id),)))
    await office.work()
    assert len(_cards(office, "boss")) == 1
    await office.click("approve", await office.approval_id(answer.task_id), office.other_boss)
    await office.work()
    await office.say(f"circulate #{answer.reference} @boss")
    await office.work()
    assert await _rounds(office, answer.task_id) == (0 if muted else 1)


async def _rounds(office: Office, task_id: UUID) -> int:
    row = await office.row(
        "select count(*) as n from messages where task_id = :id and slot like 'round:%'",
        {"id": task_id},
    )
    return int(row.n)


async def test_who_chose_nothing_is_told_as_ever_where_somebody_else_did(office: Office) -> None:
    """By all their accounts, where they have none on which it was asked for."""
    halls = await _halls(office, "hall", "den")
    async with unit(office.house) as work:
        await people.unlink(work, office.boss, Sender("wall", "w1", "boss"))
    await _choose(office, office.other_boss, Preferences(quiet=_around_now(office.other_boss)))
    await office.say("letter hello")
    await office.work()
    assert [len(_cards(office, "boss", hall)) for hall in halls.values()] == [1, 1]
