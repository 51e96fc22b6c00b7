"""What blocks (a mount that hangs, a library that waits) is done in a thread of its own.

Nobody waits for it longer than they said: not the event loop, and not the end of the process. The
executors of the standard library are waited for at exit, and one that hangs takes a place of all.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import Any, TypeVar

_Result = TypeVar("_Result")


class Apart:
    """One such thread at a time."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._thread: threading.Thread | None = None

    async def run(self, work: Callable[[], _Result], seconds: float) -> _Result:
        """What `work` gives or raises. Raises TimeoutError when it does not come back in time, and
        OSError at once while the one before still has not."""
        if self._thread is not None and self._thread.is_alive():
            raise OSError(f"{self._name}: the try before still hangs")
        loop = asyncio.get_running_loop()
        done: asyncio.Future[_Result] = loop.create_future()

        def settle(set_: Callable[[Any], None], value: Any) -> None:
            if not done.done():  # nobody waits any more
                set_(value)

        def work_apart() -> None:
            try:
                outcome: tuple[Callable[[Any], None], Any] = (done.set_result, work())
            except Exception as error:
                outcome = (done.set_exception, error)
            with contextlib.suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(settle, *outcome)

        self._thread = threading.Thread(target=work_apart, name=self._name, daemon=True)
        self._thread.start()
        async with asyncio.timeout(seconds):
            return await done
