"""Files that people send in Slack: what is told of them, and how their bytes are had."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.api import Api, SlackRefused, ask
from bot.slack.render import Json
from core.inbound import SentFile
from core.ports import TooLarge

_GONE = frozenset({"file_not_found", "file_deleted", "file_not_visible"})
"""What files.info answers for a file that nobody can be given (docs.slack.dev, its errors)."""
_NOT_THERE = frozenset({"tombstone", "hidden_by_limit", "access_denied"})
"""Modes of a file that Slack shows no more (docs.slack.dev, file object)."""
READ = "files:read"


def sent_files(message: Mapping[str, Any]) -> tuple[SentFile, ...]:
    """What came with a message. Of some only the id is told (Slack Connect): the rest is asked."""
    return tuple(_sent(file) for file in message.get("files") or () if file.get("id"))


def _sent(file: Mapping[str, Any]) -> SentFile:
    size = file.get("size")
    return SentFile(
        reference=str(file["id"]),
        name=str(file.get("name") or file.get("title") or file["id"]),
        media_type=str(file.get("mimetype") or ""),
        size=size if isinstance(size, int) else None,
    )


async def fetch_file(
    api: Api, client: AsyncWebClient, token: str, reference: str, most: int
) -> bytes:
    """The bytes of a file by its id. Raises as `core.ports.Fetches.fetch` says."""
    file = await _told(client, reference)
    if file.get("is_external") or file.get("mode") in _NOT_THERE:
        raise LookupError(reference)
    if int(file.get("size") or 0) > most:
        raise TooLarge
    url = str(file.get("url_private_download") or file.get("url_private") or "")
    if not is_slacks(url, api.url):
        raise LookupError(reference)  # the token is shown to nobody else
    return await api.download(url, token, most, READ)


async def _told(client: AsyncWebClient, reference: str) -> Json:
    try:
        said = await ask(client.files_info(file=reference))
    except SlackRefused as refused:
        if refused.code in _GONE:
            raise LookupError(reference) from refused
        raise
    found: Json = said["file"]
    return found


def is_slacks(url: str, api_url: str) -> bool:
    """Whether a file lies at Slack: at files.slack.com and the like, or where its API is."""
    parts, api = urlsplit(url), urlsplit(api_url)
    if (parts.scheme, parts.netloc) == (api.scheme, api.netloc):
        return True
    return parts.scheme == "https" and (parts.hostname or "").endswith(".slack.com")
