"""A program of somebody's that is told by HTTP, as Standard Webhooks 1.0 has it.

`webhook-id` is the same however often a message is tried, and the body is the same byte by byte:
whoever keeps the ids does nothing twice. Signed with HMAC-SHA256 under the place's own secret; with
`old_secret` under both, so that a secret can be changed without a gap.
"""

import base64
import binascii
import json
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from standardwebhooks.webhooks import Webhook

from core.channel import Channel, Posting
from core.errors import Permanent
from core.ports import Sent
from core.settings import Settings
from core.words import Words
from notifier.hub.guarded import REFUSED, Reply, post, refusal, wrong_address

_PREFIX = "whsec_"
_AT_MOST = timedelta(seconds=15)
"""Standard Webhooks recommends 15 to 30 s for whoever receives."""

_WRONG_SECRET = Words(
    ja="署名の鍵は「whsec_」に続けて24〜64バイトのBase64で指定してください。",
    en="A signing secret is “whsec_” with 24 to 64 bytes in base64.",
    zh="签名密钥应为“whsec_”加上24至64字节的Base64。",
)
_WRONG_HEADER = Words(
    ja="authorization に改行などの制御文字は使えません。",
    en="authorization can't hold line breaks or other control characters.",
    zh="authorization 不能包含换行等控制字符。",
)


async def send(settings: Settings, posting: Posting) -> Sent:
    """Post it, signed. Raises as core.channel says."""
    body = payload(posting)
    signed = signature(posting.secrets, posting.key, datetime.now(UTC), body)
    headers = {"Content-Type": "application/json", **signed}
    if authorization := posting.secrets.get("authorization"):
        headers["Authorization"] = authorization
    url = posting.secrets.get("url") or posting.address
    reply = await post(settings.notify, url, body, headers, _AT_MOST)
    problem = refusal(reply)
    if problem is None and (why := error_inside(reply)):
        problem = Permanent(REFUSED.fill(status=reply.status, why=why))
    if problem is not None:
        raise problem
    return Sent(posting.address, posting.key)


def payload(posting: Posting) -> bytes:
    """`type`, `timestamp` and `data` (Standard Webhooks, payload structure), and what people read
    of it beside the facts."""
    notice: dict[str, Any] = dict(posting.notice)
    said = {"title": posting.message.title, "text": posting.message.text}
    content = {
        "type": notice.pop("topic", ""),
        "timestamp": notice.pop("time", ""),
        "data": {**notice, **said},
    }
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"), default=str).encode()


def signature(kept: Mapping[str, str], key: str, moment: datetime, body: bytes) -> dict[str, str]:
    """The headers that prove who sent it and when."""
    text = body.decode()
    keys = [kept[name] for name in ("secret", "old_secret") if kept.get(name)]
    return {
        "webhook-id": key,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": " ".join(Webhook(each).sign(key, moment, text) for each in keys),
    }


def error_inside(reply: Reply) -> str:
    """What went wrong where the status says that nothing did."""
    try:
        said = json.loads(reply.body)
    except ValueError:
        return ""
    if not isinstance(said, dict):
        return ""
    if said.get("ok") is False or said.get("success") is False or said.get("error"):
        return str(said.get("error") or reply.text())[:200]
    return ""


def wrong(settings: Settings, address: str, given: Mapping[str, str]) -> Words | None:
    """What is wrong with an address and what came with it."""
    for name in ("secret", "old_secret"):
        if given.get(name) and not _is_secret(given[name]):
            return _WRONG_SECRET
    if not given.get("authorization", "").isprintable():
        return _WRONG_HEADER
    return wrong_address(settings.notify, given.get("url") or address)


def _is_secret(secret: str) -> bool:
    try:
        raw = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        return False
    return secret.startswith(_PREFIX) and 24 <= len(raw) <= 64


def makes() -> dict[str, str]:
    """A secret of its own."""
    return {"secret": _PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()}


channel = Channel(
    "webhook",
    send,
    wrong,
    {
        "secret": "what it is signed with (whsec_…); made where none is given",
        "old_secret": "the one before, which it is signed with as well",
        "authorization": "sent as the Authorization header",
        "url": "the whole address, where that is a secret itself",
    },
    frozenset({"secret", "old_secret", "authorization", "url"}),
    same_key=True,
    preview=lambda posting: payload(posting).decode(),
    rate=20.0,
    at_most=_AT_MOST + timedelta(seconds=1),
    makes=makes,
)
