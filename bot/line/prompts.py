"""What somebody's next message in a chat is: why they reject, what their receipt is for."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from core.arrivals import Arrival
from core.db import fetch_alone, fetch_one_alone
from core.house import House

LASTS = timedelta(minutes=10)
REQUEST = "request"
"""The next message is a request: of that agent, and with these files."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """What was asked for. `action` is that of the press it completes, or REQUEST."""

    action: str
    facts: Mapping[str, Any] = field(default_factory=dict)


async def ask_for(house: House, arrival: Arrival, prompt: Prompt) -> None:
    """Take whoever this is from for their next message here; what was asked for before is not."""
    await fetch_alone(
        house.engine,
        "insert into prompts (organisation_id, platform, workspace, channel, account, action,"
        " value, expires_at) values (:organisation_id, :platform, :workspace, :channel, :account,"
        " :action, :value, now() + :lasts) on conflict (platform, workspace, channel, account)"
        " do update set action = excluded.action, value = excluded.value,"
        " expires_at = excluded.expires_at returning action",
        _whose(arrival) | _what(prompt) | {"lasts": LASTS},
    )


async def asked_for(engine: AsyncEngine, arrival: Arrival) -> Prompt | None:
    """What is asked for of whoever this is from, in this chat."""
    row = await fetch_one_alone(
        engine,
        "select action, value from prompts where organisation_id = :organisation_id"
        " and platform = :platform and workspace = :workspace and channel = :channel"
        " and account = :account and expires_at > now()",
        _whose(arrival),
    )
    return Prompt(row.action, json.loads(row.value)) if row else None


# The words of whoever is asked two things are for the one that they were asked last.
_OVERTAKEN = """
    select 1 from prompts p
        join accounts a on a.organisation_id = p.organisation_id and a.platform = p.platform
            and a.workspace = p.workspace and a.external_id = p.account
        join threads h on h.organisation_id = p.organisation_id and h.platform = p.platform
            and h.workspace = p.workspace and h.channel = p.channel
        join tasks t on t.id = h.task_id and t.person_id = a.person_id and t.finished_at is null
        join messages m on m.thread_id = h.id and m.slot = 'question:' || (t.question ->> 'id')
    where p.organisation_id = :organisation_id and p.platform = :platform
        and p.workspace = :workspace and p.channel = :channel and p.account = :account
        and m.posted_at > p.expires_at - cast(:lasts as interval)
    limit 1
"""


async def is_overtaken(engine: AsyncEngine, arrival: Arrival) -> bool:
    """Whether whoever this is from was asked a question of their own here after what is asked for,
    and has not answered it."""
    values = _whose(arrival) | {"lasts": LASTS}
    return await fetch_one_alone(engine, _OVERTAKEN, values) is not None


async def forget(house: House, arrival: Arrival, prompt: Prompt | None = None) -> None:
    """Ask for nothing any more; with a prompt, only if that is what is asked for."""
    what = _what(prompt) if prompt is not None else {"action": None, "value": None}
    await fetch_alone(
        house.engine,
        "delete from prompts where organisation_id = :organisation_id and platform = :platform"
        " and workspace = :workspace and channel = :channel and account = :account"
        " and (cast(:action as text) is null or (action = :action and value = :value))"
        " returning action",
        _whose(arrival) | what,
    )


def _whose(arrival: Arrival) -> dict[str, Any]:
    return {
        "organisation_id": arrival.organisation_id,
        "platform": arrival.platform,
        "workspace": arrival.workspace,
        "channel": arrival.chat,
        "account": arrival.account,
    }


def _what(prompt: Prompt) -> dict[str, str]:
    return {"action": prompt.action, "value": json.dumps(prompt.facts, sort_keys=True)}
