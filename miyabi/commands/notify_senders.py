"""Programs that may have people told things: their keys and their topics."""

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
    from core.notice_senders import Sender
    from core.settings import Settings

app = typer.Typer(help="Programs that may send notifications.", no_args_is_help=True)

_KEEP_IT = Words(
    ja="このキーはいま一度だけ表示されます。安全な場所に保管してください。",
    en="This key is shown this once only. Keep it in a safe place.",
    zh="此密钥仅显示这一次，请妥善保管。",
)
_REVOKED = Words(
    ja="送信元「{name}」のキーを無効にしました。",
    en="The key of “{name}” is revoked.",
    zh="发送方“{name}”的密钥已吊销。",
)
_NONE = Words(ja="送信元はありません。", en="There are no senders.", zh="没有发送方。")


@app.command("add")
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the program is called.")],
    topics: Annotated[
        list[str], typer.Argument(metavar="TOPIC…", help="What it may send, e.g. 'alert.*'.")
    ],
    organisation: OfOrganisation = None,
) -> None:
    """Make a key for a program; it is printed once and may send these topics only."""

    async def command(settings: "Settings") -> int:
        from core import notice_senders
        from core.unit import unit
        from miyabi.session import session

        async with session(settings) as opened:
            company = await opened.organisation(organisation)
            async with unit(opened.house) as work:
                key = await notice_senders.add(work, company.id, name, topics)
        say(key)
        complain(_KEEP_IT)
        return Exit.DONE

    run(command)


@app.command("list")
def list_senders(organisation: OfOrganisation = None, as_json: AsJson = False) -> None:
    """List all programs, the revoked ones too. The keys themselves are kept nowhere."""

    async def command(settings: "Settings") -> int:
        from core import notice_senders
        from miyabi.session import session

        async with session(settings) as opened:
            company = await opened.organisation(organisation)
            async with opened.house.engine.connect() as connection:
                rows = [_row(each) for each in await notice_senders.every(connection, company.id)]
        print_list("senders", rows, company.slug, _NONE, as_json=as_json)
        return Exit.DONE

    run(command, as_json=as_json)


def _row(sender: "Sender") -> dict[str, object]:
    return {
        "name": sender.name,
        "topics": list(sender.topics),
        "created_at": moment(sender.created_at),
        "used_at": moment(sender.used_at),
        "revoked_at": moment(sender.revoked_at),
    }


@app.command("revoke")
def revoke(
    name: Annotated[str, typer.Argument(metavar="NAME")], organisation: OfOrganisation = None
) -> None:
    """Make a program's key worth nothing from now on."""

    async def command(settings: "Settings") -> int:
        from core import notice_senders
        from core.unit import unit
        from miyabi.session import session

        async with session(settings) as opened:
            company = await opened.organisation(organisation)
            async with unit(opened.house) as work:
                await notice_senders.revoke(work, company.id, name)
        say(_REVOKED.fill(name=name))
        return Exit.DONE

    run(command)
