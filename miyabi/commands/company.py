"""What a company says of itself, and which companies there are."""

from typing import TYPE_CHECKING, Annotated

import typer

from core.errors import Refused
from core.words import Words
from miyabi.commands.frame import AsJson, Exit, OfOrganisation, print_json, run, say, terminal

if TYPE_CHECKING:
    from core.settings import Settings

app = typer.Typer(help="What the company says of itself on documents.", no_args_is_help=True)
organisations_app = typer.Typer(help="The companies of this installation.", no_args_is_help=True)

_CHANGED = Words(
    ja="{name} の設定を変更しました。これから作る書類に使われます。",
    en="{name} is changed; it counts for documents laid out from now on.",
    zh="已修改 {name} 的设置，将用于今后制作的文件。",
)
_ADDED = Words(
    ja="組織「{slug}」（{name}）を追加しました。次は: miyabi people add --org {slug} …",
    en="Organisation “{slug}” ({name}) is added. Next: miyabi people add --org {slug} …",
    zh="已添加组织“{slug}”（{name}）。下一步: miyabi people add --org {slug} …",
)
_BAD_SLUG = Words(
    ja="「{slug}」は使えません。英小文字・数字・ハイフンで書いてください（localは不可）。",
    en="“{slug}” can't be used: small letters, digits and hyphens, and not “local”.",
    zh="无法使用“{slug}”。请使用小写字母、数字和连字符（不可为local）。",
)


@app.command("show")
def show_company(organisation: OfOrganisation = None, as_json: AsJson = False) -> None:
    """Show everything the company says of itself."""

    async def command(settings: "Settings") -> int:
        from core.codec import dump
        from miyabi.session import session

        async with session(settings) as opened:
            company = await opened.organisation(organisation)
        data = {"organisation": company.slug, **dump(company.company)}
        if as_json:
            print_json(data)
        else:
            _show(data)
        return Exit.DONE

    run(command, as_json=as_json)


@app.command("set")
def change_company(
    changes: Annotated[
        list[str],
        typer.Argument(
            metavar="KEY=VALUE…",
            help="As `company show` names them; seal=FILE.png, template=FILE.typ, "
            "expense_policy=FILE.toml, "
            "price_list.connector=google_sheets price_list.spreadsheet=… ledger.connector=…; "
            "empty takes away.",
        ),
    ],
    organisation: OfOrganisation = None,
) -> None:
    """Change what the company says of itself, e.g. registration_number=T7000012050002."""

    async def command(settings: "Settings") -> int:
        from core import organisations
        from core.documents import Files
        from core.unit import unit
        from miyabi.particulars import changed
        from miyabi.session import session

        async with session(settings) as opened:
            company = await opened.organisation(organisation)
            files = Files(opened.house, company.id)
            new = await changed(company.company, changes, files)
            async with unit(opened.house) as work:
                await organisations.change_company(work, company.id, new)
        say(_CHANGED.fill(name=new.name))
        return Exit.DONE

    run(command)


@organisations_app.command("list")
def list_organisations(as_json: AsJson = False) -> None:
    """List the companies of this installation."""

    async def command(settings: "Settings") -> int:
        from core import organisations
        from miyabi.session import session

        async with session(settings) as opened, opened.house.engine.connect() as connection:
            found = await organisations.every(connection)
        if as_json:
            rows = [{"slug": each.slug, "name": each.name, "id": str(each.id)} for each in found]
            print_json({"organisations": rows})
        else:
            _show({each.slug: each.name for each in found})
        return Exit.DONE

    run(command, as_json=as_json)


@organisations_app.command("add")
def add_organisation(
    slug: Annotated[str, typer.Argument(metavar="SLUG", help="A short name, e.g. acme.")],
    name: Annotated[str, typer.Argument(metavar="NAME", help="The company's name.")],
) -> None:
    """Add a company; nothing of it is ever seen by another."""

    async def command(settings: "Settings") -> int:
        import re

        from core import organisations
        from core.company import Company
        from core.unit import unit
        from miyabi.session import session

        if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,62}", slug) or slug == "local":
            raise Refused(_BAD_SLUG.fill(slug=slug))
        async with session(settings, sample=False) as opened, unit(opened.house) as work:
            await organisations.add(work, slug, Company(name=name))
        say(_ADDED.fill(slug=slug, name=name))
        return Exit.DONE

    run(command)


def _show(data: dict[str, object]) -> None:
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 2))
    for key, value in data.items():
        grid.add_row(Text(key, style="dim"), Text("" if value is None else str(value)))
    terminal().print(grid)
