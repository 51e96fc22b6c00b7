"""winmail.dat: what Outlook makes of a mail for itself, unpacked (MS-OXTNEF)."""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.email.reading import charsets, html_text

_BROKEN = (
    ValueError, TypeError, LookupError, AttributeError, struct.error, OSError, RecursionError,
    UnboundLocalError,
)  # fmt: skip
_ATTRIBUTE = struct.Struct("<BII")
_NEW_FILE, _TITLE, _DATA, _TEXT = 0x9002, 0x8010, 0x800F, 0x800C


@dataclass(frozen=True, slots=True)
class Unpacked:
    """The text in it ('' without one), whether that was HTML, and its files by name."""

    text: str = ""
    html: bool = False
    files: Sequence[tuple[str, bytes]] = ()


def unpack(content: bytes) -> Unpacked:
    """What is in a winmail.dat; of one that is broken, what can be had of it."""
    from tnefparse import TNEF

    try:
        return _unpacked(TNEF(content, do_checksum=False))
    except _BROKEN:
        return _plainly(content)


def _unpacked(found: object) -> Unpacked:
    codepage = getattr(found, "codepage", None)
    html = _text(getattr(found, "htmlbody", None), codepage)
    plain = _text(getattr(found, "body", None), codepage)
    files = [
        (_text(_named(each), codepage), bytes(each.data))
        for each in getattr(found, "attachments", ())
        if isinstance(each.data, (bytes, bytearray)) and each.data
    ]
    text = html_text.to_text(html) if html and not plain.strip() else plain
    return Unpacked(text, bool(html), tuple(files))


def _named(attachment: object) -> object:
    """Its long name, else the short one; not by the library's property, which knows only UTF-8."""
    long = [
        each.data
        for each in getattr(attachment, "mapi_attrs", ())
        if each.name == 0x3707  # PidTagAttachLongFilename
    ]
    return long[0] if long and long[0] else getattr(attachment, "_name", "")


def _plainly(content: bytes) -> Unpacked:
    """Only the attributes that are plain bytes (MS-OXTNEF, 2.1.3): titles and contents of files."""
    text, files = "", list[tuple[str, bytes]]()
    for number, data in _attributes(content):
        if number == _NEW_FILE or (number == _TITLE and not files):
            files.append(("", b""))
        if number == _TITLE:
            files[-1] = (_text(data, None), files[-1][1])
        elif number == _DATA and files:
            files[-1] = (files[-1][0], data)
        elif number == _TEXT:
            text = _text(data, None)
    return Unpacked(text, html=False, files=tuple(each for each in files if each[1]))


def _attributes(content: bytes) -> Iterator[tuple[int, bytes]]:
    at = 6
    while at + _ATTRIBUTE.size <= len(content):
        _, kind, length = _ATTRIBUTE.unpack_from(content, at)
        at += _ATTRIBUTE.size
        yield kind & 0xFFFF, content[at : at + length]
        at += length + 2


def _text(value: object, codepage: str | None) -> str:
    if isinstance(value, (bytes, bytearray)):
        return charsets.decode(bytes(value).rstrip(b"\x00"), codepage)
    return charsets.clean(value).strip("\x00") if isinstance(value, str) else ""
