"""How patient a worker is with a step that fails: how often it is tried, how long in between."""

from datetime import timedelta

TRIES = 5
"""How often a step is tried while the other side is busy."""
WITHIN = timedelta(minutes=15)
"""How long after its first failure a step is still tried; then its task stops, with a button."""
UNEXPECTED_TRIES = 3
"""How often a step is tried that fails for a reason nobody foresaw."""
LATE_TRIES = 2
"""How often a step is tried that takes longer than it may."""
CRASHES = 10
"""How many workers in a row may die at one step before its task stops: in about a minute, if it is
what kills them. No fewer, because a death is counted for all that the worker had in hand, and most
of them are innocent: a step that waits for a slow provider saw five deaths on a bad day."""

_FIRST_WAIT = timedelta(seconds=2)
_GROWTH = 4
_SPREAD = 0.5
_SPREAD_OF_ASKED = 0.1
"""By how much of it the waits of many tasks are spread, of our own and of what was asked for."""


def next_wait(tried: int, after: timedelta | None, chance: float) -> timedelta:
    """How long to wait after so many tries (at least 1): 2, 8, 32, 128 s or half as much again.

    Never less than `after`, where the other side named a time. `chance` (from 0 up to 1) spreads
    the waits of many tasks that failed at the same moment.
    """
    growth: int = _GROWTH ** (tried - 1)
    wait = _FIRST_WAIT * growth * (1 + _SPREAD * chance)
    if after is None:
        return wait
    return max(wait, after * (1 + _SPREAD_OF_ASKED * chance))
