"""HTTP to addresses that somebody typed in: never into our own network, wherever a name leads.

What a name resolves to is looked at when the socket is opened to it: a name that means another
address a moment later is looked at again, and so is an address that was written as a number.
Redirects are not followed. `notify.private_networks` says which networks are allowed all the same.
"""

import asyncio
import contextlib
import ipaddress
import socket
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from core.errors import MiyabiError, OutcomeUnknown, Permanent, SlowDown, TryLater, Unreachable
from core.settings import NotifySettings
from core.words import Words

CONNECT_WITHIN = 5.0
"""Seconds."""
MOST_READ = 16_384
"""Bytes of an answer; whatever comes after them nobody reads."""
READS_WITHIN = 2.0
"""Seconds for the words of an answer whose status is there; nobody waits for what trickles in."""
_LONGEST_WAIT = timedelta(hours=1)

NOT_ALLOWED = Words(
    ja="{host} は社内または予約済みのアドレスなので、送信しません"
    "（許可する場合は notify.private_networks）。",
    en="{host} is an address of our own network or a reserved one, and nothing is sent there "
    "(notify.private_networks allows some).",
    zh="{host} 属于内网或保留地址，不会发送（可用 notify.private_networks 放行）。",
)
NO_ADDRESS = Words(
    ja="アドレスは https:// で始めてください（ユーザー名やパスワードは含めません）。",
    en="An address begins with https:// and holds no user name or password.",
    zh="地址必须以 https:// 开头，且不含用户名或密码。",
)
_AWAY = Words(
    ja="相手のサーバーに接続できません（{why}）。",
    en="The other side can't be reached ({why}).",
    zh="无法连接对方服务器（{why}）。",
)
_LOST = Words(
    ja="応答がないまま接続が切れました（{why}）。",
    en="The connection broke off before there was an answer ({why}).",
    zh="连接在收到回应前中断（{why}）。",
)
_REDIRECT = Words(
    ja="別のアドレスへの転送（HTTP {status}）には従いません。新しいアドレスを設定してください。",
    en="It points to another address (HTTP {status}), which is not followed. Set the new one.",
    zh="对方要求跳转（HTTP {status}），不会跟随。请设置新地址。",
)
GONE = Words(
    ja="送信先がありません（HTTP {status}）。",
    en="There is nothing at that address any more (HTTP {status}).",
    zh="目标已不存在（HTTP {status}）。",
)
BUSY = Words(
    ja="相手のサーバーが混雑または停止しています（HTTP {status}）。",
    en="The other side is busy or down (HTTP {status}).",
    zh="对方服务器繁忙或停机（HTTP {status}）。",
)
REFUSED = Words(
    ja="相手のサーバーが受け付けません（HTTP {status}）。{why}",
    en="The other side does not take it (HTTP {status}). {why}",
    zh="对方服务器拒绝接收（HTTP {status}）。{why}",
)

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# IPv6 that leads to an IPv4: its last 32 bits (RFC 6052, 2.1; RFC 4291, 2.5.5.1).
_EMBEDDING = tuple(ipaddress.ip_network(net) for net in ("64:ff9b::/96", "::/96"))
# Neither is an address of anybody's in the internet (RFC 8215; RFC 3879).
_LOCAL = tuple(ipaddress.ip_network(net) for net in ("64:ff9b:1::/48", "fec0::/10"))


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back; header names in small letters."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def text(self) -> str:
        """The beginning of what it says, on one line."""
        return " ".join(self.body[:2000].decode("utf-8", "replace").split())[:200]


class _NotAllowed(OSError):
    """A socket would have been opened to an address that is not allowed."""


def wrong_address(settings: NotifySettings, url: str) -> Words | None:
    """What is wrong with an address as it is written; where it leads is looked at later."""
    schemes = {"https", "http"} if settings.webhook_allow_http else {"https"}
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return NO_ADDRESS
    if parts.scheme not in schemes or not host or parts.username or parts.password:
        return NO_ADDRESS
    if any(ord(char) <= 32 or char == "\\" for char in url):
        return NO_ADDRESS
    with contextlib.suppress(ValueError):
        if not allowed(host, settings.private_networks):
            return NOT_ALLOWED.fill(host=host)
    return None


def allowed(address: str, networks: Iterable[str] = ()) -> bool:
    """Whether a socket may be opened to an address. Raises ValueError where it is none."""
    found = ipaddress.ip_address(address.partition("%")[0])
    ours = _networks(tuple(networks))
    meant = [found, *_inner(found)]
    if any(each in net for each in meant for net in ours if net.version == each.version):
        return True
    return all(_public(each) for each in meant)


def _public(address: Address) -> bool:
    local = any(address in net for net in _LOCAL if net.version == address.version)
    return address.is_global and not address.is_multicast and not local


def _inner(address: Address) -> Sequence[Address]:
    """The IPv4 addresses that an IPv6 one leads to."""
    if isinstance(address, ipaddress.IPv4Address):
        return ()
    found: list[Address] = []
    if address.ipv4_mapped is not None:
        found.append(address.ipv4_mapped)
    if address.sixtofour is not None:
        found.append(address.sixtofour)
    if address.teredo is not None:
        found.extend(address.teredo)
    if any(address in net for net in _EMBEDDING):
        found.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return found


@lru_cache(maxsize=16)
def _networks(networks: tuple[str, ...]) -> Sequence[Network]:
    return tuple(ipaddress.ip_network(each, strict=False) for each in networks)


async def post(
    settings: NotifySettings,
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    within: timedelta,
) -> Reply:
    """Post it, and give what was answered, whatever that is.

    Raises Permanent where the address is not allowed, TryLater where there is no connection (so
    nothing was done), OutcomeUnknown where it broke off, TimeoutError where no answer came in time.
    """
    refused: list[str] = []
    connector = aiohttp.TCPConnector(
        socket_factory=_opener(settings.private_networks, refused), force_close=True
    )
    limits = aiohttp.ClientTimeout(
        total=within.total_seconds(), connect=CONNECT_WITHIN, sock_connect=CONNECT_WITHIN
    )
    try:
        async with (
            aiohttp.ClientSession(
                connector=connector, timeout=limits, trust_env=False, auto_decompress=False
            ) as session,
            session.post(
                url,
                data=body,
                headers={"User-Agent": "Miyabi", "Accept-Encoding": "identity", **headers},
                allow_redirects=False,
            ) as answer,
        ):
            said = {name.lower(): value for name, value in answer.headers.items()}
            return Reply(answer.status, said, await _beginning(answer))
    except (aiohttp.InvalidURL, ValueError) as error:
        raise Permanent(NO_ADDRESS) from error
    except aiohttp.ConnectionTimeoutError as error:
        raise TryLater(_AWAY.fill(why=_name(error))) from error
    except aiohttp.ClientConnectorError as error:
        if refused:
            host = urlsplit(url).hostname
            raise Permanent(NOT_ALLOWED.fill(host=host)) from error
        raise TryLater(_AWAY.fill(why=_name(error))) from error
    except (aiohttp.ClientError, ConnectionError) as error:
        raise OutcomeUnknown(_LOST.fill(why=_name(error))) from error


def _opener(networks: Sequence[str], refused: list[str]) -> Any:
    def open_socket(info: Any) -> socket.socket:
        family, kind, protocol, _, address = info
        if not allowed(str(address[0]), networks):
            refused.append(str(address[0]))
            raise _NotAllowed(f"{address[0]} is not allowed")
        return socket.socket(family=family, type=kind, proto=protocol)

    return open_socket


async def _beginning(answer: aiohttp.ClientResponse) -> bytes:
    """As much of it as anybody reads. That the rest is late or lost says nothing about what was
    done."""
    read = b""
    with contextlib.suppress(aiohttp.ClientError, asyncio.TimeoutError, ConnectionError):
        async with asyncio.timeout(READS_WITHIN):
            while part := await answer.content.read(MOST_READ - len(read)):
                read += part
    return read


def _name(error: Exception) -> str:
    """What went wrong in a word; the address itself may be a secret."""
    inner = getattr(error, "os_error", None)
    return type(inner or error).__name__


# What an answer means


def refusal(reply: Reply) -> MiyabiError | None:
    """What a status means for whoever sent; None where it was taken.

    404 and 410 end the address (Standard Webhooks asks for that with 410); what is said to be for
    now, and faults of the server, are tried again.
    """
    status = reply.status
    if 200 <= status < 300:
        return None
    if 300 <= status < 400:
        return Permanent(_REDIRECT.fill(status=status))
    if status in {404, 410}:
        return Unreachable(GONE.fill(status=status))
    if status in {408, 425, 429} or status >= 500:
        return busy(reply, status)
    return Permanent(REFUSED.fill(status=status, why=reply.text()))


def busy(reply: Reply, status: int) -> TryLater:
    """It is too much for the other side just now; where it says for how long, all keep to that."""
    after = retry_after(reply)
    kind = TryLater if after is None else SlowDown
    return kind(BUSY.fill(status=status), after)


def retry_after(reply: Reply) -> timedelta | None:
    """How long the other side asks to be left alone (RFC 9110, 10.2.3), an hour at most."""
    said = reply.headers.get("retry-after", "").strip()
    if said.isdigit():
        return min(timedelta(seconds=min(int(said), 10**6)), _LONGEST_WAIT)
    with contextlib.suppress(ValueError):
        moment = parsedate_to_datetime(said)
        wait = moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)
        return min(max(wait, timedelta(0)), _LONGEST_WAIT)
    return None
