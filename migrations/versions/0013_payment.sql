-- Where somebody is paid: a person of the organisation, or a payee of that name. `sealed`: bank,
-- branch, kind, number and holder (core/bank_accounts.py), under a key that is not in the database.
create table bank_accounts (
    id uuid primary key,
    organisation_id uuid not null references organisations,
    person_id uuid references people,
    payee text not null default '',
    sealed bytea not null,
    changed_at timestamptz not null default now(),
    check ((person_id is null) <> (payee = ''))
);
create unique index bank_accounts_of_person on bank_accounts (organisation_id, person_id)
    where person_id is not null;
create unique index bank_accounts_of_payee on bank_accounts (organisation_id, payee)
    where person_id is null;

-- What is to be paid of an approved task, in yen. `run_id` is the payment run whose file it is in,
-- to be paid on `pay_on`: one column, so that nothing is ever in two. Withdrawn: another task of
-- the same takes its place.
create table payables (
    id uuid primary key,
    organisation_id uuid not null references organisations,
    task_id uuid not null references tasks,
    person_id uuid not null references people,
    payee text not null default '',
    amount bigint not null check (amount > 0),
    withheld bigint not null default 0 check (withheld >= 0),
    received_on date,
    approved_at timestamptz not null default now(),
    run_id uuid references tasks,
    pay_on date,
    withdrawn_at timestamptz,
    unique (organisation_id, task_id),
    check ((run_id is null) = (pay_on is null)),
    check (withdrawn_at is null or run_id is null)
);
create index payables_of_run on payables (run_id) where run_id is not null;
create index payables_free on payables (organisation_id) where run_id is null;
create index payables_by_payment on payables (organisation_id, pay_on) where pay_on is not null;

-- The last word: what is in a file that was handed out stays there, whoever asks, unless all that
-- the run issued was declared void.
create function payables_stay_paid() returns trigger language plpgsql as $$
begin
    if exists (select from tasks t where t.id = old.run_id and t.state = 'done')
        and not exists (select from documents d where d.task_id = old.run_id
            and d.voided_at is not null) then
        raise exception 'payable % is in the file of run %', old.id, old.run_id
            using errcode = 'integrity_constraint_violation';
    end if;
    return new;
end $$;
create trigger stays_paid before update of run_id on payables for each row
    when (old.run_id is not null and new.run_id is distinct from old.run_id)
    execute function payables_stay_paid();

grant select, insert, update, delete on bank_accounts to miyabi_app;
grant select, insert, update (run_id, pay_on, withdrawn_at) on payables to miyabi_app;
