"""`miyabi ingest`: mails out of files, as if they had come to a mailbox."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.words import Words, same
from miyabi.commands.frame import (
    AsJson,
    Exit,
    OfOrganisation,
    complain,
    print_json,
    print_json_line,
    run,
    say,
)

if TYPE_CHECKING:
    from core.settings import Settings
    from miyabi.ingesting import Given

_NO_FILE = Words(
    ja="ファイル「{file}」を読めません: {why}",
    en="The file “{file}” can't be read: {why}",
    zh="无法读取文件“{file}”: {why}",
)
_NOTHING = Words(
    ja="フォルダー「{folder}」に .eml ファイルはありません。",
    en="There is no .eml file in the folder “{folder}”.",
    zh="文件夹“{folder}”中没有 .eml 文件。",
)
_LINE = same("{file}: {verdict} ({reason}){task}")
_TASK = same(" #{reference}")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("ingest")(ingest)


def ingest(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="A mail, a folder of .eml files, or - for stdin.")
    ],
    mailbox: Annotated[
        str | None,
        typer.Option("--mailbox", metavar="ADDRESS", help="To which it came (default: the only)."),
    ] = None,
    organisation: OfOrganisation = None,
    as_json: AsJson = False,
) -> None:
    """Take a mail in, and say what it says and what became of it.

    Of a folder, one line (with --json one object) for each mail. It is dealt with as a mail that
    came: what has been taken in before is a duplicate, and whoever wrote is believed only if the
    mailbox's trust says so. That a mail is refused is no failure of the command.
    """
    many = Path(file).is_dir()

    async def command(settings: "Settings") -> int:
        from bot.email.door import open_door
        from miyabi import ingesting
        from miyabi.session import session

        failed = False
        async with session(settings) as opened, open_door(opened.built.opening) as door:
            company = await opened.organisation(organisation)
            box = await ingesting.mailbox(opened.house, company, mailbox)
            for given in _mails(file, settings.email.most_bytes):
                if given is None:
                    failed = True
                    continue
                told = await ingesting.ingest(door, box, given)
                _tell(told, as_json=as_json, one=not many)
        return Exit.FAILED if failed else Exit.DONE

    run(command, as_json=as_json)


def _mails(file: str, most: int) -> "Iterator[Given | None]":
    """Each of them; None in place of one that can't be read, which was complained of."""
    from miyabi import ingesting

    if file == "-":
        raw = sys.stdin.buffer.read()
        yield ingesting.given("-", raw, most, len(raw))
        return
    paths = ingesting.in_folder(Path(file))
    if not paths:
        complain(_NOTHING.fill(folder=file))
        yield None
    for path in paths:
        try:
            yield ingesting.read_file(path, most)
        except OSError as error:
            complain(_NO_FILE.fill(file=str(path), why=error.strerror or repr(error)))
            yield None


def _tell(told: dict[str, Any], *, as_json: bool, one: bool) -> None:
    if as_json:
        (print_json if one else print_json_line)(told)
        return
    task = _TASK.fill(reference=told["task"]) if told["task"] is not None else same("")
    verdict, reason = told["verdict"] or "-", told["reason"] or "-"
    say(_LINE.fill(file=told["file"], verdict=verdict, reason=reason, task=task))
