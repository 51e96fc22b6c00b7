"""What of the dispatches in hand is still to be sent, and how it reads: looked at just before.

In the transaction that takes them: an acknowledgement, a decision or a change of somebody's mind
that was committed before it counts, and one that comes later waits for it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Literal
from uuid import UUID

import structlog

from audit.event import JSON, Event
from core.codec import dump, load
from core.db import execute, fetch_all, from_json, to_json
from core.house import House
from core.ids import new_id
from core.messages import Message
from core.tags import Tag
from core.unit import Unit
from core.words import Language, Words
from notifier.hub import places
from notifier.hub.claiming import Claimed, leave
from notifier.hub.deciding import decide
from notifier.hub.decision import Decision, Reader, Way
from notifier.hub.digesting import open_windows
from notifier.hub.dispatch import DropReason, FailReason
from notifier.hub.places import NoticePlace
from notifier.hub.readers import Setting, read_readers, setting_of
from notifier.hub.still_true import DECIDED, DECIDERS, told_of, untrue, worth_saying
from notifier.hub.told import Told
from notifier.hub.topics import matter_of
from notifier.hub.waiting import HOME
from notifier.hub.wording import Wording, wording_of

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Ready:
    """A dispatch that is to be sent now, with its words. `revision`: of the notice, that they are
    of. `again`: it may have been sent before, and was this very message."""

    claimed: Claimed
    message: Message
    revision: int
    told: Told
    place: NoticePlace | None = None
    again: bool = False


@dataclass(slots=True)
class _Sorted:
    """What becomes of those that were claimed."""

    ready: list[Ready] = field(default_factory=list)
    dropped: list[tuple[Claimed, DropReason]] = field(default_factory=list)
    failed: list[tuple[Claimed, FailReason]] = field(default_factory=list)
    quiet: list[tuple[Claimed, Decision]] = field(default_factory=list)
    moved: list[tuple[Claimed, Way]] = field(default_factory=list)
    left: list[Claimed] = field(default_factory=list)
    """Their notices are being changed at this moment."""
    shown: list[tuple[Claimed, int]] = field(default_factory=list)
    """What stands there says it already, or it is not worth one more message."""


async def prepare(
    work: Unit,
    house: House,
    claimed: Sequence[Claimed],
    *,
    changes: bool,
    repeats: bool,
) -> Sequence[Ready]:
    """Those to be sent, with their words; what need not be sent any more is put back with its
    reason. `changes`: what was sent on this channel can be changed; `repeats`: what is said on it
    again is known by its key."""
    sorted_ = _Sorted()
    for organisation_id in dict.fromkeys(each.organisation_id for each in claimed):
        mine = [each for each in claimed if each.organisation_id == organisation_id]
        wording = await wording_of(work, organisation_id)
        await _Company(work, house, organisation_id, sorted_, changes, repeats, wording).sort(mine)
        await wording.report(work)
        await _hold(work, organisation_id, sorted_.quiet)
        sorted_.quiet.clear()
    await leave(work, sorted_.left, _CHANGED_JUST_NOW)
    await _put_back(work, sorted_)
    await _intend(work, sorted_.ready)
    return sorted_.ready


_NOTICES = f"""
    select n.id, n.topic, n.importance, n.facts, n.actions, n.file, n.picture, n.task_id,
        n.approval_id, n.recipients, n.count as times, n.resolved, n.revision, n.expires_at,
        n.acknowledged_at, n.cancelled_at, n.created_at, t.reference, h.name as holder,
        now() as now,
        {DECIDED} as decided, {DECIDERS} as deciders, {HOME} as home,
        exists (select from escalations e where e.organisation_id = :organisation_id
            and e.notice_id = n.id) as climbs,
        array(select r.person_id from dispatches r where r.organisation_id = :organisation_id
            and r.notice_id = n.id and r.state = 'read') as readers
    from notices n left join tasks t on t.id = n.task_id
        left join approvals a on a.id = n.approval_id left join people h on h.id = n.acknowledged_by
    where n.organisation_id = :organisation_id and n.id = any(:ids)
    for share of n skip locked
"""  # noqa: S608  # constants
# Whoever changes a notice goes on to its dispatches, which are locked by now: nobody here waits for
# them. They are looked at again when that is done.
_CHANGED_JUST_NOW = timedelta(milliseconds=50)


@dataclass(slots=True)
class _Company:
    """One company's dispatches among those in hand."""

    work: Unit
    house: House
    organisation_id: UUID
    sorted: _Sorted
    changes: bool
    repeats: bool
    wording: Wording

    async def sort(self, claimed: Sequence[Claimed]) -> None:
        connection, organisation_id = self.work.connection, self.organisation_id
        rows = await fetch_all(
            connection,
            _NOTICES,
            {
                "organisation_id": organisation_id,
                "ids": list({each.notice_id for each in claimed}),
            },
        )
        notices = {row.id: row for row in rows}
        people = {each.person_id for each in claimed if each.person_id is not None}
        readers: Mapping[UUID, Reader] = {}
        if people:
            readers = await read_readers(connection, organisation_id, people, self.house.outbounds)
        setting = await setting_of(connection, organisation_id)
        addresses = {each.address for each in claimed if each.person_id is None}
        spots = {each: await self._place(each) for each in addresses}
        zone = (await self.house.company(organisation_id)).time_zone if addresses else ""
        for each in claimed:
            notice = notices.get(each.notice_id)
            if notice is None:
                self.sorted.left.append(each)
                continue
            told = told_of(notice, organisation_id, each)
            place = spots.get(each.address) if each.person_id is None else None
            if each.lost:
                message = load(Message, each.body)
                if said := (each.extra or {}).get("told"):
                    told = load(Told, said)
                revision = each.sending_revision or 1
                self.sorted.ready.append(Ready(each, message, revision, told, place, again=True))
            elif each.person_id is None:
                self._for_place(each, notice, told, place, zone)
            else:
                self._for_person(each, notice, told, readers.get(each.person_id), setting)

    def _for_person(
        self, each: Claimed, notice: Any, told: Told, reader: Reader | None, setting: Setting
    ) -> None:
        if reader is None:
            self._not_any_more(each, notice, "left")
            return
        if each.edits:
            self._change(each, notice, told, reader.language, reader.zone)
            return
        home = _pair(notice.home)
        matter = matter_of(notice.topic, notice.importance, task_id=notice.task_id, home=home)
        decision = decide(matter, reader, setting.rules, setting.closing_days, notice.now)
        reason = untrue(notice, reader)
        if reason is None and decision.outcome == "dropped":
            reason = "muted"
        if reason is not None:
            self.sorted.dropped.append((each, reason))
            return
        if decision.outcome == "held":
            self.sorted.quiet.append((each, decision))
            return
        if (way := self._other_way(each, decision)) is not None:
            self.sorted.moved.append((each, way))
            return
        notes = [reason.words for reason in decision.reasons if reason.code == "critical"]
        told = _noted(told, notes)
        self._send(each, notice, told, reader.language, reader.zone)

    def _other_way(self, each: Claimed, decision: Decision) -> Way | None:
        """The way they want to hear it by now, where it is another."""
        if each.place_in_line or each.instead is not None:
            return None
        own = (each.channel, each.workspace, each.address)
        wanted = decision.ways[: decision.together]
        if not wanted or own in {(way.channel, way.workspace, way.address) for way in wanted}:
            return None
        return wanted[0]

    def _for_place(
        self, each: Claimed, notice: Any, told: Told, place: NoticePlace | None, zone: str
    ) -> None:
        if place is None or place.off_since is not None:
            self._not_any_more(each, notice, "channel_off")
        elif each.edits:
            self._change(each, notice, told, place.language, zone, place)
        elif (reason := untrue(notice, None)) is not None:
            self.sorted.dropped.append((each, reason))
        else:
            self._send(each, notice, told, place.language, zone, place)

    def _not_any_more(
        self, each: Claimed, notice: Any, reason: Literal["left", "channel_off"]
    ) -> None:
        """They can be told nothing more; what stands there was told to them."""
        if each.edits:
            self.sorted.shown.append((each, notice.revision))
        elif reason == "left":
            self.sorted.dropped.append((each, reason))
        else:
            self.sorted.failed.append((each, reason))

    def _change(
        self,
        each: Claimed,
        notice: Any,
        told: Told,
        language: Language,
        zone: str,
        place: NoticePlace | None = None,
    ) -> None:
        """What stands there has to say something else. Where it can't be changed, only what is
        worth one more message is said: that it is over, or how often it is by now."""
        before = each.extra or {}
        shown = each.shown
        if not self.repeats:  # whoever was at it and was not heard of again may have said it
            shown = max(shown, each.sending_revision or 0)
        if notice.revision <= shown or not (self.changes or worth_saying(before, told)):
            self.sorted.shown.append((each, notice.revision))
            return
        self._send(each, notice, told, language, zone, place)

    def _send(
        self,
        each: Claimed,
        notice: Any,
        told: Told,
        language: Language,
        zone: str,
        place: NoticePlace | None = None,
    ) -> None:
        message = self.wording.message(told, language, zone)
        self.sorted.ready.append(Ready(each, message, notice.revision, told, place))

    async def _place(self, address: str) -> NoticePlace | None:
        return await places.by_id(
            self.work.connection, self.house, self.organisation_id, UUID(address)
        )


def _noted(told: Told, notes: Sequence[Words]) -> Told:
    return replace(told, notes=(*told.notes, *notes)) if notes else told


def _pair(home: Any) -> tuple[str, str] | None:
    pair = from_json(home)
    return (pair[0], pair[1]) if pair else None


# What is written of it


async def _hold(
    work: Unit, organisation_id: UUID, quiet: Sequence[tuple[Claimed, Decision]]
) -> None:
    """They have quiet hours by now: it goes out when those end."""
    wanted = [
        (each.person_id, decision.window)
        for each, decision in quiet
        if each.person_id is not None and decision.window is not None
    ]
    if not wanted:
        return
    windows = await open_windows(work.connection, organisation_id, wanted)
    for each, decision in quiet:
        assert each.person_id is not None and decision.window is not None  # noqa: S101, PT018
        window = windows[each.person_id, decision.window.topic, decision.window.key]
        await execute(
            work.connection,
            "update dispatches set state = 'held', reason = 'quiet', digest_id = :digest,"
            " held_until = :until, lease_owner = null, lease_until = null"
            " where organisation_id = :organisation_id and id = :id",
            {
                "organisation_id": organisation_id,
                "id": each.id,
                "digest": window.id,
                "until": window.due_at,
            },
        )
        until = window.due_at.isoformat(timespec="seconds")
        record(work, each, Tag.DISPATCH_HELD, reason="quiet", until=until)


async def _put_back(work: Unit, found: _Sorted) -> None:
    """Those that are not sent, or by another way."""
    rows: list[dict[str, Any]] = []
    for each, drop in found.dropped:
        rows.append({"id": str(each.id), "state": "dropped", "reason": drop})
        record(work, each, Tag.DISPATCH_DROPPED, reason=drop)
    for each, fail in found.failed:
        rows.append({"id": str(each.id), "state": "failed", "reason": fail, "permanent": True})
        record(work, each, Tag.DISPATCH_FAILED, reason=fail, permanent=True)
    for each, revision in found.shown:
        rows.append({"id": str(each.id), "state": "sent", "shown": revision})
    for each, way in found.moved:
        rows.append({"id": str(each.id), "state": "dropped", "reason": "superseded"})
        await by_other_way(work, each, way, None)
    if not rows:
        return
    await execute(
        work.connection,
        # across organisations: those in hand, by their ids
        "update dispatches d set state = r.state, reason = r.reason, permanent = r.permanent,"
        " shown = coalesce(r.shown, d.shown), lease_owner = null, lease_until = null,"
        " dead_at = case when r.state = 'failed' then now() end"
        " from jsonb_to_recordset(cast(:rows as jsonb)) as r (id uuid, state text, reason text,"
        " permanent boolean, shown integer) where d.id = r.id",
        {"rows": to_json(rows)},
    )


async def by_other_way(
    work: Unit, each: Claimed, way: Way, instead: Words | None, *, place_in_line: int = 0
) -> UUID | None:
    """Have it told by another way; None where it was told by that before."""
    other = new_id()
    made = await execute(
        work.connection,
        "insert into dispatches (id, organisation_id, notice_id, person_id, channel, workspace,"
        " address, place_in_line, instead, why, importance) select :other, organisation_id,"
        " notice_id, person_id, :channel, :workspace, :address, :place_in_line,"
        " cast(:instead as jsonb), why, importance from dispatches"
        " where organisation_id = :organisation_id and id = :id"
        " on conflict (notice_id, person_id, channel, workspace, address) do nothing",
        {
            "other": other,
            "organisation_id": each.organisation_id,
            "id": each.id,
            "channel": way.channel,
            "workspace": way.workspace,
            "address": way.address,
            "place_in_line": place_in_line,
            "instead": to_json(dump(instead)) if instead else None,
        },
    )
    if not made:
        return None
    record(work, each, Tag.DISPATCH_ELSEWHERE, to=str(other))
    return other


async def _intend(work: Unit, ready: Sequence[Ready]) -> None:
    """The intent, with the very words: what nobody knows the end of is found or said again by
    these. Of a place also what programs are told beside them."""
    if not ready:
        return
    await execute(
        work.connection,
        # across organisations: those in hand, by their ids
        "update dispatches d set attempts = d.attempts + 1, sending_revision = r.revision,"
        " body = r.body, extra = case when r.told is null then d.extra"
        " else coalesce(d.extra, '{}') || jsonb_build_object('told', r.told) end"
        " from jsonb_to_recordset(cast(:rows as jsonb))"
        " as r (id uuid, revision integer, body jsonb, told jsonb) where d.id = r.id",
        {
            "rows": to_json(
                [
                    {
                        "id": str(each.claimed.id),
                        "revision": each.revision,
                        "body": dump(each.message),
                        "told": dump(each.told) if each.place is not None else None,
                    }
                    for each in ready
                ]
            )
        },
    )
    for each in ready:
        record(work, each.claimed, Tag.DISPATCH_SENDING, revision=each.revision)


def record(work: Unit, each: Claimed, tag: Tag, **data: JSON) -> None:
    """An event about one dispatch."""
    fields: dict[str, JSON] = {"dispatch": str(each.id), "channel": each.channel, **data}
    work.record(Event(each.organisation_id, each.notice_id, tag, fields))
