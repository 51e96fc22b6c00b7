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
