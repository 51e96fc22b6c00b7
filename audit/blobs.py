"""The store of documents by their SHA-256: written once, never changed."""

import hashlib
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_PUT = text("select audit_keep(:organisation_id, :media_type, :content)")
_GET = text("""
    select content from audit_blobs where organisation_id = :organisation_id and sha256 = :sha256
""")


async def put(
    connection: AsyncConnection, organisation_id: UUID, content: bytes, media_type: str
) -> str:
    """Keep `content`; return its SHA-256 in hex. Keeping the same bytes twice keeps them once."""
    sha256: str = await connection.scalar(
        _PUT,
        {"organisation_id": organisation_id, "media_type": media_type, "content": content},
    )
    return sha256


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
