"""The benchmarks run and say what they promise to; how fast it is depends on the machine."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench.figures import Figures, Goal, spread

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.mark.timeout(120)
def test_a_benchmark_prints_one_line_of_json_and_leaves_nothing_behind() -> None:
    before = _tracked_and_not()
    ran = subprocess.run(
        [sys.executable, "-m", "bench", "--quick", "pickup"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == 0, ran.stderr
    (line,) = ran.stdout.splitlines()
    said = json.loads(line)
    assert said["benchmark"] == "pickup"
    for side in ("ours", "bare"):
        assert 0 < said[side]["p50"] <= said[side]["p99"] <= said[side]["max"]
        assert said[side]["n"] > 0
    assert said["ratio"]["p50"] > 0
    assert {goal["below"] for goal in said["goals"]} == {8, 25}
    assert _tracked_and_not() == before


def test_an_unknown_benchmark_is_refused_by_name() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "bench", "nothing"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == 2
    assert "nothing" in ran.stderr
    assert ran.stdout == ""


def test_percentiles_are_the_nearest_rank() -> None:
    seen = spread("", [float(number) for number in range(100, 0, -1)])

    assert (seen.n, seen.p50, seen.p99, seen.largest) == (100, 50, 99, 100)
    assert spread("", [3.0]).p99 == 3.0
    with pytest.raises(ValueError, match="nothing was measured"):
        spread("it", [])


def test_a_goal_is_met_below_its_limit_only() -> None:
    assert Goal("p50", 4.99, 5).met
    assert not Goal("p50", 5.0, 5).met


def test_a_ratio_to_nothing_is_none() -> None:
    assert Figures("x", spread("", [1.0]), spread("", [0.0])).ratio is None


def _tracked_and_not() -> set[str]:
    """The repository's files, without what Python itself caches."""
    return {
        str(path.relative_to(REPOSITORY))
        for path in (REPOSITORY / "bench").rglob("*")
        if "__pycache__" not in path.parts
    } | {path.name for path in REPOSITORY.iterdir()}
