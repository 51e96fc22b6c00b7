"""winmail.dat: what Outlook makes of a mail for itself, unpacked (MS-OXTNEF)."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from bot.email.reading import charsets, html_text


@dataclass(frozen=True, slots=True)
class Unpacked:
    """The text in it ('' without one), whether that was HTML, and its files by name."""

    text: str = ""
    html: bool = False
    files: Sequence[tuple[str, bytes]] = ()


def unpack(content: bytes) -> Unpacked:
    """What is in a winmail.dat; nothing where it is broken."""
    from tnefparse import TNEF

    try:
        found = TNEF(content, do_checksum=False)
    except (ValueError, TypeError, LookupError, AttributeError, struct.error, OSError):
        return Unpacked()
    codepage = found.codepage if isinstance(found.codepage, str) else None
    html = _text(found.htmlbody, codepage)
    plain = _text(found.body, codepage)
    files = [
        (_text(each.long_filename() or each.name, codepage), bytes(each.data))
        for each in found.attachments
        if isinstance(each.data, (bytes, bytearray)) and each.data
    ]
    text = html_text.to_text(html) if html and not plain.strip() else plain
    return Unpacked(text, bool(html), tuple(files))


def _text(value: object, codepage: str | None) -> str:
    if isinstance(value, (bytes, bytearray)):
        return charsets.decode(bytes(value), codepage).rstrip("\x00")
    return charsets.clean(value).rstrip("\x00") if isinstance(value, str) else ""
