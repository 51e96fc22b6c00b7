"""What a delivery's key becomes in Discord: the id by which its message is found again, and the
nonce under which Discord posts it once."""

import hashlib
from typing import Any


def mark_of(key: str) -> int:
    """The container's id of a delivery: by it a message is found whose answer was lost."""
    digest = hashlib.blake2b(key.encode(), digest_size=4).digest()
    return (int.from_bytes(digest) & 0x7FFFFFFF) or 1


def nonce_of(key: str, part: int = 0) -> str:
    """What Discord knows the same message by, which it then posts once."""
    told = f"{key}:{part}".encode()
    return hashlib.blake2b(told, digest_size=12).hexdigest()


def has_mark(message: dict[str, Any], mark: int) -> bool:
    """Whether it is the message of this mark."""
    return any(each.get("id") == mark for each in message.get("components") or ())
