"""Calls to Slack's Web API, and what its errors mean for whoever waits."""

from collections.abc import Awaitable, Mapping
from datetime import timedelta
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.slack.limits import CALL_TIMEOUT, DOWNLOAD_TIMEOUT
from core.errors import MiyabiError, OutcomeUnknown, Permanent, SlowDown, TryLater
from core.settings import SlackSettings
from core.streams import read_at_most
from core.words import Words

AWAY = Words(
    ja="Slackに接続できません（{why}）。",
    en="Slack can't be reached ({why}).",
    zh="无法连接 Slack（{why}）。",
)
SLOW_DOWN = Words(
    ja="Slackの利用制限にかかりました。", en="Slack asks to slow down.", zh="Slack 要求放慢速度。"
)
REFUSED = Words(
    ja="Slackに断られました: {code}{more}",
    en="Slack refused: {code}{more}",
    zh="被 Slack 拒绝: {code}{more}",
)
MORE_SCOPE = Words(
    ja="（必要な権限: {needed}。アプリを入れ直してください）",
    en=" (needs the scope {needed}: install the app again)",
    zh="（需要权限 {needed}: 请重新安装应用）",
)

# Answers with HTTP 200 that pass by themselves (docs.slack.dev, errors of each method).
_PASSING = frozenset(
    {
        "accesslimited",
        "fatal_error",
        "internal_error",
        "ratelimited",
        "request_timeout",
        "service_unavailable",
        "team_added_to_org",
    }
)

# Of these Slack says that some aspect of the operation may have succeeded before.
_HALF_DONE = frozenset({"fatal_error", "internal_error"})


class SlackRefused(Permanent):
    """Slack will not do it; `code` is its own word for why."""

    def __init__(self, code: str, needed: str = "") -> None:
        more = MORE_SCOPE.fill(needed=needed) if needed else ""
        super().__init__(REFUSED.fill(code=code, more=more))
        self.code = code


class Api:
    """Slack's Web API over connections that are kept; opened at the first call."""

    def __init__(self, settings: SlackSettings) -> None:
        self.url = settings.api_url
        self._session: aiohttp.ClientSession | None = None
        self._clients: dict[str, AsyncWebClient] = {}

    def client(self, token: str) -> AsyncWebClient:
        """The client that speaks with this token.

        It never tries again by itself: a message whose answer was lost must be looked for first.
        """
        if token not in self._clients:
            self._clients[token] = AsyncWebClient(
                token=token, base_url=self.url, session=self.session(), retry_handlers=[]
            )
        return self._clients[token]

    def visitor(self) -> AsyncWebClient:
        """A client without token and without kept connections: for OAuth, and before the loop."""
        return AsyncWebClient(base_url=self.url, timeout=CALL_TIMEOUT, retry_handlers=[])

    def session(self) -> aiohttp.ClientSession:
        """The connections, for calls beside the API."""
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=CALL_TIMEOUT)
            self._session = aiohttp.ClientSession(timeout=timeout)
        return self._session

    async def put(self, url: str, content: bytes) -> None:
        """Upload a file's bytes to the address that Slack gave. Raises Permanent or TryLater."""
        try:
            async with self.session().post(url, data=content) as answer:
                status = answer.status
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise _away(error) from error
        if status != 200:
            raise _by_status(status, {}) or SlackRefused(f"upload: HTTP {status}")

    async def download(self, url: str, token: str, most: int, scope: str) -> bytes:
        """The bytes of a file, which lies at Slack; no more than `most` of them are read.

        Slack sends whoever has not the right to a page for signing in (docs.slack.dev, working with
        files), which is no file: no redirect is followed, and no page taken. Raises TooLarge,
        LookupError, Permanent with the right that is missing, or TryLater.
        """
        limits = aiohttp.ClientTimeout(total=DOWNLOAD_TIMEOUT, sock_read=CALL_TIMEOUT)
        headers = {"Authorization": f"Bearer {token}"}
        try:
            async with self.session().get(
                url, headers=headers, allow_redirects=False, timeout=limits
            ) as answer:
                if answer.status == 200 and answer.content_type != "text/html":
                    return await read_at_most(answer.content.iter_chunked(65_536), most)
                status, kind = answer.status, answer.content_type
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise _away(error) from error
        if status in {404, 410}:
            raise LookupError(url)
        raise _by_status(status, {}) or SlackRefused(f"file: HTTP {status} {kind}", scope)

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()


async def ask(call: Awaitable[AsyncSlackResponse]) -> Any:
    """Wait for a call of a client; give what Slack says. Raises SlackRefused or TryLater."""
    return (await answer_of(call)).data


async def act(call: Awaitable[AsyncSlackResponse]) -> Any:
    """Wait for a call that must not be made twice; give what Slack says.

    Raises SlackRefused or TryLater where it surely was not done, OutcomeUnknown where it may have
    been, and TimeoutError where it may even still be done.
    """
    try:
        return (await call).data
    except SlackApiError as error:
        meaning = _meaning(error)
        if isinstance(meaning, TryLater) and _may_be_done(error):
            raise OutcomeUnknown(meaning.words) from error
        raise meaning from error
    except aiohttp.ClientConnectorError as error:
        raise _away(error) from error  # it never got there
    except TimeoutError:
        raise
    except (aiohttp.ClientError, OSError) as error:
        raise OutcomeUnknown(_away(error).words) from error


def _may_be_done(error: SlackApiError) -> bool:
    status, code = _status_and_code(error)
    return status >= 500 or code in _HALF_DONE


async def answer_of(call: Awaitable[AsyncSlackResponse]) -> AsyncSlackResponse:
    """The same with the headers. Raises SlackRefused or TryLater."""
    try:
        return await call
    except SlackApiError as error:
        raise _meaning(error) from error
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise _away(error) from error


def _meaning(error: SlackApiError) -> MiyabiError:
    """An answer that is no success."""
    status, code = _status_and_code(error)
    headers: Mapping[str, str] = getattr(error.response, "headers", None) or {}
    passing = _by_status(429 if code == "ratelimited" else status, headers)
    if passing is not None:
        return passing
    if code in _PASSING:
        return TryLater(AWAY.fill(why=code))
    return SlackRefused(code, str(_data(error).get("needed") or ""))


def _status_and_code(error: SlackApiError) -> tuple[int, str]:
    """Of an answer that is no JSON, only the status is known."""
    response = error.response
    status = int(getattr(response, "status_code", 0) or getattr(response, "status", 0))
    return status, str(_data(error).get("error") or f"HTTP {status}")


def _data(error: SlackApiError) -> Mapping[str, Any]:
    data = getattr(error.response, "data", None)
    return data if isinstance(data, dict) else {}


def _by_status(status: int, headers: Mapping[str, str]) -> TryLater | None:
    if status == 429:
        wait = headers.get("Retry-After", "")
        return SlowDown(SLOW_DOWN, timedelta(seconds=int(wait) if wait.isdecimal() else 1))
    if status >= 500:
        return TryLater(AWAY.fill(why=f"HTTP {status}"))
    return None


def _away(error: Exception) -> TryLater:
    return TryLater(AWAY.fill(why=type(error).__name__))
