"""A task as data, for programs: `--json` and the HTTP API say the same of it."""

from collections.abc import Mapping

from core.codec import load
from core.errors import Permanent, Question, TryLater
from core.house import House
from core.views import TaskView
from core.words import Language


async def facts_of(house: House, view: TaskView) -> Mapping[str, object]:
    """What the agent has understood and worked out, by its own keys; {} where it tells none.

    Also {} while the price list can't be read: the task says itself why.
    """
    if view.agent.facts is None:
        return {}
    try:
        catalogue = await house.catalogue(view.organisation_id)
    except (Permanent, TryLater):
        return {}
    return view.agent.facts(view.results, catalogue)


def question_of(view: TaskView, language: Language) -> dict[str, object] | None:
    """What the task asks its requester."""
    if view.question is None:
        return None
    asked = load(Question, {key: value for key, value in view.question.items() if key != "id"})
    return {
        "text": asked.prompt.to(language),
        "choices": [
            {"value": choice.value, "label": choice.label.to(language)} for choice in asked.choices
        ],
    }


def unsure_of(view: TaskView, language: Language) -> list[dict[str, object]]:
    """Messages of the task of which nobody knows whether they were posted, and why not."""
    return [
        {
            "delivery": str(unsure.id),
            "slot": unsure.slot,
            "message": unsure.what.to(language),
            "place": unsure.place,
            "reason": unsure.why,
        }
        for unsure in view.unsure
    ]


def effects_of(view: TaskView) -> list[dict[str, object]]:
    """The task's acts on the outside. `key` is what the provider was handed."""
    return [
        {
            "step": effect.step,
            "kind": effect.kind,
            "target": effect.target,
            "state": effect.state,
            "attempts": effect.attempts,
            "settled_by": effect.settled_by,
            "key": str(effect.key),
        }
        for effect in view.effects
    ]


def route_of(view: TaskView) -> list[dict[str, object]]:
    """The steps of its approval's route: who decided in each, or is to, by their handles."""
    stages = view.approval.stages if view.approval is not None else ()
    return [
        {
            "step": stage.name,
            "who": [
                seat.holder.handle
                for seat in stage.seats
                if seat.decision is not None or stage.state in {"open", "todo"}
            ],
            "state": stage.state,
        }
        for stage in stages
    ]
