"""The tree is RFC 9162's, however it was grown, and its proofs come from tiles alone."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.hashing import SIZE, leaf_hash, node_hash
from audit.merkle import (
    WIDTH,
    Node,
    Range,
    Tile,
    Tree,
    consistency,
    hashes,
    inclusion,
    tiles_of,
)

# The vectors of the reference implementation of Certificate Transparency.
DATA = [
    bytes.fromhex(data)
    for data in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def naive(leaves: Sequence[bytes]) -> bytes:
    """MTH of RFC 9162, section 2.1.1, word for word."""
    if len(leaves) == 1:
        return leaves[0]
    k = 1 << (len(leaves) - 1).bit_length() - 1
    return node_hash(naive(leaves[:k]), naive(leaves[k:]))


def naive_path(m: int, leaves: Sequence[bytes]) -> list[bytes]:
    """PATH of section 2.1.3.1."""
    if len(leaves) == 1:
        return []
    k = 1 << (len(leaves) - 1).bit_length() - 1
    if m < k:
        return [*naive_path(m, leaves[:k]), naive(leaves[k:])]
    return [*naive_path(m - k, leaves[k:]), naive(leaves[:k])]


def naive_subproof(m: int, leaves: Sequence[bytes], known: bool) -> list[bytes]:
    """SUBPROOF of section 2.1.4.1."""
    if m == len(leaves):
        return [] if known else [naive(leaves)]
    k = 1 << (len(leaves) - 1).bit_length() - 1
    if m <= k:
        return [*naive_subproof(m, leaves[:k], known), naive(leaves[k:])]
    return [*naive_subproof(m - k, leaves[k:], False), naive(leaves[:k])]


def some_leaves(count: int) -> list[bytes]:
    return [leaf_hash(str(number).encode()) for number in range(count)]


def grow(leaves: Sequence[bytes], steps: Sequence[int]) -> tuple[Tree, dict[Tile, bytes]]:
    """A tree of the leaves, added so many at a time; its tiles as the database keeps them."""
    tree, tiles = Tree(), dict[Tile, bytes]()
    at = 0
    for step in [*steps, len(leaves)]:
        more = leaves[at : at + step]
        at += len(more)
        size = tree.size
        tree, levels = tree.grown(more)
        for level, new in enumerate(levels):
            for position in range(len(new) // SIZE):
                tile = Tile(level, ((size >> 8 * level) + position) // WIDTH)
                each = new[position * SIZE : (position + 1) * SIZE]
                tiles[tile] = tiles.get(tile, b"") + each
    return tree, tiles


def test_roots_are_those_of_the_reference() -> None:
    leaves = [leaf_hash(data) for data in DATA]

    found = [Tree().grown(leaves[:size])[0].root().hex() for size in range(9)]

    assert found == ROOTS


def test_the_proofs_of_the_example_in_rfc_9162() -> None:
    a, b, c, d, f, g, h, i, j, k, m = (
        *(Range(n, n + 1) for n in range(4)),
        Range(5, 6),
        *(Range(n, n + 2) for n in (0, 2)),
        Range(4, 6),
        Range(6, 7),
        Range(0, 4),
        Range(4, 7),
    )
    # By their names here: g, h, i are the pairs, j the last leaf, k and m the halves.
    assert inclusion(0, 7) == [b, h, m]
    assert inclusion(3, 7) == [c, g, m]
    assert inclusion(4, 7) == [f, j, k]
    assert inclusion(6, 7) == [i, k]
    assert consistency(3, 7) == [c, d, g, m]
    assert consistency(4, 7) == [m]
    assert consistency(6, 7) == [i, j, k]
    assert a not in consistency(3, 7)


@given(st.integers(1, 600), st.lists(st.integers(1, 300), max_size=6))
def test_it_does_not_matter_how_a_tree_was_grown(count: int, steps: list[int]) -> None:
    leaves = some_leaves(count)

    tree, tiles = grow(leaves, steps)

    assert (tree.size, tree.root()) == (count, naive(leaves))
    assert tiles == grow(leaves, [])[1]


@given(st.data(), st.integers(1, 700))
def test_proofs_from_tiles_are_the_naive_ones(data: st.DataObject, size: int) -> None:
    leaves = some_leaves(700)
    _, tiles = grow(leaves, [])  # the tree may have grown since
    leaf = data.draw(st.integers(0, size - 1))
    old = data.draw(st.integers(1, size))

    assert hashes(inclusion(leaf, size), tiles) == naive_path(leaf, leaves[:size])
    assert hashes(consistency(old, size), tiles) == naive_subproof(old, leaves[:size], True)


@given(st.integers(0, 2000), st.integers(0, 2000))
def test_a_range_is_cut_into_few_complete_subtrees(start: int, length: int) -> None:
    nodes = Range(start, start + length).nodes()

    covered = [
        leaf
        for node in nodes
        for leaf in range(node.place << node.height, node.place + 1 << node.height)
    ]
    assert covered == list(range(start, start + length))
    assert len(nodes) <= 2 * length.bit_length()


def test_a_proof_over_a_hundred_million_leaves_needs_few_tiles() -> None:
    size = 100_000_000
    wanted = tiles_of([*inclusion(12_345_678, size), *consistency(77_777_777, size)])

    assert len(wanted) <= 12


def test_a_missing_or_short_tile_is_an_error_and_no_proof() -> None:
    leaves = some_leaves(300)
    _, tiles = grow(leaves, [])

    with pytest.raises(LookupError, match="tile 1 of level 0"):
        hashes(inclusion(3, 300), {k: v for k, v in tiles.items() if k != Tile(0, 1)})
    with pytest.raises(LookupError, match="tile 1 of level 0"):
        hashes(inclusion(3, 301), tiles)


@pytest.mark.parametrize(("leaf", "size"), [(-1, 3), (3, 3), (0, 0)])
def test_a_leaf_that_is_not_there_has_no_proof(leaf: int, size: int) -> None:
    with pytest.raises(ValueError, match="no leaf"):
        inclusion(leaf, size)
    with pytest.raises(ValueError, match="became"):
        consistency(size + 1, size)


def test_a_node_is_named_by_height_and_place() -> None:
    assert Range(0, 7).nodes() == [Node(2, 0), Node(1, 2), Node(0, 6)]
    assert Range(3, 8).nodes() == [Node(0, 3), Node(2, 1)]
