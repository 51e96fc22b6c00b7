"""A mail as it was read: what its bytes say, believed in nothing yet."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Kind = Literal[
    "human", "bulk", "list", "auto_reply", "auto", "bounce", "dsn_success", "mdn", "arf",
    "calendar", "encrypted",
]  # fmt: skip
"""`human` is a person's mail, and so is `calendar`, an invitation. `bulk` is a newsletter without
the header of a list, `auto` a program's, `mdn` a read receipt, `arf` a complaint (RFC 5965),
`dsn_success` a report of something that did arrive (RFC 3464)."""

Role = Literal["attachment", "signature", "encrypted", "tnef", "calendar"]


@dataclass(frozen=True, slots=True)
class Mailbox:
    """An address in lower case, and the name beside it (RFC 5322, 3.4: `mailbox`)."""

    address: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class File:
    """A file in a mail. `name` is made safe ('' without one); `media_type` is by its content where
    that tells, `declared` what the mail says. Of a mail in a mail, `content` is its bytes.
    `within`: it was taken out of that file (winmail.dat)."""

    name: str
    media_type: str
    declared: str
    content: bytes = field(repr=False)
    sha256: str
    inline: bool
    role: Role = "attachment"
    within: str = ""


@dataclass(frozen=True, slots=True)
class Failed:
    """A recipient that a report is about. `permanent`: by the status (RFC 3463), or the words."""

    recipient: str
    permanent: bool
    status: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Invitation:
    """A calendar's entry (RFC 5545); times with their zones."""

    method: str
    summary: str
    start: datetime | None
    end: datetime | None
    organizer: str
    uid: str


@dataclass(frozen=True, slots=True)
class Forwarded:
    """The mail that was forwarded in the text of this one."""

    sender: str
    subject: str


@dataclass(frozen=True, slots=True)
class Written:
    """What the person wrote, and what was cut: nothing of a text is lost.

    `new` keeps answers between quoted lines with the lines that they answer; `quoted` and
    `signature` are what was cut, in order.
    """

    new: str
    quoted: str = ""
    signature: str = ""
    forwarded: Forwarded | None = None
    first: str = ""
    """The first line of their own, for a decision."""


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail. Addresses are in lower case, texts without control characters or half characters.

    `headers` are all, in order, as raw text (bytes as latin-1, unfolded), for whoever checks where
    it came from. `senders`: From; believe only one that is alone. `recipients`: who it was for, the
    surest first (Delivered-To, X-Original-To, Envelope-To, X-Forwarded-To, To, Cc). `references`:
    the ids of References and In-Reply-To, newest first, with their angle brackets. `too_much`: what
    was left out because it went over a cap, in English, for the log.
    """

    headers: Sequence[tuple[str, str]]
    message_id: str | None
    senders: Sequence[Mailbox]
    reply_to: Sequence[Mailbox]
    recipients: Sequence[str]
    to: Sequence[Mailbox]
    cc: Sequence[Mailbox]
    subject: str | None
    date: datetime | None
    references: Sequence[str]
    written: Written
    files: Sequence[File] = ()
    kind: Kind = "human"
    is_auto_reply: bool = False
    is_bounce: bool = False
    never_reply: bool = False
    failed: Sequence[Failed] = ()
    """Recipients of a bounce."""
    about: Sequence[str] = ()
    """Ids of mails of ours that a report is about, and the addresses of its return path."""
    invitation: Invitation | None = None
    tnef_body: str = ""
    tnef_html: bool = False
    spoof_warning: bool = False
    """The name beside the sender's address looks like another address."""
    too_much: Sequence[str] = ()

    @property
    def sender(self) -> Mailbox | None:
        """Who wrote it, by its own word. None where it names nobody, or several."""
        return self.senders[0] if len(self.senders) == 1 else None
