"""Twenty approvers who click at the same moment, each on a card of their own with three copies."""

import asyncio
import contextlib
import functools
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TypeVar
from uuid import UUID

from bench.bare import bare_bolt
from bench.callers import click
from bench.children import child
from bench.figures import Spread, spread
from bench.ground import (
    SIGNING_SECRET,
    SLACK_ASKERS,
    SLACK_TEAM,
    Ground,
    house_on,
    product,
    worker_process,
)
from bench.intake import connect, free_port, install, listener, until_served
from bench.plain import plain_agent
from bench.slack import read_notes
from bench.stopping import stopped
from core import people
from core.agent import Approval, Approved, Document, Results, Terms
from core.house import House
from core.ids import new_id
from core.inbound import Inbound, Sender, Spot
from core.intake import LATE_PATIENCE, accept
from core.people import Person
from core.unit import unit

T = TypeVar("T")

APPROVERS = 20
COPIES = 3  # in the thread where it was asked for, and with each of the two who may decide
_CHANNEL = "C0BENCH001"
_PATIENCE = 60.0
_STALL = 5.0


@dataclass(frozen=True, slots=True)
class Ask:
    """Whose card it becomes: that approver's and the next one's."""

    approver: int


@dataclass(frozen=True, slots=True)
class Draft(Document):
    """What is shown; no file of it is ever asked for."""


async def draw(ask: Ask) -> Draft:
    return Draft(f"{ask.approver:064x}", "draft.pdf", "application/pdf", 1)


@dataclass(frozen=True, slots=True)
class Filed:
    """The end: a task is done with a step of its own."""


async def file_away(approved: Approved) -> Filed:
    return Filed()


def read(text: str) -> Ask:
    return Ask(int(text))


def terms(results: Results) -> Terms:
    return {"amount": results[Ask].approver if Ask in results else 0}


_ROUTE = "\n".join(
    [
        "[routes.bench]",
        *(
            f'[[routes.bench.steps]]\nname = "{n}"\nwhen = "amount == {n}"\nwho = ['
            f'{{ person = "approver-{n}" }}, {{ person = "approver-{(n + 1) % APPROVERS}" }}]'
            for n in range(APPROVERS)
        ),
    ]
)

paper = replace(
    plain_agent("paper", Ask, read, draw, Approval("bench", shows=Draft), file_away),
    terms=terms,
    route=_ROUTE,
)


@dataclass(slots=True)
class Times:
    """In ms, from the click: the platform has its 200, the person an answer, the last copy of the
    card no buttons."""

    taken: list[float] = field(default_factory=list)
    told: list[float] = field(default_factory=list)
    gone: list[float] = field(default_factory=list)
    undone: int = 0


@dataclass(frozen=True, slots=True)
class Office:
    """Everything that runs, and what each approver has on their desk next."""

    place: Ground
    house: House
    web: int
    slack: int


@asynccontextmanager
async def opened(place: Ground, slack_port: int) -> AsyncIterator[Office]:
    port = free_port()
    async with (
        product(place, "web", port=port),
        child(worker_process, place, paper),
        house_on(place, paper) as (house, _),
    ):
        await until_served(port)
        yield Office(place, house, port, slack_port)


async def wave(office: Office, times: Times) -> None:
    """Twenty cards are posted; then all are clicked at once, and everything comes to its end.

    Who is told first that it takes a moment has been answered; whoever is not decided at all within
    what a press may take is counted.
    """
    cards = await _cards(office)
    began = await _click(office, _presses(cards), times)
    told = await _until(lambda: _all_told(office, began))
    open_ = await _left_open(office, cards)
    times.undone += len(open_)
    decided = [(at, card) for at, card in zip(began, cards, strict=True) if card not in open_]
    ends = await _until(lambda: _all_gone(office, [card for _, card in decided]))
    times.told += told
    times.gone += [(end - at) / 1e6 for end, (at, _) in zip(ends, decided, strict=True)]


async def _left_open(office: Office, cards: Sequence[str]) -> set[str]:
    """The cards that nobody has decided within what a press may take."""

    async def none() -> bool | None:
        return not await _steps(office.place, "open", "id", cards) or None

    with contextlib.suppress(TimeoutError):
        await _until(none, LATE_PATIENCE + 1)
    return set(await _steps(office.place, "open", "id", cards))


async def _until(look: Callable[[], Awaitable[T | None]], patience: float = _PATIENCE) -> T:
    """Look until there is something. Raises TimeoutError where there is none for so long."""
    async with asyncio.timeout(patience):
        while (found := await look()) is None:  # noqa: ASYNC110  # nothing tells
            await asyncio.sleep(0.05)
        return found


async def _all_told(office: Office, began: Sequence[int]) -> list[float] | None:
    """How long each waited for an answer, in ms; None while somebody waits."""
    notes = await read_notes(office.slack)
    told = [_after(at, notes.told.get(_who(n), ())) for n, at in enumerate(began)]
    return None if float("inf") in told else told


async def _all_gone(office: Office, cards: Sequence[str]) -> list[int] | None:
    """When the last copy of each card lost its buttons; None while one has them."""
    notes = await read_notes(office.slack)
    ends = [[notes.gone.get(message) for message in notes.copies[card]] for card in cards]
    known = [[end for end in each if end is not None] for each in ends]
    return [max(each) for each in known] if all(len(each) == COPIES for each in known) else None


async def wave_in_a_stall(office: Office, times: Times) -> None:
    """The same while PostgreSQL hears nothing for five seconds. They are told that it takes a
    moment; nobody waits for the database to be told anything."""
    cards = await _cards(office)
    with stopped(office.place):
        until = time.monotonic() + _STALL
        began = await _click(office, _presses(cards), times)
        await asyncio.sleep(max(0.0, until - time.monotonic()))
    await asyncio.sleep(1.0)
    notes = await read_notes(office.slack)
    times.told += [_after(at, notes.told.get(_who(n), ())) for n, at in enumerate(began)]


async def one_by_one(office: Office, times: Times) -> None:
    """Twenty cards, each clicked when nothing else happens."""
    cards = await _cards(office)
    for card, press in zip(cards, _presses(cards), strict=True):
        [began] = await _click(office, [press], times)
        [gone] = await _until(functools.partial(_all_gone, office, [card]))
        times.gone.append((gone - began) / 1e6)


Press = tuple[str, str]
"""Who presses, and what the button carries."""


def _presses(cards: Sequence[str]) -> Sequence[Press]:
    """`approve` on each card, by its own approver."""
    return list(zip(_whos(), cards, strict=True))


async def _click(office: Office, presses: Sequence[Press], times: Times) -> Sequence[int]:
    """All at the same moment; when that was."""
    async with child(click, office.web, _CHANNEL, presses) as one:
        pressed: list[tuple[int, float]] = await one.result()
    times.taken += [took for _, took in pressed]
    return [began for began, _ in pressed]


async def bare_clicks(waves: int) -> Spread:
    """A click by Bolt alone, which acknowledges and does nothing."""
    times: list[float] = []
    with listener() as listening:
        async with child(bare_bolt, listening, SIGNING_SECRET, at_once=True):
            port = listening.getsockname()[1]
            for _ in range(waves):
                clicks = [(who, str(new_id())) for who in _whos()]
                async with child(click, port, _CHANNEL, clicks) as one:
                    times += [took for _, took in await one.result()]
    return spread("Bolt + FastAPI: a click acknowledged, nothing stored, nobody told", times)


async def _cards(office: Office) -> Sequence[str]:
    """A new card for each approver, on all its copies; what its buttons carry."""
    tasks = []
    for n in range(APPROVERS):
        asker = Sender("slack", SLACK_TEAM, SLACK_ASKERS[n])
        inbound = Inbound(asker, Spot(_CHANNEL), new_id().hex, f"paper {n}")
        answer = await accept(office.house, inbound)
        assert answer.task_id is not None, answer
        tasks.append(answer.task_id)
    return await _until(lambda: _all_posted(office, tasks))


async def _all_posted(office: Office, tasks: Sequence[UUID]) -> Sequence[str] | None:
    cards = await _steps(office.place, "open", "task_id", tasks)
    notes = await read_notes(office.slack)
    posted = [len(notes.copies.get(card, ())) for card in cards]
    if posted != [COPIES] * APPROVERS:
        return None
    await asyncio.sleep(1.2)  # no edit of anything may be waiting for its second
    return cards


async def _steps(
    place: Ground, state: str, column: str, of: Sequence[UUID] | Sequence[str]
) -> Sequence[str]:
    """The steps that stand so, of these tasks (`task_id`) or of these (`id`), in their order."""
    database = await connect(place)
    try:
        rows = await database.fetch(
            f"select {column} as of, id from approval_stages"  # one of two names
            f" where state = $1 and {column} = any (cast($2::text[] as uuid[]))",
            state,
            [str(each) for each in of],
        )
    finally:
        await database.close()
    found = {str(row["of"]): str(row["id"]) for row in rows}
    return [found[str(each)] for each in of if str(each) in found]


def _after(began: int, told: Sequence[int]) -> float:
    """From then to the first answer after it, in ms; infinite where there is none."""
    return next(((at - began) / 1e6 for at in told if at > began), float("inf"))


def _who(n: int) -> str:
    return f"U0APPR{n:03}"


def _whos() -> Sequence[str]:
    return [_who(n) for n in range(APPROVERS)]


# The company


async def settle(place: Ground) -> Sequence[Person]:
    """The app in the workspace; twenty who approve there."""
    await install(place)
    approvers = []
    async with house_on(place) as (house, _), unit(house) as work:
        for n in range(APPROVERS):
            person = await people.add(
                work, place.organisation_id, f"approver-{n}", "鈴木 一郎",
                frozenset({"approver", "requester"}),
            )  # fmt: skip
            await people.link(work, person, Sender("slack", SLACK_TEAM, _who(n)))
            approvers.append(person)
    return approvers
