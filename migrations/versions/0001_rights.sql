-- What the running application may do. It connects as a login of its own, or as the owner, and
-- takes this role in either case; only migrations run as the owner.
do $$
begin
    if not exists (select from pg_roles where rolname = 'miyabi_app') then
        create role miyabi_app nologin;
    end if;
exception when duplicate_object or unique_violation then
    null; -- another migration on this server made it at the same moment
end $$;
do $$
begin
    if not pg_has_role(current_user, 'miyabi_app', 'member') then
        execute format('grant miyabi_app to %I', current_user);
    end if;
end $$;

grant usage on schema public to miyabi_app;
grant select, insert, update, delete on
    organisations, people, accounts, installations, oauth_states, tasks, revisions, steps, inbound,
    approvals, threads, messages, notifications, deliveries, outbox, documents, counters
    to miyabi_app;
grant select, insert on decisions to miyabi_app;
grant select on audit_events, audit_streams to miyabi_app;
grant select, insert on audit_blobs to miyabi_app;
grant select on alembic_version to miyabi_app;

revoke execute on function audit_append(uuid, uuid, jsonb), next_reference(uuid) from public;
grant execute on function audit_append(uuid, uuid, jsonb), next_reference(uuid) to miyabi_app;
