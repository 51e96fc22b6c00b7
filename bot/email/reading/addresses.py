"""Addresses in a mail's head (RFC 5322, 3.4), as they are written and not as they should be."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import islice

from bot.email.reading import headers
from bot.email.reading.mail import Mailbox

_PIECE = re.compile(r'"(?:[^"\\]|\\.)*"?|<[^<>]*>?|[,;:()\\]|[^"<,;:()\\]+', re.DOTALL)
_PART = re.compile(r"[^\s<>()\[\],;:\x00-\x20\x7f-\xa0\u2028\u2029\ufeff]+")
_PLAIN = re.compile(
    r"(?:([\w .=?+/-]*)<([A-Za-z0-9._+=-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)>"
    r"|([A-Za-z0-9._+=-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+))",
    re.ASCII,
)
"""What most are, read at once."""
_LIKE_ADDRESS = re.compile(r"[^\s<>\"'()]+@[^\s<>\"'()]+\.[^\s<>\"'()]+")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"?')
_UPPER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")
_FOR = (
    "delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "x-forwarded-to", "to", "cc",
)  # fmt: skip
_MOST = 200


def mailboxes(values: Sequence[str]) -> tuple[Mailbox, ...]:
    """All mailboxes in the raw values of a field. A name is decoded after the addresses were
    found, so that a comma within it makes no second one; groups are opened."""
    found: list[Mailbox] = []
    for value in values:
        found += _in_one(value)
    return tuple(found[:_MOST])


def recipients(head: headers.Head) -> tuple[str, ...]:
    """Whom the mail was for, the surest first."""
    found = (box.address for name in _FOR for box in mailboxes(head.every(name)))
    return tuple(dict.fromkeys(found))


def looks_like_another(box: Mailbox) -> bool:
    """Whether the name beside an address shows another address."""
    shown = _LIKE_ADDRESS.findall(unicodedata.normalize("NFKC", box.name))
    return any(lower(each.strip(".,;:")) != box.address for each in shown)


def lower(address: str) -> str:
    """In lower case, by ASCII only: `K` (KELVIN SIGN) must not become k."""
    return address.translate(_UPPER)


@lru_cache(maxsize=64)
def _in_one(value: str) -> tuple[Mailbox, ...]:
    """Of one field; the same address is in several of a mail, and in most mails of a mailbox."""
    plain = _PLAIN.fullmatch(value)
    if plain:
        name, address, alone = plain.groups()
        return (Mailbox(lower(alone or address), _name(name) if name else ""),)
    return tuple(islice(_boxes(headers.as_utf8(value)), _MOST))


def _boxes(value: str) -> Iterator[Mailbox]:
    before: list[str] = []
    for words, angles, comments in _items(value):
        if angles:
            name = " ".join([*before, *words]).strip()
            before = []
            for each in angles:
                address = _address(each)
                if address:
                    yield Mailbox(address, _name(name or " ".join(comments)))
            continue
        written = "".join(words).strip()
        address = _address(written)
        if address:
            before = []
            yield Mailbox(address, _name(" ".join(comments)))
        elif written:
            before.append(f"{written},")  # a comma in a name that nobody put into quotes


def _items(value: str) -> Iterator[tuple[list[str], list[str], list[str]]]:
    """What stands between commas: words, what is in angle brackets, comments."""
    words: list[str] = []
    angles: list[str] = []
    comments: list[str] = []
    comment: list[str] = []
    depth = 0
    for piece in _PIECE.findall(value):
        if piece == "(":
            depth += 1
            comment += [piece] if depth > 1 else []
        elif piece == ")":
            depth = max(0, depth - 1)
            comment += [piece] if depth else []
            if not depth and comment:
                comments.append("".join(comment))
                comment = []
        elif depth:
            comment.append(piece)
        elif piece in ",;":
            yield words, angles, comments
            words, angles, comments = [], [], []
        elif piece == ":":
            if not angles and "@" not in "".join(words):
                words = []  # the name of a group
            else:
                words.append(piece)
        elif piece.startswith("<"):
            angles.append(piece[1:].removesuffix(">"))
        else:
            words.append(piece)
    if depth and comment and not words and not angles:
        words = comment  # it was never closed
    yield words, angles, comments


def _address(written: str) -> str | None:
    shown = _as_written(written.strip())
    local, sign, domain = shown.rpartition("@")
    if ":" in local and local.startswith("@"):
        local = local.rpartition(":")[2]  # a route (RFC 5322, 4.4)
    local, domain = local.strip(), domain.strip().rstrip(".")
    if len(local) > 1 and local[0] == local[-1] == '"':
        local = re.sub(r"\\(.)", r"\1", local[1:-1])
    if not sign or len(shown) > 320 or "@" in local:
        return None
    if not _PART.fullmatch(local) or not _PART.fullmatch(domain) or domain.startswith("."):
        return None
    return lower(f"{local}@{domain}")


def _as_written(address: str) -> str:
    """What checked the sender read the address as it stands: nothing is decoded or left out."""
    try:
        read = address.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return ""
    return read.removeprefix("mailto:") if read.isprintable() else ""


def _name(written: str) -> str:
    plain = _QUOTED.sub(lambda found: re.sub(r'\\(["\\])', r"\1", found.group(1)), written)
    return headers.text(plain).strip("' ,")[:300]
