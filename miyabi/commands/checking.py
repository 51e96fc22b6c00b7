"""Looking whether all is well: `doctor` for the installation, `audit verify` for the log."""

from typing import TYPE_CHECKING

import typer

from core.words import Words
from miyabi.commands import audit_keys
from miyabi.commands.frame import (
    AsJson,
    Exit,
    OfOrganisation,
    language,
    print_json,
    run,
    terminal,
)

if TYPE_CHECKING:
    from uuid import UUID

    from audit.log import Verdict
    from core.platform import Finding
    from core.settings import Settings
    from miyabi.session import Session

audit = typer.Typer(help="The audit log.", no_args_is_help=True)

_VERIFIED = Words(
    ja="監査ログを検証しました: {events}件、{streams}系列、異常なし。",
    en="The audit log is whole: {events} events in {streams} streams, nothing wrong.",
    zh="审计日志验证完毕: {events}条，{streams}个序列，无异常。",
)
_FAULTY = Words(
    ja="監査ログに異常があります（{n}件）:",
    en="The audit log is NOT whole ({n} faults):",
    zh="审计日志存在异常（{n}处）:",
)

# across organisations where none is named: the operator verifies all
_EXPECTED = """
    select id from tasks where :organisation_id is null or organisation_id = :organisation_id
    union all
    select id from people where :organisation_id is null or organisation_id = :organisation_id
    union all
    select id from organisations where :organisation_id is null or id = :organisation_id
""".replace(":organisation_id", "cast(:organisation_id as uuid)")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("doctor")(doctor)
    audit.add_typer(audit_keys.app, name="key")
    app.add_typer(audit, name="audit")


def doctor(as_json: AsJson = False) -> None:
    """Check keys, database, Redis, fonts, price lists and platforms; say what to mend."""

    async def command(settings: "Settings") -> int:
        from miyabi.doctor import examine

        findings: list[Finding] = []
        async for finding in examine(settings):
            findings.append(finding)
            if not as_json:
                _show(finding)
        well = all(finding.well for finding in findings)
        if as_json:
            print_json({"well": well, "findings": [_data(finding) for finding in findings]})
        return Exit.DONE if well else Exit.FAILED

    run(command, as_json=as_json)


def _data(finding: "Finding") -> dict[str, object]:
    fix = finding.fix.to(language()) if finding.fix else None
    return {"well": finding.well, "what": finding.what.to(language()), "fix": fix}


def _show(finding: "Finding") -> None:
    from rich.text import Text

    mark = Text("● ", style="green") if finding.well else Text("✕ ", style="bold red")
    terminal().print(mark + Text(finding.what.to(language())), soft_wrap=True)
    if finding.fix is not None:
        lines = finding.fix.to(language()).splitlines()
        terminal().print(Text("\n".join(f"    → {line}" for line in lines)), soft_wrap=True)


@audit.command("verify")
def verify(organisation: OfOrganisation = None, as_json: AsJson = False) -> None:
    """Recompute every hash and chain of the audit log; finds changed, deleted, inserted rows."""

    async def command(settings: "Settings") -> int:
        from miyabi.session import session

        async with session(settings, sample=False) as opened:
            of = (await opened.organisation(organisation)).id if organisation else None
            verdict = await _verify(opened, of)
        if as_json:
            print_json(
                {
                    "verified": verdict.verified,
                    "events": verdict.events,
                    "streams": verdict.streams,
                    "faults": verdict.faults,
                }
            )
        else:
            _tell(verdict)
        return Exit.DONE if verdict.verified else Exit.FAILED

    run(command, as_json=as_json)


async def _verify(opened: "Session", organisation_id: "UUID | None") -> "Verdict":
    """Every task, person and company has its stream: one that is gone as a whole is missed."""
    from audit import log
    from core.db import fetch_all

    async with opened.house.engine.connect() as connection:
        rows = await fetch_all(connection, _EXPECTED, {"organisation_id": organisation_id})
        return await log.verify(
            connection, organisation_id=organisation_id, expected=[row.id for row in rows]
        )


def _tell(verdict: "Verdict") -> None:
    from rich.text import Text

    if verdict.verified:
        words = _VERIFIED.fill(events=verdict.events, streams=verdict.streams)
        terminal().print(Text(words.to(language()), style="green"))
        return
    words = _FAULTY.fill(n=len(verdict.faults))
    terminal().print(Text(words.to(language()), style="bold red"))
    for fault in verdict.faults:
        terminal().print(Text(f"  {fault}"), soft_wrap=True)
