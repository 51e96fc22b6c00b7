"""Mail that goes in a circle: our own that comes back, and programs that answer each other."""

from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.email import ids
from bot.email.boxes import Box
from bot.email.reading.mail import Mail
from bot.email.recipients import without_tag
from core.db import fetch_one, fetch_one_alone
from core.house import House

MOST_HOPS = 50
"""Servers a mail may have passed, as Postfix has it (`hopcount_limit`)."""

MOST_REPLIES = 30
"""Replies of one address that are answered or acted on within `REPLIES_WITHIN`."""
REPLIES_WITHIN = timedelta(hours=1)


async def is_ours(house: House, mail: Mail) -> bool:
    """Whether it is a mail of ours, or one of our own mailboxes is said to have sent it."""
    if mail.message_id is not None and ids.letter_of(house, mail.message_id) is not None:
        return True
    row = await fetch_one_alone(
        house.engine,
        # across organisations: two of ours that write to each other never end
        "select 1 from mailboxes where address = any(:addresses) and removed_at is null limit 1",
        {"addresses": [without_tag(sender.address) for sender in mail.senders]},
    )
    return row is not None


def has_gone_round(mail: Mail) -> bool:
    """Whether it has passed more servers than any mail does."""
    return sum(name.lower() == "received" for name, _ in mail.headers) > MOST_HOPS


async def too_many(connection: AsyncConnection, box: Box, address: str) -> bool:
    """Whether so many replies came from an address that no person can have written them."""
    row = await fetch_one(
        connection,
        "select count(*) as n from mails where organisation_id = :organisation_id"
        " and received_at > now() - make_interval(secs => :within) and sender = :sender"
        " and state = 'done' and reason in ('continued', 'answered', 'decided')",
        {
            "organisation_id": box.organisation_id,
            "within": REPLIES_WITHIN.total_seconds(),
            "sender": address,
        },
    )
    return row is not None and row.n >= MOST_REPLIES
