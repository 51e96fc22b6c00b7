"""Who belongs to a company: listing, adding, linking accounts, changing."""

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

from core.errors import Refused
from core.words import LANGUAGES, Language, Words, as_language
from miyabi.commands.erasing import erase_person
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
    from core.inbound import Sender
    from core.people import Person
    from core.positions import Position
    from core.settings import Settings
    from miyabi.session import Session

app = typer.Typer(help="People, their roles and accounts.", no_args_is_help=True)

_ADDED = Words(
    ja="{handle}（{name}）を追加しました。",
    en="{handle} ({name}) is added.",
    zh="已添加 {handle}（{name}）。",
)
_CHANGED = Words(ja="{handle} を変更しました。", en="{handle} is changed.", zh="已修改 {handle}。")
_LINKED = Words(
    ja="{account} を {handle} に結び付けました。",
    en="{account} now belongs to {handle}.",
    zh="已将 {account} 关联到 {handle}。",
)
_BAD_ACCOUNT = Words(
    ja="アカウント「{text}」を読めません。slack:T0123:U0456 かメールアドレスで書いてください。",
    en="“{text}” is no account. Write it as slack:T0123:U0456, or an address of mail.",
    zh="无法读取账号“{text}”。请写成 slack:T0123:U0456 的形式，或写邮箱地址。",
)
_NO_SUCH_PERSON = Words(
    ja="「{handle}」という人がいません。",
    en="There is nobody called “{handle}”.",
    zh="没有名为“{handle}”的人。",
)
_BAD_SETTING = Words(
    ja="「{text}」は使えません。使えるもの: {known}",
    en="“{text}” can't be set. Known: {known}",
    zh="无法设置“{text}”。可用: {known}",
)
_KEYS = (
    "name=… roles=requester,approver language=ja|en|zh time_zone=Asia/Tokyo email=… active=no "
    "superior=HANDLE department=… post=… grade=…"
)
_ADDRESS = re.compile(r"[^@\s:<>,;\"]+@[^@\s:<>,;\"]+")
_PLACE = ("superior", "department", "post", "grade")

Roles = Annotated[
    str, typer.Option("--roles", help="requester, approver, accountant, auditor, admin; comma.")
]


@app.command("list")
def list_people(organisation: OfOrganisation = None, as_json: AsJson = False) -> None:
    """List everybody with their roles, places in the company and accounts."""

    async def command(settings: "Settings") -> int:
        from core.positions import positions
        from miyabi.session import session

        async with session(settings) as opened:
            company = await opened.organisation(organisation)
            async with opened.house.engine.connect() as connection:
                places = await positions(connection, company.id)
            everyone = await opened.everyone(company)
            rows = [await _row(opened, person, places[person.id]) for person in everyone]
        if as_json:
            print_json({"organisation": company.slug, "people": rows})
        else:
            _show(rows)
        return Exit.DONE

    run(command, as_json=as_json)


async def _row(opened: "Session", person: "Person", place: "Position") -> dict[str, object]:
    from core.people import accounts_of

    async with opened.house.engine.connect() as connection:
        accounts = await accounts_of(connection, person.organisation_id, person.id)
    return {
        "handle": person.handle,
        "name": person.name,
        "roles": sorted(person.roles),
        "language": person.language,
        "time_zone": person.time_zone,
        **{key: getattr(place, key) for key in _PLACE},
        "accounts": [f"{a.platform}:{a.workspace}:{a.external_id}" for a in accounts],
    }


def _show(rows: list[dict[str, object]]) -> None:
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 2))
    for row in rows:
        cells = [", ".join(v) if isinstance(v, list) else str(v) for v in row.values()]
        grid.add_row(*(Text(cell) for cell in cells))
    terminal().print(grid)


@app.command("add")
def add_person(
    handle: Annotated[str, typer.Argument(metavar="HANDLE", help="A short name, e.g. tanaka.")],
    name: Annotated[str, typer.Argument(metavar="NAME", help="As documents show it.")],
    roles: Roles = "requester",
    language: Annotated[str, typer.Option("--language", help="ja, en or zh.")] = "ja",
    time_zone: Annotated[
        str | None, typer.Option("--time-zone", help="Without: the organisation's.")
    ] = None,
    email: Annotated[
        str | None, typer.Option("--email", help="Their address; they can write from it at once.")
    ] = None,
    superior: Annotated[str, typer.Option("--superior", metavar="HANDLE", help="上長.")] = "",
    department: Annotated[str, typer.Option("--department", help="部署.")] = "",
    post: Annotated[str, typer.Option("--post", help="役職.")] = "",
    grade: Annotated[str, typer.Option("--grade", help="等級.")] = "",
    account: Annotated[
        list[str] | None, typer.Option("--account", help="platform:workspace:id; may repeat.")
    ] = None,
    organisation: OfOrganisation = None,
) -> None:
    """Add somebody; they can speak from the terminal at once (--as HANDLE)."""

    async def command(settings: "Settings") -> int:
        from core import people
        from core.positions import Position, place
        from core.unit import unit
        from miyabi.seed import console_account
        from miyabi.session import session

        spoken, zone = _language(language), read_zone(time_zone) if time_zone else None
        position = Position(department, post, grade, superior)
        async with session(settings) as opened:
            company = await opened.organisation(organisation)
            senders = [read_account(text, company.slug) for text in account or []]
            async with unit(opened.house) as work:
                person = await people.add(
                    work, company.id, handle, name, _roles(roles),
                    language=spoken, time_zone=zone, email=email,
                )  # fmt: skip
                mail = [read_account(email, company.slug)] if email else []
                for sender in [console_account(company.slug, handle), *senders, *mail]:
                    await people.link(work, person, sender)
                if position != Position():
                    await place(work, person, position)
        say(_ADDED.fill(handle=handle, name=name))
        return Exit.DONE

    run(command)


@app.command("link")
def link_account(
    handle: Annotated[str, typer.Argument(metavar="HANDLE")],
    account: Annotated[
        str,
        typer.Argument(
            metavar="ACCOUNT",
            help="platform:workspace:id, e.g. slack:T0123:U0456; or an address of mail.",
        ),
    ],
    organisation: OfOrganisation = None,
) -> None:
    """Tie a platform's account to somebody, so that Miyabi knows who speaks."""

    async def command(settings: "Settings") -> int:
        from core import people
        from core.unit import unit
        from miyabi.session import session

        async with session(settings) as opened:
            company = await opened.organisation(organisation)
            sender = read_account(account, company.slug)
            person = await find_person(opened, organisation, handle)
            async with unit(opened.house) as work:
                await people.link(work, person, sender)
        say(_LINKED.fill(account=account, handle=handle))
        return Exit.DONE

    run(command)


@app.command("set")
def change_person(
    handle: Annotated[str, typer.Argument(metavar="HANDLE")],
    changes: Annotated[list[str], typer.Argument(metavar="KEY=VALUE…", help=_KEYS)],
    organisation: OfOrganisation = None,
) -> None:
    """Change somebody's name, roles, language, time zone, address or place in the company, or let
    them go."""

    async def command(settings: "Settings") -> int:
        from core import people
        from core.positions import place, positions
        from core.unit import unit
        from miyabi.session import session

        given = dict(_change(text) for text in changes)
        async with session(settings) as opened:
            person = await find_person(opened, organisation, handle)
            changed = replace(
                person,
                name=given.get("name", person.name),
                roles=_roles(given["roles"]) if "roles" in given else person.roles,
                language=_language(given.get("language", person.language)),
                time_zone=read_zone(given.get("time_zone", person.time_zone)),
            )
            active = given.get("active", "yes").lower() not in {"no", "false", "0"}
            moved = {key: given.pop(key) for key in _PLACE if key in given}
            async with unit(opened.house) as work:
                if given or not moved:
                    await people.change(work, changed, email=given.get("email"), active=active)
                if moved:
                    standing = await positions(work.connection, person.organisation_id)
                    await place(work, person, replace(standing[person.id], **moved))
        say(_CHANGED.fill(handle=handle))
        return Exit.DONE

    run(command)


app.command("erase")(erase_person)


async def find_person(opened: "Session", organisation: str | None, handle: str) -> "Person":
    """The active person of that handle. Raises Refused where there is none."""
    company = await opened.organisation(organisation)
    for person in await opened.everyone(company):
        if person.handle == handle:
            return person
    raise Refused(_NO_SUCH_PERSON.fill(handle=handle))


def read_account(text: str, slug: str) -> "Sender":
    """`platform:workspace:id`; the id may hold colons. An address is that of somebody who writes
    mails, in the workspace of their organisation, whose `slug` it is."""
    from core.inbound import Sender

    if _ADDRESS.fullmatch(text.strip()):
        return Sender("email", slug, text.strip().lower())
    parts = text.split(":", 2)
    if len(parts) != 3 or not all(part.strip() for part in parts):
        raise Refused(_BAD_ACCOUNT.fill(text=text))
    return Sender(*(part.strip() for part in parts))


def _change(text: str) -> tuple[str, str]:
    key, mark, value = text.partition("=")
    keys = {"name", "roles", "language", "time_zone", "email", "active", *_PLACE}
    if not mark or key not in keys:
        raise Refused(_BAD_SETTING.fill(text=text, known=_KEYS))
    return key, value.strip()


def _roles(text: str) -> frozenset[str]:
    return frozenset(role.strip() for role in text.split(",") if role.strip())


def _language(text: str) -> Language:
    if text not in LANGUAGES:
        raise Refused(_BAD_SETTING.fill(text=text, known=", ".join(LANGUAGES)))
    return as_language(text)


def read_zone(text: str) -> str:
    """The name of a zone of IANA's. Raises Refused."""
    try:
        return ZoneInfo(text).key
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise Refused(_BAD_SETTING.fill(text=text, known="Asia/Tokyo …")) from error
