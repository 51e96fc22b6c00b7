"""Which task is meant in a conversation without threads, which all tasks share (`Spot.flat`)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from core.commands import Command
from core.db import fetch_all, fetch_one
from core.inbound import Sender, Spot
from core.request import Request

OF_WHO_DECIDES = frozenset({"approve", "reject", "return", "forward", "add", "question"})
"""Commands of whoever is to decide: which approval they mean must not be guessed."""

MUST_BE_NAMED = frozenset({"void"})
"""Commands that are for no task but the one they name, or answer to."""

FILES_WITHIN = timedelta(minutes=10)
"""So long after a request a file without words is taken for part of it."""

_HERE = (
    "exists (select from threads h where h.organisation_id = :organisation_id and h.task_id ="
    " {task} and h.platform = :platform and h.workspace = :workspace and h.channel = :channel)"
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A task that asks somebody something. `key` is its question's; None: one about its
    approval."""

    task_id: UUID
    key: str | None


async def asked(
    connection: AsyncConnection, organisation_id: UUID, person_id: UUID, sender: Sender, spot: Spot
) -> Asked | None:
    """What a person was asked last in a conversation and has not answered."""
    here = _HERE.format(task="t.id")
    row = await fetch_one(
        connection,
        "select t.id as task_id, t.question ->> 'key' as key, t.updated_at as at"  # noqa: S608
        " from tasks t where t.organisation_id = :organisation_id and t.person_id = :person_id"
        " and t.finished_at is null and t.question is not null"
        f" and {here} union all"
        " select t.id, null, n.created_at from approval_notes n"
        " join approvals a on a.id = n.approval_id join tasks t on t.id = n.task_id"
        " where n.organisation_id = :organisation_id and t.person_id = :person_id"
        f" and t.finished_at is null and n.kind = 'question' and a.state = 'pending' and {here}"
        " and not exists (select from approval_notes b"
        " where b.organisation_id = :organisation_id and b.answers_id = n.id)"
        " order by at desc limit 1",
        _where(organisation_id, sender, spot) | {"person_id": person_id},
    )
    return Asked(row.task_id, row.key) if row else None


async def answered(connection: AsyncConnection, request: Request) -> UUID | None:
    """The task that free words are about: whose message they quote, else the one that asks.

    What Miyabi merely overhears is about a message that it quotes, or about nothing.
    """
    if request.inbound.spot.quotes is not None:
        found = await _quoted(connection, request)
        if found is not None:
            return found
    if not request.inbound.addressed:
        return None
    person, inbound = request.person, request.inbound
    asks = await asked(connection, person.organisation_id, person.id, inbound.sender, inbound.spot)
    return asks.task_id if asks else None


async def meant(connection: AsyncConnection, request: Request, command: Command) -> UUID | None:
    """The task of a command that names none; None where that can't be told for certain enough."""
    quotes = request.inbound.spot.quotes is not None
    found = await _quoted(connection, request) if quotes else None
    if found is not None or command.name in MUST_BE_NAMED:
        return found
    if command.name in OF_WHO_DECIDES:
        waiting = await _waiting(connection, request)
        if len(waiting) > 1 or (quotes and waiting):
            return None
        if waiting:
            return waiting[0]
    return await _newest(connection, request)


async def for_files(connection: AsyncConnection, request: Request) -> UUID | None:
    """The task that files without words are for: one whose message they quote, that asks, or that
    was asked for a moment ago. Only of an agent that takes files."""
    takes = [name for name, agent in request.house.agents.items() if agent.attach is not None]
    found = await answered(connection, request)
    if found is None:
        found = await _newest(connection, request, within=FILES_WITHIN)
    if found is None or request.inbound.spot.quotes is not None:
        return found
    row = await fetch_one(
        connection,
        "select 1 from tasks where organisation_id = :organisation_id and id = :id"
        " and agent = any(:takes) and finished_at is null",
        {"organisation_id": request.person.organisation_id, "id": found, "takes": takes},
    )
    return found if row else None


async def _quoted(connection: AsyncConnection, request: Request) -> UUID | None:
    """The task of the message that this one quotes. One message of ours may be shown as several:
    `extra` tells of the others, by the ids that their platform gave them."""
    row = await fetch_one(
        connection,
        "select m.task_id from threads h join messages m on m.thread_id = h.id"
        " where h.organisation_id = :organisation_id and h.platform = :platform"
        " and h.workspace = :workspace and h.channel = :channel and (m.external_id = :quotes"
        " or m.extra ->> 'last' = :quotes"
        " or :quotes = any(string_to_array(m.extra ->> 'ids', ','))) limit 1",
        _of(request) | {"quotes": request.inbound.spot.quotes},
    )
    return row.task_id if row else None


async def _waiting(connection: AsyncConnection, request: Request) -> Sequence[UUID]:
    """The tasks shown here that wait for this person's decision."""
    here = _HERE.format(task="s.task_id")
    rows = await fetch_all(
        connection,
        "select distinct s.task_id from approval_seats s"  # noqa: S608
        " where s.organisation_id = :organisation_id and s.holder_id = :person_id"
        f" and s.state = 'open' and {here} limit 2",
        _of(request) | {"person_id": request.person.id},
    )
    return [row.task_id for row in rows]


async def _newest(
    connection: AsyncConnection, request: Request, within: timedelta | None = None
) -> UUID | None:
    """What this person asked for last in this conversation; where it is theirs alone and they asked
    for nothing, what was shown to them last."""
    here = _HERE.format(task="t.id")
    row = await fetch_one(
        connection,
        "select t.id from tasks t where t.organisation_id = :organisation_id"  # noqa: S608
        f" and t.person_id = :person_id and {here}"
        " and (cast(:within as interval) is null or t.created_at > now() - :within)"
        " order by t.created_at desc limit 1",
        _of(request) | {"person_id": request.person.id, "within": within},
    )
    if row is not None:
        return UUID(str(row.id))
    alone = request.inbound.spot.channel == request.inbound.sender.account
    if not alone or within is not None:
        return None
    row = await fetch_one(
        connection,
        "select task_id from threads where organisation_id = :organisation_id"
        " and platform = :platform and workspace = :workspace and channel = :channel"
        " order by created_at desc limit 1",
        _of(request),
    )
    return row.task_id if row else None


def _of(request: Request) -> dict[str, Any]:
    inbound = request.inbound
    return _where(request.person.organisation_id, inbound.sender, inbound.spot)


def _where(organisation_id: UUID, sender: Sender, spot: Spot) -> dict[str, Any]:
    return {
        "organisation_id": organisation_id,
        "platform": sender.platform,
        "workspace": sender.workspace,
        "channel": spot.channel,
    }
