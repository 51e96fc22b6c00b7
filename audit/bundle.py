"""A range of an organisation's log as one file that an auditor verifies without us.

Written as a stream: neither the range nor the file has to fit into memory.
"""

import hashlib
import json
import struct
import sys
import zipfile
from array import array
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from audit.event import JSON, canonical
from audit.events import by_ids
from audit.hashing import SIZE
from audit.merkle import WIDTH, Range
from audit.note import origin
from audit.proofs import hashes_of

MOST_CHECKPOINTS = 1_000
"""Of the checkpoints within the range, so many are taken along, evenly chosen: the newest one
vouches for all; the others narrow down where something was changed, and when."""

_TILES_AT_ONCE = 8
_LABEL = b"miyabi sha256 "
_END = struct.Struct("<4s4H2LH")

_TILES = text("""
    select number, hashes, events from audit_tiles
    where organisation_id = :organisation_id and level = 0 and number between :low and :high
    order by number
""")
_COVER = text("""
    select max(size) as size from audit_checkpoints where organisation_id = :organisation_id
""")
_CHECKPOINTS = text("""
    with inside as (
        select size, note, row_number() over (order by size desc) as rank, count(*) over () as n
        from audit_checkpoints
        where organisation_id = :organisation_id and size > :first and size <= :end
    )
    select size, note from inside where rank % (n / :most + 1) = 0 or rank = 1
    union
    select size, note from audit_checkpoints
    where organisation_id = :organisation_id and size = :cover
    order by size
""")
_KEYS = text("select vkey from audit_keys order by valid_from, vkey")


class NothingToExport(LookupError):
    """There is no checkpoint over the range that was asked for."""


class GoneEvents(LookupError):
    """Events that have leaves are not there: first see what verify says."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written: leaves from `first` up to before `end`, under the checkpoint of `size`."""

    first: int
    end: int
    size: int


async def export(
    connection: AsyncConnection,
    organisation_id: UUID,
    path: Path,
    *,
    first: int = 0,
    end: int | None = None,
    compression: int = zipfile.ZIP_DEFLATED,
) -> Exported:
    """Write a bundle of the leaves from `first` up to before `end` (all that are signed for).

    With `compression` ZIP_STORED it is for somebody who packs it as a whole. The connection should
    be in a snapshot (REPEATABLE READ). Raises NothingToExport, GoneEvents.
    """
    values: dict[str, object] = {"organisation_id": organisation_id}
    cover: int | None = await connection.scalar(_COVER, values)
    end = cover if end is None else end
    if cover is None or end is None or not 0 <= first < end <= cover:
        raise NothingToExport(f"no checkpoint over {first} to {end}; the newest is {cover}")
    values |= {"first": first, "end": end, "cover": cover, "most": MOST_CHECKPOINTS}
    notes = list(await connection.execute(_CHECKPOINTS, values))
    left = await _subtrees(connection, organisation_id, 0, first)
    right = await _subtrees(connection, organisation_id, end, cover)
    keys = [row.vkey for row in await connection.execute(_KEYS)]
    with path.open("wb") as file:
        sealed = _Sealed(file)
        with zipfile.ZipFile(sealed, "w", compression) as archive:
            files, seqs = _Files(archive), array("Q")
            lines = _lines(connection, organisation_id, first, end, seqs)
            await files.stream("events.jsonl", lines)
            await files.stream("leaves.bin", _leaves(connection, organisation_id, first, end))
            if sys.byteorder == "little":
                seqs.byteswap()
            files.add("seqs.bin", seqs.tobytes())
            files.add("range.json", _json({"left": left, "right": right}))
            files.add("keys.txt", "".join(f"{key}\n" for key in keys).encode())
            for row in notes:
                files.add(f"checkpoints/{row.size}.note", row.note.encode())
            manifest: dict[str, JSON] = {
                "format": 1,
                "origin": origin(organisation_id),
                "organisation": str(organisation_id),
                "first": first,
                "end": end,
                "size": cover,
                "checkpoints": [row.size for row in notes],
                "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
                "files": dict(files.digests),
            }
            manifest["sha256"] = hashlib.sha256(canonical(manifest).encode()).hexdigest()
            files.add("manifest.json", _json(manifest))
        sealed.seal()
    return Exported(first, end, cover)


async def _subtrees(
    connection: AsyncConnection, organisation_id: UUID, start: int, end: int
) -> Sequence[str]:
    """The hashes of the complete subtrees over a range of leaves, from left to right."""
    nodes = Range(start, end).nodes()
    ranges = [Range(n.place << n.height, (n.place + 1) << n.height) for n in nodes]
    return [hash_.hex() for hash_ in await hashes_of(connection, organisation_id, ranges)]


async def _lines(
    connection: AsyncConnection, organisation_id: UUID, first: int, end: int, seqs: "array[int]"
) -> AsyncIterator[bytes]:
    """The events in the order of their leaves, each in its one spelling. Their numbers in their
    streams, which no event says of itself, are added to `seqs`."""
    async for ids, _ in _tiles(connection, organisation_id, first, end):
        found = await by_ids(connection, organisation_id, ids)
        for id_ in ids:
            if id_ not in found:
                raise GoneEvents(f"event {id_} has a leaf but is not there")
            seqs.append(found[id_].seq)
            yield canonical(json.loads(found[id_].body)).encode() + b"\n"


async def _leaves(
    connection: AsyncConnection, organisation_id: UUID, first: int, end: int
) -> AsyncIterator[bytes]:
    """The hashes of the leaves."""
    async for _, hashes in _tiles(connection, organisation_id, first, end):
        yield hashes


async def _tiles(
    connection: AsyncConnection, organisation_id: UUID, first: int, end: int
) -> AsyncIterator[tuple[list[UUID], bytes]]:
    """Events and hashes of the leaves of a range, some tiles at a time."""
    for low in range(first // WIDTH, (end - 1) // WIDTH + 1, _TILES_AT_ONCE):
        values = {
            "organisation_id": organisation_id,
            "low": low,
            "high": low + _TILES_AT_ONCE - 1,
        }
        ids: list[UUID] = []
        hashes = b""
        for row in await connection.execute(_TILES, values):
            if row.number * WIDTH >= end:
                continue
            begin = max(first - row.number * WIDTH, 0)
            past = min(end - row.number * WIDTH, WIDTH)
            ids += row.events[begin:past]
            hashes += bytes(row.hashes)[begin * SIZE : past * SIZE]
        yield ids, hashes


def _json(value: dict[str, JSON]) -> bytes:
    return canonical(value).encode() + b"\n"


class _Files:
    """The members of the bundle, and the SHA-256 of each."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self.digests: dict[str, str] = {}

    async def stream(self, name: str, parts: AsyncIterator[bytes]) -> None:
        """A member that is written as it comes."""
        digest = hashlib.sha256()
        with self._archive.open(self._member(name), "w", force_zip64=True) as member:
            async for part in parts:
                digest.update(part)
                member.write(part)
        self.digests[name] = digest.hexdigest()

    def add(self, name: str, content: bytes) -> None:
        """A small member."""
        self._archive.writestr(self._member(name), content)
        self.digests[name] = hashlib.sha256(content).hexdigest()

    def _member(self, name: str) -> zipfile.ZipInfo:
        """Of no time: what was written when stands in the manifest."""
        info = zipfile.ZipInfo(name)
        info.compress_type = self._archive.compression
        info.external_attr = 0o644 << 16
        return info


class _Sealed:
    """A file to which is only added, and whose last record gets a checksum of all before it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._digest = hashlib.sha256()
        self._held = b""

    def write(self, data: bytes, /) -> int:
        """Write all but what may be the last record."""
        held = self._held + bytes(data)
        done, self._held = held[: -_END.size], held[-_END.size :]
        self._digest.update(done)
        self._file.write(done)
        return len(data)

    def flush(self) -> None:
        """Write through what was written."""
        self._file.flush()

    def close(self) -> None:
        """The file is closed by who opened it, after its seal."""

    def seal(self) -> None:
        """Write the last record with the checksum as the zip file's comment."""
        comment = _LABEL + self._digest.hexdigest().encode()
        self._file.write(self._held[:-2] + struct.pack("<H", len(comment)) + comment)
        self._file.flush()
