"""What is known of the addresses that mail goes to: what bounced, what was paused, who was answered
lately."""

from datetime import datetime, timedelta
from uuid import UUID

from core import accounts
from core.db import execute, fetch_all, fetch_one
from core.inbound import Sender
from core.unit import Unit

PAUSED_FOR = timedelta(days=7)
"""After two hard bounces in a row; then it is tried again."""
_TOLERATED = 2
_ANSWERED_AGAIN = timedelta(hours=24)
MOST_ANSWERS = 20
"""Answers to one address within an hour: more than anybody asks, and the end of a loop."""
MOST_LETTERS = 120
"""Letters of tasks to one address within an hour."""


async def takes_answer(work: Unit, organisation_id: UUID, address: str, *, automatic: bool) -> bool:
    """Whether an answer may go there, which it then counts as. Never to ourselves, nor to a paused
    address; an automatic one once a day (RFC 3834, 2); of others not too many an hour."""
    scope = {"organisation_id": organisation_id, "address": address.lower()}
    row = await fetch_one(
        work.connection,
        "select exists (select from mailboxes b where b.address = :address"
        " and b.removed_at is null) as ours,"  # across organisations: two of ours answer no more
        " exists (select from mail_addresses where organisation_id = :organisation_id"
        " and address = :address and paused_until > now()) as paused,"
        " (select count(*) from letters where organisation_id = :organisation_id"
        " and recipient = :address and thread_id is null"
        " and created_at > now() - interval '1 hour') as lately",
        scope,
    )
    assert row is not None  # noqa: S101  # it always has one row
    if row.ours or row.paused or row.lately >= MOST_ANSWERS:
        return False
    if not automatic:
        return True
    taken = await fetch_one(
        work.connection,
        "insert into mail_addresses as a (organisation_id, address, answered_at)"
        " values (:organisation_id, :address, now()) on conflict (organisation_id, address)"
        " do update set answered_at = now() where a.answered_at is null"
        " or a.answered_at < now() - make_interval(secs => :again) returning address",
        {**scope, "again": _ANSWERED_AGAIN.total_seconds()},
    )
    return taken is not None


async def bounced(work: Unit, sender: Sender, organisation_id: UUID) -> datetime | None:
    """Count a hard bounce of an address. After two in a row it is paused: until then, whoever it is
    of is told elsewhere. None where it is not."""
    row = await fetch_one(
        work.connection,
        "insert into mail_addresses as a (organisation_id, address, bounces, bounced_at)"
        " values (:organisation_id, :address, 1, now()) on conflict (organisation_id, address)"
        " do update set bounces = a.bounces + 1, bounced_at = now(),"
        " paused_until = case when a.bounces + 1 >= :tolerated"
        " then now() + make_interval(secs => :pause) else a.paused_until end"
        " returning bounces, paused_until",
        {
            "organisation_id": organisation_id,
            "address": sender.account,
            "tolerated": _TOLERATED,
            "pause": PAUSED_FOR.total_seconds(),
        },
    )
    assert row is not None  # noqa: S101  # it was written
    if row.bounces < _TOLERATED:
        return None
    await accounts.unreachable(work, sender)
    until: datetime = row.paused_until
    return until


async def alive(work: Unit, sender: Sender) -> None:
    """A mail came from that address, surely: what is sent there arrives again."""
    row = await fetch_one(
        work.connection,
        "update mail_addresses set bounces = 0, paused_until = null"
        # across organisations: an account belongs to exactly one, and says which
        " where address = :address and (bounces > 0 or paused_until is not null)"
        " and organisation_id = (select organisation_id from accounts where platform = :platform"
        " and workspace = :workspace and external_id = :address) returning address",
        {
            "platform": sender.platform,
            "workspace": sender.workspace,
            "address": sender.account,
        },
    )
    if row is not None:
        await accounts.reachable(work, sender)


async def resume(work: Unit) -> None:
    """Pauses that are over: these addresses are tried again, and one more bounce pauses them."""
    rows = await fetch_all(
        work.connection,
        # across organisations: the house looks after itself
        "with over as (select a.organisation_id, a.address from mail_addresses a"
        " where a.paused_until <= now() limit 100 for update skip locked)"
        " update mail_addresses a set paused_until = null, bounces = :left from over o"
        " where a.organisation_id = o.organisation_id and a.address = o.address"
        " returning a.address, (select slug from organisations g where g.id = a.organisation_id)",
        {"left": _TOLERATED - 1},
    )
    for row in rows:
        await accounts.reachable(work, Sender("email", row.slug, row.address))


async def forget(work: Unit, organisation_id: UUID, address: str) -> None:
    """Nothing is known of it any more, as it is of somebody who was erased."""
    await execute(
        work.connection,
        "delete from mail_addresses where organisation_id = :organisation_id"
        " and address = :address",
        {"organisation_id": organisation_id, "address": address},
    )
