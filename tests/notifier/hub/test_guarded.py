"""What is posted to an address that somebody typed never goes into our own network."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from ipaddress import IPv4Address, ip_address
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import OutcomeUnknown, Permanent, TryLater, Unreachable
from core.settings import NotifySettings
from notifier.hub import guarded
from notifier.hub.guarded import Reply, allowed, post, refusal, retry_after, wrong_address
from tests.fakes.webhooks.receiver import Answer, Receiver
from tests.notifier.channels.posts import told_as

OPEN = NotifySettings(private_networks=["127.0.0.0/8"], webhook_allow_http=True)
CLOSED = NotifySettings(webhook_allow_http=True)
SOON = timedelta(seconds=10)

PRIVATE = [
    "127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "169.254.169.254",
    "0.0.0.0", "224.0.0.1", "240.0.0.1", "255.255.255.255", "198.18.0.1", "192.0.2.1",  # noqa: S104
    "::", "::1", "fe80::1", "fe80::1%eth0", "fd00:ec2::254", "ff02::1", "fec0::1", "2001:db8::1",
    "::ffff:127.0.0.1", "::ffff:a9fe:a9fe", "::7f00:1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1", "2002:7f00:1::", "2002:a9fe:a9fe::1",
    "2001:0:4136:e378:8000:63bf:80ff:fffe",  # Teredo, of a client at 127.0.0.1
]  # fmt: skip


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as running:
        yield running


@pytest.mark.parametrize("address", PRIVATE)
def test_no_address_of_our_own_is_allowed(address: str) -> None:
    assert not allowed(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2606:4700::1111", "64:ff9b::808:808"])
def test_an_address_of_the_internet_is(address: str) -> None:
    assert allowed(address)


@given(st.ip_addresses(v=4))
def test_an_ipv4_is_worth_the_same_however_it_is_written(address: IPv4Address) -> None:
    for written in (f"::ffff:{address}", f"64:ff9b::{address}"):
        assert allowed(written) == allowed(str(address))
    whole = int(address)
    assert not allowed(str(ip_address(0x2002 << 112 | whole << 80))) or allowed(str(address))


def test_a_network_that_is_named_is_allowed_and_no_other() -> None:
    networks = ["10.1.0.0/16", "fd00::/8"]

    assert allowed("10.1.2.3", networks)
    assert allowed("::ffff:10.1.2.3", networks)
    assert allowed("fd00::1", networks)
    assert not allowed("10.2.0.1", networks)
    with pytest.raises(ValueError, match="nonsense"):
        NotifySettings(private_networks=["nonsense"])


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/", "ftp://example.com/", "https://", "https:///x", "example.com",
        "https://user:pass@example.com/", "https://user@example.com/", "https://a b/",
        "https://example.com:99999/", "https://example.com\\@10.0.0.1/", "https://[::1]/",
        "https://169.254.169.254/latest/meta-data/", "file:///etc/passwd", "https://x\n.example/",
    ],
)  # fmt: skip
def test_what_can_be_no_webhook_is_told_before_it_is_kept(url: str) -> None:
    assert wrong_address(NotifySettings(), url) is not None


def test_an_ordinary_address_is_fine() -> None:
    assert wrong_address(NotifySettings(), "https://hooks.example.com:8443/a?b=c") is None
    assert wrong_address(CLOSED, "http://hooks.example.com/") is None


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f.1", "0177.0.0.1", "[::ffff:127.0.0.1]"],
)
async def test_nothing_reaches_this_machine_however_it_is_written(
    receiver: Receiver, host: str
) -> None:
    with pytest.raises((Permanent, TryLater)):
        await post(CLOSED, f"http://{host}:{receiver.port}/hook", b"{}", _JSON, SOON)

    assert receiver.calls == []


async def test_a_name_that_means_another_address_a_moment_later_is_looked_at_again(
    receiver: Receiver,
) -> None:
    """DNS rebinding: public while it is looked at, private when the socket is opened."""
    with resolving("rebound.example", ["93.184.216.34"], ["127.0.0.1"]):
        assert wrong_address(CLOSED, f"http://rebound.example:{receiver.port}/") is None
        socket.getaddrinfo("rebound.example", receiver.port)
        with pytest.raises(Permanent, match=r"rebound\.example"):
            await post(CLOSED, f"http://rebound.example:{receiver.port}/", b"{}", _JSON, SOON)

    assert receiver.calls == []


async def test_of_several_addresses_only_those_that_are_allowed_are_tried(
    receiver: Receiver,
) -> None:
    """::1 is not allowed here, 127.0.0.1 is."""
    with resolving("both.example", ["::1", "127.0.0.1"]):
        reply = await post(OPEN, f"http://both.example:{receiver.port}/", b"{}", _JSON, SOON)

    assert reply.status == 204


async def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    async with Receiver() as inside:
        receiver.answers = [Answer(307, headers={"Location": inside.url})]
        reply = await post(OPEN, receiver.url, b"{}", _JSON, SOON)

    assert isinstance(refusal(reply), Permanent)
    assert inside.calls == []


async def test_a_proxy_of_the_environment_is_not_used(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", receiver.url)
    monkeypatch.setenv("http_proxy", receiver.url)
    with resolving("gone.example", ["127.0.0.1"]), pytest.raises(TryLater):
        await post(OPEN, f"http://gone.example:{_free_port()}/", b"{}", _JSON, SOON)

    assert receiver.calls == []


async def test_who_hangs_up_leaves_it_open_whether_it_was_done(receiver: Receiver) -> None:
    receiver.answers = [Answer(hang_up=True)]
    with pytest.raises(OutcomeUnknown):
        await post(OPEN, receiver.url, b"{}", _JSON, SOON)


async def test_nobody_is_waited_for_longer_than_said(receiver: Receiver) -> None:
    receiver.waits = asyncio.Event()
    with pytest.raises(TimeoutError):
        await post(OPEN, receiver.url, b"{}", _JSON, timedelta(seconds=0.2))


async def test_a_long_answer_is_read_as_far_as_anybody_reads(receiver: Receiver) -> None:
    receiver.answers = [Answer(200, "x" * 5_000_000)]
    reply = await post(OPEN, receiver.url, b"{}", _JSON, SOON)

    assert len(reply.body) == 16_384


async def test_an_answer_whose_words_never_end_is_one_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(guarded, "READS_WITHIN", 0.1)

    async def trickle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 99\r\n\r\n"
        writer.write(head + b"no gzip")
        await writer.drain()
        await reader.read()  # until whoever called has gone
        writer.close()

    server = await asyncio.start_server(trickle, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        reply = await post(OPEN, f"http://127.0.0.1:{port}/", b"{}", _JSON, SOON)

    assert (reply.status, reply.body) == (200, b"no gzip")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (200, None), (202, None), (204, None), (301, Permanent), (400, Permanent),
        (401, Permanent), (404, Unreachable), (410, Unreachable), (408, TryLater),
        (425, TryLater), (429, TryLater), (500, TryLater), (503, TryLater), (599, TryLater),
    ],
)  # fmt: skip
def test_what_an_answer_means(status: int, kind: type[Exception] | None) -> None:
    found = refusal(Reply(status, {}, b"why\n so"))

    assert found is None if kind is None else told_as(found) is kind


def test_how_long_to_wait_is_read_in_both_forms_and_no_further_than_an_hour() -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
    waits = [
        retry_after(Reply(429, {"retry-after": said}, b""))
        for said in ("7", "", "soon", "9" * 400, "Wed, 21 Oct 2015 07:28:00 GMT", later)
    ]

    assert waits[:5] == [timedelta(seconds=7), None, None, timedelta(hours=1), timedelta(0)]
    assert waits[5] is not None
    assert timedelta(seconds=90) < waits[5] <= timedelta(seconds=100)


_JSON = {"Content-Type": "application/json"}


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
    return port


@contextmanager
def resolving(name: str, *answers: list[str]) -> Iterator[None]:
    """The system's resolver gives a name these addresses, the next each time it is asked."""
    real, left = socket.getaddrinfo, list(answers)

    def getaddrinfo(host: Any, port: Any, *args: Any, **options: Any) -> Any:
        if host != name:
            return real(host, port, *args, **options)
        now = left.pop(0) if len(left) > 1 else left[0]
        return [
            (
                socket.AF_INET6 if ":" in each else socket.AF_INET,
                socket.SOCK_STREAM, socket.IPPROTO_TCP, "",
                (each, port, 0, 0) if ":" in each else (each, port),
            )
            for each in now
        ]  # fmt: skip

    socket.getaddrinfo = getaddrinfo
    try:
        yield
    finally:
        socket.getaddrinfo = real
