"""What is done all day reads no table from end to end, however much is over and done with."""

import asyncio
from dataclasses import replace

import pytest

from core import completeness, tasks
from core.lease import take
from core.reconcile import reconcile
from core.unit import unit
from tests.core.ballast import load_archive, load_queue
from tests.core.house import Office
from web import metrics

ARCHIVE, QUEUE = 20_000, 300

_READ = """
    select coalesce(jsonb_object_agg(relname, rows), '{}') as tables from (
        select relname, seq_tup_read + coalesce((select sum(idx_tup_read)
            from pg_stat_user_indexes i where i.relid = t.relid), 0) as rows
        from pg_stat_user_tables t) read
"""
_OTHERS = """
    select count(*) as n from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid()
"""


async def rows_read(office: Office) -> dict[str, int]:
    """How many rows of each table were read so far, one by one or along an index."""
    office.house.heartbeat.stop()
    await office.house.engine.dispose()
    for _ in range(200):  # a session says what it did when it ends
        if not (await office.row(_OTHERS, {})).n:
            break
        await asyncio.sleep(0.05)
    return dict((await office.row(_READ, {})).tables)


@pytest.mark.fresh
@pytest.mark.tampers
async def test_no_table_is_read_from_end_to_end(office: Office) -> None:
    await load_archive(office, ARCHIVE)
    await load_queue(office, QUEUE)
    await _looked_through(office)
    await reconcile(office.house)  # the housekeeping of the hour may
    before = await rows_read(office)

    await a_day(office)

    after = await rows_read(office)
    read = {table: after[table] - before.get(table, 0) for table in after}
    assert read["tasks"] > 0, "it is counted"
    assert {table: rows for table, rows in read.items() if rows > ARCHIVE / 2} == {}


async def a_day(office: Office) -> None:
    """Asking, deciding, looking, changing one's mind, and what the workers do by themselves."""
    office.trouble.block = 2.2  # time for the lease to be renewed
    answer = await office.say("letter hello", thread="t")
    await office.work()
    office.trouble.block = 0
    await office.say("status", thread="t")
    await office.say("mine", office.boss)
    await office.click("approve", await office.approval_id(answer.task_id), office.boss)
    await office.work()
    assert await office.state(answer.task_id) == "done"

    asked = await office.say("letter ?")
    await office.work()
    await office.say(f"revise #{asked.reference} letter bye")
    await office.work()
    await office.say(f"cancel #{asked.reference}")
    await office.work()
    async with office.house.engine.connect() as connection:
        await tasks.in_thread(connection, office.organisation.id, "wall", "room", "root-7")
        await tasks.is_conversation(connection, "wall", "w1", "room", "root-7")

    await _a_worker_dies(office)
    async with office.house.engine.begin() as connection:
        run = await completeness.begin(connection, office.organisation.id)
        while not run.done:
            run = await completeness.look(connection, office.organisation.id, run)
    assert 0 < run.tasks < 100
    await metrics._look(office.house)


async def _looked_through(office: Office) -> None:
    """The archive was looked through in the nights before; the next run is tomorrow's."""
    await office.execute(
        "insert into schedule (name, due_at, next_at, kind, organisation_id) select"
        " 'completeness:' || id, now() + interval '1 day', now() + interval '1 day',"
        " 'completeness', id from organisations"
    )
    async with unit(office.house) as work:
        run = await completeness.begin(work.connection, office.organisation.id)
        whole = replace(run, reached=run.until)
        completeness.record(work, office.organisation.id, whole, accepted=True)


async def _a_worker_dies(office: Office) -> None:
    """With one task in its hands, and another that it had not begun."""
    held, queued = [(await office.say(f"letter {n}")).task_id for n in range(2)]
    office.bell.jobs.clear()
    assert held is not None
    assert await take(office.house, office.organisation.id, held, "dead") is not None
    await office.execute(f"update tasks set lease_until = now() where id = '{held}'")
    await office.execute(f"update outbox set next_at = now() where subject_id = '{queued}'")

    found = await reconcile(office.house)

    assert {job.task_id for job in found.jobs} == {held, queued}
    await office.work()
    assert await office.state(held) == await office.state(queued) == "waiting:approval"
