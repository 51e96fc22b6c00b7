"""Idempotency keys (IETF draft-ietf-httpapi-idempotency-key-header): each for one thing only.

The key of a delivery already makes it be taken in once (core/intake.py). Here is kept what a key
was first used for, so that the same key with other content is told apart from a repetition.
"""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from core.db import execute, fetch_quickly
from core.inbound import Sender
from core.people import Person


@dataclass(frozen=True, slots=True)
class Claim:
    """`delivery` is the key as the intake knows it: keys belong to a person, not to a token.

    `answered`: the act was done before, so only its first answer is still to be found.
    """

    delivery: str
    fingerprint: str
    answered: bool


# The update changes nothing: it makes the statement give the row, whoever has written it first.
_CLAIM = """
    insert into idempotency_keys (organisation_id, person_id, key, fingerprint)
    values (:organisation_id, :person_id, :key, :fingerprint)
    on conflict (person_id, key) do update set key = excluded.key
    returning fingerprint, exists (select from inbound i where
        i.organisation_id = :organisation_id and i.platform = :platform
        and i.workspace = :workspace and i.key = :delivery) as answered
"""


async def claim(
    connection: AsyncConnection, person: Person, sender: Sender, key: str, fingerprint: str
) -> Claim:
    """Take the key for a request of this fingerprint; gives the fingerprint it was taken for."""
    delivery = f"{person.id}:{key}"
    row = await fetch_quickly(
        connection,
        _CLAIM,  # names organisation_id
        {
            "organisation_id": person.organisation_id,
            "person_id": person.id,
            "key": key,
            "fingerprint": fingerprint,
            "platform": sender.platform,
            "workspace": sender.workspace,
            "delivery": delivery,
        },
    )
    assert row is not None  # noqa: S101  # an upsert returns its row
    return Claim(delivery, row.fingerprint, row.answered)


async def forget_refusal(
    connection: AsyncConnection, person: Person, sender: Sender, delivery: str
) -> None:
    """Have a delivery that was refused looked at anew when it comes again with the same key."""
    await execute(
        connection,
        "delete from inbound where organisation_id = :organisation_id and platform = :platform"
        " and workspace = :workspace and key = :delivery and task_id is null"
        " and answer ->> 'outcome' = 'refused'",
        {
            "organisation_id": person.organisation_id,
            "platform": sender.platform,
            "workspace": sender.workspace,
            "delivery": delivery,
        },
    )
