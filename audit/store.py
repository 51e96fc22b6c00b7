"""Where bytes lie that are no rows: documents and archives, on a disk or in a bucket of S3.

What is kept here is named by a row of the database: it is put here first, and the row is committed
after. Whoever dies in between leaves bytes that nobody names; they take room and do no other harm,
and whoever does the same again finds them there.
"""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from uuid import UUID

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, S3Store

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig

TRIES = 3
ANSWER_AT_MOST = timedelta(seconds=60)
CONNECT_AT_MOST = timedelta(seconds=5)
RETRY_AT_MOST = timedelta(seconds=20)
"""Longer than this a bucket that does not answer holds nobody up."""

_PIECE = 8 * 1024 * 1024


class StoreAway(OSError):
    """The store is out of reach, full, or refuses us. Nothing can be told of what was asked."""


class Changed(ValueError):
    """What lies in the store is not what was put there."""


@dataclass(frozen=True, slots=True)
class Store:
    """A place for bytes by name. `folder` is where it lies on a disk, None for a bucket."""

    objects: ObjectStore
    folder: Path | None

    async def put(self, name: str, content: bytes | Path) -> None:
        """Keep bytes under a name, over what is there; when it returns they are kept.

        Raises StoreAway.
        """
        with _told():
            await obstore.put_async(self.objects, name, content)
        await self._settle(name)

    async def get(self, name: str) -> bytes:
        """The bytes of that name, as they lie there. Raises FileNotFoundError, StoreAway."""
        with _told():
            found = await obstore.get_async(self.objects, name)
            return bytes(await found.bytes_async())

    async def fetch(self, name: str, path: Path) -> str:
        """Write them into a file; their SHA-256 in hex. Raises FileNotFoundError, StoreAway."""
        digest = hashlib.sha256()
        with path.open("wb") as file:
            async for piece in self._pieces(name):
                digest.update(piece)
                await asyncio.to_thread(file.write, piece)
        return digest.hexdigest()

    async def size(self, name: str) -> int | None:
        """How many bytes lie there; None where nothing does. Raises StoreAway."""
        try:
            with _told():
                return int((await obstore.head_async(self.objects, name))["size"])
        except FileNotFoundError:
            return None

    async def drop(self, name: str) -> None:
        """Let go of it; it need not be there. Raises StoreAway."""
        try:
            with _told():
                await obstore.delete_async(self.objects, name)
        except FileNotFoundError:
            return

    async def keep(self, organisation_id: UUID, content: bytes) -> str:
        """Keep a document under its SHA-256, which is returned in hex. Twice is once.

        Raises StoreAway.
        """
        sha256 = hashlib.sha256(content).hexdigest()
        name = document_name(organisation_id, sha256)
        if await self.size(name) == len(content):
            await self._settle(name)  # whoever put it may not have come so far yet
        else:
            await self.put(name, content)
        return sha256

    async def read(self, organisation_id: UUID, sha256: str) -> bytes | None:
        """The document of that hash, None where there is none. Raises Changed, StoreAway."""
        try:
            content = await self.get(document_name(organisation_id, sha256))
        except FileNotFoundError:
            return None
        if hashlib.sha256(content).hexdigest() != sha256:
            raise Changed(f"the stored document {sha256} was changed")
        return content

    async def _pieces(self, name: str) -> AsyncIterator[bytes]:
        with _told():
            found = await obstore.get_async(self.objects, name)
            async for piece in found.stream(min_chunk_size=_PIECE):
                yield bytes(piece)

    async def _settle(self, name: str) -> None:
        """Have the disk confirm a file and its name, which obstore does not ask for."""
        if self.folder is not None:
            with _told():
                await asyncio.to_thread(_confirm, self.folder, self.folder / name)


def document_name(organisation_id: UUID, sha256: str) -> str:
    """Where a document lies: in its organisation's folder, a few hundred to each below that."""
    return f"documents/{organisation_id}/{sha256[:2]}/{sha256}"


def on_disk(folder: Path) -> Store:
    """A store in a folder, which is made, for its owner's eyes only. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return Store(LocalStore(folder), folder)


def in_bucket(
    url: str,
    *,
    endpoint: str | None = None,
    region: str | None = None,
    access_key_id: str | None = None,
    secret_access_key: str | None = None,
) -> Store:
    """A store in `s3://bucket/prefix`. What is None is looked for as the AWS tools do it: in their
    variables, or from the machine's own role."""
    parts = urlsplit(url)
    given = {
        "endpoint": endpoint,
        "region": region,
        "access_key_id": access_key_id,
        "secret_access_key": secret_access_key,
    }
    config: Any = {key: value for key, value in given.items() if value is not None}
    client: ClientConfig = {
        "timeout": ANSWER_AT_MOST,
        "connect_timeout": CONNECT_AT_MOST,
        "allow_http": endpoint is not None and endpoint.startswith("http://"),
    }
    retry: RetryConfig = {"max_retries": TRIES, "retry_timeout": RETRY_AT_MOST}
    bucket = S3Store(
        parts.netloc,
        prefix=parts.path.strip("/") or None,
        config=config,
        client_options=client,
        retry_config=retry,
    )
    return Store(bucket, None)


def _confirm(root: Path, path: Path) -> None:
    for each in (path, *path.parents):
        descriptor = os.open(each, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if each == root:
            return


@contextmanager
def _told() -> Iterator[None]:
    """obstore's errors as ours, in the first line of what it says."""
    try:
        yield
    except FileNotFoundError:
        raise
    except (BaseError, OSError) as error:
        raise StoreAway(str(error).partition("\n")[0]) from error
