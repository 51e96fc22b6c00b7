"""What has to be kept and what may go: legal holds, archives and documents past their years."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from audit import archives
from audit.event import JSON, Event
from audit.store import document_name
from core import attachments
from core.db import execute, fetch_all, fetch_one
from core.errors import Refused
from core.house import House
from core.ids import new_id
from core.retention import retain_until
from core.tags import Tag
from core.unit import Unit, unit
from core.words import Words

NO_HOLD = Words(
    ja="有効な保全 {hold} はありません。",
    en="There is no hold {hold} that holds anything.",
    zh="不存在有效的保全 {hold}。",
)


@dataclass(frozen=True, slots=True)
class Hold:
    """A legal hold: nothing of these days is dropped. None is any day."""

    id: UUID
    since: date | None
    until: date | None
    reason: str
    placed_at: datetime
    released_at: datetime | None


async def place(
    work: Unit, organisation_id: UUID, since: date | None, until: date | None, reason: str
) -> UUID:
    """Hold what is of these days, both included, from now on."""
    hold = new_id()
    await execute(
        work.connection,
        "insert into audit_holds (id, organisation_id, since, until, reason)"
        " values (:id, :organisation_id, :since, :until, :reason)",
        {
            "id": hold,
            "organisation_id": organisation_id,
            "since": since,
            "until": until,
            "reason": reason,
        },
    )
    data: dict[str, JSON] = {
        "hold": str(hold),
        "since": since.isoformat() if since else None,
        "until": until.isoformat() if until else None,
    }
    work.record(Event(organisation_id, organisation_id, Tag.HOLD_PLACED, data))
    return hold


async def release(work: Unit, organisation_id: UUID, hold: UUID) -> None:
    """Hold it no longer. Raises Refused where it holds nothing."""
    rows = await execute(
        work.connection,
        "update audit_holds set released_at = now()"
        " where organisation_id = :organisation_id and id = :id and released_at is null",
        {"organisation_id": organisation_id, "id": hold},
    )
    if not rows:
        raise Refused(NO_HOLD.fill(hold=hold))
    work.record(Event(organisation_id, organisation_id, Tag.HOLD_RELEASED, {"hold": str(hold)}))


async def holds(connection: AsyncConnection, organisation_id: UUID) -> Sequence[Hold]:
    """All there ever were, the oldest first."""
    rows = await fetch_all(
        connection,
        "select id, since, until, reason, placed_at, released_at from audit_holds"
        " where organisation_id = :organisation_id order by placed_at, id",
        {"organisation_id": organisation_id},
    )
    return [Hold(**row._mapping) for row in rows]


@dataclass(frozen=True, slots=True)
class Expired:
    """What may go, or went: months of archives, and documents by their ids and numbers."""

    months: Sequence[date]
    documents: Sequence[tuple[UUID, str]]


async def expired(house: House, organisation_id: UUID) -> Expired:
    """What is past its years and on no hold. Also what was begun to be let go of and not ended."""
    today = datetime.now(UTC).date()
    async with house.engine.connect() as connection:
        held = [each for each in await holds(connection, organisation_id) if not each.released_at]
        kept = await archives.every(
            connection, organisation_id=organisation_id, states=["dropped", "expired"]
        )
        rows = await fetch_all(
            connection,
            "select id, number, dated, dropping from audit_documents"
            " where organisation_id = :organisation_id and (dropping or"
            " (dropped_at is null and retain_until <= :today)) order by dated, id",
            {"organisation_id": organisation_id, "today": today},
        )
    months = []
    for archive in kept:
        last = _last_day(archive.month)
        over = retain_until(last, house.keep_years) <= today
        begun = archive.state == "expired"
        if archive.name and (begun or (over and not _held(held, archive.month, last))):
            months.append(archive.month)
    documents = [
        (row.id, row.number)
        for row in rows
        if row.dropping or not _held(held, row.dated, row.dated)
    ]
    return Expired(months, documents)


def _last_day(month: date) -> date:
    return (month + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def _held(held: Sequence[Hold], since: date, until: date) -> bool:
    return any(
        (each.since or date.min) <= until and (each.until or date.max) >= since for each in held
    )


async def let_go(house: House, organisation_id: UUID, what: Expired) -> None:
    """Drop it: the row says so first, then the bytes go, and whoever died in between goes on.

    The database checks the seven years and the holds once more, and refuses. Raises StoreAway.
    """
    for month in what.months:
        await _let_go_of_month(house, organisation_id, month)
    for document_id, number in what.documents:
        await _let_go_of_document(house, organisation_id, document_id, number)


async def _let_go_of_month(house: House, organisation_id: UUID, month: date) -> None:
    async with unit(house) as work:
        of = {"organisation_id": organisation_id, "month": month}
        [archive] = await archives.every(
            work.connection, organisation_id=organisation_id, month=month
        )
        await fetch_one(
            work.connection, "select audit_archive_expire(:organisation_id, :month)", of
        )
        if archive.state != "expired":
            data = {"month": f"{month:%Y-%m}", "sha256": archive.sha256}
            work.record(Event(organisation_id, organisation_id, Tag.ARCHIVE_EXPIRED, data))
    if archive.name is not None:
        await house.store.drop(archive.name)
    async with house.engine.begin() as connection:
        await fetch_one(connection, "select audit_archive_gone(:organisation_id, :month)", of)


async def _let_go_of_document(
    house: House, organisation_id: UUID, document_id: UUID, number: str
) -> None:
    of = {"organisation_id": organisation_id, "id": document_id}
    async with unit(house) as work:
        before = await fetch_one(
            work.connection,
            "select dropped_at, sha256 from audit_documents"
            " where organisation_id = :organisation_id and id = :id",
            of,
        )
        assert before is not None  # noqa: S101  # rows are never deleted
        row = await fetch_one(
            work.connection, "select audit_document_drop(:organisation_id, :id) as sha256", of
        )
        if before.dropped_at is None:
            data = {"document": str(document_id), "number": number, "sha256": before.sha256}
            work.record(Event(organisation_id, organisation_id, Tag.DOCUMENT_DROPPED, data))
        enclosed = await attachments.only_with(work.connection, organisation_id, document_id)
    for sha256 in enclosed:
        await house.store.drop(document_name(organisation_id, sha256))
    if row is not None and row.sha256 is not None:
        await house.store.drop(document_name(organisation_id, row.sha256))
    async with house.engine.begin() as connection:
        await fetch_one(connection, "select audit_document_gone(:organisation_id, :id)", of)
