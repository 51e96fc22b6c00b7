"""The verdict on a run as a table, for people and as JSON."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.chaos import chains, counts, times
from tests.chaos.evidence import Evidence

RECOVERS_WITHIN = 10.0  # seconds after the dead come back


@dataclass(frozen=True, slots=True)
class Line:
    """One line: what was counted, how much, and what is wrong with it."""

    what: str
    value: str
    wrong: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to be said of a run."""

    seed: int
    lines: Sequence[Line]
    blows: Sequence[str] = field(default_factory=tuple)

    @property
    def wrong(self) -> list[str]:
        return [f"{line.what}: {wrong}" for line in self.lines for wrong in line.wrong]

    def as_text(self) -> str:
        width = max(len(line.what) for line in self.lines)
        rows = [f"chaos, seed {self.seed}", ""]
        for line in self.lines:
            mark = "✕" if line.wrong else "·"
            rows.append(f"{mark} {line.what:<{width}}  {line.value}")
            rows += [f"    {wrong}" for wrong in line.wrong[:20]]
        return "\n".join(rows)

    def as_json(self) -> str:
        lines = {line.what: {"value": line.value, "wrong": list(line.wrong)} for line in self.lines}
        data = {"seed": self.seed, "passed": not self.wrong, "table": lines}
        return json.dumps(data | {"blows": list(self.blows)}, ensure_ascii=False, indent=1)


def judge(
    seed: int, evidence: Evidence, more: Sequence[Line], recovers_within: float = RECOVERS_WITHIN
) -> Verdict:
    """Count everything and compare it with what was promised."""
    asked = evidence.journal.asked.values()
    acknowledged = [a for a in asked if a.acknowledged_at is not None]
    ended = [t for t in evidence.rows["tasks"] if t["state"] in {"done", "rejected", "cancelled"}]
    silence = times.silences(evidence)
    lines = [
        Line("tasks asked for", str(len(asked)), _never_heard(evidence)),
        Line("deliveries of them", str(sum(a.deliveries for a in asked))),
        Line("clicks on approvals", str(evidence.journal.clicks)),
        Line("acknowledged", str(len(acknowledged))),
        Line("come to their end", str(len(ended))),
        _none("lost", counts.lost(evidence)),
        _none("doubled", counts.doubled(evidence)),
        _none("told “not taken in”, and it was", counts.denied_and_done(evidence)),
        Line("idempotency keys seen outside", str(counts.keys(evidence))),
        _none("keys used more than once", counts.keys_used_twice(evidence)),
        Line("messages in Slack", str(len(evidence.posted))),
        _none("messages without a record, records without one", counts.unaccounted(evidence)),
        _none("documents and the ledger at odds", counts.ledger_faults(evidence)),
        Line("acts of unknown outcome, asked about", counts.unknowns(evidence)),
        _none("unknown, and not shown as unknown", counts.hidden_unknowns(evidence)),
        _none("said more than once in a thread", counts.said_twice(evidence)),
        _none("news that never arrived", counts.undelivered(evidence)),
        _none("buttons of what is decided", counts.stale_buttons(evidence)),
        _none("nudges left over", counts.left_over(evidence)),
        _none("gaps in the numbers of documents", counts.gaps_in_numbers(evidence)),
        _none("steps written without the lease", chains.without_lease(evidence)),
        Line("events in the audit log", str(len(evidence.rows["events"]))),
        _none("audit events without a state", chains.without_state(evidence)),
        _none("states without an audit event", chains.without_event(evidence)),
        Line("longest silence in a thread", _longest(silence)),
        *_recoveries(evidence, recovers_within),
        *more,
    ]
    blows = [
        f"{hit.what}{'' if hit.dealt else ' (nobody came there)'}" for hit in evidence.journal.hits
    ]
    return Verdict(seed, lines, blows)


def _none(what: str, wrong: list[str]) -> Line:
    return Line(what, str(len(wrong)), wrong)


def _never_heard(evidence: Evidence) -> list[str]:
    return [
        f"K{asked.number:04d} ({asked.door}) was never acknowledged: {asked.answers[-3:]}"
        for asked in evidence.journal.asked.values()
        if asked.acknowledged_at is None
    ]


def _longest(silence: Sequence[tuple[float, str]]) -> str:
    return f"{silence[0][0]:.1f} s ({silence[0][1]})" if silence else "none"


def _recoveries(evidence: Evidence, most: float) -> list[Line]:
    """Of tasks and of news. What is promised is counted from when all are back: in a plan where one
    worker stands still and the others die every other second, there is nobody to go on."""
    found = []
    for what, of in (("tasks", times.recoveries), ("news", times.news_recoveries)):
        own, everybody = of(evidence, times.own_back), of(evidence, times.all_back)
        found.append(_recovery(f"recovery of {what}, from their own worker's return", own, None))
        found.append(_recovery(f"recovery of {what}, from everybody's return", everybody, most))
    return found


def _recovery(what: str, found: Sequence[tuple[float, str]], most: float | None) -> Line:
    values = [value for value, _ in found]
    spread = ", ".join(
        f"{name} {times.percentile(values, part):.1f} s"
        for name, part in (("p50", 0.5), ("p99", 0.99), ("max", 1.0))
    )
    late = [f"{value:.1f} s: {which}" for value, which in found if most and value > most]
    return Line(what, f"{len(found)} times, {spread}", late)
