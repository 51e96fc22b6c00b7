-- The notification hub. A task's own conversation (notifications, deliveries, threads, messages)
-- stays as it is: what stands in it is the task as it is. A notice is said to people wherever they
-- are, by their rules; a dispatch is one of them told by one channel.

-- Whoever may have people told things: a program, with its key's hash and the topics it may use.
create table notice_senders (
    id uuid primary key,
    organisation_id uuid not null references organisations,
    name text not null,
    key_sha256 bytea unique,
    topics text[] not null,           -- globs: 'alert.*'
    created_at timestamptz not null default now(),
    used_at timestamptz,
    revoked_at timestamptz,
    unique (organisation_id, name)
);

-- What should be heard. Written in the transaction of what happened (core/notices.py).
create table notices (
    id uuid primary key,
    organisation_id uuid not null references organisations,
    topic text not null,
    importance text not null check (importance in ('low', 'normal', 'high', 'critical')),
    facts jsonb not null default '{}',
    recipients jsonb not null,        -- core.notices.Recipient, in order
    actions jsonb not null default '[]',
    file jsonb,                       -- core.messages.Attachment
    picture jsonb,                    -- core.messages.Picture
    task_id uuid references tasks,
    approval_id uuid references approvals, -- while it is pending the notice is true
    person_id uuid references people, -- who did it and need not be told
    sender_id uuid references notice_senders,
    key text,                         -- the sender's idempotency key
    key_sha256 bytea,                 -- of what came with it
    group_key text,                   -- the same thing again
    head_id uuid references notices,  -- the first of its group that this one is counted with
    count integer not null default 1, -- of a head: how often it happened
    resolved boolean not null default false, -- of a head: it is over
    revision integer not null default 1,     -- of a head: goes up with each change of what is shown
    ladder jsonb,                     -- how it escalates (notifier/ladders.py); null: it does not
    expires_at timestamptz,           -- nobody is told any more from then on
    acknowledged_at timestamptz,
    acknowledged_by uuid references people,
    cancelled_at timestamptz,         -- it has become untrue: what was not sent yet is not
    fanned_at timestamptz,            -- its dispatches are there
    attempts integer not null default 0,
    next_at timestamptz not null default now(),
    error text,
    created_at timestamptz not null default now(),
    unique (sender_id, key)
);
create index notices_waiting on notices (organisation_id, next_at) where fanned_at is null;
create index on notices (organisation_id, created_at);
create index notices_heads on notices (organisation_id, group_key, created_at)
    where group_key is not null and head_id is null;
create index on notices (task_id) where task_id is not null;

-- Of a person, all they chose (core/preferences.py); a row only for whoever chose something.
create table preferences (
    organisation_id uuid not null references organisations,
    person_id uuid not null references people,
    body jsonb not null,
    updated_at timestamptz not null default now(),
    primary key (organisation_id, person_id)
);
-- Whether they chose their time zone themselves: where not, it is the organisation's, and goes with
-- it when that changes.
alter table people add column zone_chosen boolean not null default false;
update people p set zone_chosen = true from organisations o
    where o.id = p.organisation_id
    and p.time_zone is distinct from coalesce(o.profile ->> 'time_zone', 'Asia/Tokyo');

-- The company's own rules (notifier/rules.py): a file, whole, in its newest version.
create table notice_rules (
    organisation_id uuid not null references organisations,
    version integer not null,
    body jsonb not null,
    set_by uuid references people,
    set_at timestamptz not null default now(),
    primary key (organisation_id, version)
);

-- What goes out together. One row for a person, a kind of digest and its window, whoever makes it:
-- 'quiet:2026-11-27', 'hourly:2026-11-27T14', 'daily:2026-11-27', 'weekly:2026-W48' by their own
-- calendar (never by UTC).
create table digests (
    id uuid primary key,
    organisation_id uuid not null references organisations,
    person_id uuid not null references people,
    topic text not null,              -- '*' where it is of all
    window_key text not null,
    due_at timestamptz not null,
    state text not null default 'open' check (state in ('open', 'closed', 'empty')),
    notice_id uuid references notices, -- the notice that it went out as
    created_at timestamptz not null default now(),
    closed_at timestamptz,
    unique (organisation_id, person_id, topic, window_key)
);
create index digests_due on digests (due_at) where state = 'open';

-- One notice told to one person by one channel, or to one place of many readers.
create table dispatches (
    id uuid primary key,              -- also the idempotency key that providers are given
    organisation_id uuid not null references organisations,
    notice_id uuid not null references notices,
    person_id uuid references people, -- null: a place of many readers
    channel text not null,            -- a platform's name or a send-only channel's
    workspace text not null default '',
    address text not null,            -- the account, or the place
    place_in_line integer not null default 0, -- in the person's order of fall-back
    instead jsonb,                    -- why by this channel (Words), where another was meant
    why jsonb not null default '[]',  -- the decision's reasons, as `explain` prints them
    importance smallint not null,     -- 0 critical … 3 low: the order of sending
    state text not null default 'queued' check (state in ('queued', 'held', 'sending', 'sent',
        'delivered', 'read', 'unknown', 'failed', 'dropped', 'digested')),
    reason text,                      -- of held, failed, dropped: a word of notifier/dispatch.py
    permanent boolean,                -- of failed
    digest_id uuid references digests,
    held_until timestamptz,
    next_at timestamptz not null default now(),
    attempts integer not null default 0,
    shown integer not null default 0, -- the notice's revision that stands there
    edit_at timestamptz,              -- what stands there has to be changed, from then on
    sending_revision integer,         -- the one that is on its way
    body jsonb,                       -- core.messages.Message as it is on its way, or stands there
    sent_channel text,                -- what the platform calls what stands there (core.ports.Sent)
    external_id text,
    extra jsonb,
    lease_owner text,
    lease_until timestamptz,
    error text,
    dead_at timestamptz,              -- failed, and somebody has to look at it
    created_at timestamptz not null default now(),
    sent_at timestamptz,
    seen_at timestamptz,
    unique nulls not distinct (notice_id, person_id, channel, workspace, address)
);
create index on dispatches (digest_id) where digest_id is not null;
create index dispatches_due on dispatches (channel, importance, next_at, id)
    where state in ('queued', 'sending');
-- What was tried and is not over holds up what comes after it in the same conversation.
create index dispatches_tried on dispatches (channel, workspace, address, id)
    where state = 'sending' or (state = 'queued' and attempts > 0);
create index dispatches_back on dispatches (next_at)
    where state = 'failed' and reason = 'bounced' and dead_at is null;
create index dispatches_edits on dispatches (channel, edit_at) where edit_at is not null;
create index dispatches_until on dispatches (held_until) where state = 'held';
create index dispatches_open on dispatches (channel, workspace, address, id)
    where state in ('queued', 'sending');
create index dispatches_dead on dispatches (organisation_id, dead_at) where dead_at is not null;
create index on dispatches (person_id, created_at);

-- How it climbs from one person to the next until somebody says that they have it.
create table escalations (
    notice_id uuid primary key references notices,
    organisation_id uuid not null references organisations,
    rung integer not null default 0,
    next_at timestamptz,              -- null: it has come to its end
    state text not null default 'climbing'
        check (state in ('climbing', 'acknowledged', 'expired', 'exhausted', 'cancelled')),
    updated_at timestamptz not null default now()
);
create index escalations_due on escalations (next_at) where state = 'climbing';

-- Who is on call: people in turn by weeks, handing over at a time of day on a weekday of its zone.
create table rotas (
    id uuid primary key,
    organisation_id uuid not null references organisations,
    name text not null,
    zone text not null,
    weekday smallint not null check (weekday between 0 and 6), -- 0: Monday
    time_of_day time not null,
    starts_on date not null,          -- the day of the first hand-over, of that weekday
    people uuid[] not null check (cardinality(people) > 0),
    created_at timestamptz not null default now(),
    removed_at timestamptz
);
create unique index on rotas (organisation_id, name) where removed_at is null;
create table rota_swaps (
    id uuid primary key,
    organisation_id uuid not null references organisations,
    rota_id uuid not null references rotas,
    since timestamptz not null,
    until timestamptz not null check (until > since),
    person_id uuid not null references people,
    created_at timestamptz not null default now(),
    removed_at timestamptz
);

-- Whether a provider can be spoken to for an organisation just now.
create table circuits (
    organisation_id uuid not null references organisations,
    provider text not null,           -- 'slack', 'email', 'teams' …, with what it is bound to
    state text not null default 'closed' check (state in ('closed', 'open', 'half_open')),
    failures integer not null default 0,
    opened_at timestamptz,
    probe_at timestamptz,
    probe_owner text,
    reason text,
    primary key (organisation_id, provider)
);
-- The clocks of the limiter while Redis is away: when the next call may be made.
create table paces (
    name text primary key,            -- provider, bot and method; of the house, not of a company
    next_at timestamptz not null,
    until timestamptz                 -- told by Retry-After
);

-- Places that are told things besides people: a webhook, a Teams channel, a chat channel.
create table notice_places (
    id uuid primary key,
    organisation_id uuid not null references organisations,
    name text not null,
    channel text not null,
    workspace text not null default '',
    address text not null,            -- what the channel knows it by; without its secrets
    settings jsonb not null default '{}',
    secrets bytea,                    -- sealed (core/sealing.py)
    language text not null default 'ja' check (language in ('ja', 'en', 'zh')),
    owner_id uuid references people,  -- who is told when it ends
    off_since timestamptz,            -- it answered that it is gone; a good test turns it on again
    off_why text,
    created_at timestamptz not null default now(),
    removed_at timestamptz
);
create unique index on notice_places (organisation_id, name) where removed_at is null;

-- A company's own words for a topic, in place of ours.
create table notice_templates (
    id uuid primary key,
    organisation_id uuid not null references organisations,
    topic text not null,
    language text not null check (language in ('ja', 'en', 'zh')),
    body text not null,
    set_by uuid references people,
    set_at timestamptz not null default now(),
    removed_at timestamptz
);
create unique index on notice_templates (organisation_id, topic, language)
    where removed_at is null;

-- Until when what is for one person waits: they had quiet hours when it became due. It is looked at
-- again then (notifier/quiet.py).
alter table deliveries add column held_until timestamptz;

-- Whoever is at work on notices, dispatches and digests is woken after each commit that made some.
grant select, insert, update, delete on notice_senders, notices, preferences, notice_rules, digests,
    dispatches, escalations, rotas, rota_swaps, circuits, paces, notice_places, notice_templates
    to miyabi_app;
