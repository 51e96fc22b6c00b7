"""A mail cut into its parts (RFC 2046, 5.1): with a stack and not by recursion, up to caps.

The standard library's parser calls itself for each part within a part, and raises RecursionError
where somebody nests a thousand; it also reads all before anything could be counted.
"""

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from bot.email.reading import headers, parameters

MOST_DEEP = 20
MOST_PARTS = 200

_SPACE = re.compile(rb"[ \t]*(\r?\n|\Z)")
_GUESSED = re.compile(rb"(?:^|\n)--([^\r\n]{1,200}?)[ \t]*\r?\n[A-Za-z-]{2,40}:")
_LOOKS_FOR = 64 * 1024
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/=\s]")
_SPACES = re.compile(rb"\s+")
_ENCODING = re.compile(r"[\w-]+")
_SOFT = re.compile(rb"=[ \t]+(\r?\n)")
_UU_BEGIN = re.compile(rb"(?:^|\n)begin \d{3,4} [^\r\n]*\r?\n")


@dataclass(slots=True, eq=False)
class Part:
    """An entity of MIME. Its body is `raw[start:end]`, as it stands; `within` holds it."""

    head: headers.Head
    media_type: str
    parameters: dict[str, str]
    disposition: str
    name: str
    encoding: str
    start: int
    end: int
    within: "Part | None" = None
    children: "list[Part]" = field(default_factory=list)
    deep: int = 0

    def holders(self) -> "Iterator[Part]":
        """The parts that this one is in, from the nearest to the root."""
        above = self.within
        while above is not None:
            yield above
            above = above.within


@dataclass(frozen=True, slots=True)
class Cut:
    """A mail's root part and all that hold no others, in order; `too_much` went over a cap."""

    root: Part
    leaves: tuple[Part, ...]
    too_much: tuple[str, ...]


def cut(raw: bytes) -> Cut:
    """The parts of a mail. Of what lies deeper, or comes later, than the caps allow, nothing."""
    said: dict[str, None] = {}
    root = _part(raw, 0, len(raw), None, said)
    leaves: list[Part] = []
    count, stack = 1, [root]
    while stack:
        part = stack.pop()
        ranges = _ranges(raw, part) if part.media_type.startswith("multipart/") else None
        if ranges is None:
            leaves.append(part)
            continue
        if part.deep == MOST_DEEP:
            said["parts deeper than 20"] = None
            continue
        for start, end in ranges:
            if count == MOST_PARTS:
                said["parts after the 200th"] = None
                break
            part.children.append(_part(raw, start, end, part, said))
            count += 1
        stack += reversed(part.children)
    return Cut(root, tuple(leaves), tuple(said))


def _part(raw: bytes, start: int, end: int, within: Part | None, said: dict[str, None]) -> Part:
    head, body, over = headers.split(raw, start, end, root=within is None)
    if over:
        said["headers over 64 KB"] = None
    kind = parameters.content_type(head.first("content-type"))
    shown = parameters.disposition(head.first("content-disposition"))
    media_type = kind.value
    if not media_type:
        digest = within is not None and within.media_type == "multipart/digest"
        media_type = "message/rfc822" if digest else "text/plain"
    return Part(
        head,
        media_type,
        dict(kind.parameters),
        shown.value,
        shown.parameters.get("filename") or kind.parameters.get("name") or "",
        _encoding(head.first("content-transfer-encoding") or ""),
        body,
        end,
        within,
        deep=0 if within is None else within.deep + 1,
    )


def _encoding(raw: str) -> str:
    found = _ENCODING.search(raw)
    return found.group().lower() if found else ""


def _ranges(raw: bytes, part: Part) -> list[tuple[int, int]] | None:
    """Where the parts of a multipart lie. None: it has none, and is what it looks like."""
    boundary = part.parameters.get("boundary", "").rstrip().encode("latin-1", "replace")
    if boundary:
        ranges, end = _between(raw, part.start, part.end, boundary)
        if ranges:
            return ranges
    else:
        end = part.end
    found = _GUESSED.search(raw, max(part.start - 1, 0), min(end, part.start + _LOOKS_FOR))
    if found is None:
        part.media_type = "text/plain"
        return None
    return _between(raw, part.start, end, found.group(1))[0] or None


def _between(
    raw: bytes, start: int, end: int, boundary: bytes
) -> tuple[list[tuple[int, int]], int]:
    """The ranges between delimiters, and where the last delimiter begins (or `end`)."""
    ranges: list[tuple[int, int]] = []
    opened: int | None = None
    sign = b"--" + boundary
    for line in _lines(raw, start, end, sign):
        after = line + len(sign)
        closing = raw.startswith(b"--", after)
        rest = _SPACE.match(raw, after + 2 if closing else after, end)
        if rest is None:
            continue  # another boundary that begins alike
        stop = max(line - 1, start)  # the line feed before it belongs to the delimiter
        if stop > start and raw[stop - 1 : stop] == b"\r":
            stop -= 1
        if opened is not None:
            ranges.append((opened, max(opened, stop)))
        if closing:
            return ranges, line
        opened = rest.end()
        if len(ranges) > MOST_PARTS:
            break
    if opened is not None:
        ranges.append((min(opened, end), end))
    return ranges, end


def _lines(raw: bytes, start: int, end: int, sign: bytes) -> Iterator[int]:
    """Where lines begin with `sign`."""
    if raw.startswith(sign, start) and start < end:
        yield start
    at = raw.find(b"\n" + sign, start, end)
    while at >= 0:
        yield at + 1
        at = raw.find(b"\n" + sign, at + 1, end)


def content(raw: bytes, part: Part) -> bytes:
    """The body of a part, decoded; as it stands where it is not what it says."""
    data = raw[part.start : part.end]
    match part.encoding:
        case "base64" | "b":
            return _base64(data)
        case "quoted-printable" | "quoted-printible" | "q":
            return binascii.a2b_qp(_SOFT.sub(rb"=\1", data))
        case "x-uuencode" | "uuencode" | "x-uue" | "uue":
            return _uu(data)
        case _:
            return data


def _base64(data: bytes) -> bytes:
    try:
        if data.count(b"=") < 3:
            return binascii.a2b_base64(data)
    except binascii.Error:
        pass
    odd = _NOT_BASE64.search(data)
    letters = _SPACES.sub(b"", data[: odd.start()] if odd else data)
    if len(letters) % 4 == 1 and len(letters) < 80 and b"=" not in letters:
        return data.strip()  # a word, and no base64
    if odd and odd.start() * 2 < len(data):
        return data
    return b"".join(
        base64.b64decode(piece + b"=" * (-len(piece) % 4))
        for piece in re.split(rb"=+", letters)
        if len(piece) % 4 != 1
    )


def _uu(data: bytes) -> bytes:
    begin = _UU_BEGIN.search(data)
    if begin is None:
        return data
    lines: list[bytes] = []
    for line in data[begin.end() :].splitlines():
        if line.strip() == b"end":
            break
        try:
            lines.append(binascii.a2b_uu(line))
        except binascii.Error:
            long = (((line[0] - 32) & 63) * 4 + 5) // 3 if line else 0
            try:
                lines.append(binascii.a2b_uu(line[:long]))
            except binascii.Error:
                break
    return b"".join(lines)
