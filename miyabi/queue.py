"""The queues in Redis: arq's keys, filled and read by two scripts of our own.

arq's own way in asks three times a job; its way out reads a page from the head of the queue, where
everything stands that others are at work on, and asks about each. Both know no order but time, and
tell it by the clock of whoever speaks. A script is one round trip, and the clock is Redis' own.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any, get_args

from arq import ArqRedis
from arq.constants import expires_extra_ms, in_progress_key_prefix, job_key_prefix
from arq.jobs import serialize_job
from redis.asyncio import ConnectionPool
from redis.asyncio.client import Pipeline

from core.ports import Job, JobKind, Lane

LANES: tuple[Lane, ...] = ("interactive", "bulk")
KINDS: tuple[JobKind, ...] = get_args(JobKind)

WAKE = "miyabi:wake"
"""The channel on which a queue is named when something has come into it."""

SPACING = 10 * 60 * 1000
"""Milliseconds in the queue from one rank to the next: a job is overtaken by those of a lower rank
that came at most so long after it. Whoever waits comes up by waiting."""

_BASE = 400 * 24 * 60 * 60 * 1000
"""Milliseconds by which a score lies before the time: none may lie in the future, or arq's own
commands would take the job for one that is put off."""

_LAST_RANK = _BASE // SPACING
_LOOK_AT = 1000  # from the head of the queue, where also stands what others are at work on

_HAND = """
local base, spacing, last, keeps = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for i = 5, #ARGV, 5 do
    local id, queue, wait, rank = ARGV[i], ARGV[i + 1], tonumber(ARGV[i + 2]), tonumber(ARGV[i + 3])
    redis.call('PSETEX', '{job}' .. id, wait + keeps, ARGV[i + 4])
    if wait > 0 then
        redis.call('ZADD', queue .. ':later', 'LT', now + wait, rank .. ':' .. id)
    else
        -- What waits already keeps its place: what is handed again makes no queue longer.
        redis.call('ZADD', queue, 'LT', now - base + math.min(rank, last) * spacing, id)
        -- Of a worker that died with it arq would know only in minutes. Where it lives after all,
        -- both run, and the lease on the task or the thread lets one of them do it.
        redis.call('DEL', '{begun}' .. id)
    end
end
""".replace("{job}", job_key_prefix).replace("{begun}", in_progress_key_prefix)

_CLAIM = """
local queue, free, keeps, look_at = KEYS[1], tonumber(ARGV[1]), ARGV[2], ARGV[3]
local base, spacing, last, known = ARGV[4], ARGV[5], tonumber(ARGV[6]), ARGV[7]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
-- What was put off and is due takes the place of its rank, not that behind all who came meanwhile.
local due = redis.call('ZRANGEBYSCORE', queue .. ':later', '-inf', now, 'LIMIT', 0, look_at)
for _, entry in ipairs(due) do
    local rank, id = string.match(entry, '^(%d+):(.+)$')
    redis.call('ZADD', queue, 'LT', now - base + math.min(tonumber(rank), last) * spacing, id)
    redis.call('ZREM', queue .. ':later', entry)
end
-- Without a payload it has expired, which arq finds and clears away.
local function ours(id)
    local payload = redis.call('GET', '{job}' .. id)
    if not payload then return true end
    local read, job = pcall(cjson.decode, payload)
    return read and type(job) == 'table' and type(job.f) == 'string'
        and string.find(known, ' ' .. job.f .. ' ', 1, true)
        and type(job.a) == 'table' and #job.a == 2 and type(job.k) == 'table' and not next(job.k)
end
local claimed = {}
if free > 0 then
    for _, id in ipairs(redis.call('ZRANGEBYSCORE', queue, '-inf', now, 'LIMIT', 0, look_at)) do
        if not ours(id) then
            redis.call('ZADD', queue, now, id)  -- a newer version's: behind all that is ours
        elseif redis.call('SET', '{begun}' .. id, '1', 'NX', 'PX', keeps) then
            claimed[#claimed + 1] = id
            if #claimed == free then break end
        end
    end
end
return claimed
""".replace("{job}", job_key_prefix).replace("{begun}", in_progress_key_prefix)

_KNOWN = f" {' '.join(KINDS)} "


def queue_of(lane: Lane, kind: JobKind = "advance") -> str:
    """The name of a lane's queue, as arq knows it.

    What is to be told has a queue of its own beside that of the steps: a platform that hangs holds
    up no step.
    """
    return f"miyabi:{lane}:news" if kind == "announce" else f"miyabi:{lane}"


def serialize(job: dict[str, object]) -> bytes:
    """arq's payload as JSON: pickle, its default, would run whatever stands in Redis."""
    return json.dumps(job, default=str).encode()


def deserialize(payload: bytes) -> dict[str, object]:
    """The other way round."""
    value = json.loads(payload)
    if not isinstance(value, dict):
        raise TypeError("an arq payload is an object")
    return value


def connect(url: str, *, connections: int = 50) -> ArqRedis:
    """A pool of connections to Redis that arq can use; connects when it is first used."""
    pool = ConnectionPool.from_url(
        url, socket_connect_timeout=1.0, socket_timeout=5.0, max_connections=connections
    )
    return _on(pool)


def connect_anew(redis: ArqRedis, *, connections: int) -> ArqRedis:
    """Another pool to the same Redis, with nothing of the first one's past."""
    old = redis.connection_pool
    return _on(
        ConnectionPool(
            connection_class=old.connection_class,
            max_connections=connections,
            **old.connection_kwargs,
        )
    )


def _on(pool: ConnectionPool) -> ArqRedis:
    return ArqRedis(
        pool_or_conn=pool,
        job_serializer=serialize,
        job_deserializer=deserialize,
        default_queue_name=queue_of("interactive"),
    )


def hand(pipeline: Pipeline, jobs: Sequence[Job]) -> None:
    """Put jobs in the queues of their lanes and wake who serves these."""
    arguments: list[Any] = [_BASE, SPACING, _LAST_RANK, expires_extra_ms]
    for job in jobs:
        wait = int(job.after.total_seconds() * 1000)
        for_arq = (str(job.organisation_id), str(job.task_id))
        # The time at which it was enqueued is for arq's log only.
        payload = serialize_job(job.kind, for_arq, {}, None, 0, serializer=serialize)
        arguments += [job.id.hex, queue_of(job.lane, job.kind), wait, job.rank, payload]
    pipeline.eval(_HAND, 0, *arguments)
    wake(pipeline, {queue_of(job.lane, job.kind) for job in jobs})


def wake(redis: Pipeline, queues: Iterable[str]) -> None:
    """Have the workers look into these queues at once."""
    for queue in queues:
        redis.publish(WAKE, queue)


async def claim(redis: ArqRedis, queue: str, free: int, keeps: float) -> list[str]:
    """Take up to `free` jobs that nobody is at work on, lower ranks first; give their ids.

    For `keeps` seconds nobody else takes them. With `free` 0 it is a sign of life of Redis.
    A job of a newer version, of a kind or with arguments we do not know, stays for its workers.
    """
    arguments: list[Any] = [free, int(keeps * 1000), _LOOK_AT, _BASE, SPACING, _LAST_RANK, _KNOWN]
    # redis-py gives its two clients one type between them.
    found = await redis.eval(_CLAIM, 1, queue, *arguments)  # type: ignore[misc]
    return [job_id.decode() for job_id in found]


async def give_back(redis: ArqRedis, queue: str, job_ids: Sequence[str]) -> None:
    """Let others take at once what was claimed and not begun."""
    async with redis.pipeline(transaction=False) as pipeline:
        if job_ids:
            pipeline.delete(*(in_progress_key_prefix + job_id for job_id in job_ids))
        wake(pipeline, [queue])
        await pipeline.execute()
