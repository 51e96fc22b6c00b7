"""Takes one safeguard out of a process, to see whether the suite notices that it is missing."""

import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from core import begin, lease, reconcile, tasks
from core.heartbeat import Held
from core.ids import new_id
from notifier import deliver


def apply(name: str) -> None:
    """Take the safeguard of this name out. Raises KeyError for an unknown one."""
    MUTATIONS[name]()


def _everywhere(original: Any, other: Any) -> None:
    """Put `other` in the place of a function, also where it was imported by name."""
    for module in list(sys.modules.values()):
        for name, value in list(vars(module).items()) if hasattr(module, "__dict__") else ():
            if value is original:
                setattr(module, name, other)


def _no_fence() -> None:
    """A worker writes whether or not the lease is still its own."""
    move = tasks.move

    async def hold(work: Any, walk: Any) -> None:
        """No question asked."""

    async def moved(work: Any, task: Any, state: Any, **more: Any) -> None:
        await move(work, task, state, **{**more, "fence": None})

    _everywhere(lease.hold, hold)
    _everywhere(move, moved)
    Held.__init__ = _deaf(Held.__init__)  # type: ignore[method-assign]


def _deaf(init: Callable[..., None]) -> Callable[..., None]:
    """A lease that never hears of its loss."""

    def quiet(self: Any, organisation_id: Any, task_id: Any, fence: int, lost: Any) -> None:
        init(self, organisation_id, task_id, fence, lambda: None)

    return quiet


def _no_dedupe_key() -> None:
    """A redelivery is taken for another request."""
    store = begin.store

    async def stored(request: Any, new: Any) -> Any:
        inbound = replace(request.inbound, key=f"{request.inbound.key} {new_id()}")
        return await store(replace(request, inbound=inbound), new)

    _everywhere(store, stored)

    from core import intake

    know = intake._know

    async def known(connection: Any, house: Any, inbound: Any) -> Any:
        return await know(connection, house, replace(inbound, key=str(new_id())))

    _everywhere(know, known)


def _no_intent() -> None:
    """A message is sent without a row that says so before."""

    async def unmarked(self: Any) -> None:
        """Nothing is written."""

    deliver._Sending._mark_sending = unmarked  # type: ignore[method-assign]


def _no_reconciler() -> None:
    """What nobody picked up stays where it is."""

    async def nothing(house: Any) -> None:
        return None

    _everywhere(reconcile.reconcile, nothing)


MUTATIONS: dict[str, Callable[[], None]] = {
    "fence": _no_fence,
    "dedupe": _no_dedupe_key,
    "intent": _no_intent,
    "reconciler": _no_reconciler,
}
