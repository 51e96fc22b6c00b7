"""What a letter encloses: files beside the text, pictures within the HTML."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from bot.email.compose import Enclosed
from core.messages import Attachment, Message

_IMAGES = {b"\x89PNG": ("image/png", "png"), b"\xff\xd8\xff": ("image/jpeg", "jpg")}


def enclosures(
    messages: Sequence[Message], files: Mapping[str, bytes], letter: UUID
) -> tuple[list[Enclosed], dict[str, str]]:
    """The files and pictures of a letter, once each, and the Content-ID of each picture by its
    hash. `files`: the bytes by hash; what is not there is not enclosed."""
    found: list[Enclosed] = []
    pictures: dict[str, str] = {}
    for message in messages:
        picture = message.picture
        if picture is None or picture.sha256 in pictures or picture.sha256 not in files:
            continue
        content = files[picture.sha256]
        kind = next((kind for start, kind in _IMAGES.items() if content.startswith(start)), None)
        if kind is not None:
            media_type, ending = kind
            cid = f"{len(pictures) + 1}.{letter.hex}@miyabi"
            pictures[picture.sha256] = cid
            found.append(Enclosed(f"page-{len(pictures)}.{ending}", media_type, content, cid))
    for file in files_of(messages):
        if file.sha256 in files:
            found.append(Enclosed(file.name, file.media_type, files[file.sha256]))
    return found, pictures


def files_of(messages: Sequence[Message]) -> list[Attachment]:
    """The files of some messages, once each."""
    return list({file.sha256: file for message in messages for file in message.files}.values())
