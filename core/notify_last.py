"""All that somebody's latest digest had, page by page: the rest of what it showed."""

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from core import notify_words as words
from core.db import fetch_all, fetch_one, from_json
from core.messages import Line, Message
from core.people import Person
from core.words import Language

PAGE = 30

# `told`: each notice once, by whatever ways it would have come.
_ITEMS = """
    select n.topic, n.facts, n.count as times, n.created_at, t.reference, count(*) over () as every
    from (select distinct notice_id from dispatches where organisation_id = :organisation_id
        and digest_id = :digest_id and state = 'digested') told
    join notices n on n.id = told.notice_id left join tasks t on t.id = n.task_id
    where n.organisation_id = :organisation_id
    order by n.created_at, n.id limit :most offset :from
"""


async def last_digest(connection: AsyncConnection, person: Person, page: int) -> Message:
    """One page of it."""
    scope = {"organisation_id": person.organisation_id, "person_id": person.id}
    digest = await fetch_one(
        connection,
        "select id, closed_at from digests where organisation_id = :organisation_id"
        " and person_id = :person_id and notice_id is not null order by closed_at desc limit 1",
        scope,
    )
    language = person.language
    if digest is None:
        return Message(words.NO_LAST.to(language), language=language)
    values = {
        "organisation_id": person.organisation_id,
        "digest_id": digest.id,
        "most": PAGE,
        "from": (page - 1) * PAGE,
    }
    rows = await fetch_all(connection, _ITEMS, values)  # names organisation_id
    zone = ZoneInfo(person.time_zone)
    lines = tuple(
        Line(
            called(row.reference, row.topic, from_json(row.facts), language),
            f"{row.created_at.astimezone(zone):%m-%d %H:%M}",
            words.TIMES.fill(n=row.times).to(language) if row.times > 1 else "",
        )
        for row in rows
    )
    every = rows[0].every if rows else 0
    title = words.LAST.fill(
        at=f"{digest.closed_at.astimezone(zone):%Y-%m-%d %H:%M}",
        zone=person.time_zone, n=every, page=page, pages=-(-every // PAGE) or page,
    ).to(language)  # fmt: skip
    text = "\n".join([title, *(f"{each.detail} {each.name} {each.amount}" for each in lines)])
    return Message(text.strip(), title=title, lines=lines, language=language)


def called(reference: int | None, topic: str, facts: Mapping[str, Any], language: Language) -> str:
    """What it is about, by what its sender called it."""
    title = facts.get("title")
    if isinstance(title, Mapping):  # in each language
        title = title.get(language)
    said = title if isinstance(title, str) and title else topic
    return f"#{reference} {said}" if reference is not None else said
