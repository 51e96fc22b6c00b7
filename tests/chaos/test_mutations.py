"""The suite must fail where a safeguard is missing: each is taken out of the processes alone.

Every one has a small plan of its own, aimed at what it guards.
"""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.chaos.plan import Blow, Size
from tests.chaos.run import run
from tests.chaos.table import Verdict

pytestmark = pytest.mark.timeout(290)

TAKEN = "worker: after commit of task started"
SENT = "worker: after chat.postMessage"


@dataclass(frozen=True, slots=True)
class Aimed:
    """A small plan, and the line of the table that has to tell what is missing."""

    tasks: int
    blows: list[Blow]
    told_by: str

    async def run(self, mutation: str) -> Verdict:
        size = Size(self.tasks, doors=("command", "mention"), fates=("approved",))
        blows, patience = self.blows, 18
        return await run(
            1, size, mutation=mutation, blows=blows, patience=patience, recovers_within=40
        )


PLANS = {
    # Whoever takes the task over stands still too: the first wakes while it is in other hands.
    "fence": Aimed(
        1,
        [Blow("freeze at", TAKEN, 0.5, 10.0), Blow("freeze at", TAKEN, 0.5, 5.5)],
        "steps written without the lease",
    ),
    "dedupe": Aimed(4, [], "doubled"),
    "intent": Aimed(
        4, [Blow("kill", SENT, 0.5)] * 3, "messages without a record, records without one"
    ),
    "reconciler": Aimed(4, [Blow("kill", TAKEN, 0.5)] * 2, "lost"),
}


async def test_each_missing_safeguard_is_noticed(alone: Path) -> None:
    verdicts = await asyncio.gather(*(plan.run(name) for name, plan in PLANS.items()))

    for (name, plan), verdict in zip(PLANS.items(), verdicts, strict=True):
        told = {line.what for line in verdict.lines if line.wrong}
        assert plan.told_by in told, f"nobody noticed that {name} is off\n{verdict.as_text()}"


async def test_with_all_safeguards_the_same_plans_do_no_harm(alone: Path) -> None:
    verdicts = await asyncio.gather(*(plan.run("") for plan in PLANS.values()))

    assert [verdict.as_text() for verdict in verdicts if verdict.wrong] == []
