"""The suite must fail where a safeguard is missing: each is taken out of the processes alone.

That the same plans do no harm with all safeguards in place is looked at by `make chaos`.
"""

from pathlib import Path

import pytest

from tests.chaos.aimed import PLANS, without_each

pytestmark = pytest.mark.timeout(290)


async def test_each_missing_safeguard_is_noticed(alone: Path) -> None:
    for name, verdict in (await without_each()).items():
        told = {line.what for line in verdict.lines if line.wrong}
        assert PLANS[name].told_by in told, f"nobody noticed: no {name}\n{verdict.as_text()}"
