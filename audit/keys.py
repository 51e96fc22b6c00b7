"""Who signs checkpoints. Keys are never in the database; a key service fits behind `Signer`.

A file or a variable holds one key a line (audit/note.py), and each signs. So a new key is added
beside the old one, verifiers learn its public half meanwhile, and then the old one is taken out.
"""

import os
import stat
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from audit.note import NoteKey


class Signer(Protocol):
    """One Ed25519 key, wherever it is."""

    @property
    def name(self) -> str: ...
    @property
    def id(self) -> bytes: ...
    @property
    def vkey(self) -> str: ...
    async def sign(self, message: bytes) -> bytes:
        """The signature of these bytes. Raises OSError where the key can't be reached."""


@dataclass(frozen=True, slots=True)
class HeldKey:
    """A key that this process holds itself."""

    key: NoteKey

    @property
    def name(self) -> str:
        return self.key.name

    @property
    def id(self) -> bytes:
        return self.key.id

    @property
    def vkey(self) -> str:
        return self.key.vkey

    async def sign(self, message: bytes) -> bytes:
        """Signed at once."""
        return self.key.key.sign(message)


def signers_in(content: str) -> Sequence[Signer]:
    """The keys of a file or variable, with white space between. Raises ValueError, which says the
    how manieth is none."""
    found = []
    for number, word in enumerate(content.split(), start=1):
        try:
            found.append(HeldKey(NoteKey.read(word)))
        except ValueError as error:
            raise ValueError(f"key {number}: {error}") from None
    return found


def signers_of_file(path: Path) -> Sequence[Signer]:
    """The keys of a file. Raises OSError where it can't be read, or others may read it, too."""
    if stat.S_IMODE(path.stat().st_mode) & (stat.S_IRWXG | stat.S_IRWXO):
        raise PermissionError(f"{path}: others can read it; chmod 600")
    return signers_in(path.read_text("utf-8"))


def add_to_file(path: Path, key: NoteKey) -> None:
    """Write a key below those that the file has; make the file where there is none."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    before = path.read_text("utf-8") if path.exists() else ""
    if before and not before.endswith("\n"):
        before += "\n"
    _replace(path, before + key.written() + "\n")


def take_from_file(path: Path, vkey: str) -> bool:
    """Take the key out whose public half this is; whether it was there."""
    words = path.read_text("utf-8").split()
    kept = [word for word in words if NoteKey.read(word).vkey != vkey]
    if len(kept) < len(words):
        _replace(path, "".join(f"{word}\n" for word in kept))
    return len(kept) < len(words)


def _replace(path: Path, content: str) -> None:
    """Whole or not at all: a half-written key would be a lost one. For its owner's eyes only."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as new:
        new.write(content.encode())  # NamedTemporaryFile gives mode 0600
        new.flush()
        os.fsync(new.fileno())
    Path(new.name).replace(path)


_LIST = text("""
    insert into audit_keys (vkey, name)
    select vkey, name from unnest(cast(:vkeys as text[]), cast(:names as text[])) as key(vkey, name)
    on conflict (vkey) do nothing
""")
_RETIRE = text("update audit_keys set retired_at = now() where vkey = :vkey and retired_at is null")


async def enlist(connection: AsyncConnection, signers: Sequence[Signer]) -> None:
    """Have their public halves in the list that people look at and that bundles carry."""
    vkeys, names = [each.vkey for each in signers], [each.name for each in signers]
    await connection.execute(_LIST, {"vkeys": vkeys, "names": names})


async def retire(connection: AsyncConnection, vkey: str) -> None:
    """Note that a key signs no more. What it has signed stays what it is."""
    await connection.execute(_RETIRE, {"vkey": vkey})


@dataclass(frozen=True, slots=True)
class Listed:
    """A public key of the list."""

    vkey: str
    valid_from: datetime
    retired_at: datetime | None


_EVERY = text("select vkey, valid_from, retired_at from audit_keys order by valid_from, vkey")


async def every(connection: AsyncConnection) -> Sequence[Listed]:
    """All public keys that sign or have signed, the oldest first."""
    rows = await connection.execute(_EVERY)
    return [Listed(row.vkey, row.valid_from, row.retired_at) for row in rows]
