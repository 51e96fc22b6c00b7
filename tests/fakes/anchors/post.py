"""A mail server with one mailbox, which can be away and ask for a password."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


@dataclass(slots=True)
class Mailbox:
    """What came, as it came. `away` refuses what comes, by 451; with `password` each has to log in,
    and a wrong one is repeated in the refusal."""

    host: str = ""
    port: int = 0
    mails: list[bytes] = field(default_factory=list)
    away: bool = False
    password: str | None = None

    @property
    def messages(self) -> list[EmailMessage]:
        found = [message_from_bytes(mail, policy=policy.default) for mail in self.mails]
        return [each for each in found if isinstance(each, EmailMessage)]

    async def handle_DATA(  # noqa: N802  # aiosmtpd wants this name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        if self.away:
            return "451 try again later"
        assert isinstance(envelope.content, bytes)
        self.mails.append(envelope.content)
        return "250 taken"

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: Any
    ) -> AuthResult:
        assert isinstance(given, LoginPassword)
        said = given.password.decode()
        if said == self.password:
            return AuthResult(success=True)
        return AuthResult(success=False, handled=False, message=f"535 5.7.8 not {said}")


@contextmanager
def receiving(password: str | None = None) -> Iterator[Mailbox]:
    """At a free port."""
    mailbox = Mailbox(password=password)
    controller = _AtAnyPort(
        mailbox,
        hostname="127.0.0.1",
        port=0,
        authenticator=mailbox.authenticate,
        auth_required=password is not None,
        auth_require_tls=False,
    )
    controller.start()
    try:
        mailbox.host, mailbox.port = controller.server.sockets[0].getsockname()[:2]
        yield mailbox
    finally:
        controller.stop()


class _AtAnyPort(Controller):
    """aiosmtpd's own greets itself at the port it was given, which for a free one is 0."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()
