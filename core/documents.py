"""Issued documents: their numbers, without a double and without a gap, and how one is voided."""

from datetime import UTC, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from audit import blobs
from audit import documents as index
from audit.event import JSON, Actor
from audit.store import StoreAway
from core import tasks
from core.agent import Deal, Document, Numbered
from core.codec import dump
from core.db import execute, fetch_all, fetch_one, to_json
from core.errors import Refused, TryLater
from core.house import House
from core.ids import new_id
from core.people import Person
from core.phrases import ALREADY_VOID, NO_DOCUMENT, STORE_AWAY
from core.retention import KEEP_YEARS, retain_until
from core.tags import Tag
from core.tasks import Task
from core.unit import Unit


async def take_number(
    work: Unit,
    task: Task,
    series: str,
    zone: str,
    revises_id: UUID | None,
    deal: Deal = Deal(),  # noqa: B008  # frozen
    keep_years: int = KEEP_YEARS,
) -> Numbered:
    """Issue a document in the caller's transaction and return its number.

    `Q-2026-0001`: series, year of issue in the company's zone, and a count that is kept in a row
    which stays locked until the transaction ends; so a rollback gives the number back, and two
    documents never get the same. A revised document is `Q-2026-0001-2`. With its number it enters
    the index that documents are searched by: what `deal` says, and until when it is kept.
    """
    issued_on = datetime.now(ZoneInfo(zone)).date()
    base, edition = await _revised(work.connection, task, revises_id)
    if base is None:
        value = await _next(work.connection, task.organisation_id, series, issued_on.year)
        base, edition = f"{series}-{issued_on.year}-{value:04d}", 1
    number = base if edition == 1 else f"{base}-{edition}"
    document_id = new_id()
    await execute(
        work.connection,
        "insert into documents (id, organisation_id, task_id, revision, kind, number,"
        " base_number, edition, issued_on)"
        " values (:id, :organisation_id, :task_id, :revision, :kind, :number, :base, :edition,"
        " :issued_on)",
        {
            "id": document_id,
            "organisation_id": task.organisation_id,
            "task_id": task.id,
            "revision": task.revision,
            "kind": task.agent,
            "number": number,
            "base": base,
            "edition": edition,
            "issued_on": issued_on,
        },
    )
    entry = index.Entry(
        id=document_id,
        organisation_id=task.organisation_id,
        dated=issued_on,
        amount=deal.amount,
        counterparty=deal.counterparty,
        kind=task.agent,
        number=number,
        stream=task.id,
        retain_until=retain_until(issued_on, keep_years),
        reference=task.spoken,
        person_id=task.person_id,
        words=deal.words,
    )
    await index.enter(work.connection, entry)
    # With the hash of its entry: an index that was changed later does not agree with the log.
    data: dict[str, JSON] = {"number": number, "index_sha256": entry.fingerprint()}
    work.record(tasks.event(task, Tag.DOCUMENT_NUMBERED, data))
    return Numbered(number, issued_on)


async def _next(connection: AsyncConnection, organisation_id: UUID, series: str, year: int) -> int:
    row = await fetch_one(
        connection,
        "insert into counters as c (organisation_id, name, year, value)"
        " values (:organisation_id, :name, :year, 1)"
        " on conflict (organisation_id, name, year) do update set value = c.value + 1"
        " returning value",
        {"organisation_id": organisation_id, "name": series, "year": year},
    )
    assert row is not None  # noqa: S101  # an upsert returns its row
    return int(row.value)


async def _revised(
    connection: AsyncConnection, task: Task, revises_id: UUID | None
) -> tuple[str | None, int]:
    """The number that a revision builds on, and which edition comes next.

    Locks the revised task, so that two revisions of one document wait for each other.
    """
    if revises_id is None:
        return None, 1
    await tasks.lock(connection, task.organisation_id, revises_id)
    row = await fetch_one(
        connection,
        "select base_number, max(edition) as edition from documents"
        " where organisation_id = :organisation_id and base_number in"
        " (select base_number from documents where organisation_id = :organisation_id"
        " and task_id = :task_id) group by base_number",
        {"organisation_id": task.organisation_id, "task_id": revises_id},
    )
    return (row.base_number, row.edition + 1) if row else (None, 1)


async def issue(work: Unit, task: Task, document: Document) -> None:
    """Write which file the task's numbered document is."""
    rows = await fetch_all(
        work.connection,
        "update documents set file = cast(:file as jsonb) where organisation_id = :organisation_id"
        " and task_id = :task_id and revision = :revision returning id",
        {
            "file": to_json(dump(document)),
            "organisation_id": task.organisation_id,
            "task_id": task.id,
            "revision": task.revision,
        },
    )
    for row in rows:
        await index.attach(
            work.connection, task.organisation_id, row.id,
            sha256=document.sha256, name=document.name, media_type=document.media_type,
        )  # fmt: skip
    data: dict[str, JSON] = {"sha256": document.sha256}
    work.record(tasks.event(task, Tag.DOCUMENT_ISSUED, data))


async def void_latest(
    work: Unit, task: Task, person: Person, reason: str, actor: Actor, *, number: str | None
) -> str:
    """Void a document; its number stays taken. Raises Refused where there is nothing to void."""
    row = await fetch_one(
        work.connection,
        "select id, number, voided_at from documents where organisation_id = :organisation_id"
        " and task_id = :task_id and (cast(:number as text) is null or number = :number)"
        " order by issued_at desc limit 1",
        {"organisation_id": task.organisation_id, "task_id": task.id, "number": number},
    )
    if row is None:
        raise Refused(NO_DOCUMENT.fill(reference=task.spoken))
    if row.voided_at is not None:
        raise Refused(ALREADY_VOID.fill(number=row.number))
    await execute(
        work.connection,
        "update documents set voided_at = :now, voided_by = :person_id, void_reason = :reason"
        " where organisation_id = :organisation_id and id = :id",
        {
            "now": datetime.now(UTC),
            "person_id": person.id,
            "reason": reason,
            "organisation_id": task.organisation_id,
            "id": row.id,
        },
    )
    await index.void(work.connection, task.organisation_id, row.id)
    work.record(tasks.event(task, Tag.DOCUMENT_VOIDED, {"number": row.number}, actor))
    return str(row.number)


class Files:
    """The organisation's store of documents, for a step. Keeping the same bytes twice is free."""

    def __init__(self, house: House, organisation_id: UUID) -> None:
        self._house = house
        self._organisation_id = organisation_id

    async def put(self, content: bytes, media_type: str) -> str:
        """Keep bytes; returns their SHA-256. At once, before the row that names them is committed:
        unused bytes harm nobody. Raises TryLater where the store is away or full."""
        try:
            return await self._house.store.keep(self._organisation_id, content)
        except StoreAway as error:
            raise TryLater(STORE_AWAY.fill(why=str(error))) from error

    async def get(self, sha256: str) -> bytes:
        """Bytes kept earlier. Raises LookupError for a hash nobody kept, TryLater, and ValueError
        for bytes that are no longer what was kept."""
        try:
            content = await self._house.store.read(self._organisation_id, sha256)
        except StoreAway as error:
            raise TryLater(STORE_AWAY.fill(why=str(error))) from error
        if content is None:  # of before there was a store
            async with self._house.engine.connect() as connection:
                content = await blobs.get(connection, self._organisation_id, sha256)
        if content is None:
            raise LookupError(f"no document {sha256}")
        return content
