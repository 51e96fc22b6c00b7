"""Discord: commands, messages, buttons and modals, by the gateway or by HTTP, in many guilds."""

from collections.abc import Sequence

from bot.discord.limits import ANSWER, MOST_BUTTONS, UPLOAD, V2_TEXT
from core.file_kinds import MOST_BYTES
from core.limits import Limits
from core.messages import Message
from core.platform import Finding, Opening, Platform, Preview
from core.ports import Outbound

# The parts are imported where they are used: discord.py takes a while to load, and a terminal
# that never speaks to Discord does without it.


def _outbound(opening: Opening) -> Outbound | None:
    if opening.settings.discord.bot_token is None:
        return None
    from bot.discord.outbound import DiscordOutbound

    return DiscordOutbound(opening)


def _routes(opening: Opening) -> Sequence[object]:
    if "discord" not in opening.house.outbounds:
        return ()
    from bot.discord.webhook import routes

    return routes(opening)


async def _listen(opening: Opening) -> None:
    if "discord" not in opening.house.outbounds:
        return
    from bot.discord.gateway import listen

    await listen(opening)


async def _check(opening: Opening) -> Sequence[Finding]:
    from bot.discord.doctor import check

    return await check(opening)


async def _close(opening: Opening) -> None:
    outbound = opening.house.outbounds.get("discord")
    if outbound is not None:
        from bot.discord.outbound import DiscordOutbound

        if isinstance(outbound, DiscordOutbound):
            await outbound.close()


def _preview(message: Message) -> Preview:
    from bot.discord.preview import preview

    return preview(message)


_LIMITS = Limits(
    threads=True,
    edits=True,
    buttons=MOST_BUTTONS,
    forms=True,
    private=True,
    text=V2_TEXT,
    longer="split",
    sends_files=UPLOAD[0],
    takes_files=MOST_BYTES,
    answers_within=ANSWER,
    a_minute=60,
    lost="looked for",
    source="bot/discord/README.md",
)

platform = Platform(
    "discord",
    outbound=_outbound,
    routes=_routes,
    listen=_listen,
    check=_check,
    close=_close,
    confides=True,
    limits=_LIMITS,
    preview=_preview,
)
