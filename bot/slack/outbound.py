"""Speaking in Slack: send, edit, upload, and find again what may have been sent."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from uuid import UUID
from weakref import WeakValueDictionary

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.api import AWAY, Api, SlackRefused, act, ask
from bot.slack.files import fetch_file
from bot.slack.history import find_file, find_message, find_named_file
from bot.slack.installs import Install, Installs
from bot.slack.reaching import UNREACHABLE, open_direct, reaching
from bot.slack.render import Json, blocks, cut, fallback
from core.chores import Chores
from core.errors import MiyabiError, OutcomeUnknown
from core.gate import Paces
from core.kept_files import read_kept
from core.messages import Attachment, Message, Picture
from core.platform import Opening
from core.ports import Place, Sent
from core.words import Words

log = structlog.get_logger()

INSTEAD = Words(
    ja="依頼のあったチャンネルに投稿できないため、ここでお知らせします（/invite で招待できます）。",
    en="I can't post in the channel you asked in, so I write here (/invite lets me in).",
    zh="我无法在您发起请求的频道发言，因此在这里通知您（可用 /invite 邀请我）。",
)

EVENT = "miyabi_delivery"
COMMENT_TEXT = 500
"""Our own: slack_sdk sends it in the address, where a kanji takes nine characters."""
_DIRECTS_KEPT = 10_000
_PICTURE_WAITS = (0.3, 0.6, 1.0, 1.5)
"""Seconds between tries: Slack looks at a new image for a moment before it can be shown."""


class SlackOutbound:
    """Slack as a way out. Also holds what its ways in share: connections and installations."""

    edit_interval = timedelta(seconds=1)  # about one edit a second of one message
    paces = Paces(conversation=1.0, burst=10)  # "one per second per channel", and short bursts
    settles = timedelta(seconds=2)  # Slack posts a file a moment after it took it

    def __init__(self, opening: Opening) -> None:
        self.api = Api(opening.settings.slack)
        self.installs = Installs(opening, self.api)
        self.chores = Chores()
        self._read_file = opening.read_file
        self._pictures: dict[tuple[str, str], str] = {}
        self._directs: dict[tuple[str, str], str] = {}
        self._uploading: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()

    async def send(self, place: Place, message: Message, key: str) -> Sent:
        """Post a message. A conversation that can't begin in its channel begins with the person.

        Raises Unreachable where nothing can be posted there any more."""
        with reaching():
            return await self._send(place, message, key)

    async def _send(self, place: Place, message: Message, key: str) -> Sent:
        install = await self.installs.get(place.workspace)
        client = self.api.client(install.token)
        channel = await self._channel(client, place)
        try:
            return await self._post(install, place, channel, message, key)
        except SlackRefused as refused:
            self._directs.pop((place.workspace, place.account or ""), None)
            instead = place.thread is None and not place.direct and place.account
            if not instead or refused.code not in UNREACHABLE:
                raise
            log.info("slack.told_directly", channel=channel, why=refused.code)
        channel = await open_direct(client, instead)
        note = "\n".join(part for part in (message.note, INSTEAD.to(message.language)) if part)
        return await self._post(install, place, channel, replace(message, note=note), key)

    async def edit(self, place: Place, sent: Sent, message: Message, key: str) -> Sent:
        """Put a message in the place of one that was posted."""
        install = await self.installs.get(place.workspace)
        client = self.api.client(install.token)
        file_id = await self._picture(install, place, message.picture, sent.extra)
        ts = await _ts(client, place, sent)
        await ask(
            client.chat_update(
                channel=sent.channel,
                ts=ts,
                text=fallback(message),
                blocks=blocks(message, file_id),
                parse="none",
            )
        )
        return replace(sent, id=ts, extra=_extra(message.picture, file_id, sent.extra))

    async def upload(
        self, place: Place, attachment: Attachment, comment: Message, key: str
    ) -> Sent:
        """Post a file with a line to say what it is. Raises Unreachable likewise."""
        with reaching():
            return await self._upload(place, attachment, comment)

    async def _upload(self, place: Place, attachment: Attachment, comment: Message) -> Sent:
        install = await self.installs.get(place.workspace)
        client = self.api.client(install.token)
        channel = await self._channel(client, place)
        content = await self._content(place, attachment.sha256)
        file_id = await self._put(client, attachment.name, content, "")
        await act(
            client.files_completeUploadExternal(
                files=[{"id": file_id, "title": attachment.name}],
                channel_id=channel,
                initial_comment=cut(comment.text, COMMENT_TEXT),
                thread_ts=place.thread,
            )
        )
        # Slack may take a while to post it: until then it is known by the file.
        found = await _already_posted(client, channel, place.thread, file_id)
        return found or Sent(channel, file_id, {"file": file_id}, place.thread)

    async def find(self, place: Place, key: str, attachment: Attachment | None) -> Sent | None:
        """A message by the delivery's id in its metadata, or a file by its name.

        Raises OutcomeUnknown where a conversation it may be in can't be read (to its end).
        """
        install = await self.installs.get(place.workspace)
        client = self.api.client(install.token)
        channels = [await self._channel(client, place)]
        if place.thread is None and not place.direct and place.account:
            channels.append(await open_direct(client, place.account))
        unread: OutcomeUnknown | None = None
        for channel in channels:
            try:
                if attachment is None:
                    found = await find_message(client, channel, place.thread, key)
                else:
                    found = await find_named_file(
                        client, channel, place.thread, attachment.name, install.bot_user, key
                    )
            except OutcomeUnknown as error:
                unread = error
                continue
            if found is not None:
                return found
        if unread is not None:
            raise unread
        return None

    async def fetch(
        self, organisation_id: UUID, workspace: str, reference: str, most: int
    ) -> bytes:
        """The bytes of a file that somebody sent, by its id."""
        install = await self.installs.get(workspace)
        client = self.api.client(install.token)
        return await fetch_file(self.api, client, install.token, reference, most)

    async def close(self) -> None:
        """Let what goes on come to its end, and close the connections."""
        await self.chores.close()
        await self.api.close()

    # Posting

    async def _channel(self, client: AsyncWebClient, place: Place) -> str:
        """The conversation's id. A direct one is named by the person until it was written in."""
        if place.direct and place.account and place.channel == place.account:
            known = (place.workspace, place.account)
            if (
                known not in self._directs
            ):  # asked once: Slack takes fewer of these than of messages
                opened = await open_direct(client, place.account)
                while len(self._directs) >= _DIRECTS_KEPT:
                    del self._directs[next(iter(self._directs))]
                self._directs[known] = opened
            return self._directs[known]
        return place.channel

    async def _post(
        self, install: Install, place: Place, channel: str, message: Message, key: str
    ) -> Sent:
        client = self.api.client(install.token)
        file_id = await self._picture(install, place, message.picture, {})
        waits = iter(_PICTURE_WAITS)
        while True:
            try:
                said = await act(
                    client.chat_postMessage(
                        channel=channel,
                        text=fallback(message),
                        blocks=blocks(message, file_id),
                        metadata={"event_type": EVENT, "event_payload": {"key": key}},
                        parse="none",
                        unfurl_links=False,
                        unfurl_media=False,
                        **_in_thread(place),
                    )
                )
            except SlackRefused as refused:
                if refused.code != "invalid_blocks" or file_id is None:
                    raise
                wait = next(waits, None)
                if wait is None:
                    log.warning("slack.picture_left_out", channel=channel, file=file_id)
                    file_id = None
                else:
                    await asyncio.sleep(wait)
                continue
            extra = _extra(message.picture, file_id, {})
            return Sent(said["channel"], said["ts"], extra, place.thread or said["ts"])

    # Pictures and files

    async def _picture(
        self, install: Install, place: Place, picture: Picture | None, extra: Mapping[str, str]
    ) -> str | None:
        """The file id of a picture, uploaded once. One that can't be had is left out."""
        if picture is None:
            return None
        if extra.get("picture") == picture.sha256:
            return extra.get("file")
        known = (install.team, picture.sha256)
        # The copies of a card are sent at the same time: the first of them uploads for all.
        async with self._uploading.setdefault(known, asyncio.Lock()):
            if known not in self._pictures:
                file_id = await self._upload_picture(install, place, picture)
                if file_id is None:
                    return None
                while len(self._pictures) >= 1000:
                    del self._pictures[next(iter(self._pictures))]
                self._pictures[known] = file_id
            return self._pictures[known]

    async def _upload_picture(self, install: Install, place: Place, picture: Picture) -> str | None:
        client = self.api.client(install.token)
        try:
            content = await self._content(place, picture.sha256)
            file_id = await self._put(client, "preview.png", content, picture.alt)
            await ask(
                client.files_completeUploadExternal(
                    files=[{"id": file_id, "title": cut(picture.alt, 200) or "preview"}]
                )
            )
        except MiyabiError as error:
            log.warning("slack.picture_left_out", sha256=picture.sha256, why=str(error))
            return None
        return file_id

    async def _content(self, place: Place, sha256: str) -> bytes:
        return await read_kept(self._read_file, place.organisation_id, sha256, AWAY)

    async def _put(self, client: AsyncWebClient, name: str, content: bytes, alt: str) -> str:
        given = await ask(
            client.files_getUploadURLExternal(
                filename=name, length=len(content), alt_txt=alt[:1_000] or None
            )
        )
        await self.api.put(given["upload_url"], content)
        return str(given["file_id"])


async def _already_posted(
    client: AsyncWebClient, channel: str, thread: str | None, file_id: str
) -> Sent | None:
    """The message with a file that surely is posted, or will be; None where that can't be seen."""
    try:
        return await find_file(client, channel, thread, file_id)
    except MiyabiError as error:
        log.info("slack.file_not_seen", channel=channel, why=str(error))
        return None


async def _ts(client: AsyncWebClient, place: Place, sent: Sent) -> str:
    """A message's id. One posted with a file may have been known by the file only."""
    file_id = sent.extra.get("file", "")
    if sent.id != file_id:
        return sent.id
    found = await find_file(client, sent.channel, place.thread, file_id)
    if found is None:
        raise SlackRefused("message_not_found")
    return found.id


def _in_thread(place: Place) -> Json:
    """In a direct thread the news is shown in the conversation too, or it would be overlooked."""
    if place.thread is None:
        return {}
    return {"thread_ts": place.thread, **({"reply_broadcast": True} if place.direct else {})}


def _extra(
    picture: Picture | None, file_id: str | None, before: Mapping[str, str]
) -> Mapping[str, str]:
    if picture is None or file_id is None:
        return before
    return {**before, "picture": picture.sha256, "file": file_id}
