"""The long-running processes, `web` and `worker`: each starts, says where it is, stops cleanly."""

import asyncio
import contextlib
import gc
import os
import signal
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence

import structlog
import uvicorn

from core.approvals import conditions
from core.intake import PATIENCE
from core.platform import Opening, Platform
from core.ports import Lane
from core.settings import Settings
from miyabi.anchors import anchors
from miyabi.build import Built
from miyabi.plugins import all_channels, all_platforms
from miyabi.queue import LANES
from miyabi.routes_file import bring_in, keep_routes
from miyabi.session import newest_version, session
from miyabi.signing import signers
from miyabi.supervise import SUPERVISED, listening
from miyabi.worker import Plan, run_worker
from notifier.hub.working import work_on_notices
from web.app import create_app

log = structlog.get_logger()

STOPS_WITHIN = 3
"""Seconds that requests and steps under way have to end when the process is told to stop."""

_COLLECT_AFTER = (10_000, 20, 20)
"""New objects, and collections of the younger generation, after which one is collected. Python's
own 700 collects with every few requests."""

_LISTEN_AGAIN = 5.0  # seconds, when a platform's connection ends by an error


async def web(settings: Settings) -> None:
    """Serve HTTP and hold the platforms' connections open until SIGTERM or Ctrl-C."""
    with listening(settings) as listener:
        async with session(settings, patience=PATIENCE, answer_at_most=PATIENCE) as opened:
            built = opened.built
            platforms = all_platforms()
            config = uvicorn.Config(
                create_app(
                    built.opening,
                    platforms.values(),
                    {"redis": built.redis.ping},
                    newest=newest_version(),
                ),
                loop="uvloop",
                http="httptools",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=bool(settings.trusted_proxies),
                forwarded_allow_ips=settings.trusted_proxies,
                timeout_graceful_shutdown=STOPS_WITHIN,
                lifespan="off",
            )
            server = Server(config)
            connections = [
                asyncio.create_task(held_open(platform, platform.listen, built.opening))
                for platform in platforms.values()
                if platform.listen is not None and platform.name in built.house.outbounds
            ]
            await bring_in(built.house, settings)
            _say_where(settings, built, platforms)
            _collect_rarely()
            try:
                await _until_told(server.serve(sockets=[listener]), server.stop)
            finally:
                await _cancelled(connections)
    log.info("web.stopped")


async def worker(settings: Settings, lanes: Sequence[Lane] = LANES) -> None:
    """Work until SIGTERM or Ctrl-C; what is not finished then, another worker goes on with.

    Raises Deaf where it hears the queue no more.
    """
    async with session(settings, patience=PATIENCE) as opened:
        plan = Plan(settings.worker_jobs, settings.worker_bulk_jobs, lanes)
        log.info("worker.started", **{lane: plan.jobs(lane) for lane in lanes})
        await bring_in(opened.house, settings)
        conditions.load()
        _collect_rarely()
        beside = [
            asyncio.create_task(keep_routes(opened.house, settings)),
            asyncio.create_task(work_on_notices(opened.built.opening, all_channels())),
            *(
                asyncio.create_task(held_open(platform, platform.work, opened.built.opening))
                for platform in all_platforms().values()
                if platform.work is not None and platform.name in opened.house.outbounds
            ),
        ]
        working = asyncio.create_task(
            run_worker(
                opened.house,
                opened.built.redis,
                plan,
                signers(settings),
                anchors(settings.anchors),
            )
        )

        async def work() -> None:
            with contextlib.suppress(asyncio.CancelledError):
                await working

        try:
            await _until_told(work(), working.cancel)
        finally:
            await _cancelled(beside)
    log.info("worker.stopped")


def _collect_rarely() -> None:
    """What was made until now stays, and need not be looked at by each collection of garbage."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECT_AFTER)


class Server(uvicorn.Server):
    """uvicorn without hands on the signals, which belong to the whole process."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave them alone."""
        yield

    def stop(self) -> None:
        """Take no new request, and end when those under way have."""
        self.should_exit = True


async def _until_told(running: Awaitable[None], stop: Callable[[], object]) -> None:
    """Run until it ends by itself or a signal (or the supervisor's end) tells it to stop."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    watching = asyncio.create_task(_watch_supervisor(stop))
    try:
        await running
    finally:
        watching.cancel()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


async def _watch_supervisor(stop: Callable[[], object]) -> None:
    """A supervisor that was killed can tell nobody: then this process is another's child."""
    supervisor = os.environ.get(SUPERVISED)
    while supervisor is not None:
        if str(os.getppid()) != supervisor:
            log.warning("process.supervisor_gone")
            stop()
            return
        await asyncio.sleep(1)


async def held_open(
    platform: Platform, part: Callable[[Opening], Awaitable[None]], opening: Opening
) -> None:
    """Run a part of a platform; when it breaks in a way its adapter gave up on, begin anew."""
    while True:
        try:
            await part(opening)
        except Exception:  # whatever an adapter's library raises, the webhooks must go on
            log.exception("platform.connection_ended", platform=platform.name)
            await asyncio.sleep(_LISTEN_AGAIN)
        else:
            return


async def _cancelled(running: list[asyncio.Task[None]]) -> None:
    for task in running:
        task.cancel()
    if running:
        await asyncio.wait(running, timeout=STOPS_WITHIN)


def _say_where(settings: Settings, built: Built, platforms: Mapping[str, Platform]) -> None:
    """The first lines of the log: where it is, and who can be talked to."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    url = settings.public_url or f"http://{host}:{settings.port}"
    connected = sorted(built.house.outbounds)
    missing = sorted(platforms.keys() - built.house.outbounds.keys())
    log.info("web.started", url=url, connected=", ".join(connected))
    for name in missing:
        log.info("platform.not_set_up", platform=name, see=f"bot/{name}/README.md")
