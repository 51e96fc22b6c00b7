"""Hands a step that nobody decides up or on, as the ladder of its route says."""

from uuid import UUID

from audit.event import SYSTEM
from core.approvals import time_words
from core.approvals.changing import Why, move
from core.approvals.ladder import ladder_of, opening_of
from core.approvals.run import Impossible, Seat, Stage
from core.approvals.settling import Scene, read_scene
from core.approvals.telling import admins, tell_people
from core.db import fetch_one
from core.house import House
from core.schedule import Occurrence
from core.unit import Unit


async def do_rung(house: House, work: Unit, occurrence: Occurrence) -> None:
    """Hand a step up or on, if it is still the one that was open when this was written."""
    organisation_id, stage_id = occurrence.organisation_id, occurrence.subject_id
    assert organisation_id is not None and stage_id is not None  # noqa: S101, PT018  # of a step
    row = await fetch_one(
        work.connection,
        "select task_id from approval_stages where organisation_id = :organisation_id"
        " and id = :id and state = 'open'",
        {"organisation_id": organisation_id, "id": stage_id},
    )
    if row is None:
        return
    scene = await read_scene(work, organisation_id, row.task_id, occurrence.now)
    stage = scene.run.open if scene else None
    _, _, opening, n = occurrence.name.split(":")
    if scene is None or stage is None or stage.id != stage_id or stage.opened_at is None:
        return
    if opening_of(stage.opened_at) != opening:  # an approval was taken back, and it opened anew
        return
    ladder = await ladder_of(work.connection, organisation_id, scene.run.id)
    rung = ladder[int(n)]
    open_seats = [seat for seat in stage.seats if seat.state == "open"]
    if rung.act == "delegate" and rung.to is not None and _able(scene, rung.to):
        stuck = not await _hand_on(scene, stage, open_seats, rung.to)
    else:
        handed = [await _hand_up(scene, stage, seat) for seat in open_seats]
        stuck = not all(handed)
    if stuck:
        told = time_words.STUCK.fill(what=scene.task.spoken, step=stage.name or str(stage.place))
        everybody = await admins(work.connection, organisation_id)
        await tell_people(work, scene.task, everybody, f"stuck:{stage.id}:{opening}:{n}", told)


def _able(scene: Scene, person: UUID) -> bool:
    return scene.chart.is_active(person) and person not in scene.barred


async def _hand_up(scene: Scene, stage: Stage, seat: Seat) -> bool:
    """To the nearest superior who can decide. Whether there is one."""
    superior = scene.superior(stage, seat.whose)
    return superior is not None and await _hand(scene, stage, seat, superior, "escalation")


async def _hand_on(scene: Scene, stage: Stage, seats: list[Seat], to: UUID) -> bool:
    """To whom the ladder names: the seat that has waited longest, since nobody holds two. Whether
    that can be."""
    if any(seat.whose == to for seat in seats):
        return True
    waited = sorted(seats, key=lambda seat: (seat.open_since or scene.now, seat.id))
    return bool(waited) and await _hand(scene, stage, waited[0], to, "ladder")


async def _hand(scene: Scene, stage: Stage, seat: Seat, whose: UUID, why: Why) -> bool:
    if not stage.delegable:  # nobody decides it for another
        return False
    holder = scene.holder(stage, whose, seat.id)
    try:
        scene.run = await move(
            scene.work, scene.task, scene.run, seat.id, holder, why, SYSTEM, whose
        )
    except Impossible:
        return False
    return True
