"""Signed notes (C2SP signed-note) and the checkpoint in one (C2SP tlog-checkpoint), written.

A note is a text and the lines of its signatures. Keys are written as the Go tools write them:
`name+id+base64` for the public one, `PRIVATE+KEY+name+id+base64` for the other.
"""

import base64
import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

ED25519 = b"\x01"
_PRIVATE = "PRIVATE+KEY+"
_NAME = re.compile(r"[^\s+]+")


@dataclass(frozen=True, slots=True)
class NoteKey:
    """An Ed25519 key with the name it signs under."""

    name: str
    key: Ed25519PrivateKey

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError("the name of a key has neither spaces nor +")

    @classmethod
    def made(cls, name: str) -> "NoteKey":
        """A new one. Raises ValueError for a name that can't be one."""
        return cls(name, Ed25519PrivateKey.generate())

    @classmethod
    def read(cls, line: str) -> "NoteKey":
        """One as `written` gives it. Raises ValueError, without a word of what the line holds."""
        parts = line.removeprefix(_PRIVATE).split("+", maxsplit=2)
        if not line.startswith(_PRIVATE) or len(parts) != 3:
            raise ValueError("a key is PRIVATE+KEY+name+id+base64")
        name, id_, encoded = parts
        try:
            seed = base64.b64decode(encoded, validate=True)
        except ValueError:
            seed = b""
        if len(seed) != 33 or not seed.startswith(ED25519):
            raise ValueError("this is no Ed25519 key")
        found = cls(name, Ed25519PrivateKey.from_private_bytes(seed[1:]))
        if found.id.hex() != id_:
            raise ValueError("the key does not have the id that stands before it")
        return found

    def written(self) -> str:
        """The secret, as a line of a key file."""
        seed = ED25519 + self.key.private_bytes_raw()
        return f"{_PRIVATE}{self.name}+{self.id.hex()}+{_base64(seed)}"

    @property
    def vkey(self) -> str:
        """The public key, as verifiers are given it."""
        return f"{self.name}+{self.id.hex()}+{_base64(self._public)}"

    @property
    def id(self) -> bytes:
        """Four bytes by which a verifier finds the key for a signature."""
        return hashlib.sha256(self.name.encode() + b"\n" + self._public).digest()[:4]

    @property
    def _public(self) -> bytes:
        raw = self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return ED25519 + raw


def signature_line(name: str, key_id: bytes, signature: bytes) -> str:
    """One signature of a note."""
    return f"— {name} {_base64(key_id + signature)}\n"


def note(text: str, signatures: list[str]) -> str:
    """A text and its lines of signatures. Raises ValueError for a text that is no note's."""
    if not text.endswith("\n") or any(ord(char) < 0x20 and char != "\n" for char in text):
        raise ValueError("a note ends with a line's end and holds no other control characters")
    return text + "\n" + "".join(signatures)


def origin(organisation_id: UUID) -> str:
    """The first line of an organisation's checkpoints: which tree it is."""
    return f"miyabi/{organisation_id}"


def checkpoint_text(organisation_id: UUID, size: int, root: bytes, at: datetime) -> str:
    """What is signed: the tree, how large it is, its root, and when it was so, to the second."""
    moment = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return f"{origin(organisation_id)}\n{size}\n{_base64(root)}\ntime {moment}\n"


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()
