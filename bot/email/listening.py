"""Mail by SMTP (RFC 5321) and LMTP (RFC 2033): taken for our own addresses, and said to be taken
once it is committed. Who delivers here is the company's own mail server; no strangers are let in.

aiosmtpd speaks the protocol; bot/email/lmtp.py has what it does not do.
"""

import asyncio
import logging
import ssl
from collections.abc import Callable
from functools import partial
from typing import Any, Literal

import structlog
from aiosmtpd.smtp import SMTP, Envelope, Session

from bot.email import boxes
from bot.email.boxes import Box
from bot.email.inbox import Come, store_all
from bot.email.lmtp import Lmtp, Smtp
from core.db import is_outage
from core.errors import MiyabiError
from core.house import House
from core.in_time import within
from core.settings import EmailSettings

log = structlog.get_logger()

By = Literal["smtp", "lmtp"]

_TAKES_WITHIN = 60.0
"""Seconds in which a mail is stored. A client waits for ten minutes (RFC 5321, 4.5.3.2.6)."""
_KNOWS_WITHIN = 10.0  # seconds in which it is known whether an address is one of ours
_SILENT_AT_MOST = 300.0  # seconds (RFC 5321, 4.5.3.2.7)
_CONNECTIONS = 50
_RECIPIENTS = 100  # of a mail (RFC 5321, 4.5.3.1.8)
_BINDS_AGAIN = 5.0  # seconds

TAKEN = "250 2.0.0 Taken"
AWAY = "451 4.3.0 Try again later"
NOT_OURS = "550 5.1.1 No such mailbox here"
TOO_MANY = "452 4.5.3 Too many recipients"


async def listen(house: House, settings: EmailSettings, bound: Callable[[By, int], None]) -> None:
    """Listen on the ports of the settings until cancelled; `bound` is told those that were free."""
    ports: dict[By, int | None] = {"smtp": settings.listen_smtp, "lmtp": settings.listen_lmtp}
    async with asyncio.TaskGroup() as group:
        for by, port in ports.items():
            if port is not None:
                group.create_task(_serve(house, settings, by, port, bound))


async def _serve(
    house: House, settings: EmailSettings, by: By, port: int, bound: Callable[[By, int], None]
) -> None:
    """One port. Where another process has it, until that gives it back."""
    _keep_quiet()
    taking, counted = Taking(house, by), _Counted()
    loop = asyncio.get_running_loop()
    while True:
        try:
            factory = partial(_conversation, taking, settings, _tls(settings), counted)
            server = await loop.create_server(factory, settings.listen_host, port)
        except OSError as error:  # and so is what says that the certificate can't be read
            log.warning("email.not_listening", by=by, port=port, why=str(error))
            await asyncio.sleep(_BINDS_AGAIN)
            continue
        async with server:
            bound(by, server.sockets[0].getsockname()[1])
            log.info("email.listening", by=by, host=settings.listen_host, port=port)
            await server.serve_forever()


def _conversation(
    taking: "Taking", settings: EmailSettings, tls: ssl.SSLContext | None, counted: "_Counted"
) -> SMTP:
    return (Lmtp if taking.by == "lmtp" else Smtp)(
        taking,
        counted,
        data_size_limit=settings.most_bytes,
        enable_SMTPUTF8=True,
        hostname=_hostname(),
        ident="Miyabi",
        tls_context=tls,
        timeout=_SILENT_AT_MOST,
        loop=asyncio.get_running_loop(),
    )


def _tls(settings: EmailSettings) -> ssl.SSLContext | None:
    if settings.listen_cert is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(settings.listen_cert, settings.listen_key)
    return context


class Taking:
    """What aiosmtpd asks (its handler hooks)."""

    def __init__(self, house: House, by: By) -> None:
        self._house = house
        self.by = by

    async def handle_RCPT(  # noqa: N802  # aiosmtpd calls it so
        self, server: Any, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Whether an address is one of ours."""
        if len(envelope.rcpt_tos) >= _RECIPIENTS:
            return TOO_MANY
        try:
            box = await within(_KNOWS_WITHIN, boxes.by_address(self._house, address))
        except Exception as error:
            return _later("rcpt", error)
        if box is None:
            return NOT_OURS
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 OK"

    async def take(self, envelope: Envelope) -> dict[str, str]:
        """Store a mail in the mailbox of each recipient, once; gives what to say of each."""
        said: dict[str, str] = {}
        meant: dict[Any, tuple[Box, list[str]]] = {}
        for address in envelope.rcpt_tos:
            try:
                box = await within(_KNOWS_WITHIN, boxes.by_address(self._house, address))
            except Exception as error:
                said[address] = _later("rcpt", error)
                continue
            if box is None:  # since it was asked for
                said[address] = NOT_OURS
            else:
                meant.setdefault(box.id, (box, []))[1].append(address)
        for box, addresses in meant.values():
            answer = await self._store(box, addresses, envelope)
            said.update(dict.fromkeys(addresses, answer))
        return said

    async def _store(self, box: Box, addresses: list[str], envelope: Envelope) -> str:
        content, sender = envelope.content, envelope.mail_from or ""
        assert isinstance(content, bytes)  # noqa: S101  # decode_data is off
        come = Come(content, envelope_from="" if sender == "<>" else sender, envelope_to=addresses)
        try:
            await within(_TAKES_WITHIN, store_all(self._house, box, [come], came_by=self.by))
        except Exception as error:
            return _later("data", error)
        return TAKEN


def _later(when: str, error: Exception) -> str:
    """The client keeps the mail and tries again, whatever it was: a mail that we can't take in for
    a fault of ours must not go back to who wrote it."""
    foreseen = is_outage(error) or isinstance(error, MiyabiError | TimeoutError)
    log.warning("email.not_taken", when=when, why=repr(error), exc_info=None if foreseen else error)
    return AWAY


class _Counted:
    """How many connections there are."""

    def __init__(self) -> None:
        self.open = 0

    @property
    def full(self) -> bool:
        """Whether there are too many."""
        return self.open > _CONNECTIONS


def _hostname() -> str:
    import socket

    return socket.gethostname()


def _keep_quiet() -> None:
    """aiosmtpd logs every line: addresses, and with `debug` whole mails."""
    logging.getLogger("mail.log").setLevel(logging.WARNING)
