"""Servers that go away and come back under running processes: nobody of ours is started again."""

import asyncio
import hashlib
import hmac
import json
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import ClientConnectorError, ClientSession

from core import organisations, people
from core.company import Company
from core.db import fetch_one
from core.ids import new_id
from core.inbound import Answer, Click, Inbound, Sender, Spot
from core.intake import accept
from core.phrases import NOT_TAKEN
from core.unit import unit
from miyabi.build import Built, open_house
from tests.miyabi.yard import STARTED, Running, Yard, free_port, open_yard, settings_of, until

REQUEST = "見積 株式会社ABC商事 モニター5台 キーボード10個 納期12/25"
SIGNING_SECRET = "8f742231b10e8888abcd99yyyzzz85a5"


@dataclass(frozen=True, slots=True)
class Site:
    """Web and a worker at work, and a door of the test's own into the same house."""

    yard: Yard
    web: Running
    worker: Running
    built: Built
    client: ClientSession

    async def ask(self) -> Answer:
        sender = Sender("console", "local", "tanaka")
        return await accept(self.built.house, Inbound(sender, Spot("t1"), new_id().hex, REQUEST))

    async def press(self) -> Answer:
        """Press a button of some card."""
        sender, click = Sender("console", "local", "tanaka"), Click("approve", str(new_id()))
        return await accept(
            self.built.house, Inbound(sender, Spot("t1"), new_id().hex, click=click)
        )

    async def drafted(self, answer: Answer) -> bool:
        async with self.built.house.engine.connect() as connection:
            row = await fetch_one(
                connection, "select waiting_for from tasks where id = :id", {"id": answer.task_id}
            )
        return row is not None and row.waiting_for == "approval"

    async def status(self) -> str:
        """What /readyz says; it has two seconds for it."""
        began = time.monotonic()
        answer = await self.client.get("/readyz")
        body = await answer.json()
        assert time.monotonic() - began < 2
        assert answer.status == (503 if body["status"] == "not ready" else 200)
        return str(body["status"])

    async def is_ready(self) -> bool:
        try:
            return await self.status() == "ready"
        except ClientConnectorError:  # not up yet
            return False

    async def webhook(self) -> tuple[int, float]:
        """A delivery from a platform: status, and seconds until the answer."""
        event = {"type": "app_mention", "channel": "C1", "user": "U1", "text": "?", "ts": "1.1"}
        body = json.dumps(
            {
                "type": "event_callback",
                "event_id": new_id().hex,
                "team_id": "T1",
                "api_app_id": "A1",
                "event": event,
            }
        )
        stamp = str(int(time.time()))
        mac = hmac.new(SIGNING_SECRET.encode(), f"v0:{stamp}:{body}".encode(), hashlib.sha256)
        began = time.monotonic()
        answer = await self.client.post(
            "/slack/events",
            data=body,
            headers={
                "Content-Type": "application/json",
                "X-Slack-Request-Timestamp": stamp,
                "X-Slack-Signature": f"v0={mac.hexdigest()}",
            },
        )
        return answer.status, time.monotonic() - began

    def said(self) -> str:
        return self.web.said() + self.worker.said()


@asynccontextmanager
async def site() -> AsyncIterator[Site]:
    async with open_yard() as yard:
        settings = settings_of(yard.services, yard.home)
        port = free_port()
        async with (
            open_house(settings, yard.services) as built,
            yard.process(
                "web",
                MIYABI_PORT=str(port),
                SLACK_SIGNING_SECRET=SIGNING_SECRET,
                SLACK_BOT_TOKEN="x",
            ) as web,
            yard.process("worker") as worker,
            ClientSession(f"http://127.0.0.1:{port}") as client,
        ):
            async with unit(built.house) as work:
                company = Company("株式会社みやび商事", registration_number="T7000012050002")
                organisation = await organisations.add(work, "default", company)
                tanaka = await people.add(
                    work, organisation.id, "tanaka", "田中", frozenset({"requester"})
                )
                await people.link(work, tanaka, Sender("console", "local", "tanaka"))
                roles = frozenset({"approver"})
                await people.add(work, organisation.id, "suzuki", "鈴木", roles)
            site = Site(yard, web, worker, built, client)
            await until(site.is_ready, STARTED, said=site.said)
            yield site
            assert web.process.returncode is None, web.said()
            assert worker.process.returncode is None, worker.said()


async def test_after_a_restart_of_the_database_all_goes_on() -> None:
    async with site() as at:
        before = [await at.ask() for _ in range(5)]
        await at.yard.restart("postgres")
        assert await at.status() in {"not ready", "ready", "degraded"}
        await until(at.is_ready, said=at.said)

        after = await at.ask()

        assert {answer.outcome for answer in (*before, after)} == {"taken"}
        for answer in (*before, after):
            await until(lambda a=answer: at.drafted(a), said=at.said)  # type: ignore[misc]


async def test_while_the_queue_is_away_work_is_taken_in_and_goes_on_when_it_is_back() -> None:
    async with site() as at:
        valkey = at.yard._process("valkey")
        keeper = valkey.parent()
        assert keeper is not None
        keeper.suspend()  # or it would be there again in a second
        valkey.kill()

        async def degraded() -> bool:
            return await at.status() == "degraded"

        await until(degraded, said=at.said)
        answers = [await at.ask() for _ in range(3)]
        assert {answer.outcome for answer in answers} == {"taken"}
        keeper.resume()

        await until(at.is_ready, said=at.said)
        for answer in answers:
            await until(lambda a=answer: at.drafted(a), said=at.said)  # type: ignore[misc]


async def test_a_database_that_hangs_makes_nobody_wait_for_more_than_two_seconds() -> None:
    async with site() as at:
        status, _ = await at.webhook()
        assert status == 200
        server = at.yard._process("postgres")
        processes = [server, *server.children()]
        for process in processes:
            process.send_signal(signal.SIGSTOP)
        try:
            assert await at.status() == "not ready"
            answers = await asyncio.gather(*(at.webhook() for _ in range(10)))
            answer = await at.ask()
            assert answer.outcome == "unavailable"
            pressed = time.monotonic()
            press = await at.press()
            took = time.monotonic() - pressed
            assert press.message is not None
            assert press.message.text == NOT_TAKEN.ja, "nothing can have been done"
        finally:
            for process in processes:
                process.send_signal(signal.SIGCONT)
        assert took < 2, "one second, and what a busy machine adds"
        assert {status for status, _ in answers} == {503}  # to be delivered again
        assert max(took for _, took in answers) < 3  # two, and what a busy machine adds
        await until(at.is_ready, said=at.said)
        again = await at.ask()
        await until(lambda: at.drafted(again), said=at.said)
