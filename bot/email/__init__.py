"""Mail: requests, questions, files, approvals; whoever writes, and whatever they write with."""

from collections.abc import Sequence

from core.platform import Finding, Opening, Platform
from core.ports import WayOut

# The parts are imported where they are used. Mailboxes are added while the house stands (`miyabi
# mail box add`), so the way out is always there: it costs nothing until somebody uses it.


def _outbound(opening: Opening) -> WayOut:
    from bot.email.outbound import EmailOutbound

    return EmailOutbound(opening)


def _routes(opening: Opening) -> Sequence[object]:
    return ()


async def _work(opening: Opening) -> None:
    from bot.email.working import work

    await work(opening)


async def _check(opening: Opening) -> Sequence[Finding]:
    return ()


platform = Platform("email", outbound=_outbound, routes=_routes, work=_work, check=_check)
