"""The things of Discord: guilds, channels, people, messages, interactions."""

from dataclasses import dataclass, field

from tests.fakes.discord.limits import ALL_PERMISSIONS, Json


@dataclass(slots=True)
class User:
    """Somebody, or the bot."""

    id: str
    name: str
    bot: bool = False
    takes_dms: bool = True
    locale: str = "ja"

    def shown(self) -> Json:
        return {
            "id": self.id,
            "username": self.name,
            "discriminator": "0",
            "global_name": None if self.bot else self.name,
            "avatar": None,
            "bot": self.bot,
            "public_flags": 0,
            "flags": 0,
            "primary_guild": None,
        }


@dataclass(slots=True)
class Attachment:
    """A file in a message."""

    id: str
    name: str
    data: bytes
    content_type: str
    url: str

    def shown(self) -> Json:
        return {
            "id": self.id,
            "filename": self.name,
            "size": len(self.data),
            "url": self.url,
            "proxy_url": self.url,
            "content_type": self.content_type,
        }


@dataclass(slots=True)
class Message:
    """What stands in a channel. `versions` are all bodies it ever had, the last is shown."""

    id: str
    channel: str
    author: User
    body: Json
    at: str
    edited_at: str | None = None
    files: list[Attachment] = field(default_factory=list)
    mentions: list[User] = field(default_factory=list)
    deleted: bool = False
    only_for: str | None = None
    interaction: str | None = None
    loading: bool = False
    thread: str | None = None
    versions: list[Json] = field(default_factory=list)

    @property
    def content(self) -> str:
        return self.body.get("content") or ""

    @property
    def text(self) -> str:
        """Everything that can be read in it."""
        return "\n".join(part for part in words_of(self.body) if part)

    def shown(self) -> Json:
        return {
            "id": self.id,
            "type": 0,
            "channel_id": self.channel,
            "author": self.author.shown(),
            "content": self.content,
            "timestamp": self.at,
            "edited_timestamp": self.edited_at,
            "tts": False,
            "mention_everyone": False,
            "mentions": [each.shown() for each in self.mentions],
            "mention_roles": [],
            "attachments": [each.shown() for each in self.files],
            "embeds": [_embed_shown(each) for each in self.body.get("embeds") or []],
            "pinned": False,
            "components": numbered(self.body.get("components") or []),
            "flags": (self.body.get("flags") or 0) | (128 if self.loading else 0),
        } | ({"nonce": self.body["nonce"]} if self.body.get("nonce") is not None else {})


def _embed_shown(embed: Json) -> Json:
    shown = {"type": "rich", **embed}
    if "fields" in shown:
        shown["fields"] = [{"inline": False, **each} for each in shown["fields"]]
    return shown


def numbered(components: list[Json]) -> list[Json]:
    """Components as Discord keeps them: each has a number of its own."""
    count = iter(range(1, 1_000))

    def number(part: Json) -> Json:
        kept = {"id": next(count), **part}
        for inner in ("components", "accessory", "component"):
            if isinstance(part.get(inner), list):
                kept[inner] = [number(each) for each in part[inner]]
            elif isinstance(part.get(inner), dict):
                kept[inner] = number(part[inner])
        return kept

    return [number(each) for each in components]


def words_of(part: object) -> list[str]:
    """All text that people read in a message's body or a part of it, in order."""
    if isinstance(part, list):
        return [words for each in part for words in words_of(each)]
    if not isinstance(part, dict):
        return []
    names = ("content", "title", "description", "name", "value", "text", "label", "placeholder")
    own = [part[name] for name in names if isinstance(part.get(name), str)]
    if "custom_id" in part:  # the value of a choice is not shown
        own = [part[name] for name in ("label", "placeholder") if isinstance(part.get(name), str)]
    inner = ("author", "embeds", "fields", "components", "component", "accessory", "footer")
    return own + [words for name in inner for words in words_of(part.get(name))]


@dataclass(slots=True)
class Channel:
    """A channel of a guild (0), a conversation with one person (1), or a thread (11, 12).

    `bot_may`: the bot's permissions here.
    """

    id: str
    name: str
    kind: int = 0
    guild: str | None = None
    parent: str | None = None
    recipient: User | None = None
    bot_may: int = ALL_PERMISSIONS
    archived: bool = False
    gone: bool = False
    messages: dict[str, Message] = field(default_factory=dict)

    @property
    def is_thread(self) -> bool:
        return self.kind in (10, 11, 12)

    def shown(self, bot_id: str, joined_at: str) -> Json:
        if self.kind == 1:
            assert self.recipient is not None
            people = [self.recipient.shown()]
            return {"id": self.id, "type": 1, "recipients": people, "flags": 0}
        shown: Json = {
            "id": self.id,
            "type": self.kind,
            "guild_id": self.guild,
            "name": self.name,
            "parent_id": self.parent,
            "rate_limit_per_user": 0,
            "flags": 0,
            "last_message_id": next(reversed(self.messages), None),
        }
        if not self.is_thread:
            more = {"position": 0, "permission_overwrites": [], "nsfw": False, "topic": None}
            return shown | more
        metadata = {
            "archived": self.archived,
            "auto_archive_duration": 1440,
            "archive_timestamp": joined_at,
            "locked": False,
            "create_timestamp": joined_at,
        }
        count = len(self.messages)
        return shown | {
            "owner_id": bot_id,
            "thread_metadata": metadata,
            "message_count": count,
            "member_count": 1,
            "total_message_sent": count,
        }


@dataclass(slots=True)
class Guild:
    """A server of somebody's: people, their roles, channels."""

    id: str
    name: str
    members: dict[str, list[str]] = field(default_factory=dict)
    roles: dict[str, str] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)
    has_bot: bool = True
    file_bytes: int = 10 * 1024 * 1024


@dataclass(slots=True)
class Interaction:
    """What somebody did, and what the app answered."""

    id: str
    token: str
    kind: int
    user: User
    channel: Channel
    at: float
    payload: Json
    source: Message | None = None
    callbacks: list[Json] = field(default_factory=list)
    original: Message | None = None
    followups: list[Message] = field(default_factory=list)

    @property
    def answered(self) -> bool:
        return bool(self.callbacks)

    @property
    def modal(self) -> Json | None:
        """The form that the app opened."""
        return next((c["data"] for c in self.callbacks if c["type"] == 9), None)

    @property
    def choices(self) -> list[Json] | None:
        """What the app offered for what was typed so far."""
        return next((c["data"]["choices"] for c in self.callbacks if c["type"] == 8), None)

    @property
    def messages(self) -> list[Message]:
        """Everything that was said by this interaction's token."""
        first = [self.original] if self.original else []
        return first + self.followups
