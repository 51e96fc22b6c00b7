"""The way out by mail: a call is one letter, stored before it is sent."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import structlog
from sqlalchemy.exc import SQLAlchemyError

from bot.email import addresses_kept, boxes, handing_over, ids, letters, tokens, wording
from bot.email.boxes import Box
from bot.email.compose import Draft, compose, is_address
from bot.email.conversation import Conversation, box_of, read_conversation
from bot.email.enclosing import enclosures, files_of
from bot.email.handing_over import DATABASE_AWAY, LEASE, Letter, Taken
from bot.email.pages import pages_for
from bot.email.papers import papers_for
from bot.email.render import Look, show
from bot.email.told import read_told
from bot.email.unsubscribing import unsubscribe_link
from core.errors import MiyabiError, OutcomeUnknown, Permanent, TryLater, Unreachable
from core.house import House
from core.links import make_link
from core.messages import Attachment, Message
from core.platform import Opening
from core.ports import Place, Sent, TooLarge, Utterance
from core.unit import unit
from core.words import same

if TYPE_CHECKING:
    from bot.email.sending import Sending

log = structlog.get_logger()

_TOO_MANY_WAITS = timedelta(minutes=10)
_GIVES_UP = 10.0
"""Seconds that a call waits for its letter, which goes on being sent: whoever made the call asks
again what became of it."""


class EmailOutbound:
    """Mail as a way out."""

    most_per_call = 10

    def __init__(self, opening: Opening) -> None:
        self._opening = opening
        self._house: House = opening.house
        self._sending: Sending | None = None
        self._under_way: dict[UUID, asyncio.Task[None]] = {}

    def fits(self, utterances: Sequence[Utterance]) -> int:
        """All of them: a mail has no limit that is met by ten messages."""
        return max(1, len(utterances))

    async def say(
        self, place: Place, call: UUID, utterances: Sequence[Utterance], *, again: bool
    ) -> Sequence[Sent | None]:
        """Say all of it in one letter, whose id is the call's (core.ports.Says).

        A letter that nobody knows the end of is not sent again: a person is asked.
        """
        try:
            async with self._house.engine.connect() as connection:
                keys = [each.key for each in utterances]
                conversation = await read_conversation(
                    connection, place, call, keys
                ) or await read_told(connection, place, call, keys)
            if conversation is None:
                raise Permanent(same("no such deliveries"))
            org = place.organisation_id
            letter = await handing_over.read(self._house, org, call) if again else None
            chosen = _worth(conversation, utterances)
            if not chosen and letter is None:
                return [None] * len(utterances)
            box = await self._box(conversation, place, letter)
            if letter is None:
                letter = await self._write(box, conversation, place, call, chosen)
        except (SQLAlchemyError, OSError) as error:
            raise TryLater(DATABASE_AWAY) from error
        except LookupError as error:
            raise Permanent(same(str(error))) from error
        await self._hand_over(box, letter, again=again)
        sent = Sent(place.channel, letter.message_id, {}, place.thread or letter.message_id)
        return [sent if each in chosen else None for each in utterances]

    async def _box(self, conversation: Conversation, place: Place, letter: Letter | None) -> Box:
        """The mailbox it goes out of: the one it was written for, once it was."""
        if letter is not None:
            found = await boxes.by_id(self._house, letter.mailbox_id)
            if found is not None:
                return found
        return await box_of(self._house, conversation, place, Unreachable(wording.NO_BOX))

    # Writing it

    async def _write(
        self,
        box: Box,
        conversation: Conversation,
        place: Place,
        call: UUID,
        chosen: Sequence[Utterance],
    ) -> Letter:
        """Store the letter, with all that it leads to. Raises Unreachable where nothing is sent to
        that address, TryLater where too much was."""
        recipient = place.channel
        if conversation.paused or not is_address(recipient):
            raise Unreachable(wording.BOUNCED.fill(address=recipient))
        if conversation.lately >= addresses_kept.MOST_LETTERS:
            raise TryLater(wording.TOO_MANY, _TOO_MANY_WAITS)
        messages = [each.message for each in chosen]
        organisation_id = place.organisation_id
        task_id, papers = conversation.task_id, list[Attachment]()
        if task_id is not None:
            async with self._house.engine.connect() as connection:
                papers = await papers_for(
                    connection, self._house, organisation_id, task_id, messages
                )
        if papers:
            first = replace(messages[0], files=(*messages[0].files, *papers))
            messages = [first, *messages[1:]]
        files = await letters.enclosed(self._house, organisation_id, messages)
        said = _Said(box, conversation, place, call, chosen, messages, files)
        async with unit(self._house) as work:
            settings = self._opening.settings
            token = None
            if task_id is not None:
                token = await tokens.token_for(
                    work, self._house, organisation_id, task_id, conversation.person_id
                )
            lasts = timedelta(days=settings.email.page_days)
            pages = await pages_for(
                work, self._house, organisation_id, conversation.person_id, messages, lasts
            )
            links = {}
            for file in _too_large(messages, files):
                if task_id is None:
                    continue
                links[file.sha256] = await make_link(
                    work, self._house, organisation_id, task_id, file,
                    conversation.person_id, lasts,
                )  # fmt: skip
            known = {sha256: link for sha256, link in links.items() if link is not None}
            content = self._composed(said, token, pages, known)
            row = letters.Row(
                call,
                recipient.lower(),
                ids.message_id_of(self._house, box, call),
                content,
                conversation.task_id,
                conversation.thread_id,
                conversation.person_id,
            )
            await letters.store(work, box, row)
        letter = await handing_over.read(self._house, organisation_id, call)
        if letter is None:
            raise TryLater(DATABASE_AWAY)
        return letter

    def _composed(
        self, said: "_Said", token: str | None, pages: Mapping[str, str], links: Mapping[str, str]
    ) -> bytes:
        kept, pictures = enclosures(said.messages, said.files, said.call)
        digest = all(
            said.conversation.slots[each.key].startswith("digest:") for each in said.chosen
        )
        stop = unsubscribe_link(self._house, said.place) if digest else None
        look = Look(
            pages,
            pictures,
            frozenset(said.files),
            links,
            decides=said.box.plus,
            unsubscribe=stop,
        )
        shown = [
            (message, each.before is not None)
            for each, message in zip(said.chosen, said.messages, strict=True)
        ]
        text, html = show(shown, look)
        earlier = said.conversation.ids
        return compose(
            Draft(
                message_id=ids.message_id_of(self._house, said.box, said.call),
                sender=said.box.address,
                sender_name=said.box.name,
                recipient=said.place.channel,
                subject=said.conversation.subject(said.messages[0]),
                date=datetime.now(UTC),
                text=text,
                html=html,
                language=said.messages[0].language,
                reply_to=tokens.reply_to(said.box, token) if token else None,
                in_reply_to=earlier[-1] if earlier else None,
                references=earlier,
                files=kept,
                unsubscribe=stop,
            )
        )

    # Handing it over

    async def _hand_over(self, box: Box, letter: Letter, *, again: bool) -> None:
        """Send it, or hear what became of it. Being sent goes on when nobody waits any more."""
        if letter.state == "sent":
            return
        if letter.state == "sending":
            if letter.under_way:
                raise TimeoutError(wording.UNDER_WAY.en)
            await handing_over.unknown(self._house, letter, wording.LOST.en)
        if letter.state in {"sending", "unknown"}:
            raise OutcomeUnknown(wording.LOST)
        if letter.state != "queued":
            raise Unreachable(wording.BOUNCED.fill(address=letter.recipient))
        task = self._under_way.get(letter.id)
        if task is None:
            task = asyncio.create_task(self._send(box, letter))
            self._under_way[letter.id] = task
            task.add_done_callback(lambda done: self._done(letter.id, done))
        try:
            async with asyncio.timeout(_GIVES_UP):
                await asyncio.shield(task)
        except (TryLater, Unreachable):
            if not again:  # the next time it is another call, or none
                await handing_over.drop(self._house, letter)
            raise

    async def _send(self, box: Box, letter: Letter) -> None:
        if self._sending is None:
            # The library that speaks SMTP is loaded by whoever sends.
            from bot.email.sending import Sending

            self._sending = Sending(self._opening)
        try:
            async with asyncio.timeout(LEASE.total_seconds() - 10):
                await self._sending.send(box, letter)
        except Taken as taken:
            raise TimeoutError(wording.UNDER_WAY.en) from taken

    def _done(self, letter_id: UUID, task: asyncio.Task[None]) -> None:
        self._under_way.pop(letter_id, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            why = error.words.en if isinstance(error, MiyabiError) else repr(error)
            log.warning("letter.not_sent", letter=str(letter_id), why=why)

    # Files that people send

    async def fetch(
        self, organisation_id: UUID, workspace: str, reference: str, most: int
    ) -> bytes:
        """The bytes of a file that came with a mail and lies in the organisation's store, by its
        hash; see core.ports.Fetches."""
        content = await letters.file(self._house, organisation_id, reference)
        if len(content) > most:
            raise TooLarge
        return content

    async def close(self) -> None:
        """Let what is being sent come to its end for a moment, and close the connections."""
        if self._under_way:
            await asyncio.wait(list(self._under_way.values()), timeout=3)
        if self._sending is not None:
            await self._sending.close()


@dataclass(frozen=True, slots=True)
class _Said:
    """A call as it is about to be written."""

    box: Box
    conversation: Conversation
    place: Place
    call: UUID
    chosen: Sequence[Utterance]
    messages: Sequence[Message]
    files: Mapping[str, bytes]


def _worth(conversation: Conversation, said: Sequence[Utterance]) -> list[Utterance]:
    """What is said of it: a mail costs nothing, but whoever reads it. What waits for somebody or is
    news always; what may be said, where it is the first that who asked hears of a draft, or lies in
    a mail that is sent anyway. Summaries not to those who stopped them."""
    wanted = [
        each
        for each in said
        if not (conversation.no_digests and conversation.slots[each.key].startswith("digest:"))
    ]
    if any(each.weight != "may" for each in wanted):
        return wanted
    return [
        each for each in wanted if each.before is None and _is_home(conversation.slots[each.key])
    ]


def _is_home(slot: str) -> bool:
    """Whether it is the card where it was asked for, and nobody's copy (notifier/targets.py)."""
    return slot.startswith("card:") and slot.count(":") == 1


def _too_large(messages: Sequence[Message], files: Mapping[str, bytes]) -> list[Attachment]:
    return [file for file in files_of(messages) if file.sha256 not in files]
