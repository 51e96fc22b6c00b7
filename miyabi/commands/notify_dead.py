"""Dead letters: what could be told to nobody is listed, sent once more, or dropped."""

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from core.words import Words
from miyabi.commands.frame import (
    AsJson,
    Exit,
    OfOrganisation,
    complain,
    moment,
    print_json,
    print_list,
    print_rows,
    run,
    say,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from uuid import UUID

    from core.settings import Settings
    from core.unit import Unit
    from notifier.hub.dead import Dead

app = typer.Typer(
    help="What could be told to nobody, and what nobody knows the end of.", no_args_is_help=True
)

_NONE = Words(
    ja="届かなかった通知はありません。", en="There are no dead letters.", zh="没有未送达的通知。"
)
_REPLAYED = Words(
    ja="{count} 件をもう一度送ります。",
    en="Sent once more: {count}.",
    zh="将重新发送 {count} 条。",
)
_DROPPED = Words(ja="{count} 件を破棄しました。", en="Dropped: {count}.", zh="已放弃 {count} 条。")
_WHICH = Words(
    ja="どれかを指定するか、--all を付けてください。",
    en="Say which ones, or --all.",
    zh="请指定编号，或使用 --all。",
)

Which = Annotated[
    list[str] | None, typer.Argument(metavar="[ID]...", help="Their ids, or how these begin.")
]
Every = Annotated[bool, typer.Option("--all", help="All there are.")]
OfTopic = Annotated[
    str | None, typer.Option("--topic", metavar="TOPIC", help="Only these: 'alert.*'.")
]
OfChannel = Annotated[str | None, typer.Option("--channel", help="Only of this channel.")]


@app.command("list")
def show_all(
    topic: OfTopic = None,
    channel: OfChannel = None,
    organisation: OfOrganisation = None,
    as_json: AsJson = False,
) -> None:
    """Those there are, the oldest first, each with its reason."""

    async def command(settings: "Settings") -> int:
        from miyabi.session import session
        from notifier.hub.dead import dead

        async with session(settings) as opened:
            company = await opened.organisation(organisation)
            async with opened.house.engine.connect() as connection:
                found = await dead(connection, company.id, topic=topic, channel=channel)
        rows = [_row(each) for each in found]
        if not as_json:
            shown = ("id", "topic", "person", "channel", "reason", "since")
            rows = [{name: row[name] for name in shown} for row in rows]
        print_list("dead", rows, company.slug, _NONE, as_json=as_json)
        return Exit.DONE

    run(command, as_json=as_json)


@app.command("show")
def show(
    which: Annotated[str, typer.Argument(metavar="ID")],
    organisation: OfOrganisation = None,
    as_json: AsJson = False,
) -> None:
    """One of them, with all that is known of it."""

    async def command(settings: "Settings") -> int:
        from miyabi.session import session
        from notifier.hub.dead import by_beginning

        async with session(settings) as opened:
            company = await opened.organisation(organisation)
            async with opened.house.engine.connect() as connection:
                found = _row(await by_beginning(connection, company.id, which))
        if as_json:
            print_json(found)
        else:
            print_rows([{"": name, " ": value} for name, value in found.items()])
        return Exit.DONE

    run(command, as_json=as_json)


@app.command("replay")
def replay(
    which: Which = None,
    every: Every = False,
    topic: OfTopic = None,
    channel: OfChannel = None,
    to: Annotated[
        str | None,
        typer.Option("--to", metavar="ADDRESS", help="Where it should have gone. With one ID."),
    ] = None,
    organisation: OfOrganisation = None,
    as_json: AsJson = False,
) -> None:
    """Have them sent once more, under the same key. What has become untrue is dropped instead."""
    if to is not None and len(which or ()) != 1:
        raise typer.BadParameter("--to goes with one ID")

    async def command(settings: "Settings") -> int:
        from notifier.hub import dead

        chosen = _Chosen(organisation, which or (), topic, channel, every=every)
        return await chosen.each(settings, partial(dead.replay, to=to), _REPLAYED, as_json=as_json)

    run(command, as_json=as_json)


@app.command("drop")
def drop(
    which: Which = None,
    every: Every = False,
    topic: OfTopic = None,
    channel: OfChannel = None,
    organisation: OfOrganisation = None,
    as_json: AsJson = False,
) -> None:
    """Forget them: nobody is told any more."""

    async def command(settings: "Settings") -> int:
        from notifier.hub import dead

        chosen = _Chosen(organisation, which or (), topic, channel, every=every)
        return await chosen.each(settings, dead.drop, _DROPPED, as_json=as_json)

    run(command, as_json=as_json)


@dataclass(frozen=True, slots=True)
class _Chosen:
    """Those that something is done with."""

    organisation: str | None
    which: "Sequence[str]"
    topic: str | None
    channel: str | None
    every: bool

    async def each(
        self,
        settings: "Settings",
        act: "Callable[[Unit, UUID, Sequence[UUID]], Awaitable[int]]",
        words: Words,
        *,
        as_json: bool,
    ) -> int:
        from core.unit import unit
        from miyabi.session import session
        from notifier.hub.dead import by_beginning, dead

        if not (self.which or self.every or self.topic or self.channel):
            complain(_WHICH)
            return Exit.NEEDS_INPUT
        async with session(settings) as opened:
            org = (await opened.organisation(self.organisation)).id
            async with opened.house.engine.connect() as connection:
                if self.which:
                    found = [await by_beginning(connection, org, each) for each in self.which]
                else:
                    found = list(
                        await dead(connection, org, topic=self.topic, channel=self.channel)
                    )
            async with unit(opened.house) as work:
                count = await act(work, org, [each.id for each in found])
        if as_json:
            print_json({"count": count})
        else:
            say(words.fill(count=count))
        return Exit.DONE


def _row(dead: "Dead") -> dict[str, object]:
    return {
        "id": str(dead.id),
        "topic": dead.topic,
        "importance": dead.importance,
        "title": dead.title,
        "person": dead.person,
        "channel": dead.channel,
        "workspace": dead.workspace,
        "address": dead.address,
        "state": dead.state,
        "reason": dead.reason or dead.state,
        "error": dead.error,
        "attempts": dead.attempts,
        "since": moment(dead.since),
        "notice": str(dead.notice_id),
    }
