"""Workers grow the tree and sign it; one without a key grows it and says so."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from structlog.testing import capture_logs
from uuid_utils.compat import uuid7

from audit import log
from audit.checkpoints import newest
from audit.event import Event, canonical
from audit.hashing import leaf_hash
from audit.keys import HeldKey
from audit.note import NoteKey
from audit.proofs import head
from audit.sequencer import sequence
from core.db import create_engine
from core.errors import Permanent
from core.migrate import upgrade_async
from core.settings import Settings
from miyabi.signing import signers
from miyabi.tree import keep_tree
from tests.audit.happening import Happening
from tests.miyabi.yard import until

ORGANISATION = uuid7()


@pytest.fixture
async def app(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(database_url)
    yield engine
    await engine.dispose()


async def write(engine: AsyncEngine, count: int, organisation: UUID = ORGANISATION) -> None:
    async with engine.begin() as connection:
        events = [Event(organisation, uuid7(), Happening.HAPPENED, {"n": n}) for n in range(count)]
        await log.append(connection, events)


async def leaves(engine: AsyncEngine) -> int:
    async with engine.connect() as connection:
        found = await head(connection, ORGANISATION)
    return found.size if found else 0


async def checkpoint(engine: AsyncEngine) -> int:
    async with engine.connect() as connection:
        found = await newest(connection, ORGANISATION)
    return found.size if found else 0


async def test_what_is_written_soon_has_leaves_and_a_checkpoint(app: AsyncEngine) -> None:
    keepers = [
        asyncio.create_task(keep_tree(app, [HeldKey(NoteKey.made("miyabi"))])) for _ in range(2)
    ]
    try:
        await write(app, 3)

        async def signed() -> bool:
            return (await leaves(app), await checkpoint(app)) == (3, 3)

        await until(signed, 20)
    finally:
        for keeper in keepers:
            keeper.cancel()
        await asyncio.wait(keepers)


async def test_without_a_key_there_are_leaves_and_no_checkpoint_and_it_is_said(
    app: AsyncEngine,
) -> None:
    with capture_logs() as said:
        keeper = asyncio.create_task(keep_tree(app, []))
        await write(app, 3)

        async def sequenced() -> bool:
            return await leaves(app) == 3

        await until(sequenced, 20)
        await asyncio.sleep(0.2)
        keeper.cancel()
        await asyncio.wait([keeper])

    assert await checkpoint(app) == 0
    assert [each["log_level"] for each in said if each["event"] == "audit.no_key"] == ["warning"]


async def test_a_tree_that_was_tampered_with_stops_alone(
    app: AsyncEngine, database_url: str
) -> None:
    broken = uuid7()
    await write(app, 1, broken)
    await sequence(app)
    owner = create_async_engine(database_url)
    async with owner.begin() as connection:
        await connection.execute(text("set session_replication_role = replica"))
        await connection.execute(text("delete from audit_tiles"))
    await owner.dispose()

    with capture_logs() as said:
        await write(app, 1, broken)
        await write(app, 3)
        keeper = asyncio.create_task(keep_tree(app, []))

        async def sequenced() -> bool:
            return await leaves(app) == 3

        await until(sequenced, 20)
        keeper.cancel()
        await asyncio.wait([keeper])

    told = [each["organisation"] for each in said if each["event"] == "audit.tree_stuck"]
    assert told == [str(broken)]


async def test_events_from_before_there_was_a_tree_get_their_leaves(
    empty_database_url: str, app: AsyncEngine
) -> None:
    from alembic import command
    from alembic.config import Config
    from sqlalchemy import Connection

    from core.migrate import MIGRATIONS

    def to_0002(connection: Connection) -> None:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        command.upgrade(config, "0002")

    owner = create_async_engine(empty_database_url)
    event = Event(ORGANISATION, uuid7(), Happening.HAPPENED, {"n": 1})
    data = {"名": "前", "n": 1, "a": None}
    said = canonical({**event.body(), "at": "2025-03-04T01:02:03.000004+00:00", "data": data})
    async with owner.begin() as connection:
        await connection.run_sync(to_0002)
        await connection.execute(
            text("select audit_begin(:o, :s, :body)"),
            {"o": ORGANISATION, "s": event.stream, "body": said},
        )
    await upgrade_async(empty_database_url)

    async with owner.connect() as connection:
        [row] = await connection.execute(text("select event_id, leaf from audit_pending"))
        month = text("select cast(body as text) from audit_events_2025_03 where seq = 1")
        assert json.loads(await connection.scalar(month)) == json.loads(said)
    await owner.dispose()

    assert tuple(row) == (event.id, leaf_hash(said.encode()))


def test_the_key_of_embedded_data_is_made_once_and_another_databases_is_not(tmp_path: Path) -> None:
    here = Settings(home=tmp_path, database_url=None)
    elsewhere = Settings(home=tmp_path / "x", database_url="postgresql://x/y")

    [first], [again] = signers(here), signers(here)

    assert first.vkey == again.vkey
    assert (tmp_path / "audit.key").stat().st_mode & 0o777 == 0o600
    assert signers(elsewhere) == ()
    assert not (tmp_path / "x").exists()


def test_keys_come_by_a_variable_or_a_file_that_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = NoteKey.made("a"), NoteKey.made("b")
    file = tmp_path / "keys"
    file.write_text(first.written())
    file.chmod(0o600)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MIYABI_AUDIT_KEY_FILE", str(file))

    assert [each.vkey for each in signers(Settings())] == [first.vkey]
    monkeypatch.setenv("MIYABI_AUDIT_KEY", f"{first.written()} {second.written()}")
    assert [each.vkey for each in signers(Settings())] == [first.vkey, second.vkey]
    assert first.written() not in repr(Settings())


@pytest.mark.parametrize("content", [None, "nothing of a key"])
def test_a_key_that_is_named_and_cant_be_used_is_told_of(
    tmp_path: Path, content: str | None
) -> None:
    file = tmp_path / "keys"
    if content is not None:
        file.write_text(content)
        file.chmod(0o600)

    with pytest.raises(Permanent) as caught:
        signers(Settings(home=tmp_path, audit={"key_file": file}))

    assert str(file) in caught.value.words.en
    assert "nothing of a key" not in caught.value.words.en
