"""What is for one person waits for the end of their quiet hours, and is looked at again then.

What stands somewhere is edited all the same: that disturbs nobody, and its buttons have to go.
Where nothing can be edited, an edit is one more message, and waits as well.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from core.db import execute, fetch_all
from core.house import House
from core.ports import Says
from core.unit import Unit, unit
from notifier.choosing import chooser_of, is_muted, topic_of_slot, waits_until
from notifier.hub.decision import Decision
from notifier.targets import Ground, Target
from notifier.thread import Due, Taken


@dataclass(frozen=True, slots=True)
class _Direct:
    """A conversation with one person: whom, and which slots stand in it, to be edited."""

    person: UUID
    edited: frozenset[str]


async def held_back(
    work: Unit, house: House, ground: Ground, targets: Sequence[Target]
) -> list[Target]:
    """The targets as their readers want them: some later, some not at all."""
    if ground.chooser is None or not targets:
        return list(targets)
    flat = {name for name, way in house.outbounds.items() if isinstance(way, Says)}
    threads = await _direct(work, ground, {target.thread_id for target in targets}, flat)
    found = []
    for target in targets:
        thread = threads.get(target.thread_id)
        if thread is None or target.slot in thread.edited:
            found.append(target)
            continue
        decided = await ground.chooser.decide([thread.person], topic_of_slot(target.slot))
        decision = decided.get(thread.person)
        if decision is None or not is_muted(decision):
            until = waits_until(decision) if decision is not None else None
            found.append(replace(target, until=until))
    return found


async def _direct(
    work: Unit, ground: Ground, threads: Collection[UUID], flat: Collection[str]
) -> Mapping[UUID, _Direct]:
    rows = await fetch_all(
        work.connection,
        "select h.id, h.person_id, h.platform, array(select m.slot from messages m"
        " where m.organisation_id = :organisation_id and m.thread_id = h.id) as slots"
        " from threads h where h.organisation_id = :organisation_id and h.id = any(:threads)"
        " and h.person_id is not null",
        {"organisation_id": ground.organisation_id, "threads": list(threads)},
    )
    return {
        row.id: _Direct(row.person_id, frozenset(() if row.platform in flat else row.slots))
        for row in rows
    }


# When it is due


async def look_again(house: House, taken: Taken) -> Taken:
    """What is left to be told of what had waited, now that it is due: they may have chosen
    otherwise since."""
    waited = [change for change in taken.due if change.waited]
    reader = taken.thread.reader
    if not waited or reader is None:
        return taken
    async with unit(house) as work:
        task = taken.thread.task
        chooser = await chooser_of(work.connection, task.organisation_id, task.id)
        if chooser is None:
            return taken
        await taken.lease.hold(work)
        left = set()
        for topic in {topic_of_slot(change.slot) for change in waited}:
            decision = (await chooser.decide([reader], topic)).get(reader)
            of_it = [change for change in waited if topic_of_slot(change.slot) == topic]
            if decision is not None and await _wait_on(work, taken, of_it, decision):
                left |= {change.id for change in of_it}
    return replace(taken, due=[change for change in taken.due if change.id not in left])


async def _wait_on(work: Unit, taken: Taken, changes: Sequence[Due], decision: Decision) -> bool:
    """Whether they wait once more, or are not told at all. What waited for a digest does not wait
    for the next."""
    until: datetime | None = decision.until if decision.outcome == "held" else None
    if until is None and not is_muted(decision):
        return False
    await execute(
        work.connection,
        "update deliveries set state = :state, held_until = cast(:until as timestamptz),"
        " next_at = coalesce(cast(:until as timestamptz), next_at)"
        " where organisation_id = :organisation_id and id = any(:ids) and state = 'pending'",
        {
            "organisation_id": taken.lease.organisation_id,
            "ids": [change.id for change in changes],
            "state": "unsaid" if until is None else "pending",
            "until": until,
        },
    )
    return True
