"""The one message a day in which somebody is shown all that waits for their decision."""

from dataclasses import replace
from zoneinfo import ZoneInfo

from core.approvals import card
from core.approvals.inbox import Waiting, count_for, waiting_for
from core.approvals.wording import moment
from core.house import House
from core.messages import Line, Message
from core.people import by_id
from core.views import TaskView
from core.words import Language, Words
from notifier import topics
from notifier.thread import Posted, Thread

WAITING = Words(
    ja="あなたの決定を待っているもの: {n} 件",
    en="Waiting for your decision: {n}",
    zh="等待您审批: {n} 件",
)
SINCE = Words(
    ja="{since} から（期限 {until}）",
    en="since {since} (until {until})",
    zh="自 {since} 起（期限 {until}）",
)
MORE = Words(ja="ほか {n} 件", en="and {n} more", zh="另有 {n} 件")


async def digest(
    house: House, view: TaskView, thread: Thread, posted: Posted | None
) -> Message | None:
    """All that waits for the reader now, what has waited longest first. Once nothing does, how
    what it was about ended; None where nothing ever was to be shown."""
    if thread.reader is None:
        return None
    async with house.engine.connect() as connection:
        reader = await by_id(connection, view.organisation_id, thread.reader)
        if reader is None:
            return posted.message if posted else None
        found = await waiting_for(connection, house, reader)
        count = await count_for(connection, reader)
    ended = ""
    if view.approval is not None and view.approval.state != "pending":
        ended = card.closed(view.approval, thread.language, thread.time_zone)
    if not found:
        over = ended or card.OVER.to(thread.language)
        return topics.retire(posted.message, over) if posted else None
    zone = reader.time_zone
    lines = tuple(_line(each, thread.language, zone) for each in found)
    title = WAITING.fill(n=count).to(thread.language)
    spoken = [f"{each.name}  {each.amount}  {each.detail}" for each in lines]
    note = MORE.fill(n=count - len(found)).to(thread.language) if count > len(found) else ""
    message = Message(text="\n".join([title, *spoken]), title=title, lines=lines, note=note)
    return replace(message, note=ended) if ended and posted else message


def _line(each: Waiting, language: Language, zone: str) -> Line:
    until = each.due_at or each.expires_at
    since = SINCE.fill(
        since=moment(each.since, ZoneInfo(zone)), until=moment(until, ZoneInfo(zone))
    )
    return Line(
        f"{each.spoken} {each.title.to(language)}  {each.requester}",
        since.to(language),
        each.total,
    )
