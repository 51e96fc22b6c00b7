"""Documents as links: who has one opens that document without a login, until it ends.

The address holds the link's id and a MAC of it under a key that is derived of the secret key:
whoever did not get it from us can't make one, and nothing else is opened by it. When it ends, and
whether it was taken back, stands in its row.
"""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.event import JSON, SYSTEM, Actor, Event
from core import base64url
from core.db import execute, fetch_all, fetch_one
from core.errors import Unknown
from core.house import House
from core.ids import new_id
from core.messages import Attachment
from core.tags import Tag
from core.unit import Unit
from core.words import Words

PATH = "/d/"

_USE = b"miyabi: links to documents"
_MAC = 16  # bytes: 128 bits are not guessed

NO_LINK = Words(
    ja="有効なリンク {link} はありません。",
    en="There is no link {link} that opens anything.",
    zh="不存在有效的链接 {link}。",
)


@dataclass(frozen=True, slots=True)
class Link:
    """A link as it stands. `gone`: what it opened is no more, or is not theirs to see any longer;
    `language` is that of the person it was made for, if it was for one."""

    id: UUID
    organisation_id: UUID
    task_id: UUID
    reference: int
    person_id: UUID | None
    handle: str | None
    language: str | None
    sha256: str
    name: str
    media_type: str
    created_at: datetime
    expires_at: datetime
    ended: bool
    revoked: bool
    gone: bool

    @property
    def opens(self) -> bool:
        return not (self.ended or self.revoked or self.gone)


async def make_link(
    work: Unit,
    house: House,
    organisation_id: UUID,
    task_id: UUID,
    file: Attachment,
    person_id: UUID | None,
    lasts: timedelta,
) -> str | None:
    """The address by which a file of a task is opened, for a person or for whoever is given it.

    None without a public address, and for a task of which everything was taken out. The same file
    for the same person has the same link again while half of its time is left: whoever has to send
    a message once more makes no second one.
    """
    if house.public_url is None:
        return None
    scope = {
        "organisation_id": organisation_id,
        "task_id": task_id,
        "person_id": person_id,
        "sha256": file.sha256,
        "name": file.name,
        "media_type": file.media_type,
        "lasts": lasts.total_seconds(),
    }
    # Of two who make one at once, the second finds that of the first.
    lock = f"link:{task_id}:{person_id}:{file.sha256}"
    await execute(
        work.connection, "select pg_advisory_xact_lock(hashtextextended(:lock, 0))", {"lock": lock}
    )
    found = await fetch_one(
        work.connection,
        "select id from links where organisation_id = :organisation_id and task_id = :task_id"
        " and person_id is not distinct from cast(:person_id as uuid) and sha256 = :sha256"
        " and name = :name and revoked_at is null"
        " and expires_at > now() + make_interval(secs => :lasts) / 2 order by expires_at desc",
        scope,
    )
    if found is not None:
        return address(house, found.id)
    made = await fetch_one(
        work.connection,
        "insert into links (id, organisation_id, task_id, person_id, sha256, name, media_type,"
        " expires_at) select :id, :organisation_id, t.id, cast(:person_id as uuid), :sha256, :name,"
        " :media_type, now() + make_interval(secs => :lasts) from tasks t"
        " where t.organisation_id = :organisation_id and t.id = :task_id"
        " and t.redacted is distinct from 'whole' returning id, expires_at, (select reference"
        " from tasks where organisation_id = :organisation_id and id = :task_id)",
        {**scope, "id": new_id()},
    )
    if made is None:
        return None
    data: dict[str, JSON] = {
        "reference": made.reference,
        "link": str(made.id),
        "person": str(person_id) if person_id else None,
        "sha256": file.sha256,
        "until": made.expires_at.isoformat(timespec="seconds"),
    }
    work.record(Event(organisation_id, task_id, Tag.LINK_MADE, data))
    return address(house, made.id)


def address(house: House, link: UUID) -> str:
    """Where a link leads; only who may hand it out asks for it."""
    return f"{(house.public_url or '').rstrip('/')}{PATH}{_token(house, link)}"


def _token(house: House, link: UUID) -> str:
    return base64url.spell(link.bytes + _mac(house, link.bytes))


def _mac(house: House, link: bytes) -> bytes:
    return hmac.digest(house.key_of(_USE), link, sha256)[:_MAC]


def read_token(house: House, token: str) -> UUID | None:
    """The link that a token is of; None for whatever we did not make."""
    signed = base64url.read(token)
    if signed is None:
        return None
    link, mac = signed[:16], signed[16:]
    # Compared whatever it is, and in constant time. One spelling of a token only: base64 has spare
    # bits at its end.
    ours = hmac.compare_digest(mac, _mac(house, link)) and len(link) == 16
    return UUID(bytes=link) if ours and _token(house, UUID(bytes=link)) == token else None


_LINKS = """
    select l.id, l.organisation_id, l.task_id, t.reference, l.person_id, p.handle, p.language,
        l.sha256, l.name, l.media_type, l.created_at, l.expires_at, l.expires_at <= now() as ended,
        l.revoked_at is not null as revoked,
        coalesce(t.redacted = 'whole', false) or not coalesce(p.active, true) as gone
    from links l join tasks t on t.id = l.task_id left join people p on p.id = l.person_id
"""


async def find(connection: AsyncConnection, link: UUID) -> Link | None:
    """A link by the id that its token is of."""
    row = await fetch_one(
        connection,
        f"{_LINKS} where l.id = :id",  # across organisations: a link opens what it was signed for
        {"id": link},
    )
    return Link(**row._asdict()) if row else None


async def open_link(work: Unit, link: Link, ip: str | None, user_agent: str | None) -> bool:
    """Say that it is opened, before anything is handed out. False where it opens nothing by now."""
    now = await find(work.connection, link.id)
    if now is None or not now.opens:
        return False
    actor = Actor(link.person_id, channel="link", ip=ip, user_agent=user_agent)
    data: dict[str, JSON] = {**_named(link), "sha256": link.sha256}
    work.record(Event(link.organisation_id, link.task_id, Tag.LINK_OPENED, data, actor))
    return True


async def links_of(
    connection: AsyncConnection, organisation_id: UUID, reference: int | None = None
) -> Sequence[Link]:
    """The links of a task, or of all tasks those that open something; the newest first."""
    which = (
        "and t.reference = :reference"
        if reference is not None
        else "and l.revoked_at is null and l.expires_at > now()"
    )
    rows = await fetch_all(
        connection,
        f"{_LINKS} where l.organisation_id = :organisation_id {which} order by l.id desc",
        {"organisation_id": organisation_id, "reference": reference},
    )
    return [Link(**row._asdict()) for row in rows]


async def revoke(
    work: Unit,
    organisation_id: UUID,
    *,
    link: UUID | None = None,
    task_id: UUID | None = None,
    person_id: UUID | None = None,
    actor: Actor = SYSTEM,
) -> int:
    """Take back one link, all of a task, or all that concern a person (made for them, or of their
    tasks); how many. Those that have ended are left alone."""
    rows = await fetch_all(
        work.connection,
        "update links l set revoked_at = now(), revoked_by = cast(:by as uuid) from tasks t"
        " where l.organisation_id = :organisation_id and t.id = l.task_id"
        " and l.revoked_at is null and l.expires_at > now()"
        " and (l.id = cast(:link as uuid) or l.task_id = cast(:task_id as uuid)"
        " or l.person_id = cast(:person_id as uuid) or t.person_id = cast(:person_id as uuid))"
        " returning l.id, l.task_id, t.reference",
        {
            "organisation_id": organisation_id,
            "link": link,
            "task_id": task_id,
            "person_id": person_id,
            "by": actor.person_id,
        },
    )
    for row in rows:
        data: dict[str, JSON] = {"reference": row.reference, "link": str(row.id)}
        work.record(Event(organisation_id, row.task_id, Tag.LINK_REVOKED, data, actor))
    return len(rows)


async def revoke_one(
    work: Unit, organisation_id: UUID, link: UUID, *, actor: Actor = SYSTEM
) -> None:
    """Take one back. Raises Unknown where it opens nothing as it is."""
    if not await revoke(work, organisation_id, link=link, actor=actor):
        raise Unknown(NO_LINK.fill(link=link))


async def tasks_opened(
    connection: AsyncConnection, organisation_id: UUID, person_id: UUID
) -> Sequence[UUID]:
    """A person's tasks of which there are links for nobody in particular: where those were opened
    from is sealed under the task's own id."""
    rows = await fetch_all(
        connection,
        "select distinct l.task_id from links l join tasks t on t.id = l.task_id"
        " where l.organisation_id = :organisation_id and t.person_id = :person_id"
        " and l.person_id is null",
        {"organisation_id": organisation_id, "person_id": person_id},
    )
    return [row.task_id for row in rows]


def _named(link: Link) -> dict[str, JSON]:
    return {"reference": link.reference, "link": str(link.id)}
