"""The terminal as a chat platform: no account anywhere, and the same walk as everywhere else."""

from bot.console.outbound import ConsoleOutbound
from core.platform import Opening, Platform
from core.ports import Outbound


def _outbound(opening: Opening) -> Outbound:
    return ConsoleOutbound()


platform = Platform("console", _outbound)
