"""LINE channels: connecting them, their menus and webhook, their month and their groups."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from core.errors import Refused
from core.words import Words
from miyabi.commands.frame import (
    AsJson,
    Exit,
    OfOrganisation,
    complain,
    language,
    print_json,
    run,
    say,
    terminal,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.line.outbound import LineOutbound
    from bot.line.tokens import Channel
    from core.organisations import Organisation
    from core.settings import Settings
    from core.words import Language
    from miyabi.session import Session

app = typer.Typer(help="LINE official accounts (channels of the Messaging API).")

_CONNECTED = Words(
    ja="LINEチャネル「{name}」（{channel}）を接続しました。"
    "次に「miyabi line setup」を実行してください。",
    en="The LINE channel “{name}” ({channel}) is connected. Run “miyabi line setup” next.",
    zh="已连接 LINE 频道“{name}”（{channel}）。接下来请运行“miyabi line setup”。",
)
_CHANGED = Words(
    ja="LINEチャネル「{name}」のトークンを変更しました。",
    en="The token of the LINE channel “{name}” is changed.",
    zh="已更改 LINE 频道“{name}”的令牌。",
)
_REMOVED = Words(
    ja="LINEチャネル「{name}」の接続を解除しました。",
    en="The LINE channel “{name}” is no longer connected.",
    zh="已断开 LINE 频道“{name}”。",
)
_SECRET = Words(ja="チャネルシークレット", en="Channel secret", zh="频道密钥")
_TOKEN = Words(
    ja="チャネルアクセストークン（長期。チャネルIDがあれば空でも可）",
    en="Channel access token (long-lived; may be empty where there is a channel id)",
    zh="频道访问令牌（长期；有频道 ID 时可留空）",
)
_NO_CHANNELS = Words(
    ja="LINEチャネルは接続されていません。",
    en="No LINE channel is connected.",
    zh="尚未连接 LINE 频道。",
)
_WHICH = Words(
    ja="LINEチャネルが複数あります。--channel で指定してください: {channels}",
    en="There are several LINE channels. Name one with --channel: {channels}",
    zh="有多个 LINE 频道。请用 --channel 指定: {channels}",
)
_NO_SUCH = Words(
    ja="この組織にLINEチャネル {channel} はありません。",
    en="This organisation has no LINE channel {channel}.",
    zh="该组织没有 LINE 频道 {channel}。",
)
_OTHERS = Words(
    ja="LINEチャネル「{name}」はすでに別の組織に接続されています。",
    en="The LINE channel “{name}” belongs to another organisation already.",
    zh="LINE 频道“{name}”已连接到其他组织。",
)
_NO_WAY = Words(
    ja="チャネルIDかチャネルアクセストークンのどちらかが必要です。",
    en="Either the channel id or a channel access token is needed.",
    zh="需要频道 ID 或频道访问令牌之一。",
)
_MENUS = Words(
    ja="「{name}」: リッチメニューを {made} 件作成しました（日本語・英語・中国語）。",
    en="“{name}”: made {made} rich menus (Japanese, English, Chinese).",
    zh="“{name}”: 已创建 {made} 个菜单（日语、英语、中文）。",
)
_ENDPOINT = Words(
    ja="「{name}」: Webhook URLを {address} に設定しました。コンソールで「Webhookの利用」と"
    "「Webhookの再送」をオンにしてください。",
    en="“{name}”: the webhook address is {address}. Turn “Use webhook” and “Webhook redelivery” on "
    "in the console.",
    zh="“{name}”: Webhook 地址已设为 {address}。请在控制台打开“Use webhook”和"
    "“Webhook redelivery”。",
)
_NO_PUBLIC = Words(
    ja="MIYABI_PUBLIC_URL（https）がないため、Webhook URLは設定しませんでした。",
    en="Without MIYABI_PUBLIC_URL (https) the webhook address was not set.",
    zh="未设置 MIYABI_PUBLIC_URL（https），因此未设置 Webhook 地址。",
)
_WHICH_GROUP = Words(
    ja="どのグループか、IDを書いてください（「miyabi line groups」で一覧）。",
    en="Say which group, by its id (“miyabi line groups” lists them).",
    zh="请指明群组ID（“miyabi line groups”可列出）。",
)
_NO_SUCH_GROUP = Words(
    ja="グループ {group} はありません。", en="There is no group {group}.", zh="没有群组 {group}。"
)
_NO_GROUPS = Words(ja="グループはありません。", en="There are no groups.", zh="没有群组。")

OfChannel = Annotated[
    str | None,
    typer.Option("--channel", metavar="ID", help="Its bot's user id, if there are several."),
]
ChannelId = Annotated[
    str,
    typer.Option(
        "--channel-id",
        metavar="NUMBER",
        help="Short-lived tokens are issued with it, where no long-lived one is given.",
    ),
]


@app.command("add")
def add(
    channel_id: ChannelId = "", organisation: OfOrganisation = None, as_json: AsJson = False
) -> None:
    """Connect a channel. Its secret and token are asked for, or read from stdin, a line each."""

    async def command(settings: "Settings") -> int:
        from bot.line import rows
        from bot.line.tokens import Channel as Given
        from core.unit import unit
        from miyabi.session import session

        secret, token = _typed(_SECRET), _typed(_TOKEN)
        _check_way(channel_id, token)
        async with session(settings) as opened:
            company = await opened.organisation(organisation)
            channels = _outbound(opened).channels
            tokens = (token,) if token else ()
            given = Given("", company.id, company.slug, secret, channel_id, tokens)
            workspace, name = await channels.introduced(given)
            secrets = {"secret": secret, "channel_id": channel_id, "token": token}
            async with unit(opened.house) as work:
                if await rows.owner(work.connection, workspace) not in {None, company.id}:
                    _refuse(_OTHERS.fill(name=name))
                sealed = _sealed(settings, workspace, secrets)
                await rows.save(work, company.id, workspace, name, sealed)
        if as_json:
            print_json({"organisation": company.slug, "channel": workspace, "name": name})
        else:
            say(_CONNECTED.fill(name=name, channel=workspace))
        return Exit.DONE

    run(command, as_json=as_json)


@app.command("token")
def token(
    channel: OfChannel = None, channel_id: ChannelId = "", organisation: OfOrganisation = None
) -> None:
    """Give a channel another access token; running processes take it at once.

    It is asked for, or read from stdin. Empty with --channel-id: short-lived ones from now on.
    """

    async def command(settings: "Settings") -> int:
        from dataclasses import replace

        from bot.line import rows
        from core.unit import unit
        from miyabi.session import session

        typed = _typed(_TOKEN)
        async with session(settings) as opened:
            company = await opened.organisation(organisation)
            channels = _outbound(opened).channels
            found = await _one(opened, company, channel)
            number = channel_id or found.channel_id
            _check_way(number, typed)
            tokens = (typed,) if typed else ()
            changed = replace(found, channel_id=number, tokens=tokens)
            _, name = await channels.introduced(changed)  # a wrong one is refused, not kept
            secrets = {"secret": found.secret, "channel_id": number, "token": typed}
            if await channels.is_own(found):
                # The rest stays the settings': a secret that is changed there counts.
                secrets |= {"secret": "", "channel_id": channel_id}
            sealed = _sealed(settings, found.workspace, secrets)
            async with unit(opened.house) as work:
                await rows.save(work, company.id, found.workspace, name, sealed)
        say(_CHANGED.fill(name=name))
        return Exit.DONE

    run(command)


@app.command("list")
def list_channels(organisation: OfOrganisation = None, as_json: AsJson = False) -> None:
    """List the organisation's channels; secrets and tokens are not shown."""

    async def command(settings: "Settings") -> int:
        from miyabi.session import session

        async with session(settings) as opened:
            company = await opened.organisation(organisation)
            found = await _outbound(opened).channels.every(company.id)
            listed = [_row(each) for each in found]
        _print(company, "channels", listed, _NO_CHANNELS, as_json=as_json)
        return Exit.DONE

    run(command, as_json=as_json)


@app.command("remove")
def remove(
    channel: Annotated[str, typer.Argument(metavar="ID", help="Its bot's user id.")],
    organisation: OfOrganisation = None,
) -> None:
    """Disconnect a channel and forget what opens it. One of the settings comes back with them."""

    async def command(settings: "Settings") -> int:
        from bot.line import rows
        from core.unit import unit
        from miyabi.session import session

        async with session(settings) as opened:
            company = await opened.organisation(organisation)
            found = await _one(opened, company, channel)
            async with unit(opened.house) as work:
                await rows.remove(work, company.id, found.workspace)
        say(_REMOVED.fill(name=found.name))
        return Exit.DONE

    run(command)


@app.command("setup")
def setup(
    channel: OfChannel = None, organisation: OfOrganisation = None, as_json: AsJson = False
) -> None:
    """Make the rich menus in three languages, give everybody theirs, and set the webhook address.

    Run it again after an upgrade, or when people were added: what is there already stays.
    """

    async def command(settings: "Settings") -> int:
        from bot.line.endpoint import address_of, set_endpoint
        from bot.line.rich_menu import menu
        from core.words import LANGUAGES
        from miyabi.session import session

        address = address_of(settings.public_url)
        async with session(settings) as opened:
            company = await opened.organisation(organisation)
            outbound = _outbound(opened)
            found = await _one(opened, company, channel)
            people = await _by_language(opened, company, found.workspace)
            menus = {each: await menu(each) for each in LANGUAGES}
            made = await outbound.menus.set_up(found.workspace, menus, _spoken(company), people)
            if address is not None:
                await set_endpoint(outbound.channels, found.workspace, address)
        if as_json:
            print_json({"channel": found.workspace, "menus_made": made, "webhook": address})
            return Exit.DONE
        say(_MENUS.fill(name=found.name, made=made))
        if address is None:
            complain(_NO_PUBLIC)
        else:
            say(_ENDPOINT.fill(name=found.name, address=address))
        return Exit.DONE

    run(command, as_json=as_json)


@app.command("groups")
def groups(
    group: Annotated[
        str | None, typer.Argument(metavar="GROUP", help="Only this one, by its id.")
    ] = None,
    amounts: Annotated[
        bool | None,
        typer.Option("--amounts/--no-amounts", help="Show amounts there from now on, or not."),
    ] = None,
    organisation: OfOrganisation = None,
    as_json: AsJson = False,
) -> None:
    """List the groups that the channels are in, and whether amounts may be shown there."""

    async def command(settings: "Settings") -> int:
        from core.chats import chats_of, set_amounts
        from core.unit import unit
        from miyabi.session import session

        if group is None and amounts is not None:
            raise Refused(_WHICH_GROUP)
        async with session(settings) as opened:
            company = await opened.organisation(organisation)
            async with unit(opened.house) as work:
                every = await chats_of(work.connection, company.id, "line")
                found = [each for each in every if group in (None, each.channel)]
                if group is not None and not found:
                    raise Refused(_NO_SUCH_GROUP.fill(group=group[:60]))
                for each in found if amounts is not None else ():
                    chat = (company.id, each.platform, each.workspace, each.channel)
                    await set_amounts(work, *chat, on=bool(amounts))
        rows = [
            {
                "group": each.channel,
                "name": each.name,
                "amounts": each.amounts if amounts is None else amounts,
                "joined_at": each.joined_at.isoformat(timespec="seconds"),
                "channel": each.workspace,
            }
            for each in found
            if each.left_at is None
        ]
        _print(company, "groups", rows, _NO_GROUPS, as_json=as_json)
        return Exit.DONE

    run(command, as_json=as_json)


@app.command("quota")
def quota(organisation: OfOrganisation = None, as_json: AsJson = False) -> None:
    """Show how many messages each channel has this month, by LINE's figures and our own count."""

    async def command(settings: "Settings") -> int:
        from miyabi.session import session

        async with session(settings) as opened:
            company = await opened.organisation(organisation)
            outbound = _outbound(opened)
            rows = []
            for channel in await outbound.channels.every(company.id):
                left = await outbound.quotas.read(channel)
                rows.append(
                    {
                        "name": channel.name,
                        "month": f"{left.month:%Y-%m}",
                        "line_says": left.told,
                        "we_pushed": left.ours,
                        "most": left.most,
                        "kept_for_approvals": left.reserve(settings.line.reserve_percent),
                        "channel": channel.workspace,
                    }
                )
        _print(company, "quotas", rows, _NO_CHANNELS, as_json=as_json)
        return Exit.DONE

    run(command, as_json=as_json)


def _outbound(opened: "Session") -> "LineOutbound":
    from bot.line.outbound import LineOutbound

    found = opened.house.outbounds["line"]
    assert isinstance(found, LineOutbound)  # noqa: S101  # wiring, not input
    return found


async def _one(opened: "Session", company: "Organisation", channel: str | None) -> "Channel":
    """The channel that is meant. Raises Refused where that can't be told."""
    channels = _outbound(opened).channels
    if channels.in_settings and company.slug == opened.settings.organisation:
        await channels.own()
    every = await channels.every(company.id)
    found = [each for each in every if channel in {None, each.workspace}]
    if not found:
        _refuse(_NO_SUCH.fill(channel=channel) if channel else _NO_CHANNELS)
    if len(found) > 1:
        _refuse(_WHICH.fill(channels=", ".join(f"{c.workspace} ({c.name})" for c in found)))
    return found[0]


def _sealed(settings: "Settings", workspace: str, secrets: "Mapping[str, str]") -> bytes:
    from core.sealing import seal
    from core.secret_key import secret_key

    return seal(secret_key(settings), "line", workspace, secrets)


def _refuse(words: Words) -> None:
    from core.errors import Refused

    raise Refused(words)


def _check_way(channel_id: str, token: str) -> None:
    if not channel_id and not token:
        _refuse(_NO_WAY)


def _typed(what: Words) -> str:
    """A secret: typed without being shown, or a line of stdin; never an argument, which others on
    the machine could read."""
    if sys.stdin.isatty():
        typed: str = typer.prompt(what.to(language()), hide_input=True, default="", err=True)
        return typed.strip()
    return sys.stdin.readline().strip()


async def _by_language(
    opened: "Session", company: "Organisation", workspace: str
) -> "Mapping[Language, Sequence[str]]":
    from core.db import fetch_all
    from core.words import as_language

    async with opened.house.engine.connect() as connection:
        rows = await fetch_all(
            connection,
            "select a.external_id, p.language from accounts a join people p on p.id = a.person_id"
            " where a.organisation_id = :organisation_id and a.platform = 'line'"
            " and a.workspace = :workspace and p.active order by a.external_id",
            {"organisation_id": company.id, "workspace": workspace},
        )
    found: dict[Language, list[str]] = {}
    for row in rows:
        found.setdefault(as_language(row.language), []).append(row.external_id)
    return found


def _spoken(company: "Organisation") -> "Language":
    from core.words import as_language

    return as_language(company.company.language)


def _row(channel: "Channel") -> dict[str, object]:
    return {
        "channel": channel.workspace,
        "name": channel.name,
        "channel_id": channel.channel_id,
        "token": "long-lived" if channel.tokens else "short-lived",
    }


def _print(
    company: "Organisation",
    what: str,
    rows: "Sequence[Mapping[str, object]]",
    none: Words,
    *,
    as_json: bool,
) -> None:
    if as_json:
        print_json({"organisation": company.slug, what: rows})
    elif not rows:
        say(none)
    else:
        from rich.table import Table
        from rich.text import Text

        grid = Table(*rows[0], box=None, pad_edge=False)
        for row in rows:
            grid.add_row(*(Text("" if cell is None else str(cell)) for cell in row.values()))
        terminal().print(grid)
