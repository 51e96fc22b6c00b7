"""Who is meant where a program or a command names who should hear something, in one word each.

`tanaka` (a handle), `role:approver`, `place:ops`, `on_call:night`, `all`.
"""

from collections.abc import Mapping, Sequence
from typing import cast
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from core.db import fetch_one_alone, from_json
from core.errors import Refused
from core.inbound import storable
from core.notices import Recipient, RecipientKind
from core.people import ROLES
from core.words import LANGUAGES, Words

_OF_A_TASK = frozenset({"requester", "waits_for"})

_NO_TASK = Words(
    ja="「{kind}」は依頼についての通知でだけ使えます。",
    en="“{kind}” is somebody only where a notice is about a task.",
    zh="“{kind}”只能用于与请求相关的通知。",
)
_NO_ROLE = Words(
    ja="役割「{name}」はありません（{roles}）。",
    en="There is no role “{name}” ({roles}).",
    zh="没有角色“{name}”（{roles}）。",
)
_NO_KIND = Words(
    ja="「{kind}:」は使えません（role: place: on_call: person:）。",
    en="“{kind}:” is nothing that can be told (role: place: on_call: person:).",
    zh="不能使用“{kind}:”（role: place: on_call: person:）。",
)
_NOBODY = {
    "person": Words(
        ja="「{name}」という人はいません。",
        en="There is nobody called “{name}”.",
        zh="没有名为“{name}”的人。",
    ),
    "place": Words(
        ja="通知先「{name}」はありません。",
        en="There is no place “{name}”.",
        zh="没有通知目标“{name}”。",
    ),
    "on_call": Words(
        ja="当番表「{name}」はありません。",
        en="There is no rota “{name}”.",
        zh="没有值班表“{name}”。",
    ),
}

Known = Mapping[tuple[str, str], str]
"""What each named person, place or rota is called in a Recipient: of a person their id."""

_LOOK_UP = """
    select coalesce(jsonb_agg(jsonb_build_array(kind, name, called)), '[]') as known from (
        select 'person' as kind, handle as name, cast(id as text) as called from people
            where organisation_id = :organisation_id and active and handle = any(:person)
        union all select 'place', name, name from notice_places
            where organisation_id = :organisation_id and removed_at is null and name = any(:place)
        union all select 'on_call', name, name from rotas
            where organisation_id = :organisation_id and removed_at is null
                and name = any(:on_call)
    ) as found
"""


def parse(word: str) -> Recipient:
    """Who is meant, by name. Raises Refused where nothing of that kind can be told."""
    kind, colon, name = storable(word).strip().partition(":")
    if not colon and kind in _OF_A_TASK:
        raise Refused(_NO_TASK.fill(kind=kind))
    if not colon:
        return Recipient("all") if kind == "all" else Recipient("person", kind)
    if kind == "role" and name not in ROLES:
        raise Refused(_NO_ROLE.fill(name=name[:40], roles=", ".join(ROLES)))
    if kind not in {"role", *_NOBODY}:
        raise Refused(_NO_KIND.fill(kind=kind[:40]))
    return Recipient(cast("RecipientKind", kind), name)


async def look_up(engine: AsyncEngine, organisation_id: UUID, named: Sequence[Recipient]) -> Known:
    """Those of them that there are."""
    names = {kind: sorted({each.of for each in named if each.kind == kind}) for kind in _NOBODY}
    if not any(names.values()):
        return {}
    row = await fetch_one_alone(engine, _LOOK_UP, {"organisation_id": organisation_id, **names})
    assert row is not None  # noqa: S101  # an aggregate
    return {(kind, name): called for kind, name, called in from_json(row.known)}


def known(named: Sequence[Recipient], found: Known) -> tuple[Recipient, ...]:
    """The same as the hub takes them. Raises Refused, which names all who are not there."""
    lacking = [
        _NOBODY[each.kind].fill(name=each.of[:80])
        for each in named
        if each.kind in _NOBODY and (each.kind, each.of) not in found
    ]
    if lacking:
        raise Refused(_all_of(lacking))
    return tuple(Recipient(each.kind, found.get((each.kind, each.of), each.of)) for each in named)


async def resolve(
    engine: AsyncEngine, organisation_id: UUID, words: Sequence[str]
) -> tuple[Recipient, ...]:
    """Who is meant, as the hub takes them. Raises Refused."""
    named = [parse(word) for word in words]
    return known(named, await look_up(engine, organisation_id, named))


def _all_of(texts: Sequence[Words]) -> Words:
    return Words(*(" ".join(text.to(language) for text in texts) for language in LANGUAGES))
