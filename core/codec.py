"""Results and asks as JSON and back: plain frozen dataclasses through pydantic's adapters."""

import hashlib
import json
from functools import cache
from typing import Any

from pydantic import PydanticSchemaGenerationError, TypeAdapter


@cache
def _adapter(kind: type) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def is_data(kind: type) -> bool:
    """Whether values of this type are data, all of it: they can be stored, and sent elsewhere."""
    try:
        _adapter(kind)
    except PydanticSchemaGenerationError:
        return False
    return True


def dump(value: Any) -> Any:
    """A dataclass as JSON values."""
    kind: type = type(value)
    return _adapter(kind).dump_python(value, mode="json")


def load(kind: type, value: Any) -> Any:
    """JSON values as the dataclass they were dumped from."""
    return _adapter(kind).validate_python(value)


def fingerprint(values: object) -> str:
    """SHA-256 in hex of JSON values, whatever the order of their keys."""
    text = json.dumps(values, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
