"""Merkle trees as RFC 9162 has them: proofs are verified, and roots computed leaf by leaf."""

from collections.abc import Iterator, Sequence

from audit.hashing import EMPTY_ROOT, node_hash


def inclusion_holds(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Whether the leaf of that hash has that number in the tree (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    at, last, found = index, size - 1, leaf
    for hash_ in path:
        if last == 0:
            return False
        if at & 1 or at == last:
            found = node_hash(hash_, found)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            found = node_hash(found, hash_)
        at, last = at >> 1, last >> 1
    return last == 0 and found == root


def consistency_holds(
    old_size: int, new_size: int, path: Sequence[bytes], old_root: bytes, new_root: bytes
) -> bool:
    """Whether the older tree is the beginning of the newer one (RFC 9162, 2.1.4.2)."""
    if old_size == new_size:
        return not path and old_root == new_root
    if not 0 < old_size < new_size:
        return False
    hashes = [old_root, *path] if old_size & (old_size - 1) == 0 else list(path)
    if not path:
        return False
    at, last = old_size - 1, new_size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    old = new = hashes[0]
    for hash_ in hashes[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            old, new = node_hash(hash_, old), node_hash(hash_, new)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            new = node_hash(new, hash_)
        at, last = at >> 1, last >> 1
    return last == 0 and old == old_root and new == new_root


def subtrees(begin: int, end: int) -> Iterator[tuple[int, int]]:
    """The complete subtrees that the leaves from `begin` to before `end` fall into, from the left.

    Each as its height and its number at that height; from 0 they are those of a tree of that size.
    """
    while begin < end:
        height = (end - begin).bit_length() - 1
        if begin:
            height = min(height, (begin & -begin).bit_length() - 1)
        yield height, begin >> height
        begin += 1 << height


class Growing:
    """A tree from its left edge on: what is kept is a hash for each bit of its size."""

    def __init__(self, size: int = 0, roots: Sequence[bytes] = ()) -> None:
        """`roots`: of the complete subtrees of the first `size` leaves, the largest first."""
        if len(roots) != size.bit_count():
            raise ValueError("a hash for each complete subtree is needed")
        self.size = size
        self._roots = list(roots)

    def push(self, leaf: bytes) -> None:
        """Grow by one leaf."""
        roots, size = self._roots, self.size
        while size & 1:
            leaf = node_hash(roots.pop(), leaf)
            size >>= 1
        roots.append(leaf)
        self.size += 1

    def join(self, height: int, root: bytes) -> None:
        """Grow by a complete subtree of 2**height leaves. Raises ValueError where none begins."""
        if self.size & ((1 << height) - 1):
            raise ValueError("a subtree begins at a multiple of its size")
        size = self.size >> height
        while size & 1:
            root = node_hash(self._roots.pop(), root)
            size >>= 1
        self._roots.append(root)
        self.size += 1 << height

    def root(self) -> bytes:
        """The root of what has grown so far."""
        if not self._roots:
            return EMPTY_ROOT
        found = self._roots[-1]
        for left in reversed(self._roots[:-1]):
            found = node_hash(left, found)
        return found
