"""From notices to dispatches: who hears it, by which ways, when; many notices in few statements."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog

from audit.event import Event
from core.acknowledging import drop
from core.codec import dump
from core.db import execute, fetch_all, is_outage, to_json
from core.house import House
from core.notices import Recipient, show_anew, wake
from core.tags import Tag
from core.unit import Unit, unit
from core.words import Words
from notifier.hub import ladders, waiting
from notifier.hub.deciding import decide
from notifier.hub.grouping import count_in
from notifier.hub.nowhere import tell_admins, tell_of_failure
from notifier.hub.readers import Setting, read_readers, setting_of
from notifier.hub.recipients import Asked, Audience, resolve
from notifier.hub.rule_file import recipients_of
from notifier.hub.rules import Rules, ladder_of
from notifier.hub.storing import Decided, for_place, store
from notifier.hub.waiting import Waiting

log = structlog.get_logger()

NOTICES_AT_ONCE = 500
READERS_AT_ONCE = 2000
"""A batch is one transaction: no longer than others can wait."""
GROUP_MINUTES = 10


async def fan_out_due(house: House, group_minutes: int = GROUP_MINUTES) -> int:
    """Have everything that waits told; returns how many notices were dealt with.

    One with which something is wrong is tried again later, and holds up no other.
    """
    async with house.engine.connect() as connection:
        found = await waiting.companies(connection)
    done = 0
    for organisation_id in found:
        done += await _serve(house, organisation_id, group_minutes)
    return done


async def _serve(house: House, organisation_id: UUID, minutes: int) -> int:
    done, careful = 0, 0
    while True:
        most = 1 if careful else NOTICES_AT_ONCE
        taken: list[Any] = []
        try:
            async with unit(house) as work:
                count = await _batch(work, organisation_id, house, minutes, most, taken)
        except Exception as error:
            if is_outage(error):
                raise
            log.exception("notices.failed", organisation=str(organisation_id), most=most)
            if len(taken) == 1:
                await _put_off(house, organisation_id, taken[0], error)
            elif not taken:
                raise
            careful = careful or len(taken)
            continue
        careful = max(0, careful - 1)
        done += count
        if not count:
            return done


async def _put_off(house: House, organisation_id: UUID, notice: Any, error: Exception) -> None:
    async with unit(house) as work:
        # By its kind alone: the text of many quotes what they are about.
        kind = type(error).__name__
        if await waiting.failed(work.connection, organisation_id, notice.id, kind):
            await tell_of_failure(work, organisation_id, notice.id, notice.topic)


async def _batch(
    work: Unit,
    organisation_id: UUID,
    house: House,
    minutes: int,
    most: int,
    taken: list[Any],
) -> int:
    """One batch of a company's notices; `taken` is what it was, for whoever has to clear up."""
    now = await waiting.lock(work.connection, organisation_id)
    if now is None:
        return 0
    taken += await waiting.take(work.connection, organisation_id, most)
    if not taken:
        return 0
    setting = await setting_of(work.connection, organisation_id)
    notices = [waiting.read(row) for row in taken]
    told = await count_in(work, organisation_id, notices, setting.rules, minutes)
    over = [notice for notice in told if notice.over is not None]
    for notice in over:
        await _end(work, organisation_id, notice)
    open_ones = [_by_rule(each, setting.rules) for each in told if each.over is None]
    fan = _Fan(work, organisation_id, house, setting, now)
    later = await fan.out(open_ones)
    left = {notice.id for notice in later}
    await waiting.done(
        work.connection, organisation_id, [each.id for each in told if each.id not in left]
    )
    await wake(work)
    return len(taken) - len(later)


def _by_rule(notice: Waiting, rules: Rules) -> Waiting:
    """With recipients and a ladder by rule, where it has none of its own."""
    if not notice.recipients and (rule := rules.saying("to", notice.matter)):
        notice = replace(notice, recipients=recipients_of(rule))
    if notice.ladder is None and not notice.resolved:
        rule = rules.saying("ladder", notice.matter)
        if rule is not None and rule.ladder is not None:
            notice = replace(notice, ladder=ladder_of(rule.ladder))
    return notice


@dataclass(frozen=True, slots=True)
class _Fan:
    """Tells a company's notices at one moment."""

    work: Unit
    organisation_id: UUID
    house: House
    setting: Setting
    now: datetime

    async def out(self, notices: Sequence[Waiting]) -> Sequence[Waiting]:
        """Tell them; gives those that are left for the next time, because there are so many."""
        if not notices:
            return []
        heard = list(zip(notices, await self.audiences(notices), strict=True))
        sizes = [len(audience.people) for _, audience in heard]
        most = 1
        while most < len(sizes) and sum(sizes[: most + 1]) <= READERS_AT_ONCE:
            most += 1
        mine, later = heard[:most], heard[most:]
        decided = await self.decided(mine)
        for notice, audience in mine:
            await self.also_for(notice.id, audience.besides)
        ids = [notice.id for notice, _ in mine]
        await store(self.work, self.organisation_id, ids, decided)
        await self._begin_ladders([notice for notice, _ in mine])
        await tell_admins(self.work, self.organisation_id, notices, decided)
        return [notice for notice, _ in later]

    async def audiences(self, notices: Sequence[Waiting]) -> Sequence[Audience]:
        asked = [Asked(each.recipients, each.importance, each.task_id, each.by) for each in notices]
        return await resolve(self.work.connection, self.organisation_id, asked, self.now)

    async def decided(self, heard: Sequence[tuple[Waiting, Audience]]) -> list[Decided]:
        people = {person for _, audience in heard for person in audience.people}
        readers = await read_readers(
            self.work.connection,
            self.organisation_id,
            people,
            self.house.outbounds,
            criticals=any(notice.importance == "critical" for notice, _ in heard),
        )
        found: list[Decided] = []
        for notice, audience in heard:
            matter = notice.matter
            for person in audience.people:
                if (reader := readers.get(person)) is None:
                    continue
                told = decide(
                    matter, reader, self.setting.rules, self.setting.closing_days, self.now
                )
                found.append(Decided(notice.id, notice.importance, reader, told))
            found += [for_place(notice.id, notice.importance, spot) for spot in audience.places]
        return found

    async def also_for(self, notice_id: UUID, recipients: Sequence[Recipient]) -> None:
        """It is for these as well from now on: whoever has the right to hear it is told by this."""
        if not recipients:
            return
        await execute(
            self.work.connection,
            "update notices set recipients = recipients || cast(:more as jsonb)"
            " where organisation_id = :organisation_id and id = :id",
            {
                "organisation_id": self.organisation_id,
                "id": notice_id,
                "more": to_json([dump(each) for each in recipients]),
            },
        )

    async def _begin_ladders(self, notices: Sequence[Waiting]) -> None:
        climbing = {each.id: each.ladder for each in notices if each.ladder is not None}
        if not climbing:
            return
        await execute(
            self.work.connection,
            "update notices n set ladder = l.ladder from jsonb_to_recordset("
            " cast(:ladders as jsonb)) as l(id uuid, ladder jsonb)"
            " where n.organisation_id = :organisation_id and n.id = l.id and n.ladder is null",
            {
                "organisation_id": self.organisation_id,
                "ladders": to_json(
                    [{"id": str(each), "ladder": dump(of)} for each, of in climbing.items()]
                ),
            },
        )
        await ladders.begin(self.work, self.organisation_id, *climbing)


async def fan_more(
    work: Unit,
    organisation_id: UUID,
    notice_id: UUID,
    recipients: Sequence[Recipient],
    instead: Words | None,
    now: datetime,
    *,
    house: House,
) -> Sequence[UUID]:
    """Have further people told of a notice that others were told of; gives those who are told and
    were not before. `instead`: why they are."""
    notice = await waiting.read_one(work.connection, organisation_id, notice_id)
    fan = _Fan(
        work, organisation_id, house, await setting_of(work.connection, organisation_id), now
    )
    more = replace(notice, recipients=recipients)
    [audience] = await fan.audiences([more])
    rows = await fetch_all(
        work.connection,
        "select distinct person_id from dispatches where organisation_id = :organisation_id"
        " and notice_id = :notice_id",
        {"organisation_id": organisation_id, "notice_id": notice_id},
    )
    before = {row.person_id for row in rows}
    new = replace(audience, people=[each for each in audience.people if each not in before])
    decided = await fan.decided([(more, new)])
    await fan.also_for(notice_id, [*recipients, *audience.besides])
    told = await store(work, organisation_id, [notice_id], decided, instead)
    await tell_admins(work, organisation_id, [more], decided)
    return told


async def _end(work: Unit, organisation_id: UUID, notice: Waiting) -> None:
    """It has become untrue before anybody was told."""
    if notice.over == "expired":
        work.record(Event(organisation_id, notice.id, Tag.NOTICE_EXPIRED, {}))
    elif notice.over == "decided":
        await cancel(work, organisation_id, notice.id)


async def cancel(work: Unit, organisation_id: UUID, notice_id: UUID) -> bool:
    """It is not true any more: what of it was not sent is not, and what stands somewhere says so.
    False where it was so before."""
    changed = await execute(
        work.connection,
        "update notices set cancelled_at = now(), revision = revision + 1"
        " where organisation_id = :organisation_id and id = :id and cancelled_at is null",
        {"organisation_id": organisation_id, "id": notice_id},
    )
    if not changed:
        return False
    work.record(Event(organisation_id, notice_id, Tag.NOTICE_CANCELLED, {}))
    await drop(work, organisation_id, notice_id, "cancelled")
    await show_anew(work, organisation_id, [notice_id])
    await wake(work)
    return True
