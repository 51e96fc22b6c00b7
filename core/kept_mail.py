"""How long mails are kept, and what goes of them when somebody is erased.

A mail of which a task came lies in the store as long as documents. Of any other the bytes go after
a while, and what its row says of people; the row itself stays, as a mailbox that is read anew has
the same mails in it.
"""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from core.db import execute

_READ_AFTER = 3
"""Times as long as others are those kept that nobody could read: somebody may have to look."""

# across organisations: mails of all of them
_BYTES = """
    delete from mail_bytes where mail_id in (
        select m.id from mails m join mail_bytes b on b.mail_id = m.id
        where m.state <> 'received' and m.done_at < now() - make_interval(secs =>
            :kept * case when m.state = 'quarantined' then :longer else 1 end)
        limit :batch)
"""
# across organisations: likewise
_WORDS = """
    update mails set sender = null, subject = null, envelope_from = null, envelope_to = '{}',
        error = null
    where id in (
        select id from mails where (state in ('refused', 'dropped')
                or state in ('held', 'quarantined') and task_id is null)
            and done_at < now() - make_interval(secs =>
                :kept * case when state = 'quarantined' then :longer else 1 end)
            and (sender is not null or subject is not null or envelope_from is not null
                or error is not null)
        limit :batch)
"""
# across organisations: letters of all of them
_LETTERS = """
    update letters set content = null where id in (
        select id from letters where content is not null and state not in ('queued', 'sending')
            and created_at < now() - make_interval(secs => :kept)
        limit :batch)
"""
# across organisations: likewise. Of an answer to somebody whom we do not know nothing stays.
_STRANGERS = """
    update letters set recipient = '', error = null where id in (
        select id from letters where recipient <> '' and person_id is null and task_id is null
            and thread_id is null and state not in ('queued', 'sending')
            and created_at < now() - make_interval(secs => :kept)
        limit :batch)
"""
# across organisations: likewise. Nothing is known of them but that they were answered, long ago.
_ANSWERED = """
    delete from mail_addresses where (organisation_id, address) in (
        select organisation_id, address from mail_addresses
        where bounces = 0 and paused_until is null and not no_digests
            and greatest(answered_at, bounced_at) < now() - make_interval(secs => :kept)
        limit :batch)
"""
# across organisations: likewise
_TOKENS = """
    delete from reply_tokens where id in (
        select id from reply_tokens where expires_at < now() - make_interval(secs => :kept)
        limit :batch)
"""


async def forget(connection: AsyncConnection, kept: timedelta, batch: int) -> int:
    """Forget what was dealt with so long ago, at most a batch of each kind; of how many rows at
    most."""
    limits = {"kept": kept.total_seconds(), "batch": batch}
    longer = {**limits, "longer": _READ_AFTER}
    return max(
        await execute(connection, _BYTES, longer),
        await execute(connection, _WORDS, longer),
        await execute(connection, _LETTERS, limits),
        await execute(connection, _STRANGERS, limits),
        await execute(connection, _ANSWERED, limits),
        await execute(connection, _TOKENS, limits),
    )


_ADDRESSES = """select a.external_id from accounts a where a.organisation_id = :organisation_id
    and a.person_id = :person_id and position('@' in a.external_id) > 0"""
_THEIR_TASKS = """select t.id from tasks t where t.organisation_id = :organisation_id
    and t.person_id = :person_id"""
_FROM_THEM = f"""select m.id from mails m where m.organisation_id = :organisation_id
    and (m.person_id = :person_id or m.sender in ({_ADDRESSES}))"""  # noqa: S608

THEIRS: Sequence[str] = (
    f"""delete from mail_bytes where organisation_id = :organisation_id
        and mail_id in ({_FROM_THEM})""",  # noqa: S608
    # One that nobody has dealt with yet has nothing any more that could be dealt with.
    f"""update mails set subject = null, envelope_from = null, envelope_to = '{{}}',
            message_id = null, error = null, sender = null,
            state = case when state in ('received', 'quarantined') then 'dropped' else state end
        where organisation_id = :organisation_id and id in ({_FROM_THEM})
        and (sender is not null or subject is not null or message_id is not null)""",  # noqa: S608
    f"""update letters set recipient = '', content = null, error = null,
            state = case when state in ('queued', 'sending') then 'failed' else state end
        where organisation_id = :organisation_id and recipient <> ''
        and (person_id = :person_id or recipient in ({_ADDRESSES}))""",  # noqa: S608
    # What others wrote and were written of their tasks: their words are quoted there.
    f"""update letters set content = null where organisation_id = :organisation_id
        and task_id in ({_THEIR_TASKS}) and content is not null
        and state not in ('queued', 'sending')""",  # noqa: S608
    f"""update mails set subject = null where organisation_id = :organisation_id
        and task_id in ({_THEIR_TASKS}) and subject is not null""",  # noqa: S608
    f"""delete from mail_addresses where organisation_id = :organisation_id
        and address in ({_ADDRESSES})""",  # noqa: S608
    "delete from reply_tokens where organisation_id = :organisation_id and person_id = :person_id",
)
"""What is done with mails of somebody who is erased, and with letters to them (core/redaction.py).
Their addresses are those of their accounts, which go last."""
