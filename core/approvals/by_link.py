"""Pages on which one person decides one step of one revision: what a button is in an app.

The address holds 128 random bits, of which only the hash is kept. It is worth one decision, by the
person it was made for, of the step that was shown with it, until it ends. Whoever opens it decides
nothing by that: programs look into every letter.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Literal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.event import JSON, Actor, Event
from core import base64url, tasks
from core.approvals import deciding
from core.approvals.deciding import Decided
from core.approvals.run import Action
from core.approvals.standing import check_open, check_right
from core.db import execute, fetch_one
from core.errors import Refused
from core.house import House
from core.ids import new_id
from core.people import Person, as_person
from core.tags import Tag
from core.unit import Unit
from core.words import Words

PATH = "/a/"

_BYTES = 16
Why = Literal["other person", "code", "other site"]
"""Why somebody was turned away from a page."""

USED = Words(
    ja="このページはすでに使われています。もう一度決めるには、新しいお知らせかアプリから操作してください。",
    en="This page was used already. To decide anew, use the newest message, or the app.",
    zh="此页面已使用过。如需重新审批，请使用最新的通知或应用。",
)
ENDED = Words(
    ja="このページの有効期限は切れています。アプリで「承認待ち」と送ると、いま決められるものが見られます。",
    en="This page has ended. Send “approvals” in the app to see what waits for you.",
    zh="此页面已过期。在应用中发送“approvals”可查看等待您审批的事项。",
)


@dataclass(frozen=True, slots=True)
class Page:
    """A page as it stands. `person` is None where they have left; `gone`: of the task everything
    was taken out. `code_until`: until when the code that was last sent is taken."""

    id: UUID
    organisation_id: UUID
    approval_id: UUID
    stage_id: UUID
    task_id: UUID
    reference: int
    person: Person | None
    expires_at: datetime
    ended: bool
    used: bool
    gone: bool
    code_tries: int
    code_until: datetime | None
    code_open: bool

    def event(self, tag: Tag, actor: Actor, **data: JSON) -> Event:
        """Something that happened with it."""
        named: dict[str, JSON] = {"reference": self.reference, "page": str(self.id)}
        return Event(self.organisation_id, self.task_id, tag, {**named, **data}, actor)


async def page_link(
    work: Unit,
    house: House,
    organisation_id: UUID,
    approval_id: UUID,
    stage_id: UUID,
    person_id: UUID,
    lasts: timedelta,
) -> str | None:
    """The address of a page on which this person decides this step, as long as it lasts and no
    longer than the approval does.

    A new one each time, for one message to that person and nobody else. None without a public
    address, and where that step is no longer open.
    """
    if house.public_url is None:
        return None
    token = secrets.token_bytes(_BYTES)
    made = await fetch_one(
        work.connection,
        "with open as (select a.id, a.expires_at, t.id as task_id, t.reference"
        " from approvals a join tasks t on t.id = a.task_id"
        " join approval_stages s on s.approval_id = a.id and s.id = :stage_id"
        " join people p on p.organisation_id = a.organisation_id and p.id = :person_id and p.active"
        " where a.organisation_id = :organisation_id and a.id = :approval_id"
        " and a.state = 'pending' and a.expires_at > now() and s.state = 'open'),"
        " made as (insert into approval_links (id, organisation_id, approval_id, stage_id,"
        " person_id, token_hash, expires_at) select :id, :organisation_id, id, :stage_id,"
        " :person_id, :hash, least(expires_at, now() + make_interval(secs => :lasts)) from open"
        " returning id, expires_at)"
        " select made.id, made.expires_at, open.task_id, open.reference from made, open",
        {
            "id": new_id(),
            "organisation_id": organisation_id,
            "approval_id": approval_id,
            "stage_id": stage_id,
            "person_id": person_id,
            "hash": _hash(token),
            "lasts": lasts.total_seconds(),
        },
    )
    if made is None:
        return None
    data: dict[str, JSON] = {
        "reference": made.reference,
        "page": str(made.id),
        "approval": str(approval_id),
        "stage": str(stage_id),
        "person": str(person_id),
        "until": made.expires_at.isoformat(timespec="seconds"),
    }
    work.record(Event(organisation_id, made.task_id, Tag.PAGE_MADE, data))
    return f"{house.public_url.rstrip('/')}{PATH}{base64url.spell(token)}"


def _hash(token: bytes) -> bytes:
    return sha256(token).digest()


def read_token(text: str) -> bytes | None:
    """The token of an address; None for what is none, or spelled otherwise."""
    token = base64url.read(text)
    if token is None or len(token) != _BYTES or base64url.spell(token) != text:
        return None
    return token


async def find(connection: AsyncConnection, token: bytes) -> Page | None:
    """The page of a token."""
    row = await fetch_one(
        connection,
        # across organisations: a token belongs to exactly one, and says which
        "select l.id as page, l.approval_id, l.stage_id, a.task_id, t.reference,"
        " l.expires_at, l.expires_at <= now() as ended, l.used_at is not null as used,"
        " coalesce(t.redacted = 'whole', false) as gone, l.code_tries, l.code_until,"
        " l.code_hash is not null and l.code_until > now() as code_open, p.active,"
        " p.id, p.organisation_id, p.handle, p.name, p.roles, p.language, p.time_zone"
        " from approval_links l join approvals a on a.id = l.approval_id"
        " join tasks t on t.id = a.task_id join people p on p.id = l.person_id"
        " where l.token_hash = :hash",
        {"hash": _hash(token)},
    )
    if row is None:
        return None
    return Page(
        id=row.page,
        organisation_id=row.organisation_id,
        approval_id=row.approval_id,
        stage_id=row.stage_id,
        task_id=row.task_id,
        reference=row.reference,
        person=as_person(row) if row.active else None,
        expires_at=row.expires_at,
        ended=row.ended,
        used=row.used,
        gone=row.gone,
        code_tries=row.code_tries,
        code_until=row.code_until,
        code_open=bool(row.code_open),
    )


async def what_became(connection: AsyncConnection, page: Page) -> Words | None:
    """Why its person can't decide there; None where they can."""
    if page.person is None:
        return ENDED
    try:
        standing = await check_open(connection, page.person, page.stage_id)
        await check_right(connection, page.person, standing)
    except Refused as refused:
        return refused.words
    if page.used:
        return USED
    return ENDED if page.ended else None


async def decide(
    work: Unit, page: Page, action: Action, reason: str, actor: Actor, to: int | None = None
) -> Decided:
    """Decide there, which uses it up, and all others of that step and person.

    Raises Refused where it is used or has ended, and where the decision can't be made: then it is
    not used.
    """
    # The task first, as everywhere: of two who decide on two pages at once, one waits.
    await tasks.lock(work.connection, page.organisation_id, page.task_id)
    scope = {"organisation_id": page.organisation_id, "id": page.id}
    taken = await execute(
        work.connection,
        "update approval_links set used_at = now(), code_hash = null"
        " where organisation_id = :organisation_id and id = :id and used_at is null"
        " and expires_at > now()",
        scope,
    )
    if page.person is None or not taken:
        became = await what_became(work.connection, page)
        raise Refused(became or USED)
    decided = await deciding.decide(work, page.person, page.stage_id, action, reason, actor, to)
    await execute(
        work.connection,
        "update approval_links set used_at = now(), code_hash = null"
        " where organisation_id = :organisation_id and stage_id = :stage_id"
        " and person_id = :person_id and used_at is null",
        {**scope, "stage_id": page.stage_id, "person_id": page.person.id},
    )
    work.record(page.event(Tag.PAGE_USED, actor, stage=str(page.stage_id), action=action))
    return decided


def turn_away(work: Unit, page: Page, why: Why, actor: Actor) -> None:
    """Say that somebody was not let decide there."""
    work.record(page.event(Tag.PAGE_REFUSED, actor, why=why))
