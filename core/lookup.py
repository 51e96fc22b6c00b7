"""Looking into the log and the index of documents, which is itself an event of the log.

What was found is given only once the event of it is committed: nobody looks unseen.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from audit import search
from audit.criteria import Criteria, DocumentPlace, EventPlace, NoCursor, TooShort, TooSlow
from audit.event import JSON, Event
from core.asked import READERS, Asked, Reader, criteria, event_criteria, for_the_log
from core.db import fetch_all, from_json
from core.errors import Refused
from core.house import House
from core.tags import Tag
from core.unit import unit
from core.words import Words

What = Literal["documents", "events"]

TOO_SHORT = Words(
    ja="「{text}」は短すぎます。2文字以上で検索してください。",
    en="“{text}” is too short: look for two characters at least.",
    zh="“{text}”太短，请输入至少2个字符。",
)
TOO_SLOW = Words(
    ja="この条件では検索に時間がかかりすぎます。期間を狭めるか、取引先・金額・言葉などの条件を加えてください。",
    en="This takes too long to look for. Narrow the dates, or say more: a counterparty, an amount,"
    " a longer word.",
    zh="按此条件检索耗时过长。请缩小日期范围，或增加交易方、金额、关键词等条件。",
)
NO_PAGE = Words(
    ja="このページはありません。最初から検索してください。",
    en="There is no such page. Please search from the beginning.",
    zh="没有此页。请从头搜索。",
)

ERASED = Words(ja="（消去済み）", en="(erased)", zh="(已删除)")
UNREADABLE = Words(ja="（復号できません）", en="(can't be opened)", zh="(无法解密)")


@dataclass(frozen=True, slots=True)
class DocumentFound:
    """A document of the index. `amount` in whole yen with tax; `person` is a handle."""

    id: UUID
    number: str
    kind: str
    dated: date
    amount: int | None
    counterparty: str
    task: str
    person: str | None
    voided: bool
    retain_until: date
    sha256: str | None
    file_name: str | None
    media_type: str | None


@dataclass(frozen=True, slots=True)
class EventFound:
    """An event of the log. `task` is the reference of the task it belongs to, if it does to one."""

    id: UUID
    at: datetime
    tag: str
    stream: UUID
    seq: int
    task: str | None
    person: str | None
    account: str | None
    ip: str | None
    user_agent: str | None
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Found:
    """A page of what was found. `after`: with what to ask for the next one, if there is one."""

    rows: Sequence[DocumentFound | EventFound]
    after: str | None

    def data(self) -> list[dict[str, Any]]:
        """As JSON has it."""
        return [asdict(row) for row in self.rows]


async def look(
    house: House,
    reader: Reader,
    what: What,
    asked: Asked,
    *,
    after: str | None = None,
    limit: int = search.PAGE,
) -> Found:
    """A page of documents or events, newest first. Raises Refused, NotAllowed without a role."""
    reader.need(READERS)
    async with unit(house) as work:
        wanted = await criteria(work.connection, reader, asked)
        found = await page(
            house, work.connection, reader, what, asked, wanted, after=after,
            limit=max(1, min(limit, search.PAGE_AT_MOST)),
        )  # fmt: skip
        data: dict[str, JSON] = {
            "what": what,
            "by": for_the_log(asked, wanted),
            "rows": len(found.rows),
            "first": after is None,
        }
        work.record(event(reader, Tag.LOG_SEARCHED, data))
    return found


def event(reader: Reader, tag: Tag, data: Mapping[str, JSON]) -> Event:
    """What a reader did."""
    return Event(reader.organisation_id, reader.stream, tag, data, reader.actor)


async def page(
    house: House,
    connection: AsyncConnection,
    reader: Reader,
    what: What,
    asked: Asked,
    wanted: Criteria,
    *,
    after: str | None,
    limit: int,
) -> Found:
    """A page, of which nobody is told. Raises Refused for what can't be looked for."""
    await search.prepare(connection)
    of = reader.organisation_id
    try:
        if what == "documents":
            place = DocumentPlace.read(after) if after else None
            got = await search.documents(connection, of, wanted, after=place, limit=limit)
            rows: Sequence[DocumentFound | EventFound] = await _documents(connection, of, got.rows)
            return Found(rows, got.after.written() if got.after else None)
        moment = EventPlace.read(after) if after else None
        sought = event_criteria(wanted, reader, asked)
        seen = await search.events(connection, of, sought, after=moment, limit=limit)
        return Found(
            await _events(house, connection, reader, seen.rows),
            seen.after.written() if seen.after else None,
        )
    except TooShort as error:
        raise Refused(TOO_SHORT.fill(text=str(error)[:40])) from error
    except TooSlow as error:
        raise Refused(TOO_SLOW) from error
    except NoCursor as error:
        raise Refused(NO_PAGE) from error


async def _documents(
    connection: AsyncConnection, organisation_id: UUID, rows: Sequence[Row[Any]]
) -> list[DocumentFound]:
    people = await _handles(connection, organisation_id, {row.person_id for row in rows})
    return [
        DocumentFound(
            id=row.id,
            number=row.number,
            kind=row.kind,
            dated=row.dated,
            amount=row.amount,
            counterparty=row.counterparty,
            task=row.reference,
            person=people.get(row.person_id),
            voided=row.voided_at is not None,
            retain_until=row.retain_until,
            sha256=row.sha256,
            file_name=row.file_name,
            media_type=row.media_type,
        )
        for row in rows
    ]


async def _events(
    house: House, connection: AsyncConnection, reader: Reader, rows: Sequence[Row[Any]]
) -> list[EventFound]:
    organisation_id, language = reader.organisation_id, reader.language
    bodies = await house.personal.opened(
        connection, organisation_id, [from_json(row.body) for row in rows],
        erased=ERASED.to(language), unreadable=UNREADABLE.to(language),
    )  # fmt: skip
    actors = {UUID(body["person"]) for body in bodies if body["person"]}
    people = await _handles(connection, organisation_id, actors)
    tasks = await _references(connection, organisation_id, {row.stream for row in rows})
    return [
        EventFound(
            id=row.id,
            at=row.at,
            tag=row.tag,
            stream=row.stream,
            seq=row.seq,
            task=tasks.get(row.stream),
            person=people.get(UUID(body["person"])) if body["person"] else None,
            account=body["account"],
            ip=body["ip"],
            user_agent=body["user_agent"],
            data=body["data"],
        )
        for row, body in zip(rows, bodies, strict=True)
    ]


async def _handles(
    connection: AsyncConnection, organisation_id: UUID, ids: set[UUID]
) -> dict[UUID, str]:
    rows = await fetch_all(
        connection,
        "select id, handle from people where organisation_id = :organisation_id"
        " and id = any (cast(:ids as uuid[]))",
        {"organisation_id": organisation_id, "ids": [each for each in ids if each]},
    )
    return {row.id: row.handle for row in rows}


async def _references(
    connection: AsyncConnection, organisation_id: UUID, ids: set[UUID]
) -> dict[UUID, str]:
    rows = await fetch_all(
        connection,
        "select id, reference from tasks where organisation_id = :organisation_id"
        " and id = any (cast(:ids as uuid[]))",
        {"organisation_id": organisation_id, "ids": list(ids)},
    )
    return {row.id: f"#{row.reference}" for row in rows}
