"""Documents on a disk and in a bucket: kept once, under their hash, and read as they were put."""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from uuid_utils.compat import uuid7

from audit.store import Changed, Store, StoreAway, document_name, in_bucket, on_disk
from tests.audit.bucket import store_in_bucket

ORGANISATION = uuid7()


@pytest.fixture(scope="module")
def s3() -> Iterator[Store]:
    with store_in_bucket() as found:
        yield found


@pytest.fixture(params=["disk", "S3"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    if request.param == "disk":
        yield on_disk(tmp_path / "store")
    else:
        yield request.getfixturevalue("s3")


async def test_a_document_is_kept_once_and_another_organisation_has_none(store: Store) -> None:
    first = await store.keep(ORGANISATION, b"hello")
    again = await store.keep(ORGANISATION, b"hello")

    assert first == again
    assert await store.read(ORGANISATION, first) == b"hello"
    assert await store.read(uuid7(), first) is None
    await store.drop(document_name(ORGANISATION, first))
    await store.drop(document_name(ORGANISATION, first))
    assert await store.read(ORGANISATION, first) is None


async def test_a_changed_document_is_not_read(store: Store) -> None:
    sha256 = await store.keep(ORGANISATION, b"hello, world")
    await store.put(document_name(ORGANISATION, sha256), b"hello, World")

    with pytest.raises(Changed):
        await store.read(ORGANISATION, sha256)


async def test_what_is_half_written_is_written_again(store: Store) -> None:
    sha256 = await store.keep(ORGANISATION, b"hello again")
    await store.put(document_name(ORGANISATION, sha256), b"hell")

    await store.keep(ORGANISATION, b"hello again")

    assert await store.read(ORGANISATION, sha256) == b"hello again"


async def test_a_large_file_goes_there_and_back(store: Store, tmp_path: Path) -> None:
    there, back = tmp_path / "there", tmp_path / "back"
    there.write_bytes(os.urandom(12_000_000))  # more than one part of an upload
    await store.put("archives/large", there)

    await store.fetch("archives/large", back)

    assert back.read_bytes() == there.read_bytes()
    assert await store.size("archives/large") == 12_000_000
    with pytest.raises(FileNotFoundError):
        await store.fetch("archives/none", back)


async def test_a_bucket_that_is_away_says_so_in_words() -> None:
    away = in_bucket(
        "s3://none", endpoint="http://127.0.0.1:9", region="x", access_key_id="a",
        secret_access_key="b",
    )  # fmt: skip
    with pytest.raises(StoreAway, match="127"):
        await away.keep(ORGANISATION, b"x")


async def test_a_disk_that_takes_nothing_says_so(tmp_path: Path) -> None:
    store = on_disk(tmp_path / "store")
    (tmp_path / "store" / "documents").write_text("in the way of a folder")

    with pytest.raises(StoreAway):
        await store.keep(ORGANISATION, b"x")
