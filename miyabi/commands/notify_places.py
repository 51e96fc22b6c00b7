"""Places that are told things besides people: adding, changing, trying and removing them."""

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from core.words import Words
from miyabi.commands.frame import (
    AsJson,
    Exit,
    OfOrganisation,
    ask_secret,
    moment,
    pairs,
    print_json,
    print_list,
    run,
    say,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.organisations import Organisation
    from core.settings import Settings
    from miyabi.session import Session
    from notifier.hub.places import NoticePlace

app = typer.Typer(
    help="Places that are told things: webhooks, Teams, channels of a chat.", no_args_is_help=True
)

_ADDED = Words(
    ja="通知先「{name}」を追加しました。「miyabi notify place test {name}」で試せます。",
    en="The place “{name}” is added. “miyabi notify place test {name}” tries it.",
    zh="已添加通知目标“{name}”。可用“miyabi notify place test {name}”测试。",
)
_MADE = Words(
    ja="{what}（一度だけ表示）: {value}",
    en="{what} (shown this once): {value}",
    zh="{what}（仅显示一次）: {value}",
)
_CHANGED = Words(
    ja="通知先「{name}」を変更しました。",
    en="The place “{name}” is changed.",
    zh="已更改通知目标“{name}”。",
)
_REMOVED = Words(
    ja="通知先「{name}」を削除しました。",
    en="The place “{name}” is removed.",
    zh="已删除通知目标“{name}”。",
)
_NONE = Words(ja="通知先はありません。", en="There are no places.", zh="没有通知目标。")
_ARRIVED = Words(
    ja="「{name}」に届きました（{id}）。",
    en="It was taken by “{name}” ({id}).",
    zh="“{name}”已接收（{id}）。",
)
_ON_AGAIN = Words(
    ja="停止していた「{name}」への通知を再開しました。",
    en="“{name}” had been off and is told things again.",
    zh="已停用的“{name}”恢复接收通知。",
)
_SECRET = Words(
    ja="{name}（{what}。なければ空）",
    en="{name} ({what}; empty: none)",
    zh="{name}（{what}，没有则留空）",
)
_TEST = Words(
    ja="Miyabi からのテスト通知です。対応は不要です。",
    en="This is a test by Miyabi. There is nothing to do.",
    zh="这是 Miyabi 的测试通知，无需处理。",
)

Name = Annotated[str, typer.Argument(metavar="NAME", help="What the place is called.")]
Workspace = Annotated[
    str | None, typer.Option("--workspace", help="Of a chat: the team or server it is in.")
]
Set = Annotated[
    list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A setting. Repeatable.")
]
Speaks = Annotated[Literal["ja", "en", "zh"] | None, typer.Option("--language")]
Owner = Annotated[
    str | None,
    typer.Option("--owner", metavar="PERSON", help="Who is told when it is gone; else the admins."),
]


@app.command("add")
def add(
    name: Name,
    channel: Annotated[
        str, typer.Argument(metavar="CHANNEL", help="webhook, teams, apprise, or a chat: slack …")
    ],
    address: Annotated[
        str,
        typer.Argument(metavar="ADDRESS", help="Its URL, a chat's id, or what to call it."),
    ],
    workspace: Workspace = None,
    settings_given: Set = None,
    language: Speaks = None,
    owner: Owner = None,
    organisation: OfOrganisation = None,
    as_json: AsJson = False,
) -> None:
    """Add a place. Its secrets are asked for, or read from stdin, a line each in the order of their
    names; those that can be made are made where the line is empty, and shown once."""

    async def command(settings: "Settings") -> int:
        from core.unit import unit
        from miyabi.plugins import all_channels
        from miyabi.session import session
        from notifier.hub import places
        from notifier.hub.place_checks import checked

        async with session(settings) as opened:
            company = await opened.organisation(organisation)
            typed = _ask_secrets(channel)
            bare = places.made(
                company.id, name, channel, address,
                workspace=workspace or "", settings=pairs(settings_given), secrets=typed,
                language=language or "ja", owner_id=await _owner(opened, organisation, owner),
            )  # fmt: skip
            place = checked(opened.house, settings, all_channels(), bare)
            async with unit(opened.house) as work:
                await places.add(work, opened.house, place)
        made = {key: value for key, value in place.secrets.items() if key not in typed}
        if as_json:
            print_json({**_row(place), "made": made})
            return Exit.DONE
        say(_ADDED.fill(name=name))
        _show_made(place.secrets, typed)
        return Exit.DONE

    run(command, as_json=as_json)


@app.command("set")
def change(
    name: Name,
    address: Annotated[str | None, typer.Option("--address")] = None,
    workspace: Workspace = None,
    settings_given: Set = None,
    ask_secrets: Annotated[
        bool, typer.Option("--secrets", help="Ask for its secrets; an empty line keeps one.")
    ] = False,
    new_secret: Annotated[
        bool,
        typer.Option(
            "--new-secret", help="Make a new one, shown once; the old one counts as well."
        ),
    ] = False,
    forget: Annotated[
        list[str] | None, typer.Option("--forget", metavar="SECRET", help="E.g. old_secret.")
    ] = None,
    language: Speaks = None,
    owner: Owner = None,
    organisation: OfOrganisation = None,
) -> None:
    """Change what is given, and leave the rest. A setting without a value is taken away."""

    async def command(settings: "Settings") -> int:
        from core.unit import unit
        from miyabi.plugins import all_channels
        from miyabi.session import session
        from notifier.hub import places
        from notifier.hub.place_checks import checked, renewed

        async with session(settings) as opened:
            company = await opened.organisation(organisation)
            found = await _one(opened, company, name)
            typed = _ask_secrets(found.channel) if ask_secrets else {}
            secrets = dict(found.secrets)
            if new_secret:
                secrets = renewed(all_channels(), found)
            for each in forget or ():
                secrets.pop(each, None)
            kept = {**found.settings, **pairs(settings_given)}
            place = replace(
                found,
                address=address or found.address,
                workspace=found.workspace if workspace is None else workspace,
                settings={key: value for key, value in kept.items() if value},
                secrets={**secrets, **typed},
                language=language or found.language,
                owner_id=await _owner(opened, organisation, owner) or found.owner_id,
            )
            place = checked(opened.house, settings, all_channels(), place)
            async with unit(opened.house) as work:
                await places.change(work, opened.house, place)
        say(_CHANGED.fill(name=name))
        if new_secret:
            _show_made(place.secrets, found.secrets)
        return Exit.DONE

    run(command)


@app.command("list")
def list_places(organisation: OfOrganisation = None, as_json: AsJson = False) -> None:
    """List the places; their secrets are named, never shown."""

    async def command(settings: "Settings") -> int:
        from miyabi.session import session
        from notifier.hub import places

        async with session(settings) as opened:
            company = await opened.organisation(organisation)
            async with opened.house.engine.connect() as connection:
                found = await places.every(connection, opened.house, company.id)
        rows = [_row(place) for place in found]
        print_list("places", rows, company.slug, _NONE, as_json=as_json)
        return Exit.DONE

    run(command, as_json=as_json)


@app.command("remove")
def remove(name: Name, organisation: OfOrganisation = None) -> None:
    """Tell a place nothing more, and forget what opens it."""

    async def command(settings: "Settings") -> int:
        from core.unit import unit
        from miyabi.session import session
        from notifier.hub import places

        async with session(settings) as opened:
            company = await opened.organisation(organisation)
            found = await _one(opened, company, name)
            async with unit(opened.house) as work:
                await places.remove(work, found)
        say(_REMOVED.fill(name=name))
        return Exit.DONE

    run(command)


@app.command("test")
def try_place(name: Name, organisation: OfOrganisation = None, as_json: AsJson = False) -> None:
    """Send it a harmless message, and tell what became of that; one that was off is on again."""

    async def command(settings: "Settings") -> int:
        from datetime import UTC, datetime

        from core.messages import Message
        from core.unit import unit
        from miyabi.plugins import all_channels
        from miyabi.session import session
        from notifier.hub import places

        async with session(settings) as opened:
            company = await opened.organisation(organisation)
            place = await _one(opened, company, name)
            text = _TEST.to(place.language)
            notice = {
                "topic": "test", "importance": "low", "facts": {}, "count": 1, "resolved": False,
                "time": datetime.now(UTC).isoformat(timespec="seconds"),
            }  # fmt: skip
            message = Message(text, title="Miyabi", body=text, language=place.language)
            sent = await places.tell(opened.house, settings, all_channels(), place, message, notice)
            async with unit(opened.house) as work:
                was_off = await places.turn_on(work, place)
        if as_json:
            print_json({"place": name, "arrived": True, "id": sent.id, "was_off": was_off})
            return Exit.DONE
        say(_ARRIVED.fill(name=name, id=sent.id))
        if was_off:
            say(_ON_AGAIN.fill(name=name))
        return Exit.DONE

    run(command, as_json=as_json)


def _show_made(now: "Mapping[str, str]", before: "Mapping[str, str]") -> None:
    """What was made by us, this once."""
    for name, value in now.items():
        if value not in before.values():
            say(_MADE.fill(what=name, value=value))


async def _one(opened: "Session", company: "Organisation", name: str) -> "NoticePlace":
    from notifier.hub import places

    async with opened.house.engine.connect() as connection:
        return await places.by_name(connection, opened.house, company.id, name)


async def _owner(opened: "Session", organisation: str | None, handle: str | None) -> Any:
    from miyabi.commands.people import find_person

    return (await find_person(opened, organisation, handle)).id if handle else None


def _ask_secrets(channel: str) -> dict[str, str]:
    """What is typed for each secret that the channel has."""
    from miyabi.plugins import all_channels

    found = all_channels().get(channel)
    typed = {}
    for name in sorted(found.secret) if found else ():
        what = found.settings[name] if found else ""
        typed[name] = ask_secret(_SECRET.fill(name=name, what=what))
    return {name: value for name, value in typed.items() if value}


def _row(place: "NoticePlace") -> dict[str, object]:
    return {
        "name": place.name,
        "channel": place.channel,
        "workspace": place.workspace,
        "address": place.address,
        "settings": [f"{name}={value}" for name, value in sorted(place.settings.items())],
        "secrets": sorted(place.secrets),
        "language": place.language,
        "off_since": moment(place.off_since),
        "off_why": place.off_why or None,
    }
