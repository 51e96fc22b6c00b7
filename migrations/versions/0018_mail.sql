-- Mail: it comes in as bytes from anybody, waits for nobody, and what was sent can't be taken back.

-- An address that is written to. `settings`: purpose's details, whom it trusts, its ways in and out;
-- `secrets` (passwords, tokens) are sealed.
create table mailboxes (
    id uuid primary key,
    organisation_id uuid not null references organisations,
    address text not null,            -- lower case
    purpose text not null default 'general'
        check (purpose in ('general', 'quote', 'expense', 'support')),
    settings jsonb not null default '{}',
    secrets bytea,
    created_at timestamptz not null default now(),
    removed_at timestamptz
);
create unique index on mailboxes (address) where removed_at is null;

-- How far a folder was read. Another `uidvalidity`: all its numbers are new (RFC 3501, 2.3.1.1).
create table mail_folders (
    organisation_id uuid not null references organisations,
    mailbox_id uuid not null references mailboxes,
    folder text not null,
    uidvalidity bigint not null,
    last_uid bigint not null default 0,
    synced_at timestamptz not null default now(),
    error text,                       -- why it can't be read just now
    primary key (mailbox_id, folder)
);

-- What came, stored with its bytes before its sender's server is told so; dealt with afterwards.
create table mails (
    id uuid primary key,
    organisation_id uuid not null references organisations,
    mailbox_id uuid not null references mailboxes,
    came_by text not null check (came_by in ('imap', 'smtp', 'lmtp', 'http', 'file')),
    uidvalidity bigint,
    uid bigint,
    envelope_from text,               -- '' is the null return path; null: it was not told
    envelope_to text[] not null default '{}',
    message_id text,                  -- as it says of itself; null: it does not
    sha256 text not null,             -- of its bytes (of its header, where only that was fetched)
    size bigint not null,             -- of the whole mail
    state text not null default 'received' check (state in
        ('received', 'done', 'refused', 'held', 'quarantined', 'dropped')),
    reason text,                      -- a word of bot/email/verdicts.py
    kind text,                        -- person, automatic, list, bounce …
    sender text,                      -- the address in From
    subject text,
    verified_by text,                 -- what made us believe the sender; null: nothing did
    person_id uuid references people,
    task_id uuid references tasks,
    attempts integer not null default 0,
    next_at timestamptz not null default now(),
    lease_owner text,
    lease_until timestamptz,
    error text,
    received_at timestamptz not null default now(),
    done_at timestamptz,
    unique (mailbox_id, sha256)
);
create index mails_open on mails (next_at) where state = 'received';
create index on mails (organisation_id, received_at);
create index on mails (organisation_id, message_id) where message_id is not null;
create index on mails (task_id) where task_id is not null;

-- The bytes, until the mail is dealt with and what is kept of it lies in the store.
create table mail_bytes (
    mail_id uuid primary key references mails on delete cascade,
    organisation_id uuid not null references organisations,
    content bytea not null
);

-- Mails of ours. Of a delivery's call the id is the call's; others are answers. What is sent once
-- more is the same bytes.
create table letters (
    id uuid primary key,
    organisation_id uuid not null references organisations,
    mailbox_id uuid not null references mailboxes,
    task_id uuid references tasks,
    thread_id uuid references threads,
    person_id uuid references people, -- to whom, where it is somebody we know
    mail_id uuid references mails on delete set null, -- what it answers
    recipient text not null,
    message_id text not null unique,
    automatic boolean not null,       -- an answer nobody asked for: at most one a day and sender
    content bytea,                    -- emptied some time after it was sent
    state text not null default 'queued' check (state in
        ('queued', 'sending', 'sent', 'unknown', 'failed', 'bounced')),
    attempts integer not null default 0,
    next_at timestamptz not null default now(),
    lease_until timestamptz,
    error text,                       -- the server's words
    created_at timestamptz not null default now(),
    sent_at timestamptz
);
create index letters_open on letters (next_at) where state in ('queued', 'sending');
create index on letters (organisation_id, recipient, created_at);
create index on letters (thread_id) where thread_id is not null;

-- Which task and person an answer to our mail belongs to: the random part of its Reply-To, hashed.
create table reply_tokens (
    id uuid primary key,
    organisation_id uuid not null references organisations,
    task_id uuid not null references tasks,
    person_id uuid not null references people,
    token_hash bytea not null unique,
    sealed bytea not null,            -- the token, to be written into the next mail
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    unique (task_id, person_id)
);

-- What is known of an address that mail goes to.
create table mail_addresses (
    organisation_id uuid not null references organisations,
    address text not null,
    bounces integer not null default 0, -- hard ones in a row
    bounced_at timestamptz,
    paused_until timestamptz,
    answered_at timestamptz,          -- when it last had an automatic answer
    no_digests boolean not null default false, -- whoever reads it has stopped the summaries
    primary key (organisation_id, address)
);

-- A page on which one person decides one step of one revision. Only hashes are kept.
create table approval_links (
    id uuid primary key,
    organisation_id uuid not null references organisations,
    approval_id uuid not null references approvals,
    stage_id uuid not null references approval_stages,
    person_id uuid not null references people,
    token_hash bytea not null unique,
    code_hash bytea,                  -- of the code sent to their chat, for large amounts
    code_tries integer not null default 0,
    code_until timestamptz,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    used_at timestamptz
);
create index on approval_links (approval_id, person_id);

-- A request of which nothing proves whose it is waits for its release (core/holding.py).
alter table tasks drop constraint tasks_waiting_for_check;
alter table tasks add constraint tasks_waiting_for_check
    check (waiting_for in ('approval', 'answer', 'outside', 'release'));
create index tasks_held on tasks (organisation_id, person_id) where waiting_for = 'release';

grant select, insert, update, delete on mailboxes, mail_folders, mails, mail_bytes, letters,
    reply_tokens, mail_addresses, approval_links to miyabi_app;
