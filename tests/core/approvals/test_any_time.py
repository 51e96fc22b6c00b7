"""Approvals over the real rows, whatever people, their delegates and the clock do to them."""

import asyncio
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import people
from core.inbound import Click, Inbound, Sender, Spot
from core.intake import accept
from core.people import Person
from core.reconcile import reconcile
from core.unit import unit
from tests.core.approvals.staff import decide_by, hire, turn_to
from tests.core.clock import jump
from tests.core.house import Office

HANDLES = ("boss", "other", "anna", "bert", "cleo", "dora")

LADDER = 'ladder = [{ days = 1, do = "escalate" }, { days = 2, do = "delegate", to = "cleo" }]'

who = st.lists(st.sampled_from(HANDLES[:5]), min_size=1, max_size=3, unique=True)


@st.composite
def steps(draw: st.DrawFn) -> str:
    """A step of a route."""
    people = draw(who)
    named = ", ".join(f'{{ person = "{handle}" }}' for handle in people)
    need = draw(st.sampled_from(['"any"', '"all"', str(len(people))]))
    empty = draw(st.sampled_from(["next", "superior", "refuse"]))
    delegable = draw(st.sampled_from(["true", "true", "true", "false"]))
    return f'who = [{named}], need = {need}, empty = "{empty}", delegable = {delegable}, days = 1'


@st.composite
def routes(draw: st.DrawFn) -> tuple[str, str]:
    """The steps, and the rest of the route."""
    ladder = draw(st.sampled_from(["", LADDER]))
    once = draw(st.sampled_from(["true", "false"]))
    lines = draw(st.lists(steps(), min_size=1, max_size=3))
    return "\n".join(lines), f"once = {once}\n{ladder}"


acts = st.tuples(
    st.sampled_from(
        ["approve"] * 6
        + ["reject", "return", "undo", "revise", "forward", "add"]
        + ["delegate"] * 4
        + ["revoke", "leave", "leave", "hours", "hours", "days", "days"]
    ),
    st.sampled_from(HANDLES) | st.none(),  # None: whoever it waits for, as most often
    st.sampled_from(HANDLES),
)
asker = st.sampled_from(("dora", "dora", *HANDLES))
scripts = st.tuples(routes(), asker, st.lists(acts, min_size=4, max_size=12))
Act = tuple[str, str | None, str]
Script = tuple[tuple[str, str], str, list[Act]]


@dataclass(slots=True)
class World:
    """The office with more people in it, each with two accounts."""

    office: Office
    staff: dict[str, Person]
    passed: timedelta = timedelta(0)

    async def begin(self) -> None:
        """It is the first day again; everybody is there, and acts for nobody."""
        await self.pass_time(-self.passed)
        await self.office.execute("update people set reminded_at = null")
        await self.office.execute(
            "update delegations set revoked_at = now() where revoked_at is null"
        )
        for person in self.staff.values():
            async with unit(self.office.house) as work:
                await people.change(work, person, email=None, active=True)
        await self.settle()

    async def settle(self) -> None:
        for _ in range(2):
            await reconcile(self.office.house)
            await self.office.work()

    async def pass_time(self, time: timedelta) -> None:
        self.passed += time
        await jump(self.office, time)

    async def click(self, handle: str, action: str, value: UUID) -> None:
        """From either of their accounts."""
        self.office.keys += 1
        account = handle if self.office.keys % 2 else f"{handle}-2"
        inbound = Inbound(
            sender=Sender("wall", "w1", account),
            spot=Spot("room"),
            key=f"key-{self.office.keys}",
            click=Click(action, str(value), "why"),
        )
        await accept(self.office.house, inbound)

    async def holder(self, task: UUID) -> str:
        """Somebody whom it waits for, or anybody where it does for none."""
        row = await self.office.row(
            "select min(p.handle) as handle from approval_seats h join people p"
            " on p.id = h.holder_id where h.task_id = :id and h.state = 'open'",
            {"id": task},
        )
        return row.handle or HANDLES[0]

    async def act(self, task: UUID, reference: int, act: Act) -> None:
        what, named, other = act
        handle = named or await self.holder(task)
        if what in {"hours", "days"}:
            await self.pass_time(timedelta(hours=7) if what == "hours" else timedelta(days=2))
        elif what == "leave":
            async with unit(self.office.house) as work:
                await people.change(work, self.staff[handle], email=None, active=False)
        elif what in {"approve", "reject", "return", "undo"}:
            await self.click(handle, what, await self.office.approval_id(task))
        else:
            words = {
                "delegate": f"delegate @{other} 2026-11-25 - 2027-11-20",
                "revoke": "delegate revoke",
                "revise": f"revise #{reference} letter again {self.office.keys}",
                "forward": f"forward #{reference} @{other} please",
                "add": f"add #{reference} @{other}",
            }[what]
            await self.office.say(words, self.staff[handle])
        await self.settle()

    async def check(self) -> None:
        """What never may be, of all tasks there ever were."""
        row = await self.office.row(_WRONG, {})
        assert dict(row._mapping) == dict.fromkeys(row._mapping, None)


_WRONG = """
    select
        (select array_agg(d.id) from decisions d join approvals a on a.id = d.approval_id
            join revisions r on r.task_id = a.task_id and r.revision <= a.revision
            where r.person_id = d.person_id) as decided_on_their_own,
        (select array_agg(d.approval_id) from (select approval_id from decisions
            where ended and undone_at is null group by approval_id having count(*) > 1) d)
            as two_outcomes,
        (select array_agg(t.id) from (select task_id as id from approvals
            where state in ('approved', 'pending') group by task_id, revision
            having count(*) > 1) t) as asked_twice,
        (select array_agg(a.id) from approvals a where a.state = 'pending' and 1 <>
            (select count(*) from approval_stages s where s.approval_id = a.id
                and s.state = 'open')) as nothing_open,
        (select array_agg(a.id) from approvals a where a.state = 'pending' and not exists
            (select from approval_stages s join approval_seats h on h.stage_id = s.id
                join people p on p.id = h.holder_id where s.approval_id = a.id
                and s.state = 'open' and h.state = 'open' and p.active)) as nobody_waited_for,
        (select array_agg(h.id) from approval_seats h join approval_stages s on s.id = h.stage_id
            join approvals a on a.id = s.approval_id join people p on p.id = h.holder_id
            where a.state = 'pending' and h.state in ('todo', 'open') and not p.active)
            as held_by_nobody,
        (select array_agg(h.id) from approval_seats h join approval_stages s on s.id = h.stage_id
            join approvals a on a.id = s.approval_id where a.state <> 'pending'
            and (h.state = 'open' or s.state = 'open')) as open_after_the_end,
        (select array_agg(h.stage_id) from (select stage_id from approval_seats
            where state in ('open', 'approved') group by stage_id, holder_id
            having count(*) > 1) h) as twice_in_a_step,
        (select array_agg(t.id) from tasks t where (t.state = 'waiting'
            and t.waiting_for = 'approval') <> exists (select from approvals a
            where a.task_id = t.id and a.state = 'pending')) as task_of_another_mind
"""


async def play(world: World, script: Script) -> None:
    (route, rest), handle, script_acts = script
    await world.begin()
    await decide_by(world.office, route, rest)
    answer = await world.office.say("letter hello", world.staff[handle])
    await world.settle()
    assert answer.task_id is not None
    assert answer.reference is not None
    if await world.office.state(answer.task_id) == "failed":
        return  # nobody could decide it, and nobody waits
    for act in script_acts:
        await world.act(answer.task_id, answer.reference, act)
        await world.check()
    await world.pass_time(timedelta(days=15))
    await world.settle()
    await world.check()
    assert await world.office.state(answer.task_id) != "waiting:approval"


async def test_nobody_approves_their_own_and_there_is_one_end_or_somebody_who_is_waited_for(
    office: Office,
) -> None:
    await turn_to(office, "2026-11-25T10:00")
    may = frozenset({"requester", "approver"})
    staff = {
        "boss": replace(office.boss, roles=may),
        "other": replace(office.other_boss, roles=may),
    }
    for handle in HANDLES[2:]:
        staff[handle] = await hire(office, handle, "requester", above=office.boss)
    for handle, person in staff.items():
        async with unit(office.house) as work:
            await people.link(work, person, Sender("wall", "w1", f"{handle}-2"))
    await office.execute(
        f"update people set superior_id = '{staff['dora'].id}' where id = '{office.boss.id}'"
    )
    world = World(office, staff)
    loop = asyncio.get_running_loop()

    @given(script=scripts)
    @settings(
        max_examples=15, deadline=None, suppress_health_check=list(HealthCheck), database=None
    )
    def each(script: Script) -> None:
        asyncio.run_coroutine_threadsafe(play(world, script), loop).result(60)

    await asyncio.to_thread(each)
