"""What `miyabi doctor` looks at: each mailbox's ways in and out, whom it believes, what waits."""

import asyncio
import ssl
from collections.abc import Sequence
from uuid import UUID

from bot.email import boxes
from bot.email.boxes import Box, Server
from bot.email.oauth import Tokens
from core.db import fetch_alone, fetch_one_alone
from core.errors import MiyabiError
from core.house import House
from core.platform import Finding, Opening
from core.settings import EmailSettings
from core.words import LANGUAGES, Words, same

NOT_SET_UP = Words(
    ja="メール: 設定されていません（使わない場合はこのままで大丈夫です）",
    en="Mail: not set up (fine if you don't use it)",
    zh="邮件: 未设置（如不使用可忽略）",
)
OPENED = Words(ja="メール: {address}", en="Mail: {address}", zh="邮件: {address}")
READ = Words(
    ja="メール: {address} の受信（{host}、フォルダー {folder}）",
    en="Mail: reading {address} ({host}, folder {folder})",
    zh="邮件: 读取 {address}（{host}，文件夹 {folder}）",
)
SENT = Words(
    ja="メール: {address} の送信（{host}）",
    en="Mail: sending for {address} ({host})",
    zh="邮件: 通过 {host} 为 {address} 发送",
)
SAID = Words(
    ja="サーバーの応答: {why}。サーバー名とパスワードを確認し、「miyabi mail box set {address}」で"
    "直してください。",
    en="The server says: {why}. Check its name and the password, and mend it with “miyabi mail box "
    "set {address}”.",
    zh="服务器的答复: {why}。请检查服务器名和密码，并用“miyabi mail box set {address}”修正。",
)
NO_WAY_IN = Words(
    ja="メール: {address} への受信手段",
    en="Mail: a way in for {address}",
    zh="邮件: {address} 的接收方式",
)
NO_WAY_IN_FIX = Words(
    ja="--imap-host、--post、または EMAIL_LISTEN_LMTP のどれかを設定してください。",
    en="Set --imap-host, --post, or EMAIL_LISTEN_LMTP.",
    zh="请设置 --imap-host、--post 或 EMAIL_LISTEN_LMTP。",
)
NO_WAY_OUT = Words(
    ja="メール: {address} からの送信手段",
    en="Mail: a way out for {address}",
    zh="邮件: {address} 的发送方式",
)
NO_WAY_OUT_FIX = Words(
    ja="--smtp-host または EMAIL_SMTP_HOST を設定してください。",
    en="Set --smtp-host or EMAIL_SMTP_HOST.",
    zh="请设置 --smtp-host 或 EMAIL_SMTP_HOST。",
)
BELIEVED = Words(
    ja="メール: {address} で差出人を信じる根拠: {what}",
    en="Mail: who makes {address} believe a sender: {what}",
    zh="邮件: {address} 采信发件人的依据: {what}",
)
OURSELVES = Words(ja="DKIM（自前の検証）", en="DKIM, checked by ourselves", zh="DKIM（自行验证）")
TOPMOST = Words(ja="いちばん上の判定", en="the topmost results", zh="最上方的判定")
NOBODY = Words(ja="なし", en="nobody", zh="无")
BELIEVED_FIX = Words(
    ja="このままではすべての依頼が保留になります。--authserv-id か --dkim を設定してください"
    "（docs/email.md）。",
    en="Like this, all that is asked for is held. Set --authserv-id or --dkim (docs/email.md).",
    zh="这样所有请求都会被保留。请设置 --authserv-id 或 --dkim（docs/email.md）。",
)
UNBELIEVED = Words(
    ja="メール: {address} でこの7日間に確認できた社員のメール {by} / {all}",
    en="Mail: of your people's mails to {address} in seven days believed: {by} of {all}",
    zh="邮件: 七天内发到 {address} 的员工邮件中已采信 {by} / {all}",
)
UNBELIEVED_FIX = Words(
    ja="1通も確認できていません。届いたメールの Authentication-Results の名前を --authserv-id に"
    "設定し、自社ドメインのDKIMとDMARCを確認してください（docs/email.md）。",
    en="None was. Set --authserv-id to the name in Authentication-Results of a mail that came, and "
    "look at DKIM and DMARC of your own domain (docs/email.md).",
    zh="一封也没有。请将收到的邮件中 Authentication-Results 的名称设为 --authserv-id，"
    "并检查本公司域名的 DKIM 和 DMARC（docs/email.md）。",
)
KNOWN = Words(
    ja="メール: {address} に書ける人",
    en="Mail: somebody who may write to {address}",
    zh="邮件: 可以写信到 {address} 的人",
)
KNOWN_FIX = Words(
    ja="「miyabi people link ハンドル アドレス」で登録するか、--domain で会社のドメインを"
    "許可してください。",
    en="Add people with “miyabi people link HANDLE ADDRESS”, or allow your domain with --domain.",
    zh="请用“miyabi people link 账号 地址”登记，或用 --domain 允许公司的域名。",
)
WAITING = Words(
    ja="メール: 10分以上処理を待っている {mails} 通、隔離 {poison} 通、送信結果不明 {unknown} 通",
    en="Mail: {mails} wait for more than ten minutes, {poison} in quarantine, {unknown} letters of "
    "unknown outcome",
    zh="邮件: 等待超过十分钟 {mails} 封，隔离 {poison} 封，发送结果不明 {unknown} 封",
)
WAITING_FIX = Words(
    ja="ワーカーが動いているか確認し、「miyabi mail log」と「miyabi mail quarantine list」を"
    "見てください。",
    en="Check that workers run, and see “miyabi mail log” and “miyabi mail quarantine list”.",
    zh="请确认工作进程在运行，并查看“miyabi mail log”和“miyabi mail quarantine list”。",
)
PAGES = Words(
    ja="メール: 承認ページのアドレス（MIYABI_PUBLIC_URL）",
    en="Mail: an address for pages of approvals (MIYABI_PUBLIC_URL)",
    zh="邮件: 审批页面的地址（MIYABI_PUBLIC_URL）",
)
PAGES_FIX = Words(
    ja="MIYABI_PUBLIC_URL に https:// で始まるアドレスを設定してください。ないとメールに"
    "承認ページへのリンクが付きません（「承認」の返信は使えます）。",
    en="Set MIYABI_PUBLIC_URL to an address that begins with https://. Without it mails have no "
    "link to decide by (answering 承認 works).",
    zh="请将 MIYABI_PUBLIC_URL 设置为 https:// 开头的地址。否则邮件中没有审批页面的链接"
    "（仍可回复“承認”）。",
)

_TELLS = 3  # mails, from which on it can be told
_LOGS_IN_WITHIN = 20.0  # seconds, our own


async def check(opening: Opening) -> Sequence[Finding]:
    """Log in everywhere, as reading and sending do; each finding says what to do."""
    house, settings = opening.house, opening.settings.email
    # across organisations: the operator's list
    rows = await fetch_alone(
        house.engine, "select id, address from mailboxes where removed_at is null order by id", {}
    )
    if not rows:
        return [Finding(True, NOT_SET_UP)]
    public = (opening.settings.public_url or "").startswith("https://")
    findings = [Finding(public, PAGES, None if public else PAGES_FIX)]
    for found in await asyncio.gather(*(_of(house, settings, row.id, row.address) for row in rows)):
        findings += found
    return [*findings, await _waiting(house)]


async def _of(
    house: House, settings: EmailSettings, box_id: UUID, address: str
) -> Sequence[Finding]:
    try:
        box = await boxes.by_id(house, box_id)
    except MiyabiError as error:
        return [Finding(False, OPENED.fill(address=address), error.words)]
    if box is None:
        return []
    tokens = Tokens(house)
    return [
        await _way_in(box, settings, tokens),
        await _way_out(box, settings, tokens),
        _believed(box),
        *await _lately_believed(house, box),
        await _known(house, box),
    ]


async def _way_in(box: Box, settings: EmailSettings, tokens: Tokens) -> Finding:
    if box.imap is None:
        ports = (settings.listen_lmtp, settings.listen_smtp)
        there = "post_secret" in box.secrets or any(port is not None for port in ports)
        what = NO_WAY_IN.fill(address=box.address)
        return Finding(there, what, None if there else NO_WAY_IN_FIX)
    what = READ.fill(address=box.address, host=box.imap.host, folder=box.folder)
    try:
        token = await tokens.token(box) if box.imap.oauth2 else None
        why = await asyncio.to_thread(_read, box, box.imap, token)
    except MiyabiError as error:
        return Finding(False, what, error.words)
    return Finding(not why, what, SAID.fill(why=why, address=box.address) if why else None)


def _read(box: Box, server: Server, token: str | None) -> str:
    """Why the folder can't be read, in the server's words; '' where it can."""
    from bot.email.imap_session import Broken, Session

    password = box.secrets.get("imap_password", "")
    try:
        Session(
            server, password=password, token=token, folder=box.folder, answers=_LOGS_IN_WITHIN
        ).close()
    except Broken as error:
        return str(error)[:200] or type(error).__name__
    return ""


async def _way_out(box: Box, settings: EmailSettings, tokens: Tokens) -> Finding:
    from bot.email.smtp import open_wire, way_of

    way = way_of(box, settings)
    if way is None:
        return Finding(False, NO_WAY_OUT.fill(address=box.address), NO_WAY_OUT_FIX)
    what = SENT.fill(address=box.address, host=way.host)
    try:
        context = await asyncio.to_thread(ssl.create_default_context)
        async with asyncio.timeout(_LOGS_IN_WITHIN):
            wire = await open_wire(way, context, tokens.token)
    except MiyabiError as error:
        return Finding(False, what, error.words)
    except TimeoutError:
        return Finding(False, what, SAID.fill(why="-", address=box.address))
    await wire.close()
    return Finding(True, what)


def _believed(box: Box) -> Finding:
    trust = box.trust
    parts = [
        *(same(each) for each in trust.authserv_ids),
        *([TOPMOST] if trust.topmost else []),
        *([OURSELVES] if trust.dkim else []),
    ]
    what = Words(*(", ".join(part.to(each) for part in parts or [NOBODY]) for each in LANGUAGES))
    said = BELIEVED.fill(address=box.address, what=what)
    return Finding(bool(parts), said, None if parts else BELIEVED_FIX)


async def _lately_believed(house: House, box: Box) -> Sequence[Finding]:
    """Whether what is set is right shows in what came."""
    row = await fetch_one_alone(
        house.engine,
        "select count(*) as all, count(verified_by) as by from mails"
        " where organisation_id = :organisation_id and mailbox_id = :id"
        " and person_id is not null and kind = 'human' and received_at > now() - interval '7 days'",
        {"organisation_id": box.organisation_id, "id": box.id},
    )
    if row is None or row.all < _TELLS:
        return []
    what = UNBELIEVED.fill(address=box.address, by=row.by, all=row.all)
    return [Finding(row.by > 0, what, None if row.by else UNBELIEVED_FIX)]


async def _known(house: House, box: Box) -> Finding:
    row = await fetch_one_alone(
        house.engine,
        "select 1 as one from accounts a join people p on p.id = a.person_id and p.active"
        " where a.organisation_id = :organisation_id and a.platform = 'email'"
        " union all select 1 from people where organisation_id = :organisation_id and active"
        " and email is not null limit 1",
        {"organisation_id": box.organisation_id},
    )
    well = row is not None or bool(box.trust.domains)
    return Finding(well, KNOWN.fill(address=box.address), None if well else KNOWN_FIX)


async def _waiting(house: House) -> Finding:
    row = await fetch_one_alone(
        house.engine,
        # across organisations: the operator's view of what does not go on
        "select (select count(*) from mails where state = 'received'"
        " and received_at < now() - interval '10 minutes') as mails,"
        " (select count(*) from mails where state = 'quarantined') as poison,"
        " (select count(*) from letters where state = 'unknown') as unknown",
        {},
    )
    assert row is not None  # noqa: S101  # it counts
    well = not (row.mails or row.poison or row.unknown)
    what = WAITING.fill(mails=row.mails, poison=row.poison, unknown=row.unknown)
    return Finding(well, what, None if well else WAITING_FIX)
