"""The way of mail into the database: its bytes and its row at once, before anybody is told that it
was taken. Workers deal with it afterwards; a `notify` wakes them at the commit."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Literal
from uuid import UUID

from prometheus_client import Counter

from audit.event import Event
from bot.email.boxes import Box
from core.db import execute, fetch_all, to_json
from core.house import House
from core.ids import new_id
from core.tags import Tag
from core.unit import unit

CameBy = Literal["imap", "smtp", "lmtp", "http", "file"]

WAKES = "mails"
"""The channel on which PostgreSQL tells that some came."""

STORED = Counter("miyabi_mails_stored", "Mails that were taken in", ["came_by"])

_HEADER_AT_MOST = 64 * 1024  # bytes in which the Message-ID is looked for
_MESSAGE_ID = re.compile(
    rb"^message-id[ \t]*:(?:[ \t]|\r?\n[ \t])*(<[^<>\r\n]{1,995}>)", re.I | re.M
)
_HEADER_ENDS = re.compile(rb"\r?\n\r?\n")


@dataclass(frozen=True, slots=True)
class Come:
    """A mail as it came to a mailbox.

    `uid` and `uidvalidity` are where it lies in the mailbox's folder (RFC 3501, 2.3.1.1).
    `envelope_from` "" is the null return path; None, that nobody told. `whole_size` is the mail's
    in bytes, where `raw` is its header alone.
    """

    raw: bytes = field(repr=False)
    uid: int | None = None
    uidvalidity: int | None = None
    envelope_from: str | None = None
    envelope_to: Sequence[str] = ()
    whole_size: int | None = None


@dataclass(frozen=True, slots=True)
class Read:
    """How far a folder has been read, written with what was read of it."""

    folder: str
    uidvalidity: int
    last_uid: int


async def store(
    house: House,
    box: Box,
    raw: bytes,
    *,
    came_by: CameBy,
    uid: int | None = None,
    uidvalidity: int | None = None,
    envelope_from: str | None = None,
    envelope_to: Sequence[str] = (),
    whole_size: int | None = None,
) -> UUID | None:
    """Store one; gives its id, or None where this very mail is in this mailbox already.

    When this returns it is committed. Raises what the database does.
    """
    come = Come(raw, uid, uidvalidity, envelope_from, envelope_to, whole_size)
    return (await store_all(house, box, [come], came_by=came_by))[0]


async def store_all(
    house: House, box: Box, mails: Sequence[Come], *, came_by: CameBy, read: Read | None = None
) -> Sequence[UUID | None]:
    """Store several in one transaction, and how far their folder has been `read` with them."""
    rows = [_row(come) for come in mails]
    contents = {row["sha256"]: come.raw for row, come in zip(rows, mails, strict=True)}
    async with unit(house) as work:
        new = await _insert(work.connection, box, rows, came_by)
        if new:
            values = {
                "organisation_id": box.organisation_id,
                "ids": [new[sha]["id"] for sha in new],
                "contents": [contents[sha] for sha in new],
                "channel": WAKES,
            }
            await execute(work.connection, _BYTES, values)
        if read is not None:
            await keep_read(work.connection, box, read)
        for row in new.values():
            work.record(_event(box, row, came_by))
    STORED.labels(came_by).inc(len(new))
    given = dict(new)
    return [row["id"] if given.pop(row["sha256"], None) is row else None for row in rows]


async def keep_read(connection: Any, box: Box, read: Read) -> None:
    """Write how far a folder has been read, and that it could be."""
    values = {
        "organisation_id": box.organisation_id,
        "mailbox_id": box.id,
        "folder": read.folder,
        "uidvalidity": read.uidvalidity,
        "last_uid": read.last_uid,
    }
    await execute(connection, _READ, values)


# Sorted: two that store the same mails would otherwise wait for each other.
_INSERT = """
    insert into mails (id, organisation_id, mailbox_id, came_by, uidvalidity, uid, envelope_from,
        envelope_to, message_id, sha256, size)
    select id, :organisation_id, :mailbox_id, :came_by, uidvalidity, uid, envelope_from,
        array(select jsonb_array_elements_text(envelope_to)), message_id, sha256, size
    from jsonb_to_recordset(cast(:rows as jsonb)) as mail(id uuid, uidvalidity bigint, uid bigint,
        envelope_from text, envelope_to jsonb, message_id text, sha256 text, size bigint)
    order by sha256
    on conflict (mailbox_id, sha256) do nothing
    returning id
"""
_BYTES = """
    with kept as (
        insert into mail_bytes (mail_id, organisation_id, content)
        select mail_id, :organisation_id, content
        from unnest(cast(:ids as uuid[]), cast(:contents as bytea[])) as bytes(mail_id, content)
    )
    select pg_notify(:channel, '')
"""
_READ = """
    insert into mail_folders (organisation_id, mailbox_id, folder, uidvalidity, last_uid)
    values (:organisation_id, :mailbox_id, :folder, :uidvalidity, :last_uid)
    on conflict (mailbox_id, folder) do update set uidvalidity = excluded.uidvalidity,
        last_uid = excluded.last_uid, synced_at = now(), error = null
"""


async def _insert(
    connection: Any, box: Box, rows: Sequence[dict[str, Any]], came_by: CameBy
) -> Mapping[str, dict[str, Any]]:
    """The rows that are new, by their hash; of two that are the same, the first."""
    first = {row["sha256"]: row for row in reversed(rows)}
    values = {
        "organisation_id": box.organisation_id,
        "mailbox_id": box.id,
        "came_by": came_by,
        "rows": to_json([{**row, "id": str(row["id"])} for row in first.values()]),
    }
    stored = {row.id for row in await fetch_all(connection, _INSERT, values)}
    return {row["sha256"]: row for row in rows if row["id"] in stored}


def _row(come: Come) -> dict[str, Any]:
    return {
        "id": new_id(),
        "uidvalidity": come.uidvalidity,
        "uid": come.uid,
        "envelope_from": None if come.envelope_from is None else _storable(come.envelope_from),
        "envelope_to": [_storable(each) for each in come.envelope_to],
        "message_id": message_id(come.raw),
        "sha256": sha256(come.raw).hexdigest(),
        "size": len(come.raw) if come.whole_size is None else come.whole_size,
    }


def message_id(raw: bytes) -> str | None:
    """The Message-ID with its angle brackets, as the mail says it; None where it says none."""
    header = raw[:_HEADER_AT_MOST]
    end = _HEADER_ENDS.search(header)
    found = _MESSAGE_ID.search(header, 0, end.end() if end else len(header))
    return None if found is None else _storable(found[1].decode("ascii", "replace"))


def _storable(text: str) -> str:
    """Without what PostgreSQL keeps in no text: NUL, and halves of characters."""
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")


def _event(box: Box, row: Mapping[str, Any], came_by: CameBy) -> Event:
    data = {
        "mailbox": str(box.id),
        "came_by": came_by,
        "sha256": row["sha256"],
        "size": row["size"],
    }
    return Event(box.organisation_id, row["id"], Tag.MAIL_RECEIVED, data)
