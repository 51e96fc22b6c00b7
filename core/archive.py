"""The house's archive: which months are due, going on with them, bringing one back, letting go.

Planned by the schedule, every night; done by whichever worker has the lock (miyabi/archiving.py),
as it takes minutes and is about a store that may be away.
"""

import random
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from audit import archives
from audit.archives import Archive, NotThere, NotWhole
from audit.event import JSON, Event
from audit.store import Store, StoreAway
from audit.verifier.archived import Archive as Gone
from audit.verifier.notes import Keys
from audit.verifier.verdict import Fault, Kind, Verdict
from core.errors import Permanent, Refused
from core.house import House
from core.phrases import STORE_AWAY
from core.schedule import Occurrence, on_days
from core.scratch import scratch
from core.tags import Tag
from core.unit import Unit, unit
from core.words import Words

ARCHIVE = "audit.archive"
_NIGHT, _ZONE = time(3), ZoneInfo("Asia/Tokyo")
_SOON = timedelta(seconds=1)

NOT_THERE = Words(
    ja="{month} のイベントはデータベースにありません。",
    en="No events of {month} are in the database.",
    zh="数据库中没有 {month} 的事件。",
)
NOT_OVER = Words(
    ja="{month} はまだ終わっていません。",
    en="{month} is not over yet.",
    zh="{month} 尚未结束。",
)
WAITING = Words(
    ja="{n}組織のイベントがまだ署名されたツリーにありません。署名鍵とワーカーを確認してください。",
    en="Events of {n} organisations are not under a checkpoint yet. See whether a worker has a key "
    "and runs.",
    zh="有 {n} 个组织的事件尚未纳入已签名的树。请检查签名密钥和工作进程。",
)
NOTHING_DROPPED = Words(
    ja="{month} はアーカイブからの復元対象ではありません。",
    en="{month} has not left the database, or its archive is no longer kept.",
    zh="{month} 未从数据库移出，或其归档已不再保留。",
)
BROKEN = Words(
    ja="アーカイブを復元できません: {why}",
    en="The archive can't be brought back: {why}",
    zh="无法恢复归档: {why}",
)


STAYS = Words(
    ja="アーカイブ済みの月をデータベースから外せません: {why}",
    en="A month that was archived can't leave the database: {why}",
    zh="无法将已归档的月份移出数据库: {why}",
)

_REFUSED = "P0001"
"""SQLSTATE of what a function of the database's refuses."""


@dataclass(frozen=True, slots=True)
class Workshop:
    """Where archives are made: an engine that may take its time, and a folder for a while."""

    house: House
    engine: AsyncEngine
    scratch: Path
    live: int = archives.LIVE_MONTHS


async def plan(house: House, work: Unit, occurrence: Occurrence) -> datetime:
    """Note the oldest month that is due and not planned; the next comes soon, or in a night."""
    for month in await archives.months(work.connection, house.live_months):
        before = len(await archives.every(work.connection, month=month))
        waiting = await archives.plan(work.connection, month)
        after = len(await archives.every(work.connection, month=month))
        if after > before and not waiting:
            return occurrence.now + _SOON
        if waiting:
            break
    return on_days(occurrence.now, _ZONE, _NIGHT, lambda day: True)


async def plan_all(shop: Workshop) -> None:
    """Plan all months that are before the live window, as far as they can be."""
    async with shop.engine.connect() as connection:
        due = await archives.months(connection, shop.live)
    for month in due:
        async with shop.engine.begin() as connection:
            if await archives.plan(connection, month):
                return


async def month_due(shop: Workshop, month: date) -> None:
    """Plan one month at a person's word, of the live window too if it is over. Raises Refused."""
    async with shop.engine.begin() as connection:
        if month not in await archives.months(connection):
            raise Refused(NOT_THERE.fill(month=f"{month:%Y-%m}"))
        if month not in await archives.months(connection, 1):
            raise Refused(NOT_OVER.fill(month=f"{month:%Y-%m}"))
        if waiting := await archives.plan(connection, month):
            raise Refused(WAITING.fill(n=waiting))


async def go_on(shop: Workshop, month: date | None = None) -> bool:
    """Do the next step of any archive, or of a month's; whether there was one.

    Raises OSError where the disk is full or the store is away, and whatever else went wrong: what
    was done is done, and is gone on from. What could not be done is noted on its row, and is tried
    again after the others.
    """
    states = ["due", "made", *(["restored"] if month else [])]
    async with shop.engine.connect() as connection:
        open_ = await archives.every(connection, month=month, states=states)
    # What stopped comes last: a log that is broken keeps nobody else's in the database.
    fresh = [archive for archive in open_ if archive.error is None]
    if fresh:
        await _step(shop, fresh[0])
        return True
    dropped, stays = await _drop_next(shop, month)
    if open_ and not dropped:
        await _step(shop, random.choice(open_))  # noqa: S311  # whose turn it is, not a secret
    elif stays is not None:
        raise stays
    return dropped or bool(open_)


async def _step(shop: Workshop, archive: Archive) -> None:
    try:
        await (_make if archive.state == "due" else _keep)(shop, archive)
    except SQLAlchemyError:
        raise
    except Exception as error:  # also what nobody foresaw: it would hold up all others
        async with shop.engine.begin() as connection:
            await archives.tell(connection, archive, str(error) or repr(error))
        raise


async def _make(shop: Workshop, archive: Archive) -> None:
    await archives.make(shop.engine, shop.house.store, archive, shop.scratch)


async def _keep(shop: Workshop, archive: Archive) -> None:
    """Read back what was put into the store; what is not whole is made again, if that can be."""
    async with shop.engine.connect() as connection:
        keys = await archives.keys_of(connection)
    try:
        await archives.read_back(shop.house.store, archive, keys, shop.scratch)
    except NotWhole as error:
        async with shop.engine.begin() as connection:
            if archive.state == "made":
                await archives.make_again(connection, archive, str(error))
            else:
                await archives.tell(connection, archive, str(error))
        raise OSError(str(error)) from error
    said = {"first": archive.first, "end": archive.end}
    async with unit(shop.house) as work:
        await archives.keep(work.connection, archive)
        work.record(_event(Tag.ARCHIVE_KEPT, archive, said))


async def _drop_next(shop: Workshop, month: date | None) -> tuple[bool, Permanent | None]:
    """Let go of the oldest month that can go. Whether there was one; and why not, where one should
    and can't."""
    live = 1 if month else shop.live
    async with shop.engine.connect() as connection:
        kept = await archives.every(connection, month=month, states=["kept"])
        due = await archives.months(connection, live)
    refused: DBAPIError | None = None
    for each in sorted({archive.month for archive in kept} & set(due)):
        try:
            await _drop(shop, each, live, [one for one in kept if one.month == each])
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) != _REFUSED:
                raise
            refused = error
        else:
            return True, None
    if refused is None:
        return False, None
    stays = Permanent(STAYS.fill(why=str(refused.orig).rpartition(": ")[2]))
    stays.__cause__ = refused
    return False, stays


async def _drop(shop: Workshop, month: date, live: int, kept: Sequence[Archive]) -> None:
    async with unit(_with(shop)) as work:
        await archives.drop(work.connection, month, live)
        for archive in kept:
            said = {"events": archive.events}
            work.record(_event(Tag.ARCHIVE_DROPPED, archive, said))


def _with(shop: Workshop) -> House:
    """The house, on the connection that may take its time."""
    return replace(shop.house, engine=shop.engine)


def _event(tag: Tag, archive: Archive, said: Mapping[str, JSON]) -> Event:
    data: dict[str, JSON] = {"month": f"{archive.month:%Y-%m}", "sha256": archive.sha256, **said}
    return Event(archive.organisation_id, archive.organisation_id, tag, data)


async def restore(shop: Workshop, month: date) -> int:
    """Bring a month back for all organisations, and have the database verify it; how many events.

    Raises Refused where it never left, Permanent where an archive is not what it was.
    """
    async with shop.engine.connect() as connection:
        keys = await archives.keys_of(connection)
        wanted = await archives.needed(connection, month)
        mine = await archives.every(connection, month=month, states=["dropped"])
    if not mine:
        raise Refused(NOTHING_DROPPED.fill(month=f"{month:%Y-%m}"))
    with tempfile.TemporaryDirectory(dir=shop.scratch) as folder:
        files = []
        for number, archive in enumerate(wanted):
            path = Path(folder, f"{number}.zip.zst")
            try:
                await archives.read_back(shop.house.store, archive, keys, shop.scratch, into=path)
            except NotWhole as error:
                raise Permanent(BROKEN.fill(why=str(error))) from error
            files.append((archive.organisation_id, archive.first, path))
        async with unit(_with(shop)) as work:
            events = await archives.bring_back(work.connection, month, files)
            for archive in mine:
                work.record(_event(Tag.ARCHIVE_RESTORED, archive, {"events": archive.events}))
    return events


async def look_into_archives(store: Store, verdict: Verdict, keys: Keys, *, whole: bool) -> None:
    """Whether what has left the database is in the store: that each archive is there in its size,
    or (`whole`) every event of it, verified. Adds to the verdict what is not so."""
    try:
        for archive in verdict.archives:
            if archive.name is None:
                continue  # its years are over
            fault = await (_look(store, archive, keys) if whole else _see(store, archive))
            if fault is not None:
                verdict.add(fault)
        verdict.archives_read = whole
    except StoreAway as error:
        verdict.archives_away = str(error)
        if whole:
            raise Permanent(STORE_AWAY.fill(why=str(error))) from error


async def _see(store: Store, archive: Gone) -> Fault | None:
    assert archive.name is not None  # noqa: S101  # asked by the caller
    size = await store.size(archive.name)
    if size is None:
        return _wrong(Kind.MISSING, archive, f"{archive.name} is not in the store")
    if size != archive.bytes:
        return _wrong(Kind.MODIFIED, archive, f"{archive.name} is not what was put there")
    return None


async def _look(store: Store, archive: Gone, keys: Keys) -> Fault | None:
    with scratch("archive") as folder:
        try:
            await archives.read_back(store, archive, keys, folder)
        except NotThere as error:
            return _wrong(Kind.MISSING, archive, str(error))
        except NotWhole as error:
            return _wrong(Kind.MODIFIED, archive, str(error))
    return None


def _wrong(kind: Kind, archive: Gone, about: str) -> Fault:
    origin = f"miyabi/{archive.organisation_id}"
    return Fault(kind, f"archive: {about}", origin, archive.first, archive.end)
