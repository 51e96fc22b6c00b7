"""Slack: commands, messages, buttons and forms, over HTTP or Socket Mode, in many workspaces."""

from collections.abc import Sequence

from bot.slack.limits import ACTIONS, MESSAGE_TEXT
from core.file_kinds import MOST_BYTES
from core.limits import MB, Limits
from core.messages import Message
from core.platform import Finding, Opening, Platform, Preview
from core.ports import Outbound

# The parts are imported where they are used: Slack's libraries take a while to load, and a
# terminal that never speaks to Slack does without them.


def _outbound(opening: Opening) -> Outbound | None:
    slack = opening.settings.slack
    if slack.bot_token is None and (slack.client_id is None or slack.client_secret is None):
        return None
    from bot.slack.outbound import SlackOutbound

    return SlackOutbound(opening)


def _routes(opening: Opening) -> Sequence[object]:
    if "slack" not in opening.house.outbounds:
        return ()
    from bot.slack.inbound import routes

    return routes(opening)


async def _listen(opening: Opening) -> None:
    if "slack" not in opening.house.outbounds:
        return
    from bot.slack.inbound import listen

    await listen(opening)


async def _check(opening: Opening) -> Sequence[Finding]:
    from bot.slack.doctor import check

    return await check(opening)


async def _close(opening: Opening) -> None:
    outbound = opening.house.outbounds.get("slack")
    if outbound is None:
        return
    from bot.slack.outbound import SlackOutbound

    if isinstance(outbound, SlackOutbound):
        await outbound.close()


_LIMITS = Limits(
    threads=True,
    edits=True,
    buttons=ACTIONS,
    forms=True,
    private=True,
    text=MESSAGE_TEXT,
    longer="shortened",
    sends_files=1_024 * MB,
    takes_files=MOST_BYTES,
    answers_within=3,
    a_minute=60,
    lost="looked for",
    source="bot/slack/README.md",
)


def _preview(message: Message) -> Preview:
    from bot.slack.preview import preview

    return preview(message)


platform = Platform(
    "slack",
    outbound=_outbound,
    routes=_routes,
    listen=_listen,
    check=_check,
    close=_close,
    confides=True,
    limits=_LIMITS,
    preview=_preview,
)
