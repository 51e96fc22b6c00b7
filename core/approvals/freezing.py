"""A route becomes the plan of one request: conditions asked, people looked up, all of it checked.

Nothing here reads a database or a clock. What can't be decided is refused before anybody waits.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from core.agent import Terms
from core.approvals.acting_for import acting_for, holder_of
from core.approvals.chart import Chart
from core.approvals.conditions import WrongCondition, holds
from core.approvals.finding import find, first_able_above
from core.approvals.plan import Circulated, Plan, PlannedSeat, PlannedStage, Rung
from core.approvals.refusals import (
    COUNTS_LATER,
    NO_STAGE,
    NOBODY,
    NOBODY_FITS,
    NOT_TELLABLE,
    ONLY_THEMSELVES,
    TOO_FEW,
    left_out,
)
from core.approvals.route import Informed, Route, RungOf, StepOf
from core.errors import Refused
from core.words import Words


@dataclass(frozen=True, slots=True)
class NamedRoute:
    """A route with its name and version: 0 came with Miyabi or with an agent."""

    name: str
    version: int
    route: Route


@dataclass(frozen=True, slots=True)
class Asked:
    """What a route is frozen for. `form` is the agent's name; the requester is an author too."""

    requester: UUID
    authors: frozenset[UUID]
    form: str
    terms: Terms


@dataclass(frozen=True, slots=True)
class _Moment:
    """All that a step is looked up by."""

    chart: Chart
    asked: Asked
    barred: frozenset[UUID]
    now: datetime


def freeze_route(chart: Chart, named: NamedRoute, asked: Asked, now: datetime) -> Plan:
    """The plan of a request by a route. Raises Refused where it can't be decided, with the reason.

    Neither an author nor whoever acts for one holds a seat.
    """
    authors = asked.authors | {asked.requester}
    barred = authors | acting_for(chart, authors, asked.form, now)
    moment = _Moment(chart, asked, barred, now)
    route = named.route
    applies = applying(chart, route, asked)
    stages = [_stage(moment, step) for step in route.steps if step.name in applies]
    if route.once:
        stages = _each_once(chart, stages)
    if not any(stage.seats for stage in stages):
        raise Refused(NO_STAGE.fill(route=named.name))
    return Plan(
        route=named.name,
        version=named.version,
        stages=tuple(stages),
        resubmit=route.resubmit,
        ladder=tuple(_rung(moment, rung) for rung in route.ladder),
        inform=_informed(moment, route.inform),
    )


def applying(chart: Chart, route: Route, asked: Asked) -> frozenset[str]:
    """The names of the steps whose condition holds. Raises Refused where that can't be told."""
    terms = _all_terms(chart, asked)
    return frozenset(step.name for step in route.steps if _applies(step, terms))


def _all_terms(chart: Chart, asked: Asked) -> Terms:
    requester = chart.members[asked.requester]
    return {
        **asked.terms,
        "kind": asked.form,
        "requester": requester.handle,
        "department": requester.department,
        "post": requester.post,
        "grade": requester.grade,
    }


def _applies(step: StepOf, terms: Terms) -> bool:
    if not step.when:
        return True
    try:
        return holds(step.when, terms)
    except WrongCondition as error:
        why = NOT_TELLABLE.fill(step=step.name, condition=step.when, why=error.words)
        raise Refused(why) from None


def _stage(moment: _Moment, step: StepOf) -> PlannedStage:
    chart = moment.chart
    found = find(chart, step.who, moment.asked.requester, moment.barred)
    people = found.able
    if not people:
        why = _nobody(moment, found.unable)
        if step.empty == "superior":
            people = _superiors(moment, found.unable)
        elif step.empty == "next":
            return _planned(step, 0, (), left_out(why))
        if not people:
            raise Refused(NOBODY.fill(step=step.name, why=why))
    seats = _seats(moment, step, people)
    need = len(seats) if step.need == "all" else 1 if step.need == "any" else step.need
    if need > len(seats):
        names = chart.names(seat.holder for seat in seats)
        raise Refused(TOO_FEW.fill(step=step.name, need=need, count=len(seats), names=names))
    return _planned(step, need, seats)


def _planned(
    step: StepOf, need: int, seats: tuple[PlannedSeat, ...], note: Words | None = None
) -> PlannedStage:
    return PlannedStage(
        name=step.name,
        need=need,
        everybody=step.need == "all",
        seats=seats,
        delegable=step.delegable,
        days=step.days,
        empty=step.empty,
        note=note,
    )


def _nobody(moment: _Moment, unable: tuple[UUID, ...]) -> Words:
    """Why a step finds no one: nobody fits, or those who do can't decide on this one."""
    here = [person for person in unable if moment.chart.is_active(person)]
    return ONLY_THEMSELVES.fill(names=moment.chart.names(here)) if here else NOBODY_FITS


def _superiors(moment: _Moment, unable: tuple[UUID, ...]) -> tuple[UUID, ...]:
    """The nearest able superior of each who can't decide; where there is not even such a one, of
    the requester."""
    found = dict.fromkeys(
        first_able_above(moment.chart, person, moment.barred)
        for person in unable or (moment.asked.requester,)
    )
    return tuple(person for person in found if person is not None)


def _seats(moment: _Moment, step: StepOf, people: tuple[UUID, ...]) -> tuple[PlannedSeat, ...]:
    """A seat for each holder: two that end with the same one are one, and theirs if it can be."""
    seats: dict[UUID, PlannedSeat] = {}
    for person in people:
        holder = person
        if step.delegable:
            form = moment.asked.form
            holder = holder_of(moment.chart, person, form, moment.now, moment.barred)
        if holder not in seats or person == holder:
            seats[holder] = PlannedSeat(person, holder)
    return tuple(seats.values())


def _each_once(chart: Chart, stages: list[PlannedStage]) -> list[PlannedStage]:
    """Whoever also stands in a later step decides there; the earlier one does without them."""
    kept: list[PlannedStage] = []
    later: set[UUID] = set()
    for stage in reversed(stages):
        seats = tuple(seat for seat in stage.seats if seat.holder not in later)
        note = stage.note
        if stage.seats and not seats:
            note = COUNTS_LATER.fill(names=chart.names(seat.holder for seat in stage.seats))
        later |= {seat.holder for seat in seats}
        need = min(stage.need, len(seats))
        kept.append(replace(stage, seats=seats, need=need, note=note))
    return kept[::-1]


def _rung(moment: _Moment, rung: RungOf) -> Rung:
    """Who is not there, or may not decide this one, is handed nothing: it goes up instead."""
    if rung.to is None:
        return Rung(rung.days, rung.do)
    to = moment.chart.by_handle(rung.to)
    if to is None or not to.active or to.id in moment.barred:
        return Rung(rung.days, "escalate")
    return Rung(rung.days, rung.do, to.id)


def _informed(moment: _Moment, inform: tuple[Informed, ...]) -> tuple[Circulated, ...]:
    """Everybody who is to know of it, each once; the requester is told anyway."""
    confirms: dict[UUID, bool] = {}
    for each in inform:
        requester = moment.asked.requester
        for person in find(moment.chart, (each,), requester, frozenset({requester})).able:
            confirms[person] = confirms.get(person, False) or each.confirm
    return tuple(Circulated(person, confirm) for person, confirm in confirms.items())
