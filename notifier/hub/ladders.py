"""How a notice climbs from one person to the next until somebody says that they have it.

Pure but for `begin`. A rung that comes late (we were away, or a clock jumped) is told once, and the
next so many minutes after that: never several at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from core.db import execute
from core.notices import Ladder, Recipient
from core.unit import Unit

Told = Literal["climbing", "expired", "exhausted"]


@dataclass(frozen=True, slots=True)
class Step:
    """What is due of a ladder: whom to tell, how many rungs are told then, and when to look again.

    `state` is the escalation's afterwards: `expired` where its time is over, `exhausted` where the
    last rung has not acknowledged either.
    """

    state: Told
    rung: int
    tell: Sequence[Recipient] = ()
    next_at: datetime | None = None


def step(ladder: Ladder, ends: datetime, rung: int, now: datetime) -> Step:
    """What to do of a ladder of which so many rungs have been told, at a moment at which the next
    is due and nobody has acknowledged."""
    if now >= ends:
        return Step("expired", rung)
    if rung >= len(ladder.rungs):
        return Step("exhausted", rung)
    again = min(now + timedelta(minutes=ladder.minutes), ends)
    return Step("climbing", rung + 1, ladder.rungs[rung], again)


async def begin(work: Unit, organisation_id: UUID, *notice_ids: UUID) -> None:
    """The first people of these notices are being told: count the minutes from now. What has no
    ladder has none. From its end on nobody is told any more."""
    await execute(
        work.connection,
        "with begun as (insert into escalations (notice_id, organisation_id, next_at)"
        " select id, :organisation_id, now() + make_interval(mins => least("
        " (ladder ->> 'minutes')::int, (ladder ->> 'expires_minutes')::int)) from notices"
        " where organisation_id = :organisation_id and id = any(:ids) and ladder is not null"
        " and acknowledged_at is null on conflict (notice_id) do nothing returning notice_id)"
        " update notices n set expires_at = least(n.expires_at,"
        " now() + make_interval(mins => (ladder ->> 'expires_minutes')::int))"
        " from begun where n.organisation_id = :organisation_id and n.id = begun.notice_id",
        {"organisation_id": organisation_id, "ids": list(notice_ids)},
    )
