"""Mails of ours as rows: written with what they answer in one transaction, sent afterwards.

Those that tell a task's news are calls of the notifier (bot/email/outbound.py); these here are
answers to mails, sent by whichever worker is first (bot/email/sending.py).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from audit.event import JSON, Event
from bot.email import ids, tokens
from bot.email.addresses_kept import takes_answer
from bot.email.boxes import Box
from bot.email.compose import Draft, compose, is_address
from bot.email.enclosing import enclosures
from bot.email.pages import pages_for
from bot.email.render import Look, show
from bot.email.subjects import answer_subject
from core import deliveries, people
from core.db import execute, fetch_one
from core.documents import Files
from core.house import House
from core.ids import new_id
from core.messages import Message
from core.tags import Tag
from core.unit import Unit

WAKES = "letters"
"""The channel (NOTIFY) on which whoever sends hears that there is something to send."""

MOST_BYTES = 15 * 1024 * 1024
"""Of all files in a letter together: a third more in base 64, under the 25 MB that most take."""


async def queue(
    work: Unit,
    house: House,
    box: Box,
    *,
    recipient: str,
    message: Message,
    subject: str | None,
    mail_id: UUID | None,
    in_reply_to: str | None,
    references: Sequence[str],
    task_id: UUID | None,
    person_id: UUID | None,
    automatic: bool,
    files: Mapping[str, bytes] | None = None,
) -> UUID | None:
    """Answer a mail; it is sent once this transaction is committed, and once only.

    `references` are the ids that the mail refers to, the newest first. `files`: what the message
    encloses, by hash, read before (`enclosed`); what is not there is named in words. `automatic`:
    nobody asked for it, so that it is said to a sender once a day at most, and with the null return
    path. None where nothing is sent: the address is none, or paused, or one of our own, or it has
    had too much from us.
    """
    if not is_address(recipient):
        return None
    if not await takes_answer(work, box.organisation_id, recipient, automatic=automatic):
        return None
    letter_id = new_id()
    token = None
    if task_id is not None and person_id is not None:
        token = await tokens.token_for(work, house, box.organisation_id, task_id, person_id)
    pages = await pages_for(work, house, box.organisation_id, person_id, [message])
    kept, pictures = enclosures([message], files or {}, letter_id)
    look = Look(pages, pictures, frozenset(files or {}), answered=not automatic, decides=box.plus)
    text, html = show([(message, False)], look)
    message_id = ids.message_id_of(house, box, letter_id)
    content = compose(
        Draft(
            message_id=message_id,
            sender=box.address,
            sender_name=box.name,
            recipient=recipient,
            subject=await answer_subject(work.connection, box, task_id, subject, message),
            date=datetime.now(UTC),
            text=text,
            html=html,
            language=message.language,
            reply_to=tokens.reply_to(box, token) if token is not None else None,
            in_reply_to=in_reply_to,
            references=[*reversed(references), *([in_reply_to] if in_reply_to else [])],
            auto_submitted="auto-replied",
            files=kept,
        )
    )
    row = Row(letter_id, recipient, message_id, content, task_id, None, person_id, mail_id)
    await store(work, box, row, automatic=automatic)
    data: dict[str, JSON] = {
        "mailbox": str(box.id),
        "task": str(task_id) if task_id else None,
        "person": str(person_id) if person_id else None,
        "answers": str(mail_id) if mail_id else None,
        "automatic": automatic,
    }
    work.record(Event(box.organisation_id, letter_id, Tag.LETTER_QUEUED, data))
    await wake(work)
    return letter_id


async def enclosed(
    house: House, organisation_id: UUID, messages: Sequence[Message]
) -> dict[str, bytes]:
    """What some messages enclose, by hash, as far as it goes into a letter and is there. Read
    outside of a transaction: the store may be slow. Raises TryLater."""
    wanted = [file.sha256 for message in messages for file in message.files]
    wanted += [message.picture.sha256 for message in messages if message.picture is not None]
    found: dict[str, bytes] = {}
    left = MOST_BYTES
    store_of_files = Files(house, organisation_id)
    for sha256 in dict.fromkeys(wanted):
        try:
            content = await store_of_files.get(sha256)
        except (LookupError, ValueError):
            continue
        if len(content) <= left:
            found[sha256] = content
            left -= len(content)
    return found


async def file(house: House, organisation_id: UUID, sha256: str) -> bytes:
    """A file that lies in the organisation's store. Raises LookupError, TryLater."""
    try:
        return await Files(house, organisation_id).get(sha256)
    except ValueError as error:
        raise LookupError(str(error)) from error


@dataclass(frozen=True, slots=True)
class Row:
    """A letter as it is stored."""

    id: UUID
    recipient: str
    message_id: str
    content: bytes
    task_id: UUID | None = None
    thread_id: UUID | None = None
    person_id: UUID | None = None
    mail_id: UUID | None = None


async def store(work: Unit, box: Box, row: Row, *, automatic: bool = False) -> None:
    """Write a letter that is to be sent. Once more, it is the same."""
    await execute(
        work.connection,
        "insert into letters (id, organisation_id, mailbox_id, task_id, thread_id, person_id,"
        " mail_id, recipient, message_id, automatic, content) values (:id, :organisation_id,"
        " :mailbox_id, :task_id, :thread_id, :person_id, :mail_id, :recipient, :message_id,"
        " :automatic, :content) on conflict do nothing",
        {
            "id": row.id,
            "organisation_id": box.organisation_id,
            "mailbox_id": box.id,
            "task_id": row.task_id,
            "thread_id": row.thread_id,
            "person_id": row.person_id,
            "mail_id": row.mail_id,
            "recipient": row.recipient,
            "message_id": row.message_id,
            "automatic": automatic,
            "content": row.content,
        },
    )


async def wake(work: Unit) -> None:
    """Have whoever sends look, once this is committed."""
    # across organisations: a bell
    await fetch_one(work.connection, "select pg_notify(:channel, '')", {"channel": WAKES})


async def arrived(work: Unit, organisation_id: UUID, letter_id: UUID) -> None:
    """Somebody answers a letter: it did arrive, if nobody knew that yet."""
    row = await fetch_one(
        work.connection,
        "update letters set state = 'sent', error = null, sent_at = coalesce(sent_at, now())"
        " where organisation_id = :organisation_id and id = :id and state = 'unknown'"
        " returning person_id",
        {"organisation_id": organisation_id, "id": letter_id},
    )
    if row is None:
        return
    work.record(Event(organisation_id, letter_id, Tag.LETTER_ARRIVED, {}))
    if row.person_id is not None:
        person = await people.by_id(work.connection, organisation_id, row.person_id)
        if person is not None:
            await deliveries.arrived(work, organisation_id, letter_id, person)
