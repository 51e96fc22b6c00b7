"""Tokens by which programs speak for people: making, listing, revoking."""

from typing import TYPE_CHECKING, Annotated

import typer

from core.words import Words
from miyabi.commands.frame import (
    AsJson,
    Exit,
    OfOrganisation,
    complain,
    moment,
    print_list,
    run,
    say,
)

if TYPE_CHECKING:
    from bot.api.tokens import Token
    from core.settings import Settings

_KEEP_IT = Words(
    ja="このトークンはいま一度だけ表示されます。安全な場所に保管してください。",
    en="This token is shown this once only. Keep it in a safe place.",
    zh="此令牌仅显示这一次，请妥善保管。",
)
_REVOKED = Words(
    ja="{handle} のトークン {name} を無効にしました。",
    en="The token {name} of {handle} is revoked.",
    zh="{handle} 的令牌 {name} 已吊销。",
)
_NO_TOKENS = Words(ja="トークンはありません。", en="There are no tokens.", zh="没有令牌。")


def register(people: typer.Typer) -> None:
    """Add the commands below `miyabi people`."""
    people.command("token")(token)
    people.command("tokens")(tokens)
    people.command("revoke")(revoke)


def token(
    handle: Annotated[str, typer.Argument(metavar="HANDLE", help="For whom the program speaks.")],
    label: Annotated[str, typer.Option("--label", help="What it is for.")] = "",
    organisation: OfOrganisation = None,
) -> None:
    """Make a token for the HTTP API; it is printed once and may do what the person may."""

    async def command(settings: "Settings") -> int:
        from bot.api import tokens
        from core.unit import unit
        from miyabi.commands.people import find_person
        from miyabi.session import session

        async with session(settings) as opened:
            person = await find_person(opened, organisation, handle)
            async with unit(opened.house) as work:
                made = await tokens.make(work, person, label)
        say(made)
        complain(_KEEP_IT)
        return Exit.DONE

    run(command)


def tokens(organisation: OfOrganisation = None, as_json: AsJson = False) -> None:
    """List all tokens, the revoked ones too. The tokens themselves are kept nowhere."""

    async def command(settings: "Settings") -> int:
        from bot.api import tokens
        from miyabi.session import session

        async with session(settings) as opened:
            company = await opened.organisation(organisation)
            async with opened.house.engine.connect() as connection:
                rows = [_row(each) for each in await tokens.every(connection, company.id)]
        print_list("tokens", rows, company.slug, _NO_TOKENS, as_json=as_json)
        return Exit.DONE

    run(command, as_json=as_json)


def _row(token: "Token") -> dict[str, object]:
    return {
        "token": token.name,
        "handle": token.handle,
        "label": token.label,
        "created_at": moment(token.created_at),
        "used_at": moment(token.used_at),
        "revoked_at": moment(token.revoked_at),
    }


def revoke(
    name: Annotated[
        str, typer.Argument(metavar="TOKEN", help="Its name, as “miyabi people tokens” has it.")
    ],
    organisation: OfOrganisation = None,
) -> None:
    """Make a token worth nothing from now on."""

    async def command(settings: "Settings") -> int:
        from bot.api import tokens
        from core.unit import unit
        from miyabi.session import session

        async with session(settings) as opened:
            company = await opened.organisation(organisation)
            async with unit(opened.house) as work:
                person = await tokens.revoke(work, company.id, name)
        say(_REVOKED.fill(name=name, handle=person.handle))
        return Exit.DONE

    run(command)
