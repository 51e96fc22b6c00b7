"""Calls to Discord's API by discord.py's own client, which keeps to the rates that Discord tells,
and what its errors mean for whoever waits."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Mapping, Sequence
from datetime import timedelta
from json import dumps
from typing import Any

import aiohttp
import discord
import structlog
from discord.http import HTTPClient, Route
from prometheus_client import Counter

from bot.discord import limits
from core.errors import MiyabiError, OutcomeUnknown, Permanent, SlowDown, TryLater
from core.settings import DiscordSettings
from core.streams import read_at_most
from core.words import Words

log = structlog.get_logger()

# It names addresses in its warnings, and an interaction's has its token in it. We count these.
logging.getLogger("discord.http").setLevel(logging.ERROR)

INVALID = Counter("miyabi_discord_invalid", "Answers 401, 403 and 429 of Discord", ["status"])

AWAY = Words(
    ja="Discordに接続できません（{why}）。",
    en="Discord can't be reached ({why}).",
    zh="无法连接 Discord（{why}）。",
)
SLOW_DOWN = Words(
    ja="Discordの利用制限にかかりました。",
    en="Discord asks to slow down.",
    zh="Discord 要求放慢速度。",
)
REFUSED = Words(
    ja="Discordに断られました: {code} {why}{more}",
    en="Discord refused: {code} {why}{more}",
    zh="被 Discord 拒绝: {code} {why}{more}",
)
NEEDED = Words(
    ja="（必要な権限: {needed}）", en=" (needs the permission {needed})", zh="（需要权限 {needed}）"
)
BAD_TOKEN = Words(
    ja="Discordのボットトークンが無効です（DISCORD_BOT_TOKEN）。",
    en="Discord does not take the bot's token (DISCORD_BOT_TOKEN).",
    zh="Discord 机器人令牌无效（DISCORD_BOT_TOKEN）。",
)
TOO_MANY = Words(
    ja="Discordに断られた呼び出しが多いため、しばらく控えます。",
    en="Discord refused so many calls that we pause for a while.",
    zh="被 Discord 拒绝的调用过多，暂停一段时间。",
)


class DiscordRefused(Permanent):
    """Discord will not do it; `code` is its own number for why, 0 where it told none."""

    def __init__(self, status: int, code: int, why: str, needed: str = "") -> None:
        more = NEEDED.fill(needed=needed) if needed else ""
        super().__init__(REFUSED.fill(code=code or status, why=why[:200], more=more))
        self.status = status
        self.code = code


class Invalid:
    """Answers that Discord counts against us: beyond 10,000 in ten minutes it shuts the address
    out. Long before that, this process asks for nothing any more until some have passed."""

    def __init__(self, most: int = limits.INVALID_OURS) -> None:
        self._most = most
        self._at: deque[float] = deque()

    def count(self, status: int) -> None:
        """One more of them."""
        INVALID.labels(str(status)).inc()
        self._at.append(time.monotonic())

    def check(self) -> None:
        """Raises TryLater where there were too many of late."""
        while self._at and time.monotonic() - self._at[0] > limits.INVALID_WITHIN:
            self._at.popleft()
        if len(self._at) >= self._most:
            wait = limits.INVALID_WITHIN - (time.monotonic() - self._at[0])
            raise TryLater(TOO_MANY, timedelta(seconds=max(1.0, wait)))


class Api:
    """Discord's API; connected at the first call."""

    def __init__(self, settings: DiscordSettings) -> None:
        self.settings = settings
        self.url = str(settings.api_url).rstrip("/")
        self.invalid = Invalid()
        Route.BASE = self.url  # where discord.py has it; a process speaks to one Discord
        self._http: HTTPClient | None = None
        self._connecting: asyncio.Lock = asyncio.Lock()
        self._me: Mapping[str, Any] | None = None
        self._files: aiohttp.ClientSession | None = None

    async def me(self) -> str:
        """The bot's own user id."""
        await self._client()
        assert self._me is not None  # noqa: S101  # told at the login
        return str(self._me["id"])

    async def call(
        self,
        method: str,
        path: str,
        json: object = None,
        files: Sequence[discord.File] = (),
        *,
        needs: str = "",
        params: Mapping[str, str | int] | None = None,
        **names: str,
    ) -> Any:
        """One call; `needs` is the permission that it takes, to be named where it lacks.

        Raises DiscordRefused, or TryLater where it was not done, OutcomeUnknown where it may be.
        """
        http = await self._client()
        route = Route(method, path, **names)
        more: dict[str, Any] = {"params": dict(params)} if params else {}
        if files:
            form = [{"name": "payload_json", "value": dumps(json)}]
            form += [_file_part(n, file) for n, file in enumerate(files)]
            return await self._meant(http.request(route, files=files, form=form, **more), needs)
        if json is not None:
            more["json"] = json
        return await self._meant(http.request(route, **more), needs)

    async def _client(self) -> HTTPClient:
        self.invalid.check()
        async with self._connecting:
            if self._http is None:
                token = self.settings.bot_token
                assert token is not None  # noqa: S101  # without one there is no way out
                http = HTTPClient(asyncio.get_running_loop())
                http.max_ratelimit_timeout = limits.WAITS_ITSELF
                try:
                    self._me = await self._meant(http.static_login(token.get_secret_value()), "")
                except BaseException:
                    await http.close()
                    raise
                self._http = http
            return self._http

    async def _meant(self, doing: Awaitable[Any], needs: str) -> Any:
        try:
            return await doing
        except discord.LoginFailure as error:
            self.invalid.count(401)
            raise Permanent(BAD_TOKEN) from error
        except discord.RateLimited as error:
            self.invalid.count(429)
            raise SlowDown(SLOW_DOWN, timedelta(seconds=error.retry_after)) from error
        except discord.HTTPException as error:
            if error.status in {401, 403, 429}:
                self.invalid.count(error.status)
            raise meaning(error, needs) from error
        except aiohttp.ClientConnectorError as error:
            raise TryLater(AWAY.fill(why=type(error).__name__)) from error  # it never got there
        except TimeoutError:
            raise
        except (aiohttp.ClientError, OSError) as error:
            raise OutcomeUnknown(AWAY.fill(why=type(error).__name__)) from error

    async def download(self, url: str, most: int) -> bytes:
        """The bytes of a file at Discord. Raises TooLarge, LookupError, Permanent or TryLater."""
        if self._files is None:
            self._files = aiohttp.ClientSession()
        patience = aiohttp.ClientTimeout(
            total=limits.DOWNLOAD_TIMEOUT, sock_read=limits.CALL_TIMEOUT
        )
        try:
            async with self._files.get(url, allow_redirects=False, timeout=patience) as answer:
                if answer.status == 200:
                    return await read_at_most(answer.content.iter_chunked(65_536), most)
                status = answer.status
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise TryLater(AWAY.fill(why=type(error).__name__)) from error
        if status in {403, 404, 410}:
            raise LookupError(url)
        if status == 429 or status >= 500:
            raise TryLater(AWAY.fill(why=f"HTTP {status}"))
        raise DiscordRefused(status, 0, "file")

    async def close(self) -> None:
        """Close the connections."""
        if self._http is not None:
            await self._http.close()
        if self._files is not None:
            await self._files.close()


def _file_part(n: int, file: discord.File) -> dict[str, Any]:
    return {
        "name": f"files[{n}]",
        "value": file.fp,
        "filename": file.filename,
        "content_type": "application/octet-stream",
    }


def meaning(error: discord.HTTPException, needs: str = "") -> MiyabiError:
    """An answer that is no success."""
    if error.status == 401 and not error.code:
        return Permanent(BAD_TOKEN)  # an interaction's token that has ended has a code
    if error.status == 429:
        headers = getattr(error.response, "headers", {})
        wait = str(headers.get("Retry-After") or "")
        seconds = float(wait) if wait.replace(".", "", 1).isdecimal() else 1.0
        return SlowDown(SLOW_DOWN, timedelta(seconds=seconds))
    if error.status >= 500:
        return OutcomeUnknown(AWAY.fill(why=f"HTTP {error.status}"))
    lacks = needs if error.code in {50001, 50013} else ""
    return DiscordRefused(error.status, error.code, error.text or "", lacks)
