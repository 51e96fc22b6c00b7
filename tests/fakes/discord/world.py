"""What all parts of the fake share: what there is, what was asked, and what was wrong with it."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from tests.fakes.discord import limits
from tests.fakes.discord.limits import EPOCH_MS, Json
from tests.fakes.discord.state import Channel, Guild, Interaction, Message, User

Refusal = tuple[int, int, str]


class DiscordError(Exception):
    """Ends a call with a status, Discord's code and its words."""

    def __init__(self, refusal: Refusal, errors: list[str] | None = None) -> None:
        super().__init__(refusal[2])
        self.status, self.code, message = refusal
        self.answer: Json = {"message": message, "code": self.code}
        if errors:
            problems = [{"code": "INVALID", "message": each} for each in errors]
            self.answer["errors"] = {"_errors": problems}


@dataclass(frozen=True, slots=True)
class Violation:
    """Something the app sent that Discord's rules do not allow. Tests assert there is none."""

    operation: str
    problem: str


@dataclass(slots=True)
class Call:
    """One request. `at` and `done_at` are time.monotonic()."""

    at: float
    operation: str
    values: dict[str, str]
    query: dict[str, str]
    headers: dict[str, str]
    body: Json | list[Json] | None = None
    files: dict[int, tuple[str, str, bytes]] = field(default_factory=dict)
    status: int = 0
    answer: object = None
    done_at: float = 0.0


class Dispatch(Protocol):
    """Tells the app of something by the gateway."""

    def __call__(self, kind: str, body: Json, channel: Channel | None = None) -> None: ...


def _nobody(kind: str, body: Json, channel: Channel | None = None) -> None:
    return None


@dataclass(slots=True)
class World:
    """The state of Discord, and the settings of the fake."""

    bot_token: str = "fake-discord-token"
    application_id: str = "900000000000000002"
    base_url: str = ""
    granted_intents: int = (1 << 53) - 1
    answer_seconds: float = limits.ANSWER_SECONDS
    check_answers: bool = False
    paces: dict[str, tuple[int, float]] = field(default_factory=dict)
    shift: float = 0.0
    bot: User = field(default_factory=lambda: User("900000000000000001", "miyabi", bot=True))
    guilds: dict[str, Guild] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict)
    commands: dict[str | None, list[Json]] = field(default_factory=dict)
    interactions: dict[str, Interaction] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    violations: list[Violation] = field(default_factory=list)
    attachments: dict[str, tuple[bytes, str]] = field(default_factory=dict)
    invalid: int = 0
    dispatch: Dispatch = _nobody
    _count: int = 0

    def now(self) -> float:
        return time.time() + self.shift

    def moment(self) -> str:
        return datetime.fromtimestamp(self.now(), UTC).isoformat()

    def next_id(self) -> str:
        self._count += 1
        return str((int(self.now() * 1000) - EPOCH_MS) << 22 | self._count & 0x3FFFFF)

    def user(self, name: str) -> User:
        """The person of this name or id; made when new."""
        for user in self.users.values():
            if name in (user.id, user.name):
                return user
        made = User(self.next_id(), name)
        self.users[made.id] = made
        return made

    def direct(self, user: User) -> Channel:
        """The conversation of the bot with one person."""
        for channel in self.channels.values():
            if channel.kind == 1 and channel.recipient is user:
                return channel
        made = Channel(self.next_id(), user.name, 1, recipient=user)
        self.channels[made.id] = made
        return made

    def guild_of(self, channel: Channel) -> Guild | None:
        return self.guilds.get(channel.guild or "")

    def by_token(self, token: str) -> Interaction | None:
        return next((i for i in self.interactions.values() if i.token == token), None)

    def interaction(
        self,
        kind: int,
        user: User,
        channel: Channel,
        data: Json,
        source: Message | None = None,
    ) -> Interaction:
        """Keep what somebody did just now."""
        guild = self.guild_of(channel)
        payload: Json = {
            "id": self.next_id(),
            "application_id": self.application_id,
            "token": secrets.token_urlsafe(60),
            "version": 1,
            "type": kind,
            "data": data,
            "channel_id": channel.id,
            "channel": channel.shown(self.bot.id, self.moment()) | {"permissions": "2147483647"},
            "locale": user.locale,
            "app_permissions": str(channel.bot_may),
            "entitlements": [],
            "context": 0 if guild else 1,
            "attachment_size_limit": guild.file_bytes if guild else limits.FILE_BYTES,
            "authorizing_integration_owners": {"0": guild.id if guild else "0"},
        }
        if guild is not None:
            payload |= {
                "guild_id": guild.id,
                "guild": {"id": guild.id, "locale": "ja", "features": []},
                "guild_locale": "ja",
                "member": self.member_shown(guild, user) | {"permissions": "2147483647"},
            }
        else:
            payload["user"] = user.shown()
        if source is not None:
            payload["message"] = source.shown()
        return self.keep(payload, user, channel, source)

    def keep(
        self, payload: Json, user: User, channel: Channel, source: Message | None = None
    ) -> Interaction:
        made = Interaction(
            payload["id"],
            payload["token"],
            payload["type"],
            user,
            channel,
            self.now(),
            payload,
            source,
        )
        self.interactions[made.id] = made
        return made

    def member_shown(self, guild: Guild, user: User) -> Json:
        return {
            "user": user.shown(),
            "roles": guild.members.get(user.id, []),
            "joined_at": "2026-01-01T00:00:00+00:00",
            "deaf": False,
            "mute": False,
            "flags": 0,
            "nick": None,
            "premium_since": None,
            "pending": False,
            "avatar": None,
            "banner": None,
            "communication_disabled_until": None,
        }


@dataclass(slots=True)
class Ask:
    """One call on its way: what is asked, and where to report what is wrong."""

    world: World
    call: Call

    @property
    def json(self) -> Json:
        body = self.call.body
        return body if isinstance(body, dict) else {}

    def wrong(self, problem: str) -> None:
        self.world.violations.append(Violation(self.call.operation, problem))

    def refuse(self, problems: list[str]) -> None:
        """If there are problems, report each and end the call."""
        for problem in problems:
            self.wrong(problem)
        if problems:
            raise DiscordError(limits.INVALID_FORM, problems)

    def channel(self, need: int = 0) -> Channel:
        """The channel the call names, if the bot may see it and do there what it needs to."""
        channel = self.world.channels.get(self.call.values.get("channel_id", ""))
        if channel is None or channel.gone:
            raise DiscordError(limits.UNKNOWN_CHANNEL)
        guild = self.world.guild_of(channel)
        if guild is not None and not guild.has_bot:
            raise DiscordError(limits.MISSING_ACCESS)
        self.needs(channel, need)
        return channel

    def needs(self, channel: Channel, need: int) -> None:
        """Raises where the bot lacks a permission. A thread has those of its channel."""
        over = self.world.channels.get(channel.parent or "", channel)
        may = channel.bot_may & over.bot_may
        if channel.kind == 1:
            return
        if not may & limits.VIEW_CHANNEL:
            raise DiscordError(limits.MISSING_ACCESS)
        if need & ~may:
            raise DiscordError(limits.MISSING_PERMISSIONS)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a call is answered with."""

    body: object = None
    status: int = 200


Operation = Callable[[Ask], Answer]
