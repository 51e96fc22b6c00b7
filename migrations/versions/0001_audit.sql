-- The audit log. Events of one stream (a task, a person ...) are numbered and chained, so that
-- writers of different streams never wait for each other.

create table audit_events (
    organisation_id uuid not null,
    stream uuid not null,
    seq bigint not null,
    id uuid not null unique,
    at timestamptz not null,
    tag text not null,
    body jsonb not null,
    sha256 bytea not null check (length(sha256) = 32),
    primary key (stream, seq)
);
create index on audit_events (organisation_id, at);

create table audit_streams (
    organisation_id uuid not null,
    stream uuid primary key,
    count bigint not null,
    head bytea not null
);

create table audit_blobs (
    organisation_id uuid not null,
    sha256 text not null,
    media_type text not null,
    content bytea not null,
    created_at timestamptz not null default now(),
    primary key (organisation_id, sha256)
);

-- The only way for the application to write an event. p_events: [{id, at, tag, body, sha256 (hex)}].
create function audit_append(p_organisation uuid, p_stream uuid, p_events jsonb) returns bigint
    language plpgsql security definer set search_path = public, pg_temp as $$
declare
    position bigint;
    chain bytea;
    owner uuid;
    event jsonb;
begin
    insert into audit_streams (organisation_id, stream, count, head)
        values (p_organisation, p_stream, 0, '') on conflict (stream) do nothing;
    select organisation_id, count, head into owner, position, chain
        from audit_streams where stream = p_stream for update;
    if owner <> p_organisation then
        raise exception 'audit stream % belongs to another organisation', p_stream;
    end if;
    for event in select value from jsonb_array_elements(p_events) loop
        position := position + 1;
        chain := sha256(chain || decode(event ->> 'sha256', 'hex'));
        insert into audit_events (organisation_id, stream, seq, id, at, tag, body, sha256)
            values (p_organisation, p_stream, position, (event ->> 'id')::uuid,
                    (event ->> 'at')::timestamptz, event ->> 'tag', event -> 'body',
                    decode(event ->> 'sha256', 'hex'));
    end loop;
    update audit_streams set count = position, head = chain where stream = p_stream;
    return position;
end $$;

create function audit_refuse() returns trigger language plpgsql as $$
begin
    raise exception '% on % is refused: the audit log is append-only', tg_op, tg_table_name
        using errcode = 'insufficient_privilege';
end $$;

create trigger append_only before update or delete on audit_events
    for each row execute function audit_refuse();
create trigger append_only_whole before truncate on audit_events
    for each statement execute function audit_refuse();
create trigger append_only before update or delete on audit_blobs
    for each row execute function audit_refuse();
create trigger append_only_whole before truncate on audit_blobs
    for each statement execute function audit_refuse();
create trigger append_only before delete on audit_streams
    for each row execute function audit_refuse();
create trigger append_only_whole before truncate on audit_streams
    for each statement execute function audit_refuse();
