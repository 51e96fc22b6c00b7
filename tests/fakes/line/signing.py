"""LINE's signature of a webhook: base64 of the HMAC-SHA256 over the raw body."""

import base64
import hashlib
import hmac


def sign(secret: str, body: bytes) -> str:
    """The value of x-line-signature."""
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


def signed_headers(secret: str, body: bytes) -> dict[str, str]:
    """The headers with which LINE sends a body."""
    return {
        "content-type": "application/json; charset=utf-8",
        "user-agent": "LineBotWebhook/2.0",
        "x-line-signature": sign(secret, body),
    }
