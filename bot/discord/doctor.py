"""What `miyabi doctor` looks at: the token, intents and permissions, each by the name that
Discord's portal has for it, and what to do where one is missing."""

from collections.abc import Mapping, Sequence
from typing import Any

from bot.discord.api import Api
from bot.discord.gateway import MESSAGE_CONTENT, door_of
from core.errors import MiyabiError
from core.platform import Finding, Opening
from core.settings import DiscordSettings
from core.words import Words

PERMISSIONS: Mapping[str, int] = {
    "View Channels": 1 << 10,
    "Send Messages": 1 << 11,
    "Embed Links": 1 << 14,
    "Attach Files": 1 << 15,
    "Read Message History": 1 << 16,
    "Create Public Threads": 1 << 35,
    "Send Messages in Threads": 1 << 38,
}
"""What the bot needs, by the name in a guild's settings (docs.discord.com, permissions)."""
INVITE = sum(PERMISSIONS.values())
_ADMINISTRATOR = 1 << 3
_READS = (1 << 18) | (1 << 19)
"""Flags of an application that may read messages (docs.discord.com, application flags)."""

NOT_SET_UP = Words(
    ja="Discord: 設定されていません（使わない場合はこのままで大丈夫です）",
    en="Discord: not set up (fine if you don't use it)",
    zh="Discord: 未设置（如不使用可忽略）",
)
HALF = Words(
    ja="Discord: ボットのトークン", en="Discord: the bot's token", zh="Discord: 机器人令牌"
)
HALF_FIX = Words(
    ja="DISCORD_BOT_TOKEN（Developer Portal の Bot）を設定してください。",
    en="Set DISCORD_BOT_TOKEN (under Bot in the Developer Portal).",
    zh="请设置 DISCORD_BOT_TOKEN（Developer Portal 的 Bot）。",
)
TOKEN_FIX = Words(
    ja="{why} Developer Portal の Bot でトークンを作り直し、DISCORD_BOT_TOKEN に設定してください。",
    en="{why} Reset the token under Bot in the Developer Portal and set DISCORD_BOT_TOKEN.",
    zh="{why} 请在 Developer Portal 的 Bot 中重置令牌并设置 DISCORD_BOT_TOKEN。",
)
INTENT = Words(ja="Discord: {intent}", en="Discord: the {intent}", zh="Discord: {intent}")
INTENT_FIX = Words(
    ja="Developer Portal の Bot で「{intent}」を有効にしてください。ないと、スレッド内の"
    "メンションなしの返信が読めません。",
    en="Turn on “{intent}” under Bot in the Developer Portal. Without it, replies in a thread that "
    "don't mention the bot can't be read.",
    zh="请在 Developer Portal 的 Bot 中启用“{intent}”。否则无法读取会话串中未提及机器人的回复。",
)
ENDPOINT = Words(
    ja="Discord: HTTPでの受信（Interactions Endpoint URL）",
    en="Discord: interactions by HTTP (Interactions Endpoint URL)",
    zh="Discord: HTTP 接收（Interactions Endpoint URL）",
)
ENDPOINT_FIX = Words(
    ja="DISCORD_PUBLIC_KEY を設定し、Developer Portal の General Information で "
    "Interactions Endpoint URL を {url} にしてください。",
    en="Set DISCORD_PUBLIC_KEY, and under General Information in the Developer Portal the "
    "Interactions Endpoint URL to {url}.",
    zh="请设置 DISCORD_PUBLIC_KEY，并在 Developer Portal 的 General Information 中将 "
    "Interactions Endpoint URL 设为 {url}。",
)
NOT_ENDPOINT_FIX = Words(
    ja="Developer Portal に Interactions Endpoint URL（{url}）があるため、ゲートウェイには"
    "何も届きません。消すか、DISCORD_INTERACTIONS=http にしてください。",
    en="The Developer Portal names an Interactions Endpoint URL ({url}), so none come by the "
    "gateway. Remove it, or set DISCORD_INTERACTIONS=http.",
    zh="Developer Portal 中设置了 Interactions Endpoint URL（{url}），网关不会收到交互。"
    "请删除，或设置 DISCORD_INTERACTIONS=http。",
)
PUBLIC_KEY_FIX = Words(
    ja="DISCORD_PUBLIC_KEY が Developer Portal の Public Key と違います。",
    en="DISCORD_PUBLIC_KEY is not the Public Key of the Developer Portal.",
    zh="DISCORD_PUBLIC_KEY 与 Developer Portal 的 Public Key 不一致。",
)
NO_GUILD = Words(
    ja="Discord: サーバーへの参加", en="Discord: a server to be in", zh="Discord: 加入服务器"
)
NO_GUILD_FIX = Words(
    ja="次のアドレスでサーバーに追加してください: {url}",
    en="Add it to a server by this address: {url}",
    zh="请通过此地址添加到服务器: {url}",
)
RIGHTS = Words(
    ja="Discord: {guild} での権限",
    en="Discord: the permissions in {guild}",
    zh="Discord: {guild} 中的权限",
)
RIGHTS_FIX = Words(
    ja="足りない権限: {missing}。ボットのロールに付けてください。",
    en="Missing permissions: {missing}. Give them to the bot's role.",
    zh="缺少权限: {missing}。请授予机器人的角色。",
)


async def check(opening: Opening) -> Sequence[Finding]:
    """Look at everything Discord needs; each finding says what to do where it is not well."""
    settings = opening.settings.discord
    door = door_of(opening)
    if door is None:
        begun = settings.public_key or settings.application_id
        return [Finding(False, HALF, HALF_FIX) if begun else Finding(True, NOT_SET_UP)]
    api = door.outbound.api
    try:
        application = await api.call("GET", "/oauth2/applications/@me")
        guilds = await api.call("GET", "/users/@me/guilds")
    except MiyabiError as error:
        return [Finding(False, HALF, TOKEN_FIX.fill(why=error.words))]
    return [
        Finding(True, HALF),
        _intent(application),
        *_way_in(settings, application, opening.settings.public_url),
        *_guilds(api, application, guilds),
    ]


def _intent(application: Mapping[str, Any]) -> Finding:
    reads = bool(int(application.get("flags") or 0) & _READS)
    fix = None if reads else INTENT_FIX.fill(intent=MESSAGE_CONTENT)
    return Finding(reads, INTENT.fill(intent=MESSAGE_CONTENT), fix)


def _way_in(
    settings: DiscordSettings, application: Mapping[str, Any], public_url: str | None
) -> list[Finding]:
    named = application.get("interactions_endpoint_url")
    if settings.interactions == "gateway":
        fix = NOT_ENDPOINT_FIX.fill(url=str(named)) if named else None
        return [Finding(not named, ENDPOINT, fix)] if named else []
    ours = f"{(public_url or 'https://…').rstrip('/')}/discord/interactions"
    if settings.public_key is None or named != ours:
        return [Finding(False, ENDPOINT, ENDPOINT_FIX.fill(url=ours))]
    theirs = str(application.get("verify_key") or "")
    well = not theirs or theirs.lower() == settings.public_key.lower()
    return [Finding(well, ENDPOINT, None if well else PUBLIC_KEY_FIX)]


def _guilds(
    api: Api, application: Mapping[str, Any], guilds: Sequence[Mapping[str, Any]]
) -> list[Finding]:
    if not guilds:
        url = (
            f"https://discord.com/oauth2/authorize?client_id={application['id']}"
            f"&scope=bot+applications.commands&permissions={INVITE}"
        )
        return [Finding(False, NO_GUILD, NO_GUILD_FIX.fill(url=url))]
    found = []
    for guild in guilds:
        lacking = missing(int(guild.get("permissions") or 0))
        fix = RIGHTS_FIX.fill(missing=", ".join(lacking)) if lacking else None
        found.append(Finding(not lacking, RIGHTS.fill(guild=str(guild["name"])), fix))
    return found


def missing(granted: int) -> list[str]:
    """The permissions that are not there, by name. Whoever administers has them all."""
    if granted & _ADMINISTRATOR:
        return []
    return [name for name, bit in PERMISSIONS.items() if not granted & bit]
