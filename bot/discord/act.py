"""Who did something in Discord and where, out of what Discord tells: by the gateway or by HTTP."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.inbound import Sender, Spot
from core.words import Language

Json = dict[str, Any]

THREADS = frozenset({10, 11, 12})
"""Kinds of channels (docs.discord.com, channel types): announcement, public, private thread."""


@dataclass(frozen=True, slots=True)
class Act:
    """Who, in which guild, and where. In a direct conversation the spot is the person."""

    guild: str
    user: str
    spot: Spot
    roles: frozenset[str] | None = None
    """The ids of this person's roles in the guild, where they are told."""
    language: Language = "ja"

    @property
    def sender(self) -> Sender:
        return Sender("discord", self.guild, self.user)

    @property
    def direct(self) -> bool:
        return self.spot.channel == self.user


def user_of(body: Mapping[str, Any]) -> str:
    """Whose interaction it is: in a guild a member's, elsewhere a user's."""
    user = (body.get("member") or {}).get("user") or body.get("user") or {}
    return str(user.get("id") or "")


def roles_of(body: Mapping[str, Any]) -> frozenset[str] | None:
    """The roles of whoever acts; None outside a guild."""
    member = body.get("member")
    return frozenset(map(str, member.get("roles") or ())) if member else None


def spot_of(body: Mapping[str, Any], user: str) -> Spot:
    """Where an interaction is: its channel, its thread of one, or with this person alone."""
    channel = body.get("channel") or {}
    name = str(body.get("channel_id") or channel.get("id") or "")
    if not body.get("guild_id"):
        return Spot(user, user, flat=True)
    if channel.get("type") in THREADS and channel.get("parent_id"):
        return Spot(str(channel["parent_id"]), name)
    return Spot(name)


def language_of(locale: object) -> Language:
    """A language of ours for one of Discord's."""
    told = str(locale or "")
    return "zh" if told.startswith("zh") else "ja" if told in {"", "ja"} else "en"
