"""Whoever waits no longer than they may waits for no clearing up either."""

import asyncio

import pytest

from core.in_time import within


async def test_what_is_done_in_time_is_given_and_raised() -> None:
    async def fails() -> None:
        raise LookupError

    assert await within(10, asyncio.sleep(0, "done")) == "done"
    with pytest.raises(LookupError):
        await within(10, fails())


@pytest.mark.parametrize("given_up", [False, True])
async def test_what_is_called_off_is_not_waited_for(given_up: bool) -> None:
    called_off, cleared_up = asyncio.Event(), asyncio.Event()

    async def hangs() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            called_off.set()
            await cleared_up.wait()

    waiting = asyncio.create_task(within(60 if given_up else 0.01, hangs()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    if given_up:
        waiting.cancel()

    with pytest.raises(asyncio.CancelledError if given_up else TimeoutError):
        await waiting
    async with asyncio.timeout(10):
        await called_off.wait()
    cleared_up.set()
