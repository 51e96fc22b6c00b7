"""Checkpoints carried out of our domain of trust: from where on nothing can be denied any more.

An anchor is its own queue: what it lacks is what the database has after its last. One that is away
holds nobody up, and gets everything the next time.
"""

import os
from itertools import pairwise
from pathlib import Path
from typing import Protocol
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from audit.note import origin

MOST = 1000
"""Checkpoints that are carried at a time."""

_NEWER = text("""
    select size, note from audit_checkpoints
    where organisation_id = :organisation_id and size > :size order by size desc limit :most
""")


class Anchor(Protocol):
    """A place that keeps what it was given, and that who runs the database can't write anew."""

    async def last(self, origin: str) -> int:
        """The size of the largest tree of that origin that it keeps; 0 if none. Raises OSError."""

    async def put(self, note: str) -> None:
        """Keep a checkpoint. When it returns it is kept. Raises OSError."""


async def carry(connection: AsyncConnection, organisation_id: UUID, anchor: Anchor) -> int:
    """Bring an anchor up to date; how many checkpoints it was given. Raises OSError.

    Only the newest of what it lacks, if that is very much: each vouches for all before it.
    """
    size = await anchor.last(origin(organisation_id))
    values = {"organisation_id": organisation_id, "size": size, "most": MOST}
    rows = list(await connection.execute(_NEWER, values))
    for row in reversed(rows):
        await anchor.put(row.note)
    return len(rows)


class FileAnchor:
    """A file on another machine's disk (a mount that can only be added to), or one sent away."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def last(self, origin: str) -> int:
        """Read from the file: what another has added counts as well."""
        try:
            content = self._path.read_text("utf-8")
        except FileNotFoundError:
            return 0
        found = 0
        # The last part is nothing, or of a note that was not written to its end.
        for words, below in pairwise(content.split("\n\n")[:-1]):
            name, _, rest = words.partition("\n")
            size = rest.partition("\n")[0]
            if name == origin and size.isdecimal() and below.startswith("\u2014 "):
                found = max(found, int(size))
        return found

    async def put(self, note: str) -> None:
        """Add it with an empty line behind it, and have the disk confirm that."""
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
