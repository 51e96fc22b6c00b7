"""Mails that wait to be dealt with: who has one in hand, and what becomes of its row.

A mail is claimed for a while; every write afterwards asks whether it is still claimed by whoever
writes. What is tried is counted when it begins, so that a mail which ends the process that is at it
is counted as well.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from bot.email.verdicts import Outcome, Reason
from core.db import execute, fetch_one_alone
from core.errors import LostLease
from core.ids import new_id
from core.unit import Unit

LEASE = timedelta(seconds=60)
"""Longer than a try may take (bot/email/working.py), so that nobody has to renew it."""

TRIES = 3
"""How often a mail is tried to be dealt with before it is put away."""


@dataclass(frozen=True, slots=True)
class Came:
    """A mail that waits, claimed by `claim`.

    `size` is the whole mail's in bytes, `attempts` counts this try. `kind` and `verified_by` are
    what an earlier try found out; `kind` is None where none came so far.
    """

    id: UUID
    organisation_id: UUID
    mailbox_id: UUID
    came_by: str
    envelope_from: str | None
    envelope_to: tuple[str, ...]
    message_id: str | None
    sha256: str
    size: int
    attempts: int
    received_at: datetime
    kind: str | None
    verified_by: str | None
    claim: str


_CLAIM = """
    update mails set lease_owner = :claim, attempts = attempts + 1,
        lease_until = now() + make_interval(secs => :lease)
    where state = 'received' and id = (
        select m.id from mails m where m.state = 'received' and m.next_at <= now()
            and (m.lease_until is null or m.lease_until < now())
            and (cast(:id as uuid) is null or m.id = :id)
            -- Of one mail that came twice the first is dealt with first, unless it is stuck.
            and not exists (select from mails earlier
                where earlier.organisation_id = m.organisation_id
                and earlier.message_id = m.message_id and earlier.mailbox_id = m.mailbox_id
                and earlier.state = 'received' and earlier.id < m.id
                and (earlier.received_at > now() - interval '2 minutes'
                    or earlier.lease_until > now()))
        order by m.next_at, m.id limit 1 for update of m skip locked)
    returning id, organisation_id, mailbox_id, came_by, envelope_from, envelope_to, message_id,
        sha256, size, attempts, received_at, kind, verified_by, lease_owner as claim
"""


async def claim(engine: AsyncEngine, mail_id: UUID | None = None) -> Came | None:
    """Take the next mail that is due, or that one; None where there is none."""
    values = {"claim": new_id().hex, "lease": LEASE.total_seconds(), "id": mail_id}
    # across organisations: mails of all of them wait in one line
    row = await fetch_one_alone(engine, _CLAIM, values)
    return None if row is None else _came(row)


def _came(row: Any) -> Came:
    found = dict(row)
    return Came(**{**found, "envelope_to": tuple(found["envelope_to"])})


async def content_of(engine: AsyncEngine, came: Came) -> bytes:
    """Its bytes. Raises LostLease where they are gone: somebody else has dealt with it; ValueError
    where they are not those that were stored when it came."""
    row = await fetch_one_alone(
        engine,
        "select b.content, m.sha256 from mail_bytes b join mails m on m.id = b.mail_id"
        " where b.organisation_id = :organisation_id and m.organisation_id = :organisation_id"
        " and m.id = :id",
        {"organisation_id": came.organisation_id, "id": came.id},
    )
    if row is None:
        raise LostLease
    content: bytes = row.content
    if sha256(content).hexdigest() != row.sha256:
        raise ValueError(f"mail {came.id}: its bytes are not those that came")
    return content


async def state_of(
    engine: AsyncEngine, organisation_id: UUID, mail_id: UUID
) -> tuple[str, Outcome | None]:
    """The state of a mail's row, and what became of it where it is over."""
    row = await fetch_one_alone(
        engine,
        "select m.state, m.reason, m.task_id, m.person_id, t.reference from mails m"
        " left join tasks t on t.organisation_id = m.organisation_id and t.id = m.task_id"
        " where m.organisation_id = :organisation_id and m.id = :id",
        {"organisation_id": organisation_id, "id": mail_id},
    )
    if row is None:
        return "dropped", None
    verdict = _VERDICTS.get(row.state)
    if verdict is None:
        return row.state, None
    outcome = Outcome(verdict, row.reason, row.task_id, row.reference, row.person_id)
    return row.state, outcome


_VERDICTS: dict[str, Any] = {
    "done": "accepted", "held": "held", "refused": "refused", "quarantined": "quarantined",
}  # fmt: skip
STATES = {verdict: state for state, verdict in _VERDICTS.items()}
"""The state of a row, by the verdict on its mail."""


@dataclass(frozen=True, slots=True)
class Known:
    """What a mail's row says of it once it was read."""

    kind: str
    sender: str | None
    subject: str | None
    verified_by: str | None
    message_id: str | None = None


async def note(engine: AsyncEngine, came: Came, known: Known) -> None:
    """Write what was found out of a mail before anything is done for it, so that another try after
    a crash acts on the same. Raises LostLease."""
    row = await fetch_one_alone(
        engine,
        "update mails set kind = :kind, sender = :sender, subject = :subject,"
        " verified_by = :verified_by, message_id = coalesce(message_id, :message_id)"
        " where organisation_id = :organisation_id and id = :id"
        " and state = 'received' and lease_owner = :claim returning id",
        {**_mine(came), **_row(known), "message_id": known.message_id},
    )
    if row is None:
        raise LostLease


async def settle(
    work: Unit, came: Came, known: Known, outcome: Outcome, error: str | None = None
) -> None:
    """Write what became of a mail. Raises LostLease: then nothing of this unit may be kept."""
    changed = await execute(
        work.connection,
        "update mails set state = :state, reason = :reason, kind = :kind, error = :error,"
        " sender = coalesce(:sender, sender), subject = coalesce(:subject, subject),"
        " verified_by = :verified_by, person_id = :person_id, task_id = :task_id,"
        " done_at = now(), lease_owner = null, lease_until = null"
        " where organisation_id = :organisation_id and id = :id"
        " and state = 'received' and lease_owner = :claim",
        {
            **_mine(came),
            **_row(known),
            "state": STATES[outcome.verdict],
            "reason": outcome.reason,
            "person_id": outcome.person_id,
            "task_id": outcome.task_id,
            "error": error,
        },
    )
    if not changed:
        raise LostLease


async def forget_bytes(work: Unit, came: Came) -> None:
    """The bytes lie in the store of documents by now."""
    await execute(
        work.connection,
        "delete from mail_bytes where organisation_id = :organisation_id and mail_id = :id",
        {"organisation_id": came.organisation_id, "id": came.id},
    )


async def put_off(
    engine: AsyncEngine, came: Came, after: timedelta, error: str, *, counts: bool
) -> None:
    """Give a mail back, for whoever looks after a while; a try that does not count never was."""
    await fetch_one_alone(
        engine,
        "update mails set lease_owner = null, lease_until = null, error = :error,"
        " next_at = now() + make_interval(secs => :after),"
        " attempts = attempts - case when cast(:counts as boolean) then 0 else 1 end"
        " where organisation_id = :organisation_id and id = :id and state = 'received'"
        " and lease_owner = :claim",
        {**_mine(came), "after": after.total_seconds(), "error": error, "counts": counts},
    )


_EARLIER = """
    select 1 from mails where organisation_id = :organisation_id and message_id = any (:references)
        and state = 'received' and id < :id
        and (received_at > now() - interval '2 minutes' or lease_until > now()) limit 1
"""


async def answers_one_that_waits(engine: AsyncEngine, came: Came, references: list[str]) -> bool:
    """Whether a mail continues another that came before it and is about to be dealt with. One that
    is stuck keeps nobody waiting."""
    if not references:
        return False
    values = {
        "organisation_id": came.organisation_id, "id": came.id, "references": references
    }  # fmt: skip
    return await fetch_one_alone(engine, _EARLIER, values) is not None


_DUPLICATE = """
    select m.task_id, t.reference from mails m
        left join tasks t on t.organisation_id = m.organisation_id and t.id = m.task_id
    where m.organisation_id = :organisation_id and m.mailbox_id = :mailbox_id
        and m.message_id = :message_id and m.sender = :sender and m.id <> :id
        and m.state in ('done', 'held') and exists (select from inbound i
            where i.organisation_id = :organisation_id and i.platform = 'email'
            and i.key = any (:keys) and i.task_id is not distinct from m.task_id)
    limit 1
"""


async def first_copy(
    engine: AsyncEngine, came: Came, message_id: str | None, sender: str, keys: Sequence[str]
) -> Outcome | None:
    """What is said of a mail that came to this mailbox before, in other bytes, and was taken in by
    one of these keys; None where it did not."""
    if message_id is None:
        return None
    row = await fetch_one_alone(
        engine,
        _DUPLICATE,
        {
            "organisation_id": came.organisation_id,
            "mailbox_id": came.mailbox_id,
            "message_id": message_id,
            "sender": sender,
            "id": came.id,
            "keys": list(keys),
        },
    )
    reason: Reason = "duplicate"
    return None if row is None else Outcome("refused", reason, row.task_id, row.reference)


def _mine(came: Came) -> dict[str, Any]:
    return {"organisation_id": came.organisation_id, "id": came.id, "claim": came.claim}


def _row(known: Known) -> dict[str, Any]:
    return {
        "kind": known.kind,
        "sender": known.sender,
        "subject": known.subject,
        "verified_by": known.verified_by,
    }
