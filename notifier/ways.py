"""The ways out as the notifier uses them: each call passes the house's gate."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from core.gate import Gate, Paced, Paces, Passage
from core.house import House
from core.messages import Attachment, Message
from core.ports import Outbound, Place, Says, Sent, Utterance, WayOut


def way_out(house: House, platform: str) -> WayOut | None:
    """How a platform is spoken to; None where it is not set up."""
    found = house.outbounds.get(platform)
    if found is None:
        return None
    paces = found.paces if isinstance(found, Paced) else Paces()
    if isinstance(found, Says):
        return _Speaking(found, house.gate, platform, paces, found.most_per_call)
    return _Showing(found, house.gate, platform, paces, found.edit_interval, found.settles)


@dataclass(slots=True)
class _Showing:
    inner: Outbound
    gate: Gate
    platform: str
    paces: Paces
    edit_interval: timedelta
    settles: timedelta

    async def send(self, place: Place, message: Message, key: str) -> Sent:
        async with self.gate.through(_passage(self, place, "send", self.paces)):
            return await self.inner.send(place, message, key)

    async def edit(self, place: Place, sent: Sent, message: Message, key: str) -> Sent:
        # How often one message may change is the platform's `edit_interval`.
        async with self.gate.through(_passage(self, place, "edit")):
            return await self.inner.edit(place, sent, message, key)

    async def upload(
        self, place: Place, attachment: Attachment, comment: Message, key: str
    ) -> Sent:
        async with self.gate.through(_passage(self, place, "upload", self.paces)):
            return await self.inner.upload(place, attachment, comment, key)

    async def find(self, place: Place, key: str, attachment: Attachment | None) -> Sent | None:
        async with self.gate.through(_passage(self, place, "find")):
            return await self.inner.find(place, key, attachment)


@dataclass(slots=True)
class _Speaking:
    inner: Says
    gate: Gate
    platform: str
    paces: Paces
    most_per_call: int

    def fits(self, utterances: Sequence[Utterance]) -> int:
        return self.inner.fits(utterances)

    async def say(
        self, place: Place, call: UUID, utterances: Sequence[Utterance], *, again: bool
    ) -> Sequence[Sent | None]:
        async with self.gate.through(_passage(self, place, "say", self.paces)):
            return await self.inner.say(place, call, utterances, again=again)


def _passage(
    way: _Showing | _Speaking, place: Place, method: str, paces: Paces | None = None
) -> Passage:
    return Passage(
        place.organisation_id,
        way.platform,
        place.workspace,
        method,
        place.channel,
        paces,
    )
