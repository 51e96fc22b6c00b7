"""Encrypted and signed mail: told apart, and what is only signed read (RFC 3156, 8551, 9580)."""

import re

_BEGIN = "-----BEGIN PGP SIGNED MESSAGE-----\n"
_SIGNATURE = "\n-----BEGIN PGP SIGNATURE-----"
_END = "\n-----END PGP SIGNATURE-----"
_DASHED = re.compile(r"^- ", re.MULTILINE)
_CLOSED = re.compile(r"^-----BEGIN PGP MESSAGE-----", re.MULTILINE)

SIGNATURES = frozenset({
    "application/pkcs7-signature", "application/x-pkcs7-signature", "application/pgp-signature",
})  # fmt: skip
OPAQUE = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime"})
_DATA = bytes.fromhex("06092a864886f70d010701")  # OBJECT IDENTIFIER id-data (RFC 5652, 4)
_SIGNED = bytes.fromhex("06092a864886f70d010702")


def is_closed(text: str) -> bool:
    """Whether a text is nothing but an encrypted message, in armor."""
    found = _CLOSED.search(text)
    return found is not None and not text[: found.start()].strip()


def opened(text: str) -> str:
    """A text without the armor of its signature; what stood before and after it is kept."""
    begin = text.find(_BEGIN)
    clear = text.find("\n\n", begin + len(_BEGIN) - 1) + 2
    signature = text.find(_SIGNATURE, clear - 1)
    end = text.find(_END, signature)
    if begin < 0 or clear < 2 or signature < 0 or end < 0:
        return text
    written = _DASHED.sub("", text[clear:signature])
    return text[:begin] + written + text[end + len(_END) :]


def within_signature(content: bytes) -> bytes | None:
    """The mail inside an opaque signature; None where it is encrypted, or can't be found.

    SignedData with its content inside (RFC 5652, 5.2): after `id-data` comes [0], and in it an
    OCTET STRING, whole or in pieces. Nothing is verified here.
    """
    if _SIGNED not in content[:64]:
        return None
    at = content.find(_DATA)
    if at < 0:
        return None
    at += len(_DATA)
    if content[at : at + 1] != b"\xa0":
        return None
    _, at, _ = _value(content, at)
    pieces: list[bytes] = []
    if content[at : at + 1] == b"\x04":
        _, start, end = _value(content, at)
        return content[start:end]
    if content[at : at + 1] == b"\x24":
        _, at, _ = _value(content, at)
        while content[at : at + 1] == b"\x04":
            _, start, end = _value(content, at)
            pieces.append(content[start:end])
            at = end
    return b"".join(pieces) or None


def _value(data: bytes, at: int) -> tuple[int, int, int]:
    """Tag, begin and end of a value (X.690, 8.1); of an indefinite one the end is the data's."""
    tag = data[at] if at < len(data) else 0
    first = data[at + 1] if at + 1 < len(data) else 0
    if first < 0x80:
        return tag, at + 2, min(at + 2 + first, len(data))
    count = first & 0x7F
    if not count or count > 4:
        return tag, at + 2, len(data)
    length = int.from_bytes(data[at + 2 : at + 2 + count])
    return tag, at + 2 + count, min(at + 2 + count + length, len(data))
