"""Bytes in an address: base 64 with the letters that are safe there, unpadded (RFC 4648, 5)."""

import base64
import binascii


def spell(content: bytes) -> str:
    """The bytes as text."""
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def read(text: str) -> bytes | None:
    """The bytes of a text; None for what is none.

    Base 64 has spare bits at its end: where one spelling only may be taken, compare with `spell`.
    """
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
