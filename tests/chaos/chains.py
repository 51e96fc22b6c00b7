"""The audit log against the tables: for each state its event, and for each event its state."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from tests.chaos.evidence import Evidence, Row, short

Fact = tuple[Any, ...]


def without_event(evidence: Evidence) -> list[str]:
    """What the tables say and the log does not."""
    return [_say(evidence, fact, n) for fact, n in (_states(evidence) - _events(evidence)).items()]


def without_state(evidence: Evidence) -> list[str]:
    """What the log says and the tables do not."""
    return [_say(evidence, fact, n) for fact, n in (_events(evidence) - _states(evidence)).items()]


def _states(evidence: Evidence) -> Counter[Fact]:
    return Counter(_from_tables(evidence))


def _from_tables(evidence: Evidence) -> Iterator[Fact]:
    for task in evidence.rows["tasks"]:
        yield "received", task["id"]
        if task["state"] in {"done", "cancelled"}:
            yield task["state"], task["id"]
    decided = {(row["task_id"], row["step"]) for row in evidence.rows["approvals"]}
    for step in evidence.rows["steps"]:
        if (step["task_id"], step["name"]) not in decided:  # its event is the decision
            yield "step", step["task_id"], step["revision"], step["name"]
    for approval in evidence.rows["approvals"]:
        yield "asked for approval", approval["task_id"]
    of_approval = {row["id"]: row["task_id"] for row in evidence.rows["approvals"]}
    for decision in evidence.rows["decisions"]:
        yield "decided", of_approval[decision["approval_id"]]
    for document in evidence.rows["documents"]:
        yield "numbered", document["task_id"]
        if document["file"]:
            yield "issued", document["task_id"]
    for effect in evidence.rows["effects"]:
        for _ in range(effect["attempts"]):
            yield "intended", effect["task_id"], str(effect["id"])
        if effect["state"] == "done":
            yield "effect done", effect["task_id"], str(effect["id"])
    for message in evidence.rows["messages"]:
        yield "sent", message["task_id"], message["slot"], message["external_id"]


_PLAIN = {
    "intake:task:received": "received",
    "worker:task:done": "done",
    "intake:task:cancelled": "cancelled",
    "worker:approval:requested": "asked for approval",
    "approval:approval:decided": "decided",
    "worker:document:numbered": "numbered",
    "worker:document:issued": "issued",
}


def _events(evidence: Evidence) -> Counter[Fact]:
    return Counter(_from_log(evidence))


def _from_log(evidence: Evidence) -> Iterator[Fact]:
    tasks = {task["id"] for task in evidence.rows["tasks"]}
    for stream, events in evidence.events.items():
        if stream not in tasks:
            continue
        for event in events:
            yield from _of_event(evidence, event)


def _of_event(evidence: Evidence, event: Row) -> Iterator[Fact]:
    data = evidence.data(event)
    if event["tag"] in _PLAIN:
        yield _PLAIN[event["tag"]], event["stream"]
    elif event["tag"] == "worker:step:finished":
        yield "step", event["stream"], int(event["revision"]), event["step"]
    elif event["tag"] == "worker:effect:intended":
        yield "intended", event["stream"], data["effect"]
    elif event["tag"] == "worker:effect:done" or data.get("answer") == "sent":
        yield "effect done", event["stream"], data["effect"]
    elif event["tag"] == "notifier:message:sent":
        yield "sent", event["stream"], data["slot"], data["external_id"]


def _say(evidence: Evidence, fact: Fact, n: int) -> str:
    names = {task["id"]: short(task["text"]) for task in evidence.rows["tasks"]}
    words = " ".join(str(names.get(part, part)) for part in fact)
    return words if n == 1 else f"{words} ({n} times)"


def without_lease(evidence: Evidence) -> list[str]:
    """Steps that a process committed after another had taken its task over (from the trace)."""
    taken: dict[str, list[tuple[float, int]]] = {}
    begun: dict[tuple[int, str], float] = {}
    found = []
    for line in evidence.trace:
        task, what, pid = line["task"], line["what"], line["pid"]
        if task is None:
            continue
        if what == "worker: after commit of task started":
            taken.setdefault(task, []).append((line["at"], pid))
        elif what.startswith("worker: before commit of step finished"):
            begun[pid, task] = line["at"]
        elif what.startswith("worker: after commit of step finished"):
            takes = taken.get(task, [])
            if takes and takes[-1][1] != pid and takes[-1][0] < begun.get((pid, task), 0):
                found.append(f"task {task}: {what.removeprefix('worker: after ')} by {pid}")
    return found
