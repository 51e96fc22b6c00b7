"""Slack's request signature, version 0: HMAC-SHA256 over version, time and raw body."""

import hashlib
import hmac
import time


def sign(secret: str, body: bytes, timestamp: int) -> str:
    """The value of x-slack-signature."""
    base = b"v0:" + str(timestamp).encode() + b":" + body
    return "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()


def signed_headers(secret: str, body: bytes, age: float = 0.0) -> dict[str, str]:
    """Both headers for a body sent now, or made to look `age` seconds old."""
    timestamp = int(time.time() - age)
    return {
        "x-slack-request-timestamp": str(timestamp),
        "x-slack-signature": sign(secret, body, timestamp),
    }
