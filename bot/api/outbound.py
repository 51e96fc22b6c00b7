"""Speaking to programs: they come and ask how a task stands, so nothing has to be sent."""

from core.platform import Opening
from core.ports import Outbound
from core.stored import StoredOutbound


def outbound(opening: Opening) -> Outbound:
    """There is nothing to set up."""
    return StoredOutbound(opening)
