"""Asking for work: `ask` sends one request and follows it, `chat` talks, `parse` only reads."""

import sys
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from core.errors import Refused
from core.words import Words
from miyabi.commands.frame import (
    AsJson,
    AsPerson,
    Exit,
    OfOrganisation,
    complain,
    print_json,
    print_json_line,
    read_text,
    run,
    say,
    terminal,
)

if TYPE_CHECKING:
    from core.catalogue import Catalogue
    from core.settings import Settings
    from miyabi.batch import Handed

Text = Annotated[
    list[str], typer.Argument(metavar="TEXT", help="What to say; - reads it from stdin.")
]
Today = Annotated[
    str | None, typer.Option("--today", metavar="DATE", help="Read dates as on this day (ISO).")
]

_BAD_DATE = Words(
    ja="日付「{text}」を読めません。2026-11-25 の形で書いてください。",
    en="“{text}” is not a date. Write it as 2026-11-25.",
    zh="无法读取日期“{text}”。请写成2026-11-25的形式。",
)
_NO_FILE = Words(
    ja="ファイル「{file}」を読めません: {why}",
    en="The file “{file}” can't be read: {why}",
    zh="无法读取文件“{file}”: {why}",
)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("ask")(ask)
    app.command("chat")(chat)
    app.command("parse")(parse)


def ask(
    text: Annotated[
        list[str] | None,
        typer.Argument(metavar="TEXT", help="What to say; - reads it from stdin."),
    ] = None,
    as_person: AsPerson = None,
    approve: Annotated[
        bool, typer.Option("--approve", help="Have another person approve it.")
    ] = False,
    today: Today = None,
    file: Annotated[
        list[Path] | None,
        typer.Option("--file", metavar="PATH", help="A file to send along; may be given again."),
    ] = None,
    batch: Annotated[
        str | None,
        typer.Option("--batch", metavar="FILE", help="Many requests, one a line; - for stdin."),
    ] = None,
    wait: Annotated[
        bool, typer.Option("--wait", help="With --batch: until all are at rest.")
    ] = False,
    organisation: OfOrganisation = None,
    as_json: AsJson = False,
) -> None:
    """Send one chat request and follow it to its end, or until it waits for a person.

    With --batch, hand in many and follow none: one line (with --json one object) for each.
    """
    if batch is not None:
        _ask_many(batch, as_person, organisation, wait=wait, as_json=as_json)
    if not text:
        raise typer.BadParameter("TEXT or --batch FILE")

    async def command(settings: "Settings") -> int:
        from core.commands import read_command
        from miyabi.commands.following import to_its_end
        from miyabi.session import session
        from miyabi.talk import Talk

        on, said = _date(today), read_text(text)
        async with session(settings, working=True) as opened:
            company = await opened.organisation(organisation)
            talk = Talk(opened, company, await opened.handle_of(company, as_person))
            answer = await talk.say(said, today=on, files=file or ())
            understood = read_command(said, opened.house.agents.values()).name is not None
            if answer.outcome == "told" and not understood:
                answer = replace(answer, outcome="refused")
            return await to_its_end(talk, answer, approves=approve, as_json=as_json)

    run(command, as_json=as_json)


def _ask_many(
    batch: str, as_person: str | None, organisation: str | None, *, wait: bool, as_json: bool
) -> None:
    """Hand in a file's lines. Refused if one was, failed if the database was away for one."""

    async def command(settings: "Settings") -> int:
        from miyabi.batch import hand_in, state_at_rest
        from miyabi.session import session
        from miyabi.talk import Talk

        lines = _lines(batch)
        async with session(settings, working=wait) as opened:
            company = await opened.organisation(organisation)
            talk = Talk(opened, company, await opened.handle_of(company, as_person))
            handed = []
            async for each in hand_in(talk, lines, _complain_of):
                handed.append(each)
                if not wait:
                    _show_handed(each, as_json=as_json)
            for each in handed if wait else ():
                state = await state_at_rest(talk, each.answer)
                _show_handed(replace(each, state=state), as_json=as_json)
        if any(each.answer.outcome == "unavailable" for each in handed):
            return Exit.FAILED
        return Exit.DONE if all(each.taken for each in handed) else Exit.REFUSED

    run(command, as_json=as_json)


def _lines(batch: str) -> list[str]:
    try:
        return (sys.stdin.read() if batch == "-" else Path(batch).read_text("utf-8")).splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(_NO_FILE.fill(file=batch, why=error)) from error


def _show_handed(handed: "Handed", *, as_json: bool) -> None:
    data = handed.as_data()
    if as_json:
        print_json_line(data)
    elif handed.taken:
        say(f"{data['task']}  {data['state'] or ''}  {handed.text}".replace("    ", "  "))
    else:
        _complain_of(handed)


def _complain_of(handed: "Handed") -> None:
    complain(f"{handed.line}: {handed.as_data()['message']}")


def chat(
    as_person: AsPerson = None,
    organisation: OfOrganisation = None,
    as_line: Annotated[
        bool,
        typer.Option("--as-line", help="As LINE shows it, on sample data; needs no account there."),
    ] = False,
) -> None:
    """Talk in the terminal; Ctrl-D leaves, /help tells what can be said."""

    async def command(settings: "Settings") -> int:
        if as_line:
            from miyabi.as_line import trial
            from miyabi.line_chat import converse_as_line

            async with trial(settings) as opened:
                await converse_as_line(opened, as_person)
            return Exit.DONE
        from miyabi.chat import converse
        from miyabi.session import session

        async with session(settings, working=True) as opened:
            company = await opened.organisation(organisation)
            await converse(opened, company, await opened.handle_of(company, as_person))
        return Exit.DONE

    run(command)


def parse(
    text: Text,
    today: Today = None,
    organisation: OfOrganisation = None,
    as_json: AsJson = False,
) -> None:
    """Show how a request for a quote is read, creating nothing.

    Reads by the price list of the settings, or with --org by that company's own.
    """

    async def command(settings: "Settings") -> int:
        from core.reading.order import read_order, reading_json

        on = _date(today) or datetime.now(ZoneInfo("Asia/Tokyo")).date()
        catalogue = await _catalogue(settings, organisation)
        reading = reading_json(read_order(read_text(text), catalogue, on))
        if as_json:
            print_json(reading)
        else:
            _show_reading(reading, catalogue)
        return Exit.DONE

    run(command, as_json=as_json, logs=organisation is not None)


async def _catalogue(settings: "Settings", slug: str | None) -> "Catalogue":
    """The price list; the settings' needs no database, so reading a text starts none."""
    if slug is None:
        from miyabi.plugins import find_connector
        from miyabi.price_lists import open_source, settings_options

        options = settings_options(settings)
        return await open_source(options, find_connector).read()
    from miyabi.session import session

    async with session(settings) as opened:
        company = await opened.organisation(slug)
        return await opened.house.catalogue(company.id)


def _show_reading(reading: dict[str, object], catalogue: "Catalogue") -> None:
    """The reading as a table, codes with their names."""
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 2))
    for key, value in reading.items():
        if value in (None, [], {}):
            continue
        grid.add_row(Text(key, style="dim"), Text(_spoken(value, catalogue)))
    terminal().print(grid)


def _spoken(value: object, catalogue: "Catalogue") -> str:
    if isinstance(value, list):
        return "\n".join(_spoken(one, catalogue) for one in value)
    if isinstance(value, dict):
        return "  ".join(_spoken(one, catalogue) for one in value.values())
    named = catalogue.item(str(value)) or catalogue.customer(str(value))
    return f"{value} {named.name}" if named else str(value)


def _date(value: str | None) -> date | None:
    if value is None:
        return None
    try:
        return date.fromisoformat(value)
    except ValueError as error:
        raise Refused(_BAD_DATE.fill(text=value)) from error
