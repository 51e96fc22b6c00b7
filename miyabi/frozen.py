"""A frozen route, or why there is none, as data for `--json`."""

from datetime import datetime

from core.approvals.chart import Chart
from core.approvals.freezing import Asked, NamedRoute, applying, freeze_route
from core.approvals.plan import PlannedStage
from core.approvals.refusals import NOT_NEEDED
from core.approvals.route_file import WrongRoute
from core.errors import Refused
from core.words import LANGUAGES, Words


def frozen_data(chart: Chart, named: NamedRoute, asked: Asked, now: datetime) -> dict[str, object]:
    """The frozen steps as data, those that are not needed among them. Raises Refused."""
    plan = freeze_route(chart, named, asked, now)
    applies = applying(chart, named.route, asked)
    stages = iter(plan.stages)
    steps = []
    for step in named.route.steps:
        if step.name in applies:
            steps.append(_stage_data(chart, next(stages)))
        else:
            why = NOT_NEEDED.fill(condition=step.when)
            steps.append(_step_data(step.name, [], 0, None, why))
    return {
        "route": plan.route,
        "version": plan.version,
        "steps": steps,
        "inform": [
            {"person": chart.members[each.person].handle, "confirm": each.confirm}
            for each in plan.inform
        ],
    }


def _stage_data(chart: Chart, stage: PlannedStage) -> dict[str, object]:
    who = []
    for seat in stage.seats:
        shown = {"person": chart.members[seat.holder].handle}
        if seat.person != seat.holder:
            shown["for"] = chart.members[seat.person].handle
        who.append(shown)
    return _step_data(stage.name, who, stage.need, stage.days, stage.note)


def _step_data(
    name: str, who: list[dict[str, str]], need: int, days: int | None, note: Words | None
) -> dict[str, object]:
    data: dict[str, object] = {
        "step": name, "who": who, "need": need, "of": len(who), "due_days": days,
    }  # fmt: skip
    return data if note is None else data | {"skipped": in_each(note)}


def in_each(words: Words) -> dict[str, str]:
    """A text in each language, for a program."""
    return {language: words.to(language) for language in LANGUAGES}


def refused_data(refused: Refused) -> dict[str, object]:
    """A refusal as data; with its line, where it is the file that is wrong."""
    data: dict[str, object] = {"refused": in_each(refused.words)}
    line = refused.line if isinstance(refused, WrongRoute) else None
    return data if line is None else data | {"line": line}
