"""Invitations (RFC 5545, 5546): the first event of a calendar, with its times' zones."""

import re
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from bot.email.reading import addresses, charsets
from bot.email.reading.mail import Invitation

_MOST_LETTERS = 1_000_000
_FOLD = re.compile(r"\r?\n[ \t]")
_NAME = re.compile(r"[A-Za-z-]+(?=[;:])")
_ENTRIES = frozenset({"VEVENT", "VTODO"})
_OWN_ZONE = re.compile(r"TZID[:=]\"?(?![A-Za-z]+/)")
_READ = frozenset({
    "BEGIN", "END", "DTSTART", "DTEND", "DUE", "DURATION", "SUMMARY", "UID", "ORGANIZER",
})  # fmt: skip
_END = "END:VCALENDAR"
_HERE = ZoneInfo("Asia/Tokyo")
"""Of times without a zone, and of whole days: those of who is invited (RFC 5545, 3.3.5)."""


def invitation(text: str) -> Invitation | None:
    """The first event or to-do of a calendar; None where there is none."""
    from icalendar import Calendar

    if "BEGIN:VCALENDAR" not in text[:_MOST_LETTERS]:
        return None
    try:
        calendar: Any = Calendar.from_ical(_short(text[:_MOST_LETTERS]))
        entry: Any = next(iter([*calendar.walk("VEVENT"), *calendar.walk("VTODO")]), None)
        if entry is None:
            return None
        return Invitation(
            method=_words(calendar.get("METHOD")).upper(),
            summary=_words(entry.get("SUMMARY")),
            start=_when(entry, "DTSTART"),
            end=_end(entry),
            organizer=_address(entry.get("ORGANIZER")),
            uid=_words(entry.get("UID")),
        )
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError):
        return None


def _short(text: str) -> str:
    """The calendar with its first entry, and of that what is read here.

    An invitation may have a thousand attendees, and may be cut off: the rest is not parsed.
    """
    kept = ["BEGIN:VCALENDAR"]
    opened: list[str] = []
    text = _FOLD.sub("", text)
    zones = _OWN_ZONE.search(text) is not None  # else they are the ones everybody knows
    for line in text.splitlines():
        name = _NAME.match(line)
        word, value = (name.group().upper(), line.partition(":")[2]) if name else ("", "")
        if word == "BEGIN":
            opened.append(value.strip().upper())
        inside = opened[-1] if opened else ""
        entry = inside in _ENTRIES and word in _READ
        method = inside == "VCALENDAR" and word == "METHOD"
        if entry or method or (zones and "VTIMEZONE" in opened):
            kept.append(line)
        if word == "END" and opened:
            opened.pop()
            if inside in _ENTRIES:
                break
    return "\r\n".join([*kept, *(f"END:{each}" for each in reversed(opened[1:])), _END])


def _words(value: object) -> str:
    if isinstance(value, list):
        value = value[0] if value else ""
    return "" if value is None else charsets.clean(str(value)).strip()[:500]


def _when(entry: Any, name: str) -> datetime | None:
    value = getattr(entry.get(name), "dt", None)
    return _with_zone(value)


def _with_zone(value: object) -> datetime | None:
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=_HERE)
    if isinstance(value, date):
        return datetime.combine(value, time.min, _HERE)
    return None


def _end(entry: Any) -> datetime | None:
    end = _when(entry, "DTEND") or _when(entry, "DUE")
    start = _when(entry, "DTSTART")
    lasts = getattr(entry.get("DURATION"), "dt", None)
    return start + lasts if end is None and start is not None and lasts is not None else end


def _address(value: object) -> str:
    words = _words(value)
    bare = words[7:] if words[:7].lower() == "mailto:" else words
    return addresses.lower(bare.strip())
