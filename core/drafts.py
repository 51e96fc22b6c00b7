"""Files of tasks of an erased person, or of those that named them: drafts, and what was sent,
with the mail that it came in; and what they wrote by mail of tasks of others.

A document that was issued is kept as long as the law has it, and with it the drafts of its task.
"""

from uuid import UUID

from audit.store import StoreAway, document_name
from core.db import fetch_all
from core.errors import TryLater
from core.house import House
from core.phrases import STORE_AWAY

# A file's hash stands in the result of the step that made it. The same bytes may be another task's
# as well, or the company's (its seal, its template).
_MADE = """
    with own as (
        select distinct file
        from tasks t cross join lateral (
            select found[1] as file from steps s,
                regexp_matches(cast(s.result as text), '"([0-9a-f]{64})"', 'g') as found
            where s.organisation_id = :organisation_id and s.task_id = t.id
            union select sha256 from attachments a where a.organisation_id = :organisation_id
                and a.task_id = t.id and sha256 is not null
            union select m.sha256 from mails m where m.organisation_id = :organisation_id
                and m.task_id = t.id
        ) as of_task
        where t.organisation_id = :organisation_id
            and (t.person_id = :person_id or t.redacted = 'names')
            and not exists (select from documents d
                where d.organisation_id = :organisation_id and d.task_id = t.id)
        union select m.sha256 from mails m where m.organisation_id = :organisation_id
            and m.person_id = :person_id and not exists (select from documents d
                where d.organisation_id = :organisation_id and d.task_id = m.task_id)
    )
    select file from own
    where not exists (select from steps s join tasks t on t.id = s.task_id
            where s.organisation_id = :organisation_id and strpos(cast(s.result as text), file) > 0
            and (t.person_id <> :person_id and t.redacted is distinct from 'names'
                or exists (select from documents d
                    where d.organisation_id = :organisation_id and d.task_id = t.id)))
        and not exists (select from attachments a join tasks t on t.id = a.task_id
            where a.organisation_id = :organisation_id and a.sha256 = file
            and (t.person_id <> :person_id and t.redacted is distinct from 'names'
                or exists (select from documents d
                    where d.organisation_id = :organisation_id and d.task_id = t.id)))
        and not exists (select from mails m join tasks t on t.id = m.task_id
            where m.organisation_id = :organisation_id and m.sha256 = file
            and (m.person_id is distinct from :person_id and t.person_id <> :person_id
                    and t.redacted is distinct from 'names'
                or exists (select from documents d
                    where d.organisation_id = :organisation_id and d.task_id = t.id)))
        and not exists (select from organisations o
            where o.id = :organisation_id and strpos(cast(o.profile as text), file) > 0)
"""
_FORGET = "select audit_forget(:organisation_id, cast(:files as text[])) as gone"


async def forget(house: House, organisation_id: UUID, person_id: UUID) -> None:
    """Take them out of the store, before the results that name them go. Raises TryLater."""
    scope = {"organisation_id": organisation_id, "person_id": person_id}
    async with house.engine.begin() as connection:
        made = [row.file for row in await fetch_all(connection, _MADE, scope)]
        if not made:
            return
        [row] = await fetch_all(
            connection, _FORGET, {"organisation_id": organisation_id, "files": made}
        )
    try:
        for file in row.gone:
            await house.store.drop(document_name(organisation_id, file))
    except StoreAway as error:
        raise TryLater(STORE_AWAY.fill(why=str(error))) from error
