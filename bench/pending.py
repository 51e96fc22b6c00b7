"""What waits for somebody, among a hundred thousand requests that wait."""

import random
from collections.abc import Sequence
from time import perf_counter
from uuid import UUID

from bench.figures import Figures, Goal, spread, tell
from bench.ground import Ground, house_on
from bench.intake import connect
from bench.waves import paper
from core.desk import desk
from core.house import House
from core.people import Person

_PENDING = 100_000


async def long_list(place: Ground, approvers: Sequence[Person], *, quick: bool) -> Figures:
    pending = 2_000 if quick else _PENDING
    began = perf_counter()
    await _fill(place, [person.id for person in approvers], pending)
    tell(f"  {pending} pending requests made in {perf_counter() - began:.0f} s")
    async with house_on(place, paper) as (house, _):
        ours = await _ask_desk(house, approvers, 20 if quick else 400)
        busiest = await _ask_desk(house, approvers[:1], 20 if quick else 200)
    bare = await _one_row(place, 20 if quick else 400)
    mine = spread(f"what waits for one of 20 approvers, of {pending} pending", ours)
    more = {"of the one who has half of all": spread("", busiest).as_json()}
    goals = (
        Goal("what waits for me, p99, ms", mine.p99, 50),
        Goal("of the one who has half of all, p99, ms", spread("", busiest).p99, 50),
    )
    what = "one row by its primary key, on a connection that is open"
    return Figures("approvals, what waits for me", mine, spread(what, bare), goals, more)


async def _ask_desk(house: House, approvers: Sequence[Person], n: int) -> list[float]:
    times = []
    for _ in range(n + 5):
        person = random.choice(approvers)
        began = perf_counter()
        async with house.engine.connect() as connection:
            shown = await desk(connection, house, person)
        times.append((perf_counter() - began) * 1000)
        assert shown.waiting
    return times[5:]


async def _one_row(place: Ground, n: int) -> list[float]:
    database = await connect(place)
    try:
        ids = [row["id"] for row in await database.fetch("select id from tasks limit $1", n)]
        times = []
        for each in ids:
            began = perf_counter()
            await database.fetchrow("select * from tasks where id = $1", each)
            times.append((perf_counter() - began) * 1000)
    finally:
        await database.close()
    return times


async def _fill(place: Ground, approvers: Sequence[UUID], pending: int) -> None:
    """So many requests that wait, half of them for the first approver; as many that are over."""
    database = await connect(place)
    try:
        await database.execute("set session_replication_role = replica")
        for first, state in ((1, "pending"), (pending + 1, "approved")):
            await database.execute(
                _FILL.format(state=state, **_OF[state]),
                place.organisation_id,
                list(approvers),
                first,
                pending,
            )
        await database.execute("analyze")
    finally:
        await database.close()


_OF = {
    "pending": {"task": "waiting", "stage": "open", "seat": "open"},
    "approved": {"task": "done", "stage": "passed", "seat": "approved"},
}
_FILL = """
    with made as (
        select n, gen_random_uuid() as task, gen_random_uuid() as approval,
            gen_random_uuid() as stage, now() - make_interval(secs => n) as at,
            ($2::uuid[])[case when n % 2 = 0 then 1
                else 1 + n / 2 % cardinality($2::uuid[]) end] as who
        from generate_series($3::bigint, $3 + $4::bigint - 1) as n
    ), tasks as (
        insert into tasks (id, organisation_id, reference, agent, agent_version, person_id,
            language, text, state, waiting_for, lane, turn, rank, created_at, finished_at)
        select task, $1::uuid, 1000000 + n, 'paper', 1, who, 'ja', 'paper', '{task}',
            case when '{task}' = 'waiting' then 'approval' end, 'interactive', 0, 0, at,
            case when '{task}' = 'done' then at end
        from made
    ), revisions as (
        insert into revisions (organisation_id, task_id, revision, ask, person_id)
        select $1, task, 1, jsonb_build_object('approver', n % cardinality($2::uuid[])), who
        from made
    ), approvals as (
        insert into approvals (id, organisation_id, task_id, revision, step, route, state,
            shown_sha256, expires_at)
        select approval, $1, task, 1, 'approve', 'bench', '{state}', repeat('0', 64),
            now() + interval '14 days' from made
    ), stages as (
        insert into approval_stages (id, organisation_id, approval_id, task_id, place, name, need,
            everybody, delegable, empty, state, opened_at)
        select stage, $1, approval, task, 1, 's', 1, false, true, 'next', '{stage}', at from made
    )
    insert into approval_seats (id, organisation_id, stage_id, task_id, person_id, holder_id,
        state, open_since)
    select gen_random_uuid(), $1, stage, task, who, who, '{seat}', at from made
"""
