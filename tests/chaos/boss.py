"""Those who decide and answer: they see a card or a question, and do what the request's fate is."""

import asyncio
import json
import random
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from itertools import islice
from traceback import format_exception
from typing import Any
from uuid import UUID

from core.ids import new_id
from core.inbound import Click, Inbound, Sender, Spot
from core.intake import accept
from tests.chaos.journal import Journal
from tests.chaos.people import Crowd, Json
from tests.chaos.plan import Request
from tests.chaos.town import ACCOUNTS, BOSSES, LEDGER, Town
from tests.fakes.slack.driver import Driver
from tests.fakes.slack.reading import buttons
from tests.fakes.slack.state import Message

_LOOK_EVERY = 0.15
_STORM = 50  # clicks at once on one approval
_ASKED = """
    select t.id, t.question, t.text, t.reference, h.platform from tasks t
    join threads h on h.task_id = t.id and h.person_id is null
    where t.waiting_for = 'answer'
"""
_PENDING = """
    select a.id, s.id as stage, t.id as task, t.text, t.reference, h.platform
    from approvals a join tasks t on t.id = a.task_id
    join approval_stages s on s.approval_id = a.id and s.state = 'open'
    join threads h on h.task_id = t.id and h.person_id is null
    where a.state = 'pending'
"""


@dataclass(frozen=True, slots=True)
class Waiting:
    """An approval that waits, and where Slack shows it."""

    id: UUID
    task: UUID
    reference: int
    request: Request
    message: Message | None


@dataclass(slots=True)
class Bosses:
    """All who decide in a run. `requests` by marker."""

    town: Town
    journal: Journal
    requests: dict[str, Request]
    rng: random.Random
    crowd: Crowd
    _seen: dict[str, int] = field(default_factory=dict)
    _questions: dict[str, Message] = field(default_factory=dict)
    _cards: dict[UUID, Message] = field(default_factory=dict)
    _handled: set[object] = field(default_factory=set)
    _at_it: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def driver(self) -> Driver:
        return self.town.slack.driver(self.town.web_url, timeout=3.0)

    async def watch(self) -> None:
        """Look after everything that waits for a person, until cancelled."""
        try:
            while True:
                self._look()
                for waiting in await self._pending():
                    if waiting.id not in self._handled:
                        self._handled.add(waiting.id)
                        self._begin(self._decide(waiting))
                for row in await self.town.rows(_ASKED):
                    self._asked(row)
                await asyncio.sleep(_LOOK_EVERY)
        finally:
            for task in self._at_it:
                task.cancel()

    def _begin(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._at_it.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: "asyncio.Future[None]") -> None:
        self._at_it.discard(task)  # type: ignore[arg-type]
        if not task.cancelled() and (error := task.exception()):
            self.journal.note("".join(["a person gave up: ", *format_exception(error)]))

    # What is seen

    def _look(self) -> None:
        """Read what is new in Slack."""
        for channel in list(self.town.slack.home.channels.values()):
            seen = self._seen.get(channel.id, 0)
            for message in islice(list(channel.messages.values()), seen, None):
                seen += 1
                if message.bot_id:
                    self._read(message)
            self._seen[channel.id] = seen

    def _read(self, message: Message) -> None:
        for button in buttons(message):
            name = str(button["action_id"]).split(":")[0]
            if name == "approve" and self._boss(message):
                self._cards.setdefault(UUID(button["value"]), message.snapshot())
            elif name == "answer":
                self._questions[str(button["value"]).split(".")[0]] = message.snapshot()

    def _asked(self, row: Any) -> None:
        """A task asks something; in Slack it has to be seen before it can be answered."""
        question, request = json.loads(row["question"]), self._request(row["text"])
        seen = row["platform"] != "slack" or question["id"] in self._questions
        if request and seen and question["id"] not in self._handled:
            self._handled.add(question["id"])
            self._begin(self._answer(row, question, request))

    async def _pending(self) -> list[Waiting]:
        """What waits for a decision and can be seen by those who decide."""
        found = []
        for row in await self.town.rows(_PENDING):
            request = self._request(row["text"])
            message = self._cards.get(row["stage"])
            if request and (message or row["platform"] == "console"):
                found.append(Waiting(row["id"], row["task"], row["reference"], request, message))
        return found

    def _request(self, text: str) -> Request | None:
        match = re.search(r"K\d{4}", text)
        return self.requests.get(match[0]) if match else None

    # What is done

    async def _decide(self, waiting: Waiting) -> None:
        await asyncio.sleep(self.rng.uniform(0.05, 1.5))
        fate = waiting.request.fate
        if fate == "cancelled":
            await self._until(lambda: self._cancel(waiting), lambda: self._task_over(waiting))
            return
        act = {
            "rejected": self._reject,
            "approved by a storm": self._storm,
            "approved by copies": self._approve_with_copies,
        }.get(fate, self._approve)
        await self._until(lambda: act(waiting), lambda: self._decided(waiting))

    async def _until(
        self, act: Callable[[], Awaitable[None]], over: Callable[[], Awaitable[bool]]
    ) -> None:
        """Do it, and again while nothing has come of it: as a person does who sees no change."""
        while not await over():
            await act()
            for _ in range(10):
                if await over():
                    return
                await asyncio.sleep(0.2)

    async def _decided(self, waiting: Waiting) -> bool:
        rows = await self.town.rows("select state from approvals where id = $1", waiting.id)
        return bool(rows[0]["state"] != "pending")

    async def _task_over(self, waiting: Waiting) -> bool:
        rows = await self.town.rows("select state from tasks where id = $1", waiting.task)
        return rows[0]["state"] in {"cancelled", "done", "rejected", "failed"}

    def _boss(self, message: Message) -> str:
        """Who of those who decide has the card before them; nobody in another's conversation."""
        bosses = [ACCOUNTS[name] for name in BOSSES]
        if not message.channel.startswith("D"):
            return self.rng.choice(bosses)
        owner = message.channel.removeprefix("D")
        return owner if owner in bosses else ""

    async def _approve(self, waiting: Waiting) -> None:
        self.journal.clicks += 1
        if waiting.message is None:
            await self._console(waiting, Click("approve", str(waiting.id)))
        else:
            message = waiting.message
            await self.driver.click(message, "approve", user=self._boss(message))

    async def _storm(self, waiting: Waiting) -> None:
        message = waiting.message
        if message is None:
            click = Click("approve", str(waiting.id))
            await asyncio.gather(*(self._console(waiting, click) for _ in range(_STORM)))
        else:
            who = [self._boss(message) for _ in range(_STORM)]
            driver = self.driver
            await asyncio.gather(*(driver.click(message, "approve", user=user) for user in who))
        self.journal.clicks += _STORM

    async def _approve_with_copies(self, waiting: Waiting) -> None:
        if waiting.message is None:
            await self._storm(waiting)
            return
        message, driver = waiting.message, self.driver
        first = await driver.click(message, "approve", user=self._boss(message))
        await asyncio.gather(*(driver.redeliver(first, number) for number in range(1, 4)))
        self.journal.clicks += 4

    async def _reject(self, waiting: Waiting) -> None:
        self.journal.clicks += 1
        if waiting.message is None:
            await self._console(waiting, Click("reject", str(waiting.id), "高すぎる"))
            return
        user, driver = self._boss(waiting.message), self.driver
        await driver.click(waiting.message, "reject", user=user)
        for _ in range(30):
            modal = self.town.slack.modal(user)
            if modal is not None:
                await driver.submit_view(modal, {"reason": "高すぎる"}, user=user)
                return
            await asyncio.sleep(0.1)

    async def _cancel(self, waiting: Waiting) -> None:
        request = waiting.request
        words = f"cancel #{waiting.reference}"
        if request.door == "api":
            await self.crowd.post(request.person, f"tasks/{waiting.reference}/cancel", {})
        elif waiting.message is None:
            await self._at_console(request.person, f"console-{request.number}", words)
        else:
            user = ACCOUNTS[request.person]
            await self.driver.slash(words, user=user, channel=request.channel)

    async def _answer(self, row: Any, question: Json, request: Request) -> None:
        """Choose what is so; of several things that may be meant, the first."""
        sql = "select id from tasks where question ->> 'id' = $1"
        place = self._truth(question) if question["key"].startswith("effect:") else 0
        self.journal.note(f"{request.marker} is asked {question['key']}, answers {place}")

        async def answered() -> bool:
            return not await self.town.rows(sql, question["id"])

        async def choose() -> None:
            if row["platform"] == "api":
                choice = {"choice": question["choices"][place]["value"]}
                path = f"tasks/{row['reference']}/answer"
                await self.crowd.post(request.person, path, choice)
            elif row["platform"] == "console":
                click = Click("answer", f"{question['id']}.{place}")
                await self._at_console(request.person, f"console-{request.number}", click=click)
            else:
                message = self._questions[question["id"]]
                value = f"{question['id']}.{place}"
                await self.driver.click(message, value, user=ACCOUNTS[request.person])

        await asyncio.sleep(self.rng.uniform(0.05, 1.0))
        await self._until(choose, answered)

    def _truth(self, question: Json) -> int:
        """Whether the ledger has an entry, as somebody sees who looks: 0 for yes, 1 for no."""
        key = question["key"].removeprefix("effect:")
        return 0 if any(line[-1] == key for line in self.town.google.sheets[LEDGER]) else 1

    async def _console(self, waiting: Waiting, click: Click) -> None:
        place = f"console-{waiting.request.number}"
        await self._at_console(self.rng.choice(BOSSES), place, click=click)

    async def _at_console(
        self, person: str, channel: str, words: str = "", click: Click | None = None
    ) -> None:
        sender = Sender("console", "local", person)
        inbound = Inbound(sender, Spot(channel), new_id().hex, words, click=click)
        await accept(self.town.house, inbound)
