-- Events by the month (UTC) in which the database wrote them. A key over all partitions has to hold
-- `at`. That (stream, seq) and (id) are each there once needs no index: seq is given out under the
-- lock of the stream's row (audit_append), ids are UUIDv7 of which each event makes its own, and
-- what somebody put in by hand the verifier finds, as it finds every event that has no leaf.
alter table audit_events rename to audit_events_before;
alter table audit_events_before rename constraint audit_events_pkey to audit_events_before_pkey;
alter table audit_events_before rename constraint audit_events_id_key to audit_events_before_id_key;
alter index audit_events_organisation_id_at_idx rename to audit_events_before_at;
alter index audit_events_rare rename to audit_events_before_rare;
alter index audit_events_acts rename to audit_events_before_acts;

create table audit_events (
    organisation_id uuid not null,
    stream uuid not null,
    seq bigint not null,
    id uuid not null,
    at timestamptz not null,
    tag text not null,
    body jsonb not null,
    sha256 bytea not null check (length(sha256) = 32),
    primary key (stream, seq, at),
    unique (id, at)
) partition by range (at);
create index audit_events_at on audit_events (organisation_id, at);
-- As in 0005: what is rare, and what people did themselves.
create index audit_events_rare on audit_events (organisation_id, tag, at)
    where tag <> all (array['worker:step:finished', 'worker:task:started',
        'notifier:message:sent', 'notifier:message:edited']);
create index audit_events_acts on audit_events (organisation_id, (body ->> 'person'), at)
    where body ->> 'person' is not null;
create trigger append_only before update or delete on audit_events
    for each row execute function audit_refuse();
create trigger append_only_whole before truncate on audit_events
    for each statement execute function audit_refuse();
grant select on audit_events to miyabi_app;

-- An event is never refused for want of its month: then it waits here until the month is made.
create table audit_events_default partition of audit_events default;
create trigger append_only_whole before truncate on audit_events_default
    for each statement execute function audit_refuse();

create function audit_month_name(p_month date) returns text
    language sql immutable strict as $$ select 'audit_events_' || to_char(p_month, 'YYYY_MM') $$;

create function audit_month_start(p_month date) returns timestamptz
    language sql immutable strict as $$
    select date_trunc('month', cast(p_month as timestamp)) at time zone 'UTC'
$$;

-- An empty table that can become a partition. Row triggers come with being one; who empties a
-- table by its own name has to be refused there.
create function audit_month_table(p_name text) returns void
    language plpgsql set search_path = public, pg_temp as $$
begin
    execute format('create table %I (like audit_events including constraints)', p_name);
    execute format('create trigger append_only_whole before truncate on %I'
        ' for each statement execute function audit_refuse()', p_name);
end $$;

-- Make a month's partition, if there is none. By attaching: others go on writing meanwhile. Rows of
-- that month that wait in the default partition move; nothing is deleted for that.
create function audit_make_month(p_month date) returns boolean
    language plpgsql set search_path = public, pg_temp as $$
declare
    name constant text := audit_month_name(p_month);
    since constant timestamptz := audit_month_start(p_month);
    until constant timestamptz := audit_month_start((p_month + interval '1 month')::date);
    early boolean;
begin
    if to_regclass(name) is not null then
        return false;
    end if;
    select exists (select from audit_events_default where at >= since and at < until) into early;
    if early then
        alter table audit_events detach partition audit_events_default;
        alter table audit_events_default rename to audit_events_moved;
        perform audit_month_table('audit_events_default');
        alter table audit_events attach partition audit_events_default default;
    end if;
    perform audit_month_table(name);
    execute format('alter table audit_events attach partition %I for values from (%L) to (%L)',
        name, since, until);
    if early then
        insert into audit_events select * from audit_events_moved;
        drop table audit_events_moved;
    end if;
    return true;
end $$;

-- What the application may have made: this month and some after it. How many were made.
-- Who reads all months (a verifier) is not waited for, so that nobody has to wait behind us.
create function audit_make_months(p_ahead integer) returns integer
    language plpgsql security definer set search_path = public, pg_temp set lock_timeout = '1s' as $$
declare
    this constant date := date_trunc('month', now() at time zone 'UTC')::date;
    made integer := 0;
begin
    if p_ahead not between 0 and 24 then
        raise exception 'months are made up to two years ahead';
    end if;
    if (select bool_and(to_regclass(audit_month_name((this + make_interval(months => n))::date))
            is not null) from generate_series(0, p_ahead) as n) then
        return 0;
    end if;
    perform pg_advisory_xact_lock(5114200007); -- one makes them
    for n in 0 .. p_ahead loop
        if audit_make_month((this + make_interval(months => n))::date) then
            made := made + 1;
        end if;
    end loop;
    return made;
end $$;

-- The months that there are events of, this one, and two ahead.
do $$
declare
    month date;
begin
    for month in
        select distinct date_trunc('month', at at time zone 'UTC')::date from audit_events_before
    loop
        perform audit_make_month(month);
    end loop;
    perform audit_make_months(2);
end $$;
insert into audit_events (organisation_id, stream, seq, id, at, tag, body, sha256)
    select organisation_id, stream, seq, id, at, tag, body, sha256 from audit_events_before;
drop table audit_events_before;

-- How long something waits for its leaf is told without looking for the event in all months.
alter table audit_pending add column at timestamptz not null default clock_timestamp();

revoke execute on function audit_month_table(text), audit_make_month(date),
    audit_make_months(integer) from public;
grant execute on function audit_make_months(integer) to miyabi_app;
