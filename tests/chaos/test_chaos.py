"""A selection of the attack: each kind of blow once, on a few tasks. All of it: `make chaos`.

One test, so that its parts never run side by side: each has the machine's two cores to share with
other tests already.
"""

import pytest

from tests.chaos.aimed import PLANS, without_each
from tests.chaos.plan import ALWAYS, Size
from tests.chaos.run import run

SELECTION = Size(tasks=18, outside=1, pause=0.4, zombie=7.0)


@pytest.mark.long
@pytest.mark.timeout(290)
async def test_nothing_is_lost_doubled_or_hidden_and_no_missing_safeguard_is_overlooked() -> None:
    # How long recovery takes is measured by `make chaos`; here it shares the machine with others.
    verdict = await run(7, SELECTION, points=ALWAYS, recovers_within=40)

    assert not verdict.wrong, verdict.as_text()
    # The check of the check. That the same plans do no harm with all in place, `make chaos` looks.
    for name, without in (await without_each()).items():
        told = {line.what for line in without.lines if line.wrong}
        assert PLANS[name].told_by in told, f"nobody noticed: no {name}\n{without.as_text()}"
