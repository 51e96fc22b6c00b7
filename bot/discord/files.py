"""Files that people send in Discord, and links to those that are too large to be posted."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from bot.discord.api import Api, DiscordRefused
from bot.discord.reaching import UNKNOWN_CHANNEL, UNKNOWN_MESSAGE
from core.db import fetch_one
from core.house import House
from core.inbound import SentFile
from core.links import make_link
from core.messages import Attachment
from core.ports import Place, TooLarge
from core.unit import unit

_HOSTS = frozenset({"cdn.discordapp.com", "media.discordapp.net"})
_LINK_LASTS = timedelta(days=7)


def sent_files(
    channel: str, message_id: str, attachments: Iterable[Mapping[str, Any]]
) -> tuple[SentFile, ...]:
    """What came with a message. Its address ends within a day, so the message is what is kept."""
    return tuple(
        SentFile(
            reference=f"{channel}:{message_id}:{each['id']}",
            name=str(each.get("filename") or each["id"]),
            media_type=str(each.get("content_type") or "").partition(";")[0],
            size=each.get("size") if isinstance(each.get("size"), int) else None,
        )
        for each in attachments
    )


async def fetch_file(api: Api, reference: str, most: int) -> bytes:
    """The bytes of a file by its reference. Raises as `core.ports.Fetches.fetch` says."""
    channel, message_id, attachment = reference.split(":")
    try:
        message = await api.call(
            "GET",
            "/channels/{channel_id}/messages/{message_id}",
            needs="Read Message History",
            channel_id=channel,
            message_id=message_id,
        )
    except DiscordRefused as refused:
        if refused.code in {UNKNOWN_CHANNEL, UNKNOWN_MESSAGE}:
            raise LookupError(reference) from refused
        raise
    found = next((one for one in message["attachments"] if one["id"] == attachment), None)
    if found is None or not _is_discords(str(found["url"]), api.url):
        raise LookupError(reference)
    if int(found.get("size") or 0) > most:
        raise TooLarge
    return await api.download(str(found["url"]), most)


def _is_discords(url: str, api_url: str) -> bool:
    """Whether a file lies at Discord, or where its API is: nothing else is fetched."""
    parts, api = urlsplit(url), urlsplit(api_url)
    if (parts.scheme, parts.netloc) == (api.scheme, api.netloc):
        return True
    return parts.scheme == "https" and parts.hostname in _HOSTS


async def link_to(house: House, place: Place, file: Attachment) -> str | None:
    """An address that opens a document of the task whose conversation this is; None without one."""
    async with unit(house) as work:
        row = await fetch_one(
            work.connection,
            "select task_id, person_id from threads where organisation_id = :organisation_id"
            " and platform = 'discord' and workspace = :workspace and channel = :channel"
            " and root is not distinct from :thread order by created_at desc limit 1",
            {
                "organisation_id": place.organisation_id,
                "workspace": place.workspace,
                "channel": place.channel,
                "thread": place.thread,
            },
        )
        if row is None:
            return None
        return await make_link(
            work, house, place.organisation_id, row.task_id, file, row.person_id, _LINK_LASTS
        )
