"""The terminal as a chat platform: no account anywhere, and the same walk as everywhere else."""

from bot.console.outbound import ConsoleOutbound, new_key
from core.platform import Opening, Platform
from core.ports import Outbound

__all__ = ["new_key", "platform"]


def _outbound(opening: Opening) -> Outbound:
    return ConsoleOutbound()


platform = Platform("console", _outbound)
