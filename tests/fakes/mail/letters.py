"""What the standards ask of a letter (RFC 5322, 2045 to 2047, 2231, 8058)."""

import re
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import parsedate_to_datetime

_ONCE = ("from", "to", "subject", "date", "message-id", "mime-version", "auto-submitted")
_HEADER = re.compile(rb"[!-9;-~]+: ?[ -~]*(?:\r\n[ \t][ -~]*[!-~][ -~]*)*")
_ID = re.compile(r"<[!-;=?A-~]+@[!-;=?A-~]+>")
_WORD = re.compile(rb"=\?[^?\s]+\?[bBqQ]\?[^?\s]*\?=")


def wrongs(content: bytes) -> list[str]:
    """What is not as it has to be."""
    return list(_wrongs(content))


def _wrongs(content: bytes) -> Iterator[str]:
    if re.search(rb"(?<!\r)\n|\r(?!\n)", content):
        yield "a bare CR or LF"
    if any(len(line) > 998 for line in content.split(b"\r\n")):
        yield "a line of more than 998 octets"
    head, gap, _ = content.partition(b"\r\n\r\n")
    if not gap:
        yield "no end of the headers"
    for field in re.split(rb"\r\n(?![ \t])", head):
        if _HEADER.fullmatch(field) is None:
            yield f"no header: {field!r}"
        if any(len(line) > 78 for line in field.split(b"\r\n") if b"=?" in line):
            yield f"a line with an encoded word of more than 76 characters: {field!r}"
    if any(len(word) > 75 for word in _WORD.findall(head)):
        yield "an encoded word of more than 75 characters"
    letter = message_from_bytes(content, policy=policy.default)
    assert isinstance(letter, EmailMessage)
    yield from _of_headers(letter)
    yield from _of_parts(letter)


def _of_headers(letter: EmailMessage) -> Iterator[str]:
    for name in _ONCE:
        if len(letter.get_all(name, [])) != 1:
            yield f"{name}: {letter.get_all(name, [])}"
    if parsedate_to_datetime(str(letter["Date"])).tzinfo is None:
        yield "a date without its zone"
    for name in ("Message-ID", "In-Reply-To", "References"):
        for each in str(letter[name] or "").split():
            if _ID.fullmatch(each) is None:
                yield f"{name}: {each}"
    if letter["In-Reply-To"] and str(letter["In-Reply-To"]) not in str(letter["References"]):
        yield "In-Reply-To is not among the References"
    stop = letter["List-Unsubscribe"]
    if stop is not None:
        if not str(stop).startswith("<https:"):
            yield f"List-Unsubscribe: {stop}"
        if letter["List-Unsubscribe-Post"] != "List-Unsubscribe=One-Click":
            yield f"List-Unsubscribe-Post: {letter['List-Unsubscribe-Post']}"


def _of_parts(letter: EmailMessage) -> Iterator[str]:
    for part in letter.walk():
        if part.defects:
            yield f"{part.get_content_type()}: {part.defects}"
        if part.get_content_maintype() == "text" and not part.is_attachment():
            text = part.get_content()
            if "\ufffd" in text or "\x1b" in text:
                yield f"{part.get_content_type()}: not its charset"
        if part.get_content_type() == "text/html":
            yield from _of_html(str(part.get_content()), letter)
    if letter.get_body(("plain",)) is None or letter.get_body(("html",)) is None:
        yield "not both text and HTML"


def _of_html(html: str, letter: EmailMessage) -> Iterator[str]:
    cids = {str(part["Content-ID"]).strip("<>") for part in letter.walk() if part["Content-ID"]}
    for source in re.findall(r"<(?:img|script|iframe|link)\b[^>]*(?:src|href)=\"([^\"]*)\"", html):
        if source.removeprefix("cid:") not in cids:
            yield f"fetched from elsewhere: {source}"
    if re.search(r"<script|@import|url\(|=\s*[\"']?\s*javascript:", html):
        yield "active content"
