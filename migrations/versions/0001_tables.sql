-- Every row belongs to an organisation. Keys are UUIDv7, times are in UTC.

create table organisations (
    id uuid primary key,
    slug text not null unique,
    name text not null,
    profile jsonb not null default '{}',
    created_at timestamptz not null default now()
);

create table people (
    id uuid primary key,
    organisation_id uuid not null references organisations,
    handle text not null,
    name text not null,
    roles text[] not null default '{}'
        check (roles <@ array['requester', 'approver', 'accountant', 'auditor', 'admin']),
    language text not null default 'ja' check (language in ('ja', 'en', 'zh')),
    time_zone text not null default 'Asia/Tokyo',
    email text,
    active boolean not null default true,
    created_at timestamptz not null default now(),
    unique (organisation_id, handle)
);

-- A person's identity on a platform: workspace is a Slack team, a LINE channel, a Discord server ...
create table accounts (
    id uuid primary key,
    organisation_id uuid not null references organisations,
    person_id uuid not null references people,
    platform text not null,
    workspace text not null,
    external_id text not null,
    created_at timestamptz not null default now(),
    unique (platform, workspace, external_id)
);
create index on accounts (person_id);

-- A platform's workspace that this organisation is connected to; secrets are encrypted.
create table installations (
    id uuid primary key,
    organisation_id uuid not null references organisations,
    platform text not null,
    workspace text not null,
    name text not null default '',
    secrets bytea,
    installed_at timestamptz not null default now(),
    removed_at timestamptz,
    unique (platform, workspace)
);

-- One-time states of an OAuth installation that is under way; no organisation exists yet.
create table oauth_states (
    state_sha256 bytea primary key,
    expires_at timestamptz not null
);

create table tasks (
    id uuid primary key,
    organisation_id uuid not null references organisations,
    reference bigint not null,
    agent text not null,
    agent_version integer not null,
    person_id uuid not null references people,
    language text not null,
    text text not null default '',
    revision integer not null default 1,
    revises_id uuid references tasks,
    state text not null check (state in ('received', 'running', 'waiting', 'retrying', 'cancelling',
                                         'done', 'rejected', 'cancelled', 'failed')),
    waiting_for text check (waiting_for in ('approval', 'answer', 'outside')),
    question jsonb,
    failure jsonb,
    attempts integer not null default 0,
    retry_at timestamptz,
    lease_owner text,
    lease_until timestamptz,
    fence bigint not null default 0,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    finished_at timestamptz,
    unique (organisation_id, reference),
    check ((state = 'waiting') = (waiting_for is not null)),
    check ((waiting_for is not distinct from 'answer') = (question is not null))
);
create index tasks_underway on tasks (updated_at)
    where state in ('received', 'running', 'retrying', 'cancelling');
create index on tasks (organisation_id, person_id, created_at desc);

create table revisions (
    organisation_id uuid not null references organisations,
    task_id uuid not null references tasks,
    revision integer not null,
    ask jsonb not null,
    person_id uuid not null references people,
    created_at timestamptz not null default now(),
    primary key (task_id, revision)
);

create table steps (
    organisation_id uuid not null references organisations,
    task_id uuid not null references tasks,
    revision integer not null,
    name text not null,
    inputs_sha256 text not null,
    result jsonb not null,
    started_at timestamptz not null,
    finished_at timestamptz not null,
    primary key (task_id, revision, name)
);

create table inbound (
    id uuid primary key,
    organisation_id uuid not null references organisations,
    platform text not null,
    workspace text not null,
    key text not null,
    person_id uuid references people,
    task_id uuid references tasks,
    answer jsonb not null,
    received_at timestamptz not null default now(),
    unique (platform, workspace, key)
);

create table approvals (
    id uuid primary key,
    organisation_id uuid not null references organisations,
    task_id uuid not null references tasks,
    revision integer not null,
    step text not null,
    route text not null,
    shown_sha256 text not null,
    state text not null default 'pending'
        check (state in ('pending', 'approved', 'rejected', 'returned', 'superseded', 'withdrawn',
                         'expired')),
    expires_at timestamptz not null,
    created_at timestamptz not null default now(),
    closed_at timestamptz
);
create unique index approvals_one_pending on approvals (task_id) where state = 'pending';
create index approvals_waiting on approvals (organisation_id, expires_at) where state = 'pending';

create table decisions (
    id uuid primary key,
    organisation_id uuid not null references organisations,
    approval_id uuid not null references approvals,
    person_id uuid not null references people,
    action text not null check (action in ('approve', 'reject', 'return')),
    reason text not null default '',
    decided_at timestamptz not null default now(),
    unique (approval_id)
);

-- A conversation of a task. `root` is the platform's id of the thread once there is one;
-- `person_id` marks a direct conversation with one person (a copy of the card for an approver).
create table threads (
    id uuid primary key,
    organisation_id uuid not null references organisations,
    task_id uuid not null references tasks,
    platform text not null,
    workspace text not null,
    channel text not null,
    root text,
    person_id uuid references people,
    account text,
    lease_owner text,
    lease_until timestamptz,
    created_at timestamptz not null default now()
);
create index on threads (task_id);
create index on threads (platform, workspace, channel, root);

-- Posted copies: one row a slot ('flash', 'card:<approval>', ...) of a thread.
create table messages (
    id uuid primary key,
    organisation_id uuid not null references organisations,
    task_id uuid not null references tasks,
    thread_id uuid not null references threads,
    slot text not null,
    channel text not null,
    external_id text not null,
    extra jsonb not null default '{}',
    body jsonb not null,
    body_sha256 text not null,
    posted_at timestamptz not null default now(),
    edited_at timestamptz not null default now(),
    unique (thread_id, slot)
);
create index on messages (task_id);

create table notifications (
    id uuid primary key,
    organisation_id uuid not null references organisations,
    task_id uuid not null references tasks,
    topic text not null,
    facts jsonb not null default '{}',
    created_at timestamptz not null default now(),
    routed_at timestamptz
);
create index notifications_unrouted on notifications (task_id, created_at) where routed_at is null;

create table deliveries (
    id uuid primary key,
    organisation_id uuid not null references organisations,
    notification_id uuid not null references notifications,
    task_id uuid not null references tasks,
    thread_id uuid not null references threads,
    slot text not null,
    state text not null default 'pending'
        check (state in ('pending', 'sending', 'sent', 'unchanged', 'superseded', 'failed')),
    attempts integer not null default 0,
    next_at timestamptz not null default now(),
    error text,
    body jsonb,
    created_at timestamptz not null default now(),
    sent_at timestamptz,
    unique (notification_id, thread_id, slot)
);
create index deliveries_open on deliveries (thread_id, created_at)
    where state in ('pending', 'sending');
create index deliveries_due on deliveries (next_at) where state in ('pending', 'sending');
create index on deliveries (task_id);

create table outbox (
    id uuid primary key,
    organisation_id uuid not null references organisations,
    kind text not null check (kind in ('advance', 'announce')),
    subject_id uuid not null,
    attempts integer not null default 0,
    next_at timestamptz not null,
    created_at timestamptz not null default now()
);
create index on outbox (next_at);
create index on outbox (subject_id);

create table documents (
    id uuid primary key,
    organisation_id uuid not null references organisations,
    task_id uuid not null references tasks,
    revision integer not null,
    kind text not null,
    number text not null,
    base_number text not null,
    edition integer not null default 1,
    issued_on date not null,
    file jsonb,
    issued_at timestamptz not null default now(),
    voided_at timestamptz,
    voided_by uuid references people,
    void_reason text,
    unique (organisation_id, number),
    unique (organisation_id, base_number, edition)
);
create index on documents (task_id);

create table counters (
    organisation_id uuid not null references organisations,
    name text not null,
    year integer not null,
    value bigint not null,
    primary key (organisation_id, name, year)
);

-- A task's reference comes from a sequence of its organisation: no lock, gaps are allowed.
create function organisations_reference_sequence() returns trigger
    language plpgsql security definer set search_path = public, pg_temp as $$
begin
    execute format('create sequence %I start 1001', 'task_reference_' || replace(new.id::text, '-', ''));
    return new;
end $$;
create trigger reference_sequence after insert on organisations
    for each row execute function organisations_reference_sequence();

create function next_reference(organisation uuid) returns bigint
    language sql security definer set search_path = public, pg_temp as $$
    select nextval(format('%I', 'task_reference_' || replace(organisation::text, '-', ''))::regclass)
$$;
