"""Codes by which somebody proves on a page (core/approvals/by_link.py) that it is them.

They are told to the person by apps that only they read, never by what brought them the address.
A code is worked out of the page and the moment until which it holds: it stands nowhere before it is
said, and a keyed hash of it says which one holds.
"""

import hmac
import re
import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.event import Actor
from core import tasks
from core.approvals.by_link import Page, turn_away
from core.db import execute, fetch_all, fetch_one
from core.errors import Refused
from core.house import House
from core.tags import Tag
from core.unit import Unit
from core.views import TaskView
from core.words import Words

LASTS = timedelta(minutes=10)
AGAIN_AFTER = timedelta(minutes=1)
"""So soon nobody is sent another one."""
MOST_TRIES = 10
"""Of one page, whichever codes were sent for it: of a million codes nobody guesses one by that."""

_DIGITS = 6
_CODE = b"miyabi: codes of pages"
_HASH = b"miyabi: hashes of codes of pages"

CODE_IS = Words(
    ja="{reference} を決定するページの確認コード: {code}\n{at} まで、一度だけ使えます。"
    "ページを開いたのがあなたでなければ、使わずに管理者へ知らせてください。",
    en="The code for the page on which you decide {reference}: {code}\nIt works once, until {at}. "
    "If it was not you who opened that page, don't use it, and tell your admin.",
    zh="审批 {reference} 页面的验证码: {code}\n在 {at} 之前可使用一次。"
    "如果不是您本人打开该页面，请勿使用并告知管理员。",
)
NO_CHAT = Words(
    ja="この金額の決定には確認コードが要りますが、コードを送れるチャットのアカウントがありません。"
    "管理者に、チャットのアカウントとの連携を依頼してください。",
    en="This amount needs a code, and you have no chat account that it could be sent to. "
    "Please ask your admin to link one.",
    zh="此金额需要验证码，但您没有可接收验证码的聊天账号。请联系管理员绑定。",
)
TOO_SOON = Words(
    ja="コードは少し前に送りました。届かないときは1分ほど待ってからもう一度お試しください。",
    en="A code was sent a moment ago. If it does not come, please try again in a minute.",
    zh="验证码刚刚已发送。如未收到，请一分钟后重试。",
)
TOO_OFTEN = Words(
    ja="コードの入力を間違えた回数が上限に達したため、このページでは決定できません。"
    "アプリから操作してください。",
    en="Too many wrong codes were typed, so nothing can be decided on this page any more. "
    "Please use the app.",
    zh="验证码输入错误次数过多，无法再在此页面审批。请使用应用操作。",
)
WRONG = Words(
    ja="コードが違うか、有効期限が切れています。何も決定していません。",
    en="That code is wrong, or it has ended. Nothing was decided.",
    zh="验证码错误或已过期。未作任何审批。",
)


def amount_of(view: TaskView) -> int | None:
    """What a task is about in whole yen, where its agent tells that."""
    amount = view.agent.terms(view.results).get("amount") if view.agent.terms else None
    return amount if isinstance(amount, int) else None


async def chats_of(connection: AsyncConnection, page: Page, platforms: Sequence[str]) -> list[str]:
    """By which of these platforms its person is reached."""
    if page.person is None:
        return []
    rows = await fetch_all(
        connection,
        "select distinct platform from accounts where organisation_id = :organisation_id"
        " and person_id = :person_id and platform = any(:platforms) and listens"
        " and unreachable_since is null order by platform",
        {
            "organisation_id": page.organisation_id,
            "person_id": page.person.id,
            "platforms": list(platforms),
        },
    )
    return [row.platform for row in rows]


async def send_code(
    work: Unit, house: House, page: Page, platforms: Sequence[str], actor: Actor
) -> None:
    """Have a new code told to the person of a page, by those platforms; one before it holds no
    more. Raises Refused."""
    chats = await chats_of(work.connection, page, platforms)
    if page.person is None or not chats:
        raise Refused(NO_CHAT)
    task = await tasks.lock(work.connection, page.organisation_id, page.task_id)
    scope = {"organisation_id": page.organisation_id, "id": page.id}
    row = await fetch_one(
        work.connection,
        "select used_at is null and expires_at > now() as opens, code_tries,"
        " code_hash is not null and code_until > now() + make_interval(secs => :lasts)"
        " - make_interval(secs => :again) as lately, now() + make_interval(secs => :lasts) as until"
        " from approval_links where organisation_id = :organisation_id and id = :id for update",
        {**scope, "lasts": LASTS.total_seconds(), "again": AGAIN_AFTER.total_seconds()},
    )
    if row is None or row.code_tries >= MOST_TRIES:
        raise Refused(TOO_OFTEN)
    if not row.opens or row.lately:
        raise Refused(TOO_SOON)
    code = _code(house, page.id, row.until)
    await execute(
        work.connection,
        "update approval_links set code_hash = :hash, code_until = :until"
        " where organisation_id = :organisation_id and id = :id",
        {**scope, "hash": _hash(house, page.id, code), "until": row.until},
    )
    until = row.until.isoformat(timespec="seconds")
    work.record(page.event(Tag.PAGE_CODED, actor, until=until))
    # A slot of its own for each: an edit of the last one would be overlooked.
    facts: dict[str, object] = {
        "person": str(page.person.id),
        "platforms": chats,
        "slot": f"code:{page.id}:{int(row.until.timestamp())}",
    }
    await tasks.notify(work, task, "approval.code", facts)


async def code_of(house: House, organisation_id: UUID, slot: str) -> tuple[str, datetime] | None:
    """The code that a slot tells, and until when it holds; None once it holds no more."""
    page_id, _, until = slot.partition(":")
    async with house.engine.connect() as connection:
        row = await fetch_one(
            connection,
            "select code_hash, code_until from approval_links"
            " where organisation_id = :organisation_id and id = :id and code_hash is not null"
            " and code_until > now() and used_at is null",
            {"organisation_id": organisation_id, "id": UUID(page_id)},
        )
    if row is None or str(int(row.code_until.timestamp())) != until:
        return None
    return _code(house, UUID(page_id), row.code_until), row.code_until


async def take_code(work: Unit, house: House, page: Page, typed: str, actor: Actor) -> bool:
    """Whether that is the code, which is used up by this; each try counts.

    The caller commits it whatever comes after. Raises Refused once too many were wrong.
    """
    said = re.sub(r"[\s-]", "", unicodedata.normalize("NFKC", typed))[:32]
    row = await fetch_one(
        work.connection,
        "update approval_links set code_tries = code_tries + 1"
        " where organisation_id = :organisation_id and id = :id and code_tries < :most"
        " returning code_hash, code_until > now() as holds",
        {"organisation_id": page.organisation_id, "id": page.id, "most": MOST_TRIES},
    )
    if row is None:
        raise Refused(TOO_OFTEN)
    kept = bytes(row.code_hash or b"")
    if not hmac.compare_digest(kept, _hash(house, page.id, said)) or not row.holds:
        turn_away(work, page, "code", actor)
        return False
    await execute(
        work.connection,
        "update approval_links set code_hash = null, code_tries = code_tries - 1"
        " where organisation_id = :organisation_id and id = :id",
        {"organisation_id": page.organisation_id, "id": page.id},
    )
    work.record(page.event(Tag.PAGE_ENTERED, actor))
    return True


def _code(house: House, page: UUID, until: datetime) -> str:
    moment = until.astimezone(UTC).isoformat(timespec="microseconds").encode()
    mac = hmac.digest(house.key_of(_CODE), page.bytes + moment, sha256)
    return f"{int.from_bytes(mac[:8]) % 10**_DIGITS:0{_DIGITS}d}"


def _hash(house: House, page: UUID, code: str) -> bytes:
    return hmac.digest(house.key_of(_HASH), page.bytes + code.encode(), sha256)
