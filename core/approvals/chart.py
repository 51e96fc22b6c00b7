"""The organisation chart (組織図): who stands where, and who acts for whom."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from core.db import fetch_all

_A_ZONE = timedelta(days=1)
"""By how much the date of any place is apart from that of UTC, at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """Somebody in the chart. Whoever is not `active` decides nothing."""

    id: UUID
    handle: str
    name: str
    roles: frozenset[str] = frozenset()
    department: str = ""
    post: str = ""
    grade: str = ""
    superior: UUID | None = None
    active: bool = True
    time_zone: str = "Asia/Tokyo"


@dataclass(frozen=True, slots=True)
class Delegation:
    """From 00:00 of `since` to 23:59 of `until`, where the person lives, `delegate` decides for
    them (代理): what these forms (agents) ask, or anything where there are none."""

    person: UUID
    delegate: UUID
    since: date
    until: date
    forms: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Chart:
    """Everybody of an organisation, and the delegations, the last one made at the end."""

    members: Mapping[UUID, Member]
    delegations: Mapping[UUID, tuple[Delegation, ...]]

    @classmethod
    def of(cls, members: Iterable[Member], delegations: Iterable[Delegation] = ()) -> "Chart":
        by_person: dict[UUID, tuple[Delegation, ...]] = {}
        for each in delegations:
            by_person[each.person] = (*by_person.get(each.person, ()), each)
        return cls({member.id: member for member in members}, by_person)

    def name(self, person: UUID) -> str:
        """What a person is called."""
        return self.members[person].name

    def names(self, people: Iterable[UUID], mark: str = ", ") -> str:
        """The names of several, in this order."""
        return mark.join(self.name(person) for person in people)

    def by_handle(self, handle: str) -> Member | None:
        """Whoever has that handle."""
        return next((each for each in self.members.values() if each.handle == handle), None)

    def is_active(self, person: UUID) -> bool:
        """Whether it is somebody who still belongs to the organisation."""
        member = self.members.get(person)
        return member is not None and member.active

    def superiors(self, person: UUID) -> list[UUID]:
        """Those above a person, the nearest first; where they go round, up to there."""
        found: list[UUID] = []
        member = self.members.get(person)
        while member is not None and member.superior is not None:
            if member.superior in {person, *found}:
                break
            found.append(member.superior)
            member = self.members.get(member.superior)
        return found

    def in_force(self, person: UUID, form: str, now: datetime) -> list[Delegation]:
        """A person's delegations of a form at this moment, to people who are there; the one that
        counts first: made for the form before one for all, the newest before an older one."""
        member = self.members.get(person)
        given = self.delegations.get(person, ())
        if member is None or not given:
            return []
        today = now.astimezone(ZoneInfo(member.time_zone)).date()
        found = [
            each
            for each in reversed(given)
            if each.since <= today <= each.until
            and (not each.forms or form in each.forms)
            and self.is_active(each.delegate)
        ]
        return sorted(found, key=lambda each: not each.forms)


async def read_chart(connection: AsyncConnection, organisation_id: UUID, now: datetime) -> Chart:
    """The organisation's chart, with the delegations that are in force somewhere now."""
    people = await fetch_all(
        connection,
        "select id, handle, name, roles, department, post, grade, superior_id, active, time_zone"
        " from people where organisation_id = :organisation_id order by handle",
        {"organisation_id": organisation_id},
    )
    delegations = await fetch_all(
        connection,
        "select person_id, delegate_id, since, until, forms from delegations"
        " where organisation_id = :organisation_id and revoked_at is null"
        " and since <= :latest and until >= :earliest order by created_at, id",
        {
            "organisation_id": organisation_id,
            "latest": (now + _A_ZONE).date(),
            "earliest": (now - _A_ZONE).date(),
        },
    )
    return Chart.of(
        (
            Member(
                id=row.id,
                handle=row.handle,
                name=row.name,
                roles=frozenset(row.roles),
                department=row.department,
                post=row.post,
                grade=row.grade,
                superior=row.superior_id,
                active=row.active,
                time_zone=row.time_zone,
            )
            for row in people
        ),
        (
            Delegation(row.person_id, row.delegate_id, row.since, row.until, frozenset(row.forms))
            for row in delegations
        ),
    )
