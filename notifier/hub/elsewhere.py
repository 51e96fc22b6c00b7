"""Who could not be told one way is told by the next of theirs, with the reason; without a next,
it is a dead letter that the admins hear of."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from core import accounts
from core.codec import dump
from core.db import execute, fetch_all, fetch_one, moment_of
from core.house import House
from core.inbound import Sender
from core.notices import Importance, Notice, Recipient, publish, wake
from core.unit import Unit, unit
from core.words import Words, same
from notifier.hub import places
from notifier.hub.claiming import COLUMNS, Claimed, read
from notifier.hub.deciding import decide
from notifier.hub.decision import Way
from notifier.hub.nowhere import FAILED, UNREACHABLE
from notifier.hub.places import NoticePlace
from notifier.hub.preparing import by_other_way
from notifier.hub.readers import read_readers, setting_of
from notifier.hub.topics import matter_of

INSTEAD = Words(
    ja="{channel} では届かなかったため、こちらにお知らせします（{why}）。",
    en="You are told here because you were not reached by {channel} ({why}).",
    zh="因无法通过 {channel} 送达，改在此处通知您（{why}）。",
)


@dataclass(frozen=True, slots=True)
class Lost:
    """A dispatch that did not arrive and never will. `gone`: nothing does by this way any more."""

    claimed: Claimed
    topic: str
    importance: Importance
    words: Words
    gone: bool = False
    place: NoticePlace | None = None


async def tell_elsewhere(work: Unit, house: House, lost: Lost) -> None:
    """Have it told by the next way. A place that is gone is off from now on."""
    claimed = lost.claimed
    if claimed.person_id is None:
        if lost.gone and lost.place is not None:
            await places.turn_off(work, lost.place, lost.words)
        return
    if lost.gone:
        sender = Sender(claimed.channel, claimed.workspace, claimed.address)
        await accounts.unreachable(work, sender)
    instead = INSTEAD.fill(channel=claimed.channel, why=lost.words)
    for way in await _others(work, house, lost, claimed.person_id):
        line = claimed.place_in_line + 1
        if await by_other_way(work, claimed, way, instead, place_in_line=line):
            await _mark(work, claimed, dead=False)
            await wake(work)
            return
    await _mark(work, claimed, dead=True)
    await _tell_admins(work, lost, claimed.person_id)


# Those that were sent and came back (core/dispatches.py): by `next_at` it is known of which nobody
# has looked yet where they are told instead.
# across organisations: the hub serves them all
_CAME_BACK = f"""
    select {COLUMNS}, d.error, n.topic, n.importance as important, false as lost
    from dispatches d join notices n on n.id = d.notice_id
    where d.state = 'failed' and d.reason = 'bounced' and d.dead_at is null
        and d.next_at < 'infinity'
    order by d.next_at limit 100 for update of d skip locked
"""  # noqa: S608  # constants


async def turn_those_that_came_back(house: House) -> int:
    """Have what came back told by the next ways; returns how many there were."""
    async with unit(house) as work:
        rows = await fetch_all(work.connection, _CAME_BACK, {})
        for row in rows:
            words = same(row.error or "bounced")
            await tell_elsewhere(work, house, Lost(read(row), row.topic, row.important, words))
    return len(rows)


async def _others(work: Unit, house: House, lost: Lost, person_id: UUID) -> Sequence[Way]:
    """Their other ways, in the order in which they want to hear of it."""
    claimed = lost.claimed
    readers = await read_readers(
        work.connection, claimed.organisation_id, [person_id], house.outbounds
    )
    reader = readers.get(person_id)
    if reader is None:
        return ()
    setting = await setting_of(work.connection, claimed.organisation_id)
    matter = matter_of(lost.topic, lost.importance)
    now = await moment_of(work.connection)
    decision = decide(matter, reader, setting.rules, setting.closing_days, now)
    ways = dict.fromkeys([*decision.ways, *reader.ways])
    own = (claimed.channel, claimed.workspace, claimed.address)
    return [w for w in ways if w.reached and (w.channel, w.workspace, w.address) != own]


async def _mark(work: Unit, claimed: Claimed, *, dead: bool) -> None:
    """Somebody has to look at it, or it goes on by another way."""
    await execute(
        work.connection,
        "update dispatches set dead_at = case when :dead then now() end, next_at = 'infinity'"
        " where organisation_id = :organisation_id and id = :id",
        {"organisation_id": claimed.organisation_id, "id": claimed.id, "dead": dead},
    )


async def _tell_admins(work: Unit, lost: Lost, person_id: UUID) -> None:
    """Once for the same topic and person, however often; of what the admins are told themselves
    they are not told in turn."""
    if lost.topic == UNREACHABLE or lost.topic.startswith("system."):
        return
    organisation_id = lost.claimed.organisation_id
    row = await fetch_one(
        work.connection,
        "select name from people where organisation_id = :organisation_id and id = :id",
        {"organisation_id": organisation_id, "id": person_id},
    )
    facts = {
        "count": 1,
        "topic": lost.topic,
        "notice": str(lost.claimed.notice_id),
        "person": row.name if row else "",
        "channel": lost.claimed.channel,
        "reason": dump(lost.words),
    }
    admins = (Recipient("role", "admin"),)
    group = f"{FAILED}:{lost.topic}:{person_id}"
    notice = Notice(FAILED, admins, facts, importance="high", group=group)
    await publish(work, organisation_id, notice)
