"""Looking whether all is well: `doctor` for the installation, `audit` for the log."""

from typing import TYPE_CHECKING

import typer

from miyabi.commands import anchoring, archiving, audit_keys, auditing, completing, searching
from miyabi.commands.frame import (
    AsJson,
    Exit,
    language,
    print_json,
    run,
    terminal,
)

if TYPE_CHECKING:
    from core.platform import Finding
    from core.settings import Settings

audit = typer.Typer(help="The audit log.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("doctor")(doctor)
    auditing.register(audit)
    anchoring.register(audit)
    archiving.register(audit)
    audit.add_typer(audit_keys.app, name="key")
    searching.register(audit)
    completing.register(audit)
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
