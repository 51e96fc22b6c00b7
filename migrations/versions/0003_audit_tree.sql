-- The tree over the audit log: one per organisation, as RFC 9162 hashes it and C2SP tlog-tiles cuts
-- it into tiles. Writers leave a row that waits; the sequencer (audit/sequencer.py) turns what is
-- committed into leaves. The application's role reads it all and changes none of it by itself: what
-- it may do are the functions below, and they only ever add.

-- What has no leaf yet. Written with the event, so that it is there exactly if the event is. Without
-- an index, so that it costs its writer next to nothing: whoever reads it takes what comes first.
-- `leaf` is hashed where the event is written: the tree holds what was said, whatever became of the
-- event's row before it got its leaf.
create table audit_pending (
    organisation_id uuid not null,
    event_id uuid not null,
    leaf bytea not null check (length(leaf) = 32)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000,
    autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 100000);

-- Hashes of 256 nodes each; those of level n + 1 are the roots of the full tiles of level n. Of
-- level 0 also the events, in the order of their leaves, and from when to when their ids are.
create table audit_tiles (
    organisation_id uuid not null,
    level smallint not null check (level between 0 and 7),
    number bigint not null check (number >= 0),
    hashes bytea not null check (length(hashes) between 32 and 8192 and length(hashes) % 32 = 0),
    events uuid[] check (case when level = 0 then cardinality(events) * 32 = length(hashes)
        else events is null end),
    span box check ((level = 0) = (span is not null)),
    primary key (organisation_id, level, number)
);
-- Hashes and ids are as good as random: to compress them is to try in vain.
alter table audit_tiles alter column hashes set storage external;
alter table audit_tiles alter column events set storage external;

-- Each tree's head. `edge`: the roots of its complete subtrees, the largest first; with them it
-- grows without anything else being read. `checkpoint_*`: the newest checkpoint.
create table audit_trees (
    organisation_id uuid primary key,
    size bigint not null check (size > 0),
    root bytea not null check (length(root) = 32),
    edge bytea not null,
    sequenced_at timestamptz not null,
    checkpoint_size bigint not null default 0,
    checkpoint_at timestamptz,
    check (checkpoint_size <= size)
) with (fillfactor = 50);

-- Signed heads, as C2SP tlog-checkpoint has them.
create table audit_checkpoints (
    organisation_id uuid not null,
    size bigint not null check (size > 0),
    root bytea not null check (length(root) = 32),
    note text not null,
    at timestamptz not null,
    primary key (organisation_id, size)
);

-- Public keys that sign or have signed. A list for people: nobody trusts a key for standing here.
create table audit_keys (
    vkey text primary key,
    name text not null,
    valid_from timestamptz not null default now(),
    retired_at timestamptz
);

-- Where an event's leaf is looked for: ids begin with their time, so a tile is a stretch of time of
-- one organisation, and only the few tiles of that moment can hold it. A row per event would find it
-- as well, at some 90 bytes each. Any other id is found too, more slowly.
create function audit_spot(p_organisation uuid, p_id uuid) returns point
    language sql immutable parallel safe as $$
    select point(
        cast(cast('x' || left(replace(cast(p_id as text), '-', ''), 12) as bit(48)) as bigint),
        cast(cast('x' || right(cast(p_organisation as text), 8) as bit(32)) as bigint))
$$;
create index audit_tiles_span on audit_tiles using gist (span) where level = 0;

-- An event's canonical JSON with its number in its stream. It is part of what is hashed, so that no
-- event can stand at another's number without being seen by itself.
create function audit_numbered(p_event text, p_seq bigint) returns text
    language sql immutable as $$
    select replace(p_event, '"seq":"#"', '"seq":' || p_seq)
$$;

-- The head of a stream's chain after some more events, of which p_count come before.
create function audit_chain(p_head bytea, p_count bigint, p_events text[]) returns bytea
    language plpgsql immutable as $$
declare
    said text;
begin
    foreach said in array p_events loop
        p_count := p_count + 1;
        p_head := sha256(p_head || sha256(convert_to(audit_numbered(said, p_count), 'UTF8')));
    end loop;
    return p_head;
end $$;

-- An event's canonical JSON with its time. What comes before it is a text, in which no quotation
-- mark stands as it is: the first one found is the envelope's. An event that brings a time is refused.
create function audit_dated(p_event text, p_at timestamptz) returns text
    language plpgsql immutable as $$
declare
    place constant integer := position('"at":"@"' in p_event);
begin
    if place = 0 then
        raise exception 'an audit event brings no time of its own';
    end if;
    return overlay(p_event placing
        to_char(p_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"')
        from place + 6 for 1);
end $$;

-- Events are handed over by their canonical JSON, of which everything else is derived here. As few
-- statements as there can be: with the rows that wait it costs what it did before without them.
-- An event that brings a number of its own is refused: the column may not be null.
create or replace function audit_append(p_organisation uuid, p_stream uuid, p_events jsonb)
    returns bigint language plpgsql security definer set search_path = public, pg_temp as $$
declare
    said constant text[] := array(
        select audit_dated(each, clock_timestamp()) from jsonb_array_elements_text(p_events) as each);
    position bigint;
    owner uuid;
begin
    update audit_streams set count = count + cardinality(said), head = audit_chain(head, count, said)
        where stream = p_stream returning organisation_id, count into owner, position;
    if not found then -- or another begins it at this moment
        insert into audit_streams as s (organisation_id, stream, count, head)
            values (p_organisation, p_stream, cardinality(said), audit_chain('', 0, said))
            on conflict (stream) do update set count = s.count + cardinality(said),
                head = audit_chain(s.head, s.count, said)
            returning organisation_id, count into owner, position;
    end if;
    if owner <> p_organisation then
        raise exception 'audit stream % belongs to another organisation', p_stream;
    end if;
    with event as materialized (
        select seq, each::jsonb as body, convert_to(each, 'UTF8') as bytes
        from unnest(said) with ordinality as one(dated, place)
            cross join lateral (select position - cardinality(said) + place as seq) as number
            cross join lateral audit_numbered(dated, seq) as each
    ), kept as (
        insert into audit_events (organisation_id, stream, seq, id, at, tag, body, sha256)
        select p_organisation, p_stream, case when body -> 'seq' = to_jsonb(seq) then seq end,
            (body ->> 'id')::uuid, (body ->> 'at')::timestamptz, body ->> 'tag', body, sha256(bytes)
        from event
    )
    insert into audit_pending (organisation_id, event_id, leaf)
    select p_organisation, (body ->> 'id')::uuid, sha256('\x00'::bytea || bytes) from event;
    return position;
end $$;

create or replace function audit_begin(p_organisation uuid, p_stream uuid, p_body text)
    returns bigint language plpgsql security definer set search_path = public, pg_temp as $$
declare
    said constant text := audit_numbered(audit_dated(p_body, clock_timestamp()), 1);
    body constant jsonb := said;
    bytes constant bytea := convert_to(said, 'UTF8');
    hash constant bytea := sha256(bytes);
begin
    insert into audit_streams (organisation_id, stream, count, head)
        values (p_organisation, p_stream, 1, sha256(hash));
    insert into audit_events (organisation_id, stream, seq, id, at, tag, body, sha256)
        values (p_organisation, p_stream, case when body -> 'seq' = '1' then 1 end,
                (body ->> 'id')::uuid, (body ->> 'at')::timestamptz, body ->> 'tag', body, hash);
    insert into audit_pending (organisation_id, event_id, leaf)
        values (p_organisation, (body ->> 'id')::uuid, sha256('\x00'::bytea || bytes));
    return 1;
end $$;

-- Turn rows that wait into the next leaves of their tree. p_size: how large the tree was when the
-- rest was computed; p_places: the rows (ctid), in the order of their events' ids; p_levels: what
-- is new on each level, hash after hash, p_levels[1] being the leaves. Refused where anything does
-- not fit: then nothing has happened.
create function audit_grow(
    p_organisation uuid, p_size bigint, p_places tid[], p_levels bytea[], p_root bytea, p_edge bytea
) returns void language plpgsql security definer set search_path = public, pg_temp as $$
declare
    events uuid[];
    leaves bytea;
    hashes bytea;
    first bigint;
    past bigint;
    whole boolean;
begin
    with taken as (
        delete from audit_pending where ctid = any (p_places) and organisation_id = p_organisation
        returning event_id, leaf
    )
    select array_agg(event_id order by event_id), string_agg(leaf, '' order by event_id)
        into events, leaves from taken;
    if leaves is distinct from p_levels[1] then
        raise exception 'audit tree of %: these are not the leaves that wait', p_organisation;
    end if;

    if p_size = 0 then
        insert into audit_trees (organisation_id, size, root, edge, sequenced_at)
            values (p_organisation, cardinality(events), p_root, p_edge, clock_timestamp())
            on conflict do nothing;
    else
        update audit_trees set size = size + cardinality(events), root = p_root, edge = p_edge,
            sequenced_at = clock_timestamp()
            where organisation_id = p_organisation and size = p_size;
    end if;
    if not found then
        raise exception 'audit tree of %: it has grown meanwhile', p_organisation
            using errcode = 'serialization_failure';
    end if;

    for tier in 0 .. cardinality(p_levels) - 1 loop
        hashes := p_levels[tier + 1];
        first := p_size >> (8 * tier);
        past := (p_size + cardinality(events)) >> (8 * tier);
        if length(hashes) <> 32 * (past - first) then
            raise exception 'audit tree of %: wrong number of hashes', p_organisation;
        end if;
        with part as ( -- of each tile, from which of its 256 to which is new
            select number, greatest(first - number * 256, 0) as low,
                least(past - number * 256, 256) as high
            from generate_series(first / 256, (past - 1) / 256) as number
        ), piece as (
            select number, low, high,
                substr(hashes, cast(32 * (number * 256 + low - first) + 1 as integer),
                    cast(32 * (high - low) as integer)) as more,
                case when tier = 0 then
                    events[number * 256 + low - first + 1 : number * 256 + high - first]
                end as ids
            from part
        ), put as (
            insert into audit_tiles as t (organisation_id, level, number, hashes, events, span)
            select p_organisation, tier, number, more, ids,
                case when tier = 0 then
                    box(audit_spot(p_organisation, ids[1]),
                        audit_spot(p_organisation, ids[cardinality(ids)]))
                end
            from piece
            on conflict (organisation_id, level, number) do update set
                hashes = t.hashes || excluded.hashes, events = t.events || excluded.events,
                span = bound_box(t.span, excluded.span)
            returning t.number, length(t.hashes) as length
        )
        select count(*) = (past - 1) / 256 - first / 256 + 1
            and bool_and(put.length = 32 * least(past - put.number * 256, 256))
            into whole from put;
        if not whole then
            raise exception 'audit tree of %: its tiles are not those of its size', p_organisation;
        end if;
    end loop;
end $$;

-- Keep a signed head. Of two who sign the same one, the first is kept.
create function audit_checkpoint(
    p_organisation uuid, p_size bigint, p_root bytea, p_note text, p_at timestamptz
) returns boolean language plpgsql security definer set search_path = public, pg_temp as $$
begin
    update audit_trees set checkpoint_size = p_size, checkpoint_at = p_at
        where organisation_id = p_organisation and size >= p_size and checkpoint_size < p_size
            and (size > p_size or root = p_root);
    if found then
        insert into audit_checkpoints (organisation_id, size, root, note, at)
            values (p_organisation, p_size, p_root, p_note, p_at);
    end if;
    return found;
end $$;

-- Whoever owns the tables is refused as well what would not be growth.
create trigger append_only before update on audit_tiles for each row
    when (new.organisation_id <> old.organisation_id or new.level <> old.level
        or new.number <> old.number or substr(new.hashes, 1, length(old.hashes)) <> old.hashes
        or new.events[1 : cardinality(old.events)] is distinct from old.events)
    execute function audit_refuse();
create trigger append_only_rows before delete on audit_tiles
    for each row execute function audit_refuse();
create trigger append_only_whole before truncate on audit_tiles
    for each statement execute function audit_refuse();
create trigger append_only before update on audit_trees for each row
    when (new.organisation_id <> old.organisation_id or new.size < old.size
        or (new.size = old.size and (new.root <> old.root or new.edge <> old.edge))
        or new.checkpoint_size < old.checkpoint_size)
    execute function audit_refuse();
create trigger append_only_rows before delete on audit_trees
    for each row execute function audit_refuse();
create trigger append_only_whole before truncate on audit_trees
    for each statement execute function audit_refuse();
create trigger append_only before update or delete on audit_checkpoints
    for each row execute function audit_refuse();
create trigger append_only_whole before truncate on audit_checkpoints
    for each statement execute function audit_refuse();
create trigger append_only before delete on audit_keys
    for each row execute function audit_refuse();
create trigger append_only_whole before truncate on audit_keys
    for each statement execute function audit_refuse();

grant select on audit_pending, audit_tiles, audit_trees, audit_checkpoints, audit_keys to miyabi_app;
grant insert (vkey, name), update (retired_at) on audit_keys to miyabi_app;
revoke execute on function
    audit_grow(uuid, bigint, tid[], bytea[], bytea, bytea),
    audit_checkpoint(uuid, bigint, bytea, text, timestamptz) from public;
grant execute on function
    audit_grow(uuid, bigint, tid[], bytea[], bytea, bytea),
    audit_checkpoint(uuid, bigint, bytea, text, timestamptz) to miyabi_app;
