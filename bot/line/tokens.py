"""The access tokens by which a channel is spoken with: kept ones, and ones that last 15 minutes."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID
from weakref import WeakValueDictionary

from bot.line.refusals import LineRefused, WrongToken
from core.errors import Permanent
from core.words import Words

if TYPE_CHECKING:
    from bot.line.api import Api, Issued

T = TypeVar("T")

NO_TOKEN = Words(
    ja="LINEチャネル {name} にアクセストークンもチャネルIDもありません。"
    "「miyabi line token」で設定してください。",
    en="The LINE channel {name} has neither an access token nor a channel id. Set one with "
    "“miyabi line token”.",
    zh="LINE 频道 {name} 既没有访问令牌也没有频道 ID。请用“miyabi line token”设置。",
)

NOT_ISSUED = Words(
    ja="LINEチャネル {name} のアクセストークンを発行できません（{why}）。チャネルIDと"
    "チャネルシークレットを確認するか、「miyabi line token」でトークンを設定してください。",
    en="LINE issues no access token for the channel {name} ({why}). Check its id and secret, or "
    "set a token with “miyabi line token”.",
    zh="无法为 LINE 频道 {name} 签发访问令牌（{why}）。请检查频道 ID 和频道密钥，"
    "或用“miyabi line token”设置令牌。",
)

_RENEWED_BEFORE = timedelta(seconds=60)
"""Of the end of a stateless token: a call that is begun with it must not outlive it."""
_REFUSED_FOR = 60.0
"""Seconds for which a token that LINE did not take is put behind the others."""


class NotOpened(Permanent):
    """There is no access token to speak with, nor can one be had."""


@dataclass(frozen=True, slots=True)
class Channel:
    """A LINE channel: an official account of a company. `workspace` is its bot's user id, which
    webhooks call `destination`; `tokens` are long-lived ones, the better first."""

    workspace: str
    organisation_id: UUID
    name: str
    secret: str = field(repr=False)
    channel_id: str = ""
    tokens: tuple[str, ...] = field(default=(), repr=False)

    @property
    def destination(self) -> str:
        return self.workspace


class Tokens:
    """Gives a token for each call, and another where LINE does not take it."""

    def __init__(self, api: "Callable[[], Api]") -> None:
        self._api = api
        self._issued: dict[str, tuple[str, float]] = {}
        self._refused: dict[str, float] = {}
        self._issuing: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def of(self, channel: Channel) -> str:
        """A token that is good for what we know. Raises Permanent or TryLater."""
        for token in channel.tokens:
            if time.monotonic() - self._refused.get(token, float("-inf")) > _REFUSED_FOR:
                return token
        if channel.channel_id and channel.secret:
            return await self._stateless(channel)
        if channel.tokens:
            return channel.tokens[0]  # LINE says what is wrong with it
        raise NotOpened(NO_TOKEN.fill(name=channel.name))

    def refused(self, channel: Channel, token: str) -> None:
        """LINE did not take it."""
        if self._issued.get(channel.channel_id, ("", 0.0))[0] == token:
            del self._issued[channel.channel_id]
        elif token in channel.tokens:
            while len(self._refused) >= 1000:
                del self._refused[next(iter(self._refused))]
            self._refused[token] = time.monotonic()

    async def _issue(self, channel: Channel) -> "Issued":
        try:
            return await self._api().issue(channel.channel_id, channel.secret)
        except LineRefused as refused:
            raise NotOpened(NOT_ISSUED.fill(name=channel.name, why=refused.why)) from refused

    async def _stateless(self, channel: Channel) -> str:
        async with self._issuing.setdefault(channel.channel_id, asyncio.Lock()):
            token, until = self._issued.get(channel.channel_id, ("", 0.0))
            if time.monotonic() >= until - _RENEWED_BEFORE.total_seconds():
                began = time.monotonic()
                issued = await self._issue(channel)
                token = issued.token
                self._issued[channel.channel_id] = (token, began + issued.lasts.total_seconds())
            return token


async def spoken(
    tokens: Tokens,
    channel: Channel,
    reread: Callable[[], Awaitable[Channel]],
    call: Callable[[str], Awaitable[T]],
) -> T:
    """Make a call with the channel's token; where LINE does not take it, once more with the next,
    of the channel as `reread` finds it then. LINE looks at the token first: nothing was done."""
    token = await tokens.of(channel)
    try:
        return await call(token)
    except WrongToken:
        tokens.refused(channel, token)
        another = await tokens.of(await reread())
        if another == token:
            raise
        return await call(another)
