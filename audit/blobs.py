"""Documents of before there was a store (audit/store.py): in a table, by their SHA-256."""

import hashlib
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_GET = text("""
    select content from audit_blobs where organisation_id = :organisation_id and sha256 = :sha256
""")


async def get(connection: AsyncConnection, organisation_id: UUID, sha256: str) -> bytes | None:
    """The bytes kept under a hash, or None. Bytes that no longer match it raise ValueError."""
    row = (
        await connection.execute(_GET, {"organisation_id": organisation_id, "sha256": sha256})
    ).first()
    if row is None:
        return None
    content = bytes(row.content)
    if hashlib.sha256(content).hexdigest() != sha256:
        raise ValueError(f"the stored document {sha256} was changed")
    return content
