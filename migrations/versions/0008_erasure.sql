-- The keys of persons (audit/subjects.py): `wrapped` by a master key that is not in the database.
-- No part of the log: it may be emptied and lost, and all that the log proves stays proven. `alias`
-- is a keyed hash of an account that is nobody's, and `account` what it is of, under the subject's own key
-- (for the day when the master key is changed); both go with the key. An erased subject stays as a
-- row without a key, so that none is made for it again.
create table audit_subjects (
    organisation_id uuid not null,
    subject uuid not null,
    alias bytea check (length(alias) = 32),
    wrapped bytea,
    account bytea,
    made_at timestamptz not null default now(),
    erased_at timestamptz,
    primary key (organisation_id, subject),
    unique (organisation_id, alias),
    check ((wrapped is null) = (erased_at is not null) and (alias is null) = (account is null)
        and (wrapped is not null or alias is null))
);
create function audit_refuse_return() returns trigger language plpgsql as $$
begin
    raise exception 'the key of % was destroyed and does not come back', old.subject
        using errcode = 'insufficient_privilege';
end $$;
create trigger stays_erased before update on audit_subjects for each row
    when (old.erased_at is not null) execute function audit_refuse_return();
grant select, insert, update (wrapped, alias, account, erased_at) on audit_subjects to miyabi_app;

-- A person is being erased from `erasing_at` on, and is erased at `erased_at`.
alter table people add column erasing_at timestamptz, add column erased_at timestamptz;

-- What was taken out of a task when somebody was erased: names in its texts, or all that was asked
-- and worked out. The log's hashes are of what stood there before.
alter table tasks add column redacted text check (redacted in ('names', 'whole'));

-- Of a decision only why it was made can be taken out.
grant update (reason) on decisions to miyabi_app;

-- Take files out of the store of documents that no document is, and no other task has made: drafts
-- of somebody who is erased. Which of these went.
create function audit_forget(p_organisation uuid, p_files text[]) returns text[]
    language plpgsql security definer set search_path = public, pg_temp as $$
declare
    file text;
    gone text[] := '{}';
begin
    foreach file in array p_files loop
        if not exists (select from audit_documents
                where organisation_id = p_organisation and sha256 = file) then
            perform set_config('miyabi.forgotten', file, true);
            delete from audit_blobs where organisation_id = p_organisation and sha256 = file;
            gone := gone || file;
        end if;
    end loop;
    perform set_config('miyabi.forgotten', '', true);
    return gone;
end $$;
drop trigger append_only on audit_blobs;
create trigger append_only before update on audit_blobs
    for each row execute function audit_refuse();
create trigger append_only_rows before delete on audit_blobs for each row
    when (current_setting('miyabi.forgotten', true) is distinct from old.sha256)
    execute function audit_refuse();
revoke execute on function audit_forget(uuid, text[]) from public;
grant execute on function audit_forget(uuid, text[]) to miyabi_app;
