"""An approval's rows: read as a Run, and what of it has changed written back."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from core.approvals.plan import Plan
from core.approvals.run import Decision, Run, Seat, Stage
from core.codec import dump, load
from core.db import execute, fetch_one, from_json, to_json
from core.errors import LostLease
from core.tasks import Task
from core.unit import Unit
from core.words import Words

_RUN = """
    select a.id, a.state, a.once, a.returned_from,
        (select jsonb_agg(to_jsonb(s) order by s.place, s.round) from approval_stages s
            where s.organisation_id = a.organisation_id and s.approval_id = a.id) as stages,
        (select jsonb_agg(to_jsonb(h) order by h.id) from approval_seats h
            where h.organisation_id = a.organisation_id and h.stage_id in
                (select id from approval_stages where approval_id = a.id)) as seats,
        (select jsonb_agg(to_jsonb(d) order by d.decided_at, d.id) from decisions d
            where d.organisation_id = a.organisation_id and d.approval_id = a.id
            and d.seat_id is not null) as decisions
    from approvals a where a.organisation_id = :organisation_id and a.id = :id
"""


async def read(connection: AsyncConnection, organisation_id: UUID, approval_id: UUID) -> Run:
    """How an approval stands. Raises LookupError where there is none such."""
    row = await fetch_one(
        connection,
        _RUN,  # names organisation_id
        {"organisation_id": organisation_id, "id": approval_id},
    )
    if row is None:
        raise LookupError(f"no approval {approval_id}")
    seats: dict[str, list[Seat]] = {}
    for each in from_json(row.seats or "[]"):
        seats.setdefault(each["stage_id"], []).append(_seat(each))
    return Run(
        row.id,
        row.state,
        row.once,
        tuple(_stage(each, seats.get(each["id"], [])) for each in from_json(row.stages or "[]")),
        tuple(_decision(each) for each in from_json(row.decisions or "[]")),
        row.returned_from,
    )


def _stage(row: dict[str, Any], seats: Sequence[Seat]) -> Stage:
    return Stage(
        UUID(row["id"]), row["place"], row["round"], row["name"], row["need"], row["everybody"],
        row["delegable"], row["days"], row["empty"], row["state"], tuple(seats),
        load(Words, row["note"]) if row["note"] else None,
        _moment(row["opened_at"]), _moment(row["due_at"]), _moment(row["closed_at"]),
    )  # fmt: skip


def _seat(row: dict[str, Any]) -> Seat:
    return Seat(
        UUID(row["id"]), UUID(row["person_id"]), UUID(row["holder_id"]), row["state"],
        _id(row["added_by"]), _moment(row["open_since"]), _id(row["home_id"]),
    )  # fmt: skip


def _decision(row: dict[str, Any]) -> Decision:
    at = _moment(row["decided_at"])
    assert at is not None  # noqa: S101  # the column is not null
    return Decision(
        UUID(row["id"]), UUID(row["seat_id"]), UUID(row["stage_id"]), UUID(row["person_id"]),
        _id(row["on_behalf_of"]), row["action"], row["reason"], at, row["ended"], row["channel"],
        _moment(row["undone_at"]),
    )  # fmt: skip


def _id(value: str | None) -> UUID | None:
    return UUID(value) if value else None


def _moment(value: str | None) -> datetime | None:
    return datetime.fromisoformat(value) if value else None


async def insert(
    work: Unit, task: Task, run: Run, plan: Plan, step: str, shown_sha256: str, days: int
) -> datetime:
    """A new approval. Gives the moment at which it expires, so many days from now."""
    row = await fetch_one(
        work.connection,
        "insert into approvals (id, organisation_id, task_id, revision, step, route,"
        " shown_sha256, expires_at, route_version, once, resubmit, ladder, inform)"
        " values (:id, :organisation_id, :task_id, :revision, :step, :route, :shown,"
        " now() + make_interval(days => :days), :version, :once, :resubmit,"
        " cast(:ladder as jsonb), cast(:inform as jsonb)) returning expires_at",
        {
            "id": run.id,
            "organisation_id": task.organisation_id,
            "task_id": task.id,
            "revision": task.revision,
            "step": step,
            "route": plan.route,
            "shown": shown_sha256,
            "days": days,
            "version": plan.version,
            "once": plan.once,
            "resubmit": plan.resubmit,
            "ladder": to_json([dump(rung) for rung in plan.ladder]),
            "inform": to_json([dump(each) for each in plan.inform]),
        },
    )
    assert row is not None  # noqa: S101  # it was just inserted
    await _write(work, task, run.id, (), run.stages)
    expires_at: datetime = row.expires_at
    return expires_at


async def store(work: Unit, task: Task, before: Run, after: Run) -> None:
    """Write what has changed. Raises LostLease where somebody else has changed the state, which
    the lock on the task rules out."""
    moved = await execute(
        work.connection,
        "update approvals set state = :state, returned_from = :returned_from, closed_at = case"
        " when :state = 'pending' then null else coalesce(closed_at, now()) end"
        " where organisation_id = :organisation_id and id = :id and state = :was",
        {
            "state": after.state,
            "returned_from": after.returned_from,
            "organisation_id": task.organisation_id,
            "id": after.id,
            "was": before.state,
        },
    )
    if moved != 1:
        raise LostLease
    await _write(work, task, after.id, before.stages, after.stages)
    await _write_decisions(work, task, before.decisions, after)


async def _write(
    work: Unit, task: Task, approval_id: UUID, before: Iterable[Stage], after: Iterable[Stage]
) -> None:
    old = {stage.id: stage for stage in before}
    changed = [stage for stage in after if old.get(stage.id) != stage]
    # Two can't be open at a time: what closes goes first.
    for some in (
        [stage for stage in changed if stage.state != "open"],
        [stage for stage in changed if stage.state == "open"],
    ):
        if some:
            await _write_stages(work, task, approval_id, some)
    seats = {seat.id: seat for stage in old.values() for seat in stage.seats}
    rows = [
        {
            "id": str(seat.id),
            "stage_id": str(stage.id),
            "person_id": str(seat.person),
            "holder_id": str(seat.holder),
            "home_id": str(seat.home) if seat.home else None,
            "added_by": str(seat.added_by) if seat.added_by else None,
            "state": seat.state,
            "open_since": seat.open_since.isoformat() if seat.open_since else None,
        }
        for stage in changed
        for seat in stage.seats
        if seats.get(seat.id) != seat
    ]
    if rows:
        await execute(
            work.connection,
            "insert into approval_seats (id, organisation_id, stage_id, task_id, person_id,"
            " holder_id, home_id, added_by, state, open_since) select id, :organisation_id,"
            " stage_id, :task_id, person_id, holder_id, home_id, added_by, state, open_since"
            " from jsonb_to_recordset(cast(:rows as jsonb)) as seat (id uuid, stage_id uuid,"
            " person_id uuid, holder_id uuid, home_id uuid, added_by uuid, state text,"
            " open_since timestamptz)"
            " on conflict (id) do update set holder_id = excluded.holder_id,"
            " home_id = excluded.home_id, state = excluded.state,"
            " open_since = excluded.open_since",
            {
                "organisation_id": task.organisation_id,
                "task_id": task.id,
                "rows": to_json(rows),
            },
        )


async def _write_stages(work: Unit, task: Task, approval_id: UUID, stages: Sequence[Stage]) -> None:
    rows = [{**dump(stage), "seats": None} for stage in stages]
    await execute(
        work.connection,
        "insert into approval_stages (id, organisation_id, approval_id, task_id, place, round,"
        " name, need, everybody, delegable, days, empty, state, note, opened_at, due_at, closed_at)"
        " select id, :organisation_id, :approval_id, :task_id, place, round, name, need, everybody,"
        " delegable, days, empty, state, nullif(note, 'null'), opened_at, due_at, closed_at"
        " from jsonb_to_recordset(cast(:rows as jsonb)) as stage (id uuid, place integer,"
        " round integer, name text, need integer, everybody boolean, delegable boolean,"
        " days integer, empty text, state text, note jsonb, opened_at timestamptz,"
        " due_at timestamptz, closed_at timestamptz)"
        " on conflict (id) do update set need = excluded.need, state = excluded.state,"
        " note = excluded.note, opened_at = excluded.opened_at, due_at = excluded.due_at,"
        " closed_at = excluded.closed_at",
        {
            "organisation_id": task.organisation_id,
            "approval_id": approval_id,
            "task_id": task.id,
            "rows": to_json(rows),
        },
    )


async def _write_decisions(work: Unit, task: Task, before: Sequence[Decision], after: Run) -> None:
    known = {decision.id: decision for decision in before}
    for decision in after.decisions:
        was = known.get(decision.id)
        if was is None:
            await _insert_decision(work, task, after.id, decision)
        elif was != decision:
            await execute(
                work.connection,
                "update decisions set undone_at = :at"
                " where organisation_id = :organisation_id and id = :id and undone_at is null",
                {
                    "at": decision.undone_at,
                    "organisation_id": task.organisation_id,
                    "id": decision.id,
                },
            )


async def _insert_decision(work: Unit, task: Task, approval_id: UUID, decision: Decision) -> None:
    # Two unique indexes are the last word: one decision a seat, and one that ends an approval.
    await execute(
        work.connection,
        "insert into decisions (id, organisation_id, approval_id, person_id, action, reason,"
        " stage_id, seat_id, on_behalf_of, channel, ended, decided_at)"
        " values (:id, :organisation_id, :approval_id, :person_id, :action, :reason, :stage_id,"
        " :seat_id, :on_behalf_of, :channel, :ended, :at)",
        {
            "id": decision.id,
            "organisation_id": task.organisation_id,
            "approval_id": approval_id,
            "person_id": decision.person,
            "action": decision.action,
            "reason": decision.reason,
            "stage_id": decision.stage_id,
            "seat_id": decision.seat_id,
            "on_behalf_of": decision.on_behalf_of,
            "channel": decision.channel,
            "ended": decision.ended,
            "at": decision.at,
        },
    )
