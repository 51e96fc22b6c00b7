"""Mail: requests, questions, files, approvals; whoever writes, and whatever they write with."""

from collections.abc import Mapping, Sequence

from core.limits import MB, Limits
from core.messages import Message
from core.platform import Finding, Opening, Platform, Preview
from core.ports import WayOut
from core.settings import Settings

# The parts are imported where they are used. Mailboxes are added while the house stands (`miyabi
# mail box add`), so the way out is always there: it costs nothing until somebody uses it.


POST_PATH = "/email/inbound/"
"""Where mail is taken by HTTP; the mailbox's address follows."""


def _outbound(opening: Opening) -> WayOut:
    from bot.email.outbound import EmailOutbound

    return EmailOutbound(opening)


def _routes(opening: Opening) -> Sequence[object]:
    from bot.email import post, unsubscribing

    return [*post.routes(opening), *unsubscribing.routes(opening)]


def _bodies(settings: Settings) -> Mapping[str, int]:
    return {POST_PATH: settings.email.most_bytes}


async def _listen(opening: Opening) -> None:
    from bot.email.ways import listen

    await listen(opening)


async def _work(opening: Opening) -> None:
    from bot.email.working import work

    await work(opening)


async def _check(opening: Opening) -> Sequence[Finding]:
    from bot.email.doctor import check

    return await check(opening)


async def _close(opening: Opening) -> None:
    from bot.email.outbound import EmailOutbound

    outbound = opening.house.outbounds.get("email")
    if isinstance(outbound, EmailOutbound):
        await outbound.close()


_LIMITS = Limits(
    threads=True,
    edits=False,
    buttons=0,
    forms=False,
    private=True,
    text=None,
    longer="whole",
    sends_files=15 * MB,
    takes_files=25 * MB,
    answers_within=None,
    a_minute=None,
    lost="unknown",
    tells=frozenset({"bounced"}),
    source="docs/email.md",
)


def _preview(message: Message) -> Preview:
    from bot.email.preview import preview

    return preview(message)


platform = Platform(
    "email",
    outbound=_outbound,
    routes=_routes,
    bodies=_bodies,
    listen=_listen,
    work=_work,
    check=_check,
    close=_close,
    limits=_LIMITS,
    preview=_preview,
)
