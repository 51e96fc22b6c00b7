"""What all parts of the fake share: the workspaces, what was asked, and what was wrong with it."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.fakes.slack.limits import Json
from tests.fakes.slack.state import Workspace


class SlackError(Exception):
    """Ends a call with `{"ok": false, "error": code}` and what else belongs in the answer."""

    def __init__(self, code: str, messages: list[str] | None = None, **extra: object) -> None:
        super().__init__(code)
        self.code = code
        self.answer: Json = {"ok": False, "error": code, **extra}
        if messages:
            self.answer["response_metadata"] = {"messages": messages}


@dataclass(frozen=True, slots=True)
class Violation:
    """Something the app sent that Slack's rules do not allow. Tests assert there is none."""

    method: str
    problem: str


@dataclass(slots=True)
class Call:
    """One request to the Web API. `at` and `done_at` are time.monotonic()."""

    at: float
    method: str
    args: Json
    token: str
    answer: Json = field(default_factory=dict)
    status: int = 0
    done_at: float = 0.0

    @property
    def ok(self) -> bool:
        return self.status == 200 and bool(self.answer.get("ok"))


@dataclass(slots=True)
class Trigger:
    """The right to open one modal, given to the app with each act of a person."""

    workspace: Workspace
    user: str
    at: float
    used: bool = False


@dataclass(slots=True)
class ResponseUrl:
    """A place to answer one act of a person: 5 times, within 30 minutes."""

    workspace: Workspace
    user: str
    channel: str
    message_ts: str | None
    at: float
    uses: int = 0


@dataclass(slots=True)
class World:
    """The state of Slack, and the settings of the fake."""

    app_id: str = "A0MIYABI"
    client_id: str = "1111.2222"
    client_secret: str = "fake-client-secret"
    app_token: str = "xapp-fake"
    base_url: str = ""
    button_value_limit: int | None = 64
    file_ready_after: float = 0.0
    trigger_life: float = 3.0
    workspaces: dict[str, Workspace] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    violations: list[Violation] = field(default_factory=list)
    triggers: dict[str, Trigger] = field(default_factory=dict)
    response_urls: dict[str, ResponseUrl] = field(default_factory=dict)
    oauth_codes: dict[str, Workspace] = field(default_factory=dict)

    def by_token(self, token: str) -> Workspace | None:
        found = (w for w in self.workspaces.values() if w.bot_token == token)
        return next((w for w in found if not w.token_revoked), None)

    def trigger(self, workspace: Workspace, user: str) -> str:
        """A fresh trigger id for what a person did just now."""
        name = f"{len(self.triggers) + 1}.{workspace.team_id}.{secrets.token_hex(16)}"
        self.triggers[name] = Trigger(workspace, user, time.monotonic())
        return name

    def take_trigger(self, name: str) -> Trigger:
        """Use a trigger. Raises SlackError: unknown, too old, or used before."""
        trigger = self.triggers.get(name)
        if trigger is None:
            raise SlackError("invalid_trigger_id")
        if trigger.used:
            raise SlackError("exchanged_trigger_id")
        if time.monotonic() - trigger.at > self.trigger_life:
            raise SlackError("expired_trigger_id")
        trigger.used = True
        return trigger

    def response_url(
        self, workspace: Workspace, user: str, channel: str, message_ts: str | None = None
    ) -> str:
        key = secrets.token_hex(12)
        self.response_urls[key] = ResponseUrl(
            workspace, user, channel, message_ts, time.monotonic()
        )
        return f"{self.base_url}/respond/{key}"


@dataclass(slots=True)
class Ask:
    """One call on its way through a method: who asks, what, and where to report what is wrong."""

    world: World
    workspace: Workspace
    method: str
    args: Json

    def wrong(self, problem: str) -> None:
        self.world.violations.append(Violation(self.method, problem))

    def refuse(self, code: str, problems: list[str]) -> None:
        """If there are problems, report each and end the call with this error."""
        for problem in problems:
            self.wrong(problem)
        if problems:
            raise SlackError(code, problems)


Method = Callable[[Ask], Json]
