-- The keys of persons (audit/subjects.py): `wrapped` by a master key that is not in the database.
-- No part of the log: it may be emptied and lost, and all that the log proves stays proven. `alias`
-- is a keyed hash of an account that is nobody's; it goes with the key. An erased subject stays as a
-- row without a key, so that none is made for it again.
create table audit_subjects (
    organisation_id uuid not null,
    subject uuid not null,
    alias bytea check (length(alias) = 32),
    wrapped bytea,
    made_at timestamptz not null default now(),
    erased_at timestamptz,
    primary key (organisation_id, subject),
    unique (organisation_id, alias),
    check ((wrapped is null) = (erased_at is not null) and (wrapped is not null or alias is null))
);
create function audit_refuse_return() returns trigger language plpgsql as $$
begin
    raise exception 'the key of % was destroyed and does not come back', old.subject
        using errcode = 'insufficient_privilege';
end $$;
create trigger stays_erased before update on audit_subjects for each row
    when (old.erased_at is not null) execute function audit_refuse_return();
grant select, insert, update (wrapped, alias, erased_at) on audit_subjects to miyabi_app;

-- A person is being erased from `erasing_at` on, and is erased at `erased_at`.
alter table people add column erasing_at timestamptz, add column erased_at timestamptz;

-- What was taken out of a task when somebody was erased: names in its texts, or all that was asked
-- and worked out. The log's hashes are of what stood there before.
alter table tasks add column redacted text check (redacted in ('names', 'whole'));

-- Of a decision only why it was made can be taken out.
grant update (reason) on decisions to miyabi_app;
