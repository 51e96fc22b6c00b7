"""The arithmetic of a Merkle tree in tiles: how it grows, its root, and its proofs (RFC 9162).

A tree of any size is a row of complete subtrees, the largest first: its edge. A node is named by
its height (a leaf's is 0) and its place among those of that height. A tile of level L holds the
hashes of 256 nodes of height 8 L, as in C2SP tlog-tiles; what is between is computed from them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import NamedTuple

from audit.hashing import EMPTY_ROOT, SIZE, node_hash

HEIGHT = 8
WIDTH = 1 << HEIGHT
"""How many hashes a full tile has."""


class Node(NamedTuple):
    """The root of a complete subtree: of the leaves from `place << height` on."""

    height: int
    place: int


class Tile(NamedTuple):
    """A tile's name."""

    level: int
    number: int


Tiles = Mapping[Tile, bytes]
"""Hash after hash of each tile; the last one of a level may be partial."""


@dataclass(frozen=True, slots=True)
class Tree:
    """What has to be known of a tree for it to grow: its size and the hashes of its edge."""

    size: int = 0
    edge: Sequence[bytes] = ()

    def root(self) -> bytes:
        """The hash of all of it."""
        return joined(self.edge)

    def grown(self, leaves: Sequence[bytes]) -> tuple["Tree", Sequence[bytes]]:
        """The tree with these leaf hashes behind its own; and what is new on each tile level,
        from leaves upwards as far as there is anything: hash after hash."""
        lower = list(self.edge)
        nodes, edge, levels = list(leaves), [], []
        height = 0
        while nodes or lower:
            if height % HEIGHT == 0 and nodes:
                levels.append(b"".join(nodes))
            if self.size >> height & 1:
                nodes.insert(0, lower.pop())
            if len(nodes) % 2:
                edge.append(nodes[-1])
            nodes = [
                node_hash(left, right) for left, right in zip(nodes[::2], nodes[1::2], strict=False)
            ]
            height += 1
        return Tree(self.size + len(leaves), edge[::-1]), levels


def joined(subtrees: Sequence[bytes]) -> bytes:
    """The hash over complete subtrees that follow one another, the largest first."""
    if not subtrees:
        return EMPTY_ROOT
    return reduce(lambda right, left: node_hash(left, right), reversed(subtrees))


class Range(NamedTuple):
    """Leaves from `start` up to `end`, which is no longer of them."""

    start: int
    end: int

    def halves(self) -> tuple["Range", "Range"]:
        """The left part of the largest power of two of leaves that is not all, and the rest."""
        middle = self.start + (1 << (self.end - self.start - 1).bit_length() - 1)
        return Range(self.start, middle), Range(middle, self.end)

    def nodes(self) -> Sequence[Node]:
        """The fewest complete subtrees that make up the range, from left to right."""
        start, found = self.start, []
        while start < self.end:
            largest = (self.end - start).bit_length() - 1
            aligned = (start & -start).bit_length() - 1 if start else largest
            height = min(largest, aligned)
            found.append(Node(height, start >> height))
            start += 1 << height
        return found


def inclusion(leaf: int, size: int) -> Sequence[Range]:
    """The subtrees whose hashes prove that a leaf is in the tree, from the leaf upwards.

    RFC 9162, section 2.1.3.1. Raises ValueError for a leaf that is not in it.
    """
    if not 0 <= leaf < size:
        raise ValueError(f"a tree of {size} has no leaf {leaf}")
    whole, found = Range(0, size), []
    while whole.end - whole.start > 1:
        left, right = whole.halves()
        whole, other = (left, right) if leaf < left.end else (right, left)
        found.append(other)
    return found[::-1]


def consistency(old: int, size: int) -> Sequence[Range]:
    """The subtrees whose hashes prove that a tree is an older one with leaves added behind.

    RFC 9162, section 2.1.4.1; empty for equal sizes. Raises ValueError where `old` is larger or 0.
    """
    if not 0 < old <= size:
        raise ValueError(f"no tree of {old} leaves became one of {size}")
    whole, found, known = Range(0, size), [], True
    while old != whole.end:
        left, right = whole.halves()
        if old <= left.end:
            whole, other = left, right
        else:
            whole, other, known = right, left, False
        found.append(other)
    if not known:
        found.append(whole)
    return found[::-1]


def tile_of(node: Node) -> Tile:
    """The tile from whose hashes a node is computed."""
    level, above = divmod(node.height, HEIGHT)
    return Tile(level, node.place << above >> HEIGHT)


def tiles_of(ranges: Iterable[Range]) -> set[Tile]:
    """All tiles that `hashes` has to be given."""
    return {tile_of(node) for each in ranges for node in each.nodes()}


def hashes(ranges: Iterable[Range], tiles: Tiles) -> Sequence[bytes]:
    """The hash of each range. Raises LookupError where a tile is missing or too short."""
    return [joined([node_in(tiles, node) for node in each.nodes()]) for each in ranges]


def node_in(tiles: Tiles, node: Node) -> bytes:
    """The hash of a node, computed from its tile. Raises LookupError, likewise."""
    tile = tile_of(node)
    above = node.height % HEIGHT
    first = (node.place << above) % WIDTH
    held = tiles.get(tile, b"")[first * SIZE : (first + (1 << above)) * SIZE]
    if len(held) != SIZE << above:
        raise LookupError(f"tile {tile.number} of level {tile.level} lacks hashes")
    row = [held[at : at + SIZE] for at in range(0, len(held), SIZE)]
    while len(row) > 1:
        row = [node_hash(left, right) for left, right in zip(row[::2], row[1::2], strict=True)]
    return row[0]
