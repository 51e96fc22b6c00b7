"""Names of files made safe, and what a file is by its content."""

import re
import unicodedata

from bot.email.reading import charsets
from core import file_kinds

_NOT_IN_NAMES = re.compile(r'[\x00-\x1f\x7f:*?"<>|]')
_DOTS = re.compile(r"\.{2,}")
_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)
_MOST_BYTES = 240
"""A file system takes 255 (ext4, NAME_MAX); a number may come before it."""


def safe(name: str) -> str:
    """The last part of a path, without what leads elsewhere or hides what a file is.

    '' where there was no name; `file` where nothing of it is left.
    """
    name = charsets.clean(name)
    if not name.strip():
        return ""
    last = [part for part in re.split(r"[/\\]", name) if part.strip(". ")]
    kept = unicodedata.normalize("NFC", last[-1] if last else "")
    kept = _DOTS.sub(".", _NOT_IN_NAMES.sub("_", " ".join(kept.split(" ")))).strip(" .")
    if _DEVICES.match(kept):
        kept = f"_{kept}"
    return _short(kept) or "file"


def _short(name: str) -> str:
    if len(name.encode()) <= _MOST_BYTES:
        return name
    stem, dot, end = name.rpartition(".")
    if not dot or len(end) > 10 or not stem:
        return name.encode()[:_MOST_BYTES].decode(errors="ignore")
    room = _MOST_BYTES - len(end.encode()) - 1
    return f"{stem.encode()[:room].decode(errors='ignore')}.{end}"


_OFFICE = (
    (b"xl/workbook", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    (b"word/document", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    (b"ppt/presentation",
     "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
)  # fmt: skip
_BY_END = {
    "csv": "text/csv", "tsv": "text/tab-separated-values", "txt": "text/plain",
    "htm": "text/html", "html": "text/html", "xml": "application/xml", "ics": "text/calendar",
    "json": "application/json", "eml": "message/rfc822",
}  # fmt: skip
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""A file of streams (MS-CFB), which all formats of the old Office are."""
_IN_OLE_BY_END = {
    "xls": "application/vnd.ms-excel", "doc": "application/msword",
    "ppt": "application/vnd.ms-powerpoint", "msg": "application/vnd.ms-outlook",
}  # fmt: skip
_IN_OLE = frozenset(_IN_OLE_BY_END.values())
_LOOKS_AT = 4096
_CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_HTML = re.compile(rb"\s*<(?:!doctype html|html)", re.IGNORECASE)
_TEXTS = ("text/", "application/xml", "application/json")


def kind(content: bytes, declared: str, name: str) -> str:
    """The media type by the content where that tells; of text, by its name or what is declared.

    Archives are not opened: of the formats that are one, the names of members lie in plain sight.
    """
    known = file_kinds.kind_of(content)
    if known:
        return known
    if declared == "message/rfc822" or declared.startswith("multipart/"):
        return declared
    if content.startswith(b"PK\x03\x04"):
        return next((kind for sign, kind in _OFFICE if sign in content), "application/zip")
    if content.startswith(_OLE):
        return declared if declared in _IN_OLE else _IN_OLE_BY_END.get(_end(name), _UNKNOWN)
    if content.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    return _text(content, declared, name) or _by_signs(content) or declared or _UNKNOWN


_UNKNOWN = "application/octet-stream"


def _text(content: bytes, declared: str, name: str) -> str | None:
    """Bytes without controls are text of some kind; their first bytes say no more."""
    start = content[:_LOOKS_AT]
    if _CONTROLS.search(start):
        return None
    if _end(name) in _BY_END:
        return _BY_END[_end(name)]
    if declared.startswith(_TEXTS):
        return declared
    if start.isascii():
        return "text/html" if _HTML.match(start) else "text/plain"
    return None


def _end(name: str) -> str:
    return name.rpartition(".")[2].lower()


def _by_signs(content: bytes) -> str | None:
    import puremagic

    try:
        return puremagic.from_string(content[:_LOOKS_AT], mime=True) or None
    except (puremagic.PureError, ValueError, IndexError):
        return None
