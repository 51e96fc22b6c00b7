-- How far the nightly run has come (core/completeness.py): a row while one is under way. What it
-- found in the end is an event of the log.
create table completeness_runs (
    organisation_id uuid primary key references organisations,
    since timestamptz not null,
    until timestamptz not null,
    reached timestamptz not null,
    tasks bigint not null,
    facts bigint not null,
    lacking bigint not null,
    kinds text[] not null
);
grant select, insert, update, delete on completeness_runs to miyabi_app;

-- Tasks that came to their end in a stretch of time. Each is entered once, when it does.
create index tasks_finished on tasks (organisation_id, finished_at) where finished_at is not null;
