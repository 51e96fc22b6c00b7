"""How long notices and their dispatches are kept, and what goes of them when somebody is erased.

The log keeps for its years that they were sent, by which channel and with what end; the rows hold
what was said, and go earlier.
"""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from core.db import execute

KEPT = timedelta(days=400)
"""A little over a year, so that the same month of the year before can be looked at."""

_ENDED = "('sent', 'delivered', 'read', 'unknown', 'failed', 'dropped', 'digested')"

# across organisations: dispatches of all of them
_DISPATCHES = f"""
    delete from dispatches where id in (
        select id from dispatches where state in {_ENDED}
            and created_at < now() - make_interval(secs => :kept)
        limit :batch)
"""  # noqa: S608
# across organisations: likewise
_ESCALATIONS = """
    delete from escalations where notice_id in (
        select notice_id from escalations where state <> 'climbing'
            and updated_at < now() - make_interval(secs => :kept)
        limit :batch)
"""
# across organisations: likewise
_DIGESTS = """
    delete from digests where id in (
        select g.id from digests g where g.state <> 'open'
            and g.closed_at < now() - make_interval(secs => :kept)
            and not exists (select from dispatches d where d.digest_id = g.id)
        limit :batch)
"""
# across organisations: likewise. Those that were counted with another go before it.
_NOTICES = """
    delete from notices where id in (
        select n.id from notices n where n.fanned_at is not null
            and n.created_at < now() - make_interval(secs => :kept)
            and not exists (select from dispatches d where d.notice_id = n.id)
            and not exists (select from escalations e where e.notice_id = n.id)
            and not exists (select from digests g where g.notice_id = n.id)
            and not exists (select from notices c where c.head_id = n.id)
        limit :batch)
"""


async def forget(connection: AsyncConnection, batch: int) -> int:
    """Forget what ended so long ago, at most a batch of each kind; of how many rows at most."""
    limits = {"kept": KEPT.total_seconds(), "batch": batch}
    return max(
        [
            await execute(connection, statement, limits)
            for statement in (_DISPATCHES, _ESCALATIONS, _DIGESTS, _NOTICES)
        ]
    )


_ABOUT = """organisation_id = :organisation_id and (
    recipients = jsonb_build_array(jsonb_build_object(
        'kind', 'person', 'of', cast(cast(:person_id as uuid) as text)))
    or facts ->> 'person' = (select p.name from people p
        where p.organisation_id = :organisation_id and p.id = :person_id))"""

THEIRS: Sequence[str] = (
    "delete from preferences where organisation_id = :organisation_id and person_id = :person_id",
    # Each keeps an address of its own, as two of one notice can't have the same.
    """update dispatches set workspace = '', address = cast(id as text), body = null, error = null,
            why = '[]', instead = null, external_id = null, sent_channel = null, extra = null,
            reason = case when state in ('queued', 'held', 'sending') then 'left' else reason end,
            state = case when state in ('queued', 'held', 'sending') then 'dropped' else state end
        where organisation_id = :organisation_id and person_id = :person_id""",
    """update notices set facts = '{}', actions = '[]', file = null, picture = null,
            group_key = null, cancelled_at = coalesce(cancelled_at, now())
        where organisation_id = :organisation_id and task_id in (select t.id from tasks t
            where t.organisation_id = :organisation_id and t.person_id = :person_id)""",
    # What was for them alone, and what says to others who they are.
    f"""update dispatches set body = null where organisation_id = :organisation_id
        and body is not null and notice_id in (select id from notices where {_ABOUT})""",  # noqa: S608
    f"""update notices set facts = '{{}}', file = null, picture = null
        where {_ABOUT} and facts <> '{{}}'""",  # noqa: S608
    # The digests that they were told, which nobody else was.
    """update notices set facts = '{}' where organisation_id = :organisation_id
        and id in (select g.notice_id from digests g where g.organisation_id = :organisation_id
            and g.person_id = :person_id)""",
    """update dispatches set body = null where organisation_id = :organisation_id
        and notice_id in (select n.id from notices n join tasks t on t.id = n.task_id
            where n.organisation_id = :organisation_id and t.organisation_id = :organisation_id
            and t.person_id = :person_id)""",
    """update notice_places set owner_id = null where organisation_id = :organisation_id
        and owner_id = :person_id""",
)
"""What is done with what somebody was told who is erased, and with notices about their tasks
(core/redaction.py)."""
