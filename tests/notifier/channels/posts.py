"""Postings for tests of the channels that only send."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from core.channel import Posting
from core.errors import TryLater
from core.messages import Field, Line, Message
from core.settings import NotifySettings, Settings

KEY = "0198c0de-0000-7000-8000-000000000001"
ORGANISATION = UUID("0198c0de-0000-7000-8000-0000000000aa")

MESSAGE = Message(
    "ディスクの空きが少なくなっています (web1)",
    title="ディスクの空きが少なくなっています",
    body="web1 の空きは 1% です。",
    fields=(Field("ホスト", "web1"),),
    lines=(Line("/var", "99%", "40 GB"),),
    note="監視",
)
NOTICE: Mapping[str, Any] = {
    "id": "0198c0de-0000-7000-8000-000000000002",
    "topic": "alert.disk",
    "importance": "high",
    "facts": {"host": "web1", "url": "https://grafana.example/d/1"},
    "count": 3,
    "resolved": False,
    "time": "2026-11-27T12:00:00+09:00",
}

OPEN = Settings(
    notify=NotifySettings(private_networks=["127.0.0.0/8"], webhook_allow_http=True, apprise=True)
)
"""Settings by which this machine may be told."""
CLOSED = Settings(notify=NotifySettings(webhook_allow_http=True))


def posting(
    address: str,
    secrets: Mapping[str, str],
    message: Message = MESSAGE,
    notice: Mapping[str, Any] = NOTICE,
    *,
    key: str = KEY,
    again: bool = False,
) -> Posting:
    return Posting(ORGANISATION, address, {}, secrets, message, notice, key, again)


def told_as(error: Exception | None) -> type[Exception]:
    """What an error asks whoever sends to do: SlowDown is one more TryLater."""
    return TryLater if isinstance(error, TryLater) else type(error)  # type: ignore[return-value]
