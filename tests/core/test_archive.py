"""Months leave by the schedule, nothing before its years, and a hold holds what is past them."""

import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from uuid_utils.compat import uuid7

from audit import documents as index
from audit import log
from audit.checkpoints import make_due
from audit.event import Event
from audit.keys import HeldKey, enlist
from audit.note import NoteKey
from audit.sequencer import sequence
from audit.store import Store, document_name
from audit.verifier.live import verify_database
from audit.verifier.notes import read_keys
from audit.verifier.verdict import Kind
from core.agreement import compare
from core.archive import Workshop, go_on, look_into_archives, month_due, restore
from core.documents import Files
from core.errors import Permanent, Refused, TryLater
from core.keeping import expired, holds, let_go, place, release
from core.reconcile import reconcile
from core.retention import retain_until
from core.scratch import scratch
from core.tags import Tag
from core.unit import unit
from tests.audit.months import ago, id_of, set_clock
from tests.core.house import Office

KEY = NoteKey.made("audit.example.jp")
OLD, YOUNGER = 12 * 9, 15
"""Months ago: past all years; and just out of the live window."""


@pytest.fixture
async def owner(office: Office) -> AsyncIterator[AsyncEngine]:
    engine = create_async_engine(office.house.engine.url)
    yield engine
    await engine.dispose()


@pytest.fixture
async def shop(office: Office, owner: AsyncEngine, tmp_path: Path) -> Workshop:
    """The office with events of two old months, signed."""
    await set_clock(owner)
    of = office.organisation.id
    for months_ago in (OLD, YOUNGER):
        at = ago(months_ago)
        await office.execute_as_owner(f"select audit_make_month('{at:%Y-%m-%d}')")
        async with owner.begin() as connection:
            clock = f"set local test.clock = '{at.isoformat()}'"
            await connection.exec_driver_sql(clock)
            old = Event(of, uuid7(), Tag.ORGANISATION_ADDED, {"slug": "x"}, id=id_of(at))
            await log.append(connection, [old])
    await seal(office)
    return Workshop(office.house, office.house.engine, tmp_path)


async def seal(office: Office) -> None:
    """As the workers do it."""
    while (await sequence(office.house.engine)).events:
        pass
    async with office.house.engine.begin() as connection:
        await enlist(connection, [HeldKey(KEY)])
    await make_due(office.house.engine, [HeldKey(KEY)], every=timedelta(0), events=1)


async def night(office: Office) -> None:
    """What is planned at three o'clock."""
    for _ in range(4):
        await office.execute(
            "update schedule set next_at = now() where kind = 'audit.archive' and done_at is null"
        )
        await reconcile(office.house)


async def tags(office: Office) -> list[str]:
    row = await office.row(
        "select array_agg(tag order by at, id) as all from audit_events where tag ~ :like",
        {"like": "archive|hold|document:dropped"},
    )
    return list(row.all or [])


async def states(office: Office) -> list[str]:
    row = await office.row("select array_agg(state order by month) as all from audit_archives", {})
    return list(row.all or [])


async def everything(go: Callable[[], Awaitable[bool]]) -> None:
    while await go():
        pass


async def test_old_months_are_planned_at_night_leave_and_come_back(
    office: Office, shop: Workshop
) -> None:
    await night(office)
    assert await states(office) == ["due", "due"]
    await everything(lambda: go_on(shop))
    assert await states(office) == ["dropped", "dropped"]

    back = await restore(shop, ago(YOUNGER).date().replace(day=1))

    assert back == 1
    assert await states(office) == ["dropped", "restored"]
    kept, left = "worker:archive:kept", "worker:archive:dropped"
    assert await tags(office) == [kept, kept, left, left, "admin:archive:restored"]
    await seal(office)
    verdict = await verify_database(office.house.engine, read_keys(KEY.vkey))
    await look_into_archives(office.house.store, verdict, read_keys(KEY.vkey), whole=True)
    assert (verdict.kind, verdict.archived, verdict.archives_read) == (None, 1, True)
    await month_due(shop, ago(YOUNGER).date().replace(day=1))  # and once more, at a word
    await everything(lambda: go_on(shop, ago(YOUNGER).date().replace(day=1)))
    assert await states(office) == ["dropped", "dropped"]


async def test_an_archive_that_lacks_is_noticed(office: Office, shop: Workshop) -> None:
    await night(office)
    await everything(lambda: go_on(shop))
    row = await office.row("select name from audit_archives order by month limit 1", {})
    await office.house.store.drop(row.name)

    for whole in (False, True):
        verdict = await verify_database(office.house.engine, read_keys(KEY.vkey))
        await look_into_archives(office.house.store, verdict, read_keys(KEY.vkey), whole=whole)
        assert verdict.kind is Kind.MISSING
    await office.house.store.put(row.name, b"x")
    for whole in (False, True):
        verdict = await verify_database(office.house.engine, read_keys(KEY.vkey))
        await look_into_archives(office.house.store, verdict, read_keys(KEY.vkey), whole=whole)
        assert verdict.kind is Kind.MODIFIED


async def test_a_month_that_somebody_has_to_stay_for_holds_up_no_other(
    office: Office, shop: Workshop, owner: AsyncEngine
) -> None:
    await night(office)
    at, stranger = ago(OLD), uuid7()
    async with owner.begin() as connection:  # an organisation whose tree does not grow
        await connection.exec_driver_sql(f"set local test.clock = '{at.isoformat()}'")
        late = Event(stranger, uuid7(), Tag.ORGANISATION_ADDED, {"slug": "x"}, id=id_of(at))
        await log.append(connection, [late])

    with pytest.raises(Permanent, match="in no archive"):
        await everything(lambda: go_on(shop))

    assert await states(office) == ["kept", "dropped"]


class _FaultyStore(Store):
    """Fails with one month's archives as nobody expects it."""

    async def put(self, name: str, content: bytes | Path) -> None:
        if f"{ago(OLD):%Y-%m}" in name:
            raise LookupError("a fault in a library")
        await super().put(name, content)


async def test_a_fault_that_nobody_foresaw_holds_up_no_other_archive(
    office: Office, shop: Workshop
) -> None:
    await night(office)
    there = office.house.store
    faulty = replace(shop.house, store=_FaultyStore(there.objects, there.folder))
    for _ in range(4):
        with suppress(LookupError, Permanent):
            await everything(lambda: go_on(replace(shop, house=faulty)))

    assert await states(office) == ["due", "dropped"]
    row = await office.row("select error from audit_archives where state = 'due'", {})
    assert row.error == "a fault in a library"


def test_what_the_dead_left_among_the_temporary_files_is_cleared_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    left = tmp_path / "miyabi-archive-of-the-dead"
    left.mkdir()
    (left / "bundle.zip").write_bytes(b"x")
    with scratch("archive") as first, scratch("archive") as second:
        assert {*tmp_path.iterdir()} == {first, second}
    assert list(tmp_path.iterdir()) == []


async def test_a_month_that_is_not_over_or_unknown_is_refused(
    office: Office, shop: Workshop
) -> None:
    for months_ago in (0, 7):
        with pytest.raises(Refused):
            await month_due(shop, ago(months_ago).date().replace(day=1))
    with pytest.raises(Refused):
        await restore(shop, ago(OLD).date().replace(day=1))


async def test_what_is_past_its_years_goes_unless_it_is_held(
    office: Office, shop: Workshop
) -> None:
    of = office.organisation.id
    files = Files(office.house, of)
    old, young = ago(OLD).date(), date.today()  # noqa: DTZ011  # any day
    hashes = {}
    async with office.house.engine.begin() as connection:
        for number, dated in (("old", old), ("young", young)):
            hashes[number] = await files.put(number.encode(), "text/plain")
            keep = text("select audit_keep(:of, 'text/plain', :content)")  # of before the store
            await connection.execute(keep, {"of": of, "content": number.encode()})
            entry = index.Entry(
                id=uuid7(),
                organisation_id=of,
                dated=dated,
                amount=1,
                counterparty="A",
                kind="quote",
                number=number,
                stream=uuid7(),
                retain_until=retain_until(dated),
            )
            await index.enter(connection, entry)
            await index.attach(
                connection, of, entry.id, sha256=hashes[number], name="x", media_type="text/plain"
            )
    await night(office)
    await everything(lambda: go_on(shop))

    async with unit(office.house) as work:
        hold = await place(work, of, old, old, "a suit")
    nothing = await expired(office.house, of)
    async with unit(office.house) as work:
        await release(work, of, hold)
    found = await expired(office.house, of)
    await let_go(office.house, of, found)

    assert (nothing.months, nothing.documents) == ([], [])
    assert found.months == [old.replace(day=1)]
    assert [number for _, number in found.documents] == ["old"]
    after = await expired(office.house, of)
    assert (after.months, after.documents) == ([], [])
    store = office.house.store
    assert await store.size(document_name(of, hashes["old"])) is None
    assert await files.get(hashes["young"]) == b"young"
    with pytest.raises(LookupError):
        await files.get(hashes["old"])
    assert await states(office) == ["expired", "dropped"]
    assert {"admin:archive:expired", "admin:document:dropped"} <= set(await tags(office))
    async with office.house.engine.connect() as connection:
        [placed] = await holds(connection, of)
    assert placed.released_at is not None
    await seal(office)
    assert (await verify_database(office.house.engine, read_keys(KEY.vkey))).kind is None
    with pytest.raises(Refused):
        async with unit(office.house) as work:
            await release(work, of, hold)


async def test_a_full_store_has_a_step_try_later_and_a_half_archived_month_go_on(
    office: Office, shop: Workshop
) -> None:
    await night(office)
    folder = office.house.store.folder
    assert folder is not None
    for name in ("documents", "archives"):
        (folder / name).write_text("no room for a folder")

    with pytest.raises(TryLater):
        await Files(office.house, office.organisation.id).put(b"x", "text/plain")
    with pytest.raises(OSError, match="archives"):
        await go_on(shop)
    row = await office.row("select state, error from audit_archives order by month limit 1", {})
    assert row.state == "due"
    assert "archives" in row.error

    (folder / "archives").unlink()
    await everything(lambda: go_on(shop))
    assert await states(office) == ["dropped", "dropped"]


async def test_a_task_whose_events_have_left_is_not_taken_for_incomplete(office: Office) -> None:
    answer = await office.say("letter hello")
    assert answer.task_id is not None
    of, task = office.organisation.id, answer.task_id
    gone = f"delete from audit_events where stream = '{task}'"
    engine = create_async_engine(office.house.engine.url)
    async with engine.begin() as connection:
        await connection.exec_driver_sql("set local session_replication_role = replica")
        await connection.exec_driver_sql(gone)
    await engine.dispose()
    async with office.house.engine.connect() as connection:
        assert (await compare(connection, of, [task])).lacking

    await office.execute_as_owner(
        "insert into audit_archived_runs select organisation_id, '2020-01-01', stream, 1, count,"
        f" '', head from audit_streams where stream = '{task}'"
    )

    async with office.house.engine.connect() as connection:
        assert not (await compare(connection, of, [task])).lacking
