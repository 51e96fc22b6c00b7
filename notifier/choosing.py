"""How people are told of a task in direct conversations: decided as all else that they hear is.

A company in which nobody chose anything, and which has no rules of its own, is not even asked.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from core.db import fetch_all, fetch_one, moment_of
from core.people import Account
from notifier.hub.deciding import decide
from notifier.hub.decision import Decision, Reader
from notifier.hub.readers import Setting, read_readers, setting_of
from notifier.hub.topics import matter_of

TOPICS = {
    "card": "approval.requested",
    "enclosed": "approval.requested",
    "reminder": "approval.reminded",
    "digest": "approval.digest",
    "round": "approval.circulated",
    "note": "approval.noted",
    "word": "approval.told",
    "code": "approval.code",
    "held": "task.held",
    "question": "question.asked",
    "failure": "task.failed",
}
"""The topic that decides about a slot of this kind; `task.told` about all others."""

ANY_CHOSEN = (
    "(exists (select from preferences where organisation_id = :organisation_id)"
    " or exists (select from notice_rules where organisation_id = :organisation_id))"
)
"""Whether anything is otherwise than for everybody, as a column of a statement."""


def topic_of_slot(slot: str) -> str:
    """What is told in it, as people choose by."""
    return TOPICS.get(slot.partition(":")[0], "task.told")


def is_muted(decision: Decision) -> bool:
    """Whether they do not want to hear of it at all."""
    muted = any(reason.code == "mute" for reason in decision.reasons)
    return decision.outcome == "dropped" and muted


def waits_until(decision: Decision) -> datetime | None:
    """When they are told, where it is not at once. What is decided by a button is a message of its
    own in a digest, too."""
    return decision.until if decision.outcome in {"held", "digest"} else None


@dataclass(slots=True)
class Chooser:
    """Decides about one task, for as many people as are asked for; each is read once."""

    connection: AsyncConnection
    organisation_id: UUID
    task_id: UUID
    home: tuple[str, str] | None
    readers: dict[UUID, Reader] = field(default_factory=dict)
    setting: Setting | None = None
    now: datetime | None = None

    async def decide(self, people: Collection[UUID], topic: str) -> Mapping[UUID, Decision]:
        """How each is told of a topic; nothing of who has left."""
        new = [person for person in people if person not in self.readers]
        if new:
            self.readers.update(await self._read(new))
        if self.setting is None:
            self.setting = await setting_of(self.connection, self.organisation_id)
            self.now = await moment_of(self.connection)
        assert self.now is not None  # noqa: S101  # as above
        matter = matter_of(topic, task_id=self.task_id, home=self.home)
        return {
            person: decide(
                matter, self.readers[person], self.setting.rules, self.setting.closing_days,
                self.now,
            )
            for person in people
            if person in self.readers
        }  # fmt: skip

    async def _read(self, people: Collection[UUID]) -> Mapping[UUID, Reader]:
        rows = await fetch_all(
            self.connection,
            "select distinct platform from accounts where organisation_id = :organisation_id"
            " and person_id = any(:people)",
            {"organisation_id": self.organisation_id, "people": list(people)},
        )
        platforms = [row.platform for row in rows]
        return await read_readers(
            self.connection, self.organisation_id, people, platforms, criticals=False
        )


async def chooser_of(
    connection: AsyncConnection, organisation_id: UUID, task_id: UUID
) -> Chooser | None:
    """Who decides about a task; None where nobody chose anything."""
    row = await fetch_one(
        connection,
        f"select h.platform, h.workspace, {ANY_CHOSEN} as chosen from tasks t"  # noqa: S608
        " left join lateral (select platform, workspace from threads"
        " where organisation_id = :organisation_id and task_id = t.id and person_id is null"
        " and channel <> '' order by created_at limit 1) h on true"
        " where t.organisation_id = :organisation_id and t.id = :task_id",
        {"organisation_id": organisation_id, "task_id": task_id},
    )
    if row is None or not row.chosen:
        return None
    home = (row.platform, row.workspace) if row.platform is not None else None
    return Chooser(connection, organisation_id, task_id, home)


def in_order(accounts: Collection[Account], decision: Decision) -> list[Account]:
    """Those of the accounts by which somebody is told, in the order that was decided."""
    by_key = {account.key: account for account in accounts}
    keys = [(way.channel, way.workspace, way.address) for way in decision.ways]
    return [by_key[key] for key in keys if key in by_key]
