"""Content-Type and Content-Disposition with their parameters (RFC 2045, 2183, 2231)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote_to_bytes

from bot.email.reading import charsets, headers

_SIMPLE = re.compile(
    r"([\w.+/-]+)(?:;[ \t]*([A-Za-z]+)=(?:\"([\w.=+:'/-]+)\"|([\w.=+:'/-]+)))?;?", re.ASCII
)
"""What most are: one parameter, and nothing to decode in it."""
_TYPE = re.compile(r"\s*([^\s;/=\"]+/[^\s;=\"]+)")
_WORD = re.compile(r"\s*([A-Za-z-]+)")
_NAME = re.compile(r"[;\s]*([^\s=;\"]+)\s*=\s*")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"?', re.DOTALL)
_SECTION = re.compile(r"^(.+?)\*(\d{1,3})?(\*)?$")
_PERCENT = re.compile(r"%[89A-Fa-f][0-9A-Fa-f]")
_MOST = 100


@dataclass(frozen=True, slots=True)
class Declared:
    """What a field declares: its value in lower case ('' where it can't be read)."""

    value: str
    parameters: Mapping[str, str]


@lru_cache(maxsize=64)
def content_type(raw: str | None) -> Declared:
    """Of Content-Type; also where the semicolon is missing, or the subtype is."""
    if raw is None:
        return Declared("", {})
    simple = _SIMPLE.fullmatch(raw)
    if simple and "/" in simple.group(1):
        return _simple(simple)
    found = _TYPE.match(raw)
    if found is None:
        word = _WORD.match(raw)
        kind = word.group(1).lower() if word else ""
        value = {"text": "text/plain", "html": "text/html", "plain": "text/plain"}.get(kind, "")
        return Declared(value, _parameters(raw, word.end() if word else 0))
    return Declared(found.group(1).lower(), _parameters(raw, found.end()))


@lru_cache(maxsize=64)
def disposition(raw: str | None) -> Declared:
    """Of Content-Disposition: `attachment`, `inline` or ''."""
    if raw is None:
        return Declared("", {})
    simple = _SIMPLE.fullmatch(raw)
    if simple:
        return _simple(simple)
    found = _WORD.match(raw)
    return Declared(found.group(1).lower() if found else "", _parameters(raw, _end(raw)))


def _simple(found: re.Match[str]) -> Declared:
    value, name, quoted, bare = found.groups()
    return Declared(value.lower(), {name.lower(): quoted or bare} if name else {})


def _end(raw: str) -> int:
    at = raw.find(";")
    return len(raw) if at < 0 else at


def _parameters(value: str, at: int) -> dict[str, str]:
    raw, at = headers.as_utf8(value[at:]), 0
    plain: dict[str, str] = {}
    sections: dict[str, dict[int, tuple[str, bool]]] = {}
    for _ in range(_MOST):
        found = _NAME.match(raw, at)
        if found is None:
            # Junk up to the next semicolon.
            at = raw.find(";", at) + 1
            if not at:
                break
            continue
        name = found.group(1).lower()
        at = found.end()
        if quoted := _QUOTED.match(raw, at):
            value, at = _unescaped(quoted.group(1)), quoted.end()
        else:
            end = raw.find(";", at)
            end = len(raw) if end < 0 else end
            value, at = raw[at:end].strip(), end
        section = _SECTION.match(name)
        if section:
            number = int(section.group(2) or 0)
            extended = section.group(3) is not None or section.group(2) is None
            sections.setdefault(section.group(1), {}).setdefault(number, (value, extended))
        else:
            plain.setdefault(name, value)
    read = {name: value if name == "boundary" else _plain(value) for name, value in plain.items()}
    return read | {name: _joined(parts) for name, parts in sections.items()}


def _unescaped(quoted: str) -> str:
    return re.sub(r'\\(["\\])', r"\1", quoted)


def _plain(value: str) -> str:
    """Encoded words have no place here, and are the habit of most."""
    if "=?" not in value and _PERCENT.search(value):
        try:
            return charsets.clean(unquote_to_bytes(value).decode("utf-8"))
        except UnicodeDecodeError:
            pass
    return headers.decode_words(value).strip()


def _joined(parts: Mapping[int, tuple[str, bool]]) -> str:
    """Sections of one value (RFC 2231, 3), with the charset that the first names (4)."""
    label, data = "", b""
    for number in sorted(parts):
        value, extended = parts[number]
        if extended and number == min(parts) and value.count("'") >= 2:
            label, _, value = value.split("'", 2)
        data += unquote_to_bytes(value) if extended else value.encode("latin-1", "replace")
    if not any(extended for _, extended in parts.values()):
        return _plain(data.decode("latin-1"))
    if b"=?" in data and b"?=" in data and data.isascii():
        return headers.decode_words(data.decode("ascii")).strip()
    return charsets.decode(data, label).strip()
