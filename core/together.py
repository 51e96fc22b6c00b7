"""What many ask for at the same moment, done together: one statement and one commit for all.

Where it is quiet, whoever comes is served at once and alone. What comes while others are being
served waits for its turn, and goes together. (A statement with its commit costs PostgreSQL and us
several times what one more row in it does.)
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from sqlalchemy.exc import DBAPIError

T = TypeVar("T")
R = TypeVar("R")

Work = Callable[[Sequence[T]], Awaitable[Sequence[R]]]
"""Does it for all of them in one transaction; gives their results in the same order."""

Turn = Sequence[tuple[T, asyncio.Future[R]]]
"""Those who go together, each with the answer they wait for."""

_AT_ONCE = 2
"""Turns under way: while one waits for the disk, another is prepared."""

_MOST = 20
"""Who goes in one turn. Those in it do not see one another (core/line.py)."""


@dataclass(slots=True)
class Together(Generic[T, R]):
    """The queue before one kind of work. Belongs to one event loop."""

    _waiting: list[tuple[T, asyncio.Future[R]]] = field(default_factory=list)
    _turns: set[asyncio.Task[None]] = field(default_factory=set)

    async def do(self, work: Work[T, R], item: T) -> R:
        """The item's result; all who ask name the same work. Raises what the work raises.

        Whoever gives up (is cancelled) takes the whole turn down, so that nothing is done for
        somebody who is told otherwise. The others in it have another one; so the work must be such
        that doing it twice does it once.
        """
        answer: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, answer))
        self._next(work)
        return await answer

    def _next(self, work: Work[T, R]) -> None:
        """Let the next turn begin, if there is somebody and it is not too early."""
        if len(self._turns) >= _AT_ONCE:
            return
        waiting = _not_answered(self._waiting)
        turn, self._waiting = waiting[:_MOST], waiting[_MOST:]
        if not turn:
            return
        serving = asyncio.create_task(_serve(work, turn))
        self._turns.add(serving)

        def gave_up(answer: asyncio.Future[R]) -> None:
            if answer.cancelled():
                serving.cancel()

        def over(serving: asyncio.Task[None]) -> None:
            self._turns.discard(serving)
            self._waiting = [*_not_answered(turn), *self._waiting]
            self._next(work)

        for _, answer in turn:
            answer.add_done_callback(gave_up)
        serving.add_done_callback(over)


async def _serve(work: Work[T, R], turn: Turn[T, R]) -> None:
    """Give everybody in the turn their answer. Raises nothing but CancelledError."""
    try:
        results = await work([item for item, _ in turn])
    except DBAPIError as error:
        if len(turn) == 1 or error.connection_invalidated:
            _fail(turn, error)
            return
        # One of them can't be done: that is nobody else's fault.
        for each in turn:
            await _serve(work, [each])
    except Exception as error:  # it is whose turn it is who handle it
        _fail(turn, error)
    else:
        for (_, answer), result in zip(turn, results, strict=True):
            if not answer.done():
                answer.set_result(result)


def _not_answered(turn: Turn[T, R]) -> list[tuple[T, asyncio.Future[R]]]:
    return [(item, answer) for item, answer in turn if not answer.done()]


def _fail(turn: Turn[T, R], error: Exception) -> None:
    for _, answer in turn:
        if not answer.done():
            answer.set_exception(error)
