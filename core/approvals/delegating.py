"""Delegations (代理): who chose whom to decide in their place, on which days, for which forms.

What waits moves to the delegate when the first day begins where the person lives, and comes back
when the last one is over or the delegation is taken back: by the schedule, task by task
(core/approvals/settling.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.event import JSON, Actor, Event
from core import schedule
from core.approvals import delegate_words as words
from core.approvals.acting_for import LONGEST
from core.approvals.settling import settle_soon
from core.db import execute, fetch_all, fetch_one, moment_of
from core.errors import Refused
from core.house import House
from core.ids import new_id
from core.people import Person
from core.schedule import Occurrence
from core.tags import Tag
from core.unit import Unit

TURN = "delegation.turn"
LONGEST_PERIOD = timedelta(days=366)

_LOCK = 5_114_200_011
"""Two who delegate to each other at the same moment would not see one another."""


@dataclass(frozen=True, slots=True)
class Delegation:
    """One that counts now or will. `zone` is where the person lives; no forms: all of them."""

    id: UUID
    person_id: UUID
    person: str
    delegate_id: UUID
    delegate: str
    since: date
    until: date
    forms: frozenset[str]
    zone: str

    @property
    def period(self) -> tuple[datetime, datetime]:
        """From its first moment up to before the second one."""
        return period(self.since, self.until, ZoneInfo(self.zone))


def period(since: date, until: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The moments between which it is one of these dates there: from 00:00 of the first one, or
    what comes first of that day, up to before 00:00 of the day after the last."""
    return begins(since, zone), begins(until + timedelta(days=1), zone)


def begins(day: date, zone: ZoneInfo) -> datetime:
    """The first moment of a day in a zone, in UTC. Where clocks are put forward at midnight, 00:00
    is left out and that is the moment of the change."""
    return datetime.combine(day, time.min, zone).astimezone(UTC)


async def make(
    work: Unit,
    person: Person,
    delegate: Person,
    since: date,
    until: date,
    forms: frozenset[str],
    actor: Actor,
) -> Delegation:
    """Have somebody decide in a person's place. What waits today moves at once.

    A day that is over is left out. Raises Refused for oneself, for a period that is over or longer
    than LONGEST_PERIOD, and for chains that go round or are longer than LONGEST, with their names.
    """
    connection = work.connection
    await execute(
        connection,
        # across organisations: one lock for all, held for a moment
        "select pg_advisory_xact_lock(:lock)",
        {"lock": _LOCK},
    )
    now = await moment_of(connection)
    today = now.astimezone(ZoneInfo(person.time_zone)).date()
    made = Delegation(
        new_id(), person.id, person.name, delegate.id, delegate.name, max(since, today), until,
        forms, person.time_zone,
    )  # fmt: skip
    if person.id == delegate.id:
        raise Refused(words.ONESELF)
    if made.since > until:
        raise Refused(words.OVER.fill(since=since, until=until))
    if until - made.since > LONGEST_PERIOD:
        raise Refused(words.TOO_LONG.fill(days=LONGEST_PERIOD.days))
    _check_chains(await standing(connection, person.organisation_id), made)
    await _insert(work, person.organisation_id, made, actor)
    _record(work, person, made, actor, _MADE)
    for which, moment in zip(("since", "until"), made.period, strict=True):
        await _turn(work, person.organisation_id, made.id, which, moment)
    if made.period[0] <= now:
        await settle_soon(work, person.organisation_id, person.id)
    return made


async def revoke(
    work: Unit, person: Person, delegate: Person | None, actor: Actor
) -> Sequence[Delegation]:
    """Take back what a person gave to a delegate, None for all; what had moved comes back. Raises
    Refused where there is nothing to take back."""
    found = [
        each
        for each in await standing(work.connection, person.organisation_id)
        if each.person_id == person.id and (delegate is None or each.delegate_id == delegate.id)
    ]
    if not found:
        raise Refused(words.NONE_TO_REVOKE)
    for each in found:
        await execute(
            work.connection,
            "update delegations set revoked_at = now() where organisation_id = :organisation_id"
            " and id = :id and revoked_at is null",
            {"organisation_id": person.organisation_id, "id": each.id},
        )
        _record(work, person, each, actor, _REVOKED)
    await settle_soon(work, person.organisation_id, person.id)
    return found


async def standing(connection: AsyncConnection, organisation_id: UUID) -> Sequence[Delegation]:
    """All that count now or will, in the order of their days."""
    rows = await fetch_all(
        connection,
        "select d.id, d.person_id, p.name as person, d.delegate_id, q.name as delegate, d.since,"
        " d.until, d.forms, p.time_zone as zone from delegations d"
        " join people p on p.id = d.person_id join people q on q.id = d.delegate_id"
        " where d.organisation_id = :organisation_id and d.revoked_at is null"
        " and p.active and q.active and d.until >= cast(now() at time zone p.time_zone as date)"
        " order by d.since, d.created_at, d.id",
        {"organisation_id": organisation_id},
    )
    return [Delegation(**{**row._asdict(), "forms": frozenset(row.forms)}) for row in rows]


async def turn(house: House, work: Unit, occurrence: Occurrence) -> datetime | None:
    """A delegation begins or is over: have everything looked at that may move by it."""
    row = await fetch_one(
        work.connection,
        "select d.person_id, d.since, d.until, p.time_zone from delegations d"
        " join people p on p.id = d.person_id"
        " where d.organisation_id = :organisation_id and d.id = :id and d.revoked_at is null",
        {"organisation_id": occurrence.organisation_id, "id": occurrence.subject_id},
    )
    if row is None or occurrence.organisation_id is None:
        return None
    since, until = period(row.since, row.until, ZoneInfo(row.time_zone))
    moment = since if occurrence.name.endswith(":since") else until
    if moment > occurrence.now:  # they live somewhere else by now
        return moment
    await settle_soon(work, occurrence.organisation_id, row.person_id)
    return None


async def person_changed(house: House, work: Unit, occurrence: Occurrence) -> None:
    """Somebody left, or lives in another zone: what they hold is looked at, and their days begin
    and end elsewhere."""
    organisation_id, person_id = occurrence.organisation_id, occurrence.subject_id
    assert organisation_id is not None and person_id is not None  # noqa: S101, PT018  # of a person
    for each in await standing(work.connection, organisation_id):
        if each.person_id == person_id:
            for which, moment in zip(("since", "until"), each.period, strict=True):
                await _turn(work, organisation_id, each.id, which, max(moment, occurrence.now))
    await settle_soon(work, organisation_id, person_id)


async def _turn(
    work: Unit, organisation_id: UUID, delegation_id: UUID, which: str, moment: datetime
) -> None:
    name = f"delegation:{delegation_id}:{which}"
    await schedule.at(
        work, name, moment, TURN, organisation_id=organisation_id, subject_id=delegation_id
    )


async def _insert(work: Unit, organisation_id: UUID, made: Delegation, actor: Actor) -> None:
    await execute(
        work.connection,
        "insert into delegations (id, organisation_id, person_id, delegate_id, since, until, forms,"
        " made_by) values (:id, :organisation_id, :person_id, :delegate_id, :since, :until, :forms,"
        " :made_by)",
        {
            "id": made.id,
            "organisation_id": organisation_id,
            "person_id": made.person_id,
            "delegate_id": made.delegate_id,
            "since": made.since,
            "until": made.until,
            "forms": sorted(made.forms),
            "made_by": actor.person_id,
        },
    )


_MADE = (Tag.DELEGATION_MADE, Tag.DELEGATION_SET)
_REVOKED = (Tag.DELEGATION_REVOKED, Tag.DELEGATION_UNSET)


def _record(
    work: Unit, person: Person, each: Delegation, actor: Actor, tags: tuple[Tag, Tag]
) -> None:
    """By the person themselves, or by an admin or the operator."""
    data: dict[str, JSON] = {
        "delegation": str(each.id),
        "delegate": str(each.delegate_id),
        "since": each.since.isoformat(),
        "until": each.until.isoformat(),
        "forms": sorted(each.forms),
    }
    tag = tags[0] if actor.person_id == person.id else tags[1]
    work.record(Event(person.organisation_id, person.id, tag, data, actor))


# Chains


@dataclass(frozen=True, slots=True)
class _Chain:
    """Delegations one after another, and when and for which forms all of them count at once."""

    links: tuple[Delegation, ...]
    since: datetime
    until: datetime
    forms: frozenset[str]

    @classmethod
    def of(cls, link: Delegation) -> "_Chain":
        return cls((link,), *link.period, link.forms)

    @property
    def people(self) -> list[UUID]:
        return [self.links[0].person_id, *(link.delegate_id for link in self.links)]

    @property
    def names(self) -> str:
        return " → ".join([self.links[0].person, *(link.delegate for link in self.links)])

    def longer(self, link: Delegation) -> "_Chain | None":
        """With one more at the end that it leads to, or that leads to it; None where there is no
        such moment."""
        if link.person_id == self.links[-1].delegate_id:
            links = (*self.links, link)
        elif link.delegate_id == self.links[0].person_id:
            links = (link, *self.links)
        else:
            return None
        begin, end = link.period
        since, until = max(self.since, begin), min(self.until, end)
        forms = self.forms & link.forms if self.forms and link.forms else self.forms | link.forms
        if since >= until or (self.forms and link.forms and not forms):
            return None
        return _Chain(links, since, until, forms)


def _check_chains(others: Sequence[Delegation], made: Delegation) -> None:
    """Raises Refused where some moment and some form would have a chain that goes round, or more
    than LONGEST who hand on."""
    chains = [_Chain.of(made)]
    while chains:
        chain = chains.pop()
        if len(set(chain.people)) < len(chain.people):
            raise Refused(words.CIRCLE.fill(names=chain.names))
        if len(chain.links) > LONGEST:
            raise Refused(words.TOO_MANY.fill(names=chain.names, most=LONGEST))
        longer = (chain.longer(link) for link in others if link not in chain.links)
        chains += [each for each in longer if each is not None]
