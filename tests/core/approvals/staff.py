"""People and routes of the small house of tests/core/house.py, for what time does to approvals."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from core import people
from core.approvals.routes import put
from core.inbound import Sender
from core.people import Person
from core.reconcile import reconcile
from core.unit import unit
from tests.core.clock import set_clock
from tests.core.house import Office


def tokyo(moment: str) -> datetime:
    """`2026-11-25T10:00` there."""
    return datetime.fromisoformat(f"{moment}:00+09:00")


async def hire(
    office: Office,
    handle: str,
    roles: str = "",
    *,
    above: Person | None = None,
    zone: str = "Asia/Tokyo",
) -> Person:
    """Somebody more, who speaks English and listens on the wall."""
    async with unit(office.house) as work:
        person = await people.add(
            work, office.organisation.id, handle, handle.title(), frozenset(roles.split()),
            language="en", time_zone=zone,
        )  # fmt: skip
        await people.link(work, person, Sender("wall", "w1", handle))
        if above is not None:
            await work.connection.execute(
                text("update people set superior_id = :above where id = :id"),
                {"above": above.id, "id": person.id},
            )
    return person


async def decide_by(office: Office, steps: str, rest: str = "") -> None:
    """The route of letters from now on; a step a line: what its table has."""
    tables = ", ".join(
        f'{{ name = "s{n}", {step.strip()} }}'
        for n, step in enumerate(steps.strip().splitlines(), 1)
    )
    source = f"[routes.letter]\n{rest}\nsteps = [{tables}]\n"
    async with unit(office.house) as work:
        await put(work, office.organisation.id, source, ["letter"])


async def asked(office: Office, person: Person | None = None) -> UUID:
    """A letter that waits for approval."""
    answer = await office.say("letter hello", person)
    await office.work()
    assert answer.task_id is not None
    return answer.task_id


async def turn_to(office: Office, moment: str) -> list[str]:
    """Have it be that time in Tokyo and do what is due; what was posted by that."""
    await set_clock(office, tokyo(moment))
    return await pass_by(office)


async def pass_by(office: Office) -> list[str]:
    """Do what is due now; what was posted by that."""
    before = set(office.wall.posted)
    for _ in range(3):  # what is due may write what is due at once
        await reconcile(office.house)
    await office.work()
    return [message.text for key, message in office.wall.posted.items() if key not in before]


async def seats(office: Office, task_id: UUID) -> list[str]:
    """Each seat that is not void: `boss open`, or `other(boss) open` where another holds it."""
    row = await office.row(
        "select array_agg(case when h.holder_id = h.person_id then p.handle"
        " else q.handle || '(' || p.handle || ')' end || ' ' || h.state"
        " order by s.place, s.round, p.handle) as all"
        " from approval_seats h join approval_stages s on s.id = h.stage_id"
        " join approvals a on a.id = s.approval_id"
        " join people p on p.id = h.person_id join people q on q.id = h.holder_id"
        " where h.task_id = :id and h.state <> 'void' and a.state <> 'superseded'",
        {"id": task_id},
    )
    return list(row.all or [])


async def tags(office: Office, tag: str) -> int:
    """How many events of that tag there are."""
    row = await office.row("select count(*) as n from audit_events where tag = :tag", {"tag": tag})
    return int(row.n)
