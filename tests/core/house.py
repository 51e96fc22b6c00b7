"""A small house for tests of the heart: a real database, an agent of three steps, one platform."""

import asyncio
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from audit.event import Event
from audit.store import on_disk
from audit.subjects import PersonalKeys
from core import organisations, people
from core.agent import (
    Agent,
    Approval,
    Attached,
    Deliver,
    Document,
    Number,
    Numbered,
    Results,
    Summary,
    TaskInfo,
)
from core.approvals.view import latest_of
from core.catalogue import Catalogue
from core.company import Company
from core.db import fetch_one, from_json
from core.documents import Files
from core.errors import Choice, NeedsInput, Permanent, Question, Unreachable
from core.forms import FormValues
from core.heartbeat import Heartbeat
from core.house import LEASE, House
from core.inbound import Answer, Click, Inbound, Sender, SentFile, Spot
from core.intake import accept
from core.messages import Attachment, Field, Message
from core.organisations import Organisation
from core.people import Person
from core.ports import Job, Place, Sent, TooLarge, Utterance
from core.reconcile import reconcile
from core.runner import advance
from core.unit import Unit, unit
from core.words import Language, Words, same
from notifier.deliver import announce
from tests import checking
from tests.engines import lent_engine

check_complete, check_events = checking.check_complete, checking.check_events


@dataclass(frozen=True, slots=True)
class LetterAsk:
    """What the test agent is asked for. `text` "?" makes it ask; "!" makes it fail."""

    text: str
    answers: dict[str, str] = field(default_factory=dict)
    files: tuple[Attached, ...] = ()


@dataclass(frozen=True, slots=True)
class Letter:
    text: str


@dataclass(frozen=True, slots=True)
class Draft(Document):
    """As shown."""


@dataclass(frozen=True, slots=True)
class Issued(Document):
    """As issued."""


@dataclass(slots=True)
class Trouble:
    """What goes wrong next in the steps `write` and `seal`, and how often each step ran."""

    errors: list[BaseException] = field(default_factory=list)
    sealing: list[BaseException] = field(default_factory=list)
    ran: list[str] = field(default_factory=list)
    pause: asyncio.Event | None = None
    pause_sealing: asyncio.Event | None = None
    deaf: bool = False
    within: Callable[[], Awaitable[None]] | None = None
    block: float = 0
    reached: asyncio.Event = field(default_factory=asyncio.Event)


async def write(ask: LetterAsk, trouble: Trouble) -> Letter:
    trouble.ran.append("write")
    trouble.reached.set()
    time.sleep(trouble.block)  # noqa: ASYNC251  # what a badly written step does
    if trouble.pause is not None:
        try:
            await trouble.pause.wait()
        except asyncio.CancelledError:
            if not trouble.deaf:
                raise
            await trouble.pause.wait()
    if trouble.errors:
        raise trouble.errors.pop(0)
    if ask.text == "?" and "tone" not in ask.answers:
        choices = (Choice("warm", same("warm")), Choice("cool", same("cool")))
        raise NeedsInput(Question("tone", same("Which tone?"), choices))
    enclosed = "".join(f" +{file.name}" for file in ask.files)
    return Letter(ask.text.lower() + ask.answers.get("tone", "") + enclosed)


async def draw(letter: Letter, files: Files, task: TaskInfo, trouble: Trouble) -> Draft:
    trouble.ran.append("draw")
    if trouble.within is not None:
        await trouble.within()
    sha256 = await files.put(f"draft of {letter.text}".encode(), "text/plain")
    return Draft(sha256, f"draft-{task.reference}.txt", "text/plain", 1)


async def seal(letter: Letter, numbered: Numbered, files: Files, trouble: Trouble) -> Issued:
    trouble.ran.append("seal")
    trouble.reached.set()
    if trouble.pause_sealing is not None:
        await trouble.pause_sealing.wait()
    if trouble.sealing:
        raise trouble.sealing.pop(0)
    sha256 = await files.put(f"{numbered.number}: {letter.text}".encode(), "text/plain")
    return Issued(sha256, f"{numbered.number}.txt", "text/plain", 1)


def _summarise(results: Results, language: Language) -> Summary:
    letter = results.get(Letter)
    return Summary(
        fields=(Field("Letter", letter.text),) if letter else (), document=results.get(Issued)
    )


def _begin(text: str, form: FormValues | None, today: date) -> LetterAsk:
    return LetterAsk(text)


def _answer(ask: LetterAsk, key: str, value: str) -> LetterAsk:
    return replace(ask, answers={**ask.answers, key: value})


def _attach(ask: LetterAsk, files: tuple[Attached, ...]) -> LetterAsk:
    return replace(ask, files=files)


letter_agent = Agent(
    name="letter",
    number="L",
    asks=LetterAsk,
    steps=(write, draw, Approval("letter", Draft), Number(), seal, Deliver(Issued)),
    title=Words(ja="手紙", en="Letter", zh="信"),
    example=same("letter hello"),
    words=("letter", "手紙"),
    takes_free_text=True,
    labels={name: same(name) for name in ("write", "draw", "approve", "number", "seal", "deliver")},
    begin=_begin,
    answer=_answer,
    attach=_attach,
    summarise=_summarise,
)


class Bell:
    """Keeps what was rung, for the test to carry on by hand: a crash loses it, as Redis may."""

    def __init__(self) -> None:
        self.jobs: list[Job] = []
        self.events: list[Event] = []
        self.slow = 0.0

    async def ring(self, jobs: Sequence[Job], events: Sequence[Event]) -> None:
        await asyncio.sleep(self.slow)
        self.jobs.extend(jobs)
        self.events.extend(events)


@dataclass(slots=True)
class Wall:
    """A platform that remembers what was posted on it, in order, with every edit.

    `troubles` come before anything is done, `lose_answer` after it. So do `hang`, or `hang_in` a
    room, and `hang_after`: once, until the caller gives up. `meanwhile` is done (once) while a
    message is on its way. `deaf`: what it says to whoever looks for a message. `unreachable`:
    rooms in which nothing can be posted, and why.
    """

    edit_interval: timedelta = timedelta(0)
    settles: timedelta = timedelta(0)
    posted: dict[str, Message] = field(default_factory=dict)
    sends: list[str] = field(default_factory=list)
    rooms: dict[str, str] = field(default_factory=dict)
    edits: list[str] = field(default_factory=list)
    troubles: list[Exception | None] = field(default_factory=list)
    lose_answer: bool = False
    hang: bool = False
    hang_in: str = ""
    hang_after: bool = False
    meanwhile: Callable[[], Awaitable[object]] | None = None
    deaf: Exception | None = None
    looks: list[str] = field(default_factory=list)
    files: dict[str, bytes | BaseException] = field(default_factory=dict)
    fetched: list[str] = field(default_factory=list)
    hanging: asyncio.Event = field(default_factory=asyncio.Event)
    unreachable: dict[str, Words] = field(default_factory=dict)

    async def _maybe_fail(self, place: Place) -> None:
        trouble = self.troubles.pop(0) if self.troubles else None
        if trouble is not None:
            raise trouble
        if place.channel in self.unreachable:
            raise Unreachable(self.unreachable[place.channel])
        if self.hang or self.hang_in == place.channel:
            self.hang, self.hang_in = False, ""
            await self._hang()
        if self.meanwhile is not None:
            meanwhile, self.meanwhile = self.meanwhile, None
            await meanwhile()

    async def _hang(self) -> None:
        self.hanging.set()
        await asyncio.Event().wait()

    def come_late(self, key: str) -> None:
        """What nobody expected any more is posted after all."""
        self.posted[key] = Message("late")
        self.rooms[key] = "room"

    async def send(self, place: Place, message: Message, key: str) -> Sent:
        await self._maybe_fail(place)
        self.posted[key] = message
        self.sends.append(key)
        self.rooms[key] = place.channel
        if self.hang_after:
            self.hang_after = False
            await self._hang()
        if self.lose_answer:
            self.lose_answer = False
            raise ConnectionResetError("the answer got lost")
        return Sent(place.channel, key)

    async def edit(self, place: Place, sent: Sent, message: Message, key: str) -> Sent:
        await self._maybe_fail(place)
        self.posted[sent.id] = message
        self.edits.append(sent.id)
        return sent

    async def upload(
        self, place: Place, attachment: Attachment, comment: Message, key: str
    ) -> Sent:
        return await self.send(place, comment, key)

    async def find(self, place: Place, key: str, attachment: Attachment | None) -> Sent | None:
        self.looks.append(key)
        if self.deaf is not None:
            raise self.deaf
        return Sent(place.channel, key) if key in self.posted else None

    async def fetch(
        self, organisation_id: UUID, workspace: str, reference: str, most: int
    ) -> bytes:
        self.fetched.append(reference)
        content = self.files[reference]
        if isinstance(content, BaseException):
            raise content
        if len(content) > most:
            raise TooLarge
        return content

    def texts(self, room: str | None = None) -> list[str]:
        return [
            message.text for key, message in self.posted.items() if room in (None, self.rooms[key])
        ]

    def showing(self, words: str) -> Message:
        """The one posted message that says this."""
        found = [message for message in self.posted.values() if words in message.text]
        assert len(found) == 1, f"{len(found)} messages say {words!r}: {self.texts()}"
        return found[0]


@dataclass(slots=True)
class SayingWall:
    """A platform on which what was said can't be edited, and remembers each call by its id.

    `tokens`: free answers at hand, by chat; without one, what `may` be said is not. `troubles` come
    before anything is said and `lose_answer` after it; `hang` and `hang_after` likewise, until the
    caller gives up. `unreachable`: chats, and why. `meanwhile` is done (once) before a call.
    `refused`: words for which a whole call is refused.
    """

    most_per_call: int = 5
    calls: dict[UUID, list[Utterance]] = field(default_factory=dict)
    chats: dict[UUID, str] = field(default_factory=dict)
    made: list[tuple[UUID, bool]] = field(default_factory=list)
    said: list[tuple[str, Utterance]] = field(default_factory=list)
    left: list[tuple[str, Utterance]] = field(default_factory=list)
    tokens: dict[str, int] = field(default_factory=dict)
    troubles: list[Exception | None] = field(default_factory=list)
    unreachable: dict[str, Words] = field(default_factory=dict)
    refused: str = ""
    lose_answer: bool = False
    hang: bool = False
    hang_after: bool = False
    hanging: asyncio.Event = field(default_factory=asyncio.Event)
    meanwhile: Callable[[], Awaitable[object]] | None = None

    def fits(self, utterances: Sequence[Utterance]) -> int:
        return len(utterances)

    async def say(
        self, place: Place, call: UUID, utterances: Sequence[Utterance], *, again: bool
    ) -> Sequence[Sent | None]:
        assert 0 < len(utterances) <= self.most_per_call
        self.made.append((call, again))
        await self._maybe_fail(place)
        if self.refused in [each.message.text for each in utterances]:
            raise Permanent("bad message")
        worth = self._worth(place, call, utterances, again=again)
        if call not in self.calls and worth:
            self.calls[call] = list(utterances)
            self.said += [(place.channel, each) for each in utterances]
        elif not worth:
            self.left += [(place.channel, each) for each in utterances]
        if call in self.calls:
            assert self.calls[call] == list(utterances)
        await self._lose()
        return [Sent(place.channel, each.key, {}, place.channel) if worth else None
                for each in utterances]  # fmt: skip

    def _worth(
        self, place: Place, call: UUID, utterances: Sequence[Utterance], *, again: bool
    ) -> bool:
        if call in self.calls or any(each.weight != "may" for each in utterances):
            return True
        free = self.tokens.get(place.channel, 0)
        self.tokens[place.channel] = max(0, free - 1)
        return free > 0

    async def _maybe_fail(self, place: Place) -> None:
        if self.meanwhile is not None:
            meanwhile, self.meanwhile = self.meanwhile, None
            await meanwhile()
        trouble = self.troubles.pop(0) if self.troubles else None
        if trouble is not None:
            raise trouble
        if place.channel in self.unreachable:
            raise Unreachable(self.unreachable[place.channel])
        if self.hang:
            self.hang = False
            await self._hang()

    async def _lose(self) -> None:
        if self.hang_after:
            self.hang_after = False
            await self._hang()
        if self.lose_answer:
            self.lose_answer = False
            raise ConnectionResetError("the answer got lost")

    async def _hang(self) -> None:
        self.hanging.set()
        await asyncio.Event().wait()

    def texts(self, chat: str) -> list[str]:
        return [each.message.text for where, each in self.said if where == chat]


async def seen(condition: Callable[[], object], timeout: float = 30.0) -> None:
    """Wait until this is so. Raises TimeoutError where it never is."""
    async with asyncio.timeout(timeout):
        while not condition():  # noqa: ASYNC110  # nothing tells
            await asyncio.sleep(0.01)


@dataclass(slots=True)
class Office:
    """The house with a company in it and hands to move it."""

    house: House
    bell: Bell
    wall: Wall
    trouble: Trouble
    organisation: Organisation
    asker: Person
    boss: Person
    other_boss: Person
    keys: int = 0

    def sender(self, person: Person) -> Sender:
        return Sender("wall", "w1", person.handle)

    async def say(
        self,
        words: str,
        person: Person | None = None,
        *,
        key: str | None = None,
        thread: str | None = None,
        addressed: bool = True,
        files: Sequence[SentFile] = (),
    ) -> Answer:
        self.keys += 1
        inbound = Inbound(
            sender=self.sender(person or self.asker),
            spot=Spot("room", thread),
            key=key or f"key-{self.keys}",
            text=words,
            addressed=addressed,
            files=tuple(files),
            today=date(2026, 11, 25),
        )
        return await accept(self.house, inbound)

    async def click(self, action: str, value: object, person: Person, reason: str = "") -> Answer:
        self.keys += 1
        inbound = Inbound(
            sender=self.sender(person),
            spot=Spot("room"),
            key=f"key-{self.keys}",
            click=Click(action, str(value), reason),
        )
        # As long as it takes: how long a press may take is not the question here.
        return await accept(self.house, inbound, click_patience=30)

    async def work(self) -> None:
        """Do every job that was rung, and those that follow, as a worker would."""
        while self.bell.jobs:
            job = self.bell.jobs.pop(0)
            do = advance if job.kind == "advance" else announce
            await do(self.house, job.organisation_id, job.task_id, "worker-1")

    async def recover(self) -> None:
        """What the reconciler finds once its patience is over, done."""
        await self.execute("update outbox set next_at = now()")
        await reconcile(self.house)
        await self.work()

    async def approval_id(self, task_id: UUID | None) -> UUID:
        assert task_id is not None
        async with self.house.engine.connect() as connection:
            found = await latest_of(connection, self.organisation.id, task_id)
        assert found is not None
        return found

    async def state(self, task_id: UUID | None) -> str:
        row = await self.row("select state, waiting_for from tasks where id = :id", {"id": task_id})
        return f"{row.state}:{row.waiting_for}" if row.waiting_for else str(row.state)

    async def execute(self, sql: str) -> None:
        """Change the database behind everybody's back."""
        async with self.house.engine.begin() as connection:
            await connection.execute(text(sql))

    async def execute_as_owner(self, sql: str) -> None:
        """The same, with every right."""
        engine = create_async_engine(self.house.engine.url)
        async with engine.begin() as connection:
            await connection.execute(text(sql))
        await engine.dispose()

    async def opened(self, event_id: UUID) -> dict[str, Any]:
        """An event's body with its personal data in the clear."""
        async with self.house.engine.connect() as connection:
            row = await fetch_one(
                connection, "select body from audit_events where id = :id", {"id": event_id}
            )
            assert row is not None
            [body] = await self.house.personal.opened(
                connection, self.organisation.id, [from_json(row.body)],
                erased="(erased)", unreadable="(unreadable)",
            )  # fmt: skip
        return body

    async def row(self, sql: str, values: dict[str, object]) -> Any:
        async with self.house.engine.connect() as connection:
            return await fetch_one(connection, sql, values)


MASTER = b"m" * 32
"""Wraps the keys of persons here."""


@asynccontextmanager
async def open_office(database_url: str) -> AsyncIterator[Office]:
    """An organisation with somebody who asks and two who approve."""
    async with lent_engine(database_url) as engine, _open_office(database_url, engine) as office:
        yield office


@asynccontextmanager
async def _open_office(database_url: str, engine: AsyncEngine) -> AsyncIterator[Office]:
    folder = Path(tempfile.mkdtemp(prefix="miyabi-store-"))
    bell, wall, trouble = Bell(), Wall(), Trouble()

    async def company(house: House, organisation_id: UUID) -> Company:
        async with house.engine.connect() as connection:
            return await organisations.company_of(connection, organisation_id)

    async def files(house: House, organisation_id: UUID) -> Files:
        return Files(house, organisation_id)

    async def troubles(house: House, organisation_id: UUID) -> Trouble:
        return trouble

    house = House(
        engine=engine,
        doorbell=bell,
        agents={"letter": letter_agent},
        resources={Company: company, Files: files, Trouble: troubles, Catalogue: company},
        heartbeat=Heartbeat(database_url, LEASE),
        personal=PersonalKeys([MASTER]),
        store=on_disk(folder),
        outbounds={"wall": wall},
    )
    try:
        async with unit(house) as work:
            organisation = await organisations.add(work, "acme", Company("Acme"))
            asker = await _person(work, organisation, "asker", {"requester"})
            boss = await _person(work, organisation, "boss", {"approver", "requester"})
            other = await _person(work, organisation, "other", {"approver"})
        bell.events.clear()
        yield Office(house, bell, wall, trouble, organisation, asker, boss, other)
    finally:
        house.heartbeat.stop()
        shutil.rmtree(folder)


async def _person(work: Unit, organisation: Organisation, handle: str, roles: set[str]) -> Person:
    person = await people.add(
        work, organisation.id, handle, handle.title(), frozenset(roles), language="en"
    )
    await people.link(work, person, Sender("wall", "w1", handle))
    return person
