"""What is written of acts that ended, many in one transaction, and who is told instead.

Each is written only where the dispatch is still this worker's: whoever was away for too long finds
that another has it, who looks for himself what became of it.
"""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog

from audit.registry import brief
from core.db import fetch_all, to_json
from core.house import House
from core.notices import EDIT_AT_MOST, wake
from core.tags import Tag
from core.unit import Unit, unit
from core.words import same
from notifier.hub.claiming import GIVES_UP, Claimed
from notifier.hub.elsewhere import Lost, tell_elsewhere
from notifier.hub.preparing import record
from notifier.hub.sending import Ended

log = structlog.get_logger()

_LONGEST_WAIT = timedelta(minutes=10)


async def write(house: House, owner: str, ended: Sequence[Ended], attempts: int) -> None:
    """Write all of it. `attempts`: after so many what fails for now is given up."""
    async with unit(house) as work:
        rows = [_row(each, attempts) for each in ended]
        kept = await fetch_all(
            work.connection,
            _WRITE,  # names organisation_id
            {"owner": owner, "rows": to_json(rows), "pause": EDIT_AT_MOST},
        )
        mine = {row.id for row in kept}
        for each, row in zip(ended, rows, strict=True):
            if each.ready.claimed.id not in mine:
                log.warning("dispatch.lost", dispatch=str(each.ready.claimed.id))
                continue
            _record(work, each, row)
            if row["state"] == "failed":
                await tell_elsewhere(work, house, _lost(each))
        if any(row["state"] == "queued" for row in rows):
            await wake(work)


# across organisations: those in hand, by their ids; organisation_id is in their rows
# In the order of their ids, as all who lock several (core/acknowledging.py).
_WRITE = """
    with r as materialized (
        select * from jsonb_to_recordset(cast(:rows as jsonb)) as r (id uuid, organisation_id uuid,
            state text, reason text, permanent boolean, error text, wait double precision,
            edit boolean, shown integer, channel text, external_id text, extra jsonb)
    ), mine as materialized (
        select d.id from dispatches d join r on r.id = d.id
            and r.organisation_id = d.organisation_id
        where d.lease_owner = :owner and d.state = 'sending'
        order by d.id for update of d
    )
    update dispatches d set state = r.state, reason = r.reason, permanent = r.permanent,
        error = r.error, lease_owner = null,
        lease_until = case when r.state = 'sending' then now() + make_interval(secs => r.wait) end,
        next_at = now() + make_interval(secs => r.wait),
        edit_at = case when r.edit then now() + make_interval(secs => r.wait)
            when r.state = 'sent' and d.edit_at is not null
                then greatest(d.edit_at, now() + cast(:pause as interval))
            else d.edit_at end,
        shown = coalesce(r.shown, d.shown), sent_channel = coalesce(r.channel, d.sent_channel),
        external_id = coalesce(r.external_id, d.external_id), extra = coalesce(r.extra, d.extra),
        sending_revision = case when r.state = 'sending' then d.sending_revision end,
        sent_at = case when r.state = 'sent' then now() else d.sent_at end,
        dead_at = case when r.state = 'failed' then now() end
    from mine join r on r.id = mine.id where d.id = mine.id
    returning d.id
"""


def _row(ended: Ended, attempts: int) -> dict[str, Any]:  # noqa: PLR0912  # a case for each end
    claimed, told = ended.ready.claimed, ended.ready.told
    row: dict[str, Any] = {
        "id": str(claimed.id),
        "organisation_id": str(claimed.organisation_id),
        "wait": 0.0,
        "error": brief(ended.words.en) if ended.words else None,
    }
    stands = "sent" if claimed.edits else "queued"
    match ended.end:
        case "sent":
            assert ended.sent is not None  # noqa: S101  # as sending.py has it
            extra = {
                "platform": dict(ended.sent.extra),
                "count": told.count,
                "resolved": str(told.resolved).lower(),
            }
            row |= {
                "state": "sent",
                "shown": ended.ready.revision,
                "channel": ended.sent.channel,
                "external_id": ended.sent.id,
                "extra": extra,
            }
        case "unsaid":  # a summary, to who has stopped those
            row |= {"state": "dropped", "reason": "muted"}
        case "later" | "not_now":
            if ended.end == "later" and _given_up(ended, attempts):
                return row | _failed(ended, "gave_up", permanent=False)
            wait = max(_back_off(claimed.attempts), ended.after or timedelta(0))
            if ended.end == "not_now":
                wait = ended.after or timedelta(seconds=1)
            row |= {"state": stands, "wait": wait.total_seconds(), "edit": claimed.edits}
        case "again":
            row |= {"state": "queued"}
        case "lost" if claimed.edits:
            if _given_up(ended, attempts):
                return row | {"state": "sent", "shown": ended.ready.revision}
            wait = max(_back_off(claimed.attempts), ended.after or timedelta(0))
            row |= {"state": "sent", "wait": wait.total_seconds(), "edit": True}
        case "lost":
            if ended.ready.again and _given_up(ended, attempts):
                return row | {"state": "unknown", "reason": "gave_up"}
            wait = max(_back_off(claimed.attempts), ended.after or timedelta(0))
            row |= {"state": "sending", "wait": wait.total_seconds()}
        case "unknown":
            row |= _unknown(ended)
        case "failed":
            row |= _failed(ended, "refused", permanent=True)
        case "gone":
            row |= _failed(ended, "blocked", permanent=True)
    return row


def _failed(ended: Ended, reason: str, *, permanent: bool) -> dict[str, Any]:
    """Of an edit, what stands there stays as it was."""
    if ended.ready.claimed.edits:
        return {"state": "sent", "reason": reason, "shown": ended.ready.revision}
    return {"state": "failed", "reason": reason, "permanent": permanent}


def _unknown(ended: Ended) -> dict[str, Any]:
    """Of a change, what stood there before does still; it is not made once more."""
    if ended.ready.claimed.edits:
        return {"state": "sent", "shown": ended.ready.revision}
    return {"state": "unknown"}


def _given_up(ended: Ended, attempts: int) -> bool:
    claimed = ended.ready.claimed
    old = datetime.now(UTC) - claimed.created_at > GIVES_UP
    return claimed.attempts + 1 >= attempts and old


def _back_off(attempts: int) -> timedelta:
    """With jitter, so that what failed together does not come back together."""
    most = min(_LONGEST_WAIT.total_seconds(), 2 ** min(attempts, 10))
    return timedelta(seconds=most * random.uniform(0.5, 1))  # noqa: S311  # no secret


def _record(work: Unit, ended: Ended, row: dict[str, Any]) -> None:
    claimed, state = ended.ready.claimed, row["state"]
    why = row["error"] or row.get("reason") or ended.end
    if ended.end == "sent":
        assert ended.sent is not None  # noqa: S101  # as above
        record(
            work,
            claimed,
            Tag.DISPATCH_SENT,
            revision=ended.ready.revision,
            external_id=ended.sent.id[:200],
            how=ended.how,
        )
    elif state == "failed":
        record(work, claimed, Tag.DISPATCH_FAILED, reason=row["reason"], permanent=row["permanent"])
    elif "unknown" in {state, ended.end}:
        record(work, claimed, Tag.DISPATCH_UNKNOWN, reason=why)
    elif state == "dropped":
        record(work, claimed, Tag.DISPATCH_DROPPED, reason=row["reason"])
    else:
        record(work, claimed, Tag.DISPATCH_LATER, reason=why, attempt=claimed.attempts + 1)


def _lost(ended: Ended) -> Lost:
    told = ended.ready.told
    return Lost(
        ended.ready.claimed,
        told.topic,
        told.importance,
        ended.words or same(ended.end),
        gone=ended.end == "gone",
        place=ended.ready.place,
    )


_SPOILT = 5
"""So often one is tried that can't even be prepared; then somebody has to look at it."""


async def put_aside(house: House, claimed: Claimed, error: Exception) -> None:
    """Something is wrong with this one: it is tried later, and after a few times given up, so that
    it holds up nobody."""
    over = claimed.attempts + 1 >= _SPOILT
    # By its kind alone: the text of many quotes what they are about. The log has where it was.
    why = type(error).__name__
    async with unit(house) as work:
        await fetch_all(
            work.connection,
            "update dispatches set attempts = attempts + 1, error = :error, lease_owner = null,"
            " lease_until = case when state = 'sending' then now() + cast(:wait as interval) end,"
            " next_at = now() + cast(:wait as interval),"
            " edit_at = case when edit_at is not null and not :over"
            " then now() + cast(:wait as interval) end,"
            " state = case when :over and shown = 0 then 'failed' else state end,"
            " reason = case when :over then 'gave_up' end, permanent = :over,"
            " dead_at = case when :over then now() end"
            " where organisation_id = :organisation_id and id = :id returning id",
            {
                "organisation_id": claimed.organisation_id,
                "id": claimed.id,
                "error": why,
                "over": over,
                "wait": _back_off(claimed.attempts + 1),
            },
        )
        if over:
            record(work, claimed, Tag.DISPATCH_FAILED, reason="gave_up", permanent=True)
        else:
            record(work, claimed, Tag.DISPATCH_LATER, reason=why, attempt=claimed.attempts + 1)
