"""One dispatch on its way: the act, by whichever kind of way out, and what it came to.

Nothing is sent again before it is known that it is not there: the platform is asked, or tells a
repeated key from a new one. Where neither is possible, it is `unknown` and stays so.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Literal
from uuid import UUID, uuid5

import structlog

from core.channel import Channel
from core.codec import load
from core.errors import MiyabiError, NotNow, OutcomeUnknown, Permanent, TryLater, Unreachable
from core.gate import Paces, Passage
from core.house import House
from core.messages import Message
from core.ports import Outbound, Place, Says, Sent, Utterance
from core.settings import Settings
from core.words import Words
from notifier.hub import places
from notifier.hub.hushed import hushed
from notifier.hub.preparing import Ready
from notifier.ways import way_out

log = structlog.get_logger()

AT_MOST = timedelta(seconds=15)
"""How long a platform may take for one message."""
STILL_UNDER_WAY = timedelta(seconds=10)
"""What was not answered in time may still be done: it is looked for only so much later."""

IN_LINE = 10

NOT_SPOKEN = Words(
    ja="このプロセスは {channel} に接続していません。",
    en="This process does not speak {channel}.",
    zh="本进程未连接 {channel}。",
)
LOST = Words(
    ja="{channel} の返事が失われました。",
    en="The answer of {channel} got lost.",
    zh="{channel} 的答复丢失。",
)

End = Literal["sent", "unsaid", "later", "not_now", "lost", "unknown", "again", "failed", "gone"]
"""`later`: it surely was not done; `lost`: nobody knows, it is looked for later; `again`: it surely
is not there after all; `failed`: never by this way; `gone`: nothing reaches them this way."""


@dataclass(frozen=True, slots=True)
class Ended:
    """What an act came to. `how`: answered, found on the platform, or told again."""

    ready: Ready
    end: End
    sent: Sent | None = None
    words: Words | None = None
    after: timedelta | None = None
    how: Literal["answered", "found", "again"] = "answered"


@dataclass(frozen=True, slots=True)
class Ways:
    """The ways out of a process."""

    house: House
    settings: Settings
    channels: Mapping[str, Channel] = field(default_factory=dict)

    def names(self) -> set[str]:
        return {*self.house.outbounds, *self.channels}

    def in_line(self, channel: str) -> int:
        """How many of one conversation are taken at once: where nobody can tell afterwards what
        became of one, no more than are surely begun."""
        only_sends = self.channels.get(channel)
        return IN_LINE if only_sends is None or only_sends.same_key else 1

    def repeats(self, channel: str) -> bool:
        """Whether what was said or changed may be said again: it is known there by its key."""
        only_sends = self.channels.get(channel)
        return only_sends is None or only_sends.same_key or only_sends.edits

    def changes(self, channel: str) -> bool:
        """Whether what was sent on it can be changed."""
        only_sends = self.channels.get(channel)
        if only_sends is not None:
            return only_sends.edits
        outbound = self.house.outbounds.get(channel)
        return outbound is not None and not isinstance(outbound, Says)


async def send(ways: Ways, ready: Ready) -> Ended:
    """Send it, or find out what became of it. Raises nothing but CancelledError."""
    ended = await _sent(ways, ready)
    if ended.words is None:
        return ended
    return replace(ended, words=hushed(ended.words, ready.told.facts))


async def _sent(ways: Ways, ready: Ready) -> Ended:  # noqa: PLR0911  # a line for each end
    channel = ready.claimed.channel
    # Of a change that can't be made twice nobody finds out afterwards what became of it.
    lost: End = "unknown" if ready.claimed.edits and not ways.repeats(channel) else "lost"
    try:
        async with asyncio.timeout(AT_MOST.total_seconds()):
            return await _act(ways, ready)
    except NotNow as error:
        # Of what may have been sent nothing was found out: it is not sent anew.
        not_now: End = "lost" if ready.again else "not_now"
        return Ended(ready, not_now, words=error.words, after=error.after)
    except TryLater as error:
        # What is repeated may have come through the first time.
        end: End = "lost" if ready.again else "later"
        return Ended(ready, end, words=error.words, after=error.after)
    except OutcomeUnknown as error:
        return Ended(ready, "unknown" if ready.again else lost, words=error.words)
    except Unreachable as error:
        return Ended(ready, "gone", words=error.words)
    except MiyabiError as error:
        return Ended(ready, "failed", words=error.words)
    except TimeoutError:
        return Ended(ready, lost, words=LOST.fill(channel=channel), after=STILL_UNDER_WAY)
    except Exception:
        log.exception("dispatch.crashed", dispatch=str(ready.claimed.id), channel=channel)
        return Ended(ready, lost, words=LOST.fill(channel=channel))


async def _act(ways: Ways, ready: Ready) -> Ended:
    claimed = ready.claimed
    only_sends = ways.channels.get(claimed.channel)
    if only_sends is not None and ready.place is not None:
        return await _post(ways, only_sends, ready)
    outbound = way_out(ways.house, claimed.channel)
    if outbound is None:
        raise Permanent(NOT_SPOKEN.fill(channel=claimed.channel))
    place = _where(ready)
    if isinstance(outbound, Says):
        return await _say(outbound, place, ready)
    if ready.again:
        return await _find(outbound, place, ready)
    return Ended(ready, "sent", await _show(outbound, place, ready))


def _where(ready: Ready) -> Place:
    claimed = ready.claimed
    if ready.place is not None:
        return places.chat(ready.place)
    account = claimed.address
    return Place(claimed.organisation_id, claimed.workspace, account, None, account, direct=True)


def key_of(ready: Ready) -> UUID:
    """What a provider tells one message from another by: of the first the dispatch's own id."""
    own = ready.claimed.id
    return uuid5(own, str(ready.revision)) if ready.claimed.edits else own


async def _show(outbound: Outbound, place: Place, ready: Ready) -> Sent:
    claimed, message, key = ready.claimed, ready.message, str(key_of(ready))
    if claimed.edits:
        return await outbound.edit(place, stands(ready), message, key)
    if message.files:
        return await outbound.upload(place, message.files[0], message, key)
    return await outbound.send(place, message, key)


def stands(ready: Ready) -> Sent:
    """What of it stands there already."""
    claimed = ready.claimed
    extra: dict[str, Any] = (claimed.extra or {}).get("platform") or {}
    return Sent(claimed.sent_channel or claimed.address, claimed.external_id or "", extra)


async def _find(outbound: Outbound, place: Place, ready: Ready) -> Ended:
    """Look whether it is there, and where nothing is, once more when it would have come."""
    attachment = ready.message.files[0] if ready.message.files else None
    for pause in (timedelta(0), outbound.settles):
        await asyncio.sleep(pause.total_seconds())
        found = await outbound.find(place, str(key_of(ready)), attachment)
        if found is not None:
            return Ended(ready, "sent", found, how="found")
    return Ended(ready, "again")


async def _say(outbound: Says, place: Place, ready: Ready) -> Ended:
    key, claimed = key_of(ready), ready.claimed
    before = load(Message, claimed.body) if claimed.edits and claimed.body else None
    weight: Literal["urgent", "must"] = "urgent" if ready.told.importance == "critical" else "must"
    utterance = Utterance(str(claimed.id), ready.message, weight, before=before)
    [sent] = await outbound.say(place, key, [utterance], again=ready.again)
    how: Literal["answered", "again"] = "again" if ready.again else "answered"
    return Ended(ready, "sent" if sent is not None else "unsaid", sent, how=how)


async def _post(ways: Ways, channel: Channel, ready: Ready) -> Ended:
    assert ready.place is not None  # noqa: S101  # as whoever calls has looked
    if ready.again and not channel.same_key:
        raise OutcomeUnknown(LOST.fill(channel=channel.name))
    edits = stands(ready) if ready.claimed.edits and channel.edits else None
    posting = places.posting(
        ready.place,
        ready.message,
        places.as_data(ready.told),
        str(key_of(ready)),
        again=ready.again,
        edits=edits,
    )
    bot, paces = str(ready.place.id), Paces(bot=channel.rate)
    passage = Passage(ready.claimed.organisation_id, channel.name, bot, "send", "", paces)
    async with ways.house.gate.through(passage):
        sent = await channel.send(ways.settings, posting)
    return Ended(ready, "sent", sent, how="again" if ready.again else "answered")
