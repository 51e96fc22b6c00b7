-- Where checkpoints are carried out of our domain of trust: a queue for each anchor, and receipts.

-- What an anchor was given, and what it said to that: `place` is where it is to be found there,
-- `token` a time stamp (RFC 3161, DER). How far a tree is anchored is the largest size of these.
-- They are for people and for going on; who verifies believes the anchors themselves.
create table audit_receipts (
    organisation_id uuid not null,
    anchor text not null check (anchor <> ''),
    size bigint not null,
    place text not null,
    token bytea,
    at timestamptz not null default clock_timestamp(),
    primary key (organisation_id, anchor, size),
    foreign key (organisation_id, size) references audit_checkpoints
);

-- Each anchor's queue is the checkpoints after its last receipt; here is only when it is tried
-- next. Whoever tries first moves `next_at` to when another may, should nothing be heard: so one at
-- a time does. `tries` since the last receipt; `error` is what the last one came to.
create table audit_anchors (
    organisation_id uuid not null,
    anchor text not null check (anchor <> ''),
    tries integer not null default 0,
    next_at timestamptz not null default clock_timestamp(),
    error text,
    primary key (organisation_id, anchor)
);

grant select, insert on audit_receipts to miyabi_app;
grant select, insert, update (tries, next_at, error) on audit_anchors to miyabi_app;
create trigger append_only before update or delete on audit_receipts
    for each row execute function audit_refuse();
create trigger append_only_whole before truncate on audit_receipts
    for each statement execute function audit_refuse();
create trigger append_only before delete on audit_anchors
    for each row execute function audit_refuse();
create trigger append_only_whole before truncate on audit_anchors
    for each statement execute function audit_refuse();
