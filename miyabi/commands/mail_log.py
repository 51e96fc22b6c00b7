"""What became of the mails that came: `miyabi mail log`, `show`, and `quarantine`."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.words import Words, same
from miyabi.commands.frame import AsJson, Exit, OfOrganisation, print_json, run, say, terminal

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.email.log import Line
    from core.settings import Settings
    from core.unit import Unit
    from miyabi.session import Session

quarantine = typer.Typer(help="Mails that could not be read.", no_args_is_help=True)

_NONE = Words(ja="該当するメールはありません。", en="There is no such mail.", zh="没有符合的邮件。")
_RETRIED = Words(
    ja="メール {mail} をもう一度処理します。",
    en="The mail {mail} is tried anew.",
    zh="将重新处理邮件 {mail}。",
)
_DROPPED = Words(
    ja="メール {mail} を破棄しました。", en="The mail {mail} is dropped.", zh="已丢弃邮件 {mail}。"
)
_CUT = Words(ja="── 省いた引用・署名 ──", en="── what was cut ──", zh="── 已省略的引用与签名 ──")
_UNREADABLE = Words(
    ja="このメールは読み取れません: {why}",
    en="This mail can't be read: {why}",
    zh="无法读取此邮件: {why}",
)
_FIELD = same("{name}: {value}")

Mail = Annotated[str, typer.Argument(metavar="MAIL", help="Its id, or the end of it.")]
Most = Annotated[int, typer.Option("--limit", metavar="N", min=1, max=10_000, help="So many.")]
OfMailbox = Annotated[
    str | None, typer.Option("--mailbox", metavar="ADDRESS", help="Those of this one only.")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("log")(log)
    app.command("show")(show)
    app.add_typer(quarantine, name="quarantine")


def log(
    verdict: Annotated[
        list[str] | None,
        typer.Option(
            "--state",
            metavar="STATE",
            help="received, done, refused, held, quarantined or dropped; may be given again.",
        ),
    ] = None,
    reason: Annotated[
        list[str] | None,
        typer.Option("--reason", metavar="REASON", help="unknown_sender, forged, loop …"),
    ] = None,
    mailbox: OfMailbox = None,
    limit: Most = 50,
    organisation: OfOrganisation = None,
    as_json: AsJson = False,
) -> None:
    """List the mails that came, the newest first, and what became of each."""
    _list(verdict or [], reason or [], mailbox, limit, organisation, as_json=as_json)


def show(mail: Mail, organisation: OfOrganisation = None, as_json: AsJson = False) -> None:
    """Show what a mail says: what its writer wrote, what was cut of it, and its files."""

    async def command(settings: "Settings") -> int:
        from bot.email import log as mails
        from bot.email import telling
        from bot.email.child import Poison
        from bot.email.door import open_door
        from miyabi.session import session

        async with session(settings) as opened:
            line, company_id = await _found(opened, organisation, mail)
            raw = await mails.content(opened.house, company_id, line)
            async with open_door(opened.built.opening) as door:
                try:
                    said = telling.said(await door.readers.read(raw))
                except Poison as poison:
                    said = {"unreadable": poison.words}
        row = _row(line)
        if as_json:
            print_json({**row, **said})
        else:
            _show(row, said)
        return Exit.DONE

    run(command, as_json=as_json)


@quarantine.command("list")
def list_quarantined(
    mailbox: OfMailbox = None,
    limit: Most = 50,
    organisation: OfOrganisation = None,
    as_json: AsJson = False,
) -> None:
    """List the mails that could not be read, and why."""
    _list(["quarantined"], [], mailbox, limit, organisation, as_json=as_json)


quarantine.command("show")(show)


@quarantine.command("retry")
def retry(mail: Mail, organisation: OfOrganisation = None) -> None:
    """Have a mail tried anew, as if it had just come."""

    async def act(work: "Unit", company_id: Any, line: "Line") -> None:
        from bot.email import log as mails

        await mails.retry(work, company_id, line)

    _act(mail, organisation, act, _RETRIED)


@quarantine.command("drop")
def drop(mail: Mail, organisation: OfOrganisation = None) -> None:
    """Have a mail tried no more; its bytes are deleted."""

    async def act(work: "Unit", company_id: Any, line: "Line") -> None:
        from bot.email import log as mails

        await mails.drop(work, company_id, line)

    _act(mail, organisation, act, _DROPPED)


def _list(
    states: list[str],
    reasons: list[str],
    mailbox: str | None,
    limit: int,
    organisation: str | None,
    *,
    as_json: bool,
) -> None:
    async def command(settings: "Settings") -> int:
        from bot.email import log as mails
        from miyabi.session import session

        async with session(settings) as opened:
            company = await opened.organisation(organisation)
            async with opened.house.engine.connect() as connection:
                found = await mails.lines(
                    connection, company.id, states=states, reasons=reasons,
                    mailbox=mailbox and mailbox.lower(), most=limit,
                )  # fmt: skip
        rows = [_row(line) for line in found]
        if as_json:
            print_json({"organisation": company.slug, "mails": rows})
        elif rows:
            _table(rows)
        else:
            say(_NONE)
        return Exit.DONE

    run(command, as_json=as_json)


def _act(
    mail: str,
    organisation: str | None,
    act: "Callable[[Unit, Any, Line], Awaitable[None]]",
    done: Words,
) -> None:
    async def command(settings: "Settings") -> int:
        from core.unit import unit
        from miyabi.session import session

        async with session(settings) as opened:
            line, company_id = await _found(opened, organisation, mail)
            async with unit(opened.house) as work:
                await act(work, company_id, line)
        say(done.fill(mail=str(line.id)))
        return Exit.DONE

    run(command)


async def _found(opened: "Session", organisation: str | None, mail: str) -> "tuple[Line, Any]":
    from bot.email import log as mails

    company = await opened.organisation(organisation)
    async with opened.house.engine.connect() as connection:
        return await mails.find(connection, company.id, mail), company.id


def _row(line: "Line") -> dict[str, Any]:
    row = asdict(line)
    received = line.received_at.isoformat(timespec="seconds")
    return {**row, "id": str(line.id), "received_at": received, "task": row.pop("reference")}


_COLUMNS = ("id", "received_at", "mailbox", "sender", "subject", "state", "reason", "task")


def _table(rows: list[dict[str, Any]]) -> None:
    from rich.table import Table
    from rich.text import Text

    grid = Table(*_COLUMNS, box=None, pad_edge=False)
    for row in rows:
        shown = {**row, "id": row["id"][-12:], "task": f"#{row['task']}" if row["task"] else ""}
        grid.add_row(*(Text(" ".join(str(shown[name] or "").split())) for name in _COLUMNS))
    terminal().print(grid)


def _show(row: dict[str, Any], said: dict[str, Any]) -> None:
    for name, value in row.items():
        if value is not None:
            say(_FIELD.fill(name=name, value=" ".join(str(value).split())))
    if "unreadable" in said:
        say(_UNREADABLE.fill(why=said["unreadable"]))
        return
    for file in said["attachments"]:
        value = f"{file['name'] or '-'} ({file['content_type']}, {file['size']} B)"
        say(_FIELD.fill(name="file", value=value))
    say("")
    say(said["text"])
    cut = [part for part in (said["quoted"], said["signature"]) if part]
    if cut:
        say(_CUT)
        say("\n".join(cut))
