"""Events that stand at another number of their stream than they say, told once for each stream.

A row that was put in moves those behind it up, one that was taken out moves them down: then that is
what happened, and not that somebody changed their order.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from uuid import UUID

from audit.verifier.verdict import Fault

_STREAMS = 10_000
"""Streams of which is remembered which way theirs moved; a fault of any further is told at once."""


@dataclass(slots=True)
class _Moved:
    first: Fault
    up: bool = False
    down: bool = False


class Renumbered:
    """What moved, until it is known what else there is."""

    def __init__(self) -> None:
        self._streams: dict[UUID | None, _Moved] = {}

    def add(self, fault: Fault, said: object) -> Fault | None:
        """Note an event that stands at `fault.seq` and says another number; a fault to be told."""
        moved = self._streams.get(fault.stream)
        if moved is None:
            if len(self._streams) >= _STREAMS:
                return fault
            moved = self._streams[fault.stream] = _Moved(fault)
        down = isinstance(said, int) and fault.seq is not None and fault.seq < said
        moved.down |= down
        moved.up |= not down
        return None

    def unexplained(self, *, inserted: Collection[UUID], missing: bool) -> Iterator[Fault]:
        """The faults that neither an insertion into their stream nor a deletion explains."""
        for stream, moved in self._streams.items():
            explained = (moved.up and stream in inserted) or (moved.down and missing)
            if not explained or (moved.up and moved.down):
                yield moved.first
