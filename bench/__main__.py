"""`python -m bench [--quick] [NAME...]`: one JSON object a benchmark on stdout, a log on stderr."""

import argparse
import asyncio
import importlib
import sys
import time

import uvloop

from bench.children import quiet
from bench.figures import publish, tell

NAMES = (
    "intake",
    "pickup",
    "draft",
    "idle",
    "queue",
    "audit",
    "verify",
    "search",
    "approvals",
    "line",
    "email",
    "notifier",
)


def main() -> int:
    """Run the benchmarks named, or all. 0 whatever the figures say: they depend on the machine."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}")
    parser.add_argument("--quick", action="store_true", help="few rounds, to see that it runs")
    chosen = parser.parse_args()
    unknown = set(chosen.names) - set(NAMES)
    if unknown:
        parser.error(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    quiet()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_run(chosen.names or NAMES, quick=chosen.quick))
    return 0


async def _run(names: list[str] | tuple[str, ...], *, quick: bool) -> None:
    began = time.monotonic()
    for name in names:
        async for figures in importlib.import_module(f"bench.{name}").run(quick=quick):
            publish(figures)
    tell(f"\n{time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    sys.exit(main())
