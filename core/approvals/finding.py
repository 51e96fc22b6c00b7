"""Finds the people that a route means in the organisation chart."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from core.approvals.chart import Chart, Member
from core.approvals.route import REQUESTERS, Who


@dataclass(frozen=True, slots=True)
class Found:
    """Whom a route's words fit: those who can decide, and those who can't (they asked for it or
    edited it, act for somebody who did, or are no longer there)."""

    able: tuple[UUID, ...]
    unable: tuple[UUID, ...]


def find(chart: Chart, who: Iterable[Who], requester: UUID, barred: frozenset[UUID]) -> Found:
    """Everybody whom one of these means, in the order of the route, each once."""
    meant = dict.fromkeys(person for each in who for person in meant_by(chart, each, requester))
    able = [person for person in meant if chart.is_active(person) and person not in barred]
    return Found(tuple(able), tuple(person for person in meant if person not in able))


def meant_by(chart: Chart, who: Who, requester: UUID) -> list[UUID]:
    """Everybody whom this means, whether they can decide or not, by handle."""
    if who.superior is None:
        members: list[Member] = sorted(chart.members.values(), key=lambda each: each.handle)
    else:
        above = chart.superiors(requester)
        members = [chart.members[person] for person in above[who.superior - 1 : who.superior]]
    return [member.id for member in members if _fits(chart, who, member, requester)]


def first_able_above(chart: Chart, person: UUID, barred: frozenset[UUID]) -> UUID | None:
    """The nearest superior who can decide."""
    for superior in chart.superiors(person):
        if chart.is_active(superior) and superior not in barred:
            return superior
    return None


def _fits(chart: Chart, who: Who, member: Member, requester: UUID) -> bool:
    department = who.department
    if department == REQUESTERS:
        department = chart.members[requester].department
        if not department:
            return False  # or everybody who is in none would be of theirs
    return (
        who.person in {None, member.handle}
        and (who.role is None or who.role in member.roles)
        and who.post in {None, member.post}
        and department in {None, member.department}
    )
