"""Calls to LINE's Messaging API with its SDK, whose errors are told as the house's own.

The SDK is loaded at the first call: it takes a second, and whoever has no LINE does without it.
"""

import asyncio
import importlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import aiohttp

from bot.line.refusals import AWAY, Delivered, LineRefused, ids_of, meaning
from core.errors import OutcomeUnknown, TryLater
from core.settings import LineSettings
from core.streams import read_at_most

if TYPE_CHECKING:
    from linebot.v3.messaging import AsyncApiClient, AsyncMessagingApi, AsyncMessagingApiBlob

T = TypeVar("T")
Json = Mapping[str, Any]

CALL_TIMEOUT = 8.0  # seconds, our own: whoever sends has 15 s, and may need a token first
CONNECT_TIMEOUT = 4.0  # seconds, our own
DOWNLOAD_TIMEOUT = 45.0  # seconds, our own: of one file, within the minute that a step has
CONNECTIONS = 50
STILL_PREPARING = timedelta(seconds=3)
"""LINE answers 202 while a file that was just sent is not ready (get-content of the reference)."""


@dataclass(frozen=True, slots=True)
class Issued:
    """A short-lived access token, and for how long it is one."""

    token: str
    lasts: timedelta


class Api:
    """LINE's API over connections that are kept; opened at the first call.

    Every call is given the token to make it with: many channels share the connections.
    """

    def __init__(self, settings: LineSettings) -> None:
        self._settings = settings
        self._client: AsyncApiClient | None = None
        self._data: AsyncApiClient | None = None
        self._opening = asyncio.Lock()

    # Messages

    async def push(
        self, token: str, to: str, messages: Sequence[Json], key: str
    ) -> tuple[str, ...]:
        """Push one to five messages; gives their ids. The same key is one push, however often:
        one that was accepted before is as good as done, though LINE need not tell its ids.

        Raises TryLater or a LineRefused where it surely was not done, OutcomeUnknown where it may
        have been, TimeoutError where it may still be.
        """
        body = {"to": to, "messages": list(messages)}
        try:
            return await self._send("push", token, body, {"X-Line-Retry-Key": key})
        except Delivered as before:
            return tuple(before.ids)

    async def reply(
        self, token: str, reply_token: str, messages: Sequence[Json]
    ) -> tuple[str, ...]:
        """Answer an event with one to five messages; gives their ids. Raises as `push` does, and
        TokenSpent where the reply token is not taken."""
        body = {"replyToken": reply_token, "messages": list(messages)}
        return await self._send("reply", token, body, {})

    async def _send(self, how: str, token: str, body: Json, headers: Json) -> tuple[str, ...]:
        """The JSON as it was rendered: the SDK's models would be made of it and made JSON again."""
        client = await self._messaging()
        call = client.call_api(
            f"/v2/bot/message/{how}",
            "POST",
            header_params={"Content-Type": "application/json", **headers},
            body=body,
            response_types_map={"200": "object"},
            auth_settings=["Bearer"],
            _request_auth=_bearer(token),
            _request_timeout=_limits(CALL_TIMEOUT),
        )
        answer = await act(call)
        return tuple(ids_of(answer.data))

    # Whatever can be asked again

    async def ask(
        self, token: str, call: Callable[["AsyncMessagingApi", Mapping[str, Any]], Awaitable[T]]
    ) -> T:
        """A call of the SDK's API, which is handed with what every method of it takes.

        Raises a LineRefused or TryLater.
        """
        from linebot.v3.messaging import AsyncMessagingApi

        api = AsyncMessagingApi(await self._messaging())
        return await ask(call(api, _given(token, CALL_TIMEOUT)))

    async def ask_data(
        self, token: str, call: Callable[["AsyncMessagingApiBlob", Mapping[str, Any]], Awaitable[T]]
    ) -> T:
        """The same, of the API for pictures and files."""
        await self._messaging()
        from linebot.v3.messaging import AsyncMessagingApiBlob

        assert self._data is not None  # noqa: S101  # opened with the other
        api = AsyncMessagingApiBlob(self._data)
        return await ask(call(api, _given(token, DOWNLOAD_TIMEOUT)))

    async def issue(self, channel_id: str, secret: str) -> Issued:
        """A stateless token: LINE keeps no count of them, and they last 15 minutes (stateless
        channel access token of the reference). Raises a LineRefused or TryLater."""
        await self.load()
        from linebot.v3.oauth import AsyncApiClient, AsyncChannelAccessToken, Configuration

        configuration = Configuration(host=self._settings.api_url, access_token="")
        async with AsyncApiClient(configuration) as client:
            said = await ask(
                AsyncChannelAccessToken(client).issue_stateless_channel_token(
                    grant_type="client_credentials",
                    client_id=channel_id,
                    client_secret=secret,
                    _request_timeout=_limits(CALL_TIMEOUT),
                )
            )
        return Issued(str(said.access_token), timedelta(seconds=int(said.expires_in)))

    async def download(self, token: str, message_id: str, most: int) -> bytes:
        """What somebody sent as a picture or file; no more than `most` bytes of it are read.

        Raises TooLarge, LookupError where it is there no longer, a LineRefused or TryLater.
        """
        client = await self._messaging()
        session: aiohttp.ClientSession = client.rest_client.pool_manager
        url = f"{self._settings.data_url}/v2/bot/message/{message_id}/content"
        headers = {"Authorization": f"Bearer {token}"}
        try:
            async with session.get(
                url, headers=headers, timeout=_limits(DOWNLOAD_TIMEOUT, CALL_TIMEOUT)
            ) as answer:
                if answer.status == 200:
                    return await read_at_most(answer.content.iter_chunked(65_536), most)
                status, body = answer.status, await answer.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise _away(error) from error
        if status == 202:
            raise TryLater(AWAY.fill(why="HTTP 202"), STILL_PREPARING)
        if status in {404, 410}:
            raise LookupError(message_id)
        refusal = meaning(status, body, answer.headers)
        raise LineRefused(status, "") if isinstance(refusal, Delivered) else refusal

    # Connections

    async def _messaging(self) -> "AsyncApiClient":
        if self._client is None:
            async with self._opening:
                if self._client is None:
                    await self._open()
        assert self._client is not None  # noqa: S101  # just opened
        return self._client

    async def load(self) -> None:
        """Load the SDK, beside the loop."""
        for name in ("linebot.v3.messaging", "linebot.v3.oauth"):
            await asyncio.to_thread(importlib.import_module, name)

    async def _open(self) -> None:
        await self.load()
        from linebot.v3.messaging import AsyncApiClient, Configuration

        def client(url: str) -> AsyncApiClient:
            configuration = Configuration(host=url, access_token="")
            configuration.connection_pool_maxsize = CONNECTIONS
            return AsyncApiClient(configuration)

        self._data = client(self._settings.data_url)
        self._client = client(self._settings.api_url)

    async def close(self) -> None:
        """Close the connections."""
        for client in (self._client, self._data):
            if client is not None:
                await client.close()
        self._client = self._data = None


async def ask(call: Awaitable[T]) -> T:
    """Wait for a call that can be made again. Raises a LineRefused or TryLater."""
    try:
        return await call
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise _away(error) from error
    except Exception as error:
        refusal = _answer(error)
        raise LineRefused(409, "") if isinstance(refusal, Delivered) else refusal from error


async def act(call: Awaitable[T]) -> T:
    """Wait for a call that must have its effect once. Raises as `Api.push` says, or Delivered."""
    try:
        return await call
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
        raise _away(error) from error  # it never got there
    except TimeoutError:
        raise
    except (aiohttp.ClientError, OSError) as error:
        raise OutcomeUnknown(_away(error).words) from error
    except Exception as error:
        refusal = _answer(error)
        if isinstance(refusal, TryLater) and _status(error) in _MAY_BE_DONE:
            raise OutcomeUnknown(refusal.words) from error
        raise refusal from error


_MAY_BE_DONE = frozenset({500, 502, 504})
"""LINE says of 500 that the message may have been delivered (retrying a failed API request); of a
gateway that lost patience nobody knows. 503 is said in place of doing it (RFC 9110, 15.6.4)."""


def _answer(error: Exception) -> LineRefused | TryLater | Delivered | OutcomeUnknown:
    """What LINE said. The SDK has an `ApiException` in each of its packages."""
    status = _status(error)
    if status is None:
        # What came back was not what the SDK reads: whatever was asked may have been done.
        return OutcomeUnknown(AWAY.fill(why=type(error).__name__))
    found = meaning(status, getattr(error, "body", None), getattr(error, "headers", None) or {})
    assert isinstance(found, LineRefused | TryLater | Delivered)  # noqa: S101  # all it gives
    return found


def _status(error: Exception) -> int | None:
    if type(error).__name__ != "ApiException" or not type(error).__module__.startswith("linebot."):
        return None
    status = getattr(error, "status", None)
    return int(status) if status else None


def _bearer(token: str) -> Json:
    return {
        "in": "header",
        "type": "bearer",
        "key": "Authorization",
        "value": f"Bearer {token}",
    }


def _given(token: str, seconds: float) -> Json:
    return {"_request_auth": _bearer(token), "_request_timeout": _limits(seconds)}


def _limits(total: float, quiet: float | None = None) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=total, sock_connect=CONNECT_TIMEOUT, sock_read=quiet)


def _away(error: Exception) -> TryLater:
    return TryLater(AWAY.fill(why=type(error).__name__))
