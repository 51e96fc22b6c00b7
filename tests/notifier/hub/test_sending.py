"""Dispatches on their way: once, in order, looked at again before, and elsewhere where lost."""

import asyncio
from dataclasses import replace
from datetime import time, timedelta
from typing import Any
from uuid import UUID

import pytest

from core.acknowledging import acknowledge
from core.db import fetch_all
from core.errors import NotNow, OutcomeUnknown, Permanent, TryLater
from core.inbound import Sender
from core.notices import Ladder, Notice, Recipient, publish
from core.people import Person, link
from core.preferences import Channels, Mute, QuietHours, change
from core.settings import Settings
from core.unit import Unit, unit
from core.words import same
from notifier.hub.fanning import fan_out_due
from notifier.hub.lanes import Lane
from notifier.hub.sending import Ways
from tests.core.house import Office, SayingWall


class Sending:
    """The office, with lanes that are run by hand until nothing is due."""

    def __init__(self, office: Office, settings: Settings) -> None:
        self.office, self.house, self.settings = office, office.house, settings
        self.organisation = office.organisation.id

    async def tell(self, topic: str = "alert.disk", *to: Recipient, **more: Any) -> UUID:
        told = to or (Recipient("person", str(self.office.boss.id)),)
        more.setdefault("facts", {"title": "Disk", "text": "/var is full"})
        async with unit(self.house) as work:
            notice_id = await publish(work, self.organisation, Notice(topic, told, **more))
        await fan_out_due(self.house)
        return notice_id

    async def send(self, channel: str = "wall", owner: str = "w1") -> None:
        """All that is due of a channel, to its end."""
        lane = Lane(Ways(self.house, self.settings), channel, owner)
        while await lane.take():
            await lane.rest()

    async def rows(self, columns: str = "state") -> list[Any]:
        async with self.house.engine.connect() as connection:
            found = await fetch_all(
                connection,
                f"select {columns} from dispatches where organisation_id = :o order by id",
                {"o": self.organisation},
            )
        return [row[0] if len(row) == 1 else tuple(row) for row in found]

    async def choose(self, work: Unit, **chosen: Any) -> None:
        """What the boss prefers from now on."""
        boss = self.office.boss
        await change(work, self.organisation, boss.id, lambda before: replace(before, **chosen))

    async def due(self) -> None:
        await self.office.execute(
            "update dispatches set next_at = now() - interval '1 second',"
            " edit_at = case when edit_at is not null then now() - interval '1 second' end,"
            " lease_until = case when lease_until is not null then now() - interval '1 second' end"
        )

    async def tags(self) -> list[str]:
        async with self.house.engine.connect() as connection:
            rows = await fetch_all(
                connection,
                "select body ->> 'tag' as tag from audit_events"
                " where organisation_id = :o and body ->> 'tag' like 'notifier:%' order by id",
                {"o": self.organisation},
            )
        return [row.tag.removeprefix("notifier:") for row in rows]


@pytest.fixture
async def sending(office: Office) -> Sending:
    return Sending(office, Settings(secret_key=None))


async def test_a_notice_is_sent_once_with_each_move_in_the_log(sending: Sending) -> None:
    await sending.tell()
    await asyncio.gather(sending.send(), sending.send(owner="w2"))

    [message] = sending.office.wall.posted.values()
    assert "Disk" in message.text
    assert "/var is full" in message.text
    [row] = await sending.rows("state, external_id, shown, attempts")
    assert row[0] == "sent"
    assert row[1] in sending.office.wall.posted
    assert row[2:] == (1, 1)
    said = await sending.tags()
    assert said == ["notice:published", "notice:decided", "dispatch:sending", "dispatch:sent"]


async def test_what_has_become_untrue_is_not_sent(sending: Sending) -> None:
    office = sending.office
    acknowledged = await sending.tell("alert.a", ladder=Ladder(5, ((),)))
    cancelled = await sending.tell("alert.b")
    await sending.tell("alert.c")
    await sending.tell("community.tea")
    admin = await sending.tell("alert.d", Recipient("role", "approver"))
    async with unit(sending.house) as work:
        await acknowledge(work, sending.organisation, acknowledged, office.boss.id, "command")
    await office.execute(f"update notices set cancelled_at = now() where id = '{cancelled}'")
    await office.execute(
        "update notices set expires_at = now() - interval '1 s' where topic = 'alert.c'"
    )
    async with unit(sending.house) as work:
        await sending.choose(work, mutes=(Mute("community.*"),))
    await office.execute(
        f"update people set roles = '{{requester}}' where id = '{office.other_boss.id}'"
    )
    await sending.send()

    assert [message.title for message in office.wall.posted.values()] == ["Alert: Disk"]
    found = await sending.rows("reason")
    assert sorted(filter(None, found)) == [
        "acknowledged", "cancelled", "expired", "muted", "no_right",
    ]  # fmt: skip
    assert admin


async def test_quiet_hours_that_were_set_meanwhile_hold_it(sending: Sending) -> None:
    await sending.tell("community.tea")
    async with unit(sending.house) as work:
        quiet = QuietHours(time(0), time(23, 59, 59))
        await sending.choose(work, quiet=quiet)
    await sending.send()

    assert sending.office.wall.posted == {}
    [row] = await sending.rows("state, reason, held_until is not null, digest_id is not null")
    assert row == ("held", "quiet", True, True)


async def test_a_storm_is_one_message_that_is_changed(sending: Sending) -> None:
    for _ in range(3):
        await sending.tell(group="disk")
    await sending.send()
    for _ in range(40):
        await sending.tell(group="disk")
    assert await sending.rows("edit_at is not null") == [True]
    await sending.due()
    await sending.send()
    await sending.tell(group="disk", resolved=True)
    await sending.due()
    await sending.send()

    wall = sending.office.wall
    assert len(wall.sends) == 1
    assert len(wall.edits) == 2
    [message] = wall.posted.values()
    assert "×43" in message.title
    assert "Resolved" in message.title
    assert await sending.rows("edit_at is null") == [True]


async def test_nothing_can_be_pressed_once_somebody_has_it(sending: Sending) -> None:
    notice = await sending.tell(ladder=Ladder(5, ((),)))
    await sending.send()
    [message] = sending.office.wall.posted.values()
    assert [button.action for button in message.buttons] == ["notice.ack"]
    async with unit(sending.house) as work:
        await acknowledge(work, sending.organisation, notice, sending.office.boss.id, "pressed")
    await sending.due()
    await sending.send()

    [message] = sending.office.wall.posted.values()
    assert message.buttons == ()
    assert "Boss has it" in message.text


# Where it does not arrive


async def second_account(sending: Sending, person: Person) -> SayingWall:
    """Another app of theirs."""
    said = SayingWall()
    sending.house = replace(sending.house, outbounds={"wall": sending.office.wall, "line": said})
    async with unit(sending.house) as work:
        await link(work, person, Sender("line", "l1", f"U-{person.handle}"))
    # That they have another account is told by each of them, and not what is looked at here.
    await sending.office.execute("delete from notices")
    return said


async def test_who_is_not_reached_is_told_by_the_next_way_with_the_reason(
    sending: Sending,
) -> None:
    said = await second_account(sending, sending.office.boss)
    # Where both could be used at once, the first alone is.
    async with unit(sending.house) as work:
        await sending.choose(work, channels=(Channels("*", ("wall", "line")),))
    sending.office.wall.unreachable["boss"] = same("blocked")
    await sending.tell()
    await sending.send()
    await sending.send("line")

    [(chat, utterance)] = said.said
    assert chat == "U-boss"
    assert "not reached by wall (blocked)" in utterance.message.text
    states = await sending.rows("channel, state, reason, dead_at is null")
    assert states == [("wall", "failed", "blocked", True), ("line", "sent", None, True)]
    row = await sending.office.row(
        "select unreachable_since is not null as gone from accounts"
        " where organisation_id = :o and external_id = 'boss'", {"o": sending.organisation},
    )  # fmt: skip
    assert row.gone


async def test_what_reaches_nobody_is_a_dead_letter_that_the_admins_hear_of(
    sending: Sending,
) -> None:
    admin = sending.office.other_boss.id
    await sending.office.execute(
        f"update people set roles = roles || '{{admin}}' where id = '{admin}'"
    )
    sending.office.wall.unreachable["boss"] = same("blocked")
    await sending.tell()
    await sending.send()
    await fan_out_due(sending.house)
    await sending.send()

    assert await sending.rows("state, dead_at is not null") == [("failed", True), ("sent", False)]
    [message] = sending.office.wall.posted.values()
    assert "alert.disk" in message.text


@pytest.mark.parametrize("there", [True, False])
async def test_a_lost_answer_is_looked_for_before_anything_is_sent_again(
    sending: Sending, there: bool
) -> None:
    wall = sending.office.wall
    if there:
        wall.lose_answer = True
    else:
        wall.troubles = [OutcomeUnknown("?")]
    await sending.tell()
    await sending.send()
    assert await sending.rows("state, sending_revision") == [("sending", 1)]
    await sending.due()
    await sending.send()
    await sending.due()
    await sending.send()

    assert len(wall.sends) == 1
    assert await sending.rows() == ["sent"]
    assert len(wall.looks) == (1 if there else 2)


async def test_what_nobody_can_tell_is_unknown_and_never_sent_again(sending: Sending) -> None:
    wall = sending.office.wall
    wall.lose_answer, wall.deaf = True, OutcomeUnknown("no history")
    await sending.tell()
    await sending.send()
    for _ in range(2):
        await sending.due()
        await sending.send()

    assert len(wall.sends) == 1
    assert await sending.rows() == ["unknown"]


async def test_a_worker_that_dies_after_the_providers_yes_leaves_no_second(
    sending: Sending,
) -> None:
    wall = sending.office.wall
    wall.hang_after = True
    await sending.tell()
    lane = Lane(Ways(sending.house, sending.settings), "wall", "dying")
    await lane.take()
    await wall.hanging.wait()
    await lane.stop()
    assert await sending.rows() == ["sending"]
    await sending.send()
    assert await sending.rows() == ["sending"]  # it is in hand still
    await sending.due()
    await sending.send()

    assert len(wall.sends) == 1
    assert await sending.rows() == ["sent"]
    assert "dispatch:sent" in await sending.tags()


async def test_what_is_said_once_more_is_said_word_for_word(sending: Sending) -> None:
    said = await second_account(sending, sending.office.boss)
    await sending.office.execute("delete from accounts where platform = 'wall'")
    said.lose_answer = True
    await sending.tell()
    await sending.send("line")
    await sending.office.execute('update notices set facts = \'{"title": "changed"}\'')
    await sending.due()
    await sending.send("line")

    assert [again for _, again in said.made] == [False, True]
    assert len(said.said) == 1
    assert await sending.rows() == ["sent"]


async def test_only_what_matters_is_said_again_where_nothing_can_be_changed(
    sending: Sending,
) -> None:
    said = await second_account(sending, sending.office.boss)
    await sending.office.execute("delete from accounts where platform = 'wall'")
    for times in (1, 5, 6):
        for _ in range(times):
            await sending.tell(group="disk")
        await sending.due()
        await sending.send("line")
    await sending.tell(group="disk", resolved=True)
    await sending.due()
    await sending.send("line")

    titles = [utterance.message.title for _, utterance in said.said]
    assert titles == [f"Alert: Disk{mark}" for mark in ("", " [×12]", " [×12] [Resolved]")]


# Order and pace


async def test_of_one_conversation_nothing_overtakes_what_has_to_wait(sending: Sending) -> None:
    wall = sending.office.wall
    wall.troubles = [TryLater("busy", timedelta(seconds=30))]
    for number in range(12):
        await sending.tell(facts={"title": f"n{number}"})
    await sending.send()
    assert wall.posted == {}
    await sending.tell("alert.fire", importance="critical", facts={"title": "fire"})
    await sending.send()
    assert [message.title for message in wall.posted.values()] == ["Alert: fire"]
    await sending.due()
    await sending.send()

    titles = [message.title for message in wall.posted.values()]
    assert titles == ["Alert: fire", *(f"Alert: n{number}" for number in range(12))]


async def test_one_that_can_never_be_sent_holds_up_nobody(sending: Sending) -> None:
    sending.office.wall.troubles = [Permanent("too long")]
    await sending.tell(facts={"title": "bad"})
    await sending.tell(facts={"title": "good"})
    await sending.send()

    assert [message.title for message in sending.office.wall.posted.values()] == ["Alert: good"]


async def test_one_that_is_not_as_it_should_be_is_put_aside_and_holds_up_nobody(
    sending: Sending,
) -> None:
    for name in ("bad", "good", "fine"):
        await sending.tell(f"alert.{name}", facts={"title": name})
    await sending.office.execute(
        "update notices set actions = '[{\"kind\": \"explode\"}]' where topic = 'alert.bad'"
    )
    for _ in range(6):
        await sending.send()
        await sending.due()

    assert len(sending.office.wall.posted) == 2
    assert await sending.rows("state, reason, dead_at is not null") == [
        ("failed", "gave_up", True), ("sent", None, False), ("sent", None, False),
    ]  # fmt: skip


async def test_what_is_not_its_turn_yet_is_waited_for_in_hand(sending: Sending) -> None:
    sending.office.wall.troubles = [NotNow("pace", timedelta(seconds=0.05))]
    await sending.tell()
    await sending.send()

    assert await sending.rows("state, attempts") == [("sent", 1)]


async def test_what_may_have_been_sent_is_not_sent_anew_because_its_turn_has_to_wait(
    sending: Sending,
) -> None:
    wall = sending.office.wall
    wall.hang_after = True
    await sending.tell(facts={"title": "first"})
    lane = Lane(Ways(sending.house, sending.settings), "wall", "dying")
    await lane.take()
    await wall.hanging.wait()
    await lane.stop()
    await sending.due()
    wall.deaf = NotNow("pace", timedelta(seconds=9))  # nobody may ask the platform just now
    await sending.send()
    assert await sending.rows("state, sending_revision") == [("sending", 1)]
    wall.deaf = None
    await sending.due()
    await sending.send()

    assert len(wall.sends) == 1
    assert await sending.rows() == ["sent"]


async def test_what_was_put_off_is_not_overtaken_although_both_are_due(sending: Sending) -> None:
    wall = sending.office.wall
    wall.troubles = [TryLater("busy")]
    await sending.tell(facts={"title": "first"})
    await sending.send()
    await sending.tell(facts={"title": "second"})
    await sending.office.execute(
        "update dispatches set next_at = now() - interval '1 s' where attempts > 0"
    )
    await sending.office.execute(
        "update dispatches set next_at = now() - interval '2 s' where attempts = 0"
    )
    lane = Lane(Ways(sending.house, sending.settings), "wall", "w1")
    lane._careful = 1  # as where more is due than is taken at once
    assert await lane.take()
    await lane.rest()
    assert [message.title for message in wall.posted.values()] == ["Alert: first"]
