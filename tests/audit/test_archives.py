"""A month leaves the database for the archive and comes back; on a disk, and on S3."""

import json
import resource
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine
from uuid_utils.compat import uuid7

from audit import archives
from audit.archives import Archive, NotWhole
from audit.checkpoints import make_due
from audit.keys import HeldKey, enlist
from audit.proof_files import inclusion_file
from audit.sequencer import sequence
from audit.store import Store, StoreAway, on_disk
from audit.verifier.bundle import verify_bundle
from audit.verifier.proof import Proven, check_proof
from audit.verifier.verdict import Kind
from tests.audit.bucket import store_in_bucket
from tests.audit.log_of_one import KEY, KEYS, ORGANISATION, tamper, verify
from tests.audit.months import ago, happened, make_months, set_clock

OTHER = UUID("0198c0de-0000-7000-8000-000000000002")
LIVE = 2


@pytest.fixture(scope="module")
def s3() -> Iterator[Store]:
    with store_in_bucket() as found:
        yield found


@dataclass(frozen=True, slots=True)
class Years:
    """A log of some months, its archive, and hands to move it."""

    app: AsyncEngine
    owner: AsyncEngine
    store: Store
    scratch: Path

    async def plan(self, months_ago: int) -> int:
        async with self.app.begin() as connection:
            return await archives.plan(connection, month(months_ago))

    async def step(self, archive: Archive) -> None:
        """What comes next for it."""
        if archive.state == "due":
            await archives.make(self.app, self.store, archive, self.scratch)
            return
        async with self.app.connect() as connection:
            keys = await archives.keys_of(connection)
        await archives.read_back(self.store, archive, keys or KEYS, self.scratch)
        async with self.app.begin() as connection:
            await archives.keep(connection, archive)

    async def every(self, months_ago: int | None = None) -> list[Archive]:
        async with self.app.connect() as connection:
            of = None if months_ago is None else month(months_ago)
            return await archives.every(connection, month=of)

    async def keep(self, months_ago: int) -> None:
        """All of a month, up to where it can be let go of."""
        assert await self.plan(months_ago) == 0
        for _ in range(2):
            for archive in await self.every(months_ago):
                await self.step(archive)

    async def drop(self, months_ago: int, live: int = LIVE) -> int:
        async with self.app.begin() as connection:
            return await archives.drop(connection, month(months_ago), live)

    async def archive(self, months_ago: int) -> None:
        await self.keep(months_ago)
        await self.drop(months_ago)

    async def restore(self, months_ago: int) -> int:
        async with self.app.connect() as connection:
            wanted = await archives.needed(connection, month(months_ago))
        files = []
        for number, archive in enumerate(wanted):
            path = self.scratch / f"{months_ago}-{number}"
            await archives.read_back(self.store, archive, KEYS, self.scratch, into=path)
            files.append((archive.organisation_id, archive.first, path))
        async with self.app.begin() as connection:
            return await archives.bring_back(connection, month(months_ago), files)

    async def count(self) -> int:
        async with self.owner.connect() as connection:
            return int(await connection.scalar(text("select count(*) from audit_events")) or 0)


def month(months_ago: int) -> date:
    return ago(months_ago).date().replace(day=1)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return on_disk(tmp_path / "store")


@pytest.fixture
async def years(
    app: AsyncEngine, owner: AsyncEngine, store: Store, tmp_path: Path
) -> AsyncIterator[Years]:
    """Five months of two organisations, whose streams go on from month to month; at the turn of
    two months events got their leaves in another order than they were written in."""
    await set_clock(owner)
    await make_months(owner, 6)
    streams = [uuid7() for _ in range(3)]
    for months_ago in range(5, 0, -1):
        await happened(app, ago(months_ago), *streams, uuid7(), n=months_ago)
        await happened(app, ago(months_ago), streams[0], n=-months_ago)
        await sequence(app)
        # Before the last of this month has its leaf, the next has begun.
        await happened(app, ago(months_ago - 1, 1), streams[1], n=10 + months_ago)
        await sequence(app)
        await happened(app, ago(months_ago, 28), streams[2], n=20 + months_ago)
        await happened(app, ago(months_ago), uuid7(), organisation=OTHER)
        await sequence(app)
    await owner_listed(owner)
    await sign_all(app)
    (tmp_path / "scratch").mkdir()
    return Years(app, owner, store, tmp_path / "scratch")


async def owner_listed(owner: AsyncEngine) -> None:
    """The key that signs here stands in the list, as a worker puts it there."""
    async with owner.begin() as connection:
        await enlist(connection, [HeldKey(KEY)])


async def sign_all(app: AsyncEngine) -> None:
    await make_due(app, [HeldKey(KEY)], every=timedelta(0), events=1)


async def test_a_month_leaves_and_the_rest_verifies(years: Years) -> None:
    before = await years.count()
    await years.archive(5)
    await years.archive(4)

    verdict = await verify(years.app)

    assert (verdict.kind, verdict.faults) == (None, [])
    assert verdict.archived == before - await years.count() == 7 + 8
    assert verdict.events + verdict.archived == verdict.leaves == before
    assert [each.state for each in await years.every()] == ["dropped"] * 4


async def test_each_organisations_archive_verifies_by_itself(years: Years, tmp_path: Path) -> None:
    await years.archive(5)
    ranges = {}
    for archive in await years.every(5):
        assert archive.name is not None
        away = tmp_path / "renamed"
        await years.store.fetch(archive.name, away)
        verdict = verify_bundle(away, KEYS)
        assert verdict.kind is None
        assert [head.origin for head in verdict.heads] == [f"miyabi/{archive.organisation_id}"]
        ranges[archive.organisation_id] = verdict.range
        # Any byte of it counts: the wrapping as well.
        content = away.read_bytes()
        for place in (*range(60), *range(len(content) - 90, len(content))):
            away.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
            assert not verify_bundle(away, KEYS).verified, place
    assert ranges == {ORGANISATION: (0, 7), OTHER: (0, 1)}


@pytest.mark.parametrize("place", ["disk", "S3"])
async def test_a_month_goes_and_comes_back_as_it_was(
    years: Years, request: pytest.FixtureRequest, place: str
) -> None:
    if place == "S3":
        years = Years(years.app, years.owner, request.getfixturevalue("s3"), years.scratch)
    everything = "select * from audit_events order by stream, seq"
    async with years.owner.connect() as connection:
        before = (await connection.execute(text(everything))).all()
    for each in (5, 4, 3):
        await years.archive(each)

    for each, restored in ((4, True), (3, True), (5, True)):
        assert (await years.restore(each) > 0) is restored
        verdict = await verify(years.app)
        assert (verdict.kind, verdict.faults) == (None, [])

    async with years.owner.connect() as connection:
        assert (await connection.execute(text(everything))).all() == before
    assert {each.state for each in await years.every()} == {"restored"}
    with pytest.raises(DBAPIError, match="append-only"):
        async with years.owner.begin() as connection:
            await connection.execute(text("delete from audit_events"))


async def test_an_archived_event_is_proven_after_it_came_back(years: Years) -> None:
    async with years.owner.connect() as connection:
        [first] = (
            await connection.execute(
                text("select id from audit_events where organisation_id = :of order by at limit 1"),
                {"of": ORGANISATION},
            )
        ).scalars()
    await years.archive(5)
    await years.restore(5)

    async with years.app.connect() as connection:
        proof = await inclusion_file(connection, ORGANISATION, first)
    assert isinstance(check_proof(proof, KEYS), Proven)


# Interrupted, full, away


@contextmanager
def small_disk() -> Iterator[None]:
    """Where no file can be longer than this."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_stopped_after_each_step_it_goes_on_and_loses_nothing(years: Years) -> None:
    """Each step done, its note lost; done again from the note before."""
    before = await years.count()

    async def undone(what: Callable[[], Awaitable[object]]) -> None:
        """Do it on the disk and in the store, and die before the transaction."""
        original = archives._move

        async def die(*args: object, **more: object) -> None:
            raise KeyboardInterrupt

        archives._move = die  # type: ignore[assignment]
        try:
            with pytest.raises(KeyboardInterrupt):
                await what()
        finally:
            archives._move = original

    await years.plan(5)
    await years.plan(5)  # noted once
    assert len(due := await years.every(5)) == 2
    for state in ("due", "made"):
        for archive in await years.every(5):
            assert archive.state == state
            await undone(lambda archive=archive: years.step(archive))
            assert await years.count() == before
            assert (await verify(years.app)).verified
            with pytest.raises(DBAPIError, match="in no archive that was read back"):
                await years.drop(5)
            await years.step(archive)
    async with years.app.connect() as connection:  # the last step is one transaction
        await archives.drop(connection, month(5), LIVE)
        await connection.rollback()
    assert await years.count() == before
    await years.drop(5)

    assert (await verify(years.app)).verified
    assert len(due) == 2


async def test_what_comes_back_from_the_store_changed_is_never_let_go_of(years: Years) -> None:
    await years.plan(5)
    for archive in await years.every(5):
        await years.step(archive)
    for archive in await years.every(5):
        assert archive.name is not None
        await years.store.put(archive.name, (await years.store.get(archive.name))[:-1])
        with pytest.raises(NotWhole):
            await years.step(archive)
        async with years.app.begin() as connection:
            await archives.make_again(connection, archive, "changed")
    assert {each.state for each in await years.every(5)} == {"due"}

    for _ in range(2):
        for archive in await years.every(5):
            await years.step(archive)
    await years.drop(5)
    assert (await verify(years.app)).verified


async def test_a_full_disk_and_a_store_that_is_away_stop_it_and_it_goes_on(years: Years) -> None:
    await years.plan(5)
    [archive, _] = await years.every(5)
    folder = years.scratch.parent / "store" / "archives"
    folder.write_text("no room for a folder")

    with pytest.raises(StoreAway):
        await years.step(archive)
    with small_disk(), pytest.raises(OSError, match="File too large"):
        await years.step(archive)
    assert (await years.every(5))[0].state == "due"

    folder.unlink()
    await years.keep(5)
    assert await years.drop(5) > 0


# What is refused, and what is found


async def test_a_month_of_the_live_window_or_without_archives_stays(years: Years) -> None:
    with pytest.raises(DBAPIError, match="in no archive"):
        await years.drop(5)
    await years.keep(5)
    with pytest.raises(DBAPIError, match="live window"):
        await years.drop(5, live=6)
    with pytest.raises(DBAPIError, match="live window"):
        await years.drop(0)


async def test_an_event_that_came_later_keeps_its_month(years: Years) -> None:
    await years.keep(5)
    await happened(years.app, ago(5), uuid7())

    with pytest.raises(DBAPIError, match="in no archive"):
        await years.drop(5)


async def test_months_go_in_their_order(years: Years) -> None:
    assert await years.plan(4) == 2
    assert await years.every() == []


async def test_rows_that_were_not_archived_are_missed_beside_those_that_were(
    years: Years,
) -> None:
    await years.archive(5)
    async with years.owner.connect() as connection:
        gone = await connection.scalar(
            text("select id from audit_events where at < :next order by at, id limit 1"),
            {"next": ago(3, 1)},
        )
    await tamper(years.owner, "delete from audit_events where id = :id", id=gone)

    verdict = await verify(years.app)

    assert verdict.kind is Kind.MISSING
    assert verdict.first is not None
    assert verdict.first.event == gone


async def test_a_stream_whose_archived_part_was_forgotten_is_found(years: Years) -> None:
    await years.archive(5)
    await tamper(years.owner, "delete from audit_archived_runs where first = 1")

    kinds = set((await verify(years.app)).counts)

    assert kinds & {Kind.MISSING, Kind.TAIL_CUT}


async def test_a_month_that_was_only_said_to_be_archived_is_found_missing_by_its_archive(
    years: Years,
) -> None:
    """Who owns the database says of what they deleted that it was archived."""
    await years.plan(5)
    for archive in await years.every(5):
        await years.step(archive)
    name = f"audit_events_{month(5):%Y_%m}"
    await tamper(
        years.owner,
        "insert into audit_archived_runs select organisation_id, :month, stream, seq, seq,"
        " case when seq = 1 then cast('' as bytea) else sha256 end, sha256(sha256)"
        f" from {name}",
        f"drop table {name}",
        "update audit_archives set state = 'dropped', sha256 = repeat('0', 64)",
        month=month(5),
    )
    for archive in await years.every(5):
        with pytest.raises(NotWhole):
            await archives.read_back(years.store, archive, KEYS, years.scratch)


async def test_nothing_that_the_tree_does_not_have_can_be_brought_back(years: Years) -> None:
    async with years.owner.connect() as connection:
        body = await connection.scalar(
            text("select cast(body as text) from audit_events order by at, id limit 1")
        )
    await years.archive(5)
    said = json.loads(body)
    said["data"]["n"] = 999
    values = {"month": month(5), "of": ORGANISATION, "said": [json.dumps(said)]}
    async with years.app.begin() as connection:
        await connection.execute(text("select audit_restore_begin(:month)"), values)
        with pytest.raises(DBAPIError, match="not the events of the leaves"):
            await connection.execute(
                text("select audit_restore_rows(:month, :of, 0, :said, array[1])"), values
            )


async def test_a_month_of_which_something_lacks_does_not_come_back(years: Years) -> None:
    await years.archive(5)
    async with years.app.begin() as connection:
        await connection.execute(text("select audit_restore_begin(:m)"), {"m": month(5)})
        with pytest.raises(DBAPIError, match="not all of"):
            await connection.execute(text("select audit_restore_end(:m)"), {"m": month(5)})


async def test_the_application_can_expire_nothing_before_seven_years(years: Years) -> None:
    await years.archive(5)
    with pytest.raises(DBAPIError, match="seven years"):
        async with years.app.begin() as connection:
            await connection.execute(
                text("select audit_archive_expire(:of, :month)"),
                {"of": ORGANISATION, "month": month(5)},
            )
