"""One connection to a server that takes our mails (RFC 5321), and what its answers mean.

What matters of every end is whether the mail may have been taken. Until its last line was handed
over it surely was not; after that, only the server's word counts.
"""

import asyncio
import re
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

import aiosmtplib
from aiosmtplib.errors import (
    SMTPAuthenticationError,
    SMTPException,
    SMTPRecipientRefused,
    SMTPResponseException,
    SMTPSenderRefused,
)

from bot.email import wording
from bot.email.boxes import Box, Security, Server
from core.errors import OutcomeUnknown, Permanent, TryLater, Unreachable
from core.settings import EmailSettings
from core.words import Words

CONNECTS_WITHIN = 10.0  # seconds, with the greeting
ANSWERS_WITHIN = 30.0  # seconds, of a command
TAKES_WITHIN = 120.0  # seconds, of a whole mail: scanners look at it while we wait
_MEND_FIRST = timedelta(minutes=5)
"""Until it is tried again where somebody has to mend something."""

_AWAY = 421
_TOO_LARGE = (552, 523)
_LINE_START = re.compile(rb"(?m)^\.")


@dataclass(frozen=True, slots=True)
class Way:
    """The server that a mailbox's letters go out by."""

    box: Box
    host: str
    port: int
    user: str
    security: Security
    oauth2: bool
    password: str = field(default="", repr=False)

    @property
    def key(self) -> tuple[str, int, str, str]:
        """What may share a connection."""
        return self.host, self.port, self.user, self.password


def way_of(box: Box, settings: EmailSettings) -> Way | None:
    """The mailbox's own server, else the one for all; None where there is neither."""
    if box.smtp is not None:
        own: Server = box.smtp
        password = box.secrets.get("smtp_password", "")
        return Way(box, own.host, own.port, own.user, own.security, own.oauth2, password)
    if settings.smtp_host is None:
        return None
    secret = settings.smtp_password
    return Way(
        box,
        settings.smtp_host,
        settings.smtp_port,
        settings.smtp_user,
        settings.smtp_security,
        oauth2=False,
        password=secret.get_secret_value() if secret is not None else "",
    )


class Gone(Exception):
    """The connection is no good any more, and nothing was handed over: another may be."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class RefusedLetter(Unreachable):
    """The server will never take it: the recipient, or what it says. `hard`: there is no such
    address, by its word (5.1.x, 5.2.1, or a bare 550 to RCPT), which counts as a bounce."""

    def __init__(self, words: Words, code: int, status: str, *, hard: bool) -> None:
        super().__init__(words)
        self.code = code
        self.status = status
        self.hard = hard


class Wire:
    """A connection with a login, for one letter at a time."""

    def __init__(self, client: aiosmtplib.SMTP, host: str) -> None:
        self._client = client
        self._host = host
        self.letters = 0
        self.opened = asyncio.get_running_loop().time()

    @property
    def alive(self) -> bool:
        return self._client.is_connected

    async def reset(self) -> None:
        """Begin anew, and find out whether the server is there still. Raises Gone."""
        try:
            await self._client.rset()
        except (SMTPException, OSError, TimeoutError) as error:
            raise Gone(_said(error)) from error

    async def send(
        self,
        sender: str,
        recipient: str,
        content: bytes,
        about_to: Callable[[], Awaitable[None]],
    ) -> str:
        """Hand a letter over; `about_to` is awaited when the server wants its content, the last
        moment at which nothing is sent. Gives the server's words.

        Raises Gone, RefusedLetter, Permanent or TryLater where surely nothing was taken,
        OutcomeUnknown where it may have been.
        """
        self.letters += 1
        try:
            await self._envelope(sender, recipient, len(content))
            await about_to()
            code, words = await self._client.execute_command(b"DATA", timeout=ANSWERS_WITHIN)
            if code != 354:
                raise _refusal(code, words, of="content")
        except (SMTPException, OSError, TimeoutError) as error:
            raise _before(error) from error
        return await self._content(content)

    async def _envelope(self, sender: str, recipient: str, size: int) -> None:
        has_size = self._client.supports_extension("size")
        await self._client.mail(sender, options=[f"SIZE={size}"] if has_size else [])
        await self._client.rcpt(recipient)

    async def _content(self, content: bytes) -> str:
        protocol = self._client.protocol
        if protocol is None:
            raise Gone("the connection was lost")
        ended = content if content.endswith(b"\r\n") else content + b"\r\n"
        try:
            # The library's own way for both halves does not tell which of them was lost.
            protocol.write(_LINE_START.sub(b"..", ended) + b".\r\n")
            code, words = await protocol.read_response(timeout=TAKES_WITHIN)
        except (SMTPException, OSError, TimeoutError) as error:
            self._client.close()
            raise OutcomeUnknown(wording.LOST) from error
        if code == _AWAY:
            self._client.close()
        if code // 100 != 2:  # the first digit counts (RFC 5321, 4.2.1)
            raise _refusal(code, words, of="content")
        return str(words)

    async def close(self) -> None:
        """Say good-bye, if anybody listens."""
        try:
            await self._client.quit(timeout=1)
        except (SMTPException, OSError, TimeoutError):
            self._client.close()

    def drop(self) -> None:
        """Without a word: nobody knows what it would be an answer to."""
        self._client.close()


async def open_wire(
    way: Way, context: ssl.SSLContext, token: Callable[[Box], Awaitable[str]]
) -> Wire:
    """Connect, make it private, log in. Raises TryLater: it is the provider's trouble, or ours with
    it, and says nothing of whom the letter is to."""
    client = aiosmtplib.SMTP(
        hostname=way.host,
        port=way.port,
        use_tls=way.security == "tls",
        start_tls=False,
        tls_context=context,
        timeout=CONNECTS_WITHIN,
        local_hostname=way.box.address.rpartition("@")[2] or None,
    )
    try:
        await client.connect()
        client.timeout = ANSWERS_WITHIN
        await client.ehlo()
        if way.security == "starttls":
            await _start_tls(client, way, context)
        if way.oauth2:
            await client.auth_xoauth2(way.user or way.box.address, await token(way.box))
        elif way.user:
            await client.login(way.user, way.password)
    except SMTPAuthenticationError as error:
        client.close()
        words = wording.NO_LOGIN.fill(host=way.host, why=_said(error))
        raise TryLater(words, _MEND_FIRST) from error
    except (SMTPException, OSError, TimeoutError) as error:
        client.close()
        words = wording.SERVER_AWAY.fill(host=way.host, why=_said(error))
        raise TryLater(words) from error
    except Permanent as error:
        client.close()
        raise TryLater(error.words, _MEND_FIRST) from error
    except BaseException:
        client.close()
        raise
    return Wire(client, way.host)


async def _start_tls(client: aiosmtplib.SMTP, way: Way, context: ssl.SSLContext) -> None:
    """A server that offers none may be somebody in between who took the offer out: no letter and no
    password goes there (RFC 3207, 6)."""
    if not client.supports_extension("starttls"):
        client.close()
        raise TryLater(wording.NO_TLS.fill(host=way.host), _MEND_FIRST)
    await client.starttls(tls_context=context)
    await client.ehlo()


# What an answer means


def _before(error: Exception) -> Exception:
    """An end before the content was handed over."""
    if isinstance(error, SMTPRecipientRefused):
        return _refusal(error.code, error.message, of="recipient")
    if isinstance(error, SMTPSenderRefused):
        return _refusal(error.code, error.message, of="sender")
    if isinstance(error, SMTPResponseException):
        return _refusal(error.code, error.message, of="content")
    return Gone(_said(error))


def _refusal(
    code: int, message: str, *, of: Literal["sender", "recipient", "content"]
) -> Exception:
    why = _line(code, message)
    if code == _AWAY:
        return Gone(why)
    if code < 500:
        return TryLater(wording.LATER.fill(why=why))
    if of == "sender" and code not in _TOO_LARGE:
        # Not of this letter, nor of whom it is to: the provider lets us send nothing.
        return TryLater(wording.REFUSED.fill(why=why), _MEND_FIRST)
    status = status_of(message)
    hard = of == "recipient" and (
        status.startswith("5.1.") or status == "5.2.1" or (not status and code in {550, 551, 553})
    )
    return RefusedLetter(wording.REFUSED.fill(why=why), code, status, hard=hard)


def status_of(message: str) -> str:
    """The enhanced status code in a server's words (RFC 3463); '' where there is none."""
    found = re.search(r"(?<![\d.])[245]\.\d{1,3}\.\d{1,3}(?![\d.])", message)
    return found[0] if found is not None else ""


def _line(code: int, message: str) -> str:
    """A server's words, as they are shown: in one line, and not too many of them."""
    clean = " ".join("".join(c if c.isprintable() else " " for c in message).split())
    return f"{code} {clean}"[:300]


def _said(error: BaseException) -> str:
    if isinstance(error, SMTPResponseException):
        return _line(error.code, error.message)
    return " ".join(str(error).split())[:200] or type(error).__name__
