"""A conversation by mail: whose it is, what was written in it so far, what its next mail is called
and which mailbox that comes from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.parser import BytesHeaderParser
from email.policy import default
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.email import boxes
from bot.email.boxes import Box
from bot.email.subjects import answering, beginning
from core.db import fetch_all, fetch_one
from core.errors import Unreachable
from core.house import House
from core.messages import Message
from core.ports import Place


@dataclass(frozen=True, slots=True)
class Conversation:
    """A task's thread with one person; without a thread it is a notice of the hub (told.py).
    `slots`: what each delivery of a call shows, by its id. `ids`: the mails in it, the oldest
    first; `lately`: letters to that address within the hour."""

    task_id: UUID | None
    reference: int | None
    thread_id: UUID | None
    person_id: UUID
    slots: Mapping[str, str]
    ids: Sequence[str]
    asked_as: str | None
    began_with: bytes | None
    mailbox_id: UUID | None
    paused: bool
    lately: int
    no_digests: bool

    def subject(self, message: Message) -> str:
        """What the next mail is called: as what is answered, or as what we began with."""
        if self.asked_as is not None or not self.ids:
            return answering(self.asked_as, message, self.reference)
        known = None
        if self.began_with is not None:
            headers = BytesHeaderParser(policy=default).parsebytes(self.began_with)
            known = str(headers.get("Subject", "")) or None
        return answering(known or beginning(message, self.reference), message, self.reference)


# What is known of an address, as columns.
RECIPIENT = """
        exists (select from mail_addresses a where a.organisation_id = :organisation_id
            and a.address = :recipient and a.paused_until > now()) as paused,
        exists (select from mail_addresses a where a.organisation_id = :organisation_id
            and a.address = :recipient and a.no_digests) as no_digests,
        (select count(*) from letters l where l.organisation_id = :organisation_id
            and l.recipient = :recipient and l.created_at > now() - interval '1 hour') as lately
"""

_READ = f"""
    with said as (
        select d.id, d.slot, d.task_id, d.thread_id from deliveries d
        where d.organisation_id = :organisation_id and d.id = any(:keys)
    ), of as (
        select t.id as task_id, t.reference, h.id as thread_id, h.root,
            coalesce(h.person_id, t.person_id) as person_id
        from (select distinct task_id, thread_id from said) a
        join tasks t on t.id = a.task_id join threads h on h.id = a.thread_id
        where t.organisation_id = :organisation_id and h.organisation_id = :organisation_id
    )
    select of.task_id, of.reference, of.thread_id, of.person_id,
        (select jsonb_object_agg(said.id, said.slot) from said) as slots,
        asked.subject as asked_as,
        coalesce(
            (select l.mailbox_id from letters l where l.organisation_id = :organisation_id
                and l.thread_id = of.thread_id and l.id <> :call order by l.id desc limit 1),
            asked.mailbox_id,
            (select m.mailbox_id from mails m where m.organisation_id = :organisation_id
                and m.task_id = of.task_id order by m.received_at limit 1)) as mailbox_id,
        (select substring(l.content for 4096) from letters l
            where l.organisation_id = :organisation_id and l.thread_id = of.thread_id
            and l.state in ('sent', 'unknown', 'bounced') and l.id <> :call
            order by l.id limit 1) as began_with,
        {RECIPIENT}
    from of left join lateral (
        select m.subject, m.mailbox_id from mails m
        where m.organisation_id = :organisation_id and m.message_id = of.root
            and (m.task_id = of.task_id or m.task_id is null and lower(m.sender) = :recipient)
        order by m.task_id is null, m.received_at limit 1
    ) asked on true
"""  # noqa: S608  # constants

_IDS = """
    select message_id from (
        select m.message_id, m.received_at as at from mails m
        where m.organisation_id = :organisation_id and m.task_id = :task_id
            and m.person_id = :person_id and m.message_id is not null
        union all
        select l.message_id, coalesce(l.sent_at, l.created_at) from letters l
        where l.organisation_id = :organisation_id and l.task_id = :task_id
            and l.recipient = :recipient and l.state in ('sent', 'unknown', 'bounced')
            and l.id <> :call
    ) as written order by at
"""


async def read_conversation(
    connection: AsyncConnection, place: Place, call: UUID, keys: Sequence[str]
) -> Conversation | None:
    """The conversation that some deliveries are said in; None where they are none of a task's."""
    scope = {
        "organisation_id": place.organisation_id,
        "recipient": place.channel.lower(),
        "call": call,
    }
    row = await fetch_one(
        connection,
        _READ,  # names organisation_id
        {**scope, "keys": [UUID(key) for key in keys]},
    )
    if row is None:
        return None
    written = await fetch_all(
        connection,
        _IDS,  # names organisation_id
        {**scope, "task_id": row.task_id, "person_id": row.person_id},
    )
    ids = [each.message_id for each in written]
    if place.thread is not None and place.thread not in ids:
        ids.insert(0, place.thread)
    return Conversation(**{**row._asdict(), "ids": ids})


async def box_of(house: House, conversation: Conversation, place: Place, none: Unreachable) -> Box:
    """The mailbox that it goes on from; without one that is there still, the organisation's first,
    rather one for everything. Raises `none` where it has none."""
    found = await boxes.of_organisation(house, place.organisation_id)
    own = [box for box in found if box.id == conversation.mailbox_id]
    general = [box for box in found if box.purpose == "general"]
    for box in (*own, *general, *found):
        return box
    raise none
