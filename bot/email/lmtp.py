"""What aiosmtpd's SMTP and LMTP leave out: an answer for each recipient (RFC 2033, 4.2), a mail
with lines of any length in bounded memory, a limit of connections.

A line over 998 bytes is against RFC 5322, and comes nevertheless: in HTML of newsletters and of
programs. What counts is the size of the whole.
"""

import asyncio
from typing import Any, Protocol

from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope

_BUSY = b"421 4.3.2 Too many connections\r\n"
_TOO_LARGE = "552 5.3.4 The mail is too large"
_READ_AT_ONCE = 64 * 1024  # bytes of a line


class Takes(Protocol):
    """What the mails are handed to; it says for each recipient what became of it."""

    async def take(self, envelope: Envelope) -> dict[str, str]: ...


class Counts(Protocol):
    """The connections of a port."""

    open: int

    @property
    def full(self) -> bool: ...


class Smtp(SMTP):
    """One answer for all recipients: what was not taken for each of them is to come again. For
    whom it was stored before, that is the same mail once more."""

    line_length_limit = _READ_AT_ONCE

    def __init__(self, takes: Takes, counts: Counts, **options: Any) -> None:
        super().__init__(takes, **options)
        self._takes = takes
        self._counts = counts
        self._counted = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count it, once: with STARTTLS this is called twice."""
        if not self._counted:
            self._counted = True
            self._counts.open += 1
        super().connection_made(transport)
        if self._counts.full and isinstance(transport, asyncio.WriteTransport):
            transport.write(_BUSY)
            transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        """It is one less."""
        if self._counted:
            self._counted = False
            self._counts.open -= 1
        super().connection_lost(error)

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802  # aiosmtpd finds it by its name
        """Take a mail."""
        if await self.check_helo_needed():
            return
        envelope = self.envelope
        if envelope is None or not envelope.rcpt_tos:
            await self.push("503 5.5.1 Error: need RCPT command")
            return
        if arg:
            await self.push("501 5.5.4 Syntax: DATA")
            return
        await self.push("354 End data with <CR><LF>.<CR><LF>")
        content = await self._content()
        recipients = list(envelope.rcpt_tos)
        if content is None:
            said = dict.fromkeys(recipients, _TOO_LARGE)
        else:
            envelope.content = content
            said = await self._takes.take(envelope)
        self._set_post_data_state()  # type: ignore[no-untyped-call]
        await self._answer([said[each] for each in recipients])

    async def _answer(self, each: list[str]) -> None:
        await self.push(next((said for said in each if said[0] != "2"), each[0]))

    async def _content(self) -> bytes | None:
        """The mail, without the dots that were put before others (RFC 5321, 4.5.2); None where it
        is too large, when all of it has been sent. Only CR LF . CR LF ends it: whoever takes less
        for an end lets one mail carry another inside."""
        pieces: list[bytes] = []
        size, begins = 0, True
        while True:
            try:
                piece = await self._reader.readuntil(b"\r\n")
            except asyncio.LimitOverrunError as error:
                piece = await self._reader.read(error.consumed)
            if begins and piece == b".\r\n":
                break
            if begins and piece.startswith(b"."):
                piece = piece[1:]
            begins = piece.endswith(b"\r\n")
            size += len(piece)
            if self.data_size_limit is not None and size > self.data_size_limit:
                pieces.clear()
            else:
                pieces.append(piece)
        too_large = self.data_size_limit is not None and size > self.data_size_limit
        return None if too_large else b"".join(pieces)


class Lmtp(Smtp, LMTP):
    """An answer for each recipient, in the order in which they were named."""

    async def _answer(self, each: list[str]) -> None:
        for said in each:
            await self.push(said)
