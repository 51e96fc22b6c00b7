"""A task's states under random events: allowed moves only, each with its event, and an end."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from core.errors import NeedsInput, Permanent, Question, TryLater
from core.people import Person
from core.runner import advance
from core.tasks import FINAL
from core.words import same
from tests.core.history import check
from tests.core.house import Office, Trouble, open_office


class Died(BaseException):
    """What ends a worker without a word: nothing catches it."""


FAULTS: dict[str, Callable[[], BaseException]] = {
    "busy": lambda: TryLater("busy"),
    "busy for long": lambda: TryLater("busy", timedelta(hours=2)),
    "wrong": lambda: Permanent("row 3: the price is text"),
    "unforeseen": lambda: RuntimeError("boom"),
    "asks": lambda: NeedsInput(Question("tone", same("Which tone?"))),
    "dies": Died,
}


class Life(RuleBasedStateMachine):
    """One task, and everything that people and workers may do to it, in any order."""

    office: Office
    runner: asyncio.Runner

    def __init__(self) -> None:
        super().__init__()
        self.walking: list[tuple[asyncio.Task[None], asyncio.Event]] = []
        self.task_id: UUID | None = None
        self.spoken = self.thread = ""
        trouble, fresh = self.office.trouble, Trouble()
        for name in Trouble.__dataclass_fields__:
            setattr(trouble, name, getattr(fresh, name))

    def do(self, work: Awaitable[Any]) -> Any:
        async def within() -> Any:
            async with asyncio.timeout(60):
                return await work

        return self.runner.run(within())

    @property
    def now(self) -> Any:
        """The task's row, once it was found to agree with the task's events."""
        return self.do(check(self.office, self.task_id))

    # What people do

    @initialize(text=st.sampled_from(["hello", "?"]))
    def ask(self, text: str) -> None:
        self.thread = f"t{self.office.keys}"
        answer = self.do(self.office.say(f"letter {text}", thread=self.thread))
        self.task_id, self.spoken = answer.task_id, f"#{answer.reference}"

    @rule(words=st.sampled_from(["revise", "retry", "revise", "cancel"]), times=st.integers(1, 3))
    def command(self, words: str, times: int) -> None:
        rest = " letter hello again" if words == "revise" else ""
        self.together(lambda: self.office.say(f"{words} {self.spoken}{rest}") for _ in range(times))

    @rule(
        action=st.sampled_from(["approve", "return", "approve", "reject"]),
        who=st.sampled_from(["boss", "other_boss", "asker"]),
        times=st.integers(1, 3),
    )
    def decide(self, action: str, who: str, times: int) -> None:
        if self.do(self.office.row("select 1 from approvals where task_id = :id", self.ids)):
            approval = self.do(self.office.approval_id(self.task_id))
            person: Person = getattr(self.office, who)
            self.together(
                lambda: self.office.click(action, approval, person, "because") for _ in range(times)
            )

    @rule(times=st.integers(1, 2))
    def answer(self, times: int) -> None:
        """Said in the task's thread, also where nothing was asked."""
        self.together(lambda: self.office.say("warm", thread=self.thread) for _ in range(times))

    # What workers do

    @rule(
        fault=st.sampled_from(["", *sorted(FAULTS)]),
        where=st.sampled_from(["errors", "sealing"]),
        times=st.integers(1, 2),
    )
    def work(self, fault: str, where: str, times: int) -> None:
        """Workers that come at the same time; in a step of theirs something may go wrong."""
        if fault:
            getattr(self.office.trouble, where).append(FAULTS[fault]())
        self.together(self.advance for _ in range(times))

    @precondition(lambda self: len(self.walking) < 2)
    @rule()
    def begin_what_takes_long(self) -> None:
        """A worker in the middle of a step while other things happen, another walk among them."""

        async def begin() -> None:
            trouble = self.office.trouble
            trouble.reached.clear()
            hangs = trouble.pause = trouble.pause_sealing = asyncio.Event()
            walk = asyncio.create_task(self.advance())
            reached = asyncio.create_task(trouble.reached.wait())
            await asyncio.wait({walk, reached}, return_when=asyncio.FIRST_COMPLETED)
            reached.cancel()
            trouble.pause = trouble.pause_sealing = None  # whoever takes over is not held up
            self.walking.append((walk, hangs))

        self.do(begin())

    @precondition(lambda self: self.walking)
    @rule(stops=st.booleans())
    def end_it(self, *, stops: bool) -> None:
        """The step that began first ends at last, or its worker is told to stop."""

        async def end() -> None:
            walk, hangs = self.walking.pop(0)
            if stops:
                walk.cancel()
            hangs.set()
            await asyncio.wait({walk})
            if not walk.cancelled():
                walk.result()

        self.do(end())

    @precondition(lambda self: len(self.walking) < 2)
    @rule(revised=st.booleans(), fault=st.sampled_from(["", "wrong", "busy"]))
    def another_takes_over(self, *, revised: bool, fault: str) -> None:
        """The first, who has lost the task, ends its step while or after the other is at it."""
        if not self.walking:
            self.begin_what_takes_long()
        if revised:
            self.command("revise", 1)
        else:
            self.runs_out("lease", noticed=False)
        if fault:
            self.office.trouble.sealing.append(FAULTS[fault]())
            self.work(fault, "errors", 1)
            self.office.trouble.errors.clear()
            self.office.trouble.sealing.clear()
        else:
            self.begin_what_takes_long()
        self.end_it(stops=False)

    # What time does

    @rule(
        what=st.sampled_from(["lease", "wait", "approval"]),
        noticed=st.booleans(),
    )
    def runs_out(self, what: str, *, noticed: bool) -> None:
        """A lease (its worker died, or is stopped and will wake again), a wait, or an approval."""
        past = "now() - interval '1 s'"
        if what == "approval":
            pending = f"task_id = '{self.task_id}' and state = 'pending'"
            self.set("approvals", f"expires_at = {past}", pending)
            of_task = f"select id from approvals where task_id = '{self.task_id}'"
            self.set(
                "schedule", "next_at = now()", f"done_at is null and subject_id in ({of_task})"
            )
        elif what == "wait":
            self.set("tasks", f"retry_at = {past}", f"id = '{self.task_id}' and state = 'retrying'")
        else:
            self.set(
                "tasks", f"lease_until = {past}", f"id = '{self.task_id}' and lease_until > now()"
            )
        if noticed:
            self.do(self.recover())

    # What has to be so at any time

    @invariant()
    def all_is_as_it_should_be(self) -> None:
        if self.task_id is None:
            return
        row = self.now
        assert row.pending == (1 if row.waiting_for == "approval" else 0)
        assert (row.question is not None) == (row.waiting_for == "answer")
        assert (row.retry_at is not None) == (row.state == "retrying")
        assert (row.failure is not None) == (row.state in {"retrying", "failed"})
        assert (row.finished_at is not None) == (row.state in FINAL)
        assert row.lease_until is None or row.state in {"running", "cancelling"}
        assert (row.tries is not None) == (row.attempts > 0)

    def teardown(self) -> None:
        """Whatever happened, the task can be brought to an end."""
        if self.task_id is None:
            return
        while self.walking:
            self.end_it(stops=False)
        self.office.trouble.errors.clear()
        self.office.trouble.sealing.clear()
        self.do(self.recover())  # an approval whose time is over is closed by nobody else
        for _ in range(12):
            row = self.now
            if row.state in FINAL:
                break
            self.push(row)
            self.all_is_as_it_should_be()
        else:
            raise AssertionError(f"no end in sight: {self.now.state}")
        # The next one's reconciler need not tell this one's news.
        self.do(self.office.execute("delete from outbox"))
        self.do(self.office.execute("update notifications set routed_at = now()"))

    def push(self, row: Any) -> None:
        if row.waiting_for == "approval":
            self.decide("approve", "boss", 1)
        elif row.waiting_for == "answer":
            self.answer(1)
        elif row.state == "failed":
            self.command("retry", 1)
        else:
            self.runs_out("lease", noticed=False)
            self.runs_out("wait", noticed=False)
            self.work("", "errors", 1)

    # How

    @property
    def ids(self) -> dict[str, object]:
        return {"id": self.task_id}

    def together(self, every: Any) -> None:
        async def gather() -> None:
            await asyncio.gather(*(one() for one in every))

        self.do(gather())

    async def advance(self) -> None:
        self.office.bell.jobs.clear()
        with contextlib.suppress(Died):
            await advance(self.office.house, self.office.organisation.id, self.task_id, "w")  # type: ignore[arg-type]

    async def recover(self) -> None:
        self.office.bell.jobs.clear()
        with contextlib.suppress(Died):
            await self.office.recover()

    def set(self, table: str, what: str, where: str) -> None:
        self.do(self.office.execute(f"update {table} set {what} where {where}"))


@pytest.mark.timeout(300)
def test_whatever_happens_to_a_task_its_states_hold(database_url: str) -> None:
    with asyncio.Runner() as runner:
        opening = open_office(database_url)
        Life.runner, Life.office = runner, runner.run(opening.__aenter__())
        try:
            run_state_machine_as_test(
                Life,
                settings=settings(
                    max_examples=25,
                    derandomize=True,
                    phases=[Phase.generate],  # to shrink a walk takes minutes; it is short as it is
                    stateful_step_count=20,
                    deadline=None,
                    suppress_health_check=list(HealthCheck),
                ),
            )
        finally:
            runner.run(opening.__aexit__(None, None, None))
