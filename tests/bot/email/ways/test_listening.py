"""Mail is taken by SMTP and LMTP for our own addresses, and said to be taken when it is stored."""

import asyncio
import smtplib
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest

from bot.email import listening
from bot.email.listening import By
from core.db import create_engine
from core.house import House
from core.settings import EmailSettings
from tests.bot.email.ways.conftest import ADDRESS, Post, seen
from tests.fakes.mail.smtp import certificate_files

RAW = (
    b"From: a@example.jp\r\nSubject: \xe6\xb3\x95\r\n\r\n"
    b".\r\n..two\r\n\x1b$B\x00\xff\r\nbare\nand\rmore\r\n"
)
OTHER = "info@miyabi.example"
T = TypeVar("T")


@asynccontextmanager
async def ports(house: House, **settings: Any) -> AsyncIterator[dict[By, int]]:
    """Listening; gives the ports."""
    given = EmailSettings(listen_smtp=0, listen_lmtp=0, **settings)
    bound: dict[By, int] = {}

    def note(by: By, port: int) -> None:
        bound[by] = port

    listens = asyncio.create_task(listening.listen(house, given, note))
    try:
        await seen(lambda: len(bound) == 2)
        yield bound
    finally:
        listens.cancel()
        await asyncio.gather(listens, return_exceptions=True)


async def over(client: type[smtplib.SMTP], port: int, talk: Callable[[smtplib.SMTP], T]) -> T:
    """What comes of a conversation with a client of the standard library."""

    def converse() -> T:
        with client("127.0.0.1", port) as opened:
            opened.ehlo_or_helo_if_needed()
            return talk(opened)

    return await asyncio.to_thread(converse)


def _send(*to: str, raw: bytes = RAW, sender: str = "a@example.jp") -> Callable[..., Any]:
    return lambda client: client.sendmail(sender, list(to), raw)


async def test_a_mail_by_smtp_is_stored_byte_by_byte(post: Post) -> None:
    async with ports(post.house) as bound:
        refused = await over(smtplib.SMTP, bound["smtp"], _send("Quote+tag@Miyabi.Example"))

    assert refused == {}
    assert await post.contents() == [RAW]
    [row] = await post.rows("select came_by, envelope_from, envelope_to, mailbox_id from mails")
    assert tuple(row) == ("smtp", "a@example.jp", ["Quote+tag@Miyabi.Example"], post.box.id)


async def test_each_mailbox_has_its_own_however_many_of_its_addresses_are_named(post: Post) -> None:
    other = await post.another_box(OTHER)
    to = (ADDRESS, "quote+1@miyabi.example", OTHER, "nobody@miyabi.example")
    async with ports(post.house) as bound:
        refused = await over(smtplib.SMTP, bound["smtp"], _send(*to))

    assert {address: code for address, (code, _) in refused.items()} == {to[3]: 550}
    rows = await post.rows("select mailbox_id, envelope_to from mails")
    assert {row.mailbox_id: row.envelope_to for row in rows} == {
        post.box.id: list(to[:2]),
        other.id: [OTHER],
    }


async def test_a_mailbox_without_tags_has_one_address(post: Post) -> None:
    await post.another_box(OTHER, plus=False)
    async with ports(post.house) as bound:
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            await over(smtplib.SMTP, bound["smtp"], _send("info+1@miyabi.example"))


async def test_addresses_of_any_bytes_are_nobodys(post: Post) -> None:
    lines = await _by_hand(
        post.house,
        "smtp",
        b"EHLO x\r\nMAIL FROM:<\xff@\xe6\xb3\x95.jp>\r\n",
        b"RCPT TO:<\xff@miyabi.example>\r\nRCPT TO:<a\0b@miyabi.example>\r\n",
        b'RCPT TO:<"a b"@miyabi.example>\r\nRCPT TO:<@a,@b:quote@miyabi.example>\r\n',
        b"RCPT TO:<quote@miyabi.example>\r\nDATA\r\nhi\r\n.\r\nQUIT\r\n",
    )

    codes = [line[:3] for line in lines if line[3:4] == b" "][3:]
    assert set(codes[:4]) <= {b"550", b"553", b"501", b"250"}
    assert codes[4:] == [b"250", b"354", b"250", b"221"]
    [row] = await post.rows("select envelope_from from mails")
    assert row.envelope_from == "?@法.jp"


async def test_a_bounce_has_no_return_path(post: Post) -> None:
    async with ports(post.house) as bound:
        await over(smtplib.SMTP, bound["smtp"], _send(ADDRESS, sender=""))
        await over(
            smtplib.LMTP, bound["lmtp"], _send(ADDRESS, raw=b"Subject: x\r\n\r\n", sender="")
        )

    rows = await post.rows("select envelope_from from mails")
    assert [row.envelope_from for row in rows] == ["", ""]


async def test_a_mail_that_is_too_large_is_refused_before_and_after_it_is_sent(post: Post) -> None:
    def announce(client: smtplib.SMTP) -> int:
        return client.mail("a@example.jp", [f"size={5000}"])[0]

    large = b"Subject: x\r\n\r\n" + b"x" * 5000 + b"\r\n"
    async with ports(post.house, most_bytes=4096) as bound:
        announced = await over(smtplib.SMTP, bound["smtp"], announce)
        with pytest.raises(smtplib.SMTPDataError) as refused:
            await over(smtplib.SMTP, bound["smtp"], _silently(large))

    assert (announced, refused.value.smtp_code) == (552, 552)
    assert await post.contents() == []


def _silently(raw: bytes) -> Callable[[smtplib.SMTP], Any]:
    """Without telling the size beforehand."""

    def talk(client: smtplib.SMTP) -> None:
        client.mail("a@example.jp")
        client.rcpt(ADDRESS)
        code, said = client.data(raw)
        if code != 250:
            raise smtplib.SMTPDataError(code, said)

    return talk


async def test_lines_of_any_length_are_taken(post: Post) -> None:
    long = b"Subject: x\r\n\r\n" + b"." + b"x" * 300_000 + b"\r\n.\r\nend\r\n"
    async with ports(post.house) as bound:
        await over(smtplib.SMTP, bound["smtp"], _send(ADDRESS, raw=long))

    assert await post.contents() == [long]


async def test_lmtp_answers_for_each_recipient_by_itself(post: Post) -> None:
    """RFC 2033, 4.2: as many answers after the data as recipients were taken."""
    await post.another_box(OTHER)
    lines = await _by_hand(
        post.house,
        "lmtp",
        b"LHLO x\r\n",
        b"MAIL FROM:<a@example.jp>\r\n",
        b"RCPT TO:<quote@miyabi.example>\r\n",
        b"RCPT TO:<nobody@miyabi.example>\r\n",
        b"RCPT TO:<info@miyabi.example>\r\n",
        b"DATA\r\n",
        b"Subject: x\r\n\r\nhi\r\n.\r\n",
        b"EHLO x\r\nQUIT\r\n",
    )

    codes = [line[:4] for line in lines if line[3:4] == b" "]
    assert codes[2:] == [
        b"250 ", b"250 ", b"550 ", b"250 ", b"354 ", b"250 ", b"250 ", b"500 ", b"221 ",
    ]  # fmt: skip
    assert len(await post.contents()) == 2


async def test_only_a_dot_between_two_full_ends_of_line_ends_a_mail(post: Post) -> None:
    """Or a second mail could be smuggled in inside of the first one."""
    smuggled = b"Subject: x\r\n\r\nhi\n.\nMAIL FROM:<b@x>\r\n\n.\r\nhi\r\n.\nno\r\r\n.\r\r\n..\r\n"
    lines = await _by_hand(
        post.house,
        "smtp",
        b"EHLO x\r\nMAIL FROM:<a@example.jp>\r\nRCPT TO:<quote@miyabi.example>\r\nDATA\r\n",
        smuggled + b".\r\nQUIT\r\n",
    )

    assert lines[-1].startswith(b"221 ")
    [stored] = await post.contents()
    assert stored == smuggled.replace(b"\r\n.\n", b"\r\n\n").replace(
        b"\r\n.\r\r", b"\r\n\r\r"
    ).replace(b"\r\n..\r\n", b"\r\n.\r\n")


async def _by_hand(house: House, by: By, *said: bytes) -> list[bytes]:
    """What is answered to these bytes, until the line is closed."""
    async with ports(house) as bound, asyncio.timeout(20):
        reader, writer = await asyncio.open_connection("127.0.0.1", bound[by])
        for each in said:
            writer.write(each)
        lines = (await reader.read()).split(b"\r\n")[:-1]
        writer.close()
    return lines


async def test_a_mail_that_breaks_off_is_no_mail(post: Post) -> None:
    async with ports(post.house) as bound:
        _, writer = await asyncio.open_connection("127.0.0.1", bound["smtp"])
        writer.write(
            b"EHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<quote@miyabi.example>\r\nDATA\r\nhi\r\n"
        )
        await writer.drain()
        writer.close()
        await over(smtplib.SMTP, bound["smtp"], _send(ADDRESS))

    assert len(await post.contents()) == 1


async def test_where_the_database_is_away_the_mail_is_to_come_again(
    post: Post, tmp_path: Path
) -> None:
    nowhere = create_engine(f"postgresql+asyncpg://nobody@/nothing?host={tmp_path}")
    away = replace(post.house, engine=nowhere)
    async with ports(away) as bound:
        with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
            await over(smtplib.SMTP, bound["smtp"], _send(ADDRESS))
    assert {code for code, _ in refused.value.recipients.values()} == {451}

    house = replace(post.house)
    async with ports(house) as bound:

        def lose_it(client: smtplib.SMTP) -> int:
            client.mail("a@example.jp")
            client.rcpt(ADDRESS)
            object.__setattr__(house, "engine", nowhere)
            return client.data(RAW)[0]

        assert await over(smtplib.SMTP, bound["smtp"], lose_it) == 451
        assert await over(smtplib.LMTP, bound["lmtp"], lambda client: client.noop()[0]) == 250
    await nowhere.dispose()
    assert await post.contents() == []


async def test_there_is_an_end_to_how_many_may_talk_at_once(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "_CONNECTIONS", 1)
    async with ports(post.house) as bound:
        first, writer = await asyncio.open_connection("127.0.0.1", bound["smtp"])
        assert (await first.readline()).startswith(b"220 ")
        second, other = await asyncio.open_connection("127.0.0.1", bound["smtp"])
        assert (await second.read()).startswith(b"421 ")
        other.close()
        writer.write(b"QUIT\r\n")
        assert (await first.read()).startswith(b"221 ")
        writer.close()

        async with asyncio.timeout(20):
            while not await _is_let_in(bound["smtp"]):  # noqa: ASYNC110  # nothing tells
                await asyncio.sleep(0.01)


async def _is_let_in(port: int) -> bool:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    said = await reader.readline()
    writer.close()
    return said.startswith(b"220 ")


async def test_starttls_is_offered_where_there_is_a_certificate(post: Post, tmp_path: Path) -> None:
    cert, key = certificate_files(tmp_path)

    def talk(client: smtplib.SMTP) -> Any:
        client.starttls(context=ssl.create_default_context(cafile=str(cert)))
        return client.sendmail("a@example.jp", [ADDRESS], RAW)

    async with ports(post.house, listen_cert=cert, listen_key=key) as bound:
        await over(smtplib.SMTP, bound["smtp"], talk)

    assert len(await post.contents()) == 1


async def test_a_port_that_another_process_has_is_taken_when_it_is_free(post: Post) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        bound: list[int] = []
        settings = EmailSettings(listen_lmtp=port)
        pause = listening._BINDS_AGAIN
        listening._BINDS_AGAIN = 0.05
        listens = asyncio.create_task(
            listening.listen(post.house, settings, lambda _, port: bound.append(port))
        )
        await asyncio.sleep(0.1)
        assert not bound
    await seen(lambda: bound == [port])
    listening._BINDS_AGAIN = pause
    listens.cancel()
    await asyncio.gather(listens, return_exceptions=True)
