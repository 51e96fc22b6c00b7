"""What somebody can't be told where they should be is told by another of their accounts."""

from collections.abc import Sequence
from uuid import UUID

import structlog

from core.codec import dump
from core.db import fetch_one, to_json
from core.ids import new_id
from core.people import Account
from core.tags import Tag
from core.unit import Unit, unit
from core.words import Words
from notifier import direct, said
from notifier.call import Call, Part
from notifier.choosing import chooser_of, in_order, topic_of_slot
from notifier.outcome import NOTICE
from notifier.unreached import tell_unreached

log = structlog.get_logger()


async def turn_elsewhere(call: Call, why: Words) -> None:
    """Have each message of a call shown in a direct conversation with whoever was to read it, by
    the next of their accounts that is reached. Where there is none the admins are told, once.

    What was to be said only where it costs nothing is left unsaid, and codes are. `why` is
    told beside it.
    """
    log.warning("say.elsewhere", thread=str(call.thread.id), why=why.en)
    spare = [part for part in call.parts if _stays_unsaid(part)]
    person = call.thread.reader or call.thread.requester
    async with unit(call.house) as work:
        await call.lease.hold(work)
        await said.end(work, call, spare, "unsaid", why)
        lost = []
        for part in call.parts:
            if part in spare:
                continue
            # A question whether something stands in that conversation can be asked only there.
            notice = part.slot.startswith(f"{NOTICE}:")
            to = None if notice or person is None else await _next(work, call, part, person, why)
            if to is None:
                lost.append(part)
                continue
            await said.end(work, call, [part], "superseded", why)
            delivery = str(part.last.id)
            work.record(call.event(part, Tag.MESSAGE_ELSEWHERE, delivery=delivery, to=to))
        if lost:
            await _give_up(work, call, lost, person, why)
        work.nudge("announce", call.thread.task)


def _stays_unsaid(part: Part) -> bool:
    """A code is for the app it was sent to: another account may be what it has to guard against."""
    free = part.utterance is not None and part.utterance.weight == "may"
    return free or part.slot.startswith("code:")


async def _give_up(
    work: Unit, call: Call, lost: Sequence[Part], person: UUID | None, why: Words
) -> None:
    await said.fail(work, call, lost, why)
    task = call.thread.task
    told = [part for part in lost if not part.slot.startswith(f"{NOTICE}:")]
    if told and person is not None:
        await tell_unreached(work, task.organisation_id, task.id, [person], told[0].slot)


async def _next(work: Unit, call: Call, part: Part, person: UUID, why: Words) -> str | None:
    """The conversation that shows it from now on, as events name it; None where there is none."""
    task = call.thread.task
    others = await _others(work, call, person)
    chooser = await chooser_of(work.connection, task.organisation_id, task.id)
    if chooser is not None:
        for decision in (await chooser.decide([person], topic_of_slot(part.slot))).values():
            others = list(dict.fromkeys([*in_order(others, decision), *others]))
    for account in others:
        about = direct.About(task.organisation_id, task.id)
        [thread_id] = await direct.with_accounts(work, about, [account])
        if await _show_there(work, call, part, thread_id, why):
            return f"{account.platform}:{thread_id}"
    return None


async def _others(work: Unit, call: Call, person: UUID) -> list[Account]:
    """Their accounts on other platforms, or elsewhere on this one; of what was to be said among
    several people, also the one of their own there."""
    thread, house = call.thread, call.house
    own = (thread.platform, thread.place.workspace)
    found = await direct.reachable(work.connection, thread.task.organisation_id, person)
    spoken = [account for account in found if account.platform in house.outbounds]
    there = [account for account in spoken if (account.platform, account.workspace) == own]
    others = [account for account in spoken if account not in there]
    return others if thread.place.direct else [*there, *others]


# Where it is shown there already, or was tried in vain, there is no second.
_SHOW = """
    with there as (
        select state from deliveries where organisation_id = :organisation_id
            and thread_id = :thread_id and slot = :slot and notification_id = (
                select notification_id from deliveries where organisation_id = :organisation_id
                and id = :delivery)
    ), shown as (
        insert into deliveries (id, organisation_id, notification_id, task_id, thread_id, slot,
            instead)
        select :id, :organisation_id, notification_id, task_id, :thread_id, :slot,
            cast(:instead as jsonb)
        from deliveries where organisation_id = :organisation_id and id = :delivery
            and not exists (select from there)
        returning id
    )
    select exists (select from shown) or exists (
        select from there where state not in ('failed', 'superseded', 'unsaid')) as shown
"""


async def _show_there(work: Unit, call: Call, part: Part, thread_id: UUID, why: Words) -> bool:
    row = await fetch_one(
        work.connection,
        _SHOW,  # names organisation_id
        {
            "organisation_id": call.thread.task.organisation_id,
            "id": new_id(),
            "delivery": part.last.id,
            "thread_id": thread_id,
            "slot": part.slot,
            "instead": to_json(dump(why)),
        },
    )
    return row is not None and bool(row.shown)
