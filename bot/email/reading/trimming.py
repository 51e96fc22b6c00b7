"""What the person wrote themselves, without the mail that they answer and without a signature.

By lines, in time in proportion to the text. Nothing is lost: every line with something in it is in
one of `new`, `quoted` and `signature`. A mail that was passed on is kept whole: it is what is
asked about. Answers between quoted lines keep the last paragraph of what they answer.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from bot.email.reading import forwards, html_text
from bot.email.reading.mail import Forwarded, Written
from bot.email.reading.quotes import (
    attribution,
    head,
    is_empty,
    is_plain,
    is_quoted,
    is_rule,
    is_separator,
)
from bot.email.reading.signatures import is_telephones, signature

_CONTEXT = 6
"""Quoted lines that are kept before an answer to them."""

_REPLIES = re.compile(
    r"\s*(?:(?:\[[^\]]{0,60}\]|【[^】]{0,60}】)\s*)*(?:re|aw|sv|antw|ynt|odp|回复|答复|回覆|返信)"
    r"(?:\[\d{1,3}\]|\^\d{1,3})?\s?[:：]",
    re.IGNORECASE,
)


def written(text: str, subject: str | None) -> Written:
    """The new text of a mail, what was quoted, and the signature."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    scanned = _scan(lines)
    passed_on = forwards.subject_says(subject)
    if scanned.marker or (passed_on and scanned.begins is not None):
        return _kept_whole(lines, scanned.begins or 0)
    trimmed = _trim(lines, scanned)
    replies = _REPLIES.match((subject or "")[:400])
    if not trimmed.new and scanned.hard < len(lines) and not replies:
        # Nothing but another's mail, and it answers nothing: it was passed on, whatever its subject
        passed = forwards.forwarded(lines, scanned.hard)
        if passed.sender:
            return _kept_whole(lines, scanned.begins or 0)
    return trimmed


def written_html(html: str, subject: str | None) -> Written:
    """The same of a mail that has only HTML."""
    found = written(html_text.to_text(html, marked=True), subject)
    if found.forwarded is None or not found.forwarded.sender:
        return found
    # What was passed on reads better without the marks. Where no head says whose it is they stay:
    # another's words must not look like the person's own
    return replace(found, new=html_text.to_text(html))


@dataclass(frozen=True, slots=True)
class _Scanned:
    """A mark for each line: `e`mpty, `q`uoted, `s` (an attribution before quoted lines), `t`ext.

    `hard`: from there on all is another's. `begins`: where anything of others begins. `marker`:
    a line says that what follows was passed on.
    """

    marks: Sequence[str]
    hard: int
    begins: int | None
    marker: bool


def _scan(lines: Sequence[str]) -> _Scanned:
    marks: list[str] = []
    begins: int | None = None
    at = 0
    while at < len(lines):
        line = lines[at]
        if is_empty(line):
            marks.append("e")
            at += 1
            continue
        if is_plain(line):
            marks.append("t")
            at += 1
            continue
        taken, hard = 1, False
        mark = "t"
        if is_quoted(line):
            mark = "q"
        elif forwards.is_marker(line):
            return _Scanned(marks, at, begins if begins is not None else at, True)
        elif is_separator(line):
            taken = _after_head(lines, at + 1) - at
            mark = "s" if _quoted_next(lines, at + taken) else "t"
            hard = mark == "t"
        elif (is_rule(line) and _head_next(lines, at + 1)) or head(lines, at) is not None:
            hard = True
        elif (found := attribution(lines, at)) is not None:
            taken = found
            mark = "s" if _quoted_next(lines, at + taken) else "t"
            hard = mark == "t"
        if begins is None and (hard or mark != "t"):
            begins = at
        if hard:
            return _Scanned(marks, at, begins, False)
        marks.extend(mark * taken)
        at += taken
    return _Scanned(marks, len(lines), begins, False)


def _after_head(lines: Sequence[str], at: int) -> int:
    """The line after the head of a mail that comes at the line, or a little later."""
    for number in range(at, min(len(lines), at + 3)):
        if not is_empty(lines[number]):
            found = None if is_quoted(lines[number]) else head(lines, number, surely=True)
            return at if found is None else found.end
    return at


def _head_next(lines: Sequence[str], at: int) -> bool:
    for number in range(at, min(len(lines), at + 3)):
        if not is_empty(lines[number]):
            found = head(lines, number, surely=True)
            return found is not None and ("@" in found.sender or bool(found.subject))
    return False


def _quoted_next(lines: Sequence[str], at: int) -> bool:
    for line in lines[at : at + 4]:
        if not is_empty(line):
            return is_quoted(line)
    return False


def _kept_whole(lines: Sequence[str], begins: int) -> Written:
    passed: Forwarded = forwards.forwarded(lines, begins)
    own = lines[: signature(lines, 0, begins)]
    return Written(new=_joined(lines), forwarded=passed, first=_first(own))


@dataclass(slots=True)
class _Piece:
    """Lines `start` to `end` (not with it): of others (`quoted`), or the person's own.

    `announced`: an attribution comes before the quoted lines. `ends`: where the own lines end and
    the signature begins.
    """

    start: int
    end: int
    quoted: bool
    announced: bool = False
    ends: int = 0


def _pieces(marks: Sequence[str]) -> list[_Piece]:
    """The lines before the hard boundary; empty ones go with what is before them."""
    pieces: list[_Piece] = []
    for number, mark in enumerate(marks):
        if mark == "e" and pieces:
            pieces[-1].end = number + 1
            continue
        quoted = mark in "qs"
        last = pieces[-1] if pieces else None
        if last is None or last.quoted != quoted or (mark == "s" and marks[number - 1] != "s"):
            pieces.append(_Piece(number, number + 1, quoted, mark == "s"))
        else:
            last.end = number + 1
    return pieces


def _trim(lines: Sequence[str], scanned: _Scanned) -> Written:
    pieces = _pieces(scanned.marks)
    last_own = max((at for at, piece in enumerate(pieces) if not piece.quoted), default=-1)
    for number, piece in enumerate(pieces):
        following = pieces[number + 1] if number + 1 < len(pieces) else None
        piece.ends = piece.end
        if not piece.quoted and (
            number == last_own or (following is not None and following.announced)
        ):
            piece.ends = signature(lines, piece.start, piece.end)
    contexts = _answered(pieces)
    new: list[str] = []
    quoted: list[str] = []
    cut: list[str] = []
    own: list[str] = []
    for number, piece in enumerate(pieces):
        here = lines[piece.start : piece.end]
        if not piece.quoted:
            split = piece.ends - piece.start
            new += here[:split]
            own += here[:split]
            cut += here[split:]
        elif number in contexts:
            split = _context(here, scanned.marks[piece.start : piece.end])
            quoted += here[:split]
            new += here[split:]
        else:
            quoted += here
    quoted += lines[scanned.hard :]
    return Written(_joined(new), _joined(quoted), _joined(cut), None, _first(own))


def _answered(pieces: Sequence[_Piece]) -> set[int]:
    """The quoted pieces that are answered in between, by their numbers.

    One quoted piece with an attribution and text below it is an answer below the whole mail: what
    is quoted is no context then. A signature alone answers nothing.
    """
    answered = {
        number
        for number, (piece, following) in enumerate(pairwise(pieces))
        if piece.quoted and not following.quoted and following.ends > following.start
    }
    if not answered:
        return answered
    between = len(answered) > 1 or any(piece.quoted for piece in pieces[min(answered) + 1 :])
    if between or not any(piece.announced for piece in pieces):
        return answered
    return set()


def _context(lines: Sequence[str], marks: Sequence[str]) -> int:
    """Where the last paragraph of quoted lines begins, without their attribution."""
    at = len(lines)
    seen = 0
    while at > 0 and marks[at - 1] != "s" and seen < _CONTEXT:
        blank = is_empty(lines[at - 1].strip(" \t>＞"))
        if blank and seen:
            break
        seen += not blank
        at -= 1
    return at


def _joined(lines: Sequence[str]) -> str:
    start, end = 0, len(lines)
    while start < end and is_empty(lines[start]):
        start += 1
    while end > start and is_empty(lines[end - 1]):
        end -= 1
    return "\n".join(line.rstrip() for line in lines[start:end])


def _first(own: Sequence[str]) -> str:
    for line in own:
        if not is_empty(line) and not is_telephones(line):
            return line.strip()
    return ""
