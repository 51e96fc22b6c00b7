"""Which route a request takes: the organisation's own, its agent's sample, or one approver."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.event import SYSTEM, Actor, Event
from core.agent import Agent, Approval, TermKind
from core.approvals.conditions import TERMS
from core.approvals.freezing import NamedRoute
from core.approvals.route import Route
from core.approvals.route_file import part_of, read_routes
from core.db import execute, fetch_all, fetch_one
from core.tags import Tag
from core.unit import Unit

_DEFAULT = """
[routes.default]
[[routes.default.steps]]
name = "承認"
who = [{ role = "approver" }]
"""


@dataclass(frozen=True, slots=True)
class Stored:
    """A version of an organisation's route. An empty `source` puts it out of force."""

    name: str
    version: int
    source: str


@lru_cache(maxsize=256)
def _read(source: str) -> Mapping[str, Route]:
    return read_routes(source)


def built_in(name: str, agents: Iterable[Agent]) -> NamedRoute:
    """The route of that name that the first of these agents brought along, else the default."""
    for agent in agents:
        found = _read(agent.route).get(name) if agent.route else None
        if found is not None:
            return NamedRoute(name, 0, found)
    return NamedRoute(name, 0, _read(_DEFAULT)["default"])


def kinds_of(name: str, agents: Iterable[Agent]) -> Mapping[str, TermKind]:
    """What the conditions of a route may ask for: of the agents that take it, else of any."""
    agents = list(agents)
    takes = [agent for agent in agents if name in routes_of(agent)] or agents
    kinds = dict(TERMS)
    for agent in takes:
        kinds.update(agent.own_terms)
    return kinds


def routes_of(agent: Agent) -> list[str]:
    """The names of the routes that an agent's approvals take."""
    return [step.route for step in agent.steps if isinstance(step, Approval)]


def read_stored(stored: Stored) -> NamedRoute | None:
    """A stored version, read; None where it is one that puts the route out of force."""
    if not stored.source:
        return None
    return NamedRoute(stored.name, stored.version, _read(stored.source)[stored.name])


async def route_for(
    connection: AsyncConnection,
    organisation_id: UUID,
    name: str,
    agents: Iterable[Agent],
    version: int | None = None,
) -> NamedRoute:
    """The route of that name that is in force; or its `version`, where one is asked for.

    The first of `agents` is the one that asks. Raises LookupError for a version there never was.
    """
    if version == 0:
        return built_in(name, agents)
    row = await fetch_one(
        connection,
        "select name, version, source from routes where organisation_id = :organisation_id"
        " and name = :name and version = coalesce(cast(:version as integer), version)"
        " order by version desc limit 1",
        {"organisation_id": organisation_id, "name": name, "version": version},
    )
    if row is None and version is not None:
        raise LookupError(f"the route {name} never had a version {version}")
    own = read_stored(Stored(**row._mapping)) if row else None
    return own or built_in(name, agents)


async def all_stored(connection: AsyncConnection, organisation_id: UUID) -> list[Stored]:
    """The newest version of each route that the organisation ever had of its own."""
    rows = await fetch_all(
        connection,
        "select distinct on (name) name, version, source from routes"
        " where organisation_id = :organisation_id order by name, version desc",
        {"organisation_id": organisation_id},
    )
    return [Stored(**row._mapping) for row in rows]


async def in_force(
    connection: AsyncConnection, organisation_id: UUID, agents: Collection[Agent]
) -> list[NamedRoute]:
    """Every route that a request of the organisation may take now, by name."""
    names = {name for agent in agents for name in routes_of(agent)}
    names |= {name for agent in agents if agent.route for name in _read(agent.route)}
    found = {name: built_in(name, agents) for name in names}
    for stored in await all_stored(connection, organisation_id):
        own = read_stored(stored)
        if own is not None:
            found[stored.name] = own
    return [found[name] for name in sorted(found)]


async def put(
    work: Unit,
    organisation_id: UUID,
    source: str,
    names: Iterable[str],
    *,
    made_by: UUID | None = None,
    actor: Actor = SYSTEM,
) -> list[Stored]:
    """Put these routes of a file's text in force; gives those that are new or have changed.

    The text was checked before (`read_routes`). One request at a time for an organisation.
    """
    await execute(
        work.connection,
        "select id from organisations where id = :organisation_id for update",
        {"organisation_id": organisation_id},
    )
    before = {stored.name: stored for stored in await all_stored(work.connection, organisation_id)}
    changed = []
    for name in names:
        old = before.get(name) or Stored(name, 0, "")
        new = Stored(name, old.version + 1, part_of(source, name) if source else "")
        if new.source != old.source:
            await _insert(work, organisation_id, new, made_by, actor)
            changed.append(new)
    return changed


async def _insert(
    work: Unit, organisation_id: UUID, new: Stored, made_by: UUID | None, actor: Actor
) -> None:
    await execute(
        work.connection,
        "insert into routes (organisation_id, name, version, source, made_by)"
        " values (:organisation_id, :name, :version, :source, :made_by)",
        {
            "organisation_id": organisation_id,
            "name": new.name,
            "version": new.version,
            "source": new.source,
            "made_by": made_by,
        },
    )
    work.record(
        Event(
            organisation_id,
            organisation_id,
            Tag.ROUTE_CHANGED,
            {
                "route": new.name,
                "version": new.version,
                "source_sha256": sha256(new.source.encode()).hexdigest(),
                "in_force": bool(new.source),
            },
            actor,
        )
    )
