"""`miyabi audit search`: documents by date, amount and counterparty, and the events of the log."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.errors import Refused
from core.words import Words
from miyabi.commands.frame import (
    AsJson,
    AsPerson,
    Exit,
    OfOrganisation,
    complain,
    language,
    print_json,
    run,
    say,
    terminal,
)

if TYPE_CHECKING:
    from datetime import date

    from core.asked import Asked, Reader
    from core.lookup import DocumentFound, EventFound, Found
    from core.settings import Settings
    from miyabi.session import Session

ANSWER_AT_MOST = 60.0
"""Seconds for one question to the database: an operator may ask for what no index helps with."""

_NO_DAY = Words(
    ja="「{text}」は日付ではありません。2026-11-25 の形で書いてください。",
    en="“{text}” is no date. Write it as 2026-11-25.",
    zh="“{text}”不是日期。请写成 2026-11-25。",
)
_NO_AMOUNT = Words(
    ja="「{text}」は金額ではありません。1000000 の形で書いてください。",
    en="“{text}” is no amount. Write it as 1000000.",
    zh="“{text}”不是金额。请写成 1000000。",
)
_NO_FORM = Words(
    ja="{path} に書き出せません。.csv、.jsonl、.zip のいずれかにしてください。",
    en="{path} can't be written: let it end in .csv, .jsonl or .zip.",
    zh="无法写入 {path}。请使用 .csv、.jsonl 或 .zip。",
)
_ONLY_DOCUMENTS = Words(
    ja=".zip には書類だけを書き出せます。--events と --tag は使えません。",
    en="A .zip holds documents: --events and --tag don't go with it.",
    zh=".zip 只能导出文件，不能与 --events 或 --tag 一起使用。",
)
_NOT_WRITTEN = Words(
    ja="{path} に書けません: {why}",
    en="{path} can't be written: {why}",
    zh="无法写入 {path}: {why}",
)
_WRITTEN = Words(ja="{path} に書き出しました。", en="Written to {path}.", zh="已写入 {path}。")
_PACKED = Words(
    ja="{path} に書類{n}件を書き出しました（ファイル未作成 {without}件、証明なし {unproven}件）。"
    "SHA-256: {sha256}",
    en="{n} documents are in {path} ({without} without a file yet, {unproven} proofs not to be had"
    " yet). SHA-256: {sha256}",
    zh="已将{n}份文件写入 {path}（{without}份尚无文件，{unproven}项尚无证明）。SHA-256: {sha256}",
)
_NOTHING = Words(ja="見つかりませんでした。", en="Nothing was found.", zh="未找到。")
_MORE = Words(
    ja="続きがあります: --after {after}",
    en="There is more: --after {after}",
    zh="还有更多: --after {after}",
)
_VOID = Words(ja="無効", en="void", zh="作废")


def register(audit: typer.Typer) -> None:
    """Add the command below `miyabi audit`."""
    audit.command("search")(search)


def search(
    text: Annotated[
        list[str] | None, typer.Argument(metavar="TEXT", help="Words the document holds.")
    ] = None,
    since: Annotated[str, typer.Option("--from", metavar="DATE", help="The first day.")] = "",
    until: Annotated[str, typer.Option("--to", metavar="DATE", help="The last day.")] = "",
    least: Annotated[str, typer.Option("--min", metavar="YEN", help="Tax included.")] = "",
    most: Annotated[str, typer.Option("--max", metavar="YEN", help="Tax included.")] = "",
    counterparty: Annotated[
        str, typer.Option("--counterparty", metavar="NAME", help="Any part of the name.")
    ] = "",
    person: Annotated[
        str, typer.Option("--person", metavar="HANDLE", help="Who asked; of events: who did it.")
    ] = "",
    task: Annotated[str, typer.Option("--task", metavar="TASK", help="#1042 or Q-2026-0001.")] = "",
    number: Annotated[str, typer.Option("--number", help="A document's number.")] = "",
    kind: Annotated[str, typer.Option("--kind", metavar="AGENT", help="For example quote.")] = "",
    tag: Annotated[
        list[str] | None, typer.Option("--tag", help="Events of this tag; may repeat.")
    ] = None,
    events: Annotated[bool, typer.Option("--events", help="Search events, not documents.")] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="FILE", help="Write all of it: .csv, .jsonl, or .zip with the files."
        ),
    ] = None,
    after: Annotated[
        str | None, typer.Option("--after", help="Go on where a page before ended.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="Lines of a page.")] = 50,
    as_person: AsPerson = None,
    organisation: OfOrganisation = None,
    as_json: AsJson = False,
) -> None:
    """Search documents by date, amount and counterparty in any combination, and events of the log.

    Width and case make no difference. That it was searched is itself in the log.
    """

    async def command(settings: "Settings") -> int:
        from core.asked import Asked
        from core.lookup import look
        from miyabi.session import session

        asked = Asked(
            since=_day(since),
            until=_day(until),
            least=_amount(least),
            most=_amount(most),
            counterparty=counterparty,
            person=person,
            task=task,
            number=number,
            kind=kind,
            text=" ".join(text or ()),
            tags=tuple(tag or ()),
        )
        of_events = events or bool(tag)
        if out is not None:
            _check_form(out, of_events=of_events)
        async with session(settings, sample=False, answer_at_most=ANSWER_AT_MOST) as opened:
            reader = await _reader(opened, organisation, as_person)
            if out is not None:
                await _write(opened, reader, asked, out, of_events=of_events, as_json=as_json)
                return Exit.DONE
            found = await look(
                opened.house, reader, "events" if of_events else "documents", asked,
                after=after, limit=limit,
            )  # fmt: skip
        if as_json:
            print_json({"events" if of_events else "documents": found.data(), "after": found.after})
        else:
            _show(found)
        return Exit.DONE

    run(command, as_json=as_json)


def _day(text: str) -> "date | None":
    from core.asked import read_day

    found = read_day(text) if text else None
    if text and found is None:
        raise Refused(_NO_DAY.fill(text=text[:40]))
    return found


def _amount(text: str) -> int | None:
    from core.asked import read_amount

    found = read_amount(text) if text else None
    if text and found is None:
        raise Refused(_NO_AMOUNT.fill(text=text[:40]))
    return found


async def _reader(opened: "Session", organisation: str | None, name: str | None) -> "Reader":
    """Who looks: by `--as` a person with their roles, else whoever runs this installation."""
    import getpass

    from core.asked import Reader
    from core.company import Company
    from miyabi.commands.people import find_person

    company = await opened.organisation(organisation)
    account = f"terminal:{getpass.getuser()}"
    if name is None:
        particulars: Company = await opened.house.company(company.id)
        return Reader(company.id, account, None, language(), particulars.time_zone)
    handle = await opened.handle_of(company, name)
    person = await find_person(opened, organisation, handle)
    return Reader(company.id, account, person, language(), person.time_zone)


def _check_form(out: Path, *, of_events: bool) -> None:
    if out.suffix not in {".csv", ".jsonl", ".zip"}:
        raise Refused(_NO_FORM.fill(path=out))
    if out.suffix == ".zip" and of_events:
        raise Refused(_ONLY_DOCUMENTS)


async def _write(
    opened: "Session",
    reader: "Reader",
    asked: "Asked",
    out: Path,
    *,
    of_events: bool,
    as_json: bool,
) -> None:
    from core import handover
    from core.lookup import What
    from miyabi.signing import signers
    from miyabi.tree import seal_now

    house = opened.house
    try:
        if out.suffix == ".zip":
            await seal_now(house.engine, signers(opened.settings))
            packed = await handover.pack(house, reader, asked, out)
            data: Mapping[str, Any] = {
                "path": str(out),
                "documents": packed.documents,
                "without_file": packed.without_file,
                "without_proof": packed.without_proof,
                "sha256": packed.sha256,
            }
            told = _PACKED.fill(
                path=out, n=packed.documents, without=packed.without_file,
                unproven=packed.without_proof, sha256=packed.sha256,
            )  # fmt: skip
        else:
            what: What = "events" if of_events else "documents"
            form: handover.Form = "csv" if out.suffix == ".csv" else "jsonl"
            begun = await handover.begin(house, reader, what, form, asked)
            with out.open("w", encoding="utf-8", newline="") as file:
                async for text in handover.sheet(house, reader, what, form, asked, begun):
                    file.write(text)
            data, told = {"path": str(out)}, _WRITTEN.fill(path=out)
    except OSError as error:
        if isinstance(error, ConnectionError):
            raise
        raise Refused(_NOT_WRITTEN.fill(path=out, why=error.strerror or str(error))) from error
    if as_json:
        print_json(data)
    else:
        say(told)


def _show(found: "Found") -> None:
    from rich.table import Table
    from rich.text import Text

    from core.lookup import DocumentFound

    if not found.rows:
        say(_NOTHING)
        return
    grid = Table.grid(padding=(0, 2))
    for row in found.rows:
        cells = _document(row) if isinstance(row, DocumentFound) else _event(row)
        grid.add_row(*(Text(cell) for cell in cells))
    terminal().print(grid)
    if found.after is not None:
        complain(_MORE.fill(after=found.after))


def _document(row: "DocumentFound") -> Sequence[str]:
    amount = f"{row.amount:,}円" if row.amount is not None else ""
    void = _VOID.to(language()) if row.voided else ""
    day, who = row.dated.isoformat(), row.person or ""
    return day, row.number, amount, row.counterparty, row.task, who, void


def _event(row: "EventFound") -> Sequence[str]:
    at = row.at.astimezone().isoformat(sep=" ", timespec="seconds")
    return (at, row.tag, row.task or "", row.person or "", str(row.id))
