"""What of all that is due in a conversation is said, in which order, and what is not worth it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from core.approvals.codes import code_of
from core.codec import dump, fingerprint
from core.db import fetch_one_alone
from core.ports import Utterance, Weight
from core.tasks import FINAL
from core.views import TaskView, at_a_glance
from notifier.call import Part
from notifier.rendering import render
from notifier.thread import Due, Taken
from notifier.versions import Versions
from notifier.weighing import Around, Change, weigh

WORTH_WHILE = timedelta(minutes=3)
"""What is said only where it costs nothing is not said later than this."""
_AFTER_THEM = timedelta(seconds=0.3)
"""What waits for earlier messages in the same chat looks for them so long after they are due."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is said, and what is closed without a word.

    `unreachable`: nobody is reached there any more. `waits`: for how long, because something that
    was to be said in this chat before is still on its way.
    """

    told: Sequence[Part]
    closed: Sequence[Part]
    unreachable: bool = False
    waits: timedelta | None = None


async def make_plan(versions: Versions, taken: Taken, version: int) -> Plan:
    """What becomes of each slot's waiting changes; what is said comes in the order it became due,
    and what was tried before that comes first."""
    slots: dict[str, list[Due]] = {}
    for change in taken.due:
        slots.setdefault(change.slot, []).append(change)
    view = await versions.at(version)
    if view.state not in FINAL and slots.keys() <= {"root", "flash"}:
        found = _Found(Around())  # nothing will be said
    else:
        found = await _look_around(versions, taken)
    parts = [await _part(versions, taken, view, found.around, each) for each in slots.values()]
    places = {change.id: place for place, change in enumerate(taken.due)}
    parts.sort(key=lambda part: places[part.last.id])
    told = [part for part in parts if part.utterance is not None]
    closed = [part for part in parts if part.utterance is None]
    if found.unreachable:
        earlier = [replace(part, changes=part.changes[:-1], utterance=None) for part in told]
        closed += [replace(part, state="superseded") for part in earlier if part.changes]
    return Plan(told, closed, found.unreachable, found.waits if told else None)


async def _part(
    versions: Versions, taken: Taken, view: TaskView, around: Around, changes: Sequence[Due]
) -> Part:
    last, thread = changes[-1], taken.thread
    if last.held:
        return Part(changes, "superseded")  # nobody knows what was said there
    posted = taken.posted.get(last.slot)
    message = await render(versions.house, view, thread, last, posted)
    if message is not None and last.slot.startswith("card:"):
        message = replace(message, progress=at_a_glance(view, thread.language, thread.time_zone))
    if message is None or (posted and posted.sha256 == fingerprint(dump(message))):
        return Part(changes, "unchanged")
    before = posted.message if posted else None
    weight = weigh(Change(thread, view, changes, message, before), around)
    late = weight == "may" and timedelta(seconds=last.age) > WORTH_WHILE
    if weight is None or late:
        return Part(changes, "unsaid")
    utterance = Utterance(str(last.id), message, weight, before=before)
    return Part(changes, "sending", await _with_code(versions, taken, view, utterance, weight))


async def _with_code(
    versions: Versions, taken: Taken, view: TaskView, utterance: Utterance, weight: Weight
) -> Utterance:
    """What whoever decides can type in place of pressing a button."""
    reader, approval = taken.thread.reader, view.approval
    if weight != "urgent" or reader is None or approval is None or approval.open is None:
        return utterance
    async with versions.house.engine.begin() as connection:
        code = await code_of(connection, view.organisation_id, approval.open.id, reader)
    return replace(utterance, code=code)


@dataclass(frozen=True, slots=True)
class _Found:
    around: Around
    unreachable: bool = False
    waits: timedelta | None = None


# What was for a person is said to no account that was cut off from them, whosever it is by now, and
# to nobody who has left: their account on a platform for everybody is theirs for good. And
# once something could not be said in a chat, nothing that came after overtakes it, of any task.
_AROUND = """
    with earlier as materialized (
        select thread_id, attempts, next_at from deliveries
        where organisation_id = :organisation_id and state in ('pending', 'sending')
            and id < :first and (attempts > 0 or thread_id = :thread_id)
            and (held_until is null or held_until <= now()) -- what waits for a person's morning
    )
    select coalesce(a.tells_ends, false) as tells_ends, coalesce(c.amounts, false) as amounts,
        case when asked.direct then a.id is null or a.unreachable_since is not null or not p.active
            else c.left_at is not null end as unreachable,
        exists (select from deliveries d where d.organisation_id = :organisation_id
            and d.task_id = :task_id and d.thread_id = :thread_id and d.slot = 'result')
            as has_result,
        (select extract(epoch from max(greatest(w.next_at, now())) - now())
            from earlier w cross join lateral (select * from threads h
                where h.id = w.thread_id limit 1) h
            where h.organisation_id = :organisation_id and h.platform = :platform
                and h.workspace = :workspace and h.channel = :channel
                and (w.next_at > now() or w.attempts > 1 and h.lease_until > now()
                    and h.id <> :thread_id)) as waits
    from (select cast(:direct as boolean) as direct) asked
    left join accounts a on a.organisation_id = :organisation_id and a.platform = :platform
        and a.workspace = :workspace and a.external_id = :account
        and (a.person_id = :reader or not asked.direct)
    left join people p on p.organisation_id = :organisation_id and p.id = a.person_id
    left join chats c on c.organisation_id = :organisation_id and c.platform = :platform
        and c.workspace = :workspace and c.channel = :channel
"""


async def _look_around(versions: Versions, taken: Taken) -> _Found:
    """The conversation as it is, and what is on its way there."""
    thread = taken.thread
    row = await fetch_one_alone(
        versions.house.engine,
        _AROUND,
        {
            "organisation_id": thread.task.organisation_id,
            "task_id": thread.task.id,
            "thread_id": thread.id,
            "platform": thread.platform,
            "workspace": thread.place.workspace,
            "account": thread.place.account,
            "channel": thread.place.channel,
            "direct": thread.place.direct,
            "reader": thread.reader,
            "first": min(change.id for change in taken.due),
        },
    )
    assert row is not None  # noqa: S101  # it always has one row
    waits = None if row.waits is None else timedelta(seconds=float(row.waits)) + _AFTER_THEM
    return _Found(Around(row.tells_ends, row.amounts, row.has_result), row.unreachable, waits)
