"""Mailboxes: adding them, whom they trust, and what opens them."""

import secrets
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from core.words import Words
from miyabi.commands.frame import (
    AsJson,
    Exit,
    OfOrganisation,
    ask_secret,
    print_json,
    run,
    say,
    terminal,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bot.email.boxes import Box
    from core.organisations import Organisation
    from core.settings import Settings
    from miyabi.commands.mail_options import Given
    from miyabi.session import Session

app = typer.Typer(help="Mailboxes.")

_ADDED = Words(
    ja="メールボックス {address} を追加しました。「miyabi doctor」で接続を確認できます。",
    en="The mailbox {address} is added. “miyabi doctor” tries its connections.",
    zh="已添加邮箱 {address}。可用“miyabi doctor”检查连接。",
)
_CHANGED = Words(
    ja="メールボックス {address} を変更しました。",
    en="The mailbox {address} is changed.",
    zh="已更改邮箱 {address}。",
)
_REMOVED = Words(
    ja="メールボックス {address} を削除しました。届いたメールと依頼は残ります。",
    en="The mailbox {address} is removed. What came there stays.",
    zh="已删除邮箱 {address}。已收到的邮件和请求保留。",
)
_POST = Words(
    ja="受信用HTTPの署名鍵（一度だけ表示）: {secret}",
    en="The key that posts to it are signed with (shown this once): {secret}",
    zh="HTTP 接收的签名密钥（仅显示一次）: {secret}",
)
_NONE = Words(
    ja="メールボックスはありません。「miyabi mail box add」で追加してください。",
    en="There are no mailboxes. Add one with “miyabi mail box add”.",
    zh="没有邮箱。请用“miyabi mail box add”添加。",
)
_NO_SUCH = Words(
    ja="この組織にメールボックス {address} はありません。",
    en="This organisation has no mailbox {address}.",
    zh="该组织没有邮箱 {address}。",
)
_PASSWORD = Words(
    ja="パスワード（なければ空）", en="Password (empty: none)", zh="密码（没有则留空）"
)
_CLIENT_SECRET = Words(ja="クライアントシークレット", en="Client secret", zh="客户端密钥")
_REFRESH_TOKEN = Words(
    ja="リフレッシュトークン（アプリケーション自身の権限で使う場合は空）",
    en="Refresh token (empty: by the application's own right)",
    zh="刷新令牌（以应用自身权限使用时留空）",
)

Address = Annotated[str, typer.Argument(metavar="ADDRESS", help="The mailbox's address.")]
Purpose = Annotated[
    Literal["general", "quote", "expense", "support"] | None,
    typer.Option("--purpose", help="What is asked for there, where the text does not say it."),
]
Provider = Annotated[
    Literal["google", "microsoft", "sakura", "xserver"] | None,
    typer.Option(
        "--provider", help="Presets servers, OAuth and trust; the other options go first."
    ),
]
Text = str | None
Name = Annotated[Text, typer.Option("--name", help="The name beside its address in our mails.")]
Host = Annotated[
    Text, typer.Option("--host", help="Its provider's server, for IMAP and SMTP alike.")
]
ImapHost = Annotated[Text, typer.Option("--imap-host", help="Read by IMAP there; '' for not.")]
ImapPort = Annotated[int | None, typer.Option("--imap-port", min=1, max=65535)]
ImapSecurity = Annotated[Literal["tls", "starttls", "none"] | None, typer.Option("--imap-security")]
SmtpHost = Annotated[
    Text, typer.Option("--smtp-host", help="Sent there; '' for the settings' server.")
]
SmtpPort = Annotated[int | None, typer.Option("--smtp-port", min=1, max=65535)]
SmtpSecurity = Annotated[Literal["tls", "starttls", "none"] | None, typer.Option("--smtp-security")]
User = Annotated[
    Text, typer.Option("--user", help="Who logs in (default: the address); '' for nobody.")
]
OAuth = Annotated[bool | None, typer.Option("--oauth/--password", help="How to log in.")]
ClientId = Annotated[Text, typer.Option("--client-id", help="Of the application, for OAuth.")]
Tenant = Annotated[Text, typer.Option("--tenant", help="Microsoft 365: the directory's id.")]
TokenUrl = Annotated[Text, typer.Option("--token-url", help="Of another provider's OAuth.")]
Scope = Annotated[Text, typer.Option("--scope", help="Of another provider's OAuth.")]
Folder = Annotated[Text, typer.Option("--folder", help="What is read (default: INBOX).")]
MovesTo = Annotated[
    Text, typer.Option("--moves-to", help="The folder that read mail is moved to; '' for none.")
]
Plus = Annotated[
    bool | None,
    typer.Option("--plus/--no-plus", help="Whether the provider delivers address+tag to it."),
]
Authserv = Annotated[
    list[str] | None,
    typer.Option(
        "--authserv-id",
        metavar="ID",
        help="Whose Authentication-Results are believed; *.x for all hosts under x. Repeatable.",
    ),
]
Topmost = Annotated[
    bool | None,
    typer.Option("--topmost/--no-topmost", help="The provider writes its results without an id."),
]
Domain = Annotated[
    list[str] | None,
    typer.Option(
        "--domain",
        metavar="DOMAIN",
        help="From there people may ask who are not known yet. Repeatable; '' for none.",
    ),
]
Dkim = Annotated[
    bool | None,
    typer.Option("--dkim/--no-dkim", help="Check signatures ourselves where no provider has."),
]
Post = Annotated[
    bool | None, typer.Option("--post/--no-post", help="Take mail by signed HTTP, with a new key.")
]


@app.command("add")
def add(
    address: Address,
    purpose: Purpose = None,
    provider: Provider = None,
    name: Name = None,
    host: Host = None,
    imap_host: ImapHost = None,
    imap_port: ImapPort = None,
    imap_security: ImapSecurity = None,
    smtp_host: SmtpHost = None,
    smtp_port: SmtpPort = None,
    smtp_security: SmtpSecurity = None,
    user: User = None,
    oauth: OAuth = None,
    client_id: ClientId = None,
    tenant: Tenant = None,
    token_url: TokenUrl = None,
    scope: Scope = None,
    folder: Folder = None,
    moves_to: MovesTo = None,
    plus: Plus = None,
    authserv_id: Authserv = None,
    topmost: Topmost = None,
    domain: Domain = None,
    dkim: Dkim = None,
    post: Post = None,
    organisation: OfOrganisation = None,
    as_json: AsJson = False,
) -> None:
    """Add a mailbox. Its password, or OAuth's secrets, are asked for or read from stdin, a line
    each; where neither IMAP nor SMTP needs one, none is."""
    given = dict(locals())

    async def command(settings: "Settings") -> int:
        from bot.email import boxes
        from bot.email.boxes import Box
        from core.ids import new_id
        from core.unit import unit
        from miyabi.commands.mail_options import Given, checked, settled
        from miyabi.session import session

        options = Given.of(given)
        async with session(settings) as opened:
            company = await opened.organisation(organisation)
            # What comes to us directly keeps its tag; what a provider keeps for us, who knows.
            plus = provider is None and not (host or imap_host)
            bare = Box(new_id(), company.id, company.slug, checked(address), plus=plus)
            box = _with_secrets(settled(bare, options), options, ask=True)
            async with unit(opened.house) as work:
                await boxes.add(work, opened.house, box)
        _tell(box, _ADDED, as_json=as_json, post=post)
        return Exit.DONE

    run(command, as_json=as_json)


@app.command("set")
def set_box(
    address: Address,
    purpose: Purpose = None,
    provider: Provider = None,
    name: Name = None,
    host: Host = None,
    imap_host: ImapHost = None,
    imap_port: ImapPort = None,
    imap_security: ImapSecurity = None,
    smtp_host: SmtpHost = None,
    smtp_port: SmtpPort = None,
    smtp_security: SmtpSecurity = None,
    user: User = None,
    oauth: OAuth = None,
    client_id: ClientId = None,
    tenant: Tenant = None,
    token_url: TokenUrl = None,
    scope: Scope = None,
    folder: Folder = None,
    moves_to: MovesTo = None,
    plus: Plus = None,
    authserv_id: Authserv = None,
    topmost: Topmost = None,
    domain: Domain = None,
    dkim: Dkim = None,
    post: Post = None,
    ask_secrets: Annotated[
        bool, typer.Option("--secrets", help="Ask for its password or OAuth's secrets anew.")
    ] = False,
    organisation: OfOrganisation = None,
    as_json: AsJson = False,
) -> None:
    """Change what is given, and leave the rest; lists are replaced as a whole."""
    given = dict(locals())

    async def command(settings: "Settings") -> int:
        from bot.email import boxes
        from core.unit import unit
        from miyabi.commands.mail_options import Given, settled
        from miyabi.session import session

        options = Given.of(given)
        async with session(settings) as opened:
            company = await opened.organisation(organisation)
            found = await _one(opened, company, address)
            box = _with_secrets(settled(found, options), options, ask=ask_secrets)
            async with unit(opened.house) as work:
                await boxes.change(work, opened.house, box)
        _tell(box, _CHANGED, as_json=as_json, post=post)
        return Exit.DONE

    run(command, as_json=as_json)


@app.command("list")
def list_boxes(organisation: OfOrganisation = None, as_json: AsJson = False) -> None:
    """List the organisation's mailboxes."""

    async def command(settings: "Settings") -> int:
        from bot.email import boxes
        from miyabi.session import session

        async with session(settings) as opened:
            company = await opened.organisation(organisation)
            found = await boxes.of_organisation(opened.house, company.id)
        if as_json:
            shown = [_shown(box) for box in found]
            print_json({"organisation": company.slug, "mailboxes": shown})
        elif not found:
            say(_NONE)
        else:
            _table(found)
        return Exit.DONE

    run(command, as_json=as_json)


@app.command("show")
def show(address: Address, organisation: OfOrganisation = None, as_json: AsJson = False) -> None:
    """Show a mailbox's settings, and how its folder stands; secrets are named, never shown."""

    async def command(settings: "Settings") -> int:
        from core.db import fetch_alone
        from miyabi.session import session

        async with session(settings) as opened:
            company = await opened.organisation(organisation)
            box = await _one(opened, company, address)
            folders = await fetch_alone(
                opened.house.engine,
                "select folder, last_uid, synced_at, error from mail_folders"
                " where organisation_id = :organisation_id and mailbox_id = :id order by folder",
                {"organisation_id": company.id, "id": box.id},
            )
        shown = {**_shown(box), "folders": [dict(row.items()) for row in folders]}
        if as_json:
            print_json(shown)
        else:
            for name, value in _lines(shown):
                terminal().print(f"{name:20} {value}", soft_wrap=True)
        return Exit.DONE

    run(command, as_json=as_json)


@app.command("remove")
def remove(address: Address, organisation: OfOrganisation = None) -> None:
    """Take a mailbox out of use and forget what opens it."""

    async def command(settings: "Settings") -> int:
        from bot.email import boxes
        from core.unit import unit
        from miyabi.session import session

        async with session(settings) as opened:
            company = await opened.organisation(organisation)
            box = await _one(opened, company, address)
            async with unit(opened.house) as work:
                await boxes.remove(work, box)
        say(_REMOVED.fill(address=box.address))
        return Exit.DONE

    run(command)


async def _one(opened: "Session", company: "Organisation", address: str) -> "Box":
    """The mailbox that is meant. Raises Refused where the organisation has none of that address."""
    from bot.email import boxes
    from core.errors import Refused

    for box in await boxes.of_organisation(opened.house, company.id):
        if box.address == address.lower():
            return box
    raise Refused(_NO_SUCH.fill(address=address[:100]))


def _with_secrets(box: "Box", given: "Given", *, ask: bool) -> "Box":
    """The mailbox with what opens it: asked for as its ways in and out need it, a post's made."""
    kept = dict(box.secrets)
    if given.post is not None:
        kept.pop("post_secret", None)
    if given.post:
        kept["post_secret"] = secrets.token_urlsafe(32)
    servers = [server for server in (box.imap, box.smtp) if server is not None]
    if ask and any(server.oauth2 for server in servers):
        kept |= {
            "client_secret": ask_secret(_CLIENT_SECRET),
            "refresh_token": ask_secret(_REFRESH_TOKEN),
        }
    if ask and any(not server.oauth2 and server.user for server in servers):
        password = ask_secret(_PASSWORD)
        kept |= {"imap_password": password, "smtp_password": password}
    return replace(box, secrets={name: value for name, value in kept.items() if value})


def _tell(box: "Box", words: Words, *, as_json: bool, post: bool | None) -> None:
    made = {"post_secret": box.secrets["post_secret"]} if post else {}
    if as_json:
        print_json({**_shown(box), **made})
        return
    say(words.fill(address=box.address))
    if made:
        say(_POST.fill(secret=made["post_secret"]))


def _shown(box: "Box") -> dict[str, object]:
    from core.codec import dump

    hidden = {"id", "organisation_id", "workspace", "secrets"}
    shown = {name: value for name, value in dump(box).items() if name not in hidden}
    return {**shown, "secrets": sorted(box.secrets)}


def _lines(shown: "Mapping[str, object]", above: str = "") -> "Iterator[tuple[str, str]]":
    """What is set, a line each; of what has parts, `trust.domains`."""
    for name, value in shown.items():
        if isinstance(value, dict):
            yield from _lines(value, f"{above}{name}.")
        elif isinstance(value, list) and any(isinstance(each, dict) for each in value):
            for each in value:
                yield from _lines(each, f"{above}{name}.")
        elif isinstance(value, list):
            yield above + name, ", ".join(str(each) for each in value) or "-"
        else:
            yield above + name, "-" if value is None else str(value)


def _table(found: "list[Box]") -> None:
    from rich.table import Table
    from rich.text import Text as Cell

    grid = Table("address", "purpose", "imap", "smtp", "trusts", box=None, pad_edge=False)
    for box in found:
        trust = [*box.trust.authserv_ids, *(["topmost"] if box.trust.topmost else [])]
        row = (
            box.address,
            box.purpose,
            box.imap.host if box.imap else "-",
            box.smtp.host if box.smtp else "-",
            ", ".join(trust) or "-",
        )
        grid.add_row(*(Cell(cell) for cell in row))
    terminal().print(grid)
