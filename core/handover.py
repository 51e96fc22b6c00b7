"""Taking along all that was found: as CSV, as JSON Lines, or with the documents for the tax office.

The event of it is committed before the first line leaves the house, and a second one says how much
has left. Read in pages, each a transaction of its own: whoever takes them may be slow.
"""

import hashlib
import zipfile
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path, PurePosixPath
from typing import Literal
from uuid import UUID

from audit import search, sheets
from audit.criteria import Criteria
from audit.documents import fingerprint
from audit.event import JSON
from audit.keys import every as every_key
from core.asked import FILE_READERS, READERS, Asked, Reader, criteria, for_the_log
from core.db import fetch_all, from_json, to_json
from core.documents import Files
from core.errors import Permanent, Refused
from core.house import House
from core.lookup import DocumentFound, EventFound, What, event, page
from core.proving import proofs
from core.tags import Tag
from core.tax_readme import README
from core.unit import unit
from core.words import Words

Form = Literal["csv", "jsonl"]

NOT_THE_SAME = Words(
    ja="書類 {number} の索引またはファイルが監査ログと一致しません。書き出しを中止しました。",
    en="The index or the file of document {number} does not agree with the audit log. Nothing was"
    " handed over.",
    zh="文件 {number} 的索引或内容与审计日志不一致。已中止导出。",
)
NO_DOCUMENTS = Words(
    ja="条件に合う書類がありません。",
    en="There is no document like that.",
    zh="没有符合条件的文件。",
)

_DOCUMENT_COLUMNS: Mapping[str, Words] = {
    "dated": Words(ja="取引年月日", en="Date", zh="交易日期"),
    "amount": Words(ja="取引金額", en="Amount (JPY)", zh="交易金额"),
    "counterparty": Words(ja="取引先", en="Counterparty", zh="交易对方"),
    "kind": Words(ja="種類", en="Kind", zh="种类"),
    "number": Words(ja="書類番号", en="Number", zh="文件编号"),
    "task": Words(ja="依頼", en="Task", zh="任务"),
    "person": Words(ja="担当者", en="Person", zh="负责人"),
    "voided": Words(ja="無効", en="Void", zh="作废"),
    "retain_until": Words(ja="保存期限", en="Retain until", zh="保存期限"),
    "file_name": Words(ja="ファイル名", en="File name", zh="文件名"),
    "sha256": Words(ja="SHA-256", en="SHA-256", zh="SHA-256"),
}
_EVENT_COLUMNS: Mapping[str, Words] = {
    "at": Words(ja="日時", en="Time", zh="时间"),
    "tag": Words(ja="タグ", en="Tag", zh="标签"),
    "task": Words(ja="依頼", en="Task", zh="任务"),
    "person": Words(ja="担当者", en="Person", zh="负责人"),
    "account": Words(ja="アカウント", en="Account", zh="账号"),
    "ip": Words(ja="IPアドレス", en="IP address", zh="IP地址"),
    "user_agent": Words(ja="ユーザーエージェント", en="User agent", zh="用户代理"),
    "data": Words(ja="内容", en="Data", zh="内容"),
    "id": Words(ja="イベントID", en="Event id", zh="事件ID"),
    "stream": Words(ja="系列", en="Stream", zh="序列"),
    "seq": Words(ja="番号", en="Sequence", zh="序号"),
}
_PLACES = (
    Words(ja="収録先", en="In this archive", zh="存放位置"),
    Words(ja="索引の証明", en="Proof of the index", zh="索引的证明"),
    Words(ja="ファイルの証明", en="Proof of the file", zh="文件的证明"),
    Words(ja="書類ID", en="Document id", zh="文件ID"),
)
_YES = Words(ja="はい", en="yes", zh="是")


async def begin(
    house: House, reader: Reader, what: What, form: str, asked: Asked
) -> tuple[Criteria, dict[str, JSON]]:
    """Write down who takes what along. Raises Refused; NotAllowed without a role."""
    reader.need(FILE_READERS if form == "zip" else READERS)
    async with unit(house) as work:
        wanted = await criteria(work.connection, reader, asked)
        # A page of one: what can't be looked for is told before anything is handed over.
        await page(house, work.connection, reader, what, asked, wanted, after=None, limit=1)
        data: dict[str, JSON] = {"what": what, "form": form, "by": for_the_log(asked, wanted)}
        work.record(event(reader, Tag.EXPORT_BEGUN, data))
    return wanted, data


async def sheet(
    house: House,
    reader: Reader,
    what: What,
    form: Form,
    asked: Asked,
    begun: tuple[Criteria, dict[str, JSON]],
) -> AsyncIterator[str]:
    """All of it, some thousand lines at a time, after `begin`."""
    wanted, data = begun
    whole, count = hashlib.sha256(), 0
    if form == "csv":
        columns = _DOCUMENT_COLUMNS if what == "documents" else _EVENT_COLUMNS
        head = sheets.heading([words.to(reader.language) for words in columns.values()])
        whole.update(head.encode())
        yield head
    async for rows in _pages(house, reader, what, asked, wanted):
        text = "".join(_line(house, reader, form, row) for row in rows)
        whole.update(text.encode())
        count += len(rows)
        yield text
    await _finish(house, reader, {**data, "rows": count, "sha256": whole.hexdigest()})


async def _pages(
    house: House, reader: Reader, what: What, asked: Asked, wanted: Criteria
) -> AsyncIterator[Sequence[DocumentFound | EventFound]]:
    after: str | None = None
    while True:
        async with house.engine.begin() as connection:
            found = await page(
                house,
                connection,
                reader,
                what,
                asked,
                wanted,
                after=after,
                limit=search.PAGE_AT_MOST,
            )
        if found.rows:
            yield found.rows
        after = found.after
        if after is None:
            return


async def _finish(house: House, reader: Reader, data: Mapping[str, JSON]) -> None:
    async with unit(house) as work:
        work.record(event(reader, Tag.EXPORT_FINISHED, data))


def _line(house: House, reader: Reader, form: Form, row: DocumentFound | EventFound) -> str:
    if form == "jsonl":
        return sheets.json_line(asdict(row))
    return sheets.csv_line(_cells(house, reader, row))


def _cells(house: House, reader: Reader, row: DocumentFound | EventFound) -> list[sheets.Cell]:
    if isinstance(row, EventFound):
        known = asdict(row) | {"data": to_json(row.data), "at": row.at.isoformat()}
        return [_cell(known[name]) for name in _EVENT_COLUMNS]
    agent = house.agents.get(row.kind)
    known = asdict(row) | {
        "kind": agent.title.to(reader.language) if agent else row.kind,
        "voided": _YES.to(reader.language) if row.voided else "",
    }
    return [_cell(known[name]) for name in _DOCUMENT_COLUMNS]


def _cell(value: object) -> sheets.Cell:
    return value if isinstance(value, int | None) else str(value)


# For the tax office


@dataclass(frozen=True, slots=True)
class Packed:
    """What an archive holds: how many documents, of these without a file yet, and how many of
    their lines and files are without a proof (yet)."""

    documents: int
    without_file: int
    without_proof: int
    sha256: str


@dataclass(frozen=True, slots=True)
class _Line:
    """A document's line of the index; the events that prove it and its file."""

    cells: Sequence[sheets.Cell]
    place: str
    id: UUID
    index: UUID | None
    file: UUID | None


async def pack(
    house: House, reader: Reader, asked: Asked, path: Path, patience: timedelta | None = None
) -> Packed:
    """Write an archive: the documents, `index.csv` of them, proofs of both, and how to check them.

    Each document and its line of the index are compared with the hashes in the log first. Raises
    Permanent where they differ, and Refused where nothing fits; nothing is left at `path` then.
    For events of just now proofs are waited for (`patience`); what has none is said to have none.
    """
    wanted, data = await begin(house, reader, "documents", "zip", asked)
    part = path.with_name(f".{path.name}.part")
    try:
        packed = await _pack(house, reader, asked, wanted, part, patience)
        counted: dict[str, JSON] = {"rows": packed.documents, "sha256": packed.sha256}
        await _finish(house, reader, {**data, **counted})
        part.rename(path)
    finally:
        part.unlink(missing_ok=True)
    return packed


async def _pack(
    house: House,
    reader: Reader,
    asked: Asked,
    wanted: Criteria,
    part: Path,
    patience: timedelta | None,
) -> Packed:
    lines: list[_Line] = []
    with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
        async for rows in _pages(house, reader, "documents", asked, wanted):
            documents = [row for row in rows if isinstance(row, DocumentFound)]
            said = await _said(house, reader.organisation_id, documents)
            for document in documents:
                known, place = said[document.id], _place(document)
                content = await _content(house, reader.organisation_id, document, known)
                if content is not None:
                    archive.writestr(f"documents/{place}", content)
                cells = _cells(house, reader, document)
                file = known.files[document.sha256] if document.sha256 is not None else None
                index = known.numbered.get(document.number)
                lines.append(_Line(cells, place, document.id, index, file))
        if not lines:
            raise Refused(NO_DOCUMENTS)
        proven = await _prove(house, reader.organisation_id, archive, lines, patience)
        columns = [words.to(reader.language) for words in (*_DOCUMENT_COLUMNS.values(), *_PLACES)]
        archive.writestr("index.csv", sheets.heading(columns) + _index(lines, proven))
        async with house.engine.connect() as connection:
            keys = await every_key(connection)
        archive.writestr("keys.txt", "".join(f"{each.vkey}\n" for each in keys))
        archive.writestr("README.txt", README)
    wanted_proofs = sum((line.index is not None) + (line.file is not None) for line in lines)
    return Packed(
        documents=len(lines),
        without_file=sum(line.file is None for line in lines),
        without_proof=wanted_proofs - len(proven),
        sha256=await _sha256(part),
    )


async def _prove(
    house: House,
    organisation_id: UUID,
    archive: zipfile.ZipFile,
    lines: Sequence[_Line],
    patience: timedelta | None,
) -> Mapping[UUID, str]:
    """Write the proofs that there are; each event's place in the archive."""
    places: dict[UUID, str] = {}
    for line in lines:
        stem = f"proofs/{PurePosixPath(line.place).with_suffix('')}"
        for event_id, suffix in ((line.index, "numbered"), (line.file, "issued")):
            if event_id is not None:
                places[event_id] = f"{stem}.{suffix}.json"
    proven = {}
    async for event_id, proof in proofs(house, organisation_id, places, patience):
        archive.writestr(places[event_id], proof)
        proven[event_id] = places[event_id]
    return proven


def _index(lines: Sequence[_Line], proven: Mapping[UUID, str]) -> str:
    rows = []
    for line in lines:
        place = f"documents/{line.place}" if line.file is not None else ""
        proofs_of = [proven.get(each, "") if each else "" for each in (line.index, line.file)]
        rows.append(sheets.csv_line([*line.cells, place, *proofs_of, str(line.id)]))
    return "".join(rows)


def _place(document: DocumentFound) -> str:
    """Where in the archive. By year and month; the id makes it the only one of its name."""
    suffix = PurePosixPath(document.file_name or "").suffix
    number = "".join(c if c.isalnum() or c in "-_" else "_" for c in document.number)[:80]
    name = f"{number}_{document.id.hex[-8:]}{suffix}"
    return f"{document.dated:%Y-%m}/{name}"


@dataclass(frozen=True, slots=True)
class _Said:
    """What the log says of a stream's documents; nothing of those that are older than the index."""

    entries: Mapping[str, str]
    numbered: Mapping[str, UUID]
    """The event of each number, where it has the hash of the index."""
    files: Mapping[str, UUID]
    """The event of each file, by its hash."""


async def _said(
    house: House, organisation_id: UUID, documents: Sequence[DocumentFound]
) -> Mapping[UUID, _Said]:
    async with house.engine.connect() as connection:
        rows = await fetch_all(
            connection,
            "select d.id, e.id as event, e.tag, e.body -> 'data' as data from audit_documents d"
            " join audit_events e on e.organisation_id = d.organisation_id"
            " and e.stream = d.stream and e.tag = any (cast(:tags as text[]))"
            " where d.organisation_id = :organisation_id and d.id = any (cast(:ids as uuid[]))",
            {
                "organisation_id": organisation_id,
                "ids": [each.id for each in documents],
                "tags": [Tag.DOCUMENT_NUMBERED, Tag.DOCUMENT_ISSUED],
            },
        )
    found: dict[UUID, _Said] = {}
    for each in documents:
        mine = [(row.tag, row.event, from_json(row.data)) for row in rows if row.id == each.id]
        numbered = [(event, data) for tag, event, data in mine if tag == Tag.DOCUMENT_NUMBERED]
        found[each.id] = _Said(
            {data["number"]: data.get("index_sha256", "") for _, data in numbered},
            {data["number"]: event for event, data in numbered if "index_sha256" in data},
            {data["sha256"]: event for tag, event, data in mine if tag == Tag.DOCUMENT_ISSUED},
        )
    return found


async def _content(
    house: House, organisation_id: UUID, document: DocumentFound, known: _Said
) -> bytes | None:
    """The document's file, None where there is none yet. Raises Permanent where it, or its line of
    the index, is not what the log says."""
    wrong = Permanent(NOT_THE_SAME.fill(number=document.number))
    entry = fingerprint(
        document.id, document.number, document.dated, document.amount, document.counterparty
    )
    if known.entries.get(document.number) not in {entry, ""}:
        raise wrong
    if document.sha256 is None:
        return None
    if document.sha256 not in known.files:
        raise wrong
    try:
        return await Files(house, organisation_id).get(document.sha256)
    except (ValueError, LookupError) as error:
        raise wrong from error


async def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
