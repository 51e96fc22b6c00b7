"""What the audit log says of a task, held to the table of moves and to what else is stored."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from core.db import from_json
from core.tags import Tag
from core.tasks import FINAL, MOVES
from tests.core.house import Office

_AFTER: dict[str, str] = {
    Tag.TASK_RECEIVED: "received",
    Tag.TASK_REVISED: "received",
    Tag.TASK_RETRIED: "received",
    Tag.QUESTION_ANSWERED: "running",
    Tag.TASK_STARTED: "running",
    Tag.TASK_RETRYING: "retrying",
    Tag.TASK_FAILED: "failed",
    Tag.TASK_STOPPED: "cancelled",
    Tag.TASK_DONE: "done",
    Tag.QUESTION_ASKED: "waiting:answer",
    Tag.APPROVAL_REQUESTED: "waiting:approval",
    Tag.APPROVAL_EXPIRED: "failed",
}
_DECIDED = {"approve": "running", "reject": "rejected", "return": "waiting:answer"}
_CLOSING = {Tag.APPROVAL_DECIDED, Tag.APPROVAL_EXPIRED, Tag.APPROVAL_SUPERSEDED}

# One statement, so that it is all of one moment: a worker may be at the task meanwhile.
_STORED = """
    select t.*,
        (select jsonb_agg(body order by seq)
            from audit_events where stream = t.id) as events,
        (select count(*) from approvals where task_id = t.id and state = 'pending') as pending,
        (select jsonb_agg(jsonb_build_array(revision, name)) from steps
            where task_id = t.id and name <> 'approve') as steps,
        (select jsonb_agg(revision) from documents where task_id = t.id) as numbered
    from tasks t where t.id = :id
"""


@dataclass(slots=True)
class History:
    """A task by its events alone, the earliest first; `held` while a worker is at it."""

    states: list[str] = field(default_factory=list)
    held: bool = False
    revision: int = 1
    pending: int = 0
    steps: list[tuple[int, str]] = field(default_factory=list)
    numbered: list[int] = field(default_factory=list)

    def add(self, event: dict[str, Any]) -> None:
        """Raises AssertionError for an event that may not come here."""
        tag, data = event["tag"], event["data"]
        assert event["revision"] in {None, self.revision}, f"{tag} is of another revision"
        if tag.startswith("worker:") and tag != Tag.TASK_STARTED:
            assert self.held, f"{tag} by nobody who has the task: {self.states}"
        if tag == Tag.STEP_FINISHED:
            self.steps.append((self.revision, event["step"]))
        self.numbered += [self.revision] * (tag == Tag.DOCUMENT_NUMBERED)
        self.pending += (tag == Tag.APPROVAL_REQUESTED) - (tag in _CLOSING)
        self.revision = data["to"] if tag == Tag.TASK_REVISED else self.revision
        self._move(tag, data)

    def _move(self, tag: str, data: dict[str, Any]) -> None:
        after = _state_after(tag, data)
        if after is None:
            return
        before = self.states[-1] if self.states else None
        # Whoever takes a task that is being cancelled only stops it; whoever has it keeps it.
        self.held = tag == Tag.TASK_STARTED or (self.held and after == "cancelling")
        if tag == Tag.TASK_STARTED and before == "cancelling":
            return
        if before is not None:
            assert _plain(before) not in FINAL, f"{tag} after the end: {before} -> {after}"
            assert _plain(after) in MOVES[_plain(before)], f"{tag}: {before} -> {after}"
        self.states.append(after)


async def check(office: Office, task_id: UUID) -> Any:
    """The task's row. Raises AssertionError where its events and what is stored differ."""
    row = await office.row(_STORED, {"id": task_id})
    history = History()
    for event in from_json(row.events):
        history.add(event)
    state = f"{row.state}:{row.waiting_for}" if row.waiting_for else row.state
    _same("state", history.states[-1], state)
    _same("revision", history.revision, row.revision)
    _same("pending approvals", history.pending, row.pending)
    _same("steps", sorted(history.steps), sorted(map(tuple, from_json(row.steps or "[]"))))
    _same("numbers", sorted(history.numbered), sorted(from_json(row.numbered or "[]")))
    assert len(set(history.numbered)) == len(history.numbered), "two numbers of one revision"
    return row


def _same(what: str, told: object, stored: object) -> None:
    assert told == stored, f"{what}: {told} by the events, {stored} in the tables"


def _plain(state: str) -> str:
    return state.partition(":")[0]


def _state_after(tag: str, data: dict[str, Any]) -> str | None:
    if tag == Tag.TASK_CANCELLED:
        return str(data["state"])
    if tag == Tag.APPROVAL_DECIDED:
        return _DECIDED[data["action"]]
    return _AFTER.get(tag)
