"""Many requests at once, one a line: handed in in the bulk lane, each answered with its task."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass

from core.inbound import Answer
from miyabi.follow import standing
from miyabi.talk import Talk

_TRY_AGAIN = 2.0
"""Seconds until a line is handed in again for which there is no room at the moment."""
_LOOK = 0.5
"""Seconds between two looks at a task that is waited for."""


@dataclass(frozen=True, slots=True)
class Handed:
    """A line and what became of it. `state` is the task's, once it is known to rest."""

    line: int
    text: str
    answer: Answer
    state: str | None = None

    @property
    def taken(self) -> bool:
        return self.answer.outcome == "taken"

    def as_data(self) -> dict[str, object]:
        """The line as `--json` prints it."""
        message = self.answer.message.text if self.answer.message else ""
        reference = self.answer.reference
        return {
            "line": self.line,
            "task": f"#{reference}" if reference is not None else None,
            "outcome": self.answer.outcome,
            "state": self.state,
            "message": message,
        }


async def hand_in(
    talk: Talk, lines: Iterable[str], waits: Callable[[Handed], None]
) -> AsyncIterator[Handed]:
    """Hand in every line that is not empty, in order.

    One for which there is no room waits until there is; `waits` is told so, once.
    """
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if text:
            handed = Handed(number, text, await talk.say(text, lane="bulk"))
            if handed.answer.refusal == "full":
                waits(handed)
                handed = Handed(number, text, await _once_there_is_room(talk, text))
            yield handed


async def _once_there_is_room(talk: Talk, text: str) -> Answer:
    while True:
        await asyncio.sleep(_TRY_AGAIN)
        answer = await talk.say(text, lane="bulk")
        if answer.refusal != "full":
            return answer


async def state_at_rest(talk: Talk, answer: Answer) -> str | None:
    """The state in which a task comes to rest: at its end, or where it waits for a person."""
    if answer.task_id is None:
        return None
    while True:
        now = await standing(talk.session.house, talk.organisation.id, answer.task_id)
        if now.rests:
            return now.state
        await asyncio.sleep(_LOOK)
