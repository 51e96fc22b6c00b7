"""A letter as bytes (RFC 5322, RFC 2045 to 2047, RFC 2231).

Written by hand and not by `email.message`: what of a header folds where, and that no text of
anybody's gets a line of its own into one, is seen here at a glance.
"""

import base64
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from typing import Literal
from urllib.parse import quote

CRLF = "\r\n"

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_PLAIN = re.compile(r"[ -~]{0,60}")
_ID = re.compile(r"<[!-;=?-~]{1,240}>")
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_LONGEST_ADDRESS = 254  # characters (RFC 5321, 4.5.3.1.3, without the brackets)
_WORD = 45  # bytes of text in an encoded word: 75 characters at most, lines of 76 (RFC 2047, 2)
_FIRST_WORD = 39  # of one that stands behind a header's name
_SEGMENT = 60  # characters of a parameter's segment (RFC 2231, 3)
_IDS_KEPT = 20
"""References of a very long conversation keep the first and the last ones (RFC 5537, 3.4.4)."""


@dataclass(frozen=True, slots=True)
class Enclosed:
    """A file in a letter. With a `cid` it is a picture that the HTML shows."""

    name: str
    media_type: str
    content: bytes = field(repr=False)
    cid: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """All that a letter says. Addresses and ids are ours, or were looked at; texts are anybody's.

    `references`: the conversation so far, the oldest first. `unsubscribe`: an https address that
    takes a POST (RFC 8058).
    """

    message_id: str
    sender: str
    sender_name: str
    recipient: str
    subject: str
    date: datetime
    text: str
    html: str
    language: str = "ja"
    reply_to: str | None = None
    in_reply_to: str | None = None
    references: Sequence[str] = ()
    auto_submitted: Literal["auto-generated", "auto-replied"] = "auto-generated"
    files: Sequence[Enclosed] = ()
    unsubscribe: str | None = None


def compose(draft: Draft) -> bytes:
    """The letter, in lines of at most 998 octets with CR LF, all of it ASCII."""
    lines = [
        f"From: {_mailbox(draft.sender_name, draft.sender)}",
        f"To: {draft.recipient}",
        f"Subject: {unstructured(draft.subject)}",
        f"Date: {format_datetime(draft.date)}",
        f"Message-ID: {draft.message_id}",
    ]
    if draft.in_reply_to is not None and is_message_id(draft.in_reply_to):
        lines.append(f"In-Reply-To: {draft.in_reply_to}")
    references = known_ids(draft.references)
    if references:
        lines.append("References: " + f"{CRLF} ".join(references))
    if draft.reply_to is not None:
        lines.append(f"Reply-To: {draft.reply_to}")
    lines += [
        f"Auto-Submitted: {draft.auto_submitted}",
        "X-Auto-Response-Suppress: OOF, AutoReply",
        f"Content-Language: {draft.language}",
    ]
    if draft.unsubscribe is not None:
        lines.append(f"List-Unsubscribe: <{draft.unsubscribe}>")
        lines.append("List-Unsubscribe-Post: List-Unsubscribe=One-Click")
    lines.append("MIME-Version: 1.0")
    return (CRLF.join(lines) + CRLF).encode("ascii") + _body(draft)


def is_message_id(text: str) -> bool:
    """Whether it can stand in a header as it is."""
    return _ID.fullmatch(text) is not None


def is_address(text: str) -> bool:
    """Whether it can stand in an envelope and a header as it is: plain ASCII, without quotes."""
    return _ADDRESS.fullmatch(text) is not None and len(text) <= _LONGEST_ADDRESS


def known_ids(ids: Sequence[str]) -> list[str]:
    """Those that can stand in References, once each, in order; of too many the first and last."""
    found = list(dict.fromkeys(each for each in ids if is_message_id(each)))
    if len(found) > _IDS_KEPT:
        found = [found[0], *found[-_IDS_KEPT + 1 :]]
    return found


def one_line(text: str) -> str:
    """A text without anything that could end a line."""
    return " ".join(_CONTROLS.sub(" ", text).split())


# Headers


def unstructured(text: str) -> str:
    """A header's text, in encoded words where it is not plain ASCII."""
    text = one_line(text)
    if _PLAIN.fullmatch(text) is not None and "=?" not in text:
        return text
    return _encoded_words(text)


def _encoded_words(text: str) -> str:
    """No character is split between two words (RFC 2047, 5)."""
    words: list[bytes] = []
    chunk = b""
    for character in text:
        piece = character.encode()
        if len(chunk) + len(piece) > (_WORD if words else _FIRST_WORD):
            words.append(chunk)
            chunk = b""
        chunk += piece
    words.append(chunk)
    return f"{CRLF} ".join(f"=?UTF-8?B?{base64.b64encode(each).decode()}?=" for each in words)


def _mailbox(name: str, address: str) -> str:
    name = one_line(name)
    if not name:
        return address
    if _PLAIN.fullmatch(name) is None or "=?" in name:
        return f"{_encoded_words(name)}{CRLF} <{address}>"
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{quoted}" <{address}>'


def _parameter(key: str, value: str) -> str:
    """A parameter by RFC 2231, in segments where it is long; plain where it can be."""
    if _PLAIN.fullmatch(value) is not None:
        return f'{key}="{value}"'
    encoded = quote(value, safe="")
    if len(encoded) <= _SEGMENT:
        return f"{key}*=UTF-8''{encoded}"
    segments = re.findall(r"(?:%..|[^%]){1,20}", encoded)
    first = f"{key}*0*=UTF-8''{segments[0]}"
    rest = [f"{key}*{n}*={each}" for n, each in enumerate(segments[1:], 1)]
    return f";{CRLF} ".join([first, *rest])


def _old_name(name: str) -> str:
    """As Outlook reads it still: encoded words within the quotes."""
    return f'name="{name}"' if _PLAIN.fullmatch(name) else f'name="{_encoded_words(name)}"'


def safe_name(name: str) -> str:
    """A file's name without paths, quotes and control characters."""
    name = re.sub(r'[\\/:*?"<>|;=]+', "_", one_line(name)).strip(" .")
    stem, dot, ending = name.rpartition(".")
    if len(name) > 150 and dot and len(ending) <= 10:
        return f"{stem[: 149 - len(ending)]}.{ending}"
    return name[:150] or "file"


# Bodies


def _body(draft: Draft) -> bytes:
    html = _text("text/html", draft.html)
    pictures = [each for each in draft.files if each.cid]
    if pictures:
        html = _multipart("related", [html, *map(_file, pictures)], ' type="text/html";')
    body = _multipart("alternative", [_text("text/plain", draft.text), html])
    files = [_file(each) for each in draft.files if not each.cid]
    return _multipart("mixed", [body, *files]) if files else body


def _multipart(kind: str, parts: Sequence[bytes], parameters: str = "") -> bytes:
    boundary = f"=_{secrets.token_hex(16)}"  # in no base 64, which has no underscore
    head = f'Content-Type: multipart/{kind};{parameters}{CRLF} boundary="{boundary}"{CRLF}{CRLF}'
    delimiter = f"--{boundary}{CRLF}".encode()
    joined = b"".join(delimiter + part for part in parts)
    return head.encode("ascii") + joined + f"--{boundary}--{CRLF}".encode()


def _text(media_type: str, text: str) -> bytes:
    lines = re.split(r"\r\n|\r|\n", re.sub("[\x00\ud800-\udfff]", "", text))
    content = CRLF.join(lines).encode()
    head = f"Content-Type: {media_type}; charset=utf-8{CRLF}"
    return head.encode() + _base64(content)


def _file(file: Enclosed) -> bytes:
    name = safe_name(file.name)
    media_type = file.media_type if _MEDIA_TYPE.fullmatch(file.media_type) else _UNKNOWN_TYPE
    head = f"Content-Type: {media_type};{CRLF} {_old_name(name)}{CRLF}"
    shown = "inline" if file.cid else "attachment"
    head += f"Content-Disposition: {shown};{CRLF} {_parameter('filename', name)}{CRLF}"
    if file.cid:
        head += f"Content-ID: <{file.cid}>{CRLF}"
    return head.encode("ascii") + _base64(file.content)


_MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9.+-]{0,60}/[a-z0-9][a-z0-9.+-]{0,80}")
_UNKNOWN_TYPE = "application/octet-stream"


def _base64(content: bytes) -> bytes:
    encoded = base64.encodebytes(content).replace(b"\n", b"\r\n")
    return b"Content-Transfer-Encoding: base64\r\n\r\n" + encoded
