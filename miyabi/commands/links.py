"""Links that open a document without a login: listing, revoking."""

from typing import TYPE_CHECKING, Annotated

import typer

from core.errors import Refused
from core.words import Words
from miyabi.commands.frame import (
    AsJson,
    Exit,
    OfOrganisation,
    print_json,
    run,
    say,
    terminal,
)

if TYPE_CHECKING:
    from uuid import UUID

    from core.links import Link
    from core.settings import Settings

app = typer.Typer(help="Links that open a document without a login.", no_args_is_help=True)

_NONE = Words(ja="有効なリンクはありません。", en="No link opens anything.", zh="没有有效的链接。")
_NONE_OF = Words(
    ja="{reference} のリンクはありません。", en="There is no link of {reference}.",
    zh="{reference} 没有链接。",
)  # fmt: skip
_REVOKED = Words(
    ja="{n}件のリンクを取り消しました。", en="{n} links are revoked.", zh="已撤销 {n} 个链接。"
)
_WHICH = Words(
    ja="リンクのIDか --task のどちらかを指定してください。",
    en="Give a link's id, or --task.",
    zh="请指定链接ID或 --task 之一。",
)

OfTask = Annotated[
    int | None, typer.Option("--task", metavar="NUMBER", help="Those of this task, e.g. 1042.")
]


@app.command("list")
def list_links(
    task: OfTask = None, organisation: OfOrganisation = None, as_json: AsJson = False
) -> None:
    """List the links that open something; with --task all that there were of it."""

    async def command(settings: "Settings") -> int:
        from core import links
        from miyabi.session import session

        async with session(settings) as opened:
            company = await opened.organisation(organisation)
            async with opened.house.engine.connect() as connection:
                found = await links.links_of(connection, company.id, task)
        rows = [_row(link) for link in found]
        if as_json:
            print_json({"organisation": company.slug, "links": rows})
        elif rows:
            _show(rows)
        else:
            say(_NONE if task is None else _NONE_OF.fill(reference=f"#{task}"))
        return Exit.DONE

    run(command, as_json=as_json)


def _row(link: "Link") -> dict[str, object]:
    state = "revoked" if link.revoked else "ended" if link.ended else "gone" if link.gone else ""
    return {
        "link": str(link.id),
        "task": link.reference,
        "for": link.handle,
        "document": link.name,
        "created_at": link.created_at.isoformat(timespec="seconds"),
        "expires_at": link.expires_at.isoformat(timespec="seconds"),
        "state": state or "open",
    }


def _show(rows: list[dict[str, object]]) -> None:
    from rich.table import Table
    from rich.text import Text

    grid = Table(*rows[0], box=None, pad_edge=False)
    for row in rows:
        grid.add_row(*(Text(str(cell or "")) for cell in row.values()))
    terminal().print(grid)


@app.command("revoke")
def revoke_links(
    link: Annotated[
        str | None, typer.Argument(metavar="LINK", help="Its id, as “miyabi links list” has it.")
    ] = None,
    task: OfTask = None,
    organisation: OfOrganisation = None,
) -> None:
    """Make a link, or all of a task, open nothing from now on."""

    async def command(settings: "Settings") -> int:
        from core import links, tasks
        from core.commands import Target
        from core.unit import unit
        from miyabi.session import session

        if (link is None) == (task is None):
            raise Refused(_WHICH)
        async with session(settings) as opened:
            company = await opened.organisation(organisation)
            async with unit(opened.house) as work:
                if link is not None:
                    await links.revoke_one(work, company.id, _id(link))
                    count = 1
                else:
                    of = await tasks.find(work.connection, company.id, Target(task))
                    count = await links.revoke(work, company.id, task_id=of)
        say(_REVOKED.fill(n=count))
        return Exit.DONE

    run(command)


def _id(text: str) -> "UUID":
    from uuid import UUID

    from core.links import NO_LINK

    try:
        return UUID(text)
    except ValueError as error:
        raise Refused(NO_LINK.fill(link=text[:40])) from error
