"""A bundle's outside: a zip file of which every byte is accounted for.

Its comment is a checksum over all before the record that the comment ends. That finds accidents,
not attackers, who can compute it as well; what is signed finds those.
"""

import struct
import zipfile
import zlib
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from audit.verifier.packed import MAGIC, NotPacked, unpacked

_END = struct.Struct("<4s4H2LH")
_LABEL = b"miyabi sha256 "
_COMMENT = len(_LABEL) + 64
_MOST_IN_MEMORY = 64 * 1024 * 1024
_MOST_LINE = 16 * 1024 * 1024
_CHUNK = 1024 * 1024


class BadBundle(Exception):
    """A file that can't be read as a bundle."""


class Container:
    """The members of a bundle, read as streams: it may be larger than memory."""

    def __init__(self, path: Path) -> None:
        """Raises BadBundle."""
        self._file: IO[bytes] = path.open("rb")
        try:
            if self._file.read(len(MAGIC)) == MAGIC:
                packed, self._file = self._file, unpacked(self._file)
                packed.close()
        except (NotPacked, OSError) as error:
            self._file.close()
            raise BadBundle(f"this can't be unpacked: {error}") from None
        try:
            self._zip = zipfile.ZipFile(self._file)
        except (zipfile.BadZipFile, NotImplementedError, ValueError, struct.error) as error:
            self._file.close()
            raise BadBundle(f"this is no zip file: {error}") from None
        self.names = [info.filename for info in self._zip.infolist()]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._zip.close()
        self._file.close()

    def read(self, name: str) -> bytes:
        """A small member whole. Raises BadBundle."""
        try:
            with self._zip.open(name) as member:
                data = member.read(_MOST_IN_MEMORY + 1)
        except _UNREADABLE as error:
            raise BadBundle(f"{name} can't be read: {error}") from None
        if len(data) > _MOST_IN_MEMORY:
            raise BadBundle(f"{name} is too large")
        return data

    def lines(self, name: str, digest: "Digest") -> Iterator[bytes]:
        """The lines of a member, without their ends. Raises BadBundle."""
        try:
            with self._zip.open(name) as member:
                while line := member.readline(_MOST_LINE):
                    digest.update(line)
                    if not line.endswith(b"\n"):
                        raise BadBundle(f"{name} has a line that does not end")
                    yield line[:-1]
        except _UNREADABLE as error:
            raise BadBundle(f"{name} can't be read: {error}") from None

    def pieces(self, name: str, size: int, digest: "Digest") -> Iterator[bytes]:
        """A member in pieces of some bytes. Raises BadBundle."""
        try:
            with self._zip.open(name) as member:
                while block := _full(member, size * 1024):
                    digest.update(block)
                    if len(block) % size:
                        raise BadBundle(f"{name} ends in the middle of a hash")
                    for at in range(0, len(block), size):
                        yield block[at : at + size]
        except _UNREADABLE as error:
            raise BadBundle(f"{name} can't be read: {error}") from None

    def is_sealed(self) -> bool:
        """Whether the file is byte for byte what was written, as far as its checksum tells."""
        self._file.seek(0, 2)
        end = self._file.tell() - _END.size - _COMMENT
        if end < 0:
            return False
        self._file.seek(end)
        record = self._file.read()
        if record[_END.size :] != _LABEL + self._checksum(end):
            return False
        count, start = len(self.names), self._zip.start_dir
        sizes = {end - start, end - start - 76}  # 76: what zip64 puts between, for large files
        return any(record[: _END.size] == _end(count, size, start) for size in sizes)

    def _checksum(self, end: int) -> bytes:
        digest, left = sha256(), end
        self._file.seek(0)
        while left and (block := self._file.read(min(left, _CHUNK))):
            digest.update(block)
            left -= len(block)
        return digest.hexdigest().encode()


class Digest:
    """The SHA-256 of what a stream has given so far."""

    def __init__(self) -> None:
        self._hash = sha256()

    def update(self, data: bytes) -> None:
        """Take in what was read."""
        self._hash.update(data)

    def hex(self) -> str:
        """The hash in hex."""
        return self._hash.hexdigest()


_UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    NotImplementedError,
    RuntimeError,  # encrypted, says zipfile
    EOFError,
    KeyError,
    ValueError,
    struct.error,
    OSError,
)


def _full(member: IO[bytes], size: int) -> bytes:
    """As many bytes as asked for, or all that there are."""
    parts = []
    while size and (part := member.read(size)):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _end(count: int, size: int, start: int) -> bytes:
    """The record that ends a zip file, as it must be."""
    many, much = min(count, 0xFFFF), 0xFFFFFFFF
    return _END.pack(
        b"PK\x05\x06",
        0,
        0,
        many,
        many,
        min(size, much) if size >= 0 else 0,
        min(start, much),
        _COMMENT,
    )
