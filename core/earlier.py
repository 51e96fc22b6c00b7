"""The results of a task's revisions: of the one at hand, and of the one shown before it."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from core.agent import Agent, Results, gives, step_name
from core.codec import load
from core.db import fetch_one, from_json


@dataclass(frozen=True, slots=True)
class Earlier:
    """The last revision before this one that somebody was asked to approve, as it was then."""

    revision: int
    results: Results


async def earlier(
    connection: AsyncConnection, agent: Agent, organisation_id: UUID, task_id: UUID, revision: int
) -> Earlier | None:
    """What was shown before this revision; None where nothing was."""
    row = await fetch_one(
        connection,
        "select r.revision, r.ask, (select jsonb_agg(jsonb_build_object('name', s.name,"
        " 'result', s.result)) from steps s where s.organisation_id = :organisation_id"
        " and s.task_id = :task_id and s.revision = r.revision) as steps"
        " from revisions r where r.organisation_id = :organisation_id and r.task_id = :task_id"
        " and r.revision = (select max(a.revision) from approvals a"
        " where a.organisation_id = :organisation_id and a.task_id = :task_id"
        " and a.revision < :revision)",
        {"organisation_id": organisation_id, "task_id": task_id, "revision": revision},
    )
    if row is None:
        return None
    stored = {step["name"]: step["result"] for step in from_json(row.steps) or []}
    return Earlier(row.revision, results_of(agent, from_json(row.ask), stored))


def results_of(agent: Agent, ask: Any, stored: dict[str, Any]) -> Results:
    """The ask and the stored results of steps, by type."""
    results: dict[type, Any] = {agent.asks: load(agent.asks, ask)}
    for step in agent.steps:
        if step_name(step) in stored:
            kind = gives(step)
            results[kind] = load(kind, stored[step_name(step)])
    return results
