"""What `miyabi doctor` looks at: secrets, tokens, rights, and what to do where one is wrong."""

from collections.abc import Sequence

from bot.slack.api import answer_of, ask
from bot.slack.outbound import SlackOutbound
from core.errors import MiyabiError
from core.platform import Finding, Opening
from core.secret_key import secret_key
from core.words import Words

NOT_SET_UP = Words(
    ja="Slack: 設定されていません（使わない場合はこのままで大丈夫です）",
    en="Slack: not set up (fine if you don't use it)",
    zh="Slack: 未设置（如不使用可忽略）",
)
HALF = Words(ja="Slack: ボットのトークン", en="Slack: the bot's token", zh="Slack: 机器人令牌")
HALF_FIX = Words(
    ja="SLACK_BOT_TOKEN（OAuth & Permissions の xoxb-…）を設定してください。"
    "複数のワークスペースで使う場合は SLACK_CLIENT_ID と SLACK_CLIENT_SECRET を設定してください。",
    en="Set SLACK_BOT_TOKEN (xoxb-…, under OAuth & Permissions), or for several workspaces "
    "SLACK_CLIENT_ID and SLACK_CLIENT_SECRET.",
    zh="请设置 SLACK_BOT_TOKEN（OAuth & Permissions 中的 xoxb-…）；"
    "多个工作区时请设置 SLACK_CLIENT_ID 和 SLACK_CLIENT_SECRET。",
)
WAY_IN = Words(
    ja="Slack: 受信方法（HTTPの署名シークレット、またはSocket Mode）",
    en="Slack: a way in (a signing secret for HTTP, or Socket Mode)",
    zh="Slack: 接收方式（HTTP 签名密钥，或 Socket Mode）",
)
WAY_IN_FIX = Words(
    ja="SLACK_SIGNING_SECRET（Basic Information）を設定するか、公開アドレスがない場合は "
    "SLACK_APP_TOKEN（xapp-…、connections:write）を設定してください。",
    en="Set SLACK_SIGNING_SECRET (under Basic Information), or without a public address "
    "SLACK_APP_TOKEN (xapp-…, with connections:write).",
    zh="请设置 SLACK_SIGNING_SECRET（Basic Information）；没有公网地址时请设置 "
    "SLACK_APP_TOKEN（xapp-…，connections:write）。",
)
TOKEN = Words(
    ja="Slack: {team} のトークン", en="Slack: the token of {team}", zh="Slack: {team} 的令牌"
)
TOKEN_FIX = Words(
    ja="{why} アプリをワークスペースに入れ直してください。",
    en="{why} Install the app in the workspace again.",
    zh="{why} 请在工作区重新安装应用。",
)
SCOPES = Words(
    ja="Slack: {team} での権限", en="Slack: the rights in {team}", zh="Slack: {team} 中的权限"
)
SCOPES_FIX = Words(
    ja="足りない権限: {missing}。manifest.json を貼り直し、アプリを入れ直してください。",
    en="Missing scopes: {missing}. Paste manifest.json again and reinstall the app.",
    zh="缺少权限: {missing}。请重新粘贴 manifest.json 并重新安装应用。",
)
APP_TOKEN = Words(
    ja="Slack: Socket Modeのトークン",
    en="Slack: the token for Socket Mode",
    zh="Slack: Socket Mode 令牌",
)
APP_TOKEN_FIX = Words(
    ja="{why} Basic Information の App-Level Tokens で connections:write を付けて作り直し、"
    "Socket Mode を有効にしてください。",
    en="{why} Make a new one under Basic Information, App-Level Tokens, with connections:write, "
    "and turn Socket Mode on.",
    zh="{why} 请在 Basic Information 的 App-Level Tokens 中重新创建（connections:write），"
    "并启用 Socket Mode。",
)
KEY = Words(
    ja="Slack: トークンを暗号化する鍵",
    en="Slack: the key that encrypts tokens",
    zh="Slack: 加密令牌的密钥",
)


async def check(opening: Opening) -> Sequence[Finding]:
    """Look at everything Slack needs; each finding says what to do where it is not well."""
    slack = opening.settings.slack
    outbound = opening.house.outbounds.get("slack")
    if not isinstance(outbound, SlackOutbound):
        begun = slack.signing_secret or slack.app_token or slack.client_id
        return [Finding(False, HALF, HALF_FIX) if begun else Finding(True, NOT_SET_UP)]
    findings = [_way_in(opening)]
    if slack.bot_token is not None:
        findings += await _token(outbound, opening, None)
    if slack.client_id is not None:
        findings.append(_key(opening))
        for team in await outbound.installs.teams():
            findings += await _token(outbound, opening, team)
    if slack.app_token is not None:
        findings.append(await _app_token(outbound, slack.app_token.get_secret_value()))
    return findings


def _way_in(opening: Opening) -> Finding:
    slack = opening.settings.slack
    well = slack.signing_secret is not None or slack.app_token is not None
    return Finding(well, WAY_IN, None if well else WAY_IN_FIX)


def _key(opening: Opening) -> Finding:
    try:
        secret_key(opening.settings)
    except MiyabiError as error:
        return Finding(False, KEY, error.words)
    return Finding(True, KEY)


async def _token(outbound: SlackOutbound, opening: Opening, team: str | None) -> list[Finding]:
    """The token of a workspace, or of the one in the settings, and whether its rights suffice."""
    spoken = team or "SLACK_BOT_TOKEN"
    try:
        installs = outbound.installs
        install = await (installs.get(team) if team else installs.own())
        said = await answer_of(outbound.api.client(install.token).auth_test())
    except MiyabiError as error:
        fix = TOKEN_FIX.fill(why=error.words)
        return [Finding(False, TOKEN.fill(team=spoken), fix)]
    assert isinstance(said.data, dict)  # noqa: S101  # auth.test answers in JSON
    spoken = str(said.data.get("team") or install.team)
    granted = set(str(said.headers.get("x-oauth-scopes", "")).replace(" ", "").split(","))
    missing = sorted(set(opening.settings.slack.scopes.split(",")) - granted)
    lacking = SCOPES_FIX.fill(missing=", ".join(missing)) if missing else None
    return [
        Finding(True, TOKEN.fill(team=spoken)),
        Finding(not missing, SCOPES.fill(team=spoken), lacking),
    ]


async def _app_token(outbound: SlackOutbound, token: str) -> Finding:
    try:
        await ask(outbound.api.visitor().apps_connections_open(app_token=token))
    except MiyabiError as error:
        return Finding(False, APP_TOKEN, APP_TOKEN_FIX.fill(why=error.words))
    return Finding(True, APP_TOKEN)
