"""What all parts of the fake share: the channels, what was asked, and what was wrong with it."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tests.fakes.line.description import Json
from tests.fakes.line.limits import REPLY_LIFE
from tests.fakes.line.state import Channel, Said


class LineError(Exception):
    """Ends a call with a status and LINE's body of an error."""

    def __init__(
        self,
        status: int,
        message: str,
        details: list[str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers or {}
        self.answer: Json = {"message": message}
        if details:
            self.answer["details"] = [
                {"property": each.partition(":")[0], "message": each.partition(": ")[2]}
                for each in details
            ]


@dataclass(frozen=True, slots=True)
class Violation:
    """Something the app sent that LINE's rules do not allow. Tests assert there is none."""

    operation: str
    problem: str


@dataclass(slots=True)
class Call:
    """One request to the API. `at` and `done_at` are time.monotonic(); `id` is LINE's id of it."""

    id: str
    at: float
    operation: str
    values: Json  # of the path and the query
    body: Json
    token: str
    retry_key: str | None = None
    status: int = 0
    answer: Json = field(default_factory=dict)
    done_at: float = 0.0

    @property
    def chat(self) -> str | None:
        """The id of the chat or person that it is about, where the request names one."""
        named = (self.body.get("to"), self.body.get("chatId"), self.values.get("userId"))
        return next((each for each in named if isinstance(each, str)), None)


@dataclass(slots=True)
class World:
    """The state of LINE, and the settings of the fake."""

    base_url: str = ""
    reply_life: float = REPLY_LIFE
    shift: float = 0.0  # seconds that the fake's clock is ahead
    channels: dict[str, Channel] = field(default_factory=dict)  # by destination
    calls: list[Call] = field(default_factory=list)
    violations: list[Violation] = field(default_factory=list)

    def now(self) -> float:
        """The fake's time, in seconds since 1970."""
        return time.time() + self.shift

    def by_token(self, token: str) -> Channel | None:
        """The channel whose token this is, if it is valid now."""
        for channel in self.channels.values():
            known = channel.tokens.get(token)
            if known is not None and known.until > self.now():
                return channel
        return None


@dataclass(slots=True)
class Ask:
    """One call on its way through an operation. Form bodies come in `body` too, bytes in `data`."""

    world: World
    channel: Channel
    call: Call
    data: bytes = b""
    media_type: str = ""

    @property
    def body(self) -> Json:
        return self.call.body

    def wrong(self, problem: str) -> None:
        self.world.violations.append(Violation(self.call.operation, problem))

    def refuse(self, problems: list[str]) -> None:
        """If there are problems, report each and end the call as LINE does: 400."""
        for problem in problems:
            self.wrong(problem)
        if problems:
            raise LineError(400, f"The request body has {len(problems)} error(s)", problems)

    def say(self, chat: str, bodies: list[Json], how: str) -> list[Said]:
        """Put messages of the bot into a chat, in order."""
        said = []
        for body in bodies:
            message = Said(
                self.channel.next_message(), chat, "bot", "reply", body, self.world.now()
            )
            message.how = "push" if how == "push" else "reply"
            message.call = self.call.id
            message.quote_token = f"quote-{message.id}"
            said.append(message)
        reached = self.channel.people_in(chat)
        if reached:
            place = self.channel.chat(chat)
            place.messages += said
            place.loading_until = 0.0
        else:
            self.channel.lost += said
        return said


@dataclass(frozen=True, slots=True)
class Answer:
    """What an operation answers. `data` is sent instead of JSON where it is not None."""

    body: Json = field(default_factory=dict)
    status: int = 200
    data: bytes | None = None
    media_type: str = "application/octet-stream"


Operation = Callable[[Ask], Answer]
