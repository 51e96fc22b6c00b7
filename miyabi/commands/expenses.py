"""Expenses for accounting: the month's journal."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.errors import Refused
from core.words import Words
from miyabi.commands.frame import Exit, OfOrganisation, run, say

if TYPE_CHECKING:
    from core.settings import Settings

app = typer.Typer(help="Expenses for accounting.", no_args_is_help=True)

_WRITTEN = Words(
    ja="{path} に仕訳 {n}件を書き出しました（弥生インポート形式、Shift_JIS）。",
    en="{path} has {n} entries (the form 弥生 imports, Shift_JIS).",
    zh="已将 {n} 条分录写入 {path}（弥生导入格式，Shift_JIS）。",
)
_NO_MONTH = Words(
    ja="「{text}」は月ではありません。2026-11 の形で書いてください。",
    en="“{text}” is no month. Write it as 2026-11.",
    zh="“{text}”不是月份。请写成 2026-11 的形式。",
)


def read_month(text: str) -> tuple[int, int]:
    """Year and month of `2026-11`. Raises Refused for what is no month."""
    from datetime import date

    try:
        first = date.fromisoformat(f"{text}-01")
    except ValueError as error:
        raise Refused(_NO_MONTH.fill(text=text[:20])) from error
    return first.year, first.month


@app.command("journal")
def write_journal(
    month: Annotated[str, typer.Argument(metavar="YYYY-MM", help="E.g. 2026-11.")],
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Default: journal-YYYY-MM.csv; -")
    ] = None,
    organisation: OfOrganisation = None,
) -> None:
    """Write a month's journal for an accounting program, in the form that 弥生 imports."""

    async def command(settings: "Settings") -> int:
        from core import journal
        from miyabi.session import session

        year, number = read_month(month)
        async with session(settings) as opened:
            company = await opened.organisation(organisation)
            async with opened.house.engine.connect() as connection:
                lines = await journal.month_of(
                    connection, company.id, year, number, company.company.time_zone
                )
        content = journal.render(lines)
        path = out or Path(f"journal-{month}.csv")
        if str(path) == "-":
            sys.stdout.buffer.write(content)
            return Exit.DONE
        path.write_bytes(content)
        say(_WRITTEN.fill(path=path, n=len(lines)))
        return Exit.DONE

    run(command)
