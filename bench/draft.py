"""From the request in the chat to the draft PDF that waits for its approver, beside typst alone.

One at a time, and a hundred at once for two workers. What typst takes is measured where it is
called, in the worker; and with the same quotations in processes that do nothing else.
"""

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from importlib import resources
from pathlib import Path
from statistics import fmean
from time import monotonic, perf_counter, thread_time
from typing import Any
from uuid import UUID

import psutil
import typst
from arq import ArqRedis
from noto_cjk_sans_jp_bold import FONT_PATH as BOLD
from noto_cjk_sans_jp_regular import FONT_PATH as REGULAR

from bench.children import Life, child
from bench.figures import Figures, Goal, Spread, spread
from bench.ground import Ground, ask, ground, house_on, worker_process
from core.codec import load
from core.db import fetch_all, fetch_one, from_json
from core.house import House
from core.quotation import Quote, quote_data
from core.tags import Tag
from miyabi.build import Built
from miyabi.doorbell import feed_key

_WORKERS = 2
_CALLERS = 8
_PATIENCE = 120.0
_LATE = 1.0  # seconds without any news

Compile = tuple[float, float, float]
"""When a compile began on the machine's clock, its wall time and its CPU time, in seconds."""


async def run(*, quick: bool) -> AsyncIterator[Figures]:
    """One at a time, then many at once; typst alone beside each."""
    alone, many = (3, 6) if quick else (40, 100)
    async with ground() as place, house_on(place) as (house, built):
        async with (
            watching(house, built, place.organisation_id) as drafts,
            child(metered_worker, place) as first,
            child(metered_worker, place) as second,
        ):
            await _all_at_once(house, drafts, 3 * _WORKERS)  # each has its first behind it then
            one = await _one_by_one(house, drafts, alone)
            seen = await _under_load(house, drafts, many, (first.pid, second.pid))
            compiles: list[Compile] = [*await first.stop(), *await second.stop()]
        data = await _printed(house, place.organisation_id)
    yield _figures_of_one(one, await _typst_alone(data[-alone:], processes=1))
    alone_times = await _typst_alone(data[-many:], processes=_WORKERS)
    yield _figures_of_many(seen, _during(seen, compiles), alone_times)


def _figures_of_one(one: Sequence[float], bare: Sequence[float]) -> Figures:
    ours = spread("request to a draft that waits for approval: PDF/A and picture stored", one)
    return Figures("draft, one at a time", ours, _of_typst(bare), (Goal("p50, ms", ours.p50, 500),))


def _of_typst(times: Sequence[float]) -> Spread:
    return spread("typst alone: the same quotations as PDF/A and picture", times)


@dataclass(frozen=True, slots=True)
class Load:
    """Many requests at once: each one's time in ms; the rest in seconds."""

    times: Sequence[float]
    began: float
    wall: float
    workers_cpu: float


def _during(seen: Load, compiles: Sequence[Compile]) -> Sequence[Compile]:
    return [each for each in compiles if seen.began <= each[0] <= seen.began + seen.wall]


def _figures_of_many(seen: Load, compiles: Sequence[Compile], alone: Sequence[float]) -> Figures:
    n = len(seen.times)
    typst_wall, typst_cpu = (sum(each[i] for each in compiles) for i in (1, 2))
    waits = spread(f"from the first of {n} requests to each one's draft", seen.times)
    more: dict[str, object] = {
        "quotes per second": round(n / seen.wall, 1),
        "quotes per second, typst alone": round(_WORKERS * 1000 / fmean(alone), 1),
        "share of the workers' CPU time in typst": round(typst_cpu / seen.workers_cpu, 2),
        "workers' CPU time, ms a quote": round(seen.workers_cpu / n * 1000, 1),
        "typst's CPU time, ms a quote": round(typst_cpu / n * 1000, 1),
        "typst's wall time, ms a quote": round(typst_wall / n * 1000, 1),
        "typst's compiles": len(compiles),
        "waits": waits.as_json(),
    }
    return Figures(
        "draft, many at once",
        spread(
            f"{n} requests, {_WORKERS} workers: the time of all by their number",
            [seen.wall * 1000 / n],
        ),
        spread("typst alone in as many processes: likewise", [fmean(alone) / _WORKERS]),
        (),
        more,
    )


# Asking


async def _one_by_one(house: House, drafts: "Drafts", n: int) -> list[float]:
    return [(await _all_at_once(house, drafts, 1))[0] for _ in range(n)]


async def _all_at_once(house: House, drafts: "Drafts", n: int) -> list[float]:
    """Ask n times; how long after the first word each draft was there, in ms."""
    began, door = monotonic(), asyncio.Semaphore(_CALLERS)

    async def asked() -> UUID:
        async with door:
            return await ask(house)

    tasks = await asyncio.gather(*(asked() for _ in range(n)))
    return [(await drafts.ready(task) - began) * 1000 for task in tasks]


async def _under_load(house: House, drafts: "Drafts", n: int, workers: Sequence[int]) -> Load:
    cpu, began = _cpu(workers), monotonic()
    times = await _all_at_once(house, drafts, n)
    return Load(times, began, monotonic() - began, _cpu(workers) - cpu)


def _cpu(processes: Sequence[int]) -> float:
    times = [psutil.Process(process).cpu_times() for process in processes]
    return sum(each.user + each.system for each in times)


@dataclass(slots=True)
class Drafts:
    """When each task's draft was ready, as the live feed told: what a person in the chat sees.

    The feed may miss something, the database does not: what is late is looked for there.
    """

    house: House
    organisation_id: UUID
    _at: dict[UUID, float] = field(default_factory=dict)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def ready(self, task: UUID) -> float:
        """When that was. Raises TimeoutError where it never is."""
        async with asyncio.timeout(_PATIENCE):
            while task not in self._at:
                self._news.clear()
                try:
                    async with asyncio.timeout(_LATE):
                        await self._news.wait()
                except TimeoutError:
                    await self._look(task)
        return self._at[task]

    async def follow(self, redis: ArqRedis) -> None:
        """Read the feed until cancelled."""
        key = feed_key(self.organisation_id)
        last: bytes | str = "0"
        while True:
            for _, events in await redis.xread({key: last}, block=2000):
                now = monotonic()
                last = events[-1][0]
                for _, fields in events:
                    event = json.loads(fields[b"event"])
                    if event["tag"] == Tag.APPROVAL_REQUESTED:
                        self._at[UUID(event["stream"])] = now
                        self._news.set()

    async def _look(self, task: UUID) -> None:
        async with self.house.engine.connect() as connection:
            found = await fetch_one(
                connection,
                "select id from approvals where organisation_id = :organisation_id"
                " and task_id = :task_id",
                {"organisation_id": self.organisation_id, "task_id": task},
            )
        if found is not None:
            self._at.setdefault(task, monotonic())


@asynccontextmanager
async def watching(house: House, built: Built, organisation_id: UUID) -> AsyncIterator[Drafts]:
    """Watch the company's feed meanwhile."""
    drafts = Drafts(house, organisation_id)
    following = asyncio.create_task(drafts.follow(built.redis))
    try:
        yield drafts
    finally:
        following.cancel()


# typst, within the worker and alone


async def metered_worker(life: Life, place: Ground) -> list[Compile]:
    """A child: the product's worker, with a meter on typst."""
    compiles: list[Compile] = []
    compile_: Callable[..., Any] = typst.compile

    def metered(*arguments: Any, **options: Any) -> Any:
        began, cpu = monotonic(), thread_time()
        try:
            return compile_(*arguments, **options)
        finally:
            compiles.append((began, monotonic() - began, thread_time() - cpu))

    typst.compile = metered
    await worker_process(life, place)
    return compiles


async def _printed(house: House, organisation_id: UUID) -> list[str]:
    """What the drafts so far say, as the template reads it, in the order of asking."""
    async with house.engine.connect() as connection:
        rows = await fetch_all(
            connection,
            "select s.result, t.reference from steps s join tasks t on t.id = s.task_id"
            " where s.organisation_id = :organisation_id and s.name = 'price' order by t.reference",
            {"organisation_id": organisation_id},
        )
    company = await house.company(organisation_id)
    day = date(2026, 12, 1)
    return [
        json.dumps(
            quote_data(
                load(Quote, from_json(row.result)),
                company,
                number=None,
                issued_on=day,
                language="ja",
                reference=f"#{row.reference}",
            )
        )
        for row in rows
    ]


async def _typst_alone(data: Sequence[str], *, processes: int) -> list[float]:
    """Milliseconds for each document, PDF and picture, by so many processes at once."""
    shares = [data[start::processes] for start in range(processes)]
    return [each for times in await asyncio.gather(*map(_laid_out, shares)) for each in times]


async def _laid_out(data: Sequence[str]) -> list[float]:
    async with child(bare_typst, list(data)) as laying_out:
        times: list[float] = await laying_out.result()
    return times


async def bare_typst(life: Life, data: list[str]) -> list[float]:
    """A child: nothing but typst. The first document warms it up and is not counted."""
    fonts = typst.Fonts(
        include_system_fonts=False,
        include_embedded_fonts=False,
        font_paths=[Path(str(font)).parent for font in (REGULAR, BOLD)],
    )
    template = resources.files("agents.sales").joinpath("quote.typ").read_bytes()
    life.ready()
    times = []
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        main = root / "main.typ"
        main.write_bytes(template)
        for text in [data[0], *data]:
            main.with_name("data.json").write_text(text, "utf-8")
            began = perf_counter()
            typst.compile(main, root=root, font_paths=fonts, format="pdf", pdf_standards=["a-3b"])
            typst.compile(main, root=root, font_paths=fonts, format="png", ppi=110)
            times.append((perf_counter() - began) * 1000)
    return times[1:]
