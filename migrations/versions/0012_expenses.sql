-- What somebody claims, of each revision of the task. `paid_before` is what was paid, or is on its
-- way, of the claim that this one corrects.
create table claims (
    id uuid primary key,
    organisation_id uuid not null references organisations,
    task_id uuid not null references tasks,
    revision integer not null,
    person_id uuid not null references people,
    department text not null default '',
    number text,
    claimed bigint not null check (claimed >= 0),
    approved bigint not null check (approved between 0 and claimed),
    withheld bigint not null check (withheld between 0 and approved),
    paid_before bigint not null default 0 check (paid_before >= 0),
    state text not null default 'submitted'
        check (state in ('submitted', 'approved', 'replaced')),
    replaces_id uuid references claims,
    submitted_at timestamptz not null default now(),
    approved_at timestamptz,
    unique (task_id, revision),
    check (state = 'submitted' or approved_at is not null)
);
create index on claims (organisation_id, state, approved_at);

-- Amounts in yen. `payee_key` is the payee with width, case and kana made one, for finding twins.
create table claim_lines (
    organisation_id uuid not null references organisations,
    claim_id uuid not null references claims,
    task_id uuid not null references tasks,
    place integer not null,
    day date not null,
    payee text not null,
    payee_key text not null,
    purpose text not null,
    category text not null,
    category_name jsonb not null,
    account text not null,
    amount bigint not null,
    approved bigint not null,
    withheld bigint not null,
    rate integer not null,
    tax bigint not null,
    credit integer not null,
    registration text,
    exemption text,
    attendees text not null default '',
    people integer,
    primary key (claim_id, place)
);
create index on claim_lines (organisation_id, day, amount);
create index on claim_lines (task_id);

grant select, insert, update on claims, claim_lines to miyabi_app;
