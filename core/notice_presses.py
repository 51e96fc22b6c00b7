"""The buttons of a notice, on any platform: that one has it, and to hear no more of its topic."""

from datetime import time
from uuid import UUID
from zoneinfo import ZoneInfo

from core import preferences
from core.acknowledging import ACK, MUTE, NO_SUCH, acknowledge, has_it
from core.approvals.acts import as_id
from core.db import fetch_one
from core.errors import NotAllowed, Unknown
from core.inbound import Answer, Click
from core.preferences import Mute, with_mute
from core.request import Request
from core.unit import Unit
from core.wall_clock import DAY, first
from core.words import Words

NOT_TOLD = Words(
    ja="この通知はあなた宛てではありません。",
    en="This was not told to you.",
    zh="该通知并非发给您。",
)
MUTED = Words(
    ja="「{topic}」は今日の間（{zone}）、通知しません。重要な通知は届くことがあります。",
    en="You hear no more of “{topic}” today ({zone}). What you need to know may still come.",
    zh="今天（{zone}）不再通知“{topic}”。必须知道的通知仍可能送达。",
)


async def press_ack(work: Unit, request: Request, click: Click) -> Answer:
    """`notice.ack`, on whatever platform. Raises NotAllowed for whoever was not told."""
    person = request.person
    notice_id = as_id(click.value)
    await _may(work, request, notice_id)
    done = await acknowledge(
        work, person.organisation_id, notice_id, person.id, "pressed", request.actor
    )
    return request.say(await has_it(work.connection, person, done))


async def press_mute(work: Unit, request: Request, click: Click) -> Answer:
    """`notice.mute`: nothing more of its topic until the end of the day where they are."""
    person = request.person
    notice_id = as_id(click.value)
    await _may(work, request, notice_id)
    row = await fetch_one(
        work.connection,
        "select topic from notices where organisation_id = :organisation_id and id = :id",
        {"organisation_id": person.organisation_id, "id": notice_id},
    )
    assert row is not None  # noqa: S101  # `_may` has found it
    until = first(ZoneInfo(person.time_zone), person.today() + DAY, time())
    await preferences.change(
        work,
        person.organisation_id,
        person.id,
        lambda chosen: with_mute(chosen, Mute(row.topic, until=until)),
        actor=request.actor,
    )
    return request.say(MUTED.fill(topic=row.topic, zone=person.time_zone))


async def _may(work: Unit, request: Request, notice_id: UUID) -> None:
    """Whoever was told, also among the readers of a place; and admins. Raises NotAllowed, and
    Unknown for a notice that is none of this organisation."""
    person = request.person
    row = await fetch_one(
        work.connection,
        "select exists (select from dispatches d where d.organisation_id = :organisation_id"
        " and d.notice_id = coalesce(n.head_id, n.id) and (d.person_id = :person_id"
        " or d.person_id is null)) as told from notices n"
        " where n.organisation_id = :organisation_id and n.id = :id",
        {"organisation_id": person.organisation_id, "id": notice_id, "person_id": person.id},
    )
    if row is None:
        raise Unknown(NO_SUCH)
    if not row.told and not person.may("admin"):
        raise NotAllowed(NOT_TOLD)


PRESSES = {ACK: press_ack, MUTE: press_mute}
"""The buttons, by their actions."""
