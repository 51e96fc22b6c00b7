"""Ladders of an office, with a stand-in for the fan-out: one dispatch a person."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from core.db import fetch_all
from core.ids import new_id
from core.notices import Ladder, Notice, Recipient, publish
from core.people import Person
from core.unit import Unit, unit
from core.words import Words
from notifier.hub import ladders
from notifier.hub.climbing import climb_due
from tests.core.house import Office

RUNGS = ((Recipient("person", "b"),), (Recipient("role", "admin"),))


class Hub:
    """An office with hands to move its ladders."""

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
