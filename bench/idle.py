"""What web and worker cost while nothing happens, beside bare Bolt and bare arq at rest.

All of them rest at the same time, so that what else the machine does falls on all alike.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from statistics import fmean
from time import monotonic

import psutil

from bench.bare import bare_arq, bare_bolt
from bench.children import child
from bench.figures import Figures, Goal, spread
from bench.ground import SIGNING_SECRET, Ground, ground, product
from bench.intake import free_port, listener, until_served

_SETTLES = 5.0  # seconds: connections open, first passes done

Group = Mapping[str, Sequence[psutil.Process]]


async def run(*, quick: bool) -> AsyncIterator[Figures]:
    """Half a minute of nothing, in windows."""
    windows, seconds = (2, 1.0) if quick else (6, 5.0)
    port = free_port()
    async with ground() as place:
        with listener() as listening:
            async with (
                product(place, "web", port=port) as web,
                product(place, "worker", port=port) as worker,
                child(bare_bolt, listening, SIGNING_SECRET, at_once=True) as bolt,
                child(bare_arq, place.services.redis_url) as arq,
            ):
                await until_served(port)
                await asyncio.sleep(_SETTLES)
                groups = {
                    "web": [psutil.Process(web)],
                    "worker": [psutil.Process(worker)],
                    "bare Bolt": [psutil.Process(bolt.pid)],
                    "bare arq": [psutil.Process(arq.pid)],
                    "embedded PostgreSQL and Valkey": _servers(place),
                }
                used = [await _window(groups, seconds) for _ in range(windows)]
                memory = {name: _megabytes(group) for name, group in groups.items()}
    yield _figures(used, memory)


def _figures(used: Sequence[Mapping[str, float]], memory: Mapping[str, float]) -> Figures:
    ours = [each["web"] + each["worker"] for each in used]
    more: dict[str, object] = {
        f"{name}, % of a core": round(fmean(each[name] for each in used), 2) for name in used[0]
    }
    more |= {f"{name}, MB resident": size for name, size in memory.items()}
    return Figures(
        "idle",
        spread("`miyabi web` and `miyabi worker` at rest, together", ours),
        spread(
            "Bolt + FastAPI and an arq worker (poll of 0.5 s) at rest, together",
            [each["bare Bolt"] + each["bare arq"] for each in used],
        ),
        (Goal("mean, % of a core", fmean(ours), 1.5),),
        more,
        unit="% of a core",
    )


async def _window(groups: Group, seconds: float) -> Mapping[str, float]:
    """What share of a core each group used in that time, in percent."""
    before, began = {name: _cpu(group) for name, group in groups.items()}, monotonic()
    await asyncio.sleep(seconds)
    passed = monotonic() - began
    return {name: (_cpu(group) - before[name]) / passed * 100 for name, group in groups.items()}


def _cpu(group: Sequence[psutil.Process]) -> float:
    times = [process.cpu_times() for process in group]
    return sum(each.user + each.system for each in times)


def _megabytes(group: Sequence[psutil.Process]) -> float:
    return round(sum(process.memory_info().rss for process in group) / 1e6, 1)


def _servers(place: Ground) -> Sequence[psutil.Process]:
    """The embedded servers of that ground with all of their processes, but not their keepers."""
    home = str(place.settings.home)
    found: dict[int, psutil.Process] = {}
    for process in psutil.process_iter(["name", "cmdline"]):
        name, command = process.info["name"] or "", process.info["cmdline"] or ()
        if name.startswith(("postgres", "valkey")) and any(home in part for part in command):
            found |= {each.pid: each for each in (process, *process.children(recursive=True))}
    return list(found.values())
