"""What tests of several folders have running: an application on a port, a worker beside it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn

from miyabi.build import Built
from miyabi.worker import run_worker


@asynccontextmanager
async def at_port(app: Any) -> AsyncIterator[str]:
    """An ASGI application behind uvicorn, on a free port; gives its address."""
    config = uvicorn.Config(
        app, port=0, log_config=None, access_log=False, server_header=False, lifespan="off"
    )
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110  # uvicorn has no event for it
        await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await running


@asynccontextmanager
async def working(built: Built) -> AsyncIterator[None]:
    """A worker of the house."""
    worker = asyncio.create_task(run_worker(built.house, built.redis))
    try:
        yield
    finally:
        worker.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await worker
