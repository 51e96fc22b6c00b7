"""Ladders: the next person where nobody acknowledges, and nobody any more once somebody has."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from functools import partial
from uuid import UUID

import pytest

from core.acknowledging import ACK, MUTE, acknowledge, seen
from core.db import fetch_all
from core.ids import new_id
from core.notices import Ladder, Notice, Recipient, publish
from core.people import Person
from core.preferences import read
from core.unit import Unit, unit
from core.words import Words
from notifier.hub import ladders, on_call
from notifier.hub.climbing import climb_due
from notifier.hub.fanning import fan_more, fan_out_due
from notifier.hub.ladders import Step, step
from tests.core.house import Office

NOW = datetime(2026, 11, 27, 3, tzinfo=UTC)
RUNGS = ((Recipient("person", "b"),), (Recipient("role", "admin"),))
LADDER = Ladder(15, RUNGS, expires_minutes=60)
MINUTES = timedelta(minutes=1)


def test_each_rung_is_told_so_many_minutes_after_the_one_before_until_the_last() -> None:
    ends = NOW + 60 * MINUTES
    first = step(LADDER, ends, 0, NOW)
    assert first == Step("climbing", 1, RUNGS[0], NOW + 15 * MINUTES)
    second = step(LADDER, ends, 1, NOW + 15 * MINUTES)
    assert second == Step("climbing", 2, RUNGS[1], NOW + 30 * MINUTES)
    assert step(LADDER, ends, 2, NOW + 30 * MINUTES) == Step("exhausted", 2)


def test_a_rung_that_comes_late_pushes_the_next_and_its_end_is_the_end() -> None:
    ends = NOW + 60 * MINUTES
    late = step(LADDER, ends, 0, NOW + 50 * MINUTES)
    assert (late.rung, late.next_at) == (1, ends)
    assert step(LADDER, ends, 1, ends) == Step("expired", 1)


class Hub:
    """Ladders of an office, with a stand-in for the fan-out: one dispatch a person."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.told: list[Sequence[Recipient]] = []

    async def notice(self, *people: Person, rungs: int = 2, expires: int = 60) -> UUID:
        organisation = self.office.organisation.id
        async with unit(self.office.house) as work:
            ladder = Ladder(15, RUNGS[:rungs], expires_minutes=expires)
            recipients = tuple(Recipient("person", str(person.id)) for person in people)
            notice = Notice("alert.disk", recipients, importance="critical", ladder=ladder)
            notice_id = await publish(work, organisation, notice)
            await ladders.begin(work, organisation, notice_id)
        for person in people:
            await self.dispatch(notice_id, person)
        return notice_id

    async def dispatch(self, notice_id: UUID, person: Person, state: str = "queued") -> UUID:
        dispatch_id = new_id()
        await self.office.execute(
            "insert into dispatches (id, organisation_id, notice_id, person_id, channel, address,"
            f" importance, state) values ('{dispatch_id}', '{self.office.organisation.id}',"
            f" '{notice_id}', '{person.id}', 'wall', '{person.handle}-{dispatch_id}', 0,"
            f" '{state}')"
        )
        return dispatch_id

    async def tell(
        self,
        work: Unit,
        organisation_id: UUID,
        notice_id: UUID,
        recipients: Sequence[Recipient],
        why: Words,
        now: datetime,
    ) -> Sequence[UUID]:
        self.told.append(recipients)
        await fetch_all(
            work.connection,
            "insert into dispatches (id, organisation_id, notice_id, person_id, channel, address,"
            " importance) values (gen_random_uuid(), :organisation_id, :notice_id, :person_id,"
            " 'wall', 'rung', 0) returning id",
            {
                "organisation_id": organisation_id,
                "notice_id": notice_id,
                "person_id": self.office.other_boss.id,
            },
        )
        return [self.office.other_boss.id]

    async def after(self, minutes: int) -> None:
        """So much time passes, and what is due is done."""
        await self.office.execute(
            f"update escalations set next_at = next_at - interval '{minutes} minutes';"
        )
        await self.office.execute(
            f"update notices set expires_at = expires_at - interval '{minutes} minutes'"
        )
        while await climb_due(self.office.house, self.tell):
            pass

    async def states(self, notice_id: UUID) -> list[str]:
        async with self.office.house.engine.connect() as connection:
            rows = await fetch_all(
                connection,
                "select state from dispatches where notice_id = :id order by id",
                {"id": notice_id},
            )
        return sorted(row.state for row in rows)

    async def state(self, notice_id: UUID) -> str:
        row = await self.office.row(
            "select state from escalations where notice_id = :id", {"id": notice_id}
        )
        return str(row.state)

    async def tags(self, notice_id: UUID) -> list[str]:
        async with self.office.house.engine.connect() as connection:
            rows = await fetch_all(
                connection,
                "select body ->> 'tag' as tag from audit_events where stream = :id order by seq",
                {"id": notice_id},
            )
        return [row.tag for row in rows]


@pytest.fixture
def hub(office: Office) -> Hub:
    return Hub(office)


async def test_nobody_acknowledges_and_it_climbs_to_its_end(hub: Hub) -> None:
    notice_id = await hub.notice(hub.office.asker, rungs=1)
    await hub.after(14)
    assert hub.told == []
    await hub.after(1)
    assert hub.told == [RUNGS[0]]
    await hub.after(15)
    assert await hub.state(notice_id) == "exhausted"
    # the admins hear that nobody has it, and of that there is no ladder
    found = await hub.office.row(
        "select topic, facts, ladder from notices where topic like 'system.%'", {}
    )
    assert found.topic == "system.unacknowledged"
    assert found.ladder is None


async def test_what_an_acknowledgement_finds_queued_does_not_leave_and_it_climbs_no_more(
    hub: Hub,
) -> None:
    office = hub.office
    notice_id = await hub.notice(office.asker, office.boss)
    held = await hub.dispatch(notice_id, office.boss, "held")
    await hub.dispatch(notice_id, office.boss, "sent")
    answer = await office.click(ACK, notice_id, office.boss)
    assert answer.outcome == "done"
    assert answer.message is not None
    assert "you have it" in answer.message.text
    assert await hub.states(notice_id) == ["dropped", "dropped", "dropped", "sent"]
    await hub.after(60)
    assert hub.told == []
    assert await hub.state(notice_id) == "acknowledged"
    row = await office.row(
        "select d.reason, n.revision, n.acknowledged_by from dispatches d join notices n"
        " on n.id = d.notice_id where d.id = :id",
        {"id": held},
    )
    assert (row.reason, row.revision) == ("acknowledged", 2)
    assert row.acknowledged_by == office.boss.id
    tags = await hub.tags(notice_id)
    assert tags.count("notifier:dispatch:dropped") == 3
    assert tags.count("notifier:notice:acknowledged") == 1
    # whoever presses next hears who has it
    again = await office.click(ACK, notice_id, office.asker)
    assert again.message is not None
    assert "Boss has it already" in again.message.text
    assert (await hub.tags(notice_id)).count("notifier:notice:acknowledged") == 1


async def test_only_whoever_was_told_may_acknowledge(hub: Hub) -> None:
    office = hub.office
    notice_id = await hub.notice(office.asker)
    answer = await office.click(ACK, notice_id, office.other_boss)
    assert answer.outcome == "refused"
    unknown = await office.click(ACK, new_id(), office.asker)
    assert unknown.outcome == "refused"
    assert await hub.state(notice_id) == "climbing"


async def test_muted_it_is_until_the_end_of_the_day(hub: Hub) -> None:
    office = hub.office
    notice_id = await hub.notice(office.asker)
    for _ in range(2):
        answer = await office.click(MUTE, notice_id, office.asker)
        assert answer.outcome == "done"
    async with office.house.engine.connect() as connection:
        chosen = await read(connection, office.organisation.id, office.asker.id)
    [mute] = chosen.mutes
    assert mute.pattern == "alert.disk"
    assert mute.until is not None
    assert timedelta(0) < mute.until - datetime.now(UTC) <= timedelta(days=1)


@pytest.mark.parametrize("state", ["delivered", "read"])
async def test_read_stops_the_ladder_and_delivered_does_not(hub: Hub, state: str) -> None:
    office = hub.office
    notice_id = await hub.notice(office.asker)
    dispatch_id = await hub.dispatch(notice_id, office.boss, "sent")
    async with unit(office.house) as work:
        assert await seen(work, office.organisation.id, dispatch_id, state)  # type: ignore[arg-type]
        assert not await seen(work, office.organisation.id, dispatch_id, state)  # type: ignore[arg-type]
    await hub.after(15)
    assert len(hub.told) == (1 if state == "delivered" else 0)


async def test_it_expires(hub: Hub) -> None:
    notice_id = await hub.notice(hub.office.asker, expires=20)
    await hub.after(15)
    await hub.after(5)
    assert await hub.state(notice_id) == "expired"
    assert await hub.states(notice_id) == ["dropped", "dropped"]
    assert (await hub.tags(notice_id)).count("notifier:notice:expired") == 1


async def test_a_rung_that_fails_holds_up_no_other_ladder(hub: Hub) -> None:
    broken = await hub.notice(hub.office.asker)
    whole = await hub.notice(hub.office.asker)
    await hub.office.execute(
        f"update notices set ladder = '{{\"minutes\": \"x\"}}' where id = '{broken}'"
    )
    await hub.after(15)
    assert len(hub.told) == 1
    row = await hub.office.row("select rung from escalations where notice_id = :id", {"id": whole})
    assert row.rung == 1
    assert await hub.state(broken) == "climbing"


@pytest.mark.parametrize("rung_first", [True, False])
async def test_of_an_acknowledgement_and_a_rung_at_once_nothing_is_left_queued(
    hub: Hub, rung_first: bool
) -> None:
    """Whichever comes first, what the rung queued is dropped or was never made."""
    office = hub.office
    notice_id = await hub.notice(office.asker)
    await office.execute("update escalations set next_at = now()")
    reached = asyncio.Event()

    async def slowly(*given: object) -> Sequence[UUID]:
        people = await hub.tell(*given)  # type: ignore[arg-type]
        reached.set()
        await asyncio.sleep(0.05)
        return people

    async def press() -> None:
        if rung_first:
            await reached.wait()
        async with unit(office.house) as work:
            await acknowledge(work, office.organisation.id, notice_id, office.asker.id, "pressed")

    both = [climb_due(office.house, slowly), press()]
    await asyncio.gather(*(both if rung_first else reversed(both)))
    await climb_due(office.house, hub.tell)
    assert set(await hub.states(notice_id)) == {"dropped"}
    assert await hub.state(notice_id) == "acknowledged"


async def test_what_a_sender_has_only_claimed_is_taken_back_and_what_is_on_its_way_is_not(
    hub: Hub,
) -> None:
    office = hub.office
    notice_id = await hub.notice(office.boss)
    claimed = await hub.dispatch(notice_id, office.asker, "sending")
    leaving = await hub.dispatch(notice_id, office.other_boss, "sending")
    await office.execute("update dispatches set lease_owner = 'w1' where state = 'sending'")
    await office.execute(f"update dispatches set sending_revision = 1 where id = '{leaving}'")
    presses = [office.click(ACK, notice_id, office.boss) for _ in range(5)]
    answers = await asyncio.gather(*presses)

    assert all("you have it" in answer.message.text for answer in answers if answer.message)
    assert (await hub.tags(notice_id)).count("notifier:notice:acknowledged") == 1
    row = "select state, lease_owner from dispatches where id = :id"
    assert await office.row(row, {"id": claimed}) == ("dropped", None)
    assert await office.row(row, {"id": leaving}) == ("sending", "w1")


async def test_what_was_decided_elsewhere_climbs_no_further(hub: Hub) -> None:
    office = hub.office
    answer = await office.say("letter hello")
    await office.work()
    approval = await office.approval_id(answer.task_id)
    notice_id = await hub.notice(office.boss)
    await office.execute(f"update notices set approval_id = '{approval}' where id = '{notice_id}'")
    await hub.after(15)
    assert len(hub.told) == 1
    await office.click("approve", approval, office.other_boss)
    await hub.after(15)
    assert len(hub.told) == 1
    assert await hub.state(notice_id) == "acknowledged"
    assert await hub.states(notice_id) == ["dropped", "dropped"]
    row = await office.row("select distinct reason from dispatches", {})
    assert row.reason == "decided"


async def test_the_next_rung_is_who_is_on_call_by_the_rota_and_hears_why(hub: Hub) -> None:
    """With the fan-out itself, and by each one's own ways."""
    office = hub.office
    organisation = office.organisation.id
    rungs = ((Recipient("on_call", "ops"),),)
    async with unit(office.house) as work:
        today = datetime.now(UTC).date()
        await on_call.add(
            work, organisation, "ops", [office.other_boss, office.asker], zone="UTC",
            weekday=today.weekday(), time_of_day=time(), starts_on=today,
        )  # fmt: skip
        to = (Recipient("person", str(office.boss.id)),)
        notice = Notice("alert.disk", to, importance="critical", ladder=Ladder(15, rungs))
        notice_id = await publish(work, organisation, notice)
    await fan_out_due(office.house)
    await office.execute("update escalations set next_at = now()")
    assert await climb_due(office.house, partial(fan_more, house=office.house)) == 1

    async with office.house.engine.connect() as connection:
        rows = await fetch_all(
            connection,
            "select person_id, instead ->> 'en' as why from dispatches where notice_id = :id"
            " order by created_at",
            {"id": notice_id},
        )
    assert [row.person_id for row in rows] == [office.boss.id, office.other_boss.id]
    assert rows[0].why is None
    assert "nobody acknowledged this within 15 minutes" in rows[1].why
    assert (await hub.tags(notice_id))[-1] == "notifier:notice:escalated"
