"""Webhooks read: whether they are LINE's, for whom, and the events in them."""

import base64
import hashlib
import hmac
import json
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.line.tokens import Channel
from core.arrivals import Delivered
from core.inbound import storable

KINDS = frozenset(
    {
        "accountLink",
        "follow",
        "join",
        "leave",
        "memberJoined",
        "memberLeft",
        "message",
        "postback",
        "unfollow",
        "unsend",
    }
)
"""Of which events something comes; that others came is kept, and nothing else of them."""

REPLY_FOR = timedelta(seconds=50)
"""How long after its event a reply token is counted on: LINE says to use it within a minute."""

_LONGEST_KEY = 200


def is_from_line(secret: str, body: bytes, signature: str) -> bool:
    """Whether the signature (of the header `x-line-signature`) is the channel's over these bytes.

    base64(HMAC-SHA256(channel secret, raw body)), developers.line.biz, "Verify webhook signature".
    """
    digest = hmac.new(secret.encode(), body, hashlib.sha256).digest()
    return hmac.compare_digest(base64.b64encode(digest), signature.encode(errors="replace"))


def read_webhook(body: bytes) -> Mapping[str, Any] | None:
    """What a webhook says; None where it is none."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(said, dict) or not isinstance(said.get("events"), list):
        return None
    return said if isinstance(said.get("destination"), str) else None


def read_events(channel: Channel, said: Mapping[str, Any], waited: float = 0) -> list[Delivered]:
    """The events of a verified webhook that came so many seconds ago.

    A redelivered one's reply token is not counted on: LINE may have given it out before.
    """
    reply_for = REPLY_FOR - timedelta(seconds=waited)
    found: Sequence[Any] = said["events"]
    return [_event(channel, _clean(each), reply_for) for each in found if isinstance(each, dict)]


def _event(channel: Channel, event: dict[str, Any], reply_for: timedelta) -> Delivered:
    kind = _text(event, "type")
    source = _object(event, "source")
    account = _text(source, "userId")
    redelivered = _object(event, "deliveryContext").get("isRedelivery") is True
    # A channel in standby is another's to answer (the event's `mode`).
    standby = event.get("mode") == "standby"
    counts = not (redelivered or standby) and reply_for > timedelta(0)
    return Delivered(
        organisation_id=channel.organisation_id,
        platform="line",
        workspace=channel.workspace,
        key=_text(event, "webhookEventId") or _digest(event),
        chat=_text(source, "groupId") or _text(source, "roomId") or account,
        account=account,
        kind=kind,
        body=event,
        said_at=_moment(event.get("timestamp")),
        redelivered=redelivered,
        reply_token=(_text(event, "replyToken") or None) if counts else None,
        reply_for=reply_for,
        ignored=kind not in KINDS or standby,
    )


def _text(where: Mapping[str, Any], name: str) -> str:
    value = where.get(name)
    return value[:_LONGEST_KEY] if isinstance(value, str) else ""


def _object(where: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = where.get(name)
    return value if isinstance(value, dict) else {}


def _digest(event: Mapping[str, Any]) -> str:
    """A key for an event without one: the same event has the same."""
    content = json.dumps(event, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(content.encode()).hexdigest()


def _moment(milliseconds: object) -> datetime:
    if isinstance(milliseconds, int | float):
        try:
            return datetime.fromtimestamp(milliseconds / 1000, UTC)
        except (ValueError, OverflowError, OSError):
            pass
    return datetime.now(UTC)


def _clean(value: Any) -> Any:
    """JSON as a database can keep it: no NUL, no half of a surrogate pair, no endless number."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict):
        return {storable(name): _clean(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_clean(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
