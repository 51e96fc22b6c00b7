"""One mail that is dealt with: what is known before anybody is believed, and what was found."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from bot.email.answers import Said
from bot.email.boxes import Box
from bot.email.claims import Came, Known
from bot.email.door import Door
from bot.email.reading.mail import Mail
from bot.email.threads import Conversation, Marks
from bot.email.verdicts import Outcome, Reason
from core.house import House
from core.inbound import Sender
from core.people import Person


@dataclass(frozen=True, slots=True)
class Case:
    """A mail in hand. `box` is the mailbox it is for; `lay_in` the one that took it in, by whose
    settings its sender is believed. `recipients` are the addresses it came to, the surest first."""

    door: Door
    came: Came
    box: Box
    lay_in: Box
    raw: bytes = field(repr=False)
    mail: Mail = field(repr=False)
    recipients: Sequence[str]
    marks: Marks

    @property
    def house(self) -> House:
        return self.door.house

    @property
    def is_whole(self) -> bool:
        """Whether it was small enough to be taken in as a whole."""
        return len(self.raw) == self.came.size <= self.door.settings.most_bytes

    @property
    def message_id(self) -> str | None:
        """What it is called, as its row has it."""
        return self.came.message_id or self.mail.message_id

    @property
    def sender(self) -> Sender:
        """The account of whoever it says it is from."""
        address = self.mail.sender.address if self.mail.sender is not None else ""
        return Sender("email", self.box.workspace, address)

    def key(self, *, held: bool) -> str:
        """One act of a person: the same mail in the same mailbox, however often it comes and by
        whatever way. The words count as well: there are programs that give two mails one id. What
        nobody could believe takes no place from what can be."""
        mail = self.mail
        said = [mail.subject or "", mail.written.new, *(file.sha256 for file in mail.files)]
        parts = [
            str(self.came.mailbox_id),
            self.sender.account,
            self.message_id or self.came.sha256,
            sha256("\n".join(said).encode()).hexdigest(),
            *(["held"] if held else []),
        ]
        return sha256("\n".join(parts).encode()).hexdigest()

    def known(self, verified_by: str | None = None) -> Known:
        """What its row says of it."""
        sender = self.mail.sender
        return Known(
            self.mail.kind, sender.address if sender is not None else None, self.mail.subject,
            verified_by, self.message_id,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Found:
    """What is to become of a mail. `left` is the conversation that a mail with a new
    subject came from."""

    outcome: Outcome
    verified_by: str | None = None
    person: Person | None = None
    conversation: Conversation | None = None
    said: Said | None = None
    left: Conversation | None = None


def refused(reason: Reason, said: Said | None = None, person: Person | None = None) -> Found:
    """Nothing comes of it."""
    person_id = person.id if person is not None else None
    return Found(Outcome("refused", reason, person_id=person_id), person=person, said=said)
