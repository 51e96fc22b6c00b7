"""Access tokens for mailboxes whose provider takes no password: OAuth 2 (RFC 6749), XOAUTH2."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from uuid import UUID
from weakref import WeakValueDictionary

from bot.email.boxes import Box, renew
from core.errors import Permanent, TryLater
from core.house import House
from core.ports import TooLarge
from core.streams import read_at_most
from core.unit import unit
from core.words import Words

NOT_GIVEN = Words(
    ja="メールボックス {address} のアクセストークンを取得できません（{why}）。クライアントID、"
    "クライアントシークレット、リフレッシュトークンを「miyabi mail box set」で"
    "設定し直してください。",
    en="No access token is given for the mailbox {address} ({why}). Set its client id, client "
    "secret or refresh token anew with “miyabi mail box set”.",
    zh="无法获取邮箱 {address} 的访问令牌（{why}）。请用“miyabi mail box set”重新设置"
    "客户端 ID、客户端密钥或刷新令牌。",
)
AWAY = Words(
    ja="メールボックス {address} のトークン発行元に接続できません。",
    en="The server that issues tokens for the mailbox {address} can't be reached.",
    zh="无法连接邮箱 {address} 的令牌签发服务器。",
)

_CALL = 8.0  # seconds, our own
_RENEWED_BEFORE = 60.0  # seconds before its end: a login that is begun with it must not outlive it
_LASTS = 3600.0  # seconds, where the server does not say (RFC 6749, 5.1)
_MOST = 65_536  # bytes of an answer


@dataclass(frozen=True, slots=True)
class _Given:
    """An access token, what it was had with, and until when it is good (time.monotonic)."""

    token: str
    had_with: tuple[Box, Box]  # as the mailbox was, and as it is with another refresh token
    until: float


class Tokens:
    """Gives a mailbox's access token, and asks for another when it is about to run out.

    With a refresh token it is a person's who once consented; without, it is the application's own
    (Microsoft's `IMAP.AccessAsApp`).
    """

    def __init__(self, house: House) -> None:
        self._house = house
        self._given: dict[UUID, _Given] = {}
        self._asking: WeakValueDictionary[UUID, asyncio.Lock] = WeakValueDictionary()

    async def token(self, box: Box) -> str:
        """A token that is good for what we know. Raises Permanent or TryLater."""
        async with self._asking.setdefault(box.id, asyncio.Lock()):
            given = self._given.get(box.id)
            if given is None or box not in given.had_with or time.monotonic() > given.until:
                given = await self._ask(box)
                self._given[box.id] = given
            return given.token

    def forget(self, box: Box) -> None:
        """Its server did not take the token: the next is a new one."""
        self._given.pop(box.id, None)

    async def _ask(self, box: Box) -> _Given:
        began = time.monotonic()
        answer = await _asked(box)
        token, lasts = answer.get("access_token"), answer.get("expires_in")
        if not isinstance(token, str) or not token:
            raise Permanent(NOT_GIVEN.fill(address=box.address, why="no access_token"))
        now = await self._kept(box, answer.get("refresh_token"))
        seconds = float(lasts) if isinstance(lasts, int | float) else _LASTS
        return _Given(token, (box, now), began + seconds - _RENEWED_BEFORE)

    async def _kept(self, box: Box, renewed: object) -> Box:
        """Some give another refresh token each time, and the old one runs out."""
        old = box.secrets.get("refresh_token")
        if not old or not isinstance(renewed, str) or renewed in {"", old}:
            return box
        async with unit(self._house) as work:
            await renew(work, self._house, box, renewed)
        return replace(box, secrets={**box.secrets, "refresh_token": renewed})


async def _asked(box: Box) -> Mapping[str, object]:
    """What the provider answers. Raises Permanent where it refuses, TryLater where it is away."""
    import aiohttp

    if box.oauth is None:
        raise Permanent(NOT_GIVEN.fill(address=box.address, why="no OAuth"))
    timeout = aiohttp.ClientTimeout(total=_CALL)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            # No redirects: the secret is for this address.
            session.post(box.oauth.token_url, data=_form(box), allow_redirects=False) as response,
        ):
            status = response.status
            content = await _content(response.content.iter_chunked(8192))
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise TryLater(AWAY.fill(address=box.address)) from error
    if status == 429 or status >= 500:
        raise TryLater(AWAY.fill(address=box.address))
    answer = _read(content)
    if status != 200:
        why = str(answer.get("error") or status)[:60]
        raise Permanent(NOT_GIVEN.fill(address=box.address, why=why))
    return answer


async def _content(parts: AsyncIterator[bytes]) -> bytes:
    try:
        return await read_at_most(parts, _MOST)
    except TooLarge:
        return b""


def _form(box: Box) -> dict[str, str]:
    oauth, secrets = box.oauth, box.secrets
    assert oauth is not None  # noqa: S101  # looked at by whoever calls
    form = {"client_id": oauth.client_id}
    if secret := secrets.get("client_secret"):
        form["client_secret"] = secret
    if oauth.scope:
        form["scope"] = oauth.scope
    if refresh := secrets.get("refresh_token"):
        return {**form, "grant_type": "refresh_token", "refresh_token": refresh}
    return {**form, "grant_type": "client_credentials"}


def _read(content: bytes) -> Mapping[str, object]:
    try:
        answer = json.loads(content)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}
