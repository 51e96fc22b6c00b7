"""The statements about the table of subjects, for audit/subjects.py."""

from sqlalchemy import text

READ = text("""
    select subject, alias, wrapped from audit_subjects where organisation_id = :organisation_id
        and (subject = any (cast(:subjects as uuid[])) or alias = any (cast(:aliases as bytea[])))
""")
MAKE = text("""
    insert into audit_subjects (organisation_id, subject, alias, wrapped, account)
    select :organisation_id, subject, alias, wrapped, account
    from unnest(cast(:subject as uuid[]), cast(:alias as bytea[]), cast(:wrapped as bytea[]),
        cast(:account as bytea[])) as made (subject, alias, wrapped, account)
    on conflict do nothing
""")
DESTROY = text("""
    update audit_subjects set wrapped = null, alias = null, account = null, erased_at = now()
    where organisation_id = :organisation_id and wrapped is not null
        and (subject = any (cast(:subjects as uuid[])) or alias = any (cast(:aliases as bytea[])))
""")
NOTE = text("""
    insert into audit_subjects (organisation_id, subject, erased_at)
    select :organisation_id, subject, now() from unnest(cast(:subjects as uuid[])) as one (subject)
    on conflict do nothing
""")
# Across organisations: one master key wraps for all.
EVERY = text("""
    select organisation_id, subject, wrapped, account from audit_subjects
    where wrapped is not null order by organisation_id, subject
""")
ENDS = text("""
    (select organisation_id, subject, wrapped from audit_subjects
    where wrapped is not null order by made_at limit 1)
    union all
    (select organisation_id, subject, wrapped from audit_subjects
    where wrapped is not null order by made_at desc limit 1)
""")
REWRAP = text("""
    update audit_subjects set wrapped = :new, alias = coalesce(:alias, alias)
    where organisation_id = :organisation_id and subject = :subject and wrapped = :old
""")
