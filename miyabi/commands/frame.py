"""What all commands share: exit codes, the reader's language, what goes to which stream."""

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from enum import IntEnum
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.errors import MiyabiError, Permanent, Refused
from core.words import Language, Words, as_language

if TYPE_CHECKING:
    from datetime import datetime

    from rich.console import Console

    from core.settings import Settings

AsPerson = Annotated[
    str | None, typer.Option("--as", metavar="PERSON", help="Who speaks: a handle or a name.")
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on stdout, nothing else.")]
OfOrganisation = Annotated[
    str | None, typer.Option("--org", metavar="SLUG", help="Which company (default: settings).")
]

_AWAY = Words(
    ja="データベースまたはRedisに接続できません: {why}\n「miyabi doctor」で確認してください。",
    en="The database or Redis can't be reached: {why}\n“miyabi doctor” tells what to mend.",
    zh="无法连接数据库或Redis: {why}\n请用“miyabi doctor”检查。",
)
_NO_PAIR = Words(
    ja="「{given}」は「名前=値」の形で書いてください。",
    en="Write “{given}” as NAME=VALUE.",
    zh="请将“{given}”写成“名称=值”。",
)
_STOPPED = 130  # what shells expect after Ctrl-C


class Exit(IntEnum):
    """How a command ended, for scripts."""

    DONE = 0
    FAILED = 1
    NEEDS_INPUT = 2
    REFUSED = 3


def exit_of(state: str) -> Exit:
    """The exit code for the state a task came to rest in."""
    if state == "waiting":
        return Exit.NEEDS_INPUT
    if state in {"rejected", "cancelled"}:
        return Exit.REFUSED
    return Exit.DONE if state == "done" else Exit.FAILED


def language() -> Language:
    """The language of whoever sits at the terminal, from the locale; Japanese where it is none."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if value := os.environ.get(name):
            return as_language(value)
    return "ja"


@cache
def terminal() -> "Console":
    """Where people read. Wide enough where it is a pipe that tables are not squeezed."""
    from rich.console import Console

    piped = not sys.stdout.isatty()
    return Console(highlight=False, markup=False, emoji=False, width=120 if piped else None)


def say(words: Words | str) -> None:
    """A line for the person, on stdout."""
    typer.echo(words if isinstance(words, str) else words.to(language()))


def complain(words: Words | str) -> None:
    """A line for the person, on stderr."""
    typer.echo(words if isinstance(words, str) else words.to(language()), err=True)


def print_json(data: Mapping[str, object]) -> None:
    """The one object of `--json`."""
    typer.echo(json.dumps(data, ensure_ascii=False, indent=2, default=str))


def print_json_line(data: Mapping[str, object]) -> None:
    """One object of many, each on a line of its own."""
    typer.echo(json.dumps(data, ensure_ascii=False, default=str))


def read_text(words: list[str]) -> str:
    """A request as it was typed; a single `-` stands for what comes in on stdin."""
    return sys.stdin.read() if words == ["-"] else " ".join(words)


def print_rows(rows: Sequence[Mapping[str, object]]) -> None:
    """A table of what is alike; the first row names the columns."""
    from rich.table import Table
    from rich.text import Text

    grid = Table(*rows[0], box=None, pad_edge=False)
    for row in rows:
        grid.add_row(*(Text(_cell(value)) for value in row.values()))
    terminal().print(grid)


def print_list(
    what: str,
    rows: Sequence[Mapping[str, object]],
    organisation: str,
    none: Words,
    *,
    as_json: bool,
) -> None:
    """An organisation's list: one object, a table, or a line that says that there is nothing."""
    if as_json:
        print_json({"organisation": organisation, what: rows})
    elif rows:
        print_rows(rows)
    else:
        say(none)


def moment(at: "datetime | None") -> str | None:
    """A moment as lists have it."""
    return at.isoformat(timespec="seconds") if at else None


def _cell(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(str(each) for each in value)
    return "" if value is None else str(value)


def ask_secret(what: Words | str) -> str:
    """A secret: typed without being shown, or a line of stdin; never an argument, which others on
    the machine could read."""
    if sys.stdin.isatty():
        words = what if isinstance(what, str) else what.to(language())
        typed: str = typer.prompt(words, hide_input=True, default="", err=True)
        return typed.strip()
    return sys.stdin.readline().strip()


def pairs(given: Sequence[str] | None) -> dict[str, str]:
    """What was given as NAME=VALUE. Raises Refused for what is not."""
    found = {}
    for each in given or ():
        name, equals, value = each.partition("=")
        if not equals or not name:
            raise Refused(_NO_PAIR.fill(given=each[:60]))
        found[name] = value
    return found


def json_pairs(given: Sequence[str] | None) -> dict[str, Any]:
    """The same, where values are JSON, or else the text as it is."""
    found: dict[str, Any] = {}
    for name, value in pairs(given).items():
        try:
            found[name] = json.loads(value, parse_constant=str)
        except ValueError:
            found[name] = value
    return found


def run(
    command: Callable[["Settings"], Awaitable[int]], *, as_json: bool = False, logs: bool = True
) -> None:
    """Run a command to its exit code; what a person has to be told is told here, once.

    `logs` is False for what logs nothing and has to be quick: structlog loads all of rich.
    """
    from core.settings import read_settings

    try:
        settings = read_settings()
        if logs:
            from miyabi.logs import configure

            # Whatever is no crash is told to the person anyway.
            configure(as_json=settings.log_json, level="ERROR")
        code = asyncio.run(_translated(command, settings))
    except MiyabiError as error:
        code = _told(error, as_json=as_json)
    except KeyboardInterrupt:
        code = _STOPPED
    raise typer.Exit(int(code))


async def _translated(command: Callable[["Settings"], Awaitable[int]], settings: "Settings") -> int:
    try:
        return await command(settings)
    except Exception as error:
        if not _is_outage(error):
            raise
        raise Permanent(_AWAY.fill(why=_short(error))) from error


def _is_outage(error: Exception) -> bool:
    """An error of the database's or of Redis' library, or of the system.

    Told by where its class comes from: commands that need neither do not load them.
    """
    roots = {kind.__module__.partition(".")[0] for kind in type(error).__mro__}
    return isinstance(error, OSError) or not roots.isdisjoint({"sqlalchemy", "redis"})


def _short(error: Exception) -> str:
    """The first line: SQLAlchemy adds the statement and its values below it."""
    return (str(error).splitlines() or [type(error).__name__])[0]


def _told(error: MiyabiError, *, as_json: bool) -> Exit:
    code = Exit.REFUSED if isinstance(error, Refused) else Exit.FAILED
    if as_json:
        state = "refused" if code == Exit.REFUSED else "failed"
        print_json({"state": state, "message": error.words.to(language())})
    complain(error.words)
    return code
