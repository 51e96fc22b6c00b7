"""The two hashes of a Merkle tree (RFC 9162, section 2.1.1). Writer and verifier share this alone.

A leaf and a node begin with different bytes, so that neither can pass for the other.
"""

from hashlib import sha256

SIZE = 32
"""Bytes of a hash."""

EMPTY_ROOT = sha256(b"").digest()
"""The root of a tree without leaves."""


def leaf_hash(data: bytes) -> bytes:
    """The hash of a leaf: of an event's canonical JSON."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of the node above two."""
    return sha256(b"\x01" + left + right).digest()
