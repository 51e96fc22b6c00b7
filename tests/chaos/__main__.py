"""`make chaos`: the whole attack, with three seeds or the one that is named."""

import argparse
import asyncio
import logging
import sys
import time
from dataclasses import replace
from pathlib import Path

import structlog

from tests.chaos.aimed import PLANS, with_all, without_each
from tests.chaos.hub import whole
from tests.chaos.plan import Size
from tests.chaos.run import FULL, run

SEEDS = (1, 2, 3)


def main() -> int:
    """Run it; 1 where anything was lost, doubled, late or hidden."""
    parser = argparse.ArgumentParser(prog="make chaos ARGS=…", description=__doc__)
    parser.add_argument("--seed", type=int, action="append", help="default: 1, 2 and 3")
    parser.add_argument("--tasks", type=int, default=FULL.tasks)
    parser.add_argument("--points", type=int, help="only so many of the named points, of each kind")
    parser.add_argument("--mutation", default="", help="take one safeguard out")
    parser.add_argument("--hub", action="store_true", help="only the attack on the hub")
    parser.add_argument("--json", type=Path, help="a folder for the tables as JSON")
    parser.add_argument("--quiet", action="store_true", help="only the tables")
    chosen = parser.parse_args()
    size = replace(FULL, tasks=chosen.tasks, points=chosen.points, web_points=chosen.points)
    quiet()
    if chosen.hub:
        return 0 if all(_hub(seed) for seed in chosen.seed or SEEDS[:1]) else 1
    passed = [_one(seed, size, chosen) for seed in chosen.seed or SEEDS]
    if not chosen.seed:
        passed.append(_check_ourselves())
        passed.append(_hub(SEEDS[0]))
    return 0 if all(passed) else 1


def _hub(seed: int) -> bool:
    """Whether nothing was lost, doubled or held up by the hub."""
    began = time.monotonic()
    found = asyncio.run(whole(seed))
    print(f"the hub, seed {seed}, {time.monotonic() - began:.0f} s\n")
    for name, value in found.seen.items():
        print(f"{name:<40} {value}")
    for wrong in found.wrong:
        print(f"WRONG: {wrong}")
    return not found.wrong


def _check_ourselves() -> bool:
    """Whether the suite notices each missing safeguard, and nothing where all are in place."""
    passed = True
    missing, whole = asyncio.run(without_each()), asyncio.run(with_all())
    print("the suite itself, a safeguard taken out at a time\n")
    for name, plan in PLANS.items():
        told = [line for line in missing[name].lines if line.wrong and line.what == plan.told_by]
        without = f"told by “{plan.told_by}: {told[0].value}”" if told else "NOT NOTICED"
        print(f"{name:<12} off: {without}; on: {len(whole[name].wrong)} things wrong")
        passed = passed and bool(told) and not whole[name].wrong
    return passed


def quiet() -> None:
    """Of our own part in it, at the terminal, nothing is said: the tables say it all."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


def _one(seed: int, size: Size, chosen: argparse.Namespace) -> bool:
    tell = (lambda line: None) if chosen.quiet else (lambda line: print(line, file=sys.stderr))
    began = time.monotonic()
    verdict = asyncio.run(run(seed, size, tell=tell, mutation=chosen.mutation))
    print(verdict.as_text(), flush=True)
    print(f"\n{time.monotonic() - began:.0f} s\n", flush=True)
    if chosen.json:
        chosen.json.mkdir(parents=True, exist_ok=True)
        (chosen.json / f"chaos-{seed}.json").write_text(verdict.as_json(), "utf-8")
    return not verdict.wrong


if __name__ == "__main__":
    sys.exit(main())
