"""`miyabi expenses`: the month's report of approved claims, and the policy that holds."""

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.errors import Refused
from core.words import Words
from miyabi.commands.expenses import read_month
from miyabi.commands.frame import AsJson, Exit, OfOrganisation, language, print_json, run, say

if TYPE_CHECKING:
    from core.settings import Settings

_NOT_WRITTEN = Words(
    ja="{path} に書けません: {why}",
    en="{path} can't be written: {why}",
    zh="无法写入 {path}: {why}",
)
_WRITTEN = Words(
    ja="{month}: 精算{claims}件、承認額{approved}円。{xlsx} と {pdf} に書き出しました。",
    en="{month}: {claims} claims, {approved} yen approved. Written to {xlsx} and {pdf}.",
    zh="{month}: 报销{claims}单，批准金额{approved}日元。已写入 {xlsx} 和 {pdf}。",
)


def register(expenses: typer.Typer) -> None:
    """Add the commands below `miyabi expenses`."""
    expenses.command("report")(report)
    expenses.command("policy")(policy)


def report(
    month: Annotated[str, typer.Argument(metavar="YYYY-MM", help="The month of approval.")],
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Where to write the files.")
    ] = Path(),
    organisation: OfOrganisation = None,
    as_json: AsJson = False,
) -> None:
    """Write the month's approved claims by department and person, as XLSX and PDF."""

    async def command(settings: "Settings") -> int:
        from core.expenses.report import document, report_of, workbook
        from miyabi.session import session

        first = date(*read_month(month), 1)
        async with session(settings) as opened:
            found = await opened.organisation(organisation)
            async with opened.house.engine.connect() as connection:
                made = await report_of(connection, found.id, found.company, first)
        xlsx, pdf = out / f"expenses-{month}.xlsx", out / f"expenses-{month}.pdf"
        _write(xlsx, workbook(made, language()))
        _write(pdf, await document(made, language()))
        total = made.total
        if as_json:
            print_json(
                {
                    "month": month,
                    "claims": total.claims,
                    "claimed": total.claimed,
                    "approved": total.approved,
                    "withheld": total.withheld,
                    "paid": total.paid,
                    "files": [str(xlsx), str(pdf)],
                }
            )
        else:
            approved = f"{total.approved:,}"
            told = _WRITTEN.fill(
                month=month, claims=total.claims, approved=approved, xlsx=xlsx, pdf=pdf
            )
            say(told)
        return Exit.DONE

    run(command, as_json=as_json)


def policy(organisation: OfOrganisation = None) -> None:
    """Print the policy file in force, to change it and `company set expense_policy=FILE`."""

    async def command(settings: "Settings") -> int:
        from core.documents import Files
        from core.expenses.policy import policy_text
        from miyabi.session import session

        async with session(settings) as opened:
            found = await opened.organisation(organisation)
            text = await policy_text(found.company, Files(opened.house, found.id))
        typer.echo(text, nl=False)
        return Exit.DONE

    run(command)


def _write(path: Path, content: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError as error:
        raise Refused(_NOT_WRITTEN.fill(path=path, why=error.strerror or str(error))) from error
