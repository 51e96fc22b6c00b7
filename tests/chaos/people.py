"""Those who ask: by signed webhooks, at the terminal, through the API. Each asks until heard."""

import asyncio
import contextlib
import json
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import aiohttp

from core.ids import new_id
from core.inbound import Inbound, Sender, Spot
from core.intake import accept
from tests.chaos.journal import Asked, Journal
from tests.chaos.plan import Request
from tests.chaos.town import ACCOUNTS, Town
from tests.fakes.slack.delivery import Reply
from tests.fakes.slack.driver import Driver

Json = dict[str, Any]

_TAKEN = "受け付けました"
_NOT_TAKEN = "受け付けていません"
_AGAIN_AFTER = 0.6
_GIVES_UP_AFTER = 60.0  # seconds; nothing in a plan lasts that long


@dataclass(frozen=True, slots=True)
class Crowd:
    """All people who ask in a run."""

    town: Town
    journal: Journal
    rng: random.Random

    @property
    def driver(self) -> Driver:
        """People in Slack, which waits three seconds for an answer."""
        return self.town.slack.driver(self.town.web_url, timeout=3.0)

    async def ask(self, request: Request) -> None:
        """Ask, let the copies of the delivery come too, and ask again until it is taken."""
        asked = Asked(request.number, request.door, request.fate, time.time())
        self.journal.asked[request.number] = asked
        ways = {"console": self._at_console, "api": self._through_api}
        way = ways.get(request.door, self._in_slack)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_GIVES_UP_AFTER):
                await way(request, asked)

    # In Slack

    async def _in_slack(self, request: Request, asked: Asked) -> None:
        first = await self._first(request)
        copies = [
            asyncio.create_task(self._copy(first, asked, number, after))
            for number, after in enumerate(request.copies, start=1)
        ]
        heard = self._heard(first, asked)
        for reply in first.others:
            heard = self._heard(reply, asked) or heard
        while not heard:
            await asyncio.sleep(_AGAIN_AFTER)
            heard = self._heard(await self.driver.redeliver(first, 1), asked)
        await asyncio.gather(*copies)

    async def _first(self, request: Request) -> Reply:
        user, driver = ACCOUNTS[request.person], self.driver
        match request.door:
            case "command":
                return await driver.slash(request.text, user=user, channel=request.channel)
            case "direct":
                return await driver.message(request.text, user=user, channel=user)
            case "mention":
                return await driver.mention(request.text, user=user, channel=request.channel)
        return await driver.mention(
            request.text, user=user, channel=request.channel, also_message=True
        )

    async def _copy(self, first: Reply, asked: Asked, number: int, after: float) -> None:
        await asyncio.sleep(after)
        self._heard(await self.driver.redeliver(first, number), asked)
        for other in first.others:
            self._heard(await self.driver.redeliver(other, number), asked)

    def _heard(self, reply: Reply, asked: Asked) -> bool:
        """Whether this answer acknowledges the request."""
        asked.deliveries += 1
        asked.answers.append(f"{reply.status} {reply.body[:80]}")
        if reply.status != 200:
            return False
        if reply.sent.kind == "slash_commands":
            text = str(reply.json.get("text", reply.body))
            if _NOT_TAKEN in text:
                asked.denied_at.append(time.time())
            if _TAKEN not in text:
                return False
        asked.acknowledged_at = asked.acknowledged_at or time.time()
        return True

    # At the terminal, and through the API

    async def _at_console(self, request: Request, asked: Asked) -> None:
        sender = Sender("console", "local", request.person)
        inbound = Inbound(sender, Spot(f"console-{request.number}"), new_id().hex, request.text)

        async def once() -> str:
            answer = await accept(self.town.house, inbound)
            said = answer.message.text if answer.message else ""
            return "denied" if _NOT_TAKEN in said else answer.outcome

        await self._repeatedly(request, asked, once)

    async def _through_api(self, request: Request, asked: Asked) -> None:
        key, body = new_id().hex, {"text": request.text}

        async def once() -> str:
            status, answer = await self.post(request.person, "requests", body, key)
            if _NOT_TAKEN in str(answer.get("detail")):
                return "denied"
            return str(answer.get("outcome") or answer.get("code") or status)

        await self._repeatedly(request, asked, once)

    async def _repeatedly(
        self, request: Request, asked: Asked, once: Callable[[], Awaitable[str]]
    ) -> None:
        """The same delivery, with its copies, until it is taken in."""

        async def deliver(after: float) -> bool:
            await asyncio.sleep(after)
            outcome = await once()
            asked.deliveries += 1
            asked.answers.append(outcome)
            if outcome == "denied":
                asked.denied_at.append(time.time())
            if outcome != "taken":
                return False
            asked.acknowledged_at = asked.acknowledged_at or time.time()
            return True

        copies = [asyncio.create_task(deliver(after)) for after in request.copies]
        while not await deliver(0):
            await asyncio.sleep(_AGAIN_AFTER)
        await asyncio.gather(*copies)

    async def post(
        self, person: str, path: str, body: Json, key: str | None = None
    ) -> tuple[int, Json]:
        """A POST of a program that speaks for somebody: the status and the answer; 0 for none."""
        headers = {
            "Authorization": f"Bearer {self.town.tokens[person]}",
            "Idempotency-Key": key or new_id().hex,
        }
        url = f"{self.town.web_url}/api/v1/{path}"
        session = self.town.slack.session
        assert session is not None
        limit = aiohttp.ClientTimeout(total=3)
        try:
            async with session.post(url, json=body, headers=headers, timeout=limit) as answer:
                return answer.status, json.loads(await answer.text())
        except (aiohttp.ClientError, TimeoutError, ValueError):
            return 0, {}
