"""Acknowledging a notice from the terminal: what nobody has acknowledged yet, and saying that
somebody has it."""

from typing import TYPE_CHECKING, Annotated

import typer

from core.words import Words, same
from miyabi.commands.frame import AsJson, AsPerson, Exit, OfOrganisation, print_json, run, say
from miyabi.commands.people import find_person

if TYPE_CHECKING:
    from core.settings import Settings

_DONE = Words(
    ja="{who} さんが対応することを記録しました。ほかの人には通知しません。",
    en="{who} has it now. Nobody else is told.",
    zh="已记录由 {who} 处理。不再通知其他人。",
)
_ALREADY = Words(
    ja="すでに対応中です: {who}（{at}）",
    en="{who} has it already ({at}).",
    zh="{who} 已在处理（{at}）。",
)
_NONE = Words(
    ja="応答を待っている通知はありません。",
    en="No notice waits for anybody's acknowledgement.",
    zh="没有等待响应的通知。",
)
_NOBODY = Words(ja="（不明）", en="somebody", zh="（未知）")


def register(app: typer.Typer) -> None:
    """Add the command below `miyabi notify`."""
    app.command("ack")(acknowledge_notice)


def acknowledge_notice(
    notice: Annotated[
        str | None,
        typer.Argument(metavar="NOTICE", help="Its id or the end of it; left out: list them."),
    ] = None,
    person: AsPerson = None,
    organisation: OfOrganisation = None,
    as_json: AsJson = False,
) -> None:
    """Say that somebody has it: nobody else is told of that notice any more."""

    async def command(settings: "Settings") -> int:
        from core.acknowledging import acknowledge, find_open, open_notices
        from core.people import names_of
        from core.unit import unit
        from miyabi.session import session

        async with session(settings) as opened:
            company = await opened.organisation(organisation)
            if notice is None:
                async with opened.house.engine.connect() as connection:
                    rows = await open_notices(connection, company.id)
                if as_json:
                    print_json({"organisation": company.slug, "notices": rows})
                for row in () if as_json else rows:
                    say(f"{row['notice']}  {row['since']:%Y-%m-%d %H:%M}Z  {row['topic']}")
                if not rows and not as_json:
                    say(_NONE)
                return Exit.DONE
            handle = await opened.handle_of(company, person)
            who = await find_person(opened, organisation, handle)
            async with unit(opened.house) as work:
                notice_id = await find_open(work.connection, company.id, notice)
                done = await acknowledge(work, company.id, notice_id, who.id, "command")
                names = await names_of(work.connection, company.id, [done.by] if done.by else [])
        name = same(names[0]) if names else _NOBODY
        if as_json:
            print_json(
                {"notice": done.notice_id, "by": done.by, "at": done.at, "first": done.first}
            )
        elif done.first:
            say(_DONE.fill(who=name))
        else:
            say(_ALREADY.fill(who=name, at=f"{done.at:%Y-%m-%d %H:%M}Z"))
        return Exit.DONE

    run(command, as_json=as_json)
