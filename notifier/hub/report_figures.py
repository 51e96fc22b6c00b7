"""What a report says: what was done in some days, what waits and for whom, what failed."""

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from core import wall_clock
from core.codec import load
from core.db import from_json
from core.house import House
from core.words import Language, Words

DAY = timedelta(days=1)
_LISTED = 20
"""So many of what waits and of what failed are named; the file has all."""

_COLUMNS = {
    "what": Words(ja="区分", en="What", zh="类别"),
    "reference": Words(ja="番号", en="Reference", zh="编号"),
    "title": Words(ja="種類", en="Kind", zh="类型"),
    "requester": Words(ja="依頼者", en="Requester", zh="申请人"),
    "waits_for": Words(ja="待っている相手", en="Waits for", zh="等待对象"),
    "since": Words(ja="依頼日時", en="Asked at", zh="申请时间"),
    "ended": Words(ja="完了・失敗日時", en="Ended at", zh="完成或失败时间"),
    "minutes": Words(ja="節約した分", en="Minutes saved", zh="节省分钟数"),
}
_STATES = {
    "done": Words(ja="完了", en="done", zh="完成"),
    "waiting": Words(ja="待ち", en="waiting", zh="等待中"),
    "failed": Words(ja="失敗", en="failed", zh="失败"),
}
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Days:
    """From one day to another, both included, by the company's calendar."""

    since: date
    until: date
    zone: str

    def moments(self) -> tuple[datetime, datetime]:
        """When they begin, and when they are over."""
        zone = ZoneInfo(self.zone)
        return (
            wall_clock.first(zone, self.since, time()),
            wall_clock.first(zone, self.until + DAY, time()),
        )

    def each(self) -> Sequence[date]:
        """All of them."""
        return [self.since + number * DAY for number in range((self.until - self.since).days + 1)]


@dataclass(frozen=True, slots=True)
class Task:
    """A row behind the numbers. `what`: done, waiting or failed."""

    what: str
    reference: int
    agent: str
    title: Words
    requester: str
    waits_for: Sequence[str]
    since: datetime
    ended: datetime | None
    failure: Words | None = None


# What was done and what failed in the days, and all that waits now.
ROWS = """
    select t.reference, t.agent, t.agent_version, t.state, t.failure, t.created_at,
        p.name as requester,
        case t.state when 'done' then t.finished_at when 'failed' then t.updated_at end as ended,
        case when t.state <> 'waiting' then cast('{}' as text[])
            when t.waiting_for = 'answer' then array[p.name]
            else array(select distinct h.name from approval_seats s
                join people h on h.id = s.holder_id
                where s.organisation_id = :organisation_id and s.task_id = t.id
                and s.state = 'open' order by h.name) end as waits_for
    from tasks t join people p on p.id = t.person_id
    where t.organisation_id = :organisation_id and (t.state = 'waiting'
        or t.state = 'done' and t.finished_at >= :since and t.finished_at < :until
        or t.state = 'failed' and t.updated_at >= :since and t.updated_at < :until)
    order by t.reference
"""


def facts_of(tasks: Sequence[Task], days: Days, minutes: Mapping[str, int]) -> dict[str, Any]:
    """What the templates of reports are given. `minutes`: that one task of an agent spares."""
    done = [task for task in tasks if task.what == "done"]
    waiting = [task for task in tasks if task.what == "waiting"]
    failed = [task for task in tasks if task.what == "failed"]
    by_agent = Counter(task.agent for task in done)
    titles = {task.agent: task.title for task in done}
    return {
        "since": days.since.isoformat(),
        "until": days.until.isoformat(),
        "done": len(done),
        "waiting": len(waiting),
        "failed": len(failed),
        "minutes_saved": sum(minutes.get(task.agent, 0) for task in done) if minutes else None,
        "agents": [
            {
                "title": spoken(titles[agent]),
                "done": count,
                "minutes": count * minutes[agent] if agent in minutes else None,
            }
            for agent, count in by_agent.most_common()
        ],
        "waits": [
            {"reference": task.reference, "title": spoken(task.title), "who": task.waits_for}
            for task in waiting[:_LISTED]
        ],
        "failures": [
            {
                "reference": task.reference,
                "title": spoken(task.title),
                "why": spoken(task.failure) if task.failure else None,
            }
            for task in failed[:_LISTED]
        ],
    }


def spoken(words: Words) -> dict[str, str]:
    """A text as facts have it: in each language."""
    return {"ja": words.ja, "en": words.en, "zh": words.zh}


def bars_of(tasks: Sequence[Task], days: Days) -> Sequence[Mapping[str, Any]]:
    """Of each day what was done and what failed, for the picture."""
    zone = ZoneInfo(days.zone)
    counted = Counter(
        (task.what, task.ended.astimezone(zone).date()) for task in tasks if task.ended is not None
    )
    return [
        {
            "day": f"{day:%m/%d}",
            "done": counted["done", day],
            "failed": counted["failed", day],
        }
        for day in days.each()
    ]


def rows_of(
    tasks: Sequence[Task], days: Days, minutes: Mapping[str, int], language: Language
) -> bytes:
    """All rows behind the numbers, as CSV that Excel opens as it is meant."""
    zone = ZoneInfo(days.zone)
    into = io.StringIO()
    writer = csv.writer(into)
    writer.writerow([words.to(language) for words in _COLUMNS.values()])
    for task in sorted(tasks, key=lambda each: (list(_STATES).index(each.what), each.reference)):
        saved = minutes.get(task.agent) if task.what == "done" else None
        writer.writerow(
            [
                _STATES[task.what].to(language),
                f"#{task.reference}",
                _plain(task.title.to(language)),
                _plain(task.requester),
                _plain(", ".join(task.waits_for)),
                f"{task.since.astimezone(zone):%Y-%m-%d %H:%M}",
                f"{task.ended.astimezone(zone):%Y-%m-%d %H:%M}" if task.ended else "",
                "" if saved is None else saved,
            ]
        )
    return into.getvalue().encode("utf-8-sig")


def _plain(cell: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def task_of(house: House, row: Any) -> Task:
    """A row as it was read."""
    agent = house.agents.get(row.agent)
    title = agent.title if agent is not None else Words(row.agent, row.agent, row.agent)
    failure = from_json(row.failure)
    return Task(
        what=row.state,
        reference=row.reference,
        agent=row.agent,
        title=title,
        requester=row.requester,
        waits_for=row.waits_for,
        since=row.created_at,
        ended=row.ended,
        failure=load(Words, failure) if failure else None,
    )
