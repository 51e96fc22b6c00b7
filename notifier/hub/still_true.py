"""Whether a notice is still to be told to somebody, and what there is to tell by now."""

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from core.codec import load
from core.db import from_json
from core.messages import Attachment, Picture
from core.notices import Action
from core.words import Words
from notifier.hub.claiming import Claimed
from notifier.hub.decision import Reader
from notifier.hub.dispatch import DropReason
from notifier.hub.told import Told

MILESTONES = frozenset(10**n for n in range(1, 7))
"""How often is worth a message of its own where nothing that was sent can be changed."""


# Of a notice `n`, with its task `t` and its approval `a`: what it tells has been seen to.
DECIDED = """
    (n.approval_id is not null and a.state is distinct from 'pending'
        or n.topic = 'task.failed' and n.count = 1 and t.state is distinct from 'failed')
"""
# Who decides the approval that it is about, where it is about one.
DECIDERS = """
    case when n.approval_id is not null then array(select s.holder_id from approval_seats s
        join approval_stages g on g.id = s.stage_id where g.approval_id = n.approval_id
        and s.organisation_id = :organisation_id and s.state = 'open') end
"""


def worth_saying(before: Mapping[str, Any], told: Told) -> bool:
    """Whether a change is worth one more message: it is over, or has become ten times as much."""
    if told.acknowledged_at is not None or told.cancelled:
        return False  # after that nothing more leaves
    if told.resolved != (before.get("resolved") == "true"):
        return True
    said = int(before.get("count", 1))
    return any(said < milestone <= told.count for milestone in MILESTONES)


def untrue(notice: Any, reader: Reader | None) -> DropReason | None:
    """Why a notice need not be told any more; None where it is."""
    reasons: list[tuple[bool, DropReason]] = [
        (notice.cancelled_at is not None, "cancelled"),
        (notice.acknowledged_at is not None, "acknowledged"),
        (notice.expires_at is not None and notice.expires_at <= notice.now, "expired"),
        (notice.decided, "decided"),
        (reader is not None and reader.id in notice.readers, "read_elsewhere"),
        (reader is not None and not has_right(notice, reader.id, reader.roles), "no_right"),
    ]
    return next((reason for true, reason in reasons if true), None)


def has_right(notice: Any, person_id: UUID, roles: Collection[str]) -> bool:
    """Whether they would be told still: a role may have been taken, a seat passed on."""
    recipients = from_json(notice.recipients)
    kinds = {each["kind"] for each in recipients}
    if kinds == {"role"}:
        return not {each["of"] for each in recipients}.isdisjoint(roles)
    if kinds == {"waits_for"} and notice.deciders is not None:
        return person_id in notice.deciders
    return True


def told_of(notice: Any, organisation_id: UUID, each: Claimed) -> Told:
    """The notice as it is shown."""
    actions = [load(Action, action) for action in from_json(notice.actions)]
    return Told(
        id=notice.id,
        organisation_id=organisation_id,
        topic=notice.topic,
        importance=notice.importance,
        facts=from_json(notice.facts),
        at=notice.created_at,
        actions=actions,
        file=load(Attachment, from_json(notice.file)) if notice.file else None,
        picture=load(Picture, from_json(notice.picture)) if notice.picture else None,
        task=notice.reference,
        count=notice.times,
        resolved=notice.resolved,
        cancelled=notice.cancelled_at is not None,
        acknowledged_by=notice.holder,
        acknowledged_at=notice.acknowledged_at,
        climbs=notice.climbs,
        notes=[load(Words, each.instead)] if each.instead else [],
    )
