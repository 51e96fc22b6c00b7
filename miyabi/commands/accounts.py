"""A person's accounts: the code by which they link one, cutting one, what one is told."""

from typing import TYPE_CHECKING, Annotated

import typer

from core.errors import Refused
from core.words import Words
from miyabi.commands.frame import Exit, OfOrganisation, complain, run, say

if TYPE_CHECKING:
    from core.inbound import Sender
    from core.people import Person
    from core.settings import Settings
    from core.unit import Unit

_TELL = Words(
    ja="{handle} さんが、連携するアプリでこの数字だけを Miyabi に送ります。"
    "10 分間、1 回だけ使えます。",
    en="{handle} sends Miyabi these digits and nothing else from the app to be linked, within 10 "
    "minutes and once.",
    zh="由 {handle} 在要关联的应用中，只把这些数字发送给 Miyabi。10 分钟内有效，仅限一次。",
)
_CUT = Words(
    ja="{account} と {handle} の連携を解除しました。",
    en="{account} is no longer {handle}'s.",
    zh="已解除 {account} 与 {handle} 的关联。",
)
_NOT_THEIRS = Words(
    ja="{account} は {handle} のアカウントではありません。",
    en="{account} is no account of {handle}'s.",
    zh="{account} 不是 {handle} 的账号。",
)
_ENDS = {
    True: Words(
        ja="{account} に、終わった承認の依頼も知らせます。",
        en="{account} is told of endings, too.",
        zh="{account} 也会收到结束通知。",
    ),
    False: Words(
        ja="{account} に、終わった承認の依頼は知らせません。",
        en="{account} is not told of endings.",
        zh="{account} 不会收到结束通知。",
    ),
}

Handle = Annotated[str, typer.Argument(metavar="HANDLE")]
AnAccount = Annotated[
    str, typer.Argument(metavar="ACCOUNT", help="platform:workspace:id, as “people list” has it.")
]


def register(people: typer.Typer) -> None:
    """Add the commands below `miyabi people`."""
    people.command("code")(code)
    people.command("unlink")(unlink)
    people.command("endings")(endings)


def code(handle: Handle, organisation: OfOrganisation = None) -> None:
    """Make a code by which somebody links a further account themselves; it is printed once."""

    async def command(settings: "Settings") -> int:
        from core.linking import make_code
        from core.unit import unit
        from miyabi.commands.people import find_person
        from miyabi.session import session

        async with session(settings) as opened:
            person = await find_person(opened, organisation, handle)
            async with unit(opened.house) as work:
                made = await make_code(work, opened.house, person)
        say(made.text)
        complain(_TELL.fill(handle=handle))
        return Exit.DONE

    run(command)


def unlink(handle: Handle, account: AnAccount, organisation: OfOrganisation = None) -> None:
    """Cut an account: whoever speaks from it is nobody any more."""

    async def command(settings: "Settings") -> int:
        from core.accounts import cut
        from core.unit import unit
        from miyabi.commands.people import find_person, read_account
        from miyabi.session import session

        async with session(settings) as opened:
            company = await opened.organisation(organisation)
            sender = read_account(account, company.slug)
            person = await find_person(opened, organisation, handle)
            async with unit(opened.house) as work:
                await _check_theirs(work, person, sender, account)
                await cut(work, person, sender)
        say(_CUT.fill(account=account, handle=handle))
        return Exit.DONE

    run(command)


def endings(
    handle: Handle,
    account: AnAccount,
    on: Annotated[bool, typer.Option("--on/--off")] = True,
    organisation: OfOrganisation = None,
) -> None:
    """Have an account told, or not, that what the person was asked has ended: where a message
    costs something, that is not done otherwise."""

    async def command(settings: "Settings") -> int:
        from core.accounts import set_tells_ends
        from core.unit import unit
        from miyabi.commands.people import find_person, read_account
        from miyabi.session import session

        async with session(settings) as opened:
            company = await opened.organisation(organisation)
            sender = read_account(account, company.slug)
            person = await find_person(opened, organisation, handle)
            async with unit(opened.house) as work:
                await _check_theirs(work, person, sender, account)
                await set_tells_ends(work, sender, on)
        say(_ENDS[on].fill(account=account))
        return Exit.DONE

    run(command)


async def _check_theirs(work: "Unit", person: "Person", sender: "Sender", account: str) -> None:
    """Raises Refused where the account is another's, or nobody's."""
    from core import people

    owner = await people.who(work.connection, sender)
    if owner is None or owner.id != person.id:
        raise Refused(_NOT_THEIRS.fill(account=account, handle=person.handle))
