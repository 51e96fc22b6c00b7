"""The task a program names, and the files it issued."""

from dataclasses import dataclass
from urllib.parse import quote

from fastapi import Response

from bot.api.door import Visit
from bot.api.problems import Problem
from core import phrases, tasks
from core.agent import Document
from core.codec import load
from core.commands import read_target
from core.db import fetch_one
from core.errors import Unknown
from core.people import Person, Role
from core.views import TaskView, task_view
from core.words import Words

_READERS: tuple[Role, ...] = ("approver", "accountant", "admin")
"""Who may take the documents of others: in the chat, only who is in the conversation has them."""
_NO_SUCH_DOCUMENT = Words(
    ja="{reference} に {number} という書類はありません。",
    en="{reference} has no document {number}.",
    zh="{reference} 没有编号为 {number} 的文件。",
)


@dataclass(frozen=True, slots=True)
class Found:
    """A task, and its conversation where a program began it."""

    view: TaskView
    thread: str | None


async def find(visit: Visit, name: str) -> Found:
    """The task of that number or of that document's. Raises Problem 404, and 403 for who only
    audits."""
    if visit.person.only_audits:
        raise Problem(403, phrases.NO_ROLE.fill(role="requester"))
    target, rest = read_target(name)
    unknown = Problem(404, phrases.UNKNOWN_TASK.fill(target=name[:40]), code="unknown_task")
    if target is None or rest:
        raise unknown
    organisation_id = visit.person.organisation_id
    async with visit.opening.house.engine.connect() as connection:
        try:
            task_id = await tasks.find(connection, organisation_id, target)
        except Unknown:
            raise unknown from None
        view = await task_view(connection, visit.opening.house, organisation_id, task_id)
        row = await fetch_one(
            connection,
            "select root from threads where organisation_id = :organisation_id"
            " and task_id = :task_id and platform = :platform and person_id is null",
            {
                "organisation_id": organisation_id,
                "task_id": task_id,
                "platform": visit.sender.platform,
            },
        )
    return Found(view, row.root if row else None)


async def document_of(visit: Visit, view: TaskView, number: str) -> Response:
    """A document's file. Raises Problem 403 and 404."""
    if not _may_read(visit.person, view):
        raise Problem(403, phrases.NOT_YOURS.fill(who=view.requester))
    files = {each.number: each.file for each in view.documents}
    file = files.get(number)
    if file is None:
        detail = _NO_SUCH_DOCUMENT.fill(reference=view.spoken, number=number[:40])
        raise Problem(404, detail, code="unknown_document")
    known = {key: value for key, value in file.items() if key in Document.__slots__}
    document: Document = load(Document, known)
    content = await visit.opening.read_file(view.organisation_id, document.sha256)
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(document.name, safe='')}",
        "ETag": f'"{document.sha256}"',
        "X-Content-Type-Options": "nosniff",
    }
    return Response(content, media_type=document.media_type, headers=headers)


def _may_read(person: Person, view: TaskView) -> bool:
    return person.id == view.requester_id or any(person.may(role) for role in _READERS)
