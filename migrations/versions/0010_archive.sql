-- Months that have left the database. Of each organisation and month a bundle lies in the store
-- (audit/archives.py), which is verified by itself. Its leaves go on from where those of the last
-- one ended, up to the last one that is of an event of the month. What of them is of a later month
-- (`strays`: written at the turn of the month and sequenced before) stays in the database until that
-- month goes as well.
--
-- The application moves a month on by the functions below, which refuse what would lose anything.
create table audit_archives (
    organisation_id uuid not null,
    month date not null,
    first_leaf bigint not null check (first_leaf >= 0),
    end_leaf bigint not null check (end_leaf > first_leaf),
    events bigint not null check (events > 0), -- of the month
    strays uuid[] not null,
    state text not null default 'due'
        check (state in ('due', 'made', 'kept', 'dropped', 'restored', 'expired')),
    name text, -- in the store
    sha256 text,
    bytes bigint,
    error text, -- why it did not go on
    changed_at timestamptz not null default clock_timestamp(),
    primary key (organisation_id, month),
    check (state = 'due' or (sha256 is not null and bytes is not null))
);

-- What is gone of each stream, so that its chain is still followed: numbers `first` to `last`, and
-- the chain's head before the one and after the other.
create table audit_archived_runs (
    organisation_id uuid not null,
    month date not null,
    stream uuid not null,
    first bigint not null,
    last bigint not null check (last >= first),
    before bytea not null,
    after bytea not null,
    primary key (stream, first)
);
create index audit_archived_runs_month on audit_archived_runs (month);

-- What may not be dropped, however old: events and documents of these days (null: of any).
create table audit_holds (
    id uuid primary key,
    organisation_id uuid not null,
    since date,
    until date check (until >= since),
    reason text not null,
    placed_at timestamptz not null default now(),
    released_at timestamptz
);
create index on audit_holds (organisation_id);

-- A document's file that was dropped: the row stays, and says so.
alter table audit_documents add column dropped_at timestamptz;
alter table audit_documents add column dropping boolean not null default false;

create function audit_held(p_organisation uuid, p_since date, p_until date) returns boolean
    language sql stable set search_path = public, pg_temp as $$
    select exists (select from audit_holds where organisation_id = p_organisation
        and released_at is null and coalesce(since, '-infinity') <= p_until
        and coalesce(until, 'infinity') >= p_since)
$$;

create function audit_chain_on(p_head bytea, p_hashes bytea[]) returns bytea
    language plpgsql immutable as $$
declare
    hash bytea;
begin
    foreach hash in array p_hashes loop
        p_head := sha256(p_head || hash);
    end loop;
    return p_head;
end $$;

-- The leaves of an organisation from a tile on, as far as the ids say that they may be of a time.
create function audit_leaves(p_organisation uuid, p_tile bigint, p_since timestamptz, p_until timestamptz)
    returns table (id uuid, leaf bigint)
    language sql stable set search_path = public, pg_temp as $$
    select u.id, t.number * 256 + u.place - 1
    from audit_tiles t, unnest(t.events) with ordinality as u (id, place)
    where t.organisation_id = p_organisation and t.level = 0 and t.number >= p_tile
        and (p_since is null or t.span && box(
            point(1000 * extract(epoch from p_since), '-infinity'),
            point(1000 * extract(epoch from p_until), 'infinity')))
$$;

-- Note which archives a month needs: one for each organisation that has events in it, once all of
-- these have their leaves under a checkpoint. How many organisations have to wait for that.
create function audit_archive_plan(p_month date) returns integer
    language plpgsql security definer set search_path = public, pg_temp as $$
declare
    month constant text := audit_month_name(p_month);
    since constant timestamptz := audit_month_start(p_month);
    until constant timestamptz := audit_month_start((p_month + interval '1 month')::date);
    one record;
    start bigint;
    found bigint;
    past bigint;
    covered bigint;
    waiting integer := 0;
    late date;
begin
    for late in select distinct date_trunc('month', at at time zone 'UTC')::date
            from audit_events_default where at < until loop
        perform audit_make_month(late);
    end loop;
    for one in execute format('select e.organisation_id as id, count(*) as events from %I e
            where not exists (select from audit_archives a
                where a.organisation_id = e.organisation_id and a.month = %L)
            group by e.organisation_id', month, p_month) loop
        select coalesce(max(end_leaf), 0) into start from audit_archives a
            where a.organisation_id = one.id;
        execute format('select count(*), max(l.leaf) + 1 from %I e
            join audit_leaves($1, 0, $2, $3) l on l.id = e.id where e.organisation_id = $1', month)
            into found, past using one.id, since - interval '1 day', until + interval '1 day';
        if found < one.events then -- ids of a wrong clock
            execute format('select count(*), max(l.leaf) + 1 from %I e
                join audit_leaves($1, 0, null, null) l on l.id = e.id
                where e.organisation_id = $1', month) into found, past using one.id;
        end if;
        select checkpoint_size into covered from audit_trees t where t.organisation_id = one.id;
        if found <> one.events or past > coalesce(covered, 0)
            or exists (select from audit_archives a
                where a.organisation_id = one.id and a.month > p_month)
            or exists (select from audit_events e
                where e.organisation_id = one.id and e.at < since
                    and not exists (select from audit_archives a where a.organisation_id = one.id
                        and a.month = date_trunc('month', e.at at time zone 'UTC')::date)) then
            waiting := waiting + 1;
        elsif past > start then -- or all of it is in the archive of an earlier month
            execute format('insert into audit_archives
                (organisation_id, month, first_leaf, end_leaf, events, strays)
                select $1, $2, $3, $4, $5, array(
                    select l.id from audit_leaves($1, $3 / 256, null, null) l
                    where l.leaf >= $3 and l.leaf < $4
                        and not exists (select from %I e where e.id = l.id))', month)
                using one.id, p_month, start, past, one.events;
        end if;
    end loop;
    return waiting;
end $$;

-- Move an archive on: it was made and put into the store; it was read back, and is whole; or what
-- was read back was not, and it has to be made again.
create function audit_archive_move(p_organisation uuid, p_month date, p_state text, p_name text,
    p_sha256 text, p_bytes bigint, p_error text) returns void
    language plpgsql security definer set search_path = public, pg_temp as $$
begin
    update audit_archives set state = p_state,
        name = case when p_state = 'made' then p_name else name end,
        sha256 = case when p_state = 'made' then p_sha256 else sha256 end,
        bytes = case when p_state = 'made' then p_bytes else bytes end,
        error = p_error, changed_at = clock_timestamp()
        where organisation_id = p_organisation and month = p_month and (state, p_state) in
            (('due', 'due'), ('due', 'made'), ('made', 'made'), ('made', 'kept'), ('made', 'due'),
            ('kept', 'kept'), ('dropped', 'dropped'), ('restored', 'restored'), ('restored', 'kept'))
            and (p_state in ('made', 'due') or sha256 = p_sha256);
    if not found then
        raise exception 'the archive of % of % can not become %', p_organisation, p_month, p_state;
    end if;
end $$;

-- Take a month's partition away, once each of its events is in an archive that was read back. What
-- it costs others is the moment of the last step; where somebody reads all months, it fails instead
-- of having everybody wait.
create function audit_archive_drop(p_month date, p_live integer) returns bigint
    language plpgsql security definer set search_path = public, pg_temp set lock_timeout = '1s' as $$
declare
    month constant text := audit_month_name(p_month);
    wrong uuid;
    run record;
    known bigint;
    head bytea;
    total bigint;
begin
    if p_live < 1 or p_month + make_interval(months => p_live)
            > date_trunc('month', now() at time zone 'UTC') then
        raise exception '% is of the live window', month;
    end if;
    execute format('lock table %I in share mode', month);
    execute format('select e.organisation_id from %I e
        left join audit_archives a on a.organisation_id = e.organisation_id and a.month = %L
        group by e.organisation_id, a.state, a.events
        having (a.state is distinct from ''kept'' or a.events <> count(*)) and not (
            a.state is null and bool_and(exists (select from audit_archives earlier
                where earlier.organisation_id = e.organisation_id and e.id = any (earlier.strays)
                    and earlier.state in (''kept'', ''dropped'', ''expired''))))
        limit 1', month, p_month) into wrong;
    if wrong is not null then
        raise exception 'events of % in % are in no archive that was read back', wrong, month;
    end if;
    for run in execute format('select organisation_id, stream, min(seq) as first, max(seq) as last,
            array_agg(sha256 order by seq) as hashes
        from (select organisation_id, stream, seq, sha256,
            seq - row_number() over (partition by stream order by seq) as island from %I) as r
        group by organisation_id, stream, island order by stream, first', month) loop
        select r.last, r.after into known, head from audit_archived_runs r
            where r.stream = run.stream and r.last < run.first order by r.first desc limit 1;
        if not found then
            known := 0;
            head := '';
        end if;
        if known < run.first - 1 then -- what is between is of a later month
            select audit_chain_on(head, array_agg(e.sha256 order by e.seq)) into head
                from audit_events e
                where e.stream = run.stream and e.seq > known and e.seq < run.first
                having count(*) = run.first - 1 - known;
        end if;
        if head is null then
            raise exception 'stream % has gaps', run.stream;
        end if;
        insert into audit_archived_runs (organisation_id, month, stream, first, last, before, after)
            values (run.organisation_id, p_month, run.stream, run.first, run.last, head,
                audit_chain_on(head, run.hashes));
    end loop;
    execute format('select count(*) from %I', month) into total;
    execute format('alter table audit_events detach partition %I', month);
    execute format('drop table %I', month);
    update audit_archives set state = 'dropped', error = null, changed_at = clock_timestamp()
        where audit_archives.month = p_month and state = 'kept';
    return total;
end $$;

-- Bring a month back, beside the log until it is whole. It takes in nothing but what the tree has:
-- each event is compared with its leaf.
create function audit_restore_begin(p_month date) returns void
    language plpgsql security definer set search_path = public, pg_temp as $$
declare
    aside constant text := audit_month_name(p_month) || '_restored';
begin
    if to_regclass(audit_month_name(p_month)) is not null
        or not exists (select from audit_archives where month = p_month and state = 'dropped') then
        raise exception 'nothing of % was dropped', p_month;
    end if;
    execute format('drop table if exists %I', aside); -- of one that did not come to its end
    perform audit_month_table(aside);
end $$;

create function audit_restore_rows(
    p_month date, p_organisation uuid, p_leaf bigint, p_events text[], p_seqs bigint[]
) returns bigint language plpgsql security definer set search_path = public, pg_temp as $$
declare
    same bigint;
    taken bigint;
begin
    select count(*) into same
        from unnest(p_events) with ordinality as given (said, place)
        join audit_tiles t on t.organisation_id = p_organisation and t.level = 0
            and t.number = (p_leaf + place - 1) / 256
        where substr(t.hashes, cast((p_leaf + place - 1) % 256 * 32 + 1 as integer), 32)
            = sha256('\x00'::bytea || convert_to(said, 'UTF8'));
    if same <> cardinality(p_events) then
        raise exception 'these are not the events of the leaves from % on', p_leaf;
    end if;
    execute format('with given as (
            select said, cast(said as jsonb) as body, seq
            from unnest($1, $2) as given (said, seq)
        )
        insert into %I (organisation_id, stream, seq, id, at, tag, body, sha256)
        select $3, (body ->> ''stream'')::uuid, seq, (body ->> ''id'')::uuid,
            (body ->> ''at'')::timestamptz, body ->> ''tag'', body,
            sha256(convert_to(said, ''UTF8''))
        from given
        where (body ->> ''at'')::timestamptz >= $4 and (body ->> ''at'')::timestamptz < $5',
        audit_month_name(p_month) || '_restored')
        using p_events, p_seqs, p_organisation, audit_month_start(p_month),
            audit_month_start((p_month + interval '1 month')::date);
    get diagnostics taken = row_count;
    return taken;
end $$;

create function audit_restore_end(p_month date) returns bigint
    language plpgsql security definer set search_path = public, pg_temp set lock_timeout = '1s' as $$
declare
    month constant text := audit_month_name(p_month);
    aside constant text := month || '_restored';
    broken uuid;
    total bigint;
begin
    execute format('select count(*) from %I', aside) into total;
    if total <> (select coalesce(sum(last - first + 1), 0) from audit_archived_runs r
            where r.month = p_month) then
        raise exception 'not all of % is there: % events', month, total;
    end if;
    execute format('create unique index on %I (stream, seq)', aside);
    execute format('select r.stream from audit_archived_runs r
        where r.month = %L and r.after is distinct from (
            select audit_chain_on(r.before, array_agg(e.sha256 order by e.seq)) from %I e
            where e.stream = r.stream and e.organisation_id = r.organisation_id
                and e.seq between r.first and r.last) limit 1', p_month, aside) into broken;
    if broken is not null then
        raise exception 'the events of stream % are not in the order in which they were', broken;
    end if;
    execute format('alter table %I rename to %I', aside, month);
    execute format('alter table audit_events attach partition %I for values from (%L) to (%L)',
        month, audit_month_start(p_month),
        audit_month_start((p_month + interval '1 month')::date));
    delete from audit_archived_runs r where r.month = p_month;
    update audit_archives a set state = 'restored', changed_at = clock_timestamp()
        where a.month = p_month and state = 'dropped';
    execute format('analyze %I', month); -- or the next question reads it from end to end
    return total;
end $$;

-- Let go of an archive whose years are over; its name in the store, whose bytes go after this.
create function audit_archive_expire(p_organisation uuid, p_month date) returns text
    language plpgsql security definer set search_path = public, pg_temp as $$
declare
    past constant date := (p_month + interval '1 month')::date;
    named text;
begin
    if past + interval '7 years' > current_date then
        raise exception 'the archive of % has to be kept for seven years', p_month;
    end if;
    if audit_held(p_organisation, p_month, past - 1) then
        raise exception 'the archive of % is on hold', p_month;
    end if;
    update audit_archives set state = 'expired', changed_at = clock_timestamp()
        where organisation_id = p_organisation and month = p_month
            and state in ('dropped', 'expired') returning name into named;
    if not found then
        raise exception 'the events of % are in the database', p_month;
    end if;
    return named;
end $$;

-- Its bytes are gone.
create function audit_archive_gone(p_organisation uuid, p_month date) returns void
    language sql security definer set search_path = public, pg_temp as $$
    update audit_archives set name = null
        where organisation_id = p_organisation and month = p_month and state = 'expired'
$$;

-- Let go of a document whose years are over: its hash, whose bytes go after this; null where
-- another document that has to be kept is the same file.
create function audit_document_drop(p_organisation uuid, p_id uuid) returns text
    language plpgsql security definer set search_path = public, pg_temp as $$
declare
    document audit_documents;
begin
    select * into document from audit_documents
        where organisation_id = p_organisation and id = p_id for update;
    if not found or greatest(document.retain_until, (document.dated + interval '7 years')::date)
            > current_date then
        raise exception 'the document % has to be kept', p_id;
    end if;
    if audit_held(p_organisation, document.dated, document.dated) then
        raise exception 'the document % is on hold', p_id;
    end if;
    update audit_documents set dropped_at = coalesce(dropped_at, now()), dropping = true
        where organisation_id = p_organisation and id = p_id;
    if document.sha256 is null or exists (select from audit_documents other
            where other.organisation_id = p_organisation and other.sha256 = document.sha256
                and other.dropped_at is null) then
        return null;
    end if;
    -- One of before there was a store (0008 says who may).
    perform set_config('miyabi.forgotten', document.sha256, true);
    delete from audit_blobs where organisation_id = p_organisation and sha256 = document.sha256;
    perform set_config('miyabi.forgotten', '', true);
    return document.sha256;
end $$;

create function audit_document_gone(p_organisation uuid, p_id uuid) returns void
    language sql security definer set search_path = public, pg_temp as $$
    update audit_documents set dropping = false
        where organisation_id = p_organisation and id = p_id and dropped_at is not null
$$;

create trigger append_only before delete on audit_archives
    for each row execute function audit_refuse();
create trigger append_only_whole before truncate on audit_archives
    for each statement execute function audit_refuse();
create trigger append_only_whole before truncate on audit_archived_runs
    for each statement execute function audit_refuse();
create trigger append_only before update on audit_archived_runs
    for each row execute function audit_refuse();
create trigger append_only_rows before delete on audit_holds
    for each row execute function audit_refuse();
create trigger append_only_whole before truncate on audit_holds
    for each statement execute function audit_refuse();
-- A hold is released once, and nothing else of it changes.
create trigger append_only before update on audit_holds for each row
    when (old.released_at is not null or new.released_at is null or new.id <> old.id
        or new.organisation_id <> old.organisation_id or new.since is distinct from old.since
        or new.until is distinct from old.until or new.reason <> old.reason
        or new.placed_at <> old.placed_at)
    execute function audit_refuse();

grant select on audit_archives, audit_archived_runs, audit_holds to miyabi_app;
grant insert (id, organisation_id, since, until, reason), update (released_at) on audit_holds
    to miyabi_app;

insert into schedule (name, due_at, next_at, kind)
    select 'audit.archive', due, due, 'audit.archive'
    from (select date_trunc('day', now() at time zone 'Asia/Tokyo') at time zone 'Asia/Tokyo'
        + interval '27 hours' as due) as night;

revoke execute on function audit_archive_plan(date),
    audit_archive_move(uuid, date, text, text, text, bigint, text),
    audit_archive_drop(date, integer), audit_restore_begin(date),
    audit_restore_rows(date, uuid, bigint, text[], bigint[]), audit_restore_end(date),
    audit_archive_expire(uuid, date), audit_archive_gone(uuid, date),
    audit_document_drop(uuid, uuid), audit_document_gone(uuid, uuid),
    audit_leaves(uuid, bigint, timestamptz, timestamptz) from public;
grant execute on function audit_archive_plan(date),
    audit_archive_move(uuid, date, text, text, text, bigint, text),
    audit_archive_drop(date, integer), audit_restore_begin(date),
    audit_restore_rows(date, uuid, bigint, text[], bigint[]), audit_restore_end(date),
    audit_archive_expire(uuid, date), audit_archive_gone(uuid, date),
    audit_document_drop(uuid, uuid), audit_document_gone(uuid, uuid) to miyabi_app;
