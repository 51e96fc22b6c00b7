"""Which characters our document font can show, and what stands in for the others.

PDF/A forbids a character without a glyph, so one emoji in an item's name would otherwise
keep the whole document from being made.
"""

import struct
import unicodedata
from bisect import bisect_right
from functools import cache
from typing import IO

from noto_cjk_sans_jp_regular import FONT_PATH

GETA = "〓"
"""The printer's mark for a character that is not at hand."""

_VARIATION_SELECTORS = {*map(chr, range(0xFE00, 0xFE10)), *map(chr, range(0xE0100, 0xE01F0))}


def printable(text: str) -> str:
    """The text as our font can show it, one line per line of the original.

    Control and formatting characters (also those that turn the direction of writing, which
    could disguise an amount) are left out; a character without a glyph becomes 〓.
    """
    if text.isascii() and text.isprintable():
        return text
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n")
    return "".join(map(_shown, lines))


def _shown(character: str) -> str:
    if character == "\n" or character in _VARIATION_SELECTORS:
        return character
    if character == "\t":
        return " "
    category = unicodedata.category(character)
    if category in ("Cc", "Cf", "Zp"):
        return ""
    return character if _has_glyph(ord(character)) else GETA


def _has_glyph(code: int) -> bool:
    starts, ends = _coverage()
    place = bisect_right(starts, code) - 1
    return place >= 0 and code <= ends[place]


@cache
def _coverage() -> tuple[list[int], list[int]]:
    """The ranges of code points that the font maps to glyphs, ascending.

    Read from its `cmap` table, subtable format 12 (OpenType 1.9, "cmap"): groups of
    (first code, last code, first glyph).
    """
    with FONT_PATH.open("rb") as font:
        table = _table_offset(font, b"cmap")
        font.seek(table)
        _, count = struct.unpack(">HH", font.read(4))
        records = [struct.unpack(">HHI", font.read(8)) for _ in range(count)]
        for _, _, offset in records:
            font.seek(table + offset)
            (subtable_format,) = struct.unpack(">H", font.read(2))
            if subtable_format == 12:
                font.seek(table + offset + 12)
                (groups,) = struct.unpack(">I", font.read(4))
                rows = list(struct.iter_unpack(">III", font.read(12 * groups)))
                return [row[0] for row in rows], [row[1] for row in rows]
    message = f"{FONT_PATH} has no format 12 cmap"
    raise LookupError(message)


def _table_offset(font: IO[bytes], tag: bytes) -> int:
    font.seek(4)
    (tables,) = struct.unpack(">H", font.read(2))
    font.seek(12)
    for name, _, offset, _ in struct.iter_unpack(">4sIII", font.read(16 * tables)):
        if name == tag:
            return int(offset)
    message = f"the font has no table {tag!r}"
    raise LookupError(message)
