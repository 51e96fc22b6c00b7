"""Checkpoints carried out of our domain of trust: from where on nothing can be denied any more.

What an anchor is, and the plainest one: a file. audit/carrying.py has the queue of each.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Protocol
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from audit.apart import Apart
from audit.note import origin

MOST = 1000
"""Checkpoints that are carried at a time."""

_CHUNK = 16 * 1024 * 1024

_NEWER = text("""
    select size, note from audit_checkpoints
    where organisation_id = :organisation_id and size > :size order by size desc limit :most
""")


@dataclass(frozen=True, slots=True)
class Signed:
    """A checkpoint: how large the tree was, its root, and the signed note."""

    size: int
    root: bytes
    note: str


@dataclass(frozen=True, slots=True)
class Stamped:
    """A checkpoint and its time stamp: an RFC 3161 response (DER) over the note's SHA-256."""

    size: int
    note: str
    token: bytes


@dataclass(frozen=True, slots=True)
class Parcel:
    """What an anchor is given: the newest checkpoint, or all that it lacks if it wants each.

    `proof` joins the newest to the one that the anchor had last (of size `after`; None where it had
    none), as `miyabi audit check` reads it; `stamped` is the newest that has a time stamp.
    """

    organisation_id: UUID
    checkpoints: Sequence[Signed]
    after: int = 0
    proof: bytes | None = None
    stamped: Stamped | None = None

    @property
    def newest(self) -> Signed:
        return self.checkpoints[-1]

    @property
    def origin(self) -> str:
        return origin(self.organisation_id)

    def files(self) -> Mapping[str, bytes]:
        """What leaves us, by name, the newest checkpoint first; as the verifier reads it again.

        `SIZE.note`, the proof `AFTER-SIZE.json`, and the time stamp `SIZE.tsr` with its note.
        """
        found = {f"{self.newest.size}.note": self.newest.note.encode()}
        if self.proof is not None:
            found[f"{self.after}-{self.newest.size}.json"] = self.proof
        if self.stamped is not None:
            found.setdefault(f"{self.stamped.size}.note", self.stamped.note.encode())
            found[f"{self.stamped.size}.tsr"] = self.stamped.token
        return found


@dataclass(frozen=True, slots=True)
class Receipt:
    """Where the newest checkpoint of a parcel is to be found there; its time stamp if it is one."""

    place: str
    token: bytes | None = None


class AnchorAway(OSError):
    """An anchor did not take what it was given; the words hold no secret."""


class Anchor(Protocol):
    """A place that keeps what it was given, and that who runs the database can't write anew."""

    @property
    def name(self) -> str:
        """What it is called in receipts and in settings: one of a kind."""

    @property
    def each(self) -> bool:
        """Whether it wants each checkpoint as soon as it is made."""

    @property
    def stamps(self) -> bool:
        """Whether its receipts have time stamps, which the others then carry along."""

    @property
    def patience(self) -> float:
        """Seconds after which `put` is given up."""

    async def put(self, parcel: Parcel) -> Receipt:
        """Keep what is in it. When it returns it is kept; to give it again does no harm.

        Raises OSError where it can't, and where something else stands in its place.
        """


async def carry(connection: AsyncConnection, organisation_id: UUID, file: "FileAnchor") -> int:
    """Bring a file up to date, by what it has itself; how many it was given. Raises OSError.

    Only the newest of what it lacks, if that is very much: each vouches for all before it.
    """
    size = file.last(origin(organisation_id))
    values = {"organisation_id": organisation_id, "size": size, "most": MOST}
    rows = list(await connection.execute(_NEWER, values))
    for row in reversed(rows):
        file.add(row.note)
    return len(rows)


class FileAnchor:
    """A file on another machine's disk (a mount that can only be added to), or one sent away."""

    name = "file"
    each = True
    stamps = False
    patience = 20.0

    def __init__(self, path: Path) -> None:
        self._path = path
        self._apart = Apart("anchor-file")
        self._read = 0  # bytes of it that were looked at
        self._rest = b""  # of these, what was not understood as a whole note yet
        self._sizes: dict[str, int] = {}

    async def put(self, parcel: Parcel) -> Receipt:
        """Add what it lacks, by what it has itself."""

        def add() -> None:
            last = self.last(parcel.origin)
            for each in parcel.checkpoints:
                if each.size > last:
                    self.add(each.note)

        await self._apart.run(add, self.patience)
        return Receipt(self._path.name)

    def last(self, origin: str) -> int:
        """The size of the largest tree of that origin that it has, 0 if none. Raises OSError.

        Read from the file, of which only what came since the last look: others may add as well.
        """
        try:
            with self._path.open("rb") as file:
                if file.seek(0, os.SEEK_END) < self._read:
                    self._read, self._rest, self._sizes = 0, b"", {}  # another file than before
                file.seek(self._read)
                while chunk := file.read(_CHUNK):
                    self._read += len(chunk)
                    self._learn(chunk)
        except FileNotFoundError:
            return 0
        return self._sizes.get(origin, 0)

    def _learn(self, chunk: bytes) -> None:
        # The last part is nothing, or of a note that is not written to its end (yet).
        *parts, rest = (self._rest + chunk).split(b"\n\n")
        for words, below in pairwise(parts):
            name, _, more = words.partition(b"\n")
            size = more.partition(b"\n")[0]
            if size.isdigit() and below.startswith("\u2014 ".encode()):
                known = name.decode("utf-8", "replace")
                self._sizes[known] = max(self._sizes.get(known, 0), int(size))
        # What was the last whole part may be the words of what comes next.
        self._rest = b"\n\n".join([*parts[-1:], rest])

    def add(self, note: str) -> None:
        """Add it with an empty line behind it, and have the disk confirm that. Raises OSError."""
        file = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            content = note.encode() + b"\n"
            size = os.fstat(file).st_size
            if size and os.pread(file, 2, max(size - 2, 0)) != b"\n\n":
                content = b"\n\n" + content  # behind one that was not written to its end
            if os.write(file, content) != len(content):
                raise OSError(f"{self._path}: the disk is full")
            os.fsync(file)
        finally:
            os.close(file)
