"""An auditor's mailbox: each mail has a checkpoint, the proof from the one before, a time stamp.

What was sent once is in somebody else's mailbox, and nobody gets it back out of there. The
Message-ID is made of the checkpoint: the same one sent again is the same mail.
"""

import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from hashlib import sha256
from typing import Literal

import aiosmtplib

from audit.anchors import AnchorAway, Parcel, Receipt

_SECONDS = 15.0

Security = Literal["tls", "starttls", "none"]


@dataclass(frozen=True, slots=True)
class Mail:
    """The server that takes mails, and from whom to whom they go: one mailbox, or a list."""

    host: str
    port: int
    security: Security
    sender: str
    to: str
    user: str | None = None
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Letter:
    """What a person reads of a mail."""

    subject: str
    body: str


class MailAnchor:
    """One mail a checkpoint."""

    name = "mail"
    each = False
    stamps = False
    patience = 60.0

    def __init__(
        self,
        mail: Mail,
        words: Callable[[Parcel], Letter],
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """`tls`: whose certificates are believed, where not those that the machine believes."""
        self._mail = mail
        self._words = words
        self._tls = tls

    async def put(self, parcel: Parcel) -> Receipt:
        """Send it; it is kept once the mail server has taken it."""
        message = self._message(parcel)
        mail = self._mail
        try:
            await aiosmtplib.send(
                message,
                hostname=mail.host,
                port=mail.port,
                username=mail.user,
                password=mail.password,
                use_tls=mail.security == "tls",
                start_tls=mail.security == "starttls",
                tls_context=self._tls,
                timeout=_SECONDS,
            )
        except aiosmtplib.SMTPResponseException as error:
            # Not what the server says: it may repeat what it was told.
            raise AnchorAway(f"the mail server answered {error.code}") from error
        except (aiosmtplib.SMTPException, ValueError) as error:
            raise AnchorAway(f"the mail was not sent: {type(error).__name__}") from error
        return Receipt(str(message["Message-ID"]))

    def _message(self, parcel: Parcel) -> EmailMessage:
        newest = parcel.newest
        said = self._words(parcel)
        mark = sha256(b"%s\n%d\n%s" % (parcel.origin.encode(), newest.size, newest.root))
        message = EmailMessage()
        message["Message-ID"] = f"<{mark.hexdigest()}@{_domain(self._mail.sender)}>"
        message["Date"] = format_datetime(datetime.now(UTC))
        message["Subject"] = said.subject
        message["From"] = self._mail.sender
        message["To"] = self._mail.to
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(said.body, cte="base64")
        for name, content in parcel.files().items():
            # As bytes: a text's line ends may be changed on its way, and then no signature fits.
            message.add_attachment(
                content, maintype="application", subtype="octet-stream", filename=name
            )
        return message


def _domain(sender: str) -> str:
    return parseaddr(sender)[1].rpartition("@")[2]
