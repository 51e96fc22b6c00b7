"""Reads who should hear something, with all that decides how, and by which rules: many at once."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from core.codec import load
from core.db import fetch_all, fetch_one, from_json
from core.preferences import DEFAULT, Preferences
from core.words import as_language
from notifier.hub.decision import Reader, Way
from notifier.hub.rule_file import rules_of
from notifier.hub.rules import Rules


@dataclass(frozen=True, slots=True)
class Setting:
    """What of a company decides: its rules, and the days on which it is closed."""

    rules: Rules
    closing_days: Collection[str]


async def setting_of(connection: AsyncConnection, organisation_id: UUID) -> Setting:
    """The rules that are in force, and the company's calendar."""
    row = await fetch_one(
        connection,
        "select o.profile -> 'closing_days' as closing, r.version, r.body ->> 'source' as source"
        " from organisations o left join lateral (select version, body from notice_rules"
        " where organisation_id = :organisation_id order by version desc limit 1) r on true"
        " where o.id = :organisation_id",
        {"organisation_id": organisation_id},
    )
    assert row is not None  # noqa: S101  # whatever asks belongs to it
    rules = rules_of(row.source or "", row.version or 0)
    return Setting(rules, frozenset(from_json(row.closing) or ()))


_READERS = """
    select p.id, p.name, p.language, p.time_zone, p.zone_chosen, p.roles, c.body,
        (select jsonb_agg(jsonb_build_array(a.platform, a.workspace, a.external_id,
                a.unreachable_since is null) order by a.created_at, a.id)
            from accounts a where a.organisation_id = :organisation_id and a.person_id = p.id
            and a.listens and a.platform = any(:platforms)) as ways,
        case when :criticals then (select count(distinct d.notice_id) from dispatches d
            where d.organisation_id = :organisation_id and d.person_id = p.id
            and d.created_at > now() - interval '1 day'
            and d.importance = 0 and d.sent_at > now() - interval '1 hour') else 0 end as criticals
    from people p left join preferences c
        on c.organisation_id = :organisation_id and c.person_id = p.id
    where p.organisation_id = :organisation_id and p.id = any(:people) and p.active
"""


async def read_readers(
    connection: AsyncConnection,
    organisation_id: UUID,
    people: Collection[UUID],
    platforms: Collection[str],
    *,
    criticals: bool = True,
) -> Mapping[UUID, Reader]:
    """Those of these people who are still with the company, with their accounts on these platforms,
    oldest first. Without `criticals` it is not counted how many critical ones they were told."""
    rows = await fetch_all(
        connection,
        _READERS,
        {
            "organisation_id": organisation_id,
            "people": list(people),
            "platforms": list(platforms),
            "criticals": criticals,
        },
    )
    return {row.id: _reader(row) for row in rows}


def _reader(row: Any) -> Reader:
    return Reader(
        id=row.id,
        name=row.name,
        language=as_language(row.language),
        zone=row.time_zone,
        zone_chosen=row.zone_chosen,
        ways=tuple(Way(*way) for way in from_json(row.ways) or ()),
        preferences=load(Preferences, from_json(row.body)) if row.body else DEFAULT,
        roles=frozenset(row.roles),
        criticals=row.criticals,
    )
