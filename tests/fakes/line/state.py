"""What LINE holds for one channel (an official account): people, groups, chats, menus, tokens."""

import hashlib
import secrets
from dataclasses import dataclass, field
from typing import Literal

from tests.fakes.line.description import Json

How = Literal["reply", "push", "person"]


def id_of(name: str, prefix: str = "U") -> str:
    """The id of the person (U), group (C) or room (R) of this name; an id stays what it is."""
    if len(name) == 33 and name[0] in "UCR":
        return name
    return prefix + hashlib.md5(f"{prefix}/{name}".encode(), usedforsecurity=False).hexdigest()


@dataclass(slots=True)
class User:
    """A person. `friend`: has added the account; `blocked`: has blocked it since."""

    id: str
    name: str
    language: str | None = "ja"
    friend: bool = True
    blocked: bool = False

    @property
    def reached(self) -> bool:
        return self.friend and not self.blocked


@dataclass(slots=True)
class Group:
    """A group chat, or with an id that begins with R a multi-person chat."""

    id: str
    name: str
    members: set[str] = field(default_factory=set)
    bot_in: bool = True

    @property
    def kind(self) -> str:
        return "room" if self.id.startswith("R") else "group"


@dataclass(slots=True, eq=False)
class Said:
    """A message in a chat. `by` is the person's id, or "bot"; `call` the id of the request."""

    id: str
    chat: str
    by: str
    how: How
    body: Json
    at: float  # the world's time
    quote_token: str = ""
    call: str = ""
    unsent: bool = False

    @property
    def kind(self) -> str:
        return str(self.body["type"])

    @property
    def text(self) -> str:
        """What a notification shows: the text, the alternative text, or the kind of message."""
        return str(self.body.get("text") or self.body.get("altText") or f"[{self.kind}]")


@dataclass(slots=True)
class Chat:
    """What was said between the account and a person, or in a group, in order."""

    id: str
    messages: list[Said] = field(default_factory=list)
    loading_until: float = 0.0

    @property
    def bots(self) -> list[Said]:
        return [message for message in self.messages if message.by == "bot"]


@dataclass(slots=True)
class ReplyToken:
    """The right to answer an event once. `used_by` is the request that used it."""

    chat: str
    at: float
    used_by: str | None = None


@dataclass(slots=True)
class Accepted:
    """A request that was accepted with a retry key."""

    request: str
    body: Json
    sent: list[Json]
    at: float


@dataclass(slots=True)
class Content:
    """The bytes of something that a person sent."""

    data: bytes
    media_type: str
    ready_at: float = 0.0


@dataclass(slots=True)
class Menu:
    """A rich menu."""

    id: str
    body: Json
    image: bytes | None = None
    media_type: str = ""


@dataclass(slots=True)
class Token:
    """A channel access token; `until` is the world's time."""

    value: str
    until: float
    kind: Literal["long", "short", "stateless"] = "long"


@dataclass(slots=True)
class Channel:
    """One official account with its Messaging API channel. `destination` is the bot's user id.

    `quota` is how many messages may be pushed this month (None: without a limit), `used` how many
    were. `served_at` is where the webhook's public address is served on this machine.
    """

    destination: str
    id: str
    secret: str
    name: str
    quota: int | None = 5000
    used: int = 0
    endpoint: str = ""
    endpoint_active: bool = True
    served_at: str | None = None
    tokens: dict[str, Token] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    chats: dict[str, Chat] = field(default_factory=dict)
    replies: dict[str, ReplyToken] = field(default_factory=dict)
    accepted: dict[str, Accepted] = field(default_factory=dict)
    contents: dict[str, Content] = field(default_factory=dict)
    menus: dict[str, Menu] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    default_menu: str | None = None
    user_menus: dict[str, str] = field(default_factory=dict)
    link_tokens: dict[str, str] = field(default_factory=dict)
    lost: list[Said] = field(default_factory=list)  # said to people who had blocked the account
    _count: int = 0

    @property
    def token(self) -> str:
        """The long-lived token that the console shows."""
        return f"long-lived-{self.id}"

    def next(self, prefix: str) -> str:
        """A fresh id."""
        self._count += 1
        return f"{prefix}{self._count:06d}{secrets.token_hex(4)}"

    def next_message(self) -> str:
        """A fresh message id: digits, greater than those before."""
        self._count += 1
        return f"5{self.id[-5:]:>05}{self._count:012d}"

    def user(self, name: str, **settings: object) -> User:
        """The person of this name or id; made when new, as a friend of the account."""
        key = id_of(name)
        if key not in self.users:
            shown = "Someone" if key == name else name
            self.users[key] = User(key, shown)
        for setting, value in settings.items():
            setattr(self.users[key], setting, value)
        return self.users[key]

    def group(self, name: str, members: tuple[str, ...] = (), *, room: bool = False) -> Group:
        """The group of this name or id; made when new, with the bot in it."""
        key = id_of(name, "R" if room else "C")
        if key not in self.groups:
            self.groups[key] = Group(key, name)
        self.groups[key].members |= {self.user(member).id for member in members}
        return self.groups[key]

    def place(self, name: str) -> str:
        """The id of the chat that is meant: a group's name or id, else a person's."""
        known = [id_of(name, prefix) for prefix in "CR"]
        return next((key for key in known if key in self.groups), id_of(name))

    def chat(self, name: str) -> Chat:
        """The chat with a person, or of a group, by name or id; empty when new."""
        key = self.place(name)
        return self.chats.setdefault(key, Chat(key))

    def people_in(self, chat: str) -> list[User] | None:
        """Whom a message to this chat reaches; None: there is no such chat for the bot."""
        if (group := self.groups.get(chat)) is not None:
            members = [self.users[member] for member in sorted(group.members)]
            return members if group.bot_in else None
        if (user := self.users.get(chat)) is not None:
            return [user] if user.reached else []
        return None
