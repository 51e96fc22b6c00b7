"""The queue of each anchor: what it is given, when, how often; and what is kept of it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from uuid_utils.compat import uuid7

from audit.anchored import Reach, reach
from audit.anchors import Anchor, AnchorAway, FileAnchor, Parcel, Receipt
from audit.apart import Apart
from audit.carrying import Failure, carry_to, lacking
from audit.verifier.anchors import read_notes
from audit.verifier.proof import Proven, check_proof
from tests.audit.log_of_one import KEYS, ORGANISATION, event, sign, write

NOW = timedelta(0)


@dataclass(slots=True)
class Shelf:
    """An anchor of a kind of its own, as anybody could write one."""

    name: str = "shelf"
    each: bool = False
    stamps: bool = False
    patience: float = 5.0
    away: bool = False
    given: list[Parcel] = field(default_factory=list)
    hold: asyncio.Event | None = None

    async def put(self, parcel: Parcel) -> Receipt:
        self.given.append(parcel)
        if self.hold is not None:
            await self.hold.wait()
        if self.away:
            raise AnchorAway("the shelf is away")
        return Receipt("there", b"stamp" if self.stamps else None)

    @property
    def sizes(self) -> list[int]:
        return [parcel.newest.size for parcel in self.given]


async def grow(app: AsyncEngine, events: int = 1) -> str:
    await write(app, *(event(uuid7(), n) for n in range(events)))
    return await sign(app)


async def carry(
    app: AsyncEngine, anchor: Anchor, every: timedelta = NOW, stamps: str | None = None
) -> Receipt | Failure | None:
    return await carry_to(app, anchor, ORGANISATION, every=every, stamps=stamps)


async def reached(app: AsyncEngine, anchor: Anchor) -> Reach:
    async with app.connect() as connection:
        [found] = await reach(connection, [anchor.name])
    return found


@dataclass(frozen=True, slots=True)
class Due:
    """When the only queue is tried next, and what time it is."""

    at: datetime
    now: datetime


async def due(app: AsyncEngine) -> Due:
    async with app.connect() as connection:
        row = (
            await connection.execute(
                text(
                    "select clock_timestamp() as now,"
                    " coalesce((select next_at from audit_anchors), clock_timestamp()) as at"
                )
            )
        ).one()
    return Due(row.at, row.now)


async def make_due(owner: AsyncEngine) -> None:
    """Whatever is waited for is over."""
    async with owner.begin() as connection:
        await connection.execute(text("update audit_anchors set next_at = now()"))


async def test_the_newest_goes_with_proof_from_the_last_and_only_so_often(
    app: AsyncEngine, owner: AsyncEngine
) -> None:
    shelf = Shelf()
    await grow(app, 3)
    assert await lacking(app, shelf) == [ORGANISATION]
    assert await carry(app, shelf, timedelta(minutes=10)) == Receipt("there")
    assert await lacking(app, shelf) == []
    await grow(app, 4)
    await grow(app, 5)

    assert await lacking(app, shelf) == []  # there is news, but it is not its time
    assert await carry(app, shelf) is None
    waits = await reached(app, shelf)
    await make_due(owner)
    assert await lacking(app, shelf) == [ORGANISATION]
    await carry(app, shelf)
    there = await reached(app, shelf)

    assert shelf.sizes == [3, 12]
    last = shelf.given[-1]
    assert (shelf.given[0].proof, last.after) == (None, 3)
    assert last.proof is not None
    proven = check_proof(last.proof, KEYS)
    assert isinstance(proven, Proven)
    assert proven.old is not None
    assert (proven.old.size, proven.head.size) == (3, 12)
    assert (waits.size, waits.of, waits.behind > 0) == (3, 12, True)
    assert (there.size, there.of, there.behind, there.error) == (12, 12, 0, None)


async def test_one_that_is_away_waits_longer_each_time_and_goes_on_with_the_newest(
    app: AsyncEngine, owner: AsyncEngine
) -> None:
    shelf = Shelf(away=True)
    at_least, at_most = [], []
    for _ in range(3):
        await grow(app)
        before = await due(app)
        done = await carry(app, shelf)
        assert isinstance(done, Failure)
        assert await lacking(app, shelf) == []
        after = await due(app)
        at_least.append((after.at - before.now).total_seconds())
        at_most.append((after.at - after.now).total_seconds())
        await make_due(owner)
    told = await reached(app, shelf)
    shelf.away = False
    await carry(app, shelf)
    back = await reached(app, shelf)

    assert shelf.sizes == [1, 2, 3, 3]
    for least, most, wait in zip(at_least, at_most, (5, 10, 20), strict=True):
        assert least >= 0.75 * wait
        assert most <= wait
    assert (told.tries, told.error, told.size) == (3, "the shelf is away", 0)
    assert (back.tries, back.error, back.size) == (0, None, 3)


async def test_one_at_a_time_carries_and_who_dies_in_the_middle_is_followed_by_another(
    app: AsyncEngine, owner: AsyncEngine
) -> None:
    shelf, other = Shelf(hold=asyncio.Event()), Shelf()
    await grow(app)
    dying = asyncio.create_task(carry(app, shelf))
    while not shelf.given:  # noqa: ASYNC110  # it is told by nothing else
        await asyncio.sleep(0.01)
    assert await carry(app, other) is None
    dying.cancel()
    await asyncio.wait([dying])
    assert await lacking(app, other) == []  # it might still be at it
    await make_due(owner)

    await carry(app, other)

    assert shelf.sizes == other.sizes == [1]
    assert (await reached(app, other)).size == 1


async def test_one_that_does_not_answer_is_given_up(app: AsyncEngine) -> None:
    shelf = Shelf(hold=asyncio.Event(), patience=0.1)
    await grow(app)

    done = await carry(app, shelf)

    assert isinstance(done, Failure)
    assert done.why == "no answer in time"


async def test_what_goes_along_has_a_time_stamp_unless_that_is_away(
    app: AsyncEngine, owner: AsyncEngine
) -> None:
    stamper, shelf = Shelf("stamper", stamps=True), Shelf()
    note = await grow(app)
    assert await carry(app, shelf, stamps="stamper") is None  # its stamp is on its way
    await carry(app, stamper)
    await grow(app)
    await make_due(owner)
    await carry(app, shelf, stamps="stamper")
    stamper.away = True
    await carry(app, stamper)
    await carry(app, shelf, stamps="stamper")

    assert shelf.sizes == [1, 2]
    assert [each.stamped is not None and each.stamped.size for each in shelf.given] == [1, 1]
    assert shelf.given[0].files() == {"1.note": note.encode(), "1.tsr": b"stamp"}
    assert list(shelf.given[1].files()) == ["2.note", "1-2.json", "1.note", "1.tsr"]


async def test_a_file_gets_each_checkpoint_once_also_where_no_receipt_was_written(
    app: AsyncEngine, owner: AsyncEngine, tmp_path: Path
) -> None:
    path = tmp_path / "checkpoints"
    notes = [await grow(app) for _ in range(3)]
    assert isinstance(await carry(app, FileAnchor(path)), Receipt)
    async with owner.begin() as connection:
        await connection.execute(text("set session_replication_role = replica"))
        await connection.execute(text("delete from audit_receipts"))
    notes.append(await grow(app))

    assert isinstance(await carry(app, FileAnchor(path)), Receipt)

    assert read_notes(path.read_bytes()) == notes


async def test_a_file_is_read_on_from_where_it_was_read(tmp_path: Path) -> None:
    path = tmp_path / "checkpoints"
    mine, others = FileAnchor(path), FileAnchor(path)
    for size in (1, 2):
        mine.add(f"a\n{size}\nx\n\n\u2014 k y\n")
    assert mine.last("a") == 2
    others.add("b\n7\nx\n\n\u2014 k y\n")
    others.add("a\n3\nx\n\n\u2014 k y\n")
    assert (mine.last("a"), mine.last("b"), mine.last("c")) == (3, 7, 0)
    with path.open("ab") as file:
        file.write(b"a\n9\nx\n\n")  # its signature is not there yet
    assert mine.last("a") == 3
    with path.open("ab") as file:
        file.write("\u2014 k y\n\n".encode())
    assert mine.last("a") == 9
    path.write_bytes(b"")
    assert mine.last("a") == 0


async def test_what_hangs_holds_nobody_up() -> None:
    import threading

    apart, stuck = Apart("test"), threading.Event()

    with pytest.raises(TimeoutError):
        await apart.run(stuck.wait, 0.05)
    with pytest.raises(OSError, match="still hangs"):
        await apart.run(stuck.wait, 0.05)
    stuck.set()
    while True:
        try:
            assert await apart.run(_words, 5) == ("done",)
            break
        except OSError:
            await asyncio.sleep(0.01)


def _words() -> Sequence[str]:
    return ("done",)
