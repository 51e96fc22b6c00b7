"""Whether there is anything to do: one cheap question for the whole hub of a process."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from core.db import fetch_one_alone
from core.house import House
from notifier.hub.claiming import TO_CHANGE, TO_SEND

# across organisations: the hub serves them all
_DUE = f"""
    select exists (select from notices n where n.fanned_at is null and n.next_at <= now())
            as notices,
        array(select c from unnest(cast(:channels as text[])) as c
            where exists (select from dispatches d where d.channel = c and {TO_SEND}
                    and d.state in ('queued', 'sending')) -- as its index has it
                or exists (select from dispatches d where d.channel = c and {TO_CHANGE}))
            as channels
"""  # noqa: S608  # constants


@dataclass(frozen=True, slots=True)
class Due:
    """Whether notices wait to be fanned out, and the channels on which something is to be sent."""

    notices: bool
    channels: Sequence[str]


async def what_is_due(house: House, channels: Collection[str]) -> Due:
    """What there is for the hub to do at this moment."""
    row = await fetch_one_alone(house.engine, _DUE, {"channels": list(channels)})
    assert row is not None  # noqa: S101  # it always has one row
    return Due(row.notices, row.channels)
