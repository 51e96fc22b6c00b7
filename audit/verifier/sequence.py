"""Two sequences side by side: what should be there, and what is."""

from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Generic, NamedTuple, TypeVar

from audit.verifier.verdict import MOST_LISTED, Kind

AHEAD = 20_000
"""How far ahead is looked for something that is not in its place."""


class Wanted(NamedTuple):
    """A leaf as it should be."""

    hash: bytes
    leaf: int


class Line(NamedTuple):
    """An event as it is: the leaf hash of its line, and the line."""

    hash: bytes
    data: bytes


@dataclass(frozen=True, slots=True)
class Difference:
    """Something is not as it should be. `line` is what stands there, if anything does."""

    kind: Kind
    leaf: int
    count: int = 1
    line: Line | None = None


_T = TypeVar("_T", Wanted, Line)


class _Ahead(Generic[_T]):
    """A sequence of which some is read ahead, once something is looked for in it."""

    def __init__(self, source: Iterable[_T]) -> None:
        self._source: Iterator[_T] = iter(source)
        self._read: deque[_T] = deque()
        self._hashes: Counter[bytes] = Counter()

    def pop(self) -> _T | None:
        if not self._read:
            return next(self._source, None)
        found = self._read.popleft()
        self._hashes[found.hash] -= 1
        return found

    def find(self, hash_: bytes) -> int | None:
        """How many come before the one of that hash, if it comes soon."""
        for each in islice(self._source, AHEAD - len(self._read)):
            self._read.append(each)
            self._hashes[each.hash] += 1
        if not self._hashes[hash_]:
            return None
        return next(at for at, each in enumerate(self._read) if each.hash == hash_)

    def take(self, position: int) -> None:
        """Take one out of those that were read ahead."""
        self._hashes[self._read[position].hash] -= 1
        del self._read[position]

    def put_back(self, each: _T) -> None:
        self._read.appendleft(each)
        self._hashes[each.hash] += 1


def differences(wanted: Iterable[Wanted], lines: Iterable[Line]) -> Iterator[Difference]:
    """What is not as it should be, in order.

    After as many as are listed it is no longer told what each is: all that follows counts as
    modified. Nor is anything found again that is further away than `AHEAD`.
    """
    should, have = _Ahead(wanted), _Ahead(lines)
    found = 0
    leaf = -1
    while True:
        want, line = should.pop(), have.pop()
        if want is None and line is None:
            return
        if want is None or line is None:
            yield _rest(should, have, want, line, leaf)
            return
        leaf = want.leaf
        if want.hash == line.hash:
            continue
        found += 1
        yield (
            Difference(Kind.MODIFIED, leaf, 1, line)
            if found > MOST_LISTED
            else _tell(should, have, want, line)
        )


def _rest(
    should: _Ahead[Wanted],
    have: _Ahead[Line],
    want: Wanted | None,
    line: Line | None,
    leaf: int,
) -> Difference:
    """One of them has come to its end."""
    count = 1
    if want is not None:
        while should.pop() is not None:
            count += 1
        return Difference(Kind.TAIL_CUT, want.leaf, count)
    while have.pop() is not None:
        count += 1
    return Difference(Kind.INSERTED, leaf + 1, count, line)


def _tell(should: _Ahead[Wanted], have: _Ahead[Line], want: Wanted, line: Line) -> Difference:
    """What happened at a place where they differ; both go on behind it."""
    here, there = should.find(line.hash), have.find(want.hash)
    if here is None and there is None:
        return Difference(Kind.MODIFIED, want.leaf, 1, line)
    if there is None and here is not None:  # what stands here belongs further behind
        for _ in range(here):
            should.pop()
        should.pop()
        return Difference(Kind.MISSING, want.leaf, here + 1)
    if here is None and there is not None:  # what belongs here stands further behind
        for _ in range(there):
            have.pop()
        have.pop()
        return Difference(Kind.INSERTED, want.leaf, there + 1, line)
    assert here is not None and there is not None  # noqa: S101, PT018
    if here == there:  # they have changed places
        should.take(here)
        have.take(there)
    else:
        should.take(here)
        should.put_back(want)
    return Difference(Kind.REORDERED, want.leaf, 1, line)
