"""Brings requests to the app as Slack does: signed, over HTTP, or through Socket Mode."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlencode

import aiohttp

from tests.fakes.slack.limits import Json
from tests.fakes.slack.signing import signed_headers
from tests.fakes.slack.state import Message

if TYPE_CHECKING:
    from tests.fakes.slack.server import FakeSlack

Kind = Literal["slash_commands", "events_api", "interactive"]
Retry = tuple[int, str]  # number of the retry and its reason, e.g. (1, "http_timeout")


@dataclass(frozen=True, slots=True)
class Delivery:
    """What was sent to the app, so that it can be sent again."""

    kind: Kind
    body: Json


@dataclass(slots=True)
class Reply:
    """What the app answered. `status` 0: it did not answer in time, or hung up.

    `message` is the message a person wrote by this act. `others` are the replies to further
    deliveries of the same act.
    """

    status: int
    body: str
    elapsed: float
    sent: Delivery
    headers: Mapping[str, str] = field(default_factory=dict)
    message: Message | None = None
    others: list["Reply"] = field(default_factory=list)

    @property
    def json(self) -> Json:
        """The answer as JSON; empty where there is none."""
        answer: Json = json.loads(self.body) if self.body.startswith("{") else {}
        return answer

    @property
    def ok(self) -> bool:
        """Answered 200 within Slack's 3 seconds."""
        return self.status == 200 and self.elapsed < 3.0


@dataclass(slots=True)
class Sender:
    """The way to one app: its address, or None for its Socket Mode connection.

    `age` makes the requests' timestamps that many seconds old.
    """

    slack: "FakeSlack"
    url: str | None
    signing_secret: str
    age: float
    timeout: float

    async def deliver(self, delivery: Delivery, retry: Retry | None = None) -> Reply:
        """Send one delivery, as a retry if told so."""
        if self.url is None:
            return await self._by_socket(delivery, retry)
        if delivery.kind == "events_api":
            content, body = "application/json", json.dumps(delivery.body).encode()
        else:
            content = "application/x-www-form-urlencoded"
            form = delivery.body
            if delivery.kind == "interactive":
                form = {"payload": json.dumps(delivery.body)}
            body = urlencode(form).encode()
        headers = signed_headers(self.signing_secret, body, self.age) | {"content-type": content}
        if retry is not None:
            headers |= {"x-slack-retry-num": str(retry[0]), "x-slack-retry-reason": retry[1]}
        return await self.post(body, headers, delivery)

    async def post(self, body: bytes, headers: Mapping[str, str], sent: Delivery) -> Reply:
        """Send raw bytes with raw headers: for requests that Slack would never make."""
        session, url = self.slack.session, self.url
        if session is None or url is None:
            raise RuntimeError("needs a running fake and the app's address")
        began = time.monotonic()
        limit = aiohttp.ClientTimeout(total=self.timeout)
        try:
            async with session.post(url, data=body, headers=headers, timeout=limit) as answer:
                text = await answer.text()
                took = time.monotonic() - began
                return Reply(answer.status, text, took, sent, dict(answer.headers))
        except (aiohttp.ClientError, TimeoutError):
            return Reply(0, "", time.monotonic() - began, sent)

    async def _by_socket(self, delivery: Delivery, retry: Retry | None) -> Reply:
        envelope: Json = {"type": delivery.kind, "payload": delivery.body}
        envelope["accepts_response_payload"] = delivery.kind != "events_api"
        if delivery.kind == "events_api":
            number, reason = retry or (0, "")
            envelope |= {"retry_attempt": number, "retry_reason": reason}
        began = time.monotonic()
        try:
            answer = await self.slack.sockets.send(envelope, self.timeout)
        except TimeoutError:
            return Reply(0, "", time.monotonic() - began, delivery)
        payload = answer.get("payload")
        body = json.dumps(payload) if payload else ""
        return Reply(200, body, time.monotonic() - began, delivery)
