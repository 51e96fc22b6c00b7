"""What a check comes to: the faults, each by its kind and place, and what was looked at."""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from audit.verifier.archived import Archive

MOST_LISTED = 100
"""Faults that are listed; all are counted."""


class Kind(StrEnum):
    """What is wrong. In the order of how much each explains: the first is a verdict's own kind."""

    MALFORMED = "malformed"
    """A file or note that can't be read as what it should be."""
    BAD_SIGNATURE = "bad signature"
    """A signature under the name of a key that was given, which that key did not make."""
    MODIFIED = "modified"
    """Something stands where it belongs and says something else."""
    REORDERED = "reordered"
    """Something stands in another's place."""
    MISSING = "missing"
    """Something in the middle is gone."""
    INSERTED = "inserted"
    """Something stands there that was never taken into the tree, or was dated back."""
    TAIL_CUT = "tail cut"
    """The end is gone: from some place on there is nothing, though there was."""
    INCONSISTENT = "inconsistent checkpoints"
    """Two histories: a signed head is not a head of this tree."""
    UNKNOWN_KEY = "unknown key"
    """Nothing newer is signed by any key that was given."""
    UNANCHORED = "unanchored tail"
    """All is well as far as can be told; but the newest events are under no anchor yet."""


_RANK = {kind: rank for rank, kind in enumerate(Kind)}


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong, and where.

    `leaf` is its number in the tree of `origin` (counted from 0), `until` the end of a range where
    more than one is concerned; `stream` and `seq` its place among the events of one thing.
    `about` says what was compared.
    """

    kind: Kind
    about: str
    origin: str | None = None
    leaf: int | None = None
    until: int | None = None
    event: UUID | str | None = None
    stream: UUID | None = None
    seq: int | None = None


@dataclass(frozen=True, slots=True)
class Head:
    """A checkpoint that was verified: what the tree was, when, and by whose signature."""

    origin: str
    size: int
    root: bytes
    at: str
    signers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stamp:
    """A checkpoint that was there at that time at the latest, says an authority (RFC 3161)."""

    origin: str
    size: int
    at: str
    authority: str


@dataclass(slots=True)
class Verdict:
    """What a check found and what it looked at.

    `unsequenced`: events that wait for their leaf. `uncheckpointed`: leaves after the newest
    verified checkpoint. `unanchored`: leaves after the last anchor, None where none was looked at.
    `archived`: leaves whose events have left the database for one of `archives`; whether these were
    read, and why they can't be. `range`: the leaves of a bundle.
    """

    events: int = 0
    streams: int = 0
    leaves: int = 0
    checkpoints: int = 0
    anchors: int = 0
    unsequenced: int = 0
    uncheckpointed: int = 0
    unanchored: int | None = None
    archived: int = 0
    archives: list[Archive] = field(default_factory=list)
    archives_read: bool = False
    archives_away: str | None = None
    range: tuple[int, int] | None = None
    heads: list[Head] = field(default_factory=list)
    stamps: list[Stamp] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    counts: Counter[Kind] = field(default_factory=Counter)

    def add(self, fault: Fault) -> None:
        """Note a fault; only the first ones are kept whole."""
        self.counts[fault.kind] += 1
        if len(self.faults) < MOST_LISTED:
            self.faults.append(fault)

    @property
    def kind(self) -> Kind | None:
        """The kind that says most of what is wrong; None where nothing is."""
        return min(self.counts, key=lambda kind: _RANK[kind], default=None)

    @property
    def verified(self) -> bool:
        """Whether all that was looked at is whole. An unanchored tail is only not proven yet."""
        return set(self.counts) <= {Kind.UNANCHORED}

    @property
    def first(self) -> Fault | None:
        """The first bad event (or whatever else is wrong), of the verdict's kind."""
        mine = [fault for fault in self.faults if fault.kind == self.kind]
        return min(mine, key=_place, default=None)


def _place(fault: Fault) -> tuple[bool, bool, int]:
    """One that names an event says more than one that names a stretch."""
    return (fault.leaf is None, fault.event is None, fault.leaf or 0)
