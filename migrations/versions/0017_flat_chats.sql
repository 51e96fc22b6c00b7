-- Platforms on which a conversation has no threads, what was said can't be edited, an answer has to
-- be quick, and each call costs something.

-- What a platform delivered, stored before it is told so, and dealt with afterwards: of one chat in
-- order. `body` is emptied once it is dealt with; the key stays for a while, against redeliveries.
create table arrivals (
    id uuid primary key,
    organisation_id uuid not null references organisations,
    platform text not null,
    workspace text not null,
    key text not null,
    chat text not null default '',
    account text not null default '',
    kind text not null,
    body jsonb not null,
    said_at timestamptz not null,     -- the platform's time
    redelivered boolean not null default false,
    state text not null default 'received' check (state in ('received', 'done', 'ignored', 'failed')),
    attempts integer not null default 0,
    next_at timestamptz not null default now(),
    lease_until timestamptz,
    error text,
    received_at timestamptz not null default now(),
    -- What the platform gives to answer this once, and until when we count on it.
    reply_token text,
    reply_until timestamptz,
    reply_used_for uuid,              -- the call that it was spent on
    unique (platform, workspace, key)
);
create index arrivals_open on arrivals (platform, workspace, chat, said_at) where state = 'received';
create index arrivals_replies on arrivals (platform, workspace, chat, reply_until)
    where reply_token is not null;
create index on arrivals (reply_used_for) where reply_used_for is not null;
create index on arrivals (received_at);

-- Conversations of several people, as far as the platform tells of them.
create table chats (
    organisation_id uuid not null references organisations,
    platform text not null,
    workspace text not null,
    channel text not null,
    name text not null default '',
    amounts boolean not null default false, -- whether amounts may be shown there
    joined_at timestamptz not null default now(),
    left_at timestamptz,
    primary key (platform, workspace, channel)
);

-- What is pressed, behind the opaque id that a button carries; a press may come years later.
create table presses (
    organisation_id uuid not null references organisations,
    id text not null,
    action text not null,
    value text not null,
    created_at timestamptz not null default now(),
    primary key (organisation_id, id)
);

-- The next message of somebody in a chat is what is asked for here: why they reject, say.
create table prompts (
    organisation_id uuid not null references organisations,
    platform text not null,
    workspace text not null,
    channel text not null,
    account text not null,
    action text not null,
    value text not null,
    expires_at timestamptz not null,
    primary key (platform, workspace, channel, account)
);

-- How many messages a workspace may push in a month, by the platform's word and by our own count.
create table quotas (
    organisation_id uuid not null references organisations,
    platform text not null,
    workspace text not null,
    month date not null,              -- its first day, where the platform counts
    most integer,                     -- null: without a limit
    used integer not null default 0,  -- by the platform's word, at `read_at`
    read_at timestamptz not null default now(),
    warned_at timestamptz,            -- of 80 %
    primary key (platform, workspace, month)
);
create table quota_uses (
    organisation_id uuid not null references organisations,
    platform text not null,
    workspace text not null,
    call uuid primary key,
    counted integer not null,         -- messages as the platform counts them: one a person reached
    state text not null default 'taken' check (state in ('taken', 'done', 'refused')),
    at timestamptz not null default now()
);
create index on quota_uses (platform, workspace, at);

-- One-time codes by which somebody ties an account to themselves. Only a keyed hash is kept.
create table link_codes (
    id uuid primary key,
    organisation_id uuid not null references organisations,
    person_id uuid not null references people,
    code_hash bytea not null,
    expires_at timestamptz not null,
    used_at timestamptz,
    created_at timestamptz not null default now()
);
create index on link_codes (organisation_id, expires_at) where used_at is null;
create table link_tries (
    organisation_id uuid not null references organisations,
    platform text not null,
    workspace text not null,
    account text not null,
    at timestamptz not null default now()
);
create index on link_tries (platform, workspace, account, at);

-- A code of a few digits by which one person decides one step, where a button can't be pressed.
create table approval_codes (
    organisation_id uuid not null references organisations,
    stage_id uuid not null references approval_stages,
    person_id uuid not null references people,
    code text not null,
    created_at timestamptz not null default now(),
    primary key (stage_id, person_id)
);
create unique index on approval_codes (organisation_id, person_id, code);

-- Documents as links that open without a login, each only that document, until they end.
create table links (
    id uuid primary key,
    organisation_id uuid not null references organisations,
    task_id uuid not null references tasks,
    person_id uuid references people, -- for whom it was made, where that is one person
    sha256 text not null,
    name text not null,
    media_type text not null,
    expires_at timestamptz not null,
    revoked_at timestamptz,
    revoked_by uuid references people,
    created_at timestamptz not null default now()
);
create index on links (organisation_id, task_id);

-- Not reached there any more (the bot was blocked): what is for the person goes elsewhere.
alter table accounts add column unreachable_since timestamptz;
-- Whether the person wants to be told there, at a cost, that what they were asked has ended.
alter table accounts add column tells_ends boolean not null default false;

-- A message as it was sent, and the call it went with: sent again, it is the same call.
alter table deliveries add column call uuid;
-- Why it is shown here and not where the person would have been told first.
alter table deliveries add column instead jsonb;
alter table deliveries drop constraint deliveries_state_check;
alter table deliveries add constraint deliveries_state_check
    check (state in ('pending', 'sending', 'sent', 'unchanged', 'superseded', 'failed', 'unknown',
                     'unsaid')); -- unsaid: not worth a call of its own

grant select, insert, update, delete on arrivals, chats, presses, prompts, quotas, quota_uses,
    link_codes, link_tries, approval_codes, links to miyabi_app;
