"""The head of a mail or of a part: fields as they stand, and their words decoded (RFC 2047)."""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from bot.email.reading import charsets

Fields = Sequence[tuple[str, str]]
"""Names in lower case, and values unfolded with each byte as the letter of latin-1."""

MOST_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Head:
    """The fields of a mail or a part, in order, and their raw values by name."""

    fields: Fields
    values: Mapping[str, Sequence[str]]

    def first(self, name: str) -> str | None:
        """The raw value of the first field of that name."""
        found = self.values.get(name)
        return found[0] if found else None

    def every(self, name: str) -> Sequence[str]:
        """The raw values of all fields of that name."""
        return self.values.get(name, ())


class Decoded(Mapping[str, Sequence[str]]):
    """The decoded values of a head by name, each decoded when it is asked for."""

    def __init__(self, head: Head) -> None:
        self._raw, self._read = head.values, dict[str, Sequence[str]]()

    def __getitem__(self, name: str) -> Sequence[str]:
        if name not in self._read:
            self._read[name] = [text(value) for value in self._raw[name]]
        return self._read[name]

    def get(self, name: str, default: Any = None) -> Any:
        """The values, or `default` without that name."""
        return self[name] if name in self._raw else default

    def __iter__(self) -> Iterator[str]:
        return iter(self._raw)

    def __len__(self) -> int:
        return len(self._raw)


_EMPTY = Head((), {})
_LINE = re.compile(r"\n(?![ \t])")
_NAME = re.compile(r"[!-9;-~]+[ \t]*")
_WORD = re.compile(
    r"=\?([\w.:+-]{0,60})(?:\*[\w-]{0,30})?\?([bBqQ])\?([^?]*(?:\?(?!=)[^?]*){0,5})\?="
)
_NOT_BASE64 = re.compile(r"[^A-Za-z0-9+/]")
_IDS = re.compile(r"<[^<>\s]{1,990}>")
_SPACES = re.compile(r"[ \t\r\n]+")
_MOST_IDS = 100


def split(data: bytes, start: int, end: int, *, root: bool = False) -> tuple[Head, int, bool]:
    """The fields of an entity in `data[start:end]`, where its body begins, and whether its head
    went over the cap: what lies beyond is left out."""
    if data[start : start + 1] == b"\n" or data[start : start + 2] == b"\r\n":
        return _EMPTY, start + (1 if data[start : start + 1] == b"\n" else 2), False
    stop, body = _blank(data, start, end)
    over = stop - start > MOST_BYTES
    head = data[start : min(stop, start + MOST_BYTES)].decode("latin-1")
    unfolded = head.replace("\r\n", "\n").replace("\n\t", "\t").replace("\n ", " ")
    fields: list[tuple[str, str]] = []
    values: dict[str, list[str]] = {}
    for number, line in enumerate(unfolded.split("\n")):
        written, colon, value = line.partition(":")
        name = _NAMES.get(written) or _named(written)
        if colon and name:
            value = value.strip(" \t\r")
            fields.append((name, value))
            if name in values:
                values[name].append(value)
            else:
                values[name] = [value]
        elif not line.strip() or (root and number == 0) or line.startswith((">From ", "From ")):
            pass  # a line of an mbox file, or one of blanks
        elif not over:
            body = start + _place(head, number)  # the empty line is missing: this is text already
            break
    return Head(fields, values), min(body, end), over


_NAMES: dict[str, str] = {}
"""Names of fields as they were written, and in lower case: most mails have the same."""
_MOST_NAMES = 2000
_LONGEST_KEPT = 80


def _named(written: str) -> str:
    """A field's name in lower case; "" for what can be none."""
    if _NAME.fullmatch(written) is None:
        return ""
    name = written.rstrip(" \t").lower()
    if len(_NAMES) < _MOST_NAMES and len(name) < _LONGEST_KEPT:
        _NAMES[written] = name
    return name


def _blank(data: bytes, start: int, end: int) -> tuple[int, int]:
    """Where the empty line begins that ends a head, and where it ends; `end` without one."""
    long = data.find(b"\n\r\n", start, end)
    short = data.find(b"\n\n", start, end if long < 0 else long)
    if short >= 0:
        return short, short + 2
    return (end, end) if long < 0 else (long, long + 3)


def _place(head: str, number: int) -> int:
    """Where the unfolded line of that number begins."""
    starts = (found.end() for found in _LINE.finditer(head))
    return next((at for count, at in enumerate(starts, start=1) if count == number), 0)


def text(raw: str) -> str:
    """A field's value as it is read: encoded words decoded, runs of white space as one space."""
    if raw.isascii() and "=?" not in raw and raw.isprintable():
        return " ".join(raw.split())
    return _SPACES.sub(" ", decode_words(raw)).strip(" ")


def decode_words(raw: str) -> str:
    """Encoded words decoded, and what stands between them by its bytes.

    Words of one charset that follow each other are decoded as one: senders cut inside characters.
    """
    if "=?" not in raw:
        return _between(raw)
    return "".join(_pieces(raw))


def as_utf8(raw: str) -> str:
    """A value with raw bytes that are not ASCII as UTF-8, each byte again as a letter of latin-1.

    In Shift_JIS and ISO-2022-JP the bytes of quotes, commas and brackets are parts of letters.
    """
    if raw.isascii() and "\x1b" not in raw:
        return raw
    return charsets.uncleaned(raw.encode("latin-1", "replace")).encode().decode("latin-1")


def _pieces(raw: str) -> Iterator[str]:
    at = 0
    label, data, shown = "", b"", ""
    for word in _WORD.finditer(raw):
        gap = raw[at : word.start()]
        named, content = word.group(1), _content(word.group(2), word.group(3))
        if at and not gap.strip() and named.lower() == label.lower() and data:
            data += content
            shown += word.group()
        else:
            yield _read(data, label, shown)
            if gap.strip() or not at:
                yield _between(gap)
            label, data, shown = named, content, word.group()
        at = word.end()
    yield _read(data, label, shown)
    yield _between(raw[at:])


def _read(data: bytes, label: str, shown: str) -> str:
    if not data:
        return ""
    text = charsets.decode_surely(data, label)
    return charsets.clean(shown) if text is None else text


def _between(raw: str) -> str:
    if raw.isascii() and "\x1b" not in raw:
        return charsets.clean(raw)
    return charsets.decode(raw.encode("latin-1", "replace"))


def _content(how: str, content: str) -> bytes:
    if how in "qQ":
        plain = content.replace("_", " ").encode("latin-1", "replace")
        return binascii.a2b_qp(plain)
    letters = _NOT_BASE64.sub("", content)
    if len(letters) % 4 == 1:
        letters = letters[:-1]
    return base64.b64decode(letters + "=" * (-len(letters) % 4))


def date(raw: str | None) -> datetime | None:
    """When it was written, by its own word; None where it says nothing that can be read."""
    if not raw:
        return None
    try:
        when = parsedate_to_datetime(raw[:200])
        return when if when.tzinfo else when.replace(tzinfo=UTC)
    except (ValueError, TypeError, IndexError, OverflowError, AttributeError):
        return None


def ids(raw: str) -> list[str]:
    """Message-IDs with their angle brackets, in order (RFC 5322, 3.6.4)."""
    return [charsets.clean(found) for found in _IDS.findall(raw)]


def message_id(head: Head) -> str | None:
    """What the mail calls itself; brackets are put where the sender forgot them."""
    raw = head.first("message-id")
    if raw is None:
        return None
    found = ids(raw)
    if found:
        return found[0]
    bare = charsets.clean(raw.strip(" <>\t"))[:990]
    return f"<{bare}>" if bare and not _SPACES.search(bare) else None


def references(head: Head) -> list[str]:
    """Ids of earlier mails, newest first: of In-Reply-To, then of References from its end."""
    direct = ids(" ".join(head.every("in-reply-to")))
    chain = ids(" ".join(head.every("references")))
    known = dict.fromkeys([*direct, *reversed(chain)] if direct else reversed(chain))
    return list(known)[:_MOST_IDS]
