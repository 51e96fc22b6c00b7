"""Much that is over and done with, and much that waits: what a company has after some years."""

from tests.core.house import Office

_TABLES = """
    insert into tasks (id, organisation_id, reference, agent, agent_version, person_id, language,
            text, state, created_at, updated_at, finished_at)
        select {key}, '{organisation}', 1000000 + n, 'letter', 1,
            case n % 2 when 0 then '{asker}'::uuid else '{boss}'::uuid end, 'ja', 'letter ' || n,
            'done', at, at, at from {numbers};
    insert into revisions (organisation_id, task_id, revision, ask, person_id)
        select '{organisation}', {key}, 1, '{{"text": "x"}}', '{asker}' from {numbers};
    insert into inbound (id, organisation_id, platform, workspace, key, task_id, answer)
        select {key}, '{organisation}', 'wall', 'w1', 'old-' || n, {key}, '{{}}' from {numbers};
    insert into steps (organisation_id, task_id, revision, name, inputs_sha256, result, started_at,
            finished_at)
        select '{organisation}', {key}, 1, name, '', '{{}}', at, at
        from {numbers} cross join (values ('write'), ('draw')) names (name);
    insert into approvals (id, organisation_id, task_id, revision, step, route, shown_sha256, state,
            expires_at, closed_at)
        select {key}, '{organisation}', {key}, 1, 'approve', 'letter', '', 'approved', at, at
        from {numbers};
    insert into threads (id, organisation_id, task_id, platform, workspace, channel, root)
        select {key}, '{organisation}', {key}, 'wall', 'w1', 'room', 'root-' || n from {numbers};
    insert into messages (id, organisation_id, task_id, thread_id, slot, channel, external_id, body,
            body_sha256)
        select {key}, '{organisation}', {key}, {key}, 'flash', 'room', n, '{{}}', ''
        from {numbers};
    insert into notifications (id, organisation_id, task_id, topic, created_at, routed_at)
        select {key}, '{organisation}', {key}, 'task.done', at, at from {numbers};
    insert into deliveries (id, organisation_id, notification_id, task_id, thread_id, slot, state,
            next_at, sent_at)
        select {key}, '{organisation}', {key}, {key}, {key}, 'flash', 'sent', at, at
        from {numbers};
    insert into documents (id, organisation_id, task_id, revision, kind, number, base_number,
            issued_on)
        select {key}, '{organisation}', {key}, 1, 'L', 'old-' || n, 'old-' || n, at
        from {numbers};
    insert into effects (id, organisation_id, task_id, revision, step, kind, state)
        select {key}, '{organisation}', {key}, 1, 'mail', 'mail', 'done' from {numbers};
    insert into schedule (name, due_at, next_at, kind, done_at)
        select 'old-' || n, at, at, 'approval.remind', at from {numbers};
    insert into audit_streams (organisation_id, stream, count, head)
        select '{organisation}', {key}, 1, '' from {numbers};
    insert into audit_events (organisation_id, stream, seq, id, at, tag, body, sha256)
        select '{organisation}', {key}, 1, {key}, at, 'x', '{{}}', sha256('') from {numbers};
"""

_QUEUE = """
    insert into organisations (id, slug, name) values ({busy}, 'busy', 'Busy');
    insert into people (id, organisation_id, handle, name)
        select {key}, {busy}, 'p' || n, 'P' from {numbers} where n <= 50;
    insert into tasks (id, organisation_id, reference, agent, agent_version, person_id, language,
            state, turn, rank, updated_at)
        select {key}, {busy}, n, 'letter', 1, {person}, 'ja', 'received', n / 50, n, at
        from {numbers};
    insert into outbox (id, organisation_id, kind, subject_id, attempts, next_at)
        select {key}, {busy}, 'advance', {key}, 3, now() + interval '1 hour' from {numbers};
"""


async def load_archive(office: Office, count: int) -> None:
    """So many finished tasks of the office, with what belongs to each."""
    await _load(office, _TABLES, 1, count)


async def load_queue(office: Office, count: int) -> None:
    """So many tasks of another company that wait in a long queue, their nudges handed already."""
    await _load(office, _QUEUE, 2, count)


async def _load(office: Office, tables: str, kind: int, count: int) -> None:
    script = tables.format(
        key=_key(kind, "n"),
        busy=_key(kind, "0"),
        person=_key(kind, "1 + n % 50"),
        organisation=office.organisation.id,
        asker=office.asker.id,
        boss=office.boss.id,
        numbers=f"(select n, now() - make_interval(mins => {count} + 1 - n) as at"
        f" from generate_series(1, {count}) n) numbers",
    )
    # Without foreign keys and triggers, which would take most of the time.
    quickly = "set local session_replication_role = replica"
    await office.execute_as_owner(f"do $load$ begin {quickly}; {script} end $load$")
    await office.execute_as_owner("analyze")


def _key(kind: int, number: str) -> str:
    """Ascending, as UUIDv7 are: random ones would take far longer to be put into the indexes."""
    return f"cast(lpad(to_hex({kind} * 16777216 + {number}), 32, '0') as uuid)"
