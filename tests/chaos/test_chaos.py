"""A selection of the attack: each kind of blow once, on a few tasks. All of it: `make chaos`."""

from pathlib import Path

import pytest

from tests.chaos.plan import ALWAYS, Size
from tests.chaos.run import run

pytestmark = pytest.mark.timeout(290)

SELECTION = Size(tasks=30, outside=3, pause=0.6, zombie=8.0)


async def test_nothing_is_lost_doubled_or_hidden(alone: Path) -> None:
    # How long recovery takes is measured by `make chaos`; here it shares the machine with others.
    verdict = await run(7, SELECTION, points=ALWAYS, recovers_within=40)

    assert not verdict.wrong, verdict.as_text()
