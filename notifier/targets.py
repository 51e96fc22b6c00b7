"""Who hears of what, and where: the slots of a task's threads that each topic concerns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from core.approvals.telling import admins
from core.approvals.view import approval_view, latest_approval
from core.attachments import kept_of
from core.db import fetch_all, fetch_one, from_json
from core.people import Account
from core.unit import Unit
from core.words import Words
from notifier import came_back, direct
from notifier.choosing import ANY_CHOSEN, Chooser, topic_of_slot
from notifier.unreached import MOVED, tell_unreached


@dataclass(frozen=True, slots=True)
class Target:
    """One slot of one thread that has to show the news; `instead`: why there, where it was meant
    to be elsewhere; `until`: not before then."""

    thread_id: UUID
    slot: str
    instead: Words | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class News:
    """A notification that has not been routed yet."""

    id: UUID
    topic: str
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Ground:
    """What of a task decides where its news goes. `home` is the thread where it was asked for."""

    organisation_id: UUID
    task_id: UUID
    home: UUID | None
    platform: str | None
    workspace: str | None
    question: str | None
    requester: UUID
    failures: Sequence[str]
    """The slots that say why the task had stopped, as far as they are posted."""
    beside: Sequence[Target]
    """What had to be shown elsewhere, because somebody could not be reached where it should."""
    chooser: Chooser | None = None
    """Decides how people are told; None where nobody chose anything."""

    @property
    def about(self) -> direct.About:
        return direct.About(self.organisation_id, self.task_id, self.platform, self.workspace)


async def read_ground(connection: AsyncConnection, organisation_id: UUID, task_id: UUID) -> Ground:
    """Read it once for all news of a task."""
    row = await fetch_one(
        connection,
        f"""
        select h.id as home, h.platform, h.workspace, t.question ->> 'id' as question,
            t.person_id as requester,
            array(select distinct m.slot from messages m
                where m.organisation_id = :organisation_id and m.task_id = t.id
                and starts_with(m.slot, 'failure:')) as failures,
            (select jsonb_agg(distinct jsonb_build_object('thread', d.thread_id, 'slot', d.slot))
                from deliveries d where d.organisation_id = :organisation_id
                and d.task_id = t.id and d.instead is not null) as beside,
            {ANY_CHOSEN} as chosen
        from tasks t left join lateral (
            select id, platform, workspace from threads
            where organisation_id = :organisation_id and task_id = t.id and person_id is null
                and channel <> '' -- of somebody who was erased
            order by created_at limit 1
        ) h on true
        where t.organisation_id = :organisation_id and t.id = :task_id
        """,  # noqa: S608
        {"organisation_id": organisation_id, "task_id": task_id},
    )
    assert row is not None  # noqa: S101  # a notification refers to it
    beside = [Target(UUID(each["thread"]), each["slot"]) for each in from_json(row.beside or "[]")]
    home = (row.platform, row.workspace) if row.platform is not None else None
    chooser = Chooser(connection, organisation_id, task_id, home) if row.chosen else None
    read = {key: value for key, value in row._asdict().items() if key != "chosen"}
    return Ground(organisation_id, task_id, **{**read, "beside": beside, "chooser": chooser})


async def targets(work: Unit, ground: Ground, news: News) -> list[Target]:
    """The slots that a piece of news concerns, in the order in which they are to be shown."""
    facts = news.facts
    match news.topic:
        case "task.received" | "task.done" | "task.released":
            slots = ["root", "flash"]
        case "task.moved":
            slots = ["root", "flash", *ground.failures]
        case "task.failed":
            slots = ["flash", f"failure:{news.id}"]
        case "question.asked":
            slots = ["flash", f"question:{ground.question}"] if ground.question else ["flash"]
        case "question.answered":
            slots = ["root", "flash", f"question:{facts['question']}"]
        case "document.issued":
            slots = ["flash", "result"]
        case "file.refused":
            slots = [f"file:{facts['attachment']}"]
        case "approval.requested":
            slots = ["flash", f"card:{facts['approval']}"]
        case "approval.reminded":
            slots = [f"reminder:{facts['approval']}"]
        case "approval.closed" | "approval.moved":
            slots = ["flash"]
        case "approval.noted":
            slots = [f"note:{facts['note']}"]
        case _:
            slots = []
    found = [Target(ground.home, slot) for slot in slots] if ground.home else []
    found += [target for target in ground.beside if target.slot in slots]
    return found + await _elsewhere(work, ground, news)


async def _elsewhere(  # noqa: PLR0911  # a line for each topic
    work: Unit, ground: Ground, news: News
) -> list[Target]:
    """Where news is shown besides the thread where the task was asked for, or instead of it."""
    approval = news.facts.get("approval")
    match news.topic:
        case "task.held":
            return await _held(work, ground)
        case "task.released" | "task.dropped":
            return await _everywhere(work, ground, "held")
        case "approval.requested":
            # Of each step one of its own: an edit of that of an earlier step would be overlooked.
            cards = await _copies(work, ground, news, f"card:{approval}:{news.facts['stage']}")
            return cards + await _enclosed(work, ground, cards)
        case "approval.closed" | "approval.moved" | "approval.noted":
            cards = await _everywhere(work, ground, f"card:{approval}")
            cards += await _everywhere(work, ground, f"reminder:{approval}")
            return cards + await _everywhere(work, ground, "digest:")
        case "approval.circulated":
            cards = await _everywhere(work, ground, f"card:{approval}")
            shown = await _everywhere(work, ground, f"round:{approval}")
            # Who has seen it is told where it was asked for, not on every copy.
            home = [card for card in cards if card.slot == f"card:{approval}"]
            return home + shown + await _circulated(work, ground, news)
        case "approval.told" | "approval.digest":
            return await _named(work, ground, news)
        case "approval.code":
            return await _by_apps(work, ground, news)
        case "person.unreachable":
            return await _moved(work, ground, UUID(news.facts["person"]))
        case "delivery.unknown" | "delivery.settled":
            return _about_delivery(news.facts)
        case "delivery.bounced":
            found = await came_back.threads(work, ground.about, news.facts)
            return [Target(*each) for each in found]
        case _:
            return []


def _about_delivery(facts: Mapping[str, Any]) -> list[Target]:
    """The notice beside the message that it is about; and what that slot has not shown since."""
    thread_id = UUID(facts["thread"])
    again = [Target(thread_id, facts["slot"])] if facts.get("behind") else []
    return [Target(thread_id, f"unknown:{facts['delivery']}"), *again]


async def _everywhere(work: Unit, ground: Ground, prefix: str) -> list[Target]:
    """Every slot that begins so, in every thread that shows it or is about to; or where it was not
    worth saying, although how it ends may be."""
    rows = await fetch_all(
        work.connection,
        "select m.thread_id, m.slot from messages m where m.organisation_id = :organisation_id"
        " and m.task_id = :task_id and starts_with(m.slot, :prefix)"
        " and m.channel <> ''"  # a conversation with somebody who was erased
        " union select thread_id, slot from deliveries where organisation_id = :organisation_id"
        " and task_id = :task_id and starts_with(slot, :prefix)"
        " and state in ('pending', 'sending', 'unknown', 'unsaid')",
        {"organisation_id": ground.organisation_id, "task_id": ground.task_id, "prefix": prefix},
    )
    return [Target(row.thread_id, row.slot) for row in rows]


# Direct conversations


async def _copies(work: Unit, ground: Ground, news: News, slot: str) -> list[Target]:
    """A slot for each person who may decide an approval, in a direct conversation."""
    approval_id = UUID(news.facts["approval"])
    approval = await approval_view(work.connection, ground.organisation_id, approval_id)
    return await _direct(work, ground, [person.id for person in approval.may_decide], slot)


async def _enclosed(work: Unit, ground: Ground, cards: Sequence[Target]) -> list[Target]:
    """The files that were sent with the request, beside each card that is out of their sight."""
    files = await kept_of(work.connection, ground.organisation_id, ground.task_id)
    return [Target(card.thread_id, f"enclosed:{file.sha256}") for card in cards for file in files]


async def _circulated(work: Unit, ground: Ground, news: News) -> list[Target]:
    """A slot for each person who is told of the end of an approval."""
    approval_id = UUID(news.facts["approval"])
    approval = await approval_view(work.connection, ground.organisation_id, approval_id)
    people = [each.person.id for each in approval.circulated]
    return await _direct(work, ground, people, f"round:{approval_id}")


async def _named(work: Unit, ground: Ground, news: News) -> list[Target]:
    """A slot for each person whom the news itself names."""
    people = [UUID(person) for person in news.facts["people"]]
    return await _direct(work, ground, people, news.facts["slot"])


async def _by_apps(work: Unit, ground: Ground, news: News) -> list[Target]:
    """A slot for one person, by those of their accounts that the news names the platforms of."""
    person, platforms = UUID(news.facts["person"]), news.facts["platforms"]
    found = await direct.reachable(work.connection, ground.organisation_id, person)
    named = [account for account in found if account.platform in platforms]
    threads = await direct.with_accounts(work, ground.about, named)
    return [Target(thread_id, news.facts["slot"]) for thread_id in threads]


async def _direct(work: Unit, ground: Ground, people: Sequence[UUID], slot: str) -> list[Target]:
    """The slot in the direct conversation with each of them."""
    decided = await ground.chooser.decide(people, topic_of_slot(slot)) if ground.chooser else {}
    reached = await direct.conversations(work, ground.about, people, decided)
    await tell_unreached(work, ground.organisation_id, ground.task_id, reached.nowhere, slot)
    return [Target(thread_id, slot) for thread_id in reached.threads]


async def _held(work: Unit, ground: Ground) -> list[Target]:
    """Whether to release a task is asked of whose it may be, and of the admins; but nowhere on the
    platform on which somebody spoke in their name."""
    people = [ground.requester, *await admins(work.connection, ground.organisation_id)]
    found: list[Account] = []
    for person in dict.fromkeys(people):
        own = await direct.reachable(work.connection, ground.organisation_id, person)
        found += [account for account in own if account.platform != ground.platform]
    return [Target(each, "held") for each in await direct.with_accounts(work, ground.about, found)]


async def _moved(work: Unit, ground: Ground, person: UUID) -> list[Target]:
    """What waits for somebody, in conversations with them that do not have it yet."""
    approval = await latest_approval(work.connection, ground.organisation_id, ground.task_id)
    slots = []
    if approval is not None and approval.open is not None and approval.waits_for(person):
        slots.append(f"card:{approval.id}:{approval.open.id}")
    if ground.question is not None and ground.requester == person:
        slots.append(f"question:{ground.question}")
    found: list[Target] = []
    for slot in slots:
        there = {target.thread_id for target in await _everywhere(work, ground, slot)}
        moved = await _direct(work, ground, [person], slot)
        new = [replace(each, instead=MOVED) for each in moved if each.thread_id not in there]
        found += new
        if slot.startswith("card:"):
            found += await _enclosed(work, ground, new)
    return found
