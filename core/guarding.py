"""What guards accounts is told to whoever it concerns, so that nobody acts in their name unseen.

Each is written in the transaction of what happened, like the event beside it.
"""

from collections.abc import Collection
from uuid import UUID

from core.db import fetch_one
from core.inbound import Sender
from core.notices import Notice, Recipient, publish
from core.unit import Unit

_ADMINS = Recipient("role", "admin")


async def account_linked(
    work: Unit, organisation_id: UUID, person_id: UUID, name: str, account: Sender
) -> None:
    """Somebody may speak for a person from one more account. Of the first there is nobody to tell,
    nor of those that were linked with it."""
    row = await fetch_one(
        work.connection,
        "select count(*) as n from accounts where organisation_id = :organisation_id"
        " and person_id = :person_id and listens and created_at < now()",
        {"organisation_id": organisation_id, "person_id": person_id},
    )
    if row is None or row.n == 0:
        return
    facts = {"account": f"{account.platform}: {account.account}", "person": name}
    await _guarding(work, organisation_id, person_id, "security.account_linked", facts)


async def token_made(
    work: Unit, organisation_id: UUID, person_id: UUID, name: str, label: str
) -> None:
    """A program may speak for a person."""
    facts = {"label": label, "person": name}
    await _guarding(work, organisation_id, person_id, "security.token_made", facts)


async def roles_given(
    work: Unit, organisation_id: UUID, person_id: UUID, name: str, gained: Collection[str]
) -> None:
    """Somebody looks after the organisation from now on: they and the other admins hear it."""
    if "admin" not in gained:
        return
    facts = {"roles": sorted(gained), "person": name}
    await publish(
        work,
        organisation_id,
        Notice(
            "security.role_given",
            (_ADMINS, Recipient("person", str(person_id))),
            facts,
            importance="high",
        ),
    )


async def _guarding(
    work: Unit, organisation_id: UUID, person_id: UUID, topic: str, facts: dict[str, str]
) -> None:
    to = (Recipient("person", str(person_id)),)
    await publish(work, organisation_id, Notice(topic, to, facts, importance="high"))
