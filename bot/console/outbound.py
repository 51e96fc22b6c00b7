"""Speaking to the terminal: it reads its threads from the database and writes files itself."""

from core.platform import Opening
from core.ports import Outbound
from core.stored import StoredOutbound


def outbound(opening: Opening) -> Outbound:
    """There is nothing to set up."""
    return StoredOutbound(opening)
