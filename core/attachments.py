"""Files sent with a task: what was announced, what is kept of it, and the ask that has them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from core.agent import Agent, Attached
from core.codec import dump
from core.db import execute, fetch_all, to_json
from core.ids import new_id
from core.inbound import SentFile
from core.request import Request
from core.tasks import Task
from core.unit import Unit
from core.words import Words

TAKES_NONE = Words(
    ja="「{title}」にはファイルを付けられません。",
    en="A {title} takes no files.",
    zh="“{title}”不能附加文件。",
)


def announced(files: Sequence[SentFile]) -> list[dict[str, Any]]:
    """Rows for files of which nothing is known but what the platform says; each of them once."""
    once = {file.reference: file for file in files}
    return [
        {
            "id": str(new_id()),
            "external_id": file.reference,
            "name": file.name,
            "media_type": file.media_type,
            "size": file.size,
        }
        for file in once.values()
    ]


async def note(work: Unit, request: Request, task: Task, revision: int) -> list[UUID]:
    """Store what a message in a task's thread brings; the ids of files not known before."""
    rows = await fetch_all(
        work.connection,
        "insert into attachments (id, organisation_id, task_id, revision, person_id, platform,"
        " workspace, external_id, name, media_type, size)"
        " select id, :organisation_id, :task_id, :revision, :person_id, :platform, :workspace,"
        " external_id, name, media_type, size from jsonb_to_recordset(cast(:files as jsonb)) as"
        " file (id uuid, external_id text, name text, media_type text, size bigint)"
        " on conflict (task_id, platform, workspace, external_id) do nothing returning id",
        {
            "organisation_id": task.organisation_id,
            "task_id": task.id,
            "revision": revision,
            "person_id": request.person.id,
            "platform": request.inbound.sender.platform,
            "workspace": request.inbound.sender.workspace,
            "files": to_json(announced(request.inbound.files)),
        },
    )
    return [row.id for row in rows]


async def kept_of(
    connection: AsyncConnection, organisation_id: UUID, task_id: UUID
) -> tuple[Attached, ...]:
    """The files of a task that are kept, in the order in which they came; the same bytes once."""
    rows = await fetch_all(
        connection,
        "select sha256, name, media_type, size from attachments"
        " where organisation_id = :organisation_id and task_id = :task_id and state = 'kept'"
        " order by created_at, id",
        {"organisation_id": organisation_id, "task_id": task_id},
    )
    found: dict[str, Attached] = {}
    for row in rows:
        found.setdefault(row.sha256, Attached(row.sha256, row.name, row.media_type, row.size))
    return tuple(found.values())


async def with_kept(connection: AsyncConnection, agent: Agent, ask: Any, task: Task) -> Any:
    """An ask with the files that were sent for its task so far."""
    if agent.attach is None:
        return ask
    kept = await kept_of(connection, task.organisation_id, task.id)
    return agent.attach(ask, kept) if kept else ask


async def settle(
    work: Unit,
    task: Task,
    attachment_id: UUID,
    *,
    kept: Attached | None = None,
    refused: Words | None = None,
) -> bool:
    """Say what became of an announced file. False where that was said before."""
    changed = await execute(
        work.connection,
        "update attachments set state = :state, sha256 = :sha256, size = coalesce(:size, size),"
        " media_type = coalesce(:media_type, media_type), reason = cast(:reason as jsonb),"
        " settled_at = now() where organisation_id = :organisation_id and id = :id"
        " and state = 'pending'",
        {
            "state": "kept" if kept else "refused",
            "sha256": kept.sha256 if kept else None,
            "size": kept.size if kept else None,
            "media_type": kept.media_type if kept else None,
            "reason": to_json(dump(refused)) if refused else None,
            "organisation_id": task.organisation_id,
            "id": attachment_id,
        },
    )
    return bool(changed)


async def only_with(
    connection: AsyncConnection, organisation_id: UUID, document_id: UUID
) -> list[str]:
    """The hashes of files that were sent for an issued document that was dropped, and that nothing
    which is still kept has: they go with it."""
    rows = await fetch_all(
        connection,
        """
        select distinct a.sha256 from audit_documents d join attachments a on a.task_id = d.stream
        where d.organisation_id = :organisation_id and a.organisation_id = :organisation_id
            and d.id = :id and a.sha256 is not null
            and not exists (select from audit_documents kept
                where kept.organisation_id = :organisation_id and kept.dropped_at is null
                and (kept.stream = a.task_id or kept.sha256 = a.sha256))
            and not exists (select from attachments other
                where other.organisation_id = :organisation_id and other.sha256 = a.sha256
                and other.task_id <> a.task_id
                and not exists (select from audit_documents gone
                    where gone.organisation_id = :organisation_id and gone.stream = other.task_id
                    and gone.dropped_at is not null))
        """,
        {"organisation_id": organisation_id, "id": document_id},
    )
    return [row.sha256 for row in rows]
