"""LINE: commands, messages, files, buttons and approvals, one to one and in groups."""

from collections.abc import Sequence

from bot.line.limits import QUICK_REPLIES, TEXT
from core.file_kinds import MOST_BYTES
from core.limits import Limits
from core.messages import Message
from core.platform import Finding, Opening, Platform, Preview
from core.ports import WayOut

# The parts are imported where they are used, and LINE's SDK at the first call (bot/line/api.py).
# Channels are added while the house stands (`miyabi line add`), so the way out is always there: it
# costs nothing until somebody uses it.


def _outbound(opening: Opening) -> WayOut:
    from bot.line.outbound import LineOutbound

    return LineOutbound(opening)


def _routes(opening: Opening) -> Sequence[object]:
    from bot.line.webhook import routes

    return routes(opening)


async def _listen(opening: Opening) -> None:
    from bot.line.outbound import LineOutbound
    from bot.line.webhook import listen

    outbound = opening.house.outbounds.get("line")
    if isinstance(outbound, LineOutbound):
        outbound.chores.begin(outbound.channels.warm())
    await listen(opening)


async def _check(opening: Opening) -> Sequence[Finding]:
    from bot.line.doctor import check

    return await check(opening)


async def _close(opening: Opening) -> None:
    from bot.line.outbound import LineOutbound

    outbound = opening.house.outbounds.get("line")
    if isinstance(outbound, LineOutbound):
        await outbound.close()


_LIMITS = Limits(
    threads=False,
    edits=False,
    buttons=QUICK_REPLIES,
    forms=False,
    private=False,
    text=TEXT,
    longer="shortened",
    sends_files=None,
    takes_files=MOST_BYTES,
    answers_within=2,
    a_minute=None,
    lost="key",
    costs=True,
    tells=frozenset({"blocked"}),
    source="docs/line.md",
)


def _preview(message: Message) -> Preview:
    from bot.line.preview import preview

    return preview(message)


platform = Platform(
    "line",
    outbound=_outbound,
    routes=_routes,
    listen=_listen,
    check=_check,
    close=_close,
    confides=True,
    limits=_LIMITS,
    preview=_preview,
)
