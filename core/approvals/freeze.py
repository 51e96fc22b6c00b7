"""Freezes a route when a request is submitted: what changes later touches only new requests."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from core.agent import Agent, Terms
from core.approvals.chart import read_chart
from core.approvals.freezing import Asked, freeze_route
from core.approvals.plan import Plan
from core.approvals.routes import route_for
from core.house import House


async def freeze(
    connection: AsyncConnection,
    house: House,
    organisation_id: UUID,
    route_name: str,
    agent: Agent,
    requester_id: UUID,
    authors: frozenset[UUID],
    terms: Terms,
    now: datetime,
    *,
    version: int | None = None,
) -> Plan:
    """Who decides on a request, by the route in force or by a `version` of it (0: built in).

    Raises Refused where nobody can decide it, with the reason; nothing was stored.
    """
    agents = [agent, *(each for each in house.agents.values() if each.name != agent.name)]
    named = await route_for(connection, organisation_id, route_name, agents, version)
    chart = await read_chart(connection, organisation_id, now)
    asked = Asked(requester_id, authors, agent.name, terms)
    return freeze_route(chart, named, asked, now)
