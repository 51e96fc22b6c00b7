"""Starts the product's `web` or `worker` with its points watched, and a safeguard out if told.

    python -P -m tests.chaos.processes.launcher worker

CHAOS_FOLDER holds trace and orders. CHAOS_MUTATION names the safeguard to do without.
"""

import os
import sys
from pathlib import Path
from typing import Any

from miyabi import cli, serve
from tests.chaos.processes.mutations import apply
from tests.chaos.processes.points import Points, install


def main() -> int:
    """Run one of the product's processes; its exit code."""
    role = sys.argv[1]
    points = Points(Path(os.environ["CHAOS_FOLDER"]), role)
    install(points)
    if mutation := os.environ.get("CHAOS_MUTATION"):
        apply(mutation)
    _tell_when_ready(points)
    return cli.main()


def _tell_when_ready(points: Points) -> None:
    run_worker = serve.run_worker

    async def ready(*args: Any, **more: Any) -> None:
        points.note("ready")
        await run_worker(*args, **more)

    serve.run_worker = ready


if __name__ == "__main__":
    sys.exit(main())
