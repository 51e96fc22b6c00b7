"""The mails that came, for whoever looks after them: what became of each, and what it says."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.event import SYSTEM, Actor, Event
from bot.email.inbox import WAKES
from core.db import execute, fetch_all, fetch_one
from core.documents import Files
from core.errors import Refused, Unknown
from core.house import House
from core.tags import Tag
from core.unit import Unit
from core.words import Words

UNKNOWN_MAIL = Words(
    ja="メール {mail} はありません。",
    en="There is no mail {mail}.",
    zh="没有邮件 {mail}。",
)
SEVERAL = Words(
    ja="{mail} で始まるメールは複数あります。もう少し長く指定してください。",
    en="Several mails begin with {mail}. Give some more of it.",
    zh="有多封邮件以 {mail} 开头。请多写几位。",
)
NOT_QUARANTINED = Words(
    ja="メール {mail} は隔離されていません（状態: {state}）。",
    en="The mail {mail} is not in quarantine (state: {state}).",
    zh="邮件 {mail} 未被隔离（状态: {state}）。",
)
BYTES_GONE = Words(
    ja="メール {mail} の本文は保存期間が過ぎて残っていません。",
    en="The bytes of the mail {mail} are kept no longer.",
    zh="邮件 {mail} 的内容已过保存期限。",
)


@dataclass(frozen=True, slots=True)
class Line:
    """A mail in the log. `state` is that of its row, `reason` why."""

    id: UUID
    received_at: datetime
    mailbox: str
    came_by: str
    sender: str | None
    subject: str | None
    state: str
    reason: str | None
    kind: str | None
    verified_by: str | None
    reference: int | None
    size: int
    sha256: str
    attempts: int
    error: str | None


_COLUMNS = """m.id, m.received_at, b.address as mailbox, m.came_by, m.sender, m.subject, m.state,
    m.reason, m.kind, m.verified_by, t.reference, m.size, m.sha256, m.attempts, m.error"""
_FROM = """from mails m join mailboxes b on b.id = m.mailbox_id
    left join tasks t on t.organisation_id = m.organisation_id and t.id = m.task_id
    where m.organisation_id = :organisation_id"""


async def lines(
    connection: AsyncConnection,
    organisation_id: UUID,
    *,
    states: Sequence[str] = (),
    reasons: Sequence[str] = (),
    mailbox: str | None = None,
    most: int = 50,
) -> list[Line]:
    """The newest mails, newest first; of those states and reasons only, where any are given."""
    rows = await fetch_all(
        connection,
        f"select {_COLUMNS} {_FROM}"  # names organisation_id
        " and (:states = '{}'::text[] or m.state = any (:states))"
        " and (:reasons = '{}'::text[] or m.reason = any (:reasons))"
        " and (cast(:mailbox as text) is null or b.address = :mailbox)"
        " order by m.received_at desc, m.id desc limit :most",
        {
            "organisation_id": organisation_id,
            "states": list(states),
            "reasons": list(reasons),
            "mailbox": mailbox,
            "most": most,
        },
    )
    return [_line(row) for row in rows]


async def find(connection: AsyncConnection, organisation_id: UUID, mail: str) -> Line:
    """The mail of that id, or whose id begins or ends so. Raises Unknown, and Refused where it may
    be one of several."""
    rows = await fetch_all(
        connection,
        f"select {_COLUMNS} {_FROM}"  # names organisation_id
        " and (starts_with(cast(m.id as text), :mail) or right(cast(m.id as text),"
        " length(:mail)) = :mail) order by m.id limit 2",
        {"organisation_id": organisation_id, "mail": mail.lower()},
    )
    if not mail or not rows:
        raise Unknown(UNKNOWN_MAIL.fill(mail=mail[:40]))
    if len(rows) > 1:
        raise Refused(SEVERAL.fill(mail=mail[:40]))
    return _line(rows[0])


def _line(row: Any) -> Line:
    return Line(**row._asdict())


async def content(house: House, organisation_id: UUID, mail: Line) -> bytes:
    """A mail's bytes, from the table or the store. Raises Unknown where they are kept no longer."""
    async with house.engine.connect() as connection:
        row = await fetch_one(
            connection,
            "select content from mail_bytes"
            " where organisation_id = :organisation_id and mail_id = :id",
            {"organisation_id": organisation_id, "id": mail.id},
        )
    if row is not None:
        return bytes(row.content)
    try:
        return await Files(house, organisation_id).get(mail.sha256)
    except LookupError as error:
        raise Unknown(BYTES_GONE.fill(mail=str(mail.id))) from error


# Quarantine


async def retry(work: Unit, organisation_id: UUID, mail: Line, actor: Actor = SYSTEM) -> None:
    """Have a mail in quarantine tried anew, as if it had just come. Raises Refused, and Unknown
    where there is nothing of it any more that could be read."""
    there = await fetch_one(
        work.connection,
        "select 1 from mail_bytes where organisation_id = :organisation_id and mail_id = :id",
        {"organisation_id": organisation_id, "id": mail.id},
    )
    if there is None and mail.state == "quarantined":
        raise Unknown(BYTES_GONE.fill(mail=str(mail.id)))
    await _move(
        work, organisation_id, mail,
        "state = 'received', reason = null, kind = null, verified_by = null, error = null,"
        " attempts = 0, next_at = now(), done_at = null, lease_owner = null, lease_until = null",
    )  # fmt: skip
    work.record(Event(organisation_id, mail.id, Tag.MAIL_RETRIED, {}, actor))
    await execute(work.connection, "select pg_notify(:channel, '')", {"channel": WAKES})


async def drop(work: Unit, organisation_id: UUID, mail: Line, actor: Actor = SYSTEM) -> None:
    """Have a mail in quarantine tried no more; its bytes go. Raises Refused."""
    await _move(work, organisation_id, mail, "state = 'dropped', done_at = now()")
    await execute(
        work.connection,
        "delete from mail_bytes where organisation_id = :organisation_id and mail_id = :id",
        {"organisation_id": organisation_id, "id": mail.id},
    )
    work.record(Event(organisation_id, mail.id, Tag.MAIL_DROPPED, {}, actor))


async def _move(work: Unit, organisation_id: UUID, mail: Line, to: str) -> None:
    moved = await execute(
        work.connection,
        f"update mails set {to} where organisation_id = :organisation_id"  # noqa: S608
        " and id = :id and state = 'quarantined'",
        {"organisation_id": organisation_id, "id": mail.id},
    )
    if not moved:
        raise Refused(NOT_QUARANTINED.fill(mail=str(mail.id), state=mail.state))
