-- What tasks need to survive anything: their place in line, limits of time, effects, a schedule,
-- the workers' own signs of life, and tokens for programs that ask.

alter table tasks
    add column lane text not null default 'interactive' check (lane in ('interactive', 'bulk')),
    -- How many tasks of the same person were under way when it was asked for, and its place in its
    -- organisation's fair order: tasks of a lower rank go first, whoever came first among equals.
    add column turn integer not null default 0,
    add column rank integer not null default 0,
    -- The step under way or last tried; tries and the time since the first of them are about it.
    add column step text,
    add column tries integer,           -- of how many `attempts` is one
    add column trying_since timestamptz,
    -- How many workers in a row have died with it in their hands.
    add column crashes integer not null default 0,
    -- By when the work that it can do without a person has to be over.
    add column due_by timestamptz;

-- What is not at its end yet, for the figures of the installation.
create index tasks_open on tasks (state) where finished_at is null;
create index on approvals (task_id);

create index tasks_in_line on tasks (organisation_id, lane, person_id, turn)
    where state in ('received', 'running', 'retrying', 'cancelling');

-- What stands in line (core/line.py), none of it counted beyond a limit. Of a young table the
-- planner knows so little that it may choose to read all that is long done; a scan of only an index
-- is possible of none but `tasks_in_line`.
create function person_under_way(p_organisation uuid, p_lane text, p_person uuid, p_limit integer)
    returns integer language plpgsql stable
    set enable_seqscan = off set enable_indexscan = off set enable_bitmapscan = off as $$
begin
    return (select count(*) from (
        select from tasks t where t.organisation_id = p_organisation and t.lane = p_lane
            and t.person_id = p_person
            and t.state in ('received', 'running', 'retrying', 'cancelling')
        limit p_limit) mine);
end $$;

create function turns_under_way(p_organisation uuid, p_lane text, p_limit integer)
    returns integer[] language plpgsql stable
    set enable_seqscan = off set enable_indexscan = off set enable_bitmapscan = off as $$
begin
    return array(
        select t.turn from tasks t where t.organisation_id = p_organisation and t.lane = p_lane
            and t.state in ('received', 'running', 'retrying', 'cancelling')
        limit p_limit);
end $$;

create function all_under_way(p_limit integer) returns integer language plpgsql stable
    set enable_seqscan = off set enable_indexscan = off set enable_bitmapscan = off as $$
begin
    return (select count(*) from (
        select from tasks where state in ('received', 'running', 'retrying', 'cancelling')
        limit p_limit) under_way);
end $$;

-- The first event of a new stream, by its canonical JSON; `audit_append` takes any.
create function audit_begin(p_organisation uuid, p_stream uuid, p_body text) returns bigint
    language plpgsql security definer set search_path = public, pg_temp as $$
declare
    body constant jsonb := p_body;
    hash constant bytea := sha256(convert_to(p_body, 'UTF8'));
begin
    insert into audit_streams (organisation_id, stream, count, head)
        values (p_organisation, p_stream, 1, sha256(hash));
    insert into audit_events (organisation_id, stream, seq, id, at, tag, body, sha256)
        values (p_organisation, p_stream, 1, (body ->> 'id')::uuid, (body ->> 'at')::timestamptz,
                body ->> 'tag', body, hash);
    return 1;
end $$;
revoke execute on function audit_begin(uuid, uuid, text) from public;
grant execute on function audit_begin(uuid, uuid, text) to miyabi_app;

alter table outbox
    add column lane text not null default 'interactive' check (lane in ('interactive', 'bulk')),
    add column rank integer not null default 0;

-- An act on the outside: its intent is committed before, its outcome after. `id` is the
-- idempotency key that travels to the provider. `failed`: it surely did not happen. `unknown`: it
-- may or may not have. `again`: a person who was asked said to do it (once more).
create table effects (
    id uuid primary key,
    organisation_id uuid not null references organisations,
    task_id uuid not null references tasks,
    revision integer not null,
    step text not null,
    kind text not null,
    target text not null default '',
    state text not null default 'intended'
        check (state in ('intended', 'done', 'failed', 'unknown', 'again')),
    attempts integer not null default 0,
    result jsonb,
    error text,
    intended_at timestamptz not null default now(),
    settled_at timestamptz,
    settled_by uuid references people,
    unique (task_id, revision, step)
);

alter table deliveries drop constraint deliveries_state_check;
alter table deliveries add constraint deliveries_state_check
    check (state in ('pending', 'sending', 'sent', 'unchanged', 'superseded', 'failed', 'unknown'));
-- Who said what became of one that was `unknown`.
alter table deliveries add column settled_by uuid references people;
create index deliveries_unknown on deliveries (thread_id, slot) where state = 'unknown';

-- Work for a moment: whoever claims a due row does it, once. Occurrences of one name have a row each.
create table schedule (
    name text not null,
    due_at timestamptz not null,
    organisation_id uuid references organisations, -- null: the house's own housekeeping
    kind text not null,
    subject_id uuid,
    attempts integer not null default 0,
    next_at timestamptz not null,
    error text,
    done_at timestamptz,
    primary key (name, due_at)
);
create index schedule_due on schedule (next_at) where done_at is null;
-- From here on each run asks for the next. The first also finds approvals that wait already.
insert into schedule (name, due_at, next_at, kind)
    values ('housekeeping', now(), now(), 'housekeeping');

-- Of the house, not of an organisation: a row a worker process, by its own word.
create table workers (
    name text primary key,
    host text not null,
    pid integer not null,
    version text not null,
    lanes text[] not null,
    jobs integer not null default 0,
    started_at timestamptz not null default now(),
    seen_at timestamptz not null default now(),
    polled_at timestamptz,
    stopping_at timestamptz,
    ended_at timestamptz
);

-- A program asks in a person's name. Only the token's hash is kept.
create table api_tokens (
    id uuid primary key,
    organisation_id uuid not null references organisations,
    person_id uuid not null references people,
    label text not null default '',
    token_sha256 bytea not null unique,
    created_at timestamptz not null default now(),
    used_at timestamptz,
    revoked_at timestamptz
);
create index on api_tokens (person_id);

-- What a program's key was first used for: the same key with anything else is its mistake.
create table idempotency_keys (
    organisation_id uuid not null references organisations,
    person_id uuid not null references people,
    key text not null,
    fingerprint text not null, -- SHA-256 of the request
    created_at timestamptz not null default now(),
    primary key (person_id, key)
);
create index on idempotency_keys (created_at); -- the oldest are forgotten

-- Whether a person hears what is said there; behind a program's account nobody does.
alter table accounts add column listens boolean not null default true;

grant select, insert, update, delete on effects, schedule, workers, api_tokens, idempotency_keys
    to miyabi_app;
