"""Takes one safeguard out of a process, to see whether the suite notices that it is missing."""

import sys
from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any

from core import begin, finish, intake, lease, reconcile, tasks
from core.heartbeat import Heartbeat
from core.ids import new_id
from notifier import outcome


def apply(name: str) -> None:
    """Take the safeguard of this name out. Raises KeyError for an unknown one."""
    MUTATIONS[name]()


def _everywhere(original: Any, other: Any) -> None:
    """Put `other` in the place of a function, also where it was imported by name."""
    for module in list(sys.modules.values()):
        for name, value in list(vars(module).items()) if hasattr(module, "__dict__") else ():
            if value is original:
                setattr(module, name, other)


def _reworded(module: ModuleType, name: str, old: str, new: str) -> None:
    """Change a statement of ours. Raises AssertionError where it no longer says that."""
    statement = getattr(module, name)
    assert old in statement, f"{module.__name__}.{name} does not say: {old}"
    setattr(module, name, statement.replace(old, new))


def _no_fence() -> None:
    """A worker writes whether or not the lease is still its own."""
    move = tasks.move

    async def own(work: Any, walk: Any) -> str:
        return "running"

    async def moved(work: Any, task: Any, state: Any, **more: Any) -> None:
        await move(work, task, state, **{**more, "fence": None})

    _everywhere(lease.own, own)
    _everywhere(move, moved)
    _reworded(finish, "_FINISH", "and fence = :fence", "")
    Heartbeat._tell = lambda self, lease, news: None  # type: ignore[method-assign]


def _no_dedupe_key() -> None:
    """A redelivery is taken for another request."""
    store, know = begin.store, intake._know

    async def stored(request: Any, new: Any) -> Any:
        inbound = replace(request.inbound, key=f"{request.inbound.key} {new_id()}")
        return await store(replace(request, inbound=inbound), new)

    async def known(connection: Any, house: Any, inbound: Any) -> Any:
        return await know(connection, house, replace(inbound, key=str(new_id())))

    _everywhere(store, stored)
    _everywhere(know, known)


def _no_intent() -> None:
    """A message is sent without a row that says so before."""
    _reworded(outcome, "_INTEND", "then 'sending' else", "then 'pending' else")
    _reworded(outcome, "_SENT", "d.state = 'sending'", "d.state in ('pending', 'sending')")


def _no_reconciler() -> None:
    """What nobody picked up stays where it is."""

    async def nothing(house: Any) -> reconcile.Pass:
        return reconcile.Pass([], 0)

    _everywhere(reconcile.reconcile, nothing)


MUTATIONS: dict[str, Callable[[], None]] = {
    "fence": _no_fence,
    "dedupe": _no_dedupe_key,
    "intent": _no_intent,
    "reconciler": _no_reconciler,
}
