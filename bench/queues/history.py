"""Years of finished work in the tables, written by PostgreSQL itself."""

from time import monotonic

import asyncpg  # type: ignore[import-untyped]

from bench.ground import Ground

_ROWS = (
    """
    insert into tasks (id, organisation_id, reference, agent, agent_version, person_id, language,
        text, state, created_at, updated_at, finished_at)
    select gen_random_uuid(), $1, 10_000_000 + n, 'quote', 1, $2, 'ja', 'quote ' || n, 'done',
        now() - n * interval '1 minute', now() - n * interval '1 minute',
        now() - n * interval '1 minute'
    from generate_series(1, $3::bigint) n
    """,
    """
    insert into revisions (organisation_id, task_id, revision, ask, person_id)
    select organisation_id, id, 1, '{"text": "quote"}', person_id from tasks where state = 'done'
        and reference > 10_000_000
    """,
    """
    insert into steps (organisation_id, task_id, revision, name, inputs_sha256, result, started_at,
        finished_at)
    select organisation_id, id, 1, name, '', '{}', created_at, created_at
    from tasks, unnest(array['read', 'price']) name
    where state = 'done' and reference > 10_000_000
    """,
    """
    insert into inbound (id, organisation_id, platform, workspace, key, person_id, task_id, answer)
    select gen_random_uuid(), organisation_id, 'console', 'local', 'old-' || reference, person_id,
        id, '{}' from tasks where state = 'done' and reference > 10_000_000
    """,
    """
    insert into threads (id, organisation_id, task_id, platform, workspace, channel, root)
    select gen_random_uuid(), organisation_id, id, 'console', 'local', 'bench', id::text
    from tasks where state = 'done' and reference > 10_000_000
    """,
    """
    insert into notifications (id, organisation_id, task_id, topic, routed_at)
    select gen_random_uuid(), organisation_id, id, 'task.done', now() from tasks
    where state = 'done' and reference > 10_000_000
    """,
    """
    insert into deliveries (id, organisation_id, notification_id, task_id, thread_id, slot, state,
        sent_at)
    select gen_random_uuid(), n.organisation_id, n.id, n.task_id, h.id, 'flash', 'sent', now()
    from notifications n join threads h on h.task_id = n.task_id
    where n.routed_at is not null and h.root = n.task_id::text
    """,
)


async def finished_tasks(place: Ground, n: int) -> float:
    """Write n finished tasks with what hangs on them; how many seconds it took."""
    began = monotonic()
    database = await asyncpg.connect(place.services.owner_url.replace("+asyncpg", ""))
    try:
        person = await database.fetchval("select id from people limit 1")
        # Foreign keys hold by how the rows are made; to check each takes an hour.
        await database.execute("set session_replication_role = replica")
        await database.execute(_ROWS[0], place.organisation_id, person, n)
        for statement in _ROWS[1:]:
            await database.execute(statement)
        await database.execute("analyze")
    finally:
        await database.close()
    return round(monotonic() - began, 1)
