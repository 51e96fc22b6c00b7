"""Bytes that come in parts, of which nobody knows beforehand how many they are."""

from collections.abc import AsyncIterator

from core.ports import TooLarge


async def read_at_most(parts: AsyncIterator[bytes], most: int) -> bytes:
    """All of it. Raises TooLarge as soon as there are more than `most`; the rest is not read."""
    read, size = [], 0
    async for part in parts:
        size += len(part)
        if size > most:
            raise TooLarge
        read.append(part)
    return b"".join(read)
