"""What `miyabi doctor` looks at: each channel's token, webhook, month and menu; what to mend."""

from collections.abc import Sequence

from bot.line import rows
from bot.line.channels import Channels
from bot.line.endpoint import address_of, endpoint, tried_out
from bot.line.ledger import WARNED_AT
from bot.line.menus import Menus
from bot.line.outbound import LineOutbound
from bot.line.tokens import Channel
from core.errors import MiyabiError
from core.platform import Finding, Opening
from core.words import Words

NOT_SET_UP = Words(
    ja="LINE: 設定されていません（使わない場合はこのままで大丈夫です）",
    en="LINE: not set up (fine if you don't use it)",
    zh="LINE: 未设置（如不使用可忽略）",
)
HALF = Words(ja="LINE: 設定のチャネル", en="LINE: the settings' channel", zh="LINE: 设置中的频道")
HALF_FIX = Words(
    ja="LINE_CHANNEL_SECRET（チャネル基本設定）と、LINE_CHANNEL_ID または "
    "LINE_CHANNEL_ACCESS_TOKEN を設定してください。",
    en="Set LINE_CHANNEL_SECRET (under Basic settings), and LINE_CHANNEL_ID or "
    "LINE_CHANNEL_ACCESS_TOKEN.",
    zh="请设置 LINE_CHANNEL_SECRET（Basic settings），以及 LINE_CHANNEL_ID 或 "
    "LINE_CHANNEL_ACCESS_TOKEN。",
)
PUBLIC = Words(
    ja="LINE: 公開アドレス（MIYABI_PUBLIC_URL、https）",
    en="LINE: a public address (MIYABI_PUBLIC_URL, https)",
    zh="LINE: 公网地址（MIYABI_PUBLIC_URL，https）",
)
PUBLIC_FIX = Words(
    ja="MIYABI_PUBLIC_URL に https:// で始まるアドレスを設定してください。"
    "ないとLINEからメッセージが届かず、書類のリンクも画像も送れません。",
    en="Set MIYABI_PUBLIC_URL to an address that begins with https://. Without it LINE can't "
    "deliver messages, and neither links to documents nor pictures can be sent.",
    zh="请将 MIYABI_PUBLIC_URL 设置为 https:// 开头的地址。否则 LINE 无法送达消息，"
    "也无法发送文件链接和图片。",
)
TOKEN = Words(
    ja="LINE: {name} のトークン", en="LINE: the token of {name}", zh="LINE: {name} 的令牌"
)
WEBHOOK = Words(
    ja="LINE: {name} のWebhook URL",
    en="LINE: the webhook address of {name}",
    zh="LINE: {name} 的 Webhook 地址",
)
WEBHOOK_FIX = Words(
    ja="LINEには {there} が登録されていますが、{ours} が必要です。"
    "「miyabi line setup」で登録できます。",
    en="LINE has {there}, but needs {ours}. “miyabi line setup” sets it.",
    zh="LINE 登记的是 {there}，应为 {ours}。可用“miyabi line setup”设置。",
)
NONE = Words(ja="（なし）", en="(none)", zh="（无）")
USED = Words(
    ja="LINE: {name} の「Webhookの利用」",
    en="LINE: “Use webhook” of {name}",
    zh="LINE: {name} 的“Use webhook”",
)
USED_FIX = Words(
    ja="LINE Developersコンソールの Messaging API設定で「Webhookの利用」をオンにしてください"
    "（「Webhookの再送」もオンにすると、停止中のメッセージが失われません）。",
    en="Turn “Use webhook” on under Messaging API in the LINE Developers Console (and “Webhook "
    "redelivery”: then nothing is lost that comes while Miyabi is down).",
    zh="请在 LINE Developers 控制台的 Messaging API 中打开“Use webhook”"
    "（同时打开“Webhook redelivery”，停机期间的消息就不会丢失）。",
)
TRIED = Words(
    ja="LINE: {name} のWebhookの疎通確認",
    en="LINE: the webhook of {name}, tried out by LINE",
    zh="LINE: {name} 的 Webhook 连通测试",
)
TRIED_FIX = Words(
    ja="LINEからの呼び出しに失敗しました: {why}。「miyabi web」が動いていること、"
    "公開アドレスの証明書、チャネルシークレットを確認してください。",
    en="LINE's call failed: {why}. Check that “miyabi web” runs, the certificate of the public "
    "address, and the channel secret.",
    zh="LINE 调用失败: {why}。请检查“miyabi web”是否在运行、公网地址的证书以及频道密钥。",
)
QUOTA = Words(
    ja="LINE: {name} の今月の送信数 {used} / {most}",
    en="LINE: messages of {name} this month: {used} of {most}",
    zh="LINE: {name} 本月消息数 {used} / {most}",
)
NO_LIMIT = Words(ja="上限なし", en="no limit", zh="无上限")
QUOTA_FIX = Words(
    ja="残りがなくなると、お知らせは各自の別の連絡先に届きます。"
    "LINE Official Account Managerでプランまたは追加メッセージの上限を変更できます。",
    en="When none are left, people are told by their other accounts. The plan, or the limit of "
    "additional messages, is changed in the LINE Official Account Manager.",
    zh="用完后，通知将发送到各人的其他账号。可在 LINE Official Account Manager 中"
    "更改套餐或追加消息上限。",
)
MENU = Words(
    ja="LINE: {name} のリッチメニュー", en="LINE: the rich menu of {name}", zh="LINE: {name} 的菜单"
)
MENU_FIX = Words(
    ja="「miyabi line setup」で作成できます。",
    en="“miyabi line setup” makes it.",
    zh="可用“miyabi line setup”创建。",
)


async def check(opening: Opening) -> Sequence[Finding]:
    """Look at everything LINE needs; each finding says what to do where it is not well."""
    outbound = opening.house.outbounds.get("line")
    assert isinstance(outbound, LineOutbound)  # noqa: S101  # it is always there
    channels = outbound.channels
    line = opening.settings.line
    findings: list[Finding] = []
    if channels.in_settings:
        try:
            await channels.own()
        except MiyabiError as error:
            findings.append(Finding(False, HALF, error.words))
    elif line.channel_id or line.channel_secret or line.channel_access_token:
        findings.append(Finding(False, HALF, HALF_FIX))
    connected = await rows.connected(opening.house.engine, None)
    if not connected:
        return findings or [Finding(True, NOT_SET_UP)]
    ours = address_of(opening.settings.public_url)
    findings.append(Finding(ours is not None, PUBLIC, None if ours else PUBLIC_FIX))
    for workspace in connected:
        try:
            channel = await channels.get(workspace)
        except MiyabiError as error:
            findings.append(Finding(False, TOKEN.fill(name=workspace), error.words))
        else:
            findings += await _channel(outbound, channel, ours)
    return findings


async def _channel(outbound: LineOutbound, channel: Channel, ours: str | None) -> list[Finding]:
    name, channels = channel.name, outbound.channels
    try:
        await channels.introduced(channel)
    except MiyabiError as error:
        return [Finding(False, TOKEN.fill(name=name), error.words)]
    findings = [Finding(True, TOKEN.fill(name=name))]
    try:
        if ours is not None:
            findings += await _webhook(channels, channel, ours)
        findings.append(await _quota(outbound, channel))
        findings.append(await _menu(outbound.menus, channel))
    except MiyabiError as error:
        findings.append(Finding(False, TOKEN.fill(name=name), error.words))
    return findings


async def _webhook(channels: Channels, channel: Channel, ours: str) -> list[Finding]:
    name = channel.name
    there = await endpoint(channels, channel.workspace)
    if there is None or there.address != ours:
        wrong = WEBHOOK_FIX.fill(there=there.address if there else NONE, ours=ours)
        return [Finding(False, WEBHOOK.fill(name=name), wrong)]
    findings = [
        Finding(True, WEBHOOK.fill(name=name)),
        Finding(there.active, USED.fill(name=name), None if there.active else USED_FIX),
    ]
    why = await tried_out(channels, channel.workspace)
    fix = TRIED_FIX.fill(why=why) if why else None
    return [*findings, Finding(not why, TRIED.fill(name=name), fix)]


async def _quota(outbound: LineOutbound, channel: Channel) -> Finding:
    """LINE does not tell the plan by its name, only how many messages it has."""
    left = await outbound.quotas.read(channel)
    most = NO_LIMIT if left.most is None else left.most
    well = left.most is None or left.used * 100 < left.most * WARNED_AT
    what = QUOTA.fill(name=channel.name, used=left.used, most=most)
    return Finding(well, what, None if well else QUOTA_FIX)


async def _menu(menus: Menus, channel: Channel) -> Finding:
    there = await menus.default(channel.workspace) is not None
    return Finding(there, MENU.fill(name=channel.name), None if there else MENU_FIX)
