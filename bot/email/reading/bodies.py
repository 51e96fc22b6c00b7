"""Which parts of a mail are its text, which are files, and what a report is made of."""

import hashlib
import re
from dataclasses import dataclass, field

from bot.email.reading import calendar, charsets, flowed, headers, html_text, names, sealed, tnef
from bot.email.reading.mail import File, Invitation, Role
from bot.email.reading.parts import Cut, Part, content, cut

MOST_FILES = 20
MOST_FILE_BYTES = 10 * 1024 * 1024
MOST_LETTERS = 1_000_000

_META = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?([\w.:-]{1,40})", re.IGNORECASE)
_REPORTS = frozenset({
    "message/delivery-status", "message/disposition-notification", "message/feedback-report",
    "message/global-delivery-status", "message/global-disposition-notification",
})  # fmt: skip
_MAILS = frozenset({"message/rfc822", "message/global"})
_CALENDARS = frozenset({"text/calendar", "application/ics"})
_TNEF = frozenset({"application/ms-tnef", "application/vnd.ms-tnef"})
_TNEF_SIGN = b"\x78\x9f\x3e\x22"
_FOR_OTHERS = frozenset({"text/x-amp-html", "text/watch-html"})
_REPORT_BYTES = 64 * 1024


@dataclass(slots=True)
class _Choice:
    """One text in several forms (RFC 2046, 5.1.4)."""

    plain: list[str] = field(default_factory=list)
    html: list[str] = field(default_factory=list)

    def best(self) -> tuple[list[str], bool]:
        """The plain form unless it is empty, and whether it is HTML that was taken."""
        if any(text.strip() for text in self.plain) or not self.html:
            return self.plain, False
        return self.html, True


@dataclass(slots=True)
class Body:
    """What is in a mail. `text` is all of it before anything is cut; `html` is there where the
    text is in no other form, and `text` is then made of it. `closed`: it is encrypted; `armor` is
    what stands where its text would. `invites`: the mail itself is an invitation, and not one with
    a calendar attached."""

    text: str = ""
    html: str | None = None
    files: list[File] = field(default_factory=list)
    reports: list[tuple[str, str]] = field(default_factory=list)
    invitation: Invitation | None = None
    invites: bool = False
    closed: bool = False
    armor: str = ""
    tnef_text: str = ""
    tnef_html: bool = False
    too_much: list[str] = field(default_factory=list)
    choices: dict[Part, _Choice] = field(default_factory=dict)


def gather(raw: bytes, parts: Cut) -> Body:
    """The text and the files of a mail that was cut into parts."""
    body = Body()
    _take(raw, parts, body)
    _choose(body)
    if not body.text.strip() and body.tnef_text:
        body.text, body.html = body.tnef_text, None
    if sealed.is_closed(body.text):
        body.closed, body.armor = True, body.text
        body.text, body.html = "", None
    body.text = sealed.opened(body.text)
    return body


def _take(raw: bytes, parts: Cut, body: Body, *, deep: int = 0) -> None:
    for part in parts.leaves:
        if _is_report(part):
            text = content(raw, part)[:_REPORT_BYTES]
            body.reports.append((part.media_type, _decoded(text, part)))
        elif part.media_type in _FOR_OTHERS:
            continue
        elif _is_text(part, body):
            _take_text(raw, part, body)
        else:
            _take_file(raw, part, body, deep)


def _is_report(part: Part) -> bool:
    """Whether a part is one of a report's, after the text that begins it (RFC 6522, 3)."""
    below = part
    for above in part.holders():
        if above.media_type == "multipart/report":
            return above.children[0] is not below or part.media_type in _REPORTS
        below = above
    return False


def _is_text(part: Part, body: Body) -> bool:
    if part.media_type not in {"text/plain", "text/html"} or part.disposition == "attachment":
        return False
    if not part.name:
        return True
    above = part.within
    alone = above is None or above.media_type == "multipart/alternative"
    return alone and not part.disposition and not body.choices


def _take_text(raw: bytes, part: Part, body: Body) -> None:
    group = next(
        (above for above in reversed([*part.holders()]) if _is_choice(above)),
        part,
    )
    choice = body.choices.setdefault(group, _Choice())
    data = content(raw, part)
    if len(data) > 4 * MOST_LETTERS:
        data = data[: 4 * MOST_LETTERS]
        body.too_much.append("text over 1,000,000 letters")
    text = _decoded(data, part)
    if part.media_type == "text/html":
        choice.html.append(text)
        return
    if part.parameters.get("format", "").lower() == "flowed":
        text = flowed.unflow(text, part.parameters.get("delsp", "").lower() == "yes")
    choice.plain.append(text)


def _is_choice(part: Part) -> bool:
    return part.media_type == "multipart/alternative"


def _decoded(data: bytes, part: Part) -> str:
    label = part.parameters.get("charset", "")
    if not label and part.media_type == "text/html" and (meta := _META.search(data[:2048])):
        label = meta.group(1).decode("ascii")
    return charsets.decode(data, label)


def _choose(body: Body) -> None:
    texts: list[str] = []
    best = [choice.best() for choice in body.choices.values()]
    chosen = [(text, is_html) for texts_, is_html in best for text in texts_ if text.strip()]
    if len(chosen) == 1 and chosen[0][1]:
        body.html = chosen[0][0][:MOST_LETTERS]
    for text, is_html in chosen:
        texts.append(html_text.to_text(text[:MOST_LETTERS]) if is_html else text)
    body.text = "\n".join(texts)
    if len(body.text) > MOST_LETTERS:
        body.text = body.text[:MOST_LETTERS]
        body.too_much.append("text over 1,000,000 letters")
    body.choices.clear()


def _take_file(raw: bytes, part: Part, body: Body, deep: int) -> None:
    if any(above.media_type == "multipart/encrypted" for above in part.holders()):
        body.closed = True
        if part.media_type == "application/pgp-encrypted":
            return  # its version, and nothing else (RFC 3156, 4)
    data = content(raw, part)
    role = _role(part, data, body)
    if part.media_type in sealed.OPAQUE or part.name.lower().endswith(".p7m"):
        inner = sealed.within_signature(data)
        if inner is not None and deep == 0:
            role = "signature"
            _take(inner, cut(inner), body, deep=1)
        else:
            role, body.closed = "encrypted", True
    name = names.safe(part.name or headers.text(part.head.first("content-location") or ""))
    if not _keep(body, name, data, part.media_type, role=role, inline=_is_inline(part, role)):
        return
    if role == "tnef":
        _unpack(data, name, body)
    elif role == "calendar" and body.invitation is None:
        body.invitation = calendar.invitation(_decoded(data, part))
        body.invites = body.invitation is not None and part.disposition != "attachment"


def _role(part: Part, data: bytes, body: Body) -> Role:
    if part.media_type in sealed.SIGNATURES or part.name.lower() == "smime.p7s":
        return "signature"
    if part.media_type in _CALENDARS:
        return "calendar"
    if part.media_type in _TNEF or data.startswith(_TNEF_SIGN):
        return "tnef"
    encrypted = any(above.media_type == "multipart/encrypted" for above in part.holders())
    return "encrypted" if encrypted else "attachment"


def _is_inline(part: Part, role: Role) -> bool:
    if role != "attachment":
        return False
    if part.disposition:
        return part.disposition == "inline"
    related = any(above.media_type == "multipart/related" for above in part.holders())
    return related or part.head.first("content-id") is not None


def _keep(
    body: Body,
    name: str,
    data: bytes,
    declared: str,
    *,
    role: Role = "attachment",
    inline: bool = False,
    within: str = "",
) -> bool:
    if len(data) > MOST_FILE_BYTES:
        body.too_much.append("a file over 10 MB")
        return False
    if len(body.files) >= MOST_FILES:
        body.too_much.append("files after the 20th")
        return False
    if declared in _MAILS:
        declared = "message/rfc822"
    kind = names.kind(data, declared, name) if role == "attachment" else declared
    digest = hashlib.sha256(data).hexdigest()
    body.files.append(File(name, kind, declared, data, digest, inline, role, within))
    return True


def _unpack(data: bytes, name: str, body: Body) -> None:
    unpacked = tnef.unpack(data)
    body.tnef_text = body.tnef_text or unpacked.text
    body.tnef_html = body.tnef_html or unpacked.html
    for inner, inner_data in unpacked.files:
        _keep(body, names.safe(inner), inner_data, "application/octet-stream",
              within=name or "winmail.dat")  # fmt: skip
