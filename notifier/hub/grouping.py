"""The same again within a while is counted with the first, not told anew: a storm is one message.

A member that is more important than its head begins anew, so that people hear of it. What is over
(`resolved`) changes whatever of its group still says that it is not, however long ago that began.
Where somebody had to answer, what happens again after it was over begins anew: the answer was about
what is over, and a message that is only changed wakes nobody.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from audit.event import Event
from core.db import execute, fetch_all
from core.notices import Importance, show_anew
from core.tags import Tag
from core.unit import Unit
from notifier.hub.dispatch import RANK
from notifier.hub.rules import Rules
from notifier.hub.waiting import Waiting

LONGEST = timedelta(days=7)
"""What began longer ago is not found again when it is over."""


@dataclass(slots=True)
class _Head:
    """A notice that others are counted with."""

    id: UUID
    importance: Importance
    created_at: datetime
    resolved: bool
    answered: bool = False
    """Somebody has it, or has to say so, or it is critical."""
    count: int = 1
    members: list[Waiting] = field(default_factory=list)

    def takes(self, notice: Waiting, window: timedelta) -> bool:
        if RANK[notice.importance] < RANK[self.importance]:
            return False
        if notice.resolved and not self.resolved:
            return True
        if self.resolved and self.answered and not notice.resolved:
            return False
        return notice.created_at - self.created_at < window

    def add(self, notice: Waiting) -> None:
        self.members.append(notice)
        self.resolved = notice.resolved
        self.count += not notice.resolved  # that it is over is not once more


async def count_in(
    work: Unit,
    organisation_id: UUID,
    notices: Sequence[Waiting],
    rules: Rules,
    minutes: int,
) -> Sequence[Waiting]:
    """Count those that are the same again with their heads; gives the others, which are told.

    `minutes`: how long that is where no rule says it.
    """
    heads = await _heads(work, organisation_id, notices)
    changed: dict[UUID, _Head] = {}
    told = []
    for notice in notices:
        if notice.group is None or notice.over is not None:
            told.append(notice)
            continue
        group = heads.setdefault((notice.topic, notice.group), [])
        window = timedelta(minutes=_minutes(notice, rules, minutes))
        taking = [head for head in group if head.takes(notice, window)]
        if not taking:
            group.insert(0, _first(notice, rules))
            told.append(notice)
            continue
        taking[0].add(notice)
        also = [head for head in taking[1:] if notice.resolved and not head.resolved]
        for head in also:
            head.resolved = True
        changed |= {head.id: head for head in (taking[0], *also)}
    await _store(work, organisation_id, changed)
    return told


def _first(notice: Waiting, rules: Rules) -> _Head:
    climbs = notice.ladder is not None or rules.saying("ladder", notice.matter) is not None
    answered = climbs or notice.importance == "critical"
    return _Head(
        notice.id, notice.importance, notice.created_at, notice.resolved, answered, notice.count
    )


def _minutes(notice: Waiting, rules: Rules, otherwise: int) -> int:
    rule = rules.saying("group_minutes", notice.matter)
    return rule.group_minutes if rule is not None and rule.group_minutes else otherwise


async def _heads(
    work: Unit, organisation_id: UUID, notices: Sequence[Waiting]
) -> dict[tuple[str, str], list[_Head]]:
    """Those that there are of the groups, the newest first."""
    groups = {notice.group for notice in notices if notice.group is not None}
    found: dict[tuple[str, str], list[_Head]] = {}
    if not groups:
        return found
    rows = await fetch_all(
        work.connection,
        "select id, topic, group_key, importance, created_at, resolved, count as times,"
        " acknowledged_at is not null or ladder is not null or importance = 'critical' as answered"
        " from notices"
        " where organisation_id = :organisation_id and group_key = any(:groups)"
        " and head_id is null and cancelled_at is null and id <> all(:ids)"
        " and fanned_at is not null"  # what waits still is counted when its turn comes
        " and created_at > now() - cast(:longest as interval)"
        " and (expires_at is null or expires_at > now())"
        " order by id desc for no key update",
        {
            "organisation_id": organisation_id,
            "groups": sorted(groups),
            "ids": [notice.id for notice in notices],
            "longest": LONGEST,
        },
    )
    for row in rows:
        head = _Head(row.id, row.importance, row.created_at, row.resolved, row.answered, row.times)
        found.setdefault((row.topic, row.group_key), []).append(head)
    return found


async def _store(work: Unit, organisation_id: UUID, changed: Mapping[UUID, _Head]) -> None:
    if not changed:
        return
    members = [(head.id, each.id) for head in changed.values() for each in head.members]
    scope: dict[str, Any] = {"organisation_id": organisation_id}
    await execute(
        work.connection,
        "update notices n set head_id = m.head, fanned_at = now()"
        " from unnest(cast(:heads as uuid[]), cast(:members as uuid[])) as m (head, member)"
        " where n.organisation_id = :organisation_id and n.id = m.member",
        {
            **scope,
            "heads": [head for head, _ in members],
            "members": [member for _, member in members],
        },
    )
    # What stands there says what is so now: the facts of the newest, in the words of the first.
    await execute(
        work.connection,
        "update notices n set count = h.count, resolved = h.resolved, revision = n.revision + 1,"
        " facts = coalesce(l.facts, n.facts), file = coalesce(l.file, n.file)"
        " from unnest(cast(:heads as uuid[]), cast(:counts as integer[]),"
        " cast(:resolved as boolean[]), cast(:newest as uuid[])) as h (id, count, resolved, newest)"
        " left join notices l on l.organisation_id = :organisation_id and l.id = h.newest"
        " where n.organisation_id = :organisation_id and n.id = h.id",
        {
            **scope,
            "heads": list(changed),
            "counts": [head.count for head in changed.values()],
            "resolved": [head.resolved for head in changed.values()],
            "newest": [head.members[-1].id if head.members else None for head in changed.values()],
        },
    )
    await show_anew(work, organisation_id, changed.keys())
    for head in changed.values():
        data = {"count": head.count, "resolved": head.resolved}
        work.record(Event(organisation_id, head.id, Tag.NOTICE_COUNTED, data))
