"""Direct conversations about a task: with whom, by which of their accounts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from core.db import execute, fetch_all, to_json
from core.ids import new_id
from core.people import Account
from core.unit import Unit
from notifier.choosing import in_order, is_muted
from notifier.hub.decision import Decision


@dataclass(frozen=True, slots=True)
class About:
    """The task, and where it lives."""

    organisation_id: UUID
    task_id: UUID
    platform: str | None = None
    workspace: str | None = None


@dataclass(frozen=True, slots=True)
class Reached:
    """A direct conversation each with some people's accounts, and who has none that is reached."""

    threads: Sequence[UUID]
    nowhere: Sequence[UUID]


async def conversations(
    work: Unit, about: About, people: Sequence[UUID], decided: Mapping[UUID, Decision]
) -> Reached:
    """Those with each person by the ways that were decided; of whom nothing was, where the task
    lives, and without an account there, all they have."""
    every = await _accounts(work.connection, about.organisation_id, people)
    found: list[Account] = []
    for person in people:
        own = [account for account, reached in every if account.person_id == person and reached]
        decision = decided.get(person)
        if decision is not None and is_muted(decision):
            continue
        chosen = in_order(own, decision)[: decision.together] if decision is not None else []
        home = (about.platform, about.workspace)
        same = [account for account in own if (account.platform, account.workspace) == home]
        found += chosen or same or own
    threads = await with_accounts(work, about, found)
    met = {account.person_id for account in found}
    lost = {account.person_id for account, reached in every if not reached} - met
    return Reached(threads, [person for person in people if person in lost])


async def reachable(
    connection: AsyncConnection, organisation_id: UUID, person: UUID
) -> list[Account]:
    """The accounts by which somebody hears, the one that they had first before the others."""
    every = await _accounts(connection, organisation_id, [person])
    return [account for account, reached in every if reached]


async def _accounts(
    connection: AsyncConnection, organisation_id: UUID, people: Sequence[UUID]
) -> list[tuple[Account, bool]]:
    """The accounts where they listen, and whether each is reached; of who has left none is."""
    rows = await fetch_all(
        connection,
        "select a.person_id, a.platform, a.workspace, a.external_id, a.listens,"
        " a.unreachable_since is null and p.active as reached"
        " from accounts a join people p on p.id = a.person_id"
        " where a.organisation_id = :organisation_id and a.person_id = any(:people)"
        " and a.listens order by a.created_at",
        {"organisation_id": organisation_id, "people": people},
    )
    return [
        (
            Account(row.person_id, row.platform, row.workspace, row.external_id, row.listens),
            row.reached,
        )
        for row in rows
    ]


async def with_accounts(work: Unit, about: About, accounts: Sequence[Account]) -> list[UUID]:
    """The task's direct conversations with these accounts, in their order, begun where needed."""
    known = await _threads(work, about)
    new = {account: new_id() for account in accounts if _key(account) not in known}
    await _open(work, about, new)
    return [new.get(account) or known[_key(account)] for account in accounts]


def _key(account: Account) -> tuple[UUID, str, str, str]:
    return account.person_id, account.platform, account.workspace, account.external_id


async def _threads(work: Unit, about: About) -> dict[tuple[UUID, str, str, str], UUID]:
    """The task's direct conversations, by the account that each is with."""
    rows = await fetch_all(
        work.connection,
        "select person_id, platform, workspace, account, id from threads"
        " where organisation_id = :organisation_id and task_id = :task_id"
        " and person_id is not null",
        {"organisation_id": about.organisation_id, "task_id": about.task_id},
    )
    return {(row.person_id, row.platform, row.workspace, row.account): row.id for row in rows}


async def _open(work: Unit, about: About, new: Mapping[Account, UUID]) -> None:
    if not new:
        return
    rows = [
        {
            "id": str(thread_id),
            "platform": account.platform,
            "workspace": account.workspace,
            "account": account.external_id,
            "person_id": str(account.person_id),
        }
        for account, thread_id in new.items()
    ]
    await execute(
        work.connection,
        "insert into threads (id, organisation_id, task_id, platform, workspace, channel,"
        " person_id, account) select id, :organisation_id, :task_id, platform, workspace, account,"
        " person_id, account from jsonb_to_recordset(cast(:threads as jsonb)) as thread"
        " (id uuid, platform text, workspace text, account text, person_id uuid)",
        {
            "organisation_id": about.organisation_id,
            "task_id": about.task_id,
            "threads": to_json(rows),
        },
    )
