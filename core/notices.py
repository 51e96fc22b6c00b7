"""What people should hear, apart from a task's own conversation: written with what happened.

A notice has a topic and facts, no text. The hub (notifier/hub) decides who hears it where and when,
and its words come from the topic's template.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, get_args
from uuid import UUID

from audit.event import SYSTEM, Actor, Event
from core.codec import dump
from core.db import execute, to_json
from core.ids import new_id
from core.messages import Attachment, Picture
from core.tags import Tag
from core.unit import Unit

Importance = Literal["low", "normal", "high", "critical"]
IMPORTANCES: tuple[Importance, ...] = get_args(Importance)

WAKES = "notices"
"""The channel of PostgreSQL's NOTIFY by which the hub's workers are woken (core/wakes.py)."""

RecipientKind = Literal["person", "role", "requester", "waits_for", "on_call", "place", "all"]


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who should hear it. `of`: a person's id, a role, a rota's or a place's name; empty for
    `requester` and `waits_for` (both of the notice's task) and `all`."""

    kind: RecipientKind
    of: str = ""


@dataclass(frozen=True, slots=True)
class Action:
    """Something that whoever hears it may do. `ack`: say that they have it, which ends the ladder;
    `mute`: hear no more of the topic today; `open`: an address, as `url`."""

    kind: Literal["ack", "mute", "open"]
    label: Mapping[str, str] = field(default_factory=dict)
    """By language; empty: the hub's own words."""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Ladder:
    """Who is told next where nobody acknowledges: `rungs` after the first recipients, each so many
    minutes after the one before; nobody is told any more after `expires_minutes`."""

    minutes: int
    rungs: tuple[tuple[Recipient, ...], ...]
    expires_minutes: int = 24 * 60


@dataclass(frozen=True, slots=True)
class Notice:
    """What should be heard. `facts` are JSON values, as the topic's template wants them.

    `group`: the same thing again within the topic's window is counted, not repeated. `approval`:
    it is true only while that waits for a decision. `by`: who did it, and so need not be told.
    """

    topic: str
    recipients: tuple[Recipient, ...]
    facts: Mapping[str, Any] = field(default_factory=dict)
    importance: Importance = "normal"
    actions: tuple[Action, ...] = ()
    file: Attachment | None = None
    picture: Picture | None = None
    task_id: UUID | None = None
    approval_id: UUID | None = None
    by: UUID | None = None
    group: str | None = None
    resolved: bool = False
    """Of a group: it is over; what stands there is changed and says so."""
    ladder: Ladder | None = None
    expires_at: datetime | None = None


async def publish(
    work: Unit,
    organisation_id: UUID,
    notice: Notice,
    *,
    sender_id: UUID | None = None,
    key: str | None = None,
    key_sha256: bytes | None = None,
    actor: Actor = SYSTEM,
) -> UUID:
    """Write it in the caller's transaction; the hub's workers are woken after its commit.

    With a `key`, the sender's own, the caller has looked whether it is there already.
    """
    notice_id = new_id()
    await execute(
        work.connection,
        "with written as (insert into notices (id, organisation_id, topic, importance, facts,"
        " recipients, actions, file, picture, task_id, approval_id, person_id, sender_id, key,"
        " key_sha256, group_key, resolved, ladder, expires_at)"
        " values (:id, :organisation_id, :topic, :importance,"
        " cast(:facts as jsonb), cast(:recipients as jsonb), cast(:actions as jsonb),"
        " cast(:file as jsonb), cast(:picture as jsonb), :task_id, :approval_id, :person_id,"
        " :sender_id, :key, :key_sha256, :group_key, :resolved, cast(:ladder as jsonb),"
        " :expires_at) returning id)"
        " select pg_notify(:wakes, '') from written",
        {
            "wakes": WAKES,
            "id": notice_id,
            "organisation_id": organisation_id,
            "topic": notice.topic,
            "importance": notice.importance,
            "facts": to_json(dict(notice.facts)),
            "recipients": to_json(_dumped(notice.recipients)),
            "actions": to_json(_dumped(notice.actions)),
            "file": to_json(dump(notice.file)) if notice.file else None,
            "picture": to_json(dump(notice.picture)) if notice.picture else None,
            "task_id": notice.task_id,
            "approval_id": notice.approval_id,
            "person_id": notice.by,
            "sender_id": sender_id,
            "key": key,
            "key_sha256": key_sha256,
            "group_key": notice.group,
            "resolved": notice.resolved,
            "ladder": to_json(dump(notice.ladder)) if notice.ladder else None,
            "expires_at": notice.expires_at,
        },
    )
    work.record(
        Event(
            organisation_id,
            notice_id,
            Tag.NOTICE_PUBLISHED,
            {
                "topic": notice.topic,
                "importance": notice.importance,
                "sender": str(sender_id) if sender_id else None,
                "task": str(notice.task_id) if notice.task_id else None,
            },
            actor,
        )
    )
    return notice_id


EDIT_AT_MOST = timedelta(seconds=5)
"""Between two edits of one message, however often what it says changes."""


async def show_anew(work: Unit, organisation_id: UUID, notices: Collection[UUID]) -> None:
    """Have what stands somewhere of these changed, as their revision went up, or is on its way
    there."""
    await execute(
        work.connection,
        "with mine as (select id from dispatches where organisation_id = :organisation_id"
        " and notice_id = any(:notices) and (shown > 0 or state = 'sending') and edit_at is null"
        " order by id for update)"  # in the order of whoever writes what became of them
        " update dispatches d set edit_at = greatest(now(), d.sent_at + :pause) from mine"
        " where d.organisation_id = :organisation_id and d.id = mine.id",
        {"organisation_id": organisation_id, "notices": list(notices), "pause": EDIT_AT_MOST},
    )


async def wake(work: Unit) -> None:
    """Wake the hub's workers once this change is committed."""
    # across organisations: a word to all workers, about nobody
    await execute(work.connection, f"select pg_notify('{WAKES}', '')", {})


def _dumped(values: Sequence[object]) -> list[Any]:
    return [dump(value) for value in values]
