"""The way out by mail."""

from collections.abc import Sequence
from uuid import UUID

from core.errors import Permanent
from core.platform import Opening
from core.ports import Place, Sent, Utterance
from core.words import same


class EmailOutbound:
    """A call is one mail."""

    most_per_call = 10

    def __init__(self, opening: Opening) -> None:
        self._opening = opening

    def fits(self, utterances: Sequence[Utterance]) -> int:
        """All of them."""
        return max(1, len(utterances))

    async def say(
        self, place: Place, call: UUID, utterances: Sequence[Utterance], *, again: bool
    ) -> Sequence[Sent | None]:
        """Send."""
        raise Permanent(same("not yet"))
