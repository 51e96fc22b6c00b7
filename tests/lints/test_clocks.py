"""Whoever decides what is due asks the database's clock: those of processes differ."""

import ast

from tests.lints.source import Source, called, sources

_DECIDE = ("core/schedule.py", "core/overdue.py", "core/housekeeping.py", "core/reconcile.py")
_OWN_CLOCK = (".now", ".utcnow", ".today", "time.time", "time_ns", "monotonic", "perf_counter")


def own_clocks(source: Source) -> list[str]:
    """Calls that read the clock of the process."""
    return [
        f"{source.name}:{node.lineno} {called(node)}"
        for node in ast.walk(source.tree)
        if called(node).endswith(_OWN_CLOCK)
    ]


def test_nothing_that_decides_what_is_due_reads_its_own_clock() -> None:
    assert [line for source in sources(*_DECIDE) for line in own_clocks(source)] == []


def test_a_look_at_the_own_clock_is_found() -> None:
    bad = Source.of("a = datetime.now(UTC)\nb = time.time()\nc = monotonic()\nd = moment.time()\n")

    assert [line.partition(" ")[2] for line in own_clocks(bad)] == [
        "datetime.now",
        "time.time",
        "monotonic",
    ]
