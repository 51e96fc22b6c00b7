"""For each safeguard a small plan, aimed at what it guards: without it, the plan does harm."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from tests.chaos.plan import OVERTAKEN, Blow, Size
from tests.chaos.run import run
from tests.chaos.table import Verdict

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
        blows, patience = self.blows, 12
        return await run(
            1, size, mutation=mutation, blows=blows, patience=patience, recovers_within=40
        )


PLANS = {
    # Whoever takes the task over stands still too: the first wakes while it is in other hands,
    # however long the taking over takes on a busy machine.
    "fence": Aimed(
        1,
        [Blow(OVERTAKEN, TAKEN, 0.5, 1.0), Blow("freeze at", TAKEN, 0.5, 5.5)],
        "steps written without the lease",
    ),
    "dedupe": Aimed(4, [], "doubled"),
    "intent": Aimed(
        4, [Blow("kill", SENT, 0.5)] * 3, "messages without a record, records without one"
    ),
    "reconciler": Aimed(4, [Blow("kill", TAKEN, 0.5)] * 2, "lost"),
}


async def without_each() -> Mapping[str, Verdict]:
    """What came of each plan with its safeguard taken out, side by side."""
    verdicts = await asyncio.gather(*(plan.run(name) for name, plan in PLANS.items()))
    return dict(zip(PLANS, verdicts, strict=True))


async def with_all() -> Mapping[str, Verdict]:
    """What came of the same plans with nothing taken out: the plans themselves do no harm."""
    verdicts = await asyncio.gather(*(plan.run("") for plan in PLANS.values()))
    return dict(zip(PLANS, verdicts, strict=True))
