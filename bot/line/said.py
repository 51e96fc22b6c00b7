"""What somebody said in LINE: the words without our own mention, the files, what is quoted."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.arrivals import Arrival
from core.inbound import SentFile

_WIDE = "utf-16-le"
"""LINE counts in UTF-16 units (webhook, "mention"): an emoji takes two or more."""


@dataclass(frozen=True, slots=True)
class Said:
    """A message as it was meant. `mentioned`: Miyabi was spoken to by name.

    `kind` is LINE's word for what it is; `away`: LINE does not have the file's bytes. `album`: the
    images that were sent together, and how many they are.
    """

    kind: str
    text: str = ""
    mentioned: bool = False
    files: tuple[SentFile, ...] = ()
    away: bool = False
    quotes: str | None = None
    album: tuple[str, int] | None = None


def said_in(arrival: Arrival) -> Said | None:
    """The message of an event; None for an event of another kind."""
    message = arrival.body.get("message")
    if arrival.kind != "message" or not isinstance(message, Mapping):
        return None
    kind = str(message.get("type") or "")
    if kind == "text":
        text, mentioned = words(message)
        quotes = message.get("quotedMessageId")
        return Said(kind, text, mentioned, quotes=str(quotes) if quotes else None)
    if kind not in {"image", "file"}:
        return Said(kind)
    provider = message.get("contentProvider") or {}
    away = provider.get("type", "line") != "line"
    return Said(kind, files=(_file(kind, message),), away=away, album=_album(message))


def _file(kind: str, message: Mapping[str, Any]) -> SentFile:
    """A file by its message's id, by which its bytes are had. Of an image LINE tells no name and no
    type: what it is, its bytes say."""
    reference = str(message.get("id") or "")
    if kind == "image":
        return SentFile(reference, f"{reference}.jpg", "image/jpeg")
    size = message.get("fileSize")
    name = str(message.get("fileName") or reference)
    return SentFile(reference, name, size=size if isinstance(size, int) else None)


def _album(message: Mapping[str, Any]) -> tuple[str, int] | None:
    album = message.get("imageSet")
    if not isinstance(album, Mapping) or not isinstance(album.get("total"), int):
        return None
    return str(album.get("id") or ""), album["total"]


def words(message: Mapping[str, Any]) -> tuple[str, bool]:
    """A text without our own mention, and whether there was one. People who are mentioned are named
    by their account, as far as LINE tells it: what they call themselves there is no handle."""
    units = str(message.get("text") or "").encode(_WIDE, "surrogatepass")
    mention = message.get("mention") or {}
    mentioned = False
    for start, length, put, is_self in sorted(_mentions(mention, len(units) // 2), reverse=True):
        mentioned = mentioned or is_self
        units = units[: 2 * start] + put.encode(_WIDE) + units[2 * (start + length) :]
    return units.decode(_WIDE, "surrogatepass").strip(), mentioned


def _mentions(mention: Mapping[str, Any], most: int) -> list[tuple[int, int, str, bool]]:
    """Where somebody is mentioned: from which unit, how many, and what is put in their place."""
    found = []
    for each in mention.get("mentionees") or ():
        start, length = each.get("index"), each.get("length")
        if not isinstance(start, int) or not isinstance(length, int):
            continue
        if start < 0 or length <= 0 or start + length > most:
            continue
        if each.get("isSelf") is True:
            found.append((start, length, " ", True))
        elif each.get("userId"):
            found.append((start, length, f"@{each['userId']} ", False))
    return found
