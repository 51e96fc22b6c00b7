"""The stored tree, as far as a verifier reads it: tiles in order, their parents compared."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from audit.hashing import SIZE, node_hash
from audit.verifier.merkle import Growing, subtrees
from audit.verifier.verdict import Fault, Kind, Verdict

WIDTH = 256
_HEIGHT = 8

_TILES = text("""
    select number, hashes, events from audit_tiles
    where organisation_id = :organisation_id and level = 0 and number between :low and :high
    order by number
""")
_UPPER = text("""
    select hashes from audit_tiles
    where organisation_id = :organisation_id and level = :level and number = :number
""")
_LAST = text("""
    select max(number) as number from audit_tiles
    where organisation_id = :organisation_id and level = :level
""")


def split(hashes: bytes) -> list[bytes]:
    """The hashes of a tile."""
    return [hashes[at : at + SIZE] for at in range(0, len(hashes), SIZE)]


def fold(hashes: list[bytes]) -> bytes:
    """The root of a complete subtree, from what stands at one height of it."""
    while len(hashes) > 1:
        hashes = [
            node_hash(left, right) for left, right in zip(hashes[::2], hashes[1::2], strict=True)
        ]
    return hashes[0]


@dataclass(slots=True)
class Stored:
    """The tiles of one organisation."""

    connection: AsyncConnection
    organisation_id: UUID
    origin: str
    _full: dict[int, list[bytes]] = field(default_factory=dict)  # roots of full tiles, by level

    async def leaves(self, low: int, count: int) -> list[Any]:
        """The tiles of leaves from number `low` on; those that are not there are left out."""
        values = {"organisation_id": self.organisation_id, "low": low, "high": low + count - 1}
        return list(await self.connection.execute(_TILES, values))

    async def last(self, level: int) -> int | None:
        """The number of the last tile of a level."""
        values = {"organisation_id": self.organisation_id, "level": level}
        found: int | None = await self.connection.scalar(_LAST, values)
        return found

    async def upper(self, level: int, number: int) -> list[bytes]:
        """The hashes of a tile above the leaves; none where there is no such tile."""
        values = {"organisation_id": self.organisation_id, "level": level, "number": number}
        found = await self.connection.scalar(_UPPER, values)
        return split(bytes(found)) if found is not None else []

    async def left_of(self, begin: int) -> Growing:
        """The tree of the leaves before `begin`, a multiple of 256. Raises ValueError.

        Its hashes are taken as they are stored: if any is wrong, no later root matches.
        """
        roots = []
        for height, index in subtrees(0, begin):
            level, rest = divmod(height, _HEIGHT)
            first = index << rest
            tile = await self.upper(level, first // WIDTH)
            roots.append(fold(tile[first % WIDTH : first % WIDTH + (1 << rest)] or [b""]))
        self._full = {}
        level, full = 1, begin // WIDTH
        while full:
            tile = await self.upper(level, full // WIDTH)
            self._full[level] = tile[: full % WIDTH]
            level, full = level + 1, full // WIDTH
        return Growing(begin, roots)

    def fills(self, root: bytes) -> bool:
        """Take in the root of a full tile of leaves; whether the tile above it is full, too."""
        above = self._full.setdefault(1, [])
        above.append(root)
        return len(above) == WIDTH

    async def compare_above(self, number: int, verdict: Verdict) -> None:
        """Compare the full tiles above a tile of leaves."""
        level = 1
        while len(above := self._full.setdefault(level, [])) == WIDTH:
            number //= WIDTH
            await self._compare(level, number, above, verdict)
            level += 1
            self._full.setdefault(level, []).append(fold(above))
            above.clear()

    async def close(self, size: int, verdict: Verdict) -> None:
        """After the last leaf: compare the tiles that are not full yet, and miss no level."""
        for level, above in sorted(self._full.items()):
            if above:
                await self._compare(level, size >> (_HEIGHT * (level + 1)), above, verdict)

    async def _compare(
        self, level: int, number: int, computed: list[bytes], verdict: Verdict
    ) -> None:
        stored = await self.upper(level, number)
        if stored == computed:
            return
        pairs = enumerate(zip(stored, computed, strict=False))
        wrong = next((at for at, (a, b) in pairs if a != b), min(len(stored), len(computed)))
        span = WIDTH**level
        first = (number * WIDTH + wrong) * span
        about = f"tile {level}/{number} does not lie over these leaves"
        verdict.add(Fault(Kind.MODIFIED, about, self.origin, first, first + span))
