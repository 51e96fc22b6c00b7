"""The suite must fail where a safeguard is missing: each is taken out of the processes alone.

Every one has a small plan of its own, aimed at what it guards.
"""

import asyncio
from pathlib import Path

import pytest

from tests.chaos.plan import Blow, Size
from tests.chaos.run import run
from tests.chaos.table import Verdict

pytestmark = pytest.mark.timeout(290)

SIZE = Size(tasks=5, doors=("command", "mention"), fates=("approved",))
FREEZE = Blow("freeze at", "worker: after commit of task started", 0.5, 9.0)
KILL_AFTER_SENDING = Blow("kill", "worker: after chat.postMessage", 0.5)
KILL_AFTER_TAKING = Blow("kill", "worker: after commit of task started", 0.5)
PLANS = {
    "fence": [FREEZE, FREEZE],
    "dedupe": [],
    "intent": [KILL_AFTER_SENDING] * 3,
    "reconciler": [KILL_AFTER_TAKING] * 2,
}
SHOWN_BY = {
    "fence": {"steps written without the lease", "lost", "doubled", "audit events without a state"},
    "dedupe": {"doubled"},
    "intent": {"keys used more than once"},
    "reconciler": {"lost"},
}
"""The lines of the table of which one has to tell."""


async def mutated(name: str) -> Verdict:
    return await run(1, SIZE, mutation=name, blows=PLANS[name], patience=20, recovers_within=40)


async def test_each_missing_safeguard_is_noticed(alone: Path) -> None:
    verdicts = await asyncio.gather(*(mutated(name) for name in PLANS))

    for name, verdict in zip(PLANS, verdicts, strict=True):
        told = {line.what for line in verdict.lines if line.wrong}
        assert told & SHOWN_BY[name], f"nobody noticed that {name} is missing\n{verdict.as_text()}"


async def test_with_all_safeguards_the_same_plans_do_no_harm(alone: Path) -> None:
    blows = [blow for plan in PLANS.values() for blow in plan]

    verdict = await run(1, SIZE, blows=blows, patience=60, recovers_within=40)

    assert not verdict.wrong, verdict.as_text()
