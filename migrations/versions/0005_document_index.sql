-- The index of documents: what the law asks that they can be searched by (電子帳簿保存法施行規則
-- 2条6項5号: date, amount and counterparty of the transaction, ranges of the first two, any of them
-- together), and what people look for besides.
--
-- Words are looked for here and not in the events: an event holds no text of what was written, on
-- purpose, and there are some forty of them a document, which would each pay for the index. Whoever
-- has found the document has the stream of its events.

-- Text as it is compared: half and full width alike (NFKC), no case, no spaces.
create function audit_fold(p_text text) returns text
    language sql immutable strict parallel safe
    return regexp_replace(lower(normalize(p_text, NFKC)), '\s+', '', 'g');

-- The pairs of neighbouring characters of a folded text. Japanese has no spaces to find words by,
-- and the extensions that index such text (pg_trgm, pg_bigm) are not at hand on every server. No
-- pair goes across a line: that is where one thing ends and the next begins.
create function audit_bigrams(p_folded text) returns text[]
    language sql immutable strict parallel safe cost 1000
    return array(
        select distinct a || b
        from unnest(string_to_array(p_folded, null), (string_to_array(p_folded, null))[2:])
            as pair(a, b)
        where a <> E'\n' and b <> E'\n');

-- Each name once: there are few beside the documents, so that part of a name is looked for here,
-- and what is left to do with the documents is a walk along an index.
create table audit_counterparties (
    id uuid primary key,
    organisation_id uuid not null,
    name text not null, -- as it was written first
    folded text not null generated always as (audit_fold(name)) stored,
    created_at timestamptz not null default now(),
    unique (organisation_id, folded)
);
create index audit_counterparties_words on audit_counterparties
    using gin (audit_bigrams(folded)) with (fastupdate = off);

-- One row a document. `stream`: where its events are. `amount` in whole yen, with tax; null: it is
-- about no money. `words`: all that it is found by, each thing folded and on a line of its own.
-- `retain_until`: not to be dropped before.
create table audit_documents (
    id uuid primary key,
    organisation_id uuid not null,
    dated date not null,
    amount bigint,
    counterparty_id uuid references audit_counterparties,
    counterparty text not null,
    kind text not null,
    number text not null,
    stream uuid not null,
    reference text not null,
    person_id uuid,
    words text not null,
    retain_until date not null,
    sha256 text, -- of the file, which is there a moment after its number is
    file_name text,
    media_type text,
    voided_at timestamptz,
    entered_at timestamptz not null default now(),
    check ((sha256 is null) = (file_name is null) and (sha256 is null) = (media_type is null))
);
-- Each serves one way to search, newest first; the amount at the end lets a range of it be checked
-- without the row being read.
create index audit_documents_dated on audit_documents (organisation_id, dated, id, amount);
create index audit_documents_amount on audit_documents (organisation_id, amount, dated, id);
create index audit_documents_counterparty on audit_documents
    (organisation_id, counterparty_id, dated, id, amount);
create index audit_documents_person on audit_documents
    (organisation_id, person_id, dated, id, amount);
create index audit_documents_kind on audit_documents (organisation_id, kind, dated, id, amount);
create index audit_documents_number on audit_documents (organisation_id, number);
create index audit_documents_stream on audit_documents (stream);
-- Of an expression: the pairs stand nowhere but in the index. A search is not to wait for a list of
-- what was not sorted in yet (fastupdate); documents come much more slowly than events.
create index audit_documents_words on audit_documents
    using gin (audit_bigrams(words)) with (fastupdate = off);

-- Events of a kind that is rare, and what people did themselves: neither is found quickly by
-- walking along the time. What steps and messages write by the hundred pays for neither.
create index audit_events_rare on audit_events (organisation_id, tag, at)
    where tag <> all (array['worker:step:finished', 'worker:task:started',
        'notifier:message:sent', 'notifier:message:edited']);
create index audit_events_acts on audit_events (organisation_id, (body ->> 'person'), at)
    where body ->> 'person' is not null;

-- Documents that were issued before there was this index. What a quotation is about stands in the
-- result of its step `price`; `retain_until` is reckoned as in core/retention.py.
with known as (
    select d.*, t.reference, t.person_id, s.result, s.result -> 'customer' ->> 'name' as customer
    from documents d
    join tasks t on t.id = d.task_id
    left join steps s on s.task_id = d.task_id and s.revision = d.revision and s.name = 'price'
), named as (
    insert into audit_counterparties (id, organisation_id, name)
    select distinct on (organisation_id, audit_fold(customer))
        gen_random_uuid(), organisation_id, customer
    from known where audit_fold(customer) <> ''
    order by organisation_id, audit_fold(customer), issued_at
    returning id, organisation_id, folded
)
insert into audit_documents (id, organisation_id, dated, amount, counterparty_id, counterparty,
    kind, number, stream, reference, person_id, words, retain_until, sha256, file_name, media_type,
    voided_at)
select k.id, k.organisation_id, k.issued_on, (k.result #>> '{totals,total}')::bigint, n.id,
    coalesce(k.customer, ''), k.kind, k.number, k.task_id, '#' || k.reference, k.person_id,
    array_to_string(array[audit_fold(k.number), audit_fold(k.customer)] || array(
        select audit_fold(line ->> 'name')
        from jsonb_array_elements(coalesce(k.result -> 'lines', '[]')) as line), E'\n'),
    (k.issued_on + interval '8 years 3 months')::date, k.file ->> 'sha256', k.file ->> 'name',
    k.file ->> 'media_type', k.voided_at
from known k
left join named n on n.organisation_id = k.organisation_id and n.folded = audit_fold(k.customer);

-- What a document is searched by does not change once it was entered.
grant select, insert on audit_counterparties, audit_documents to miyabi_app;
grant update (sha256, file_name, media_type, voided_at) on audit_documents to miyabi_app;
create trigger append_only before update or delete on audit_counterparties
    for each row execute function audit_refuse();
create trigger append_only_whole before truncate on audit_counterparties
    for each statement execute function audit_refuse();
create trigger append_only before delete on audit_documents
    for each row execute function audit_refuse();
create trigger append_only_whole before truncate on audit_documents
    for each statement execute function audit_refuse();
