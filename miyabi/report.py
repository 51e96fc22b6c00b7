"""A task as one object of data, as `ask --json` and `show --json` print it, and its files."""

import asyncio
import re
from collections.abc import Mapping
from pathlib import Path
from uuid import UUID

from audit.verifier.chains import verify_streams
from core.agent import Document
from core.codec import load
from core.db import fetch_all, from_json
from core.messages import Message
from core.organisations import Organisation
from core.task_data import effects_of, facts_of, question_of, route_of, unsure_of
from core.views import TaskView, task_view
from miyabi.session import Session

EMPTY: Mapping[str, object] = {
    "task": None,
    "number": None,
    "state": None,
    "customer": None,
    "lines": [],
    "discount": 0,
    "subtotal": None,
    "tax": {},
    "total": None,
    "due": None,
    "missing": [],
    "ambiguous": [],
    "unknown": [],
    "documents": [],
    "route": [],
    "effects": [],
    "unsure": [],
    "updates": [],
    "audit": {"events": 0, "verified": True},
}
"""Every key that is always there, as it is while nothing is known."""


async def report(session: Session, organisation: Organisation, task_id: UUID) -> dict[str, object]:
    """The task as data. Writes its documents to disk and names their paths."""
    async with session.house.engine.connect() as connection:
        view = await task_view(connection, session.house, organisation.id, task_id)
    return {
        **EMPTY,
        **await facts_of(session.house, view),
        "task": view.spoken,
        "number": view.number,
        "state": view.state,
        "waiting_for": view.waiting_for,
        "requester": view.requester,
        "revision": view.revision,
        "lane": view.lane,
        "text": view.text,
        "question": question_of(view, view.language),
        "failure": view.failure.to(view.language) if view.failure else None,
        "documents": await documents(session, organisation, view),
        "route": route_of(view),
        "effects": effects_of(view),
        "unsure": unsure_of(view, view.language),
        "updates": await _updates(session, view),
        "audit": await _audit(session, view),
    }


async def documents(
    session: Session, organisation: Organisation, view: TaskView, folder: Path | None = None
) -> list[dict[str, object]]:
    """What was issued, written to disk; while nothing is, the draft, unless the agent keeps it."""
    folder = folder or session.settings.home / "documents" / organisation.slug
    issued = [
        (load(Document, _as_document(document.file)), document.voided)
        for document in view.documents
        if document.file is not None
    ]
    found: list[dict[str, object]] = [
        {**await _written(session, view, document, folder), "draft": False, "voided": voided}
        for document, voided in issued
    ]
    if found or view.agent.keeps_draft:
        return found
    drafts = [result for result in view.results.values() if isinstance(result, Document)]
    return [
        {**await _written(session, view, document, folder), "draft": True, "voided": False}
        for document in drafts[-1:]
    ]


def _as_document(file: Mapping[str, object]) -> dict[str, object]:
    return {key: file[key] for key in Document.__slots__ if key in file}


async def _written(
    session: Session, view: TaskView, document: Document, folder: Path
) -> dict[str, object]:
    content = await session.built.opening.read_file(view.organisation_id, document.sha256)
    path = folder / _file_name(document.name)
    await asyncio.to_thread(_write, path, content)
    return {"path": str(path), "sha256": document.sha256, "pages": document.pages}


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _file_name(name: str) -> str:
    """A name that stays inside its folder whatever the customer is called."""
    return re.sub(r"[^\w.\-（）()・]+", "_", name).lstrip(".") or "document"


async def _updates(session: Session, view: TaskView) -> list[dict[str, object]]:
    """The flash updates that were delivered in the task's own thread."""
    async with session.house.engine.connect() as connection:
        rows = await fetch_all(
            connection,
            "select d.sent_at, d.body from deliveries d join threads h on h.id = d.thread_id"
            " where d.organisation_id = :organisation_id and d.task_id = :task_id"
            " and d.slot = 'flash' and d.state = 'sent' and h.person_id is null"
            " order by d.sent_at, d.id",
            {"organisation_id": view.organisation_id, "task_id": view.id},
        )
    return [
        {"at": row.sent_at.isoformat(), "text": load(Message, from_json(row.body)).text}
        for row in rows
    ]


async def _audit(session: Session, view: TaskView) -> dict[str, object]:
    async with session.house.engine.connect() as connection:
        verdict = await verify_streams(
            connection, organisation_id=view.organisation_id, stream=view.id, expected=[view.id]
        )
    return {"events": verdict.events, "verified": verdict.verified}
