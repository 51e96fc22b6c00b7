"""What somebody looks for in the log, in their own words, and who may look."""

import unicodedata
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.criteria import Criteria
from audit.event import JSON, Actor
from audit.registry import brief
from audit.search import EventCriteria
from core import tasks
from core.commands import read_target
from core.db import fetch_one
from core.errors import NotAllowed, Refused, Unknown
from core.people import Person, Role
from core.phrases import NO_ROLE, UNKNOWN_TASK
from core.tags import Tag
from core.words import Language, Words

READERS: tuple[Role, ...] = ("accountant", "auditor", "admin")
"""Who may search the log and the index of documents, and take what is found along."""

FILE_READERS: tuple[Role, ...] = ("accountant", "admin")
"""Who may take the documents themselves along: an auditor has the log, and nothing else."""

NO_PERSON = Words(
    ja="「{handle}」という人がいません。",
    en="There is nobody called “{handle}”.",
    zh="没有名为“{handle}”的人。",
)
NO_TAG = Words(
    ja="「{tag}」というタグはありません。",
    en="There is no tag “{tag}”.",
    zh="没有标签“{tag}”。",
)
RANGE_TURNED = Words(
    ja="範囲の始まりが終わりより後（大きい）です。",
    en="The range ends before it begins.",
    zh="范围的起点在终点之后。",
)


@dataclass(frozen=True, slots=True)
class Reader:
    """Who looks. `person` is None for whoever runs this installation, at its own terminal.

    `language` and `zone` are in which to tell, and by which a date begins. `ip` and `user_agent`:
    of their HTTP request, if it is one.
    """

    organisation_id: UUID
    account: str
    person: Person | None = None
    language: Language = "ja"
    zone: str = "Asia/Tokyo"
    ip: str | None = None
    user_agent: str | None = None

    @property
    def actor(self) -> Actor:
        person_id = self.person.id if self.person else None
        return Actor(person_id, self.account, ip=self.ip, user_agent=self.user_agent)

    @property
    def stream(self) -> UUID:
        """Where it is written that they looked: with the person, else with the company."""
        return self.person.id if self.person else self.organisation_id

    def need(self, roles: tuple[Role, ...]) -> None:
        """Raises NotAllowed unless they have one of these roles."""
        if self.person is not None and not any(self.person.may(role) for role in roles):
            raise NotAllowed(NO_ROLE.fill(role=" / ".join(roles)))


@dataclass(frozen=True, slots=True)
class Asked:
    """What is looked for; what is None or empty asks for nothing (audit.criteria.Criteria).

    `person` is a handle, an account (`slack:T1:U2`) or an id, `task` a reference or the number of a
    document of the task.
    """

    since: date | None = None
    until: date | None = None
    least: int | None = None
    most: int | None = None
    counterparty: str = ""
    person: str = ""
    task: str = ""
    number: str = ""
    kind: str = ""
    text: str = ""
    tags: tuple[str, ...] = ()

    def check(self) -> None:
        """Raises Refused for a range that is none, and for a tag that there is not."""
        if self.since and self.until and self.since > self.until:
            raise Refused(RANGE_TURNED)
        if self.least is not None and self.most is not None and self.least > self.most:
            raise Refused(RANGE_TURNED)
        for tag in self.tags:
            if tag not in set(Tag):
                raise Refused(NO_TAG.fill(tag=tag[:80]))


async def criteria(connection: AsyncConnection, reader: Reader, asked: Asked) -> Criteria:
    """The same by ids. Raises Refused, and Unknown for a person or a task that there is not."""
    asked.check()
    found = Criteria(
        since=asked.since,
        until=asked.until,
        least=asked.least,
        most=asked.most,
        counterparty=asked.counterparty,
        number=asked.number,
        kind=asked.kind,
        text=asked.text,
    )
    if asked.person:
        found = replace(found, person_id=await _person(connection, reader, asked.person))
    if asked.task:
        found = replace(found, stream=await _task(connection, reader, asked.task))
    return found


def event_criteria(found: Criteria, reader: Reader, asked: Asked) -> EventCriteria:
    """The same about events."""
    return EventCriteria(found, asked.tags, reader.zone)


async def _person(connection: AsyncConnection, reader: Reader, handle: str) -> UUID:
    """Also of somebody who has left, or was erased: what they did is still there."""
    row = await fetch_one(
        connection,
        "select id from people where organisation_id = :organisation_id and (handle = :handle"
        " or cast(id as text) = :handle or id in (select a.person_id from accounts a"
        " where a.organisation_id = :organisation_id"
        " and a.platform || ':' || a.workspace || ':' || a.external_id = :handle))"
        " order by handle = :handle desc limit 1",
        {"organisation_id": reader.organisation_id, "handle": handle},
    )
    if row is None:
        raise Unknown(NO_PERSON.fill(handle=handle[:80]))
    found: UUID = row.id
    return found


async def _task(connection: AsyncConnection, reader: Reader, name: str) -> UUID:
    target, rest = read_target(name)
    if target is None or rest:
        raise Unknown(UNKNOWN_TASK.fill(target=name[:40]))
    return await tasks.find(connection, reader.organisation_id, target)


def for_the_log(asked: Asked, found: Criteria) -> dict[str, JSON]:
    """What was looked for, as the event of it says. Of names and words only that there were some:
    they may be somebody's, and what is in the log stays there."""
    exact: dict[str, Any] = {
        "since": found.since.isoformat() if found.since else None,
        "until": found.until.isoformat() if found.until else None,
        "least": found.least,
        "most": found.most,
        "person": str(found.person_id) if found.person_id else None,
        "stream": str(found.stream) if found.stream else None,
        "number": brief(found.number),
        "kind": brief(found.kind),
        "tags": list(asked.tags),
        "counterparty": bool(found.counterparty),
        "text": bool(found.text),
    }
    return {name: value for name, value in exact.items() if value not in (None, "", [], False)}


def read_amount(text: str) -> int | None:
    """Whole yen as they are typed: `1,000,000`, `￥５０００`, `5000円`. None: no number."""
    folded = unicodedata.normalize("NFKC", text).strip().lstrip("¥").rstrip("円").replace(",", "")
    try:
        return int(folded)
    except ValueError:
        return None


def read_day(text: str) -> date | None:
    """A day as it is typed: `2026-11-25`, `2026/11/25`. None where it is none."""
    parts = unicodedata.normalize("NFKC", text).strip().replace("/", "-").split("-")
    try:
        year, month, day = (int(part) for part in parts)
        return date(year, month, day)
    except ValueError:
        return None
