"""Signed notes and checkpoints: c2sp.org/signed-note, c2sp.org/tlog-checkpoint.

Read strictly: what has two spellings is refused in all but one.
"""

import base64
import binascii
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from audit.verifier.verdict import Head, Kind

_ED25519 = b"\x01"
_NAME = re.compile(r"[^\s+]+")
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
_SIGNATURE = re.compile(r"\u2014 ([^\s+]+) ([A-Za-z0-9+/]+={0,2})")
_MOST_BYTES = 64 * 1024
_MOST_SIGNATURES = 64


class BadNote(Exception):
    """A note that is refused: `kind` of the fault, and why."""

    def __init__(self, kind: Kind, why: str) -> None:
        super().__init__(why)
        self.kind = kind
        self.why = why


@dataclass(frozen=True, slots=True)
class Key:
    """A public key, as a vkey names it: `<name>+<key id in hex>+<base64 of 0x01 and the key>`."""

    name: str
    id: bytes
    public: Ed25519PublicKey


Keys = Mapping[tuple[str, bytes], Key]
"""Keys by name and id."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a checkpoint says, whoever signed it."""

    origin: str
    size: int
    root: bytes
    at: str
    extensions: tuple[str, ...] = ()


def read_vkey(text: str) -> Key:
    """A public key. Raises ValueError."""
    name, _, rest = text.strip().partition("+")
    hint, _, encoded = rest.partition("+")
    data = _from_base64(encoded)
    if not _NAME.fullmatch(name) or data is None or len(data) != 33 or data[:1] != _ED25519:
        raise ValueError(f"no Ed25519 vkey: {text.strip()[:80]}")
    if hint != key_id(name, data[1:]).hex():
        raise ValueError(f"the id of this vkey is not that of its key: {text.strip()[:80]}")
    return Key(name, bytes.fromhex(hint), Ed25519PublicKey.from_public_bytes(data[1:]))


def read_keys(text: str) -> Keys:
    """Vkeys, one a line; empty lines and those that begin with # are left out."""
    lines = (line.strip() for line in text.splitlines())
    return keyring(read_vkey(line) for line in lines if line and not line.startswith("#"))


def keyring(keys: Iterable[Key]) -> Keys:
    """Keys as they are looked up."""
    return {(key.name, key.id): key for key in keys}


def key_id(name: str, public: bytes) -> bytes:
    """The four bytes by which a signature names its key."""
    return sha256(name.encode() + b"\n" + _ED25519 + public).digest()[:4]


def open_checkpoint(note: str, keys: Keys, *, origin: str | None = None) -> Head:
    """Read and verify a checkpoint. Raises BadNote.

    At least one of the given keys must have signed it. Signatures of others are ignored, as the
    standard wants it; one in the name of a given key that it did not make is refused.
    """
    text, signatures = _split(note)
    signers = []
    for name, blob in signatures:
        key = keys.get((name, blob[:4]))
        if key is None:
            continue
        try:
            key.public.verify(blob[4:], text.encode())
        except InvalidSignature:
            raise BadNote(Kind.BAD_SIGNATURE, f"the signature of {name} is wrong") from None
        signers.append(name)
    found = _checkpoint(text)
    if origin is not None and found.origin != origin:
        raise BadNote(Kind.INCONSISTENT, f"a checkpoint of {found.origin}, not of {origin}")
    if not signers:
        names = ", ".join(sorted({name for name, _ in signatures}))
        raise BadNote(Kind.UNKNOWN_KEY, f"signed by no key that was given, but by {names}")
    return Head(found.origin, found.size, found.root, found.at, tuple(signers))


def read_checkpoint(note: str) -> Checkpoint:
    """What a checkpoint says, without asking who signed it. Raises BadNote."""
    return _checkpoint(_split(note)[0])


def _split(note: str) -> tuple[str, list[tuple[str, bytes]]]:
    """The signed text, and the signatures: of whom, and the key id with what was signed."""
    if len(note) > _MOST_BYTES or any(
        (character < " " and character != "\n") or "\ud800" <= character <= "\udfff"
        for character in note
    ):
        raise BadNote(Kind.MALFORMED, "no signed note")
    text, between, below = note.rpartition("\n\n")
    lines = below.split("\n")
    if not between or not text or lines.pop() or not 0 < len(lines) <= _MOST_SIGNATURES:
        raise BadNote(Kind.MALFORMED, "no signed note")
    signatures = []
    for line in lines:
        match = _SIGNATURE.fullmatch(line)
        blob = _from_base64(match[2]) if match else None
        if match is None or blob is None or len(blob) < 5:
            raise BadNote(Kind.MALFORMED, "no signature where one should stand")
        signatures.append((match[1], blob))
    if len(set(signatures)) != len(signatures):
        raise BadNote(Kind.MALFORMED, "a signature stands there twice")
    return text + "\n", signatures


def _checkpoint(text: str) -> Checkpoint:
    lines = text.split("\n")
    if lines.pop() or len(lines) < 3 or not all(lines):
        raise BadNote(Kind.MALFORMED, "no checkpoint")
    origin, size, encoded, *extensions = lines
    root = _from_base64(encoded)
    if not _SIZE.fullmatch(size) or root is None or len(root) != 32:
        raise BadNote(Kind.MALFORMED, "no checkpoint")
    times = [line.removeprefix("time ") for line in extensions if line.startswith("time ")]
    if len(times) != 1 or not _is_time(times[0]):
        raise BadNote(Kind.MALFORMED, "a checkpoint without its time")
    return Checkpoint(origin, int(size), root, times[0], tuple(extensions))


def _is_time(text: str) -> bool:
    try:
        return text.endswith("Z") and datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def _from_base64(text: str) -> bytes | None:
    """The bytes, or None; the unused bits of the last character must be zero."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if base64.b64encode(data).decode() == text else None
