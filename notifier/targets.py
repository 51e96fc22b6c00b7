"""Who hears of what, and where: the slots of a task's threads that each topic concerns."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from core.db import execute, fetch_all, fetch_one
from core.ids import new_id
from core.people import Account, Person, accounts_of
from core.unit import Unit
from core.views import TaskView, approval_view


@dataclass(frozen=True, slots=True)
class Target:
    """One slot of one thread that has to show the news."""

    thread_id: UUID
    slot: str


@dataclass(frozen=True, slots=True)
class News:
    """A notification that has not been routed yet."""

    id: UUID
    topic: str
    facts: dict[str, Any]


async def targets(work: Unit, view: TaskView, news: News) -> list[Target]:
    """The slots that a piece of news concerns, in the order in which they are to be shown."""
    home = await _home(work, view)
    match news.topic:
        case "task.received" | "task.done":
            slots = ["root", "flash"]
        case "task.moved":
            slots = ["root", "flash", *await _posted(work, view, "failure:")]
        case "task.failed":
            slots = ["flash", f"failure:{news.id}"]
        case "question.asked":
            slots = ["flash", f"question:{view.question['id']}"] if view.question else ["flash"]
        case "question.answered":
            slots = ["root", "flash", f"question:{news.facts['question']}"]
        case "document.issued":
            slots = ["flash", "result"]
        case "approval.requested":
            slots = ["flash", f"card:{news.facts['approval']}"]
        case "approval.reminded":
            slots = [f"reminder:{news.facts['approval']}"]
        case "approval.closed":
            slots = ["flash"]
        case _:
            slots = []
    found = [Target(home, slot) for slot in slots] if home else []
    return found + await _elsewhere(work, view, news)


async def _elsewhere(work: Unit, view: TaskView, news: News) -> list[Target]:
    """Where news of an approval is shown besides."""
    approval = news.facts.get("approval")
    match news.topic:
        case "approval.requested":
            return await _copies(work, view, news, f"card:{approval}")
        case "approval.reminded":
            # A message of its own each time: the edit of an earlier one would be overlooked.
            return await _copies(work, view, news, f"reminder:{approval}:{news.id}")
        case "approval.closed":
            cards = await _everywhere(work, view, f"card:{approval}")
            return cards + await _everywhere(work, view, f"reminder:{approval}")
        case _:
            return []


async def _home(work: Unit, view: TaskView) -> UUID | None:
    """The thread where the task was asked for."""
    row = await fetch_one(
        work.connection,
        "select id from threads where organisation_id = :organisation_id and task_id = :task_id"
        " and person_id is null order by created_at limit 1",
        {"organisation_id": view.organisation_id, "task_id": view.id},
    )
    return row.id if row else None


async def _posted(work: Unit, view: TaskView, prefix: str) -> Sequence[str]:
    """Slots that are posted already and begin so."""
    rows = await fetch_all(
        work.connection,
        "select distinct slot from messages where organisation_id = :organisation_id"
        " and task_id = :task_id and starts_with(slot, :prefix)",
        {"organisation_id": view.organisation_id, "task_id": view.id, "prefix": prefix},
    )
    return [row.slot for row in rows]


async def _everywhere(work: Unit, view: TaskView, prefix: str) -> list[Target]:
    """Every slot that begins so, in every thread that shows it or is about to."""
    rows = await fetch_all(
        work.connection,
        "select thread_id, slot from messages where organisation_id = :organisation_id"
        " and task_id = :task_id and starts_with(slot, :prefix)"
        " union select thread_id, slot from deliveries where organisation_id = :organisation_id"
        " and task_id = :task_id and starts_with(slot, :prefix)"
        " and state in ('pending', 'sending')",
        {"organisation_id": view.organisation_id, "task_id": view.id, "prefix": prefix},
    )
    return [Target(row.thread_id, row.slot) for row in rows]


async def _copies(work: Unit, view: TaskView, news: News, slot: str) -> list[Target]:
    """A slot for each person who may decide an approval, in a direct conversation."""
    approval_id = UUID(news.facts["approval"])
    approval = await approval_view(work.connection, view.organisation_id, approval_id)
    found: list[Target] = []
    for person in approval.may_decide:
        for account in await _reached_by(work, view, person):
            thread_id = await _direct(work, view, person, account)
            found.append(Target(thread_id, slot))
    return found


async def _reached_by(work: Unit, view: TaskView, person: Person) -> Sequence[Account]:
    """The person's account where the task lives; without one there, all where they listen."""
    everywhere = await accounts_of(work.connection, view.organisation_id, person.id)
    accounts = [account for account in everywhere if account.listens]
    row = await fetch_one(
        work.connection,
        "select platform, workspace from threads where organisation_id = :organisation_id"
        " and task_id = :task_id and person_id is null order by created_at limit 1",
        {"organisation_id": view.organisation_id, "task_id": view.id},
    )
    same = [
        account
        for account in accounts
        if row and (account.platform, account.workspace) == (row.platform, row.workspace)
    ]
    return same or accounts


async def _direct(work: Unit, view: TaskView, person: Person, account: Account) -> UUID:
    """The task's direct conversation with a person on one of their accounts."""
    row = await fetch_one(
        work.connection,
        "select id from threads where organisation_id = :organisation_id and task_id = :task_id"
        " and person_id = :person_id and platform = :platform and account = :account",
        {
            "organisation_id": view.organisation_id,
            "task_id": view.id,
            "person_id": person.id,
            "platform": account.platform,
            "account": account.external_id,
        },
    )
    if row is not None:
        return UUID(str(row.id))
    thread_id = new_id()
    await execute(
        work.connection,
        "insert into threads (id, organisation_id, task_id, platform, workspace, channel,"
        " person_id, account) values (:id, :organisation_id, :task_id, :platform, :workspace,"
        " :account, :person_id, :account)",
        {
            "id": thread_id,
            "organisation_id": view.organisation_id,
            "task_id": view.id,
            "platform": account.platform,
            "workspace": account.workspace,
            "account": account.external_id,
            "person_id": person.id,
        },
    )
    return thread_id
