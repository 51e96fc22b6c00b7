"""What is known of an account on a platform: whether it can be reached, and what it is told."""

from audit.event import JSON, SYSTEM, Actor, Event
from audit.registry import brief
from core import people
from core.approvals.elsewhere import show_elsewhere
from core.db import fetch_one
from core.inbound import Sender
from core.people import Person, spell
from core.tags import Tag
from core.unit import Unit


async def unreachable(work: Unit, sender: Sender, *, actor: Actor = SYSTEM) -> bool:
    """Nothing reaches the person there any more (they blocked us, say): what is for them, and what
    waits for them, goes to their other accounts. False where that was known, or the account is
    nobody's."""
    return await _reached(work, sender, actor, now=False)


async def reachable(work: Unit, sender: Sender, *, actor: Actor = SYSTEM) -> bool:
    """They are reached there again. False where they were before, or the account is nobody's."""
    return await _reached(work, sender, actor, now=True)


async def _reached(work: Unit, sender: Sender, actor: Actor, *, now: bool) -> bool:
    row = await fetch_one(
        work.connection,
        # across organisations: an account belongs to exactly one, and says which
        "update accounts set unreachable_since = case when not :reached then now() end"
        " where platform = :platform and workspace = :workspace and external_id = :account"
        " and (unreachable_since is null) <> :reached returning organisation_id, person_id",
        {**_key(sender), "reached": now},
    )
    if row is None:
        return False
    tag = Tag.ACCOUNT_REACHED if now else Tag.ACCOUNT_UNREACHABLE
    data: dict[str, JSON] = {"account": brief(spell(sender))}
    work.record(Event(row.organisation_id, row.person_id, tag, data, actor))
    if not now:
        await show_elsewhere(work, row.organisation_id, row.person_id)
    return True


async def cut(work: Unit, person: Person, sender: Sender, *, actor: Actor = SYSTEM) -> None:
    """Cut one of a person's accounts; what waits for them there is shown by their others."""
    await people.unlink(work, person, sender, actor=actor)
    await show_elsewhere(work, person.organisation_id, person.id)


async def set_tells_ends(work: Unit, sender: Sender, on: bool, *, actor: Actor = SYSTEM) -> bool:
    """Whether the person wants to be told there, where that costs something, that what they were
    asked has ended. False where it was so already, or the account is nobody's."""
    row = await fetch_one(
        work.connection,
        # across organisations: an account belongs to exactly one, and says which
        "update accounts set tells_ends = :on"
        " where platform = :platform and workspace = :workspace and external_id = :account"
        " and tells_ends <> :on returning organisation_id, person_id",
        {**_key(sender), "on": on},
    )
    if row is None:
        return False
    data: dict[str, JSON] = {"account": brief(spell(sender)), "tells_ends": on}
    work.record(Event(row.organisation_id, row.person_id, Tag.ACCOUNT_CHANGED, data, actor))
    return True


def _key(sender: Sender) -> dict[str, object]:
    return {
        "platform": sender.platform,
        "workspace": sender.workspace,
        "account": sender.account,
    }
