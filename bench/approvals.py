"""Approvals decided by buttons in Slack: the answer, the copies of the card, a database that
stands still, and the list of what waits for somebody among many.

Twenty approvers click at the same moment, each on a card of their own; a worker edits its three
copies meanwhile. Web process, worker, Slack and the callers are processes of their own.
"""

from collections.abc import AsyncIterator

from bench.children import child
from bench.figures import Figures, Goal, Spread, spread
from bench.ground import ground
from bench.intake import listener
from bench.pending import long_list
from bench.slack import slack
from bench.waves import (
    COPIES,
    Times,
    bare_clicks,
    one_by_one,
    opened,
    settle,
    wave,
    wave_in_a_stall,
)


async def run(*, quick: bool) -> AsyncIterator[Figures]:
    """Waves of twenty clicks; some while the database stands still; then a long list."""
    waves, stalls = (2, 1) if quick else (12, 3)
    with listener() as listening:
        port = listening.getsockname()[1]
        async with ground(slack_api=f"http://127.0.0.1:{port}/api/") as place:
            approvers = await settle(place)
            async with child(slack, listening), opened(place, port) as office:
                awake = Times()
                for _ in range(waves):
                    await wave(office, awake)
                alone = Times()
                for _ in range(1 if quick else 2):
                    await one_by_one(office, alone)
                asleep = Times()
                for _ in range(stalls):
                    await wave_in_a_stall(office, asleep)
                bare = await bare_clicks(max(waves, 2))
            yield _clicks(awake, alone, bare)
            yield _stalled(asleep, bare)
            yield await long_list(place, approvers, quick=quick)


# What is said of it


def _clicks(awake: Times, alone: Times, bare: Spread) -> Figures:
    told = spread("click to the person's answer, 20 approvers at once", awake.told)
    gone = spread(f"click to buttons gone on all {COPIES} copies", awake.gone)
    taken = spread("click to the 200 for Slack", awake.taken)
    one = spread(f"one click, to buttons gone on all {COPIES} copies", alone.gone)
    goals = (
        Goal("click to the person's answer, p99, ms", told.p99, 1000),
        Goal(f"click to buttons gone on all {COPIES} copies, p99, ms", gone.p99, 1000),
        Goal(f"one click to buttons gone on all {COPIES} copies, p99, ms", one.p99, 1000),
    )
    more = {
        "200": taken.as_json(),
        "buttons gone": gone.as_json(),
        "one click, buttons gone": one.as_json(),
        "not decided within what a click may take": awake.undone,
    }
    return Figures("approvals, 20 approvers", told, bare, goals, more)


def _stalled(asleep: Times, bare: Spread) -> Figures:
    told = spread("click to the person's answer, PostgreSQL stopped for 5 s", asleep.told)
    taken = spread("click to the 200 for Slack", asleep.taken)
    goals = (
        Goal("click to the 200 for Slack, p99, ms", taken.p99, 1000),
        Goal("click to the person's answer, p99, ms", told.p99, 1000),
    )
    return Figures("approvals, database stalled", told, bare, goals, {"200": taken.as_json()})
