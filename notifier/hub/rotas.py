"""Who is on call: people in turn by weeks, with swaps. Pure; each moment has exactly one.

The hand-over is at a time of day on a weekday of the rota's zone: where the clock is put forward
over it, at that moment; where it comes twice, the first time (core/wall_clock.py).
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from core.wall_clock import first

_WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Swap:
    """Somebody is on call in another's place. Of two that overlap, the one made later counts."""

    since: datetime
    until: datetime
    person: UUID


@dataclass(frozen=True, slots=True)
class Rota:
    """People in turn. `starts_on` is the day of the first hand-over, to the first of `people`;
    before it, it is already theirs. `left`: those of them who are in the company no longer, in
    whose weeks the next one is on call. `swaps` are in the order in which they were made.
    """

    name: str
    zone: str
    time_of_day: time
    starts_on: date
    people: tuple[UUID, ...]
    swaps: tuple[Swap, ...] = ()
    left: frozenset[UUID] = frozenset()

    def hand_over(self, week: int) -> datetime:
        """The moment (UTC) at which the week of that number begins."""
        return first(ZoneInfo(self.zone), self.starts_on + week * _WEEK, self.time_of_day)


@dataclass(frozen=True, slots=True)
class Shift:
    """So long one person is on call without a break; `swapped`: in another's place."""

    since: datetime
    until: datetime
    person: UUID
    swapped: bool = False


def on_call(rota: Rota, moment: datetime) -> UUID | None:
    """Who is on call then; None only where everybody of the rota has left."""
    swap = _swap_at(rota, moment)
    return swap.person if swap is not None else _of_week(rota, _week_at(rota, moment))


def shifts(rota: Rota, since: datetime, until: datetime) -> Iterator[Shift]:
    """Who is on call from one moment to another, without gaps, in order."""
    edges = {since, until}
    weeks = range(_week_at(rota, since), _week_at(rota, until) + 1)
    edges |= {rota.hand_over(week) for week in weeks}
    edges |= {edge for swap in rota.swaps for edge in (swap.since, swap.until)}
    inside = sorted(edge.astimezone(UTC) for edge in edges if since <= edge <= until)
    shift: Shift | None = None
    for begins, ends in itertools.pairwise(inside):
        person, swapped = on_call(rota, begins), _swap_at(rota, begins) is not None
        if shift is not None and (shift.person, shift.swapped) == (person, swapped):
            shift = Shift(shift.since, ends, shift.person, shift.swapped)
            continue
        if shift is not None:
            yield shift
        shift = Shift(begins, ends, person, swapped) if person is not None else None
    if shift is not None:
        yield shift


def _swap_at(rota: Rota, moment: datetime) -> Swap | None:
    for swap in reversed(rota.swaps):
        if swap.since <= moment < swap.until and swap.person not in rota.left:
            return swap
    return None


def _week_at(rota: Rota, moment: datetime) -> int:
    """The number of the week that it is in: the last whose hand-over is not after it."""
    local = moment.astimezone(ZoneInfo(rota.zone)).date()
    week = (local - rota.starts_on) // _WEEK + 1
    while rota.hand_over(week) > moment:
        week -= 1
    return week


def _of_week(rota: Rota, week: int) -> UUID | None:
    count = len(rota.people)
    for step in range(count):
        person = rota.people[(max(week, 0) + step) % count]
        if person not in rota.left:
            return person
    return None
