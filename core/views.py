"""What is known of a task, read in one go: for flash updates, cards, status and the terminal."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from core import effects, phrases
from core.agent import Agent, Approval, Effect, Results, Summary, step_name
from core.approvals.steps_shown import place_of
from core.approvals.view import ApprovalView, latest_approval
from core.codec import load
from core.db import fetch_one, from_json
from core.deliveries import Unsure
from core.earlier import Earlier, earlier, results_of
from core.effects import EffectRow
from core.house import House
from core.messages import Attachment, Field, Message, Progress, StepState
from core.ports import Lane
from core.words import Language, Words, as_language, lines, same


@dataclass(frozen=True, slots=True)
class DocumentView:
    """A document that was issued."""

    number: str
    file: dict[str, Any] | None
    voided: bool


@dataclass(frozen=True, slots=True)
class TaskView:
    """A task as it stands at one moment."""

    id: UUID
    organisation_id: UUID
    reference: int
    agent: Agent
    state: str
    waiting_for: str | None
    requester: str
    requester_id: UUID
    language: Language
    time_zone: str
    text: str
    revision: int
    question: dict[str, Any] | None
    failure: Words | None
    retry_at: datetime | None
    attempts: int
    tries: int | None
    lane: Lane
    rank: int
    created_at: datetime
    results: Results
    finished: dict[str, datetime]
    approval: ApprovalView | None
    documents: tuple[DocumentView, ...]
    effects: tuple[EffectRow, ...]
    unsure: tuple[Unsure, ...]
    """Messages of which nobody knows whether they were posted."""
    before: Earlier | None = None

    @property
    def spoken(self) -> str:
        return f"#{self.reference}"

    @property
    def number(self) -> str | None:
        return self.documents[-1].number if self.documents else None

    def summary(self, language: Language) -> Summary:
        """What the agent understood and worked out so far."""
        return self.agent.summarise(self.results, language)


_TASK = """
    select t.id, t.organisation_id, t.reference, t.agent, t.agent_version, t.state, t.waiting_for,
        t.language,
        t.text, t.revision, t.question, t.failure, t.retry_at, t.attempts, t.tries, t.created_at,
        t.lane, t.rank, t.redacted,
        t.person_id, p.name as requester, p.time_zone, r.ask,
        (select jsonb_agg(jsonb_build_object('name', s.name, 'result', s.result,
                'at', s.finished_at) order by s.finished_at)
            from steps s where s.organisation_id = t.organisation_id and s.task_id = t.id
            and s.revision = t.revision) as steps,
        (select jsonb_agg(jsonb_build_object('number', d.number, 'file', d.file,
                'voided', d.voided_at is not null) order by d.issued_at)
            from documents d where d.organisation_id = t.organisation_id and d.task_id = t.id
        ) as documents,
        exists (select 1 from effects e where e.organisation_id = t.organisation_id
            and e.task_id = t.id) as acts,
        (select jsonb_agg(jsonb_build_object('id', d.id, 'slot', d.slot, 'why', d.error,
                'place', h.platform || ':' || h.channel) order by d.id)
            from deliveries d join threads h on h.id = d.thread_id
            where d.organisation_id = t.organisation_id and d.task_id = t.id
            and d.state = 'unknown') as unsure
    from tasks t
    join people p on p.id = t.person_id
    join revisions r on r.task_id = t.id and r.revision = t.revision
    where t.organisation_id = :organisation_id and t.id = :task_id
"""


async def task_view(
    connection: AsyncConnection, house: House, organisation_id: UUID, task_id: UUID
) -> TaskView:
    """Read a task. Raises LookupError where the organisation has none such."""
    row = await fetch_one(
        connection,
        _TASK,  # names organisation_id
        {"organisation_id": organisation_id, "task_id": task_id},
    )
    if row is None:
        raise LookupError(f"no task {task_id}")
    agent = house.agent(row.agent, row.agent_version, row.redacted)
    steps = from_json(row.steps) or []
    return TaskView(
        id=row.id,
        organisation_id=row.organisation_id,
        reference=row.reference,
        agent=agent,
        state=row.state,
        waiting_for=row.waiting_for,
        requester=row.requester,
        requester_id=row.person_id,
        language=as_language(row.language),
        time_zone=row.time_zone,
        text=row.text,
        revision=row.revision,
        question=from_json(row.question) if row.question else None,
        failure=load(Words, from_json(row.failure)) if row.failure else None,
        retry_at=row.retry_at,
        attempts=row.attempts,
        tries=row.tries,
        lane=row.lane,
        rank=row.rank,
        created_at=row.created_at,
        results=results_of(agent, from_json(row.ask), {s["name"]: s["result"] for s in steps}),
        finished={s["name"]: datetime.fromisoformat(s["at"]) for s in steps},
        approval=await latest_approval(connection, organisation_id, task_id),
        documents=tuple(DocumentView(**d) for d in from_json(row.documents) or []),
        effects=await effects.of_task(connection, organisation_id, task_id) if row.acts else (),
        unsure=tuple(Unsure(**{**d, "id": UUID(d["id"])}) for d in from_json(row.unsure) or []),
        before=await earlier(connection, agent, organisation_id, task_id, row.revision)
        if row.revision > 1
        else None,
    )


def progress(view: TaskView, language: Language, time_zone: str) -> tuple[Progress, ...]:
    """Every step of the task: done with its time, under way, waiting, or still to come.

    An effect that may have nothing to do is shown from its intent on.
    """
    zone = ZoneInfo(time_zone)
    lines: list[Progress] = []
    current = True
    begun = {effect.step for effect in view.effects}
    for step in view.agent.steps:
        name = step_name(step)
        if isinstance(step, Effect) and step.skip is not None and name not in begun:
            continue
        label = view.agent.labels[name].to(language)
        if isinstance(step, Approval) and current and name not in view.finished:
            label += _step_of_route(view)
        at = view.finished.get(name)
        if at is not None:
            lines.append(Progress(label, "done", at.astimezone(zone).strftime("%H:%M:%S")))
        else:
            lines.append(Progress(label, _state_of_current(view) if current else "todo"))
            current = False
    return tuple(lines)


def at_a_glance(view: TaskView, language: Language, time_zone: str) -> tuple[Progress, ...]:
    """How far it is, for a bar: of the steps only the one that it stands at is named."""
    named = {"running", "waiting", "failed", "stopped"}
    return tuple(
        Progress(step.label if step.state in named else "", step.state)
        for step in progress(view, language, time_zone)
    )


def _step_of_route(view: TaskView) -> str:
    """` 2/3` while the second of three steps of its route is open."""
    approval = view.approval
    if approval is None or approval.state != "pending" or view.waiting_for != "approval":
        return ""
    place, steps = place_of(approval)
    return f" {place}/{steps}" if steps > 1 else ""


def _state_of_current(view: TaskView) -> StepState:
    if view.state == "waiting":
        return "waiting"
    if view.state == "failed":
        return "failed"
    if view.state in {"cancelled", "rejected", "cancelling"}:
        return "stopped"
    return "todo" if view.state == "received" else "running"


def effect_fields(view: TaskView, language: Language) -> tuple[Field, ...]:
    """The task's acts on the outside, and what became of each."""
    return tuple(
        Field(_act(view, effect).to(language), phrases.EFFECTS[effect.state].to(language))
        for effect in view.effects
    )


def left_open(view: TaskView) -> tuple[tuple[EffectRow, Words], ...]:
    """The acts of a cancelled task of which nobody knows whether they happened, and their names."""
    if view.state != "cancelled":
        return ()
    return tuple((effect, _act(view, effect)) for effect in view.effects if effect.is_open)


def _act(view: TaskView, effect: EffectRow) -> Words:
    label = view.agent.labels.get(effect.step, same(effect.step))
    if not effect.target:
        return label
    return phrases.EFFECT_ON.fill(act=label, target=effect.target)


def next_try(view: TaskView, zone: str) -> Words | None:
    """When a task goes on by itself, which try of how many that is, and why."""
    if view.state != "retrying" or view.retry_at is None or view.failure is None:
        return None
    return phrases.NEXT_TRY.fill(
        at=view.retry_at.astimezone(ZoneInfo(zone)).strftime("%H:%M:%S"),
        n=view.attempts + 1,
        tries=view.tries,
        reason=view.failure,
    )


def stays(view: TaskView) -> tuple[Words, ...]:
    """What of a cancelled task can't be taken back: numbers, and acts on the outside."""
    if view.state not in {"cancelling", "cancelled"}:
        return ()
    numbers = [phrases.NUMBER_STAYS.fill(number=d.number) for d in view.documents if not d.voided]
    acts = [
        phrases.ACT_STAYS.fill(act=_act(view, effect), state=phrases.EFFECTS[effect.state])
        for effect in view.effects
        if effect.state != "failed"
    ]
    return (*numbers, *acts)


def _unsure_field(unsure: Unsure, language: Language) -> Field:
    label = phrases.EFFECT_ON.fill(act=unsure.what, target=unsure.place)
    return Field(label.to(language), phrases.EFFECTS["unknown"].to(language))


def document_of(view: TaskView, language: Language) -> Attachment | None:
    """The document of a task that was issued and is not void."""
    issued = view.summary(language).document
    if issued is None or not view.documents or view.documents[-1].voided:
        return None
    return Attachment(issued.sha256, issued.name, issued.media_type)


def status_message(view: TaskView, language: Language, time_zone: str) -> Message:
    """How a task stands, for whoever asks."""
    state = phrases.state_words(view.state, view.waiting_for).to(language)
    title = f"{view.spoken} {view.agent.title.to(language)}"
    if view.number:
        title += f" {view.number}"
    summary = view.summary(language)
    body = ""
    waits = next_try(view, time_zone)
    if waits is not None:
        body = waits.to(language)
    elif view.failure is not None:
        body = view.failure.to(language)
    elif view.question is not None:
        body = load(Words, view.question["prompt"]).to(language)
    elif view.state in {"cancelling", "cancelled"}:
        body = lines(stays(view)).to(language)
    return Message(
        text=f"{title}: {state}" + (f"\n{body}" if body else ""),
        title=f"{title}: {state}",
        body=body,
        fields=(
            *summary.fields,
            *effect_fields(view, language),
            *(_unsure_field(unsure, language) for unsure in view.unsure),
        ),
        totals=summary.totals,
        progress=progress(view, language, time_zone),
        language=language,
    )
