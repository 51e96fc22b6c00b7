"""Codes of a few digits by which one person decides one step, where a button can't be pressed.

A code begins with 0, as no reference of a task does: `承認 0412` is never taken for a task of that
number, whatever tasks come later. It belongs to one person and one step for good, so that an old
message decides nothing else. It is no secret: only whose it is can use it.
"""

import re
import secrets
import unicodedata
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from core.db import fetch_all, fetch_one
from core.people import Person

FEWEST = 4
"""Digits of a code; more once half of those that there are have been given to a person."""
_MOST = 12

_SEVERAL = re.compile(r"0\d{3,11}(?:[\s、,]+0\d{3,11})+")


@dataclass(frozen=True, slots=True)
class Coded:
    """The step that a code stands for, and whose code it is."""

    stage: UUID
    task_id: UUID
    person_id: UUID


async def code_of(
    connection: AsyncConnection, organisation_id: UUID, stage_id: UUID, person_id: UUID
) -> str:
    """What this person types to decide this step, the same however often it is asked for.

    Works in the caller's transaction, which has to be committed before the code is told.
    """
    key = {"organisation_id": organisation_id, "stage_id": stage_id, "person_id": person_id}
    while True:
        found = await fetch_one(
            connection,
            "select code from approval_codes where organisation_id = :organisation_id"
            " and stage_id = :stage_id and person_id = :person_id",
            key,
        )
        if found is not None:
            return str(found.code)
        length = await _length(connection, organisation_id, person_id)
        code = f"{secrets.randbelow(10 ** (length - 1)):0{length}d}"
        # Nothing is returned where somebody else made one at once, or the person has it already.
        made = await fetch_one(
            connection,
            "insert into approval_codes (organisation_id, stage_id, person_id, code)"
            " values (:organisation_id, :stage_id, :person_id, :code)"
            " on conflict do nothing returning code",
            {**key, "code": code},
        )
        if made is not None:
            return code


async def _length(connection: AsyncConnection, organisation_id: UUID, person_id: UUID) -> int:
    """The fewest digits of which at least half of all codes are still to be given to a person."""
    rows = await fetch_all(
        connection,
        "select length(code) as length, count(*) as n from approval_codes"
        " where organisation_id = :organisation_id and person_id = :person_id group by 1",
        {"organisation_id": organisation_id, "person_id": person_id},
    )
    given = {row.length: row.n for row in rows}
    fits = (n for n in range(FEWEST, _MOST) if given.get(n, 0) < 10 ** (n - 1) // 2)
    return next(fits, _MOST)


async def coded(connection: AsyncConnection, person: Person, code: str) -> Coded | None:
    """What a code stands for: that of this person, else the newest of somebody else there."""
    row = await fetch_one(
        connection,
        "select c.stage_id as stage, s.task_id, c.person_id from approval_codes c"
        " join approval_stages s on s.id = c.stage_id"
        " where c.organisation_id = :organisation_id and c.code = :code"
        " order by c.person_id = :person_id desc, c.created_at desc limit 1",
        {"organisation_id": person.organisation_id, "code": code, "person_id": person.id},
    )
    return Coded(**row._asdict()) if row else None


def read_codes(text: str) -> tuple[str, ...]:
    """The codes of a list such as `0412 0733`; () where the text is anything else, or one."""
    said = unicodedata.normalize("NFKC", text).strip()
    return tuple(dict.fromkeys(re.findall(r"\d+", said))) if _SEVERAL.fullmatch(said) else ()
