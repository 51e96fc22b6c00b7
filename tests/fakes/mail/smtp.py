"""The outside mail server: takes what is sent over TLS, if it is as the standards have it.

It can refuse at every stage, say 421, hang, and drop the connection before or after it has taken a
letter.
"""

import asyncio
import datetime
import ipaddress
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.fakes.mail.letters import wrongs

Stage = Literal["MAIL", "RCPT", "DATA", "RSET"]
HANG, DROP, TAKE_AND_DROP = "hang", "drop", "take and drop"


@dataclass(frozen=True, slots=True)
class Received:
    """A letter that was taken."""

    sender: str
    recipient: str
    content: bytes = field(repr=False)
    connection: int
    private: bool
    user: str


@dataclass(slots=True)
class OutsideServer:
    """What it has taken, and what it does next.

    `answers` are given, one each time, at a stage of a letter: an SMTP answer, or HANG, DROP or
    TAKE_AND_DROP (the last of DATA). `wrong`: what of a letter was not as it has to be.
    `password`: what may log in; `tokens`: what may by XOAUTH2.
    """

    host: str = "127.0.0.1"
    port: int = 0
    letters: list[Received] = field(default_factory=list)
    answers: dict[Stage, list[str]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    password: str = "hush"
    tokens: set[str] = field(default_factory=set)
    connections: int = 0
    resets: int = 0
    logins: list[str] = field(default_factory=list)
    open: list[asyncio.Transport] = field(default_factory=list)

    def next(self, stage: Stage) -> str | None:
        waiting = self.answers.get(stage)
        return waiting.pop(0) if waiting else None

    def hang_up(self) -> None:
        """Drop all connections, without a word."""
        for transport in self.open:
            transport.abort()
        self.open.clear()


class _Handler:
    """The hooks of aiosmtpd."""

    def __init__(self, outside: OutsideServer, number: int) -> None:
        self._outside = outside
        self._number = number

    async def _first(self, server: SMTP, stage: Stage) -> str | None:
        answer = self._outside.next(stage)
        if answer == HANG:
            await asyncio.Event().wait()
        if answer == DROP:
            _abort(server)
            return "421 gone"
        return answer

    async def handle_MAIL(  # noqa: N802  # aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = await self._first(server, "MAIL")
        if answer is None:
            envelope.mail_from = address
            envelope.mail_options.extend(options)
        return answer or "250 OK"

    async def handle_RCPT(  # noqa: N802  # likewise
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = await self._first(server, "RCPT")
        if answer is None:
            envelope.rcpt_tos.append(address)
        return answer or "250 OK"

    async def handle_RSET(  # noqa: N802  # likewise
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        self._outside.resets += 1
        return await self._first(server, "RSET") or "250 OK"

    async def handle_DATA(  # noqa: N802  # likewise
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        answer = self._outside.next("DATA")
        if answer in (None, TAKE_AND_DROP):
            self._take(server, session, envelope)
        if answer == HANG:
            await asyncio.Event().wait()
        if answer in {DROP, TAKE_AND_DROP}:
            _abort(server)
            return "421 gone"
        return answer or "250 2.0.0 taken"

    def _take(self, server: SMTP, session: Session, envelope: Envelope) -> None:
        assert server.transport is not None
        private = server.transport.get_extra_info("sslcontext") is not None
        content = envelope.content
        assert isinstance(content, bytes)
        self._outside.wrong += wrongs(content)
        for recipient in envelope.rcpt_tos:
            login = session.auth_data
            user = login if isinstance(login, str) else ""
            received = Received(
                (envelope.mail_from or "").strip("<>"),
                recipient,
                content,
                self._number,
                private,
                user,
            )
            self._outside.letters.append(received)

    async def auth_XOAUTH2(self, server: SMTP, args: list[str]) -> AuthResult:  # noqa: N802
        import base64

        fields = base64.b64decode(args[1]).decode().split("\x01")
        user, token = fields[0].removeprefix("user="), fields[1].removeprefix("auth=Bearer ")
        well = token in self._outside.tokens
        if not well:
            await server.push("535 5.7.8 Bad token")
        self._outside.logins.append(f"{user} xoauth2")
        return AuthResult(success=well, handled=not well, auth_data=user)


def _abort(server: SMTP) -> None:
    transport = server.transport
    assert transport is not None
    transport.abort()


class _Watched(SMTP):
    """Tells of its connection."""

    def __init__(self, outside: OutsideServer, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._outside = outside

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._outside.open.append(transport)
        super().connection_made(transport)


@asynccontextmanager
async def outside_server(
    *, security: Literal["tls", "starttls", "none"] = "starttls"
) -> AsyncIterator[OutsideServer]:
    """The server on a free port of this machine."""
    outside = OutsideServer()
    context = server_context()
    loop = asyncio.get_running_loop()

    def authenticate(
        server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        if not isinstance(data, LoginPassword):
            return AuthResult(success=False, handled=False)
        user = data.login.decode()
        outside.logins.append(f"{user} {mechanism.lower()}")
        well = data.password.decode() == outside.password
        return AuthResult(success=well, handled=False, auth_data=user)

    def connected() -> SMTP:
        outside.connections += 1
        return _Watched(
            outside,
            _Handler(outside, outside.connections),
            hostname="mx.outside.example",
            ident="outside",
            loop=loop,
            authenticator=authenticate,
            auth_require_tls=security == "starttls",
            auth_exclude_mechanism=["LOGIN"],
            require_starttls=security == "starttls",
            tls_context=context if security == "starttls" else None,
        )

    server = await loop.create_server(
        connected, outside.host, 0, ssl=context if security == "tls" else None
    )
    outside.port = server.sockets[0].getsockname()[1]
    try:
        yield outside
    finally:
        server.close()
        outside.hang_up()
        await server.wait_closed()


# Its certificate


@lru_cache(maxsize=1)
def _certificate() -> tuple[bytes, bytes]:
    """A certificate of its own and its key, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=30))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return made.public_bytes(serialization.Encoding.PEM), private


def server_context() -> ssl.SSLContext:
    """TLS of the server."""
    import tempfile

    certificate, key = _certificate()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    with tempfile.NamedTemporaryFile() as file:
        file.write(certificate + key)
        file.flush()
        context.load_cert_chain(file.name)
    return context


def trust_file(folder: Path) -> Path:
    """A file of authorities (SSL_CERT_FILE) by which a client believes the server."""
    path = folder / "outside.pem"
    path.write_bytes(_certificate()[0])
    return path


def certificate_files(folder: Path) -> tuple[Path, Path]:
    """The same certificate and its key, as files for a server of our own."""
    files = (folder / "cert.pem", folder / "key.pem")
    for file, content in zip(files, _certificate(), strict=True):
        file.write_bytes(content)
    return files
