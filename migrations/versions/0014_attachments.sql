-- Files that people send with a request or in its thread. The intake stores where a file is to be
-- had; a worker fetches it, looks at what it is and keeps it by its hash, or refuses it.
create table attachments (
    id uuid primary key,
    organisation_id uuid not null references organisations,
    task_id uuid not null references tasks,
    revision integer not null,
    person_id uuid not null references people,
    platform text not null,
    workspace text not null,
    external_id text not null,
    name text not null,
    media_type text not null,
    size bigint,
    state text not null default 'pending' check (state in ('pending', 'kept', 'refused')),
    sha256 text,
    reason jsonb,
    created_at timestamptz not null default now(),
    settled_at timestamptz,
    -- The same file told of twice is one; of the same bytes see core/attachments.py.
    unique (task_id, platform, workspace, external_id),
    check ((state = 'kept') = (sha256 is not null)),
    check ((state = 'pending') = (settled_at is null))
);
create index on attachments (organisation_id, sha256) where sha256 is not null;

grant select, insert, update on attachments to miyabi_app;
