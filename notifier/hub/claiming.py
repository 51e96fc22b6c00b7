"""Which dispatches one lane takes in hand: what is due, critical first, each conversation in order.

A lane is a channel. What is taken belongs to this worker for a while; whoever dies leaves it to the
others, who first find out what became of it.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from core.db import execute, fetch_all, from_json
from core.unit import Unit

LEASE = timedelta(seconds=60)
"""For how long a dispatch is in hand; longer than any act on it may take."""

GIVES_UP = timedelta(hours=24)
"""What fails for now is given up after this long, and so many attempts as the settings say."""


_JSON = ("instead", "body", "extra")


@dataclass(frozen=True, slots=True)
class Claimed:
    """A dispatch in hand, with its notice as it stands.

    `lost`: it was being sent by somebody who was not heard of again. `shown`: the revision of the
    notice that stands there, 0 for none; `body` is what was on its way, or stands there.
    """

    id: UUID
    organisation_id: UUID
    notice_id: UUID
    person_id: UUID | None
    channel: str
    workspace: str
    address: str
    place_in_line: int
    instead: dict[str, Any] | None
    attempts: int
    shown: int
    sending_revision: int | None
    body: dict[str, Any] | None
    sent_channel: str | None
    external_id: str | None
    extra: dict[str, Any] | None
    lost: bool
    created_at: datetime

    @property
    def conversation(self) -> tuple[UUID, str, str]:
        return self.organisation_id, self.workspace, self.address

    @property
    def edits(self) -> bool:
        """Whether it is about what stands there already."""
        return self.shown > 0


COLUMNS = """
    d.id, d.organisation_id, d.notice_id, d.person_id, d.channel, d.workspace, d.address,
        d.place_in_line, d.instead, d.attempts, d.shown, d.sending_revision, d.body,
        d.sent_channel, d.external_id, d.extra, d.created_at, d.importance
"""
"""What `read` wants of a dispatch `d`, with `lost`."""

# Of a dispatch `d`: it is to be sent, or looked for; what stands there is to be changed.
TO_SEND = """
    (d.state = 'queued' and d.next_at <= now() or d.state = 'sending' and d.lease_until < now())
"""
TO_CHANGE = "(d.edit_at <= now() and d.state in ('sent', 'delivered', 'read'))"

# Of a conversation nothing overtakes what was tried before it, and what is at least as important.
# across organisations: a lane serves them all, but for those it is too busy with
_CLAIM = f"""
    with due as materialized (
        select d.id, d.state from dispatches d
        where d.channel = :channel and d.organisation_id <> all(cast(:busy as uuid[]))
            and ({TO_SEND} or {TO_CHANGE})
            and not exists (select from circuits c where c.organisation_id = d.organisation_id
                and c.provider in (d.channel || ':' || d.workspace, d.channel || ':' || d.address)
                and c.state <> 'closed' and c.probe_at > now())
            and not exists (select from dispatches e where e.channel = d.channel
                and e.workspace = d.workspace and e.address = d.address
                and e.organisation_id = d.organisation_id
                and (e.state = 'sending' or (e.state = 'queued' and e.attempts > 0))
                and e.id <> d.id and (e.lease_until > now() and e.state = 'sending'
                    or e.id < d.id and e.importance <= d.importance
                        and (e.next_at > now() or e.next_at > d.next_at)))
        order by d.importance, d.next_at, d.id limit :most
        for update of d skip locked
    )
    update dispatches d set lease_owner = :owner, lease_until = now() + cast(:lease as interval),
        state = 'sending', edit_at = null
    from due where d.id = due.id
    returning {COLUMNS},
        due.state = 'sending' and d.sending_revision is not null and d.shown = 0 as lost
"""  # noqa: S608  # constants


async def claim(
    work: Unit, channel: str, owner: str, busy: Collection[UUID], most: int, in_line: int
) -> Sequence[Claimed]:
    """Take at most so many of a channel, in the order in which they are to be sent: `sending` from
    this transaction's commit on, but for those that whoever calls puts back before. `in_line`: so
    many of one conversation."""
    await execute(
        work.connection,
        # across organisations: one worker takes at a time, or what another is just taking, and has
        # not committed yet, would be overtaken by what is behind it
        "select pg_advisory_xact_lock(hashtextextended('dispatches:' || :channel, 0))",
        {"channel": channel},
    )
    rows = await fetch_all(
        work.connection,
        _CLAIM,
        {
            "channel": channel,
            "owner": owner,
            "busy": list(busy),
            "lease": LEASE,
            "most": most,
        },
    )
    rows.sort(key=lambda row: (row.importance, row.id))
    taken = [read(row) for row in rows]
    met = Counter[tuple[UUID, str, str]]()
    mine: list[Claimed] = []
    spare: list[Claimed] = []
    for each in taken:
        met[each.conversation] += 1
        (mine if met[each.conversation] <= in_line else spare).append(each)
    await leave(work, spare)
    return mine


async def leave(
    work: Unit, spare: Sequence[Claimed], after: timedelta = timedelta(seconds=0)
) -> None:
    """As they were: their turn comes once those before them are done with, or after a while."""
    if spare:
        await execute(
            work.connection,
            # across organisations: those in hand, by their ids
            "update dispatches set state = case when shown > 0 then 'sent'"
            " when sending_revision is not null then 'sending' else 'queued' end,"
            " next_at = greatest(next_at, now() + cast(:after as interval)),"
            " edit_at = case when shown > 0 then now() + cast(:after as interval) end,"
            " lease_owner = null, lease_until = case when shown = 0 and sending_revision is not"
            " null then now() + cast(:after as interval) end where id = any(:ids)",
            {"ids": [each.id for each in spare], "after": after},
        )


def read(row: Any) -> Claimed:
    """A dispatch, of a row with COLUMNS and `lost`."""
    values = {name: getattr(row, name) for name in Claimed.__dataclass_fields__}
    return Claimed(**values | {name: from_json(values[name]) for name in _JSON})
