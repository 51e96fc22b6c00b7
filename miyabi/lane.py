"""One queue of a worker: arq's worker, woken by the bell, that takes jobs by our script."""

import asyncio
import contextlib
import time
from collections.abc import Mapping

import structlog
from arq import ArqRedis, Worker, func
from arq.typing import WorkerCoroutine
from redis.exceptions import RedisError

from core.ports import JobKind, Lane
from miyabi.queue import WAKE, claim, deserialize, give_back, queue_of, serialize

log = structlog.get_logger()

POLL = 0.5
"""Seconds between two looks at the queue where the bell is not heard."""

JOB_TIMEOUT = 15 * 60
"""Seconds. Tasks and steps have deadlines of their own, which come first."""


class LaneWorker(Worker):
    """arq's worker, whose main loop waits for the bell or half a second, whichever is first."""

    def __init__(
        self,
        lane: Lane,
        redis: ArqRedis,
        functions: Mapping[str, WorkerCoroutine],
        *,
        jobs: int,
        kind: JobKind = "advance",
    ) -> None:
        super().__init__(
            functions=[func(do, name=name) for name, do in functions.items()],
            redis_pool=redis,
            queue_name=queue_of(lane, kind),
            job_serializer=serialize,
            job_deserializer=deserialize,
            max_jobs=jobs,
            job_timeout=JOB_TIMEOUT,
            keep_result=0,
            max_tries=1_000_000,  # how often a task is tried is its own state, not arq's
            handle_signals=False,
            log_results=False,
        )
        self.lane: Lane = lane
        self.bell = asyncio.Event()
        self.stopping = False
        self._may_be_more = False
        self.polled_at = time.monotonic()
        """When Redis last answered the main loop."""

    async def main(self) -> None:
        """Take jobs and begin them until told to stop."""
        ourselves = asyncio.current_task()
        assert ourselves is not None  # noqa: S101  # we run inside of one
        # Not `while True`: redis-py now and then swallows the one CancelledError it is given.
        while not (self.stopping or ourselves.cancelling()):
            self.bell.clear()
            try:
                await self._poll_iteration()
            except (RedisError, OSError) as error:
                log.warning("worker.redis_away", lane=self.lane, error=repr(error))
                await asyncio.sleep(POLL)
            except Exception:  # what it had claimed, the reconciler hands again
                log.exception("worker.poll_crashed", lane=self.lane)
                await asyncio.sleep(POLL)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(POLL):
                    await self.bell.wait()

    async def _poll_iteration(self) -> None:
        """In one round trip, where arq's own takes three a job and counts a slot as taken for ever
        when Redis goes away in between: after ten of these it would be deaf."""
        free = self.max_jobs - self.job_counter
        claimed = await claim(self.pool, self.queue_name, free, self.in_progress_timeout_s)
        self.polled_at = time.monotonic()
        self._may_be_more = len(claimed) == free
        if self.stopping:
            await give_back(self.pool, self.queue_name, claimed)
            return
        for job_id in claimed:
            if job_id not in self.tasks:  # else it was handed again while it is being done here
                await self._begin(job_id)

    async def _begin(self, job_id: str) -> None:
        await self.sem.acquire()  # arq's: never waits, as one more are there than we may have jobs
        self.job_counter += 1
        self.tasks[job_id] = task = asyncio.create_task(
            self.run_job(job_id, int(time.time()) * 1000)
        )

        def end(_: asyncio.Task[None]) -> None:
            del self.tasks[job_id]
            self._release_sem_dec_counter_on_complete()
            if self._may_be_more:
                self.bell.set()  # and now there is room
            if not task.cancelled() and (error := task.exception()) is not None:
                # What was done is done; only arq's note of it is missing.
                log.warning("worker.job_not_closed", lane=self.lane, error=repr(error))

        task.add_done_callback(end)


async def listen(redis: ArqRedis, workers: Mapping[bytes, LaneWorker]) -> None:
    """Have each worker, by the name of its queue, look at that when the bell rings for it.

    Subscribes again when Redis comes back.
    """
    while True:
        try:
            async with redis.pubsub(ignore_subscribe_messages=True) as channel:
                await channel.subscribe(WAKE)
                for worker in workers.values():
                    worker.bell.set()
                while True:
                    message = await channel.get_message(timeout=60)
                    if message is not None and (woken := workers.get(message["data"])) is not None:
                        woken.bell.set()
        except (RedisError, OSError):
            await asyncio.sleep(POLL)
        except Exception:  # deaf to the bell, every job would wait for the poll
            log.exception("worker.bell_crashed")
            await asyncio.sleep(POLL)
