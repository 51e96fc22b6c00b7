"""Nothing lost, nothing doubled: tasks, documents, messages, effects, and what they show."""

import json
from collections import Counter
from collections.abc import Iterator

from tests.chaos.evidence import Evidence, Row, short
from tests.chaos.journal import Asked
from tests.fakes.slack.reading import buttons

_ENDS = {"rejected": "rejected", "cancelled": "cancelled"}
"""The state in which a request of this fate must end; `done` for all others."""


def lost(evidence: Evidence) -> list[str]:
    """What was acknowledged and did not come to its end, or whose end nobody can see."""
    found = []
    for asked in evidence.journal.asked.values():
        if asked.acknowledged_at is None:
            continue
        tasks = evidence.of_request(asked.number)
        name = f"K{asked.number:04d} ({asked.door}, {asked.fate})"
        if not tasks:
            found.append(f"{name}: acknowledged, and there is no task")
        for task in tasks:
            end = _ENDS.get(asked.fate, "done")
            if task["state"] != end:
                why = f" {task['failure']}" if task["failure"] else ""
                waits = f" {task['waiting_for']}" if task["waiting_for"] else ""
                found.append(f"{name}: {task['state']}{waits}, not {end}{why}")
            elif end == "done":
                found += [
                    f"{name}: {problem}" for problem in _not_handed_over(evidence, asked, task)
                ]
    return found


def _not_handed_over(evidence: Evidence, asked: Asked, task: Row) -> Iterator[str]:
    """A finished task has an issued document, and the person who asked has it."""
    documents = evidence.of_task("documents", task["id"])
    if not any(document["file"] for document in documents):
        yield "done without an issued document"
    results = [m for m in evidence.of_task("messages", task["id"]) if m["slot"] == "result"]
    if not results and asked.door != "api":  # programs come and fetch it
        yield "its document was never handed over"


def doubled(evidence: Evidence) -> list[str]:
    """What happened twice: tasks, documents, files in a thread, decisions."""
    found = []
    for asked in evidence.journal.asked.values():
        tasks = evidence.of_request(asked.number)
        if len(tasks) > 1:
            found.append(f"K{asked.number:04d}: {len(tasks)} tasks of one request ({asked.door})")
    numbers = Counter(document["task_id"] for document in evidence.rows["documents"])
    found += [f"{_name(evidence, task)}: {n} documents" for task, n in numbers.items() if n > 1]
    asks = Counter((row["task_id"], row["revision"]) for row in evidence.rows["approvals"])
    found += [f"{_name(evidence, task)}: {n} approvals" for (task, _), n in asks.items() if n > 1]
    files = Counter(
        (message.channel, message.thread_ts, file.name)
        for message in evidence.posted.values()
        for file in message.files
    )
    found += [f"{place}: {n} times the same file" for place, n in files.items() if n > 1]
    return found


def keys_used_twice(evidence: Evidence) -> list[str]:
    """Idempotency keys under which more than one thing was done."""
    used = Counter(key for m in evidence.posted.values() if (key := evidence.key(m)))
    entered = Counter(line[-1] for line in evidence.ledger)
    return [
        *(f"key {key}: {n} messages in Slack" for key, n in used.items() if n > 1),
        *(f"key {key}: {n} lines in the ledger" for key, n in entered.items() if n > 1),
    ]


def keys(evidence: Evidence) -> int:
    """How many idempotency keys the outside has seen something done under."""
    used = {key for m in evidence.posted.values() if (key := evidence.key(m))}
    return len(used | {str(line[-1]) for line in evidence.ledger})


def ledger_faults(evidence: Evidence) -> list[str]:
    """Documents that the ledger has not, or not once, and lines of which we know nothing."""
    lines = Counter(str(line[0]) for line in evidence.ledger)
    issued = {row["number"] for row in evidence.rows["documents"]}
    found = [f"{number}: {n} lines" for number, n in lines.items() if n > 1]
    found += [f"{number}: not entered" for number in issued - lines.keys()]
    found += [f"{number}: entered, and never issued" for number in lines.keys() - issued]
    ours = {str(row["id"]) for row in evidence.rows["effects"] if row["state"] == "done"}
    keys = {str(line[-1]) for line in evidence.ledger}
    found += [f"effect {key}: done by our records, not by the ledger" for key in ours - keys]
    found += [f"effect {key}: entered, and not done by our records" for key in keys - ours]
    return found


def hidden_unknowns(evidence: Evidence) -> list[str]:
    """Acts and messages of unknown outcome that nobody is asked about."""
    asked = {
        json.loads(task["question"])["key"] for task in evidence.rows["tasks"] if task["question"]
    }
    found = [
        f"{_name(evidence, row['task_id'])}: effect {row['id']} is {row['state']}"
        for row in evidence.rows["effects"]
        if row["state"] in {"intended", "unknown"} and f"effect:{row['id']}" not in asked
    ]
    slots = {message["slot"] for message in evidence.rows["messages"]}
    found += [
        f"{_name(evidence, row['task_id'])}: {row['slot']} is of unknown outcome"
        for row in evidence.rows["deliveries"]
        if row["state"] == "unknown" and f"unknown:{row['id']}" not in slots
    ]
    return found


def unaccounted(evidence: Evidence) -> list[str]:
    """Messages in Slack that our records do not have, and records without a message."""
    ours = {
        (row["channel"], row["external_id"]): row
        for row in (*evidence.rows["messages"], *evidence.rows["dispatches"])
        if row["channel"] in evidence.slack.home.channels
    }
    found = [
        f"in Slack, not in our records: {place} {message.text[:40]!r} key {evidence.key(message)}"
        for place, message in evidence.posted.items()
        if place not in ours and (evidence.key(message) or message.files)
    ]
    known_by_file = {file.id for m in evidence.posted.values() for file in m.files}
    found += [
        f"in our records, not in Slack: {place} {row['slot']}"
        for place, row in ours.items()
        if place not in evidence.posted and row["external_id"] not in known_by_file
    ]
    return found


def said_twice(evidence: Evidence) -> list[str]:
    """Slots of a thread that stand in Slack more than once, by their words."""
    said = Counter(
        (m.channel, m.thread_ts, m.history[0].text)
        for m in evidence.posted.values()
        if m.thread_ts and evidence.key(m)
    )
    return [f"{place}: said {n} times" for place, n in said.items() if n > 1]


def undelivered(evidence: Evidence) -> list[str]:
    """News that did not reach its thread and was not overtaken by newer news."""
    return [
        f"{_name(evidence, row['task_id'])}: {row['slot']} is {row['state']} {row['error'] or ''}"
        for row in evidence.rows["deliveries"]
        if row["state"] in {"pending", "sending", "failed"}
    ]


def stale_buttons(evidence: Evidence) -> list[str]:
    """Cards that still ask for a decision that was taken."""
    closed = {str(row["id"]): row for row in evidence.rows["stages"] if row["state"] != "open"}
    return [
        f"{_name(evidence, closed[button['value']]['task_id'])}: a card with buttons in {place};"
        f" {_story(evidence, place)}"
        for place, message in evidence.posted.items()
        for button in buttons(message)
        if str(button["action_id"]).startswith("approve") and button["value"] in closed
    ]


def _story(evidence: Evidence, place: tuple[str, str]) -> str:
    """What became of the news for the place where a message stands."""
    for row in evidence.rows["messages"]:
        if (row["channel"], row["external_id"]) == place:
            told = [
                f"{d['state']} at {d['created_at']:%M:%S} tried {d['attempts']} {d['error'] or ''}"
                for d in evidence.rows["deliveries"]
                if d["thread_id"] == row["thread_id"] and d["slot"] == row["slot"]
            ]
            return f"{row['slot'][:9]} edited {row['edited_at']:%M:%S}: {told}"
    return "unknown to our records"


def denied_and_done(evidence: Evidence) -> list[str]:
    """Senders who were told that nothing was taken in, when it was."""
    found = []
    for asked in evidence.journal.asked.values():
        for task in evidence.of_request(asked.number):
            made = task["created_at"].timestamp()
            heard = asked.acknowledged_at or float("inf")  # who was told so knows better
            found += [
                f"K{asked.number:04d} ({asked.door}): denied {at - made:.2f} s after it was taken"
                for at in asked.denied_at
                if made < at < heard
            ]
    return found


def left_over(evidence: Evidence) -> list[str]:
    """Nudges and unrouted news that nobody took care of."""
    found = [f"outbox: {row['kind']} of {row['subject_id']}" for row in evidence.rows["outbox"]]
    found += [
        f"not routed: {row['topic']} of {_name(evidence, row['task_id'])}"
        for row in evidence.rows["notifications"]
        if row["routed_at"] is None
    ]
    return found


def gaps_in_numbers(evidence: Evidence) -> list[str]:
    """Numbers of documents are a series without a gap."""
    taken = sorted(int(row["base_number"].rsplit("-", 1)[1]) for row in evidence.rows["documents"])
    expected = list(range(1, len(taken) + 1))
    return [] if taken == expected else [f"{len(taken)} documents are numbered {taken}"]


def _name(evidence: Evidence, task: object) -> str:
    return next((short(t["text"]) for t in evidence.rows["tasks"] if t["id"] == task), str(task))


def unknowns(evidence: Evidence) -> str:
    """How many acts were of unknown outcome, and of how many a person was asked."""
    tags = Counter(event["tag"] for event in evidence.rows["events"])
    asked = tags["intake:effect:settled"] + tags["intake:message:settled"]
    return f"{tags['worker:effect:unknown'] + tags['notifier:message:unknown']}, {asked}"
