"""Keys of rows: UUIDv7 (RFC 9562), which sort by the time they were made."""

from datetime import UTC, datetime
from uuid import UUID

from uuid_utils.compat import uuid7


def new_id() -> UUID:
    """A new key."""
    return uuid7()


def made_at(key: UUID) -> datetime:
    """When a key was made, to the millisecond, by the clock of who made it."""
    return datetime.fromtimestamp((key.int >> 80) / 1000, UTC)
