"""Speaking in Discord: send, edit, upload, and find again what may have been sent.

A task has a thread, which begins at the message that asked for it, or at our first. A direct
conversation has none; it is named by the person's account, whatever Discord calls the channel.
"""

import io
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import discord
import structlog

from bot.discord import custom_ids, limits
from bot.discord.api import AWAY, Api, DiscordRefused
from bot.discord.blocked import blocked
from bot.discord.files import fetch_file, link_to
from bot.discord.guilds import Guilds
from bot.discord.marks import has_mark, mark_of, nonce_of
from bot.discord.reaching import (
    CLOSED,
    GONE,
    HAS_A_THREAD,
    TOO_LARGE,
    UNKNOWN_CHANNEL,
    Directs,
    reaching,
)
from bot.discord.render import NOBODY, V2, Json, render
from bot.discord.text import plain
from bot.discord.wording import INSTEAD, TOO_BIG, TOO_BIG_NO_LINK
from core.chores import Chores
from core.errors import OutcomeUnknown, Permanent, TryLater
from core.gate import Paces
from core.inbound import Sender
from core.kept_files import read_kept
from core.messages import Attachment, Message
from core.platform import Opening
from core.ports import Place, Sent

log = structlog.get_logger()

PICTURE = "preview.png"
SEND_MESSAGES = "Send Messages / View Channel"
SEND_IN_THREADS = "Send Messages in Threads / View Channel"
CREATE_THREADS = "Create Public Threads"
READ_HISTORY = "Read Message History"

_MESSAGES = "/channels/{channel_id}/messages"
_MESSAGE = "/channels/{channel_id}/messages/{message_id}"


class DiscordOutbound:
    """Discord as a way out. Also holds what its ways in share."""

    edit_interval = timedelta(seconds=1)  # five edits in five seconds of a channel
    paces = Paces(conversation=1.0, burst=5, bot=50.0)
    settles = timedelta(seconds=1)

    def __init__(self, opening: Opening) -> None:
        self.api = Api(opening.settings.discord)
        self.directs = Directs(self.api)
        self.guilds = Guilds(opening, self.api)
        self.chores = Chores()
        self.house = opening.house
        self.ours = (opening.settings.public_url or "").rstrip("/")
        self._read_file = opening.read_file

    async def send(self, place: Place, message: Message, key: str) -> Sent:
        """Post a message. A conversation that can't begin in its channel begins with the person.

        Raises Unreachable where nothing can be posted there any more."""
        with reaching():
            return await self._sent(place, message, key, None)

    async def upload(
        self, place: Place, attachment: Attachment, comment: Message, key: str
    ) -> Sent:
        """Post a file with a line to say what it is; a link where the guild takes no such file."""
        comment = replace(comment, picture=None)  # what it shows is in the file
        with reaching():
            content = await self._content(place, attachment.sha256)
            if len(content) > await self._most(place):
                return await self._send_link(place, attachment, comment, key)
            try:
                return await self._sent(place, comment, key, (attachment.name, content))
            except DiscordRefused as refused:
                if refused.code != TOO_LARGE and refused.status != 413:
                    raise
                return await self._send_link(place, attachment, comment, key)

    async def edit(self, place: Place, sent: Sent, message: Message, key: str) -> Sent:
        """Put a message in the place of one that was posted."""
        await custom_ids.store(self.house, place.organisation_id, custom_ids.too_long(message))
        channel = sent.extra.get("at") or await self._real(
            place, sent.channel, place.thread, sent.id
        )
        files = await self._picture(place, message)
        first, *rest = self._payloads(message, int(sent.extra.get("mark", 0)), files)
        first["attachments"] = _attachments(files)
        await self.api.call(
            "PATCH", _MESSAGE, first, files, needs="", channel_id=channel, message_id=sent.id
        )
        further = [each for each in sent.extra.get("more", "").split(",") if each]
        for place_of, payload in enumerate(rest[: len(further)]):
            content = {"content": payload["content"], "allowed_mentions": NOBODY}
            await self.api.call(
                "PATCH", _MESSAGE, content, channel_id=channel, message_id=further[place_of]
            )
        return sent

    async def find(self, place: Place, key: str, attachment: Attachment | None) -> Sent | None:
        """A message by its container's id, which is the key's.

        Raises OutcomeUnknown where a conversation it may be in can't be read.
        """
        mark, me = mark_of(key), await self.api.me()
        spots = [(place.channel, place.thread)]
        if place.thread is None and not place.direct and place.account:
            spots.append((place.account, place.account))
        for named, thread in spots:
            try:
                channel = await self._real(place, named, thread, None)
                found = await self.api.call(
                    "GET",
                    _MESSAGES,
                    needs=READ_HISTORY,
                    params={"limit": 100},
                    channel_id=channel,
                )
            except DiscordRefused as refused:
                if refused.code == UNKNOWN_CHANNEL:
                    continue  # no thread was ever begun there
                raise OutcomeUnknown(refused.words) from refused
            for each in found:
                if each["author"]["id"] == me and has_mark(each, mark):
                    begun = thread or (named if named == place.account else each["id"])
                    return Sent(named, each["id"], {"mark": str(mark), "at": channel}, begun)
        return None

    async def fetch(
        self, organisation_id: UUID, workspace: str, reference: str, most: int
    ) -> bytes:
        """The bytes of a file that somebody sent."""
        return await fetch_file(self.api, reference, most)

    async def close(self) -> None:
        """Let what goes on come to its end, and close the connections."""
        await self.chores.close()
        await self.api.close()

    # Posting

    async def _sent(
        self, place: Place, message: Message, key: str, file: tuple[str, bytes] | None
    ) -> Sent:
        try:
            return await self._send(place, message, key, file)
        except DiscordRefused as refused:
            if refused.code in GONE and place.account:
                sender = Sender("discord", place.workspace, place.account)
                await blocked(self.house, sender)
            raise

    async def _send(
        self, place: Place, message: Message, key: str, file: tuple[str, bytes] | None
    ) -> Sent:
        await custom_ids.store(self.house, place.organisation_id, custom_ids.too_long(message))
        direct = place.direct or place.channel == place.account
        named = place.account if direct and place.account else place.channel
        try:
            return await self._post(place, named, place.thread, message, key, file)
        except DiscordRefused as refused:
            instead = place.thread is None and not direct and place.account
            if not instead or refused.code not in CLOSED:
                raise
            log.info("discord.told_directly", channel=named, why=refused.code)
        note = "\n".join(part for part in (message.note, INSTEAD.to(message.language)) if part)
        message = replace(message, note=note)
        return await self._post(place, instead, instead, message, key, file)

    async def _post(
        self,
        place: Place,
        named: str,
        thread: str | None,
        message: Message,
        key: str,
        file: tuple[str, bytes] | None,
    ) -> Sent:
        """Post in a channel or its thread; `named` is an account for a direct conversation."""
        direct = named == place.account
        mark = mark_of(key)
        files = await self._picture(place, message)
        files += [discord.File(io.BytesIO(file[1]), file[0])] if file is not None else []
        payloads = self._payloads(message, mark, files, file[0] if file is not None else "")
        payloads[0]["attachments"] = _attachments(files)
        channel = await self._real(place, named, thread, None)
        ids: list[str] = []
        for part, payload in enumerate(payloads):
            payload |= {"nonce": nonce_of(key, part), "enforce_nonce": True}
            said = await self._in_thread(
                named, channel, thread, payload, files if part == 0 else (), message
            )
            ids.append(str(said["id"]))
        extra = {"mark": str(mark), "at": channel}
        if ids[1:]:
            extra["more"] = ",".join(ids[1:])
        return Sent(named, ids[0], extra, named if direct else thread or ids[0])

    async def _in_thread(
        self,
        parent: str,
        channel: str,
        thread: str | None,
        payload: Json,
        files: Sequence[discord.File],
        message: Message,
    ) -> Any:
        needs = SEND_IN_THREADS if thread else SEND_MESSAGES
        try:
            return await self.api.call(
                "POST", _MESSAGES, payload, files, needs=needs, channel_id=channel
            )
        except DiscordRefused as refused:
            if refused.code != UNKNOWN_CHANNEL or thread is None or parent == thread:
                raise
        await self._begin_thread(parent, thread, message)
        for file in files:
            file.reset()
        return await self.api.call(
            "POST", _MESSAGES, payload, files, needs=needs, channel_id=channel
        )

    async def _begin_thread(self, parent: str, thread: str, message: Message) -> None:
        """A thread has the id of the message it begins at."""
        name = plain(" ".join((message.title or message.text).split()), limits.THREAD_NAME)
        try:
            await self.api.call(
                "POST",
                _MESSAGE + "/threads",
                {"name": name, "auto_archive_duration": 10_080},
                needs=CREATE_THREADS,
                channel_id=parent,
                message_id=thread,
            )
        except DiscordRefused as refused:
            if refused.code != HAS_A_THREAD:
                raise

    async def _real(
        self, place: Place, named: str, thread: str | None, message_id: str | None
    ) -> str:
        """What Discord calls the conversation: of a person, the direct one; in a thread, that,
        unless it is the message that the thread began at."""
        if named == place.account:
            return await self.directs.channel(named)
        return named if thread is None or thread == message_id else thread

    def _payloads(
        self, message: Message, mark: int, files: Sequence[discord.File], name: str = ""
    ) -> list[Json]:
        picture = PICTURE if any(file.filename == PICTURE for file in files) else None
        file = files[-1].filename if name else ""
        shown = render(message, mark, picture, self.ours, file)
        first: Json = {"components": shown.components, "flags": V2, "allowed_mentions": NOBODY}
        return [first, *({"content": each, "allowed_mentions": NOBODY} for each in shown.more)]

    # Pictures and files

    async def _picture(self, place: Place, message: Message) -> list[discord.File]:
        """The picture goes along with each edit: an old one is then surely gone."""
        if message.picture is None:
            return []
        try:
            content = await self._content(place, message.picture.sha256)
        except (Permanent, TryLater) as error:
            log.warning("discord.picture_left_out", why=str(error))
            return []
        alt = plain(message.picture.alt, limits.FILE_ALT)
        return [discord.File(io.BytesIO(content), PICTURE, description=alt)]

    async def _content(self, place: Place, sha256: str) -> bytes:
        return await read_kept(self._read_file, place.organisation_id, sha256, AWAY)

    async def _most(self, place: Place) -> int:
        """How large a file may be there."""
        if place.direct or place.channel == place.account:
            return limits.UPLOAD[0]
        return await self.guilds.upload_limit(place.workspace)

    async def _send_link(
        self, place: Place, attachment: Attachment, comment: Message, key: str
    ) -> Sent:
        link = await link_to(self.house, place, attachment)
        words = TOO_BIG.fill(link=link) if link else TOO_BIG_NO_LINK.fill(name=attachment.name)
        said = "\n".join((comment.body or comment.text, words.to(comment.language)))
        return await self._sent(place, replace(comment, body=said, text=said), key, None)


def _attachments(files: Sequence[discord.File]) -> list[Json]:
    return [
        {
            "id": n,
            "filename": file.filename,
            **({"description": file.description} if file.description else {}),
        }
        for n, file in enumerate(files)
    ]
