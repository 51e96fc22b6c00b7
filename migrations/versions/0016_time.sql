-- Who decides in a seat while nobody acts for them: whoever it was passed on or handed up to. Null:
-- whose place it is. The holder is this person, or their delegate.
alter table approval_seats add column home_id uuid references people;
-- What was passed on stays where it is; what a delegate holds goes back one day.
update approval_seats h set home_id = holder_id
where holder_id <> person_id and state in ('todo', 'open') and not exists (select from delegations d
    where d.organisation_id = h.organisation_id and d.person_id = h.person_id
    and d.revoked_at is null);
create index approval_seats_handed on approval_seats (organisation_id)
    where state in ('todo', 'open') and holder_id <> person_id;

-- The last moment at which somebody was shown all that waits for their decision.
alter table people add column reminded_at timestamptz;

-- Reminders are of a person from now on, not of an approval.
update schedule set done_at = now() where kind = 'approval.remind' and done_at is null;
