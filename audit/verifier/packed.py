"""A bundle that was compressed for the archive: zstd, with a checksum of the whole behind it.

The checksum is in a frame that `zstd -d` skips. It finds accidents; what is inside proves itself.
"""

import tempfile
from hashlib import sha256
from typing import IO

import zstandard

MAGIC = b"\x28\xb5\x2f\xfd"
_SKIPPED = b"\x5e\x2a\x4d\x18"
_LABEL = b"miyabi sha256 "
_SEAL = len(_SKIPPED) + 4 + len(_LABEL) + 64
_CHUNK = 1024 * 1024


class NotPacked(ValueError):
    """The file is not byte for byte what was written."""


def unpacked(file: IO[bytes]) -> IO[bytes]:
    """The bundle inside, in a file that is gone when closed. Raises NotPacked, OSError."""
    end = file.seek(0, 2) - _SEAL
    if end <= 0:
        raise NotPacked("too short")
    digest, left = sha256(), end
    file.seek(0)
    while left and (block := file.read(min(left, _CHUNK))):
        digest.update(block)
        left -= len(block)
    length = (len(_LABEL) + 64).to_bytes(4, "little")
    if file.read() != _SKIPPED + length + _LABEL + digest.hexdigest().encode():
        raise NotPacked("the file does not match its checksum")
    file.seek(0)
    inside = tempfile.TemporaryFile()  # noqa: SIM115  # whoever reads it closes it
    try:
        zstandard.ZstdDecompressor().copy_stream(file, inside)
    except zstandard.ZstdError as error:
        inside.close()
        raise NotPacked(str(error)) from error
    inside.seek(0)
    return inside
