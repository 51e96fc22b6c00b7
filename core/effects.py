"""Acts on the outside: each has a row, committed before the act and settled after it.

The row's id is the key that travels to the provider. Whoever finds a row that is `intended` finds
an act that may have happened: a worker died, or was stopped, between the intent and the outcome.
How a worker goes about it is in core/acting.py and core/outcomes.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from audit.event import JSON, SYSTEM, Actor, Event
from audit.registry import brief
from core import phrases, tasks
from core.agent import EffectKey
from core.db import execute, fetch_all, fetch_one, from_json, to_json
from core.errors import Choice, LostLease, Question, Refused, Unknown
from core.ids import new_id
from core.inbound import Answer
from core.people import Role
from core.request import Request
from core.tags import Tag
from core.target import about, only_requester
from core.tasks import Task
from core.unit import Unit
from core.words import LANGUAGES, Words

State = Literal["intended", "done", "failed", "unknown", "again"]

QUESTION = "effect:"
"""How the key of a question about an effect begins; the effect's id follows."""
SENT, AGAIN = "sent", "again"
"""What a person can answer to it."""
MAY_SETTLE: tuple[Role, ...] = ("admin",)
"""Who can say so beside the requester."""
_CHOICES = (Choice(SENT, phrases.IT_WAS_SENT), Choice(AGAIN, phrases.SEND_AGAIN))


@dataclass(frozen=True, slots=True)
class EffectRow:
    """An effect as it stands: `attempts` at the act, the last of them `age` seconds ago."""

    id: UUID
    revision: int
    step: str
    kind: str
    target: str
    state: State
    attempts: int
    result: Any
    error: str | None
    age: float
    settled_by: str | None
    """The name of the person who said what became of it."""

    @property
    def key(self) -> EffectKey:
        return EffectKey(self.id)

    @property
    def is_open(self) -> bool:
        """Whether nobody knows if it happened."""
        return self.state in {"intended", "unknown"}


_SELECT = """
    select e.id, e.revision, e.step, e.kind, e.target, e.state, e.attempts, e.result, e.error,
        extract(epoch from now() - e.intended_at)::float8 as age, p.name as settled_by
    from effects e left join people p on p.id = e.settled_by
    where e.organisation_id = :organisation_id and e.task_id = :task_id
"""


async def of_task(
    connection: AsyncConnection, organisation_id: UUID, task_id: UUID
) -> tuple[EffectRow, ...]:
    """All effects of a task, in the order in which they were first intended."""
    rows = await fetch_all(
        connection,
        _SELECT + " order by e.id",  # names organisation_id
        {"organisation_id": organisation_id, "task_id": task_id},
    )
    return tuple(_row(row) for row in rows)


async def of_step(connection: AsyncConnection, task: Task, step: str) -> EffectRow | None:
    """The effect of a step of the task's present revision, once it was intended."""
    row = await fetch_one(
        connection,
        _SELECT + " and e.revision = :revision and e.step = :step",  # names organisation_id
        {
            "organisation_id": task.organisation_id,
            "task_id": task.id,
            "revision": task.revision,
            "step": step,
        },
    )
    return _row(row) if row else None


def _row(row: Any) -> EffectRow:
    values = row._asdict()
    return EffectRow(**{**values, "result": None if row.result is None else from_json(row.result)})


async def intend(work: Unit, task: Task, step: str, kind: str, target: str) -> EffectRow:
    """Write that the act is about to be done; a further attempt keeps the row and its key.

    Raises LostLease unless it was never done, surely failed, or is to be done again.
    """
    written = await execute(
        work.connection,
        "insert into effects (id, organisation_id, task_id, revision, step, kind, target, attempts)"
        " values (:id, :organisation_id, :task_id, :revision, :step, :kind, :target, 1)"
        " on conflict (task_id, revision, step) do update set state = 'intended',"
        " attempts = effects.attempts + 1, intended_at = now(), error = null, settled_at = null,"
        " settled_by = null, target = excluded.target"
        " where effects.state in ('failed', 'again')",
        {
            "id": new_id(),
            "organisation_id": task.organisation_id,
            "task_id": task.id,
            "revision": task.revision,
            "step": step,
            "kind": kind,
            "target": target,
        },
    )
    effect = await of_step(work.connection, task, step)
    if written != 1 or effect is None:
        raise LostLease  # somebody else has it in hand
    work.record(_event(task, Tag.EFFECT_INTENDED, effect))
    return effect


_TAGS: dict[str, Tag] = {
    "done": Tag.EFFECT_DONE,
    "failed": Tag.EFFECT_FAILED,
    "unknown": Tag.EFFECT_UNKNOWN,
}


async def mark(
    work: Unit,
    task: Task,
    effect: EffectRow,
    state: Literal["done", "failed", "unknown"],
    *,
    how: str,
    result: Any = None,
    error: str | None = None,
) -> None:
    """Write what became of an act. `how` says in a word what tells so, for the audit log."""
    marked = await execute(
        work.connection,
        "update effects set state = :state, result = cast(:result as jsonb), error = :error,"
        " settled_at = case when :state <> 'unknown' then now() end"
        " where organisation_id = :organisation_id and id = :id"
        " and state in ('intended', 'unknown')",
        {
            "state": state,
            "result": to_json(result) if result is not None else None,
            "error": error,
            "organisation_id": task.organisation_id,
            "id": effect.id,
        },
    )
    if marked != 1:
        raise LostLease  # whoever marked it has the task
    work.record(_event(task, _TAGS[state], effect, how=how))


def _event(
    task: Task, tag: Tag, effect: EffectRow | Row[Any], actor: Actor = SYSTEM, **more: JSON
) -> Event:
    data: dict[str, JSON] = {
        "effect": str(effect.id),
        "kind": effect.kind,
        "target": brief(effect.target),
        "attempt": effect.attempts,
        **more,
    }
    return tasks.event(task, tag, data, actor, step=effect.step)


# Asking a person


def question(effect: EffectRow, act: Words, why: Words | None) -> Question:
    """Whether it happened. `act` is what the step is called, `why` the reason nobody knows."""
    what = phrases.EFFECT_ON.fill(act=act, target=effect.target) if effect.target else act
    prompt = phrases.OUTCOME_UNKNOWN.fill(what=what)
    if why is not None:
        prompt = phrases.WITH_REASON.fill(words=prompt, reason=why)
    return Question(QUESTION + effect.key, prompt, _CHOICES)


def is_about_effect(question: dict[str, Any] | None) -> bool:
    """Whether a task's open question asks what became of an effect."""
    return question is not None and str(question.get("key", "")).startswith(QUESTION)


async def settle(work: Unit, request: Request, task: Task, value: str) -> Answer:
    """Take a person's word for what became of an effect, and go on. Only the first word counts.

    Raises Refused where it is no answer, NotAllowed for whoever may not say.
    """
    assert task.question is not None  # noqa: S101  # the caller has seen it
    await only_requester(work.connection, request, task, *MAY_SETTLE)
    choice = _choice(value)
    if choice is None:
        raise Refused(phrases.CHOOSE_ONE.fill(first=_CHOICES[0].label, second=_CHOICES[1].label))
    effect_id = UUID(task.question["key"].removeprefix(QUESTION))
    row = await fetch_one(
        work.connection,
        "update effects set state = :state, settled_at = now(), settled_by = :person_id"
        " where organisation_id = :organisation_id and id = :id and state = 'unknown'"
        " returning id, step, kind, target, attempts",
        {
            "state": "done" if choice.value == SENT else "again",
            "person_id": request.person.id,
            "organisation_id": task.organisation_id,
            "id": effect_id,
        },
    )
    if row is None:
        raise Refused(phrases.QUESTION_OVER)
    work.record(_event(task, Tag.EFFECT_SETTLED, row, request.actor, answer=choice.value))
    await tasks.move(work, task, "running")
    told = {"question": task.question["id"], "answer": choice.label.to(request.language)}
    await tasks.notify(work, task, "question.answered", told)
    work.nudge("advance", task)
    return about(task, request.say(phrases.ANSWERED))


STOPPED: Mapping[str, State] = {"effect_sent": "done", "effect_not_sent": "failed"}
"""What can be pressed about an effect of a cancelled task; the value is the effect's id."""


async def settle_stopped(work: Unit, request: Request, effect_id: UUID, action: str) -> Answer:
    """Take a person's word for what became of an effect of a cancelled task, which stays so.

    Raises Refused where it was said before, NotAllowed for whoever may not say.
    """
    scope = {"organisation_id": request.person.organisation_id, "id": effect_id}
    found = await fetch_one(
        work.connection,
        "select task_id from effects where organisation_id = :organisation_id and id = :id",
        scope,
    )
    if found is None:
        raise Unknown(phrases.UNKNOWN_TASK.fill(target="?"))
    task = await tasks.lock(work.connection, request.person.organisation_id, found.task_id)
    await only_requester(work.connection, request, task, *MAY_SETTLE)
    row = await fetch_one(
        work.connection,
        "update effects set state = :state, settled_at = now(), settled_by = :person_id"
        " where organisation_id = :organisation_id and id = :id and :cancelled"
        " and state in ('intended', 'unknown') returning id, step, kind, target, attempts",
        {
            **scope,
            "state": STOPPED[action],
            "person_id": request.person.id,
            "cancelled": task.state == "cancelled",
        },
    )
    if row is None:
        raise Refused(phrases.QUESTION_OVER)
    said = action.removeprefix("effect_")
    work.record(_event(task, Tag.EFFECT_SETTLED, row, request.actor, answer=said))
    await tasks.notify(work, task, "task.moved")
    return about(task, request.say(phrases.NOTED))


def _choice(value: str) -> Choice | None:
    """The choice that a button carries, or that somebody wrote out in any language."""
    said = value.strip().casefold()
    for choice in _CHOICES:
        labels = {choice.label.to(language).casefold() for language in LANGUAGES}
        if said in {choice.value, *labels}:
            return choice
    return None


async def refuse_open(connection: AsyncConnection, task: Task) -> None:
    """Raises Refused while nobody knows what became of an act of the task.

    A new revision would do the act anew, and what the old one did would never be told.
    """
    for effect in await of_task(connection, task.organisation_id, task.id):
        if effect.is_open:
            raise Refused(phrases.EFFECT_OPEN.fill(reference=task.spoken, target=effect.target))
