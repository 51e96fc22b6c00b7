"""All that a run left behind: the database's rows, Slack's records, the journal and the trace.

From here on nothing of the product is used: raw SQL, and what the fakes saw.
"""

import json
import re
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import asyncpg  # type: ignore[import-untyped]

from tests.chaos.journal import Journal
from tests.fakes.slack.server import FakeSlack
from tests.fakes.slack.state import Message

Row = asyncpg.Record
Trace = Sequence[dict[str, Any]]

_TABLES = {
    "tasks": "select * from tasks order by reference",
    "steps": "select * from steps",
    "approvals": "select * from approvals",
    "stages": "select * from approval_stages",
    "decisions": "select * from decisions",
    "documents": "select * from documents order by number",
    "threads": "select * from threads",
    "messages": "select * from messages",
    "dispatches": "select id, sent_channel as channel, external_id, state as slot from dispatches"
    " where shown > 0",
    "notifications": "select * from notifications",
    "deliveries": "select * from deliveries order by created_at",
    "outbox": "select * from outbox",
    "effects": "select * from effects",
    "leases": "select * from chaos_leases order by at",
    "events": "select stream, seq, at, tag, body ->> 'revision' as revision,"
    " body ->> 'step' as step, body -> 'data' as data from audit_events"
    " order by stream, seq",
}


@dataclass(slots=True)
class Evidence:
    """What is known of a run. Times are seconds of `time.time()`."""

    rows: dict[str, list[Row]]
    slack: FakeSlack
    ledger: Sequence[Sequence[Any]]
    journal: Journal
    trace: Trace
    posted: dict[tuple[str, str], Message] = field(default_factory=dict)
    events: dict[UUID, list[Row]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for channel in self.slack.home.channels.values():
            for message in channel.messages.values():
                if message.bot_id and not message.deleted:
                    self.posted[channel.id, message.ts] = message
        streams: dict[UUID, list[Row]] = defaultdict(list)
        for event in self.rows["events"]:
            streams[event["stream"]].append(event)
        self.events = dict(streams)

    def as_json(self) -> str:
        """The rows, for whoever looks into a run."""
        rows = {name: [dict(row) for row in found] for name, found in self.rows.items()}
        return json.dumps(rows, ensure_ascii=False, default=str)

    def of_request(self, number: int) -> list[Row]:
        """The tasks that came of a request: there should be one."""
        return [task for task in self.rows["tasks"] if f"K{number:04d}" in task["text"]]

    def of_task(self, table: str, task: UUID) -> list[Row]:
        return [row for row in self.rows[table] if row["task_id"] == task]

    def data(self, event: Row) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(event["data"])
        return found

    def key(self, message: Message) -> str | None:
        """The idempotency key that a message carries."""
        payload = (message.metadata or {}).get("event_payload") or {}
        return payload.get("key")

    def moments(self, message: Message) -> list[float]:
        """When it was posted and edited."""
        return [wall(version.at) for version in message.history]


async def gather(
    database: str,
    slack: FakeSlack,
    ledger: Sequence[Sequence[Any]],
    journal: Journal,
    trace: Trace,
) -> Evidence:
    """Read it all. `ledger`: the lines of the sheet in which what was issued is entered."""
    connection = await asyncpg.connect(database)
    try:
        rows = {name: list(await connection.fetch(sql)) for name, sql in _TABLES.items()}
    finally:
        await connection.close()
    return Evidence(rows, slack, ledger, journal, trace)


def wall(monotonic: float) -> float:
    """A moment of `time.monotonic()` on the clock that PostgreSQL has too."""
    return monotonic + time.time() - time.monotonic()


def short(text: str) -> str:
    """A request's marker, to speak of its task."""
    found = re.search(r"K\d{4}", text)
    return found[0] if found else text[:20]
