"""What a Slack workspace holds: people, channels, messages, views and files."""

import copy
import mimetypes
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from tests.fakes.slack.limits import Json

Kind = Literal["channel", "group", "im", "mpim"]

# What the manifest of a chat app usually asks for; tests give their own to prove a manifest.
USUAL_SCOPES = frozenset(
    (
        "app_mentions:read",
        "channels:history",
        "channels:read",
        "chat:write",
        "commands",
        "files:read",
        "files:write",
        "groups:history",
        "groups:read",
        "im:history",
        "im:read",
        "im:write",
        "mpim:history",
        "mpim:read",
        "mpim:write",
        "reactions:write",
        "users:read",
        "users:read.email",
    )
)


@dataclass(slots=True)
class Version:
    """What a message said at one time."""

    text: str
    blocks: list[Json]
    at: float  # time.monotonic()


@dataclass(slots=True)
class UploadedFile:
    """A file on its way to, or in, a workspace. `shares` are (channel, ts of the message)."""

    id: str
    name: str
    length: int
    alt: str = ""
    title: str = ""
    data: bytes | None = None
    complete: bool = False
    ready_at: float = 0.0  # time.monotonic(): Slack looks at an image before it can be shown
    shares: list[tuple[str, str]] = field(default_factory=list)
    home: str = ""  # where a person's file is downloaded
    mode: str = "hosted"
    declared: str | None = None

    @property
    def mimetype(self) -> str:
        if self.declared is not None:
            return self.declared
        return mimetypes.guess_type(self.name)[0] or "application/octet-stream"


@dataclass(slots=True, eq=False)
class Message:
    """A message, or with `only_for` an ephemeral one. `history` has every version, newest last."""

    channel: str
    ts: str
    user: str
    text: str
    blocks: list[Json] = field(default_factory=list)
    thread_ts: str | None = None
    bot_id: str | None = None
    metadata: Json | None = None
    files: list[UploadedFile] = field(default_factory=list)
    history: list[Version] = field(default_factory=list)
    reactions: dict[str, set[str]] = field(default_factory=dict)
    only_for: str | None = None
    deleted: bool = False

    @property
    def edits(self) -> int:
        """How often the message was changed."""
        return max(0, len(self.history) - 1)

    def snapshot(self) -> "Message":
        """A copy that later edits do not reach: what someone still has on the screen."""
        return copy.deepcopy(self)


@dataclass(slots=True, eq=False)
class View:
    """A modal or a home tab as one person sees it. `typed` is by block id, then action id."""

    id: str
    user: str
    body: Json
    hash: str
    root_id: str
    previous_id: str | None = None
    typed: dict[str, Json] = field(default_factory=dict)
    open: bool = True
    history: list[Json] = field(default_factory=list)

    @property
    def blocks(self) -> list[Json]:
        blocks: list[Json] = self.body["blocks"]
        return blocks


@dataclass(slots=True)
class User:
    id: str
    name: str
    email: str | None = None
    locale: str = "ja-JP"
    tz: str = "Asia/Tokyo"
    is_bot: bool = False
    deleted: bool = False


@dataclass(slots=True)
class Channel:
    """A conversation. `messages` are by ts, in order."""

    id: str
    name: str
    kind: Kind = "channel"
    members: set[str] = field(default_factory=set)
    archived: bool = False
    messages: dict[str, Message] = field(default_factory=dict)

    @property
    def private(self) -> bool:
        return self.kind != "channel"


@dataclass(slots=True)
class Workspace:
    """One team that has the app installed, with everything in it."""

    team_id: str
    bot_token: str
    bot_user: str
    bot_id: str
    app_id: str
    scopes: set[str] = field(default_factory=lambda: set(USUAL_SCOPES))
    token_revoked: bool = False
    users: dict[str, User] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)
    ephemerals: list[Message] = field(default_factory=list)
    views: dict[str, View] = field(default_factory=dict)
    homes: dict[str, View] = field(default_factory=dict)
    files: dict[str, UploadedFile] = field(default_factory=dict)
    _count: int = 0
    _microseconds: int = 0

    @property
    def domain(self) -> str:
        return f"team-{self.team_id.lower()}"

    def next(self, prefix: str) -> str:
        """A fresh id such as V00000001."""
        self._count += 1
        return f"{prefix}{self._count:08d}"

    def next_ts(self) -> str:
        """A fresh message timestamp, later than all before."""
        self._microseconds = max(self._microseconds + 1, time.time_ns() // 1000)
        return f"{self._microseconds // 1_000_000}.{self._microseconds % 1_000_000:06d}"

    def user(self, user_id: str, name: str = "", email: str | None = None) -> User:
        """The person with this id; made when new."""
        if user_id not in self.users:
            self.users[user_id] = User(user_id, name or user_id.lower(), email)
        return self.users[user_id]

    def channel(
        self,
        channel_id: str,
        *,
        name: str = "",
        private: bool = False,
        members: Iterable[str] = (),
        with_bot: bool = True,
    ) -> Channel:
        """The channel with this id; made when new, with the bot in it unless told otherwise."""
        if channel_id not in self.channels:
            who = {self.user(each).id for each in members}
            self.channels[channel_id] = Channel(
                channel_id,
                name or channel_id.lower(),
                "group" if private else "channel",
                who | ({self.bot_user} if with_bot else set()),
            )
        return self.channels[channel_id]

    def dm(self, user_id: str) -> Channel:
        """The direct conversation between a person and the bot; made when new."""
        self.user(user_id)
        channel_id = f"D{user_id}"
        if channel_id not in self.channels:
            self.channels[channel_id] = Channel(channel_id, user_id, "im", {user_id, self.bot_user})
        return self.channels[channel_id]

    def thread(self, channel_id: str, ts: str) -> list[Message]:
        """A message and the replies to it, oldest first, without what was deleted."""
        messages = self.channels[channel_id].messages.values()
        return [m for m in messages if ts in (m.ts, m.thread_ts) and not m.deleted]

    def modal(self, user_id: str) -> View | None:
        """The modal a person has in front: the top of the open stack."""
        mine = [view for view in self.views.values() if view.user == user_id and view.open]
        return mine[-1] if mine else None
