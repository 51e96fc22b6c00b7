-- Where somebody stands in the company: routes find approvers by it.
alter table people
    add column superior_id uuid references people,
    add column department text not null default '',
    add column post text not null default '',
    add column grade text not null default '';

-- Every version of a route that was ever in force; the highest one is now. `source` is the text of
-- its file. An empty one takes the organisation's own route out of force.
create table routes (
    organisation_id uuid not null references organisations,
    name text not null,
    version integer not null,
    source text not null,
    made_by uuid references people,
    created_at timestamptz not null default now(),
    primary key (organisation_id, name, version)
);

-- Who decides in somebody's place, from 00:00 of one date to 23:59 of another, where they live.
-- No forms: for all of them.
create table delegations (
    id uuid primary key,
    organisation_id uuid not null references organisations,
    person_id uuid not null references people,
    delegate_id uuid not null references people,
    since date not null,
    until date not null,
    forms text[] not null default '{}',
    made_by uuid references people,
    created_at timestamptz not null default now(),
    revoked_at timestamptz,
    check (person_id <> delegate_id),
    check (since <= until)
);
create index on delegations (organisation_id, person_id) where revoked_at is null;
create index on delegations (organisation_id, delegate_id) where revoked_at is null;

-- What the route was when the approval was asked for; its people stand in the seats.
alter table approvals
    add column route_version integer not null default 0,
    add column once boolean not null default false,
    add column resubmit text not null default 'restart' check (resubmit in ('restart', 'continue')),
    add column ladder jsonb not null default '[]',
    add column inform jsonb not null default '[]',
    add column returned_from integer; -- the place of the step that sent it back to the requester

-- A step of a route (段階). What was sent back to it begins a new round; at most one is open.
create table approval_stages (
    id uuid primary key,
    organisation_id uuid not null references organisations,
    approval_id uuid not null references approvals,
    task_id uuid not null references tasks,
    place integer not null,
    round integer not null default 1,
    name text not null,
    need integer not null check (need >= 0),
    everybody boolean not null,
    delegable boolean not null,
    days integer,
    empty text not null check (empty in ('next', 'superior', 'refuse')),
    state text not null check (state in ('todo', 'open', 'passed', 'skipped', 'returned', 'closed')),
    note jsonb,
    opened_at timestamptz,
    due_at timestamptz,
    closed_at timestamptz,
    unique (approval_id, place, round),
    check (state <> 'open' or opened_at is not null)
);
create unique index approval_stages_one_open on approval_stages (approval_id) where state = 'open';
create index on approval_stages (task_id);

-- Somebody's place in a step. The holder decides: whose place it is, their delegate, or whoever it
-- was handed up to.
create table approval_seats (
    id uuid primary key,
    organisation_id uuid not null references organisations,
    stage_id uuid not null references approval_stages,
    task_id uuid not null references tasks,
    person_id uuid not null references people,
    holder_id uuid not null references people,
    added_by uuid references people,
    state text not null check (state in ('todo', 'open', 'approved', 'rejected', 'returned', 'closed',
                                        'void')),
    open_since timestamptz,
    unique (stage_id, person_id)
);
create index approval_seats_waiting on approval_seats (organisation_id, holder_id, open_since)
    where state = 'open';
create index approval_seats_of on approval_seats (organisation_id, person_id)
    where state in ('todo', 'open');
create index on approval_seats (task_id);

-- One decision a seat, unless it was taken back; those of before had no seats.
alter table decisions drop constraint decisions_approval_id_key;
alter table decisions
    add column stage_id uuid references approval_stages,
    add column ended boolean not null default true, -- with it the approval was over
    add column seat_id uuid references approval_seats,
    add column on_behalf_of uuid references people,
    add column channel text not null default '',
    add column undone_at timestamptz;
create unique index decisions_one_a_seat on decisions (seat_id) where undone_at is null;
create unique index decisions_one_end on decisions (approval_id) where ended and undone_at is null;
create index on decisions (approval_id);
grant update (undone_at) on decisions to miyabi_app;

-- What was said about it: a comment, a question to the requester and its answer, words with which
-- it was passed on.
create table approval_notes (
    id uuid primary key,
    organisation_id uuid not null references organisations,
    approval_id uuid not null references approvals,
    task_id uuid not null references tasks,
    person_id uuid not null references people,
    kind text not null check (kind in ('comment', 'question', 'answer', 'forward')),
    text text not null,
    answers_id uuid references approval_notes,
    created_at timestamptz not null default now()
);
create index on approval_notes (approval_id);
create index on approval_notes (task_id);

-- Who is to know of it (回覧), and whether they have to say that they have seen it.
create table circulations (
    id uuid primary key,
    organisation_id uuid not null references organisations,
    approval_id uuid not null references approvals,
    task_id uuid not null references tasks,
    person_id uuid not null references people,
    confirm boolean not null,
    by_id uuid references people,
    created_at timestamptz not null default now(),
    sent_at timestamptz,
    seen_at timestamptz,
    unique (approval_id, person_id)
);
create index on circulations (task_id);
create index circulations_waiting on circulations (organisation_id, person_id)
    where confirm and seen_at is null and sent_at is not null;

grant select, insert on routes to miyabi_app;
grant select, insert, update on delegations, approval_stages, approval_seats, circulations
    to miyabi_app;
grant select, insert, update (text) on approval_notes to miyabi_app;

-- What waits is decided by whoever could decide it before: any one approver who did not write it.
insert into approval_stages (id, organisation_id, approval_id, task_id, place, name, need, everybody,
    delegable, empty, state, opened_at)
select gen_random_uuid(), a.organisation_id, a.id, a.task_id, 1, '', 1, false, true, 'refuse', 'open',
    a.created_at
from approvals a where a.state = 'pending';
insert into approval_seats (id, organisation_id, stage_id, task_id, person_id, holder_id, state,
    open_since)
select gen_random_uuid(), s.organisation_id, s.id, s.task_id, p.id, p.id, 'open', s.opened_at
from approval_stages s join people p on p.organisation_id = s.organisation_id
where p.active and 'approver' = any (p.roles) and not exists (select from revisions r
    where r.task_id = s.task_id and r.person_id = p.id);
