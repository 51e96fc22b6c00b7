"""JSON in the one spelling of RFC 8785, for what events hold: no number but whole ones."""

import json
from collections.abc import Mapping
from typing import Any

from audit.hashing import SIZE

_BEYOND = "\uffff"
_spell = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode


def spell(value: Any) -> bytes:
    """The canonical bytes. Raises ValueError for text that UTF-8 can't hold."""
    text = _spell(value)
    # The standard orders keys by their UTF-16, which differs where one is beyond the first plane.
    if text.isascii() or max(text) <= _BEYOND:
        return text.encode()
    return json.dumps(_ordered(value), ensure_ascii=False, separators=(",", ":")).encode()


def _ordered(value: Any) -> Any:
    if isinstance(value, Mapping):
        keys = sorted(value, key=lambda key: key.encode("utf-16-be"))
        return {key: _ordered(value[key]) for key in keys}
    if isinstance(value, list):
        return [_ordered(each) for each in value]
    return value


def read(data: bytes) -> Any:
    """A value out of its canonical bytes. Raises ValueError for any other spelling."""
    value = json.loads(data.decode(), parse_float=_refuse, parse_constant=_refuse)
    if spell(value) != data:
        raise ValueError("not in canonical JSON")
    return value


def read_hash(text: str) -> bytes:
    """A hash out of its hex. Raises ValueError for any other spelling, such as capital letters."""
    found = bytes.fromhex(text)
    if found.hex() != text or len(found) != SIZE:
        raise ValueError("no hash in lower-case hex")
    return found


def _refuse(number: str) -> Any:
    raise ValueError(f"no whole number: {number}")
