"""`miyabi notify send`: having people told something from a script or by hand."""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from core.words import Words
from miyabi.commands.frame import (
    AsJson,
    Exit,
    OfOrganisation,
    json_pairs,
    print_json,
    read_text,
    run,
    say,
)

if TYPE_CHECKING:
    from core.settings import Settings

_SENT = Words(
    ja="通知を受け付けました（{id}）。",
    en="The notice is taken in ({id}).",
    zh="通知已受理（{id}）。",
)
_NO_TOPIC = Words(
    ja="トピックは「alert.disk_full」のように書いてください。",
    en="Write the topic as “alert.disk_full”.",
    zh="主题请写成“alert.disk_full”的形式。",
)


def register(app: typer.Typer) -> None:
    """Add the command below `miyabi notify`."""
    app.command("send")(send)


def send(
    topic: Annotated[str, typer.Argument(metavar="TOPIC", help="E.g. alert.disk_full.")],
    text: Annotated[
        list[str] | None, typer.Argument(metavar="[TEXT]", help="What it says; - is stdin.")
    ] = None,
    to: Annotated[
        list[str] | None,
        typer.Option(
            "--to",
            metavar="WHO",
            help="A handle, role:ROLE, place:NAME, on_call:ROTA or all; left out: by the rules. "
            "Repeatable.",
        ),
    ] = None,
    importance: Annotated[
        Literal["low", "normal", "high", "critical"], typer.Option("--importance")
    ] = "normal",
    title: Annotated[str, typer.Option("--title")] = "",
    url: Annotated[str, typer.Option("--url", help="Where more is to be seen.")] = "",
    fact: Annotated[
        list[str] | None,
        typer.Option("--fact", metavar="NAME=VALUE", help="JSON, or else text. Repeatable."),
    ] = None,
    group: Annotated[
        str | None, typer.Option("--group", help="The same again is counted, not repeated.")
    ] = None,
    resolved: Annotated[bool, typer.Option("--resolved", help="Of a group: it is over.")] = False,
    organisation: OfOrganisation = None,
    as_json: AsJson = False,
) -> None:
    """Have people told something; who hears it where is decided by the rules and by them."""

    async def command(settings: "Settings") -> int:
        from core import addressees
        from core.errors import Refused
        from core.inbound import storable
        from core.notice_senders import LONGEST_TOPIC, TOPIC
        from core.notices import Notice, publish
        from core.unit import unit
        from miyabi.session import session

        if TOPIC.fullmatch(topic) is None or len(topic) > LONGEST_TOPIC:
            raise Refused(_NO_TOPIC)
        said = {"title": title, "text": read_text(text or []), "url": url}
        facts = json_pairs(fact or []) | {k: storable(v) for k, v in said.items() if v}
        async with session(settings) as opened:
            company = await opened.organisation(organisation)
            recipients = await addressees.resolve(opened.house.engine, company.id, to or [])
            notice = Notice(topic, recipients, facts, importance, group=group, resolved=resolved)
            async with unit(opened.house) as work:
                notice_id = await publish(work, company.id, notice)
        if as_json:
            print_json({"id": str(notice_id), "topic": topic})
        else:
            say(_SENT.fill(id=notice_id))
        return Exit.DONE

    run(command, as_json=as_json)
