"""One run from the first process to the verdict."""

import asyncio
import contextlib
import json
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil

from tests.chaos.attack import Attack, read_trace
from tests.chaos.boss import Bosses
from tests.chaos.evidence import gather
from tests.chaos.journal import Hit, Journal
from tests.chaos.people import Crowd
from tests.chaos.plan import DOORS, FATES, Blow, Plan, Request, Size, draw, marker
from tests.chaos.table import RECOVERS_WITHIN, Line, Verdict, judge
from tests.chaos.town import LEDGER, Town, town, until_web_answers

_OPEN = """
    select (select count(*) from tasks
            where state in ('received', 'running', 'waiting', 'retrying', 'cancelling'))
        + (select count(*) from notifications where routed_at is null)
        + (select count(*) from deliveries where state in ('pending', 'sending'))
        + (select count(*) from outbox) as open
"""
_WARM = 9_000  # requests of the quiet walk are numbered from here


async def run(
    seed: int,
    size: Size,
    *,
    tell: Callable[[str], None] = lambda line: None,
    mutation: str = "",
    blows: Sequence[Blow] | None = None,
    points: Sequence[str] | None = None,
    patience: float = 90.0,
    recovers_within: float = RECOVERS_WITHIN,
) -> Verdict:
    """Build the ground, learn the points in a quiet walk, attack, and judge.

    Where `points` are given, there is no quiet walk; where `blows` are, none are drawn. `patience`:
    seconds that everything may take to come to rest after the last blow. `recovers_within`:
    seconds that it may take to go on after the dead are back.
    """
    journal = Journal(tell)
    async with town(mutation=mutation) as place:
        try:
            verdict = await _run(
                place, journal, seed, size, blows, points, patience, recovers_within
            )
        except BaseException:
            tell(f"kept for a look: {_keep(place, journal)}")
            raise
        if verdict.wrong:
            tell(f"kept for a look: {_keep(place, journal)}")
        return verdict


async def _run(
    place: Town,
    journal: Journal,
    seed: int,
    size: Size,
    blows: Sequence[Blow] | None,
    points: Sequence[str] | None,
    patience: float,
    recovers_within: float,
) -> Verdict:
    for kept in place.fleet.all:
        kept.begin()
    await until_web_answers(place)
    if blows is not None:
        points = []
    elif points is None:
        points = await _learn(place, journal, seed, size)
    plan = draw(seed, size, points, blows)
    journal.note(f"{len(plan.requests)} requests, {len(plan.blows)} blows")
    await _attack(place, journal, plan, patience)
    await _rest(place, journal, patience / 2)
    trace = read_trace(place.folder)
    _date_deaths(place, journal, trace)
    evidence = await gather(
        place.database, place.slack, place.google.sheets[LEDGER][1:], journal, trace
    )
    (place.folder / "evidence.json").write_text(evidence.as_json(), "utf-8")
    verified = await _verify(place)
    await place.fleet.stop()
    attacked = _attacked(plan, journal, trace)
    more = [verified, _orphans(place), attacked, _against_rules(place)]
    return judge(seed, evidence, more, recovers_within)


async def _learn(place: Town, journal: Journal, seed: int, size: Size) -> list[str]:
    """Walk through every fate and door in peace; the points that were passed."""
    rng = random.Random(seed)
    requests = []
    for number, fate in enumerate(dict.fromkeys(size.fates)):
        door = [d for d in DOORS if d in size.doors][number % len(size.doors)]
        text = f"見積 株式会社ABC商事 モニター5台 備考: {marker(_WARM + number)}"
        if fate == "asked back":
            door, text = "mention", text.replace("モニター5台", "ノートPC 2台")
        requests.append(Request(_WARM + number, 0, door, "tanaka", "C1", text, fate, (0.5,)))
    await _work(place, journal, requests, rng, 60)
    await _rest(place, journal, 60)
    passed = {line["what"] for line in read_trace(place.folder)}
    points = sorted(name for name in passed if ": before" in name or ": a" in name)
    journal.note(f"{len(points)} named points")
    return points


async def _attack(place: Town, journal: Journal, plan: Plan, patience: float) -> None:
    rng = random.Random(plan.seed)
    attack = Attack(place, journal, rng)
    await asyncio.gather(
        _work(place, journal, plan.requests, rng, patience), attack.run(list(plan.blows))
    )
    attack.withdraw()


async def _work(
    place: Town,
    journal: Journal,
    requests: Sequence[Request],
    rng: random.Random,
    patience: float,
) -> None:
    """Have all of it asked, and see to the decisions until everything has come to an end."""
    crowd = Crowd(place, journal, rng)
    bosses = Bosses(place, journal, {each.marker: each for each in requests}, rng, crowd)
    watching = asyncio.create_task(bosses.watch())

    async def one(request: Request) -> None:
        await asyncio.sleep(request.after)
        await crowd.ask(request)

    try:
        await asyncio.gather(*(one(request) for request in requests))
        await _until_decided(place, patience)
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


async def _until_decided(place: Town, patience: float) -> None:
    until = time.monotonic() + patience
    sql = (
        "select count(*) as n from tasks where state in"
        " ('received', 'running', 'waiting', 'retrying', 'cancelling')"
    )
    while time.monotonic() < until and (await place.rows(sql))[0]["n"]:
        await asyncio.sleep(0.2)


async def _rest(place: Town, journal: Journal, patience: float) -> None:
    """Wait until nothing is left to be done, or for as long as is reasonable."""
    until = time.monotonic() + patience
    while (left := (await place.rows(_OPEN))[0]["open"]) and time.monotonic() < until:
        await asyncio.sleep(0.2)
    journal.note(f"at rest, {left} things left open")


def _date_deaths(place: Town, journal: Journal, trace: Sequence[dict[str, object]]) -> None:
    """When those who were struck died, and when the next life in their place was ready."""
    ready = {line["pid"]: line["at"] for line in trace if line["what"] == "ready"}
    died: dict[str, list[dict[str, object]]] = {}
    for line in trace:
        what, _, point = str(line["what"]).partition(" at ")
        if what == "killed":
            died.setdefault(point, []).append(line)
    for hit in journal.hits:
        if hit.kind != "kill":
            continue
        lines = died.get(hit.what.removeprefix("kill "))
        if lines:
            line = lines.pop(0)
            hit.pid, hit.down = int(str(line["pid"])), float(str(line["at"]))
        hit.back = _next_life(place, hit, ready)


def _next_life(place: Town, hit: Hit, ready: dict[object, object]) -> float | None:
    kept = place.fleet.of(hit.pid) if hit.pid else None
    if kept is None:
        return None
    later = [life for life in kept.lives if life.started > hit.down]
    if not later:
        return None
    return float(str(ready.get(later[0].pid, later[0].started)))


async def _verify(place: Town) -> Line:
    """`miyabi audit verify`, as an operator runs it."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "miyabi", "audit", "verify", "--json"),
        env=place.environment,
        cwd=place.folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, error = await process.communicate()
    if process.returncode == 0:
        return Line("miyabi audit verify", f"{json.loads(out)['events']} events, whole")
    return Line("miyabi audit verify", "NOT whole", [(out + error).decode()[-500:]])


def _orphans(place: Town) -> Line:
    """Processes that outlived those who had started them."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if Path(process.cwd()) == place.folder:
                found.append(f"{process.pid} {' '.join(process.cmdline())[:80]}")
                process.kill()
    return Line("processes left behind", str(len(found)), found)


def _attacked(plan: Plan, journal: Journal, trace: Sequence[dict[str, object]]) -> Line:
    """Nobody may have come to a point in time; but a point that does not exist is a mistake."""
    missed = sum(not hit.dealt for hit in journal.hits)
    passed = {line["what"] for line in trace}
    wrong = [f"{b.at}: there is no such point" for b in plan.blows if ": " in b.at]
    wrong = [each for each in wrong if each.removesuffix(": there is no such point") not in passed]
    return Line("blows", f"{len(plan.blows) - missed} of {len(plan.blows)} dealt", wrong)


def _against_rules(place: Town) -> Line:
    wrong = [f"{v.method}: {v.problem}" for v in place.slack.violations]
    return Line("calls against Slack's rules", str(len(wrong)), wrong)


def _keep(place: Town, journal: Journal) -> str:
    """Logs, trace and rows for whoever looks into it."""
    kept = Path(tempfile.mkdtemp(prefix="miyabi-chaos-failed-"))
    for file in place.folder.glob("*.*"):
        shutil.copy(file, kept)
    (kept / "journal.txt").write_text("\n".join(journal.notes), "utf-8")
    return str(kept)


FULL = Size(tasks=300, pause=2.0, doors=DOORS, fates=FATES)
