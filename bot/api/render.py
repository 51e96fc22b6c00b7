"""A task as programs get it. Pure: no input, no output."""

from collections.abc import Mapping
from urllib.parse import quote

from bot.api.models import Asked, Issued, Labelled, SummaryLine, Task
from core import phrases
from core.messages import Field
from core.task_data import effects_of, question_of, route_of
from core.tasks import FINAL
from core.views import DocumentView, TaskView
from core.words import Language

BASE = "/api/v1"


def address(reference: int) -> str:
    """Where a task is."""
    return f"{BASE}/tasks/{reference}"


def task(
    view: TaskView, facts: Mapping[str, object], thread: str | None, language: Language
) -> Task:
    """All that is known of a task."""
    summary = view.summary(language)
    question = question_of(view, language)
    return Task.model_validate(
        {
            "reference": view.reference,
            "agent": view.agent.name,
            "title": view.agent.title.to(language),
            "state": view.state,
            "waiting_for": view.waiting_for,
            "state_words": phrases.state_words(view.state, view.waiting_for).to(language),
            "revision": view.revision,
            "lane": view.lane,
            "requester": view.requester,
            "text": view.text,
            "thread": thread,
            "created_at": view.created_at,
            "question": Asked.model_validate(question) if question else None,
            "failure": view.failure.to(language) if view.failure else None,
            "retry_at": view.retry_at,
            "facts": dict(facts),
            "fields": _labelled(summary.fields),
            "lines": [
                SummaryLine(name=line.name, detail=line.detail, amount=line.amount)
                for line in summary.lines
            ],
            "totals": _labelled(summary.totals),
            "route": route_of(view),
            "documents": [_issued(view, document) for document in view.documents],
            "effects": effects_of(view),
            "links": _links(view),
        }
    )


def _labelled(fields: tuple[Field, ...]) -> list[Labelled]:
    return [Labelled(label=field.label, value=field.value) for field in fields]


def _issued(view: TaskView, document: DocumentView) -> Issued:
    file = document.file
    url = f"{address(view.reference)}/documents/{quote(document.number)}" if file else None
    return Issued(
        number=document.number,
        voided=document.voided,
        name=file["name"] if file else None,
        media_type=file["media_type"] if file else None,
        pages=file["pages"] if file else None,
        sha256=file["sha256"] if file else None,
        url=url,
    )


def _links(view: TaskView) -> dict[str, str]:
    """Itself, and what makes sense in its state; who may do it is told when it is tried."""
    acts: list[str] = []
    if view.waiting_for == "approval":
        acts += ["approve", "reject", "return"]
    if view.waiting_for == "answer":
        acts.append("answer")
    if view.state in {"failed", "retrying"}:
        acts.append("retry")
    if view.state not in FINAL:
        acts.append("cancel")
    here = address(view.reference)
    return {"self": here, **{act: f"{here}/{act}" for act in acts}}
