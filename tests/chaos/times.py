"""How long people looked at nothing, and how long it took to go on after somebody died."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import pairwise
from uuid import UUID

from tests.chaos.evidence import Evidence, Row, short, wall
from tests.chaos.journal import Hit

_WORKING = {
    "intake:task:received",
    "intake:task:revised",
    "intake:task:retried",
    "intake:question:answered",
    "approval:approval:decided",
    "worker:task:started",
    "worker:step:finished",
    "worker:document:numbered",
    "worker:document:issued",
    "worker:effect:intended",
    "worker:effect:done",
    "worker:effect:failed",
    "worker:effect:unknown",
    "intake:effect:settled",
}
"""After these events a task is ours to go on with; after all others it waits or has ended."""
_AWAY = {"server", "stall"}

Returned = Callable[[Evidence, Hit, float], float]
"""From when on a recovery is counted, for what went on at a moment."""


def silences(evidence: Evidence) -> list[tuple[float, str]]:
    """For each task in Slack, the longest time without news while we were at work; worst first."""
    found = []
    for task in evidence.rows["tasks"]:
        rows = evidence.of_task("messages", task["id"])
        shown = [evidence.posted.get((m["channel"], m["external_id"])) for m in rows]
        seen = sorted(at for message in shown if message for at in evidence.moments(message))
        if not seen:
            continue
        longest = max((_longest(seen, *phase) for phase in _phases(evidence, task)), default=0.0)
        found.append((longest, short(task["text"])))
    return sorted(found, reverse=True)


def _phases(evidence: Evidence, task: Row) -> Iterator[tuple[float, float]]:
    """From when to when we were at work on it."""
    began: float | None = None
    for event in _steps(evidence, task["id"]):
        if began is None and _at_work(evidence, event):
            began = _at(event["at"])
        elif began is not None and not _at_work(evidence, event):
            yield began, _at(event["at"])
            began = None


def _longest(seen: Sequence[float], began: float, ended: float) -> float:
    after = next((at for at in seen if at >= ended), ended)
    moments = [began, *(at for at in seen if began < at < ended), after]
    return max(b - a for a, b in pairwise(moments))


def recoveries(evidence: Evidence, returned: Returned) -> list[tuple[float, str]]:
    """For each task that a blow stopped: seconds from the return of the dead to its next event."""
    found = []
    for hit in evidence.journal.hits:
        if not hit.dealt or hit.kind == "outside":
            continue
        for task in evidence.rows["tasks"]:
            last, then = _around(evidence, task["id"], hit.down)
            if last is None or not _stopped(evidence, last, hit) or then is None:
                continue
            gone_on = _at(then["at"])
            value = max(0.0, gone_on - returned(evidence, hit, gone_on))
            found.append((value, f"{short(task['text'])} after {hit.what}"))
    return sorted(found, reverse=True)


def _stopped(evidence: Evidence, last: Row, hit: Hit) -> bool:
    """Whether this blow hit the task: it was ours to go on with, and in the victim's hands."""
    if not _at_work(evidence, last):
        return False
    if hit.pid is None or hit.kind in _AWAY:
        return True
    started = [
        event
        for event in evidence.events[last["stream"]]
        if event["tag"] == "worker:task:started" and event["seq"] <= last["seq"]
    ]
    return bool(started) and str(evidence.data(started[-1])["worker"]).endswith(f":{hit.pid}")


def own_back(evidence: Evidence, hit: Hit, gone_on: float) -> float:
    """When whoever was struck was back. A frozen worker is not waited for: the others live."""
    back = hit.down if hit.kind == "freeze" else hit.back or hit.down
    for other in evidence.journal.hits:
        if other.kind in _AWAY and other.back and other.down < gone_on and other.back > back:
            back = max(back, min(other.back, gone_on))
    return back


def all_back(evidence: Evidence, hit: Hit, gone_on: float) -> float:
    """When nobody else was away any more either: blows that follow one another are one blow."""
    back = own_back(evidence, hit, gone_on)
    for other in sorted(evidence.journal.hits, key=lambda other: other.down):
        if other is not hit and other.pid and other.back and other.down <= back < other.back:
            back = min(other.back, gone_on)
    return back


def _around(evidence: Evidence, task: UUID, moment: float) -> tuple[Row | None, Row | None]:
    """The task's last event before a moment and the first after it, messages apart."""
    last = None
    for event in _steps(evidence, task):
        if _at(event["at"]) > moment:
            return last, event
        last = event
    return last, None


def _steps(evidence: Evidence, task: UUID) -> list[Row]:
    events = evidence.events.get(task, [])
    return [event for event in events if event["tag"].split(":")[1] != "message"]


def _at_work(evidence: Evidence, event: Row) -> bool:
    if event["tag"] == "approval:approval:decided":
        return str(evidence.data(event).get("action")) == "approve"
    return event["tag"] in _WORKING


def news_recoveries(evidence: Evidence, returned: Returned) -> list[tuple[float, str]]:
    """The same for messages in the victim's hands, but those that Slack itself held up."""
    troubled = _troubled(evidence)
    places = _places(evidence)
    leases: dict[UUID, list[Row]] = defaultdict(list)
    for lease in evidence.rows["leases"]:
        leases[lease["thread_id"]].append(lease)
    found = []
    for row in evidence.rows["deliveries"]:
        if row["sent_at"] is None or row["state"] != "sent":
            continue
        made, sent = _at(row["created_at"]), _at(row["sent_at"])
        hits = [
            hit
            for hit in evidence.journal.hits
            if hit.dealt and hit.kind != "outside" and made <= hit.down < sent
            if _had(hit, leases[row["thread_id"]])
        ]
        names = places[row["thread_id"]] if hits else set()
        if any(names & said and at <= sent for said, at in troubled):
            continue
        # Whoever had it next may have died with it too: then the clock is that one's.
        deaths = [hit.down for hit in hits if hit.pid is not None and hit.kind not in _AWAY]
        for hit in hits:
            gone_on = min((down for down in deaths if down > hit.down), default=sent)
            value = max(0.0, gone_on - returned(evidence, hit, gone_on))
            found.append((value, f"{row['slot']} of {row['task_id']} after {hit.what}"))
    return sorted(found, reverse=True)


def _had(hit: Hit, leases: Sequence[Row]) -> bool:
    """Whether the victim had this thread, or whether what all need was away."""
    if hit.pid is None or hit.kind in _AWAY:
        return True
    owner = None
    for lease in leases:
        if _at(lease["at"]) > hit.down:
            break
        owner = lease["owner"]
    return owner is not None and f":{hit.pid}/" in owner


def _troubled(evidence: Evidence) -> list[tuple[set[str], float]]:
    """Which messages and threads Slack answered badly or late, and when."""
    found = []
    for call in evidence.slack.calls:
        if call.ok and call.done_at - call.at < 2:
            continue
        metadata = call.args.get("metadata") or "{}"
        data = json.loads(metadata) if isinstance(metadata, str) else metadata
        key = (data.get("event_payload") or {}).get("key")
        names = {str(call.args.get(name)) for name in ("thread_ts", "ts")} | {str(key)}
        found.append((names - {"None"}, wall(call.at)))
    return found


def _places(evidence: Evidence) -> dict[UUID, set[str]]:
    """By what names Slack knows a thread and what stands in it, and keys of what is to come."""
    names: dict[UUID, set[str]] = defaultdict(set)
    for thread in evidence.rows["threads"]:
        names[thread["id"]].add(str(thread["root"]))
    for message in evidence.rows["messages"]:
        names[message["thread_id"]].add(message["external_id"])
    for delivery in evidence.rows["deliveries"]:
        names[delivery["thread_id"]].add(str(delivery["id"]))
    return names


def percentile(values: Sequence[float], part: float) -> float:
    """The value below which this part of them lies; 0 where there are none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))] if ordered else 0.0


def _at(moment: datetime) -> float:
    return moment.timestamp()
