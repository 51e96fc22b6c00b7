"""What the hub tells somebody by mail, apart from any task's conversation: whose it is, and the
earlier mail about the same thing, which the next one answers."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.email.conversation import RECIPIENT, Conversation
from core.db import fetch_one, from_json
from core.ports import Place

_READ = f"""
    select d.person_id, n.task_id,
        case n.topic when 'digest' then 'digest:' else 'notice:' end || n.id as slot,
        (select jsonb_build_array(l.message_id, l.mailbox_id) from letters l
            where l.organisation_id = :organisation_id and l.id = d.id and l.id <> :call
            and l.state in ('sent', 'unknown', 'bounced')) as before,
        {RECIPIENT}
    from dispatches d join notices n on n.id = d.notice_id
    where d.organisation_id = :organisation_id and d.id = :key
"""  # noqa: S608  # constants


async def read_told(
    connection: AsyncConnection, place: Place, call: UUID, keys: Sequence[str]
) -> Conversation | None:
    """The conversation that a dispatch is; None where it is none of the hub's."""
    row = await fetch_one(
        connection,
        _READ,
        {
            "organisation_id": place.organisation_id,
            "recipient": place.channel.lower(),
            "call": call,
            "key": UUID(keys[0]),
        },
    )
    if row is None:
        return None
    before = from_json(row.before)
    return Conversation(
        task_id=row.task_id,
        reference=None,
        thread_id=None,
        person_id=row.person_id,
        slots={keys[0]: row.slot},
        ids=[before[0]] if before else [],
        asked_as=None,
        began_with=None,
        mailbox_id=UUID(before[1]) if before else None,
        paused=row.paused,
        lately=row.lately,
        no_digests=row.no_digests,
    )
