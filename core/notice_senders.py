"""Programs that may have people told things: each by a key of its own, of its topics only.

Only the hash of a key is kept. A program's topics are globs (`alert.*`); what Miyabi itself has to
say, no program says in its place.
"""

import fnmatch
import hashlib
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from audit.event import SYSTEM, Actor, Event
from core.db import execute, fetch_all, fetch_one, fetch_one_alone
from core.errors import Refused, Unknown
from core.ids import new_id
from core.tags import Tag
from core.unit import Unit
from core.words import Words

PREFIX = "miyabi_notify_"
"""What every key begins with, so that a scan for leaked secrets knows one when it sees it."""

RESERVED = frozenset(
    {"approval", "question", "security", "task", "person", "system", "digest", "test"}
)
"""The families of topics that only Miyabi itself speaks of: people trust them, and can't mute all
of them away."""

TOPIC = re.compile(r"[a-z0-9]+([._-][a-z0-9]+)*", re.ASCII)
LONGEST_TOPIC = 100
"""Characters."""

_BYTES = 32  # of randomness: nobody guesses them, so a plain hash is enough
_PATTERN = re.compile(r"[a-z0-9._*-]{1,100}", re.ASCII)
_NAME = re.compile(r"[\w.-]{1,60}")

_WRONG_NAME = Words(
    ja="「{name}」は名前に使えません。文字・数字・「.」「-」「_」で60文字までにしてください。",
    en="“{name}” can't be a name: letters, digits, “.”, “-” and “_”, 60 at most.",
    zh="“{name}”不能用作名称。请使用文字、数字、“.”、“-”、“_”，最多60个字符。",
)
_WRONG_TOPICS = Words(
    ja="トピック「{topic}」は使えません。「alert.*」のように書いてください。",
    en="“{topic}” can't be a topic. Write it as “alert.*”.",
    zh="“{topic}”不能用作主题。请写成“alert.*”的形式。",
)
_OURS = Words(
    ja="「{topic}」は Miyabi 自身の通知なので、プログラムには許可できません。",
    en="“{topic}” is what Miyabi itself speaks of; no program may.",
    zh="“{topic}”是 Miyabi 自身的通知，不能授权给程序。",
)
_NO_TOPICS = Words(
    ja="トピックを一つ以上指定してください（例: alert.*）。",
    en="Name at least one topic, e.g. alert.*.",
    zh="请至少指定一个主题（例如 alert.*）。",
)
_TAKEN = Words(
    ja="送信元「{name}」はすでにあります。",
    en="There is already a sender “{name}”.",
    zh="已有发送方“{name}”。",
)
_NO_SUCH = Words(
    ja="送信元「{name}」はありません。「miyabi notify sender list」で一覧を表示します。",
    en="There is no sender “{name}”. “miyabi notify sender list” lists them.",
    zh="没有发送方“{name}”。可用“miyabi notify sender list”查看列表。",
)


@dataclass(frozen=True, slots=True)
class Sender:
    """A program as it calls, or as it is listed."""

    id: UUID
    organisation_id: UUID
    name: str
    topics: tuple[str, ...]
    created_at: datetime
    used_at: datetime | None = None
    revoked_at: datetime | None = None

    def may(self, topic: str) -> bool:
        """Whether it may have people told of this."""
        return not reserved(topic) and any(
            fnmatch.fnmatchcase(topic, pattern) for pattern in self.topics
        )


def reserved(topic: str) -> bool:
    """Whether only Miyabi itself speaks of it."""
    return topic.partition(".")[0] in RESERVED


async def add(
    work: Unit,
    organisation_id: UUID,
    name: str,
    topics: Sequence[str],
    *,
    actor: Actor = SYSTEM,
) -> str:
    """Let a program in; gives its key, which can't be had a second time. Raises Refused."""
    _check(name, topics)
    key, sender_id = PREFIX + secrets.token_urlsafe(_BYTES), new_id()
    try:
        async with work.connection.begin_nested():
            await execute(
                work.connection,
                "insert into notice_senders (id, organisation_id, name, key_sha256, topics)"
                " values (:id, :organisation_id, :name, :sha256, :topics)",
                {
                    "id": sender_id,
                    "organisation_id": organisation_id,
                    "name": name,
                    "sha256": hashed(key),
                    "topics": list(topics),
                },
            )
    except IntegrityError as error:
        raise Refused(_TAKEN.fill(name=name)) from error
    data = {"name": name, "topics": list(topics)}
    work.record(Event(organisation_id, sender_id, Tag.SENDER_ADDED, data, actor))
    return key


async def revoke(work: Unit, organisation_id: UUID, name: str, *, actor: Actor = SYSTEM) -> None:
    """Make a program's key worth nothing from now on. Once more changes nothing.

    Raises Unknown where there is no such program.
    """
    row = await fetch_one(
        work.connection,
        "select id, revoked_at from notice_senders"
        " where organisation_id = :organisation_id and name = :name for update",
        {"organisation_id": organisation_id, "name": name},
    )
    if row is None:
        raise Unknown(_NO_SUCH.fill(name=name))
    if row.revoked_at is not None:
        return
    await execute(
        work.connection,
        "update notice_senders set revoked_at = now()"
        " where organisation_id = :organisation_id and id = :id",
        {"organisation_id": organisation_id, "id": row.id},
    )
    work.record(Event(organisation_id, row.id, Tag.SENDER_REVOKED, {}, actor))


async def every(connection: AsyncConnection, organisation_id: UUID) -> list[Sender]:
    """All programs of an organisation, the revoked ones too, oldest first."""
    rows = await fetch_all(
        connection,
        "select id, organisation_id, name, topics, created_at, used_at, revoked_at"
        " from notice_senders where organisation_id = :organisation_id order by created_at, id",
        {"organisation_id": organisation_id},
    )
    return [_sender(row) for row in rows]


_CALLER = """
    with found as (
        select id, organisation_id, name, topics, created_at, used_at, revoked_at
        from notice_senders where key_sha256 = :sha256 and revoked_at is null
    ), used as (
        update notice_senders set used_at = now() where id = (select id from found
            where used_at is null or used_at < now() - interval '1 minute')
    )
    select * from found
"""


async def caller(engine: AsyncEngine, sha256: bytes) -> Sender | None:
    """Whose key has that hash; None for one that is unknown or revoked.

    How long the look-up of a hash takes says nothing about the key itself.
    """
    row = await fetch_one_alone(
        engine,
        _CALLER,  # across organisations: a key belongs to exactly one, and says which
        {"sha256": sha256},
    )
    return _sender(row) if row else None


def hashed(key: str) -> bytes:
    """A key as it is kept."""
    return hashlib.sha256(key.encode("utf-8", "replace")).digest()


def _sender(row: object) -> Sender:
    return Sender(
        id=row.id,  # type: ignore[attr-defined]
        organisation_id=row.organisation_id,  # type: ignore[attr-defined]
        name=row.name,  # type: ignore[attr-defined]
        topics=tuple(row.topics),  # type: ignore[attr-defined]
        created_at=row.created_at,  # type: ignore[attr-defined]
        used_at=row.used_at,  # type: ignore[attr-defined]
        revoked_at=row.revoked_at,  # type: ignore[attr-defined]
    )


def _check(name: str, topics: Sequence[str]) -> None:
    """Raises Refused, which says what is wrong."""
    if _NAME.fullmatch(name) is None:
        raise Refused(_WRONG_NAME.fill(name=name[:80]))
    if not topics:
        raise Refused(_NO_TOPICS)
    for topic in topics:
        if _PATTERN.fullmatch(topic) is None:
            raise Refused(_WRONG_TOPICS.fill(topic=topic[:80]))
        if reserved(topic):
            raise Refused(_OURS.fill(topic=topic))
