"""What a worker does with files that were sent: fetch them, look at what they are, keep them.

Before the first step, so that the steps find what is asked as a whole. Each file is settled in a
unit of its own: who dies in between leaves the rest to the next worker, and what was kept without
being settled is kept once more, as the same bytes.
"""

from collections.abc import Sequence
from typing import Any, Literal
from uuid import UUID

import structlog
from sqlalchemy import Row

from core import attachments, tasks
from core.agent import Attached
from core.attachments import TAKES_NONE
from core.codec import dump
from core.db import execute, fetch_all, to_json
from core.documents import Files
from core.file_kinds import (
    MOST_BYTES,
    NO_PROGRAM,
    NOT_THIS_KIND,
    TOO_LARGE,
    any_kind_of,
    kind_of,
    why_not,
)
from core.lease import Walk, hold
from core.ports import Fetches, TooLarge
from core.tags import Tag
from core.unit import unit
from core.words import Words

log = structlog.get_logger()

GONE = Words(
    ja="ファイルが見つかりません（削除された可能性があります）。",
    en="The file can't be found; it may have been deleted.",
    zh="找不到文件（可能已被删除）。",
)

Why = Literal["kind", "size", "gone", "none"]


async def fetch_files(walk: Walk) -> None:
    """Settle every file of the task that is pending, and give the ask those that are kept.

    Raises what a step may raise: TryLater, Permanent, and LostLease or Cancelling.
    """
    for row in await _pending(walk):
        kept, refused = await _looked_at(walk, row)
        if kept is not None:
            await _keep(walk, row.id, kept)
        elif refused is not None:
            await _refuse(walk, row, *refused)
    walk.files = 0


async def _pending(walk: Walk) -> Sequence[Row[Any]]:
    async with walk.house.engine.connect() as connection:
        return await fetch_all(
            connection,
            "select id, platform, workspace, external_id, name, media_type, size from attachments"
            " where organisation_id = :organisation_id and task_id = :task_id"
            " and state = 'pending' order by created_at, id",
            {"organisation_id": walk.task.organisation_id, "task_id": walk.task.id},
        )


async def _looked_at(walk: Walk, row: Row[Any]) -> tuple[Attached | None, tuple[Why, Words] | None]:
    """The file, kept in the store, or why it is not taken."""
    outbound = walk.house.outbounds.get(row.platform)
    if walk.agent.attach is None or not isinstance(outbound, Fetches):
        return None, ("none", TAKES_NONE.fill(title=walk.agent.title))
    takes_any = walk.agent.takes_any
    wrong = why_not(row.media_type, row.size, any_kind=takes_any)
    if wrong is not None:
        return None, ("size" if wrong is TOO_LARGE else "kind", wrong)
    try:
        content = await outbound.fetch(
            walk.task.organisation_id, row.workspace, row.external_id, MOST_BYTES
        )
    except TooLarge:
        return None, ("size", TOO_LARGE)
    except LookupError:
        return None, ("gone", GONE)
    kind = any_kind_of(content) if takes_any else kind_of(content)
    if kind is None:
        return None, ("kind", NO_PROGRAM if takes_any else NOT_THIS_KIND)
    sha256 = await Files(walk.house, walk.task.organisation_id).put(content, kind)
    return Attached(sha256, row.name, kind, len(content)), None


async def _keep(walk: Walk, attachment_id: UUID, file: Attached) -> None:
    """Note that it is kept, and give the ask all that are: one unit."""
    assert walk.agent.attach is not None  # noqa: S101  # else it was refused
    async with unit(walk.house) as work:
        await hold(work, walk)
        await attachments.settle(work, walk.task, attachment_id, kept=file)
        kept = await attachments.kept_of(work.connection, walk.task.organisation_id, walk.task.id)
        ask = walk.agent.attach(walk.results[walk.agent.asks], kept)
        await execute(
            work.connection,
            "update revisions set ask = cast(:ask as jsonb)"
            " where organisation_id = :organisation_id and task_id = :task_id"
            " and revision = :revision",
            {
                "ask": to_json(dump(ask)),
                "organisation_id": walk.task.organisation_id,
                "task_id": walk.task.id,
                "revision": walk.task.revision,
            },
        )
        data = {"attachment": str(attachment_id), "sha256": file.sha256}
        work.record(tasks.event(walk.task, Tag.FILE_KEPT, data))
        await tasks.notify(work, walk.task, "task.moved")
    walk.results[walk.agent.asks] = ask


async def _refuse(walk: Walk, row: Row[Any], why: Why, words: Words) -> None:
    """Note that it is not taken, and say so in the thread."""
    log.info("file.refused", why=why)
    async with unit(walk.house) as work:
        await hold(work, walk)
        await attachments.settle(work, walk.task, row.id, refused=words)
        data = {"attachment": str(row.id), "why": why}
        work.record(tasks.event(walk.task, Tag.FILE_REFUSED, data))
        facts = {"attachment": str(row.id), "name": row.name, "why": dump(words)}
        await tasks.notify(work, walk.task, "file.refused", facts)
