"""A quote by mail as its people have it: our real processes, a real IMAP server, a real browser."""

import asyncio
import re
import smtplib
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest

from core.settings import Settings
from miyabi.embedded import embedded
from tests.browsers import needs_chromium, phone
from tests.fakes.mail.dovecot import PASSWORD, Dovecot
from tests.fakes.mail.smtp import OutsideServer, outside_server, trust_file
from tests.miyabi import warm
from tests.miyabi.terminal import Terminal, open_terminal

pytestmark = [needs_chromium, pytest.mark.timeout(120)]

ASKER, BOSS = "tanaka@acme.example", "sato@acme.example"
DESK, SHELF = "quote@miyabi.example", "shelf@miyabi.example"
"""Two mailboxes: to one mail is delivered by SMTP, the other is read by IMAP."""
LIST = "商品コード,数量\nMON-27,4\nKB-JP,4\n".encode("cp932")


@dataclass(frozen=True, slots=True)
class Place:
    """The house running, the server outside, and the port on which mail comes in."""

    terminal: Terminal
    outside: OutsideServer
    dovecot: Dovecot
    port: int
    log: Path
    until: float

    async def send(self, mail: EmailMessage) -> None:
        """By the company's mail server, which says whose it is."""
        await asyncio.to_thread(self._send, mail)

    def _send(self, mail: EmailMessage) -> None:
        with smtplib.SMTP("127.0.0.1", self.port) as server:
            server.sendmail(str(mail["From"]), [str(mail["To"])], believed(mail))

    def lay(self, mail: EmailMessage) -> None:
        """Into the mailbox that is read by IMAP, by its provider."""
        with self.dovecot.mailbox(SHELF) as mailbox:
            mailbox.append(believed(mail))

    def check(self) -> None:
        """Nothing may have gone wrong in the processes so far, and none may hang."""
        said = self.log.read_text("utf-8")
        assert time.monotonic() < self.until, said
        assert '"level": "error"' not in said, said

    async def letter(self, to: str, after: int = 0) -> EmailMessage:
        """The next letter to somebody about a task, after so many."""
        while True:
            self.check()
            theirs = [
                message_from_bytes(each.content, EmailMessage, policy=policy.default)
                for each in self.outside.letters
                if each.recipient == to
            ]
            # That their address was linked is told, too.
            theirs = [each for each in theirs if each["Reply-To"] is not None]
            if len(theirs) > after:
                return theirs[after]
            await asyncio.sleep(0.05)


def believed(mail: EmailMessage) -> bytes:
    results = b"Authentication-Results: mx.acme.example; dmarc=pass header.from=acme.example\r\n"
    return results + mail.as_bytes(policy=policy.SMTP)


def written(to: str, subject: str, text: str, message_id: str, sender: str = ASKER) -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"], mail["Message-ID"] = sender, to, subject, message_id
    mail.set_content(text)
    return mail


def text_of(letter: EmailMessage) -> str:
    body = letter.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def documents(letter: EmailMessage) -> list[str]:
    return [
        part.get_filename() or ""
        for part in letter.iter_attachments()
        if part.get_content_type() == "application/pdf" and part.get_content()[:5] == b"%PDF-"
    ]


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@asynccontextmanager
async def open_place(dovecot: Dovecot, folder: Path) -> AsyncIterator[Place]:
    """The house with its sample people and prices; its web and worker run."""
    with (
        open_terminal(running=False) as terminal,
        embedded(Settings(home=terminal.home), durable=False),
    ):
        async with outside_server() as outside:
            web, smtp = _free_port(), _free_port()
            more = {
                "SSL_CERT_FILE": str(trust_file(folder)),
                "MIYABI_PORT": str(web),
                "MIYABI_PUBLIC_URL": f"http://127.0.0.1:{web}",
                "EMAIL_LISTEN_SMTP": str(smtp),
                "EMAIL_SMTP_HOST": "127.0.0.1",
                "EMAIL_SMTP_PORT": str(outside.port),
            }
            await asyncio.to_thread(_set_up, terminal, dovecot, more)
            log, given = terminal.home / "processes.log", terminal.environment(**more)
            processes = [
                await warm.start("miyabi", [role], terminal.home, given, log)
                for role in ("web", "worker")
            ]
            try:
                yield Place(terminal, outside, dovecot, smtp, log, time.monotonic() + 60)
            finally:
                for process in processes:
                    process.terminate()
                for process in processes:
                    await process.wait()
            assert outside.wrong == []


def _set_up(terminal: Terminal, dovecot: Dovecot, more: dict[str, str]) -> None:
    believes = ("--purpose", "quote", "--authserv-id", "mx.acme.example", "--plus")
    imap = ("--imap-host", "127.0.0.1", "--imap-port", str(dovecot.imap), "--user", SHELF)
    commands = (
        ("mail", "box", "add", DESK, *believes),
        ("mail", "box", "add", SHELF, *believes, *imap, "--imap-security", "none"),
        ("people", "link", "tanaka", ASKER),
        ("people", "link", "sato", BOSS),
    )
    for command in commands:
        done = terminal.run(*command, typed=f"{PASSWORD}\n", **more)
        assert done.code == 0, done.err


async def test_a_quote_is_asked_for_approved_in_a_browser_and_mailed_back(
    dovecot: Dovecot, tmp_path: Path
) -> None:
    async with open_place(dovecot, tmp_path) as place:
        # The port is open once the web process is up.
        asked = written(
            DESK, "見積のお願い", "株式会社ABC商事 モニター1台 納期12/25", "<1@acme.example>"
        )
        while True:
            try:
                await place.send(asked)
                break
            except ConnectionRefusedError:
                await asyncio.sleep(0.1)
        drafted, to_decide = await place.letter(ASKER), await place.letter(BOSS)
        address = re.search(r"http://127\.0\.0\.1:\d+/a/\S+", text_of(to_decide))
        assert address is not None
        async with phone() as page:
            await page.goto(f"{address[0]}?l=ja")
            assert "32,800" in await page.locator("main").inner_text()
            await page.get_by_role("button", name="承認する").click()
            await page.get_by_role("status").wait_for()
        result = await place.letter(ASKER, 1)

        assert documents(to_decide)
        assert not documents(drafted)
        assert len(documents(result)) == 1
        assert re.search(r"\[#\d+\] 見積のお願い", result["Subject"])
        assert drafted["In-Reply-To"] == "<1@acme.example>"
        assert result["In-Reply-To"] == drafted["Message-ID"]
        assert result["References"].split() == ["<1@acme.example>", drafted["Message-ID"]]

        # The other mailbox is read by IMAP; what is wanted is a list; the boss is on the train.
        listed = written(SHELF, "見積", "株式会社ABC商事 納期12/25", "<2@acme.example>")
        listed.add_attachment(LIST, "text", "csv", filename="注文.csv")
        place.lay(listed)
        to_decide = await place.letter(BOSS, 1)
        answer = written(
            to_decide["Reply-To"], f"Re: {to_decide['Subject']}", "承認\n\n> 承認のお願い\n",
            "<3@acme.example>", BOSS,
        )  # fmt: skip
        answer["In-Reply-To"] = answer["References"] = to_decide["Message-ID"]
        place.lay(answer)
        confirmed, result = await place.letter(BOSS, 2), await place.letter(ASKER, 3)

        assert "モニター" in text_of(to_decide)
        assert "キーボード" in text_of(to_decide)
        assert "承認" in text_of(confirmed)
        assert len(documents(result)) == 1
        assert result["References"].split()[0] == "<2@acme.example>"
