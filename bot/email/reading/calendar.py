"""Invitations (RFC 5545, 5546): the first event of a calendar, with its times' zones."""

from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from bot.email.reading import addresses, charsets
from bot.email.reading.mail import Invitation

_MOST_BYTES = 1024 * 1024
_HERE = ZoneInfo("Asia/Tokyo")
"""Of times without a zone, and of whole days: those of who is invited (RFC 5545, 3.3.5)."""


def invitation(text: str) -> Invitation | None:
    """The first event or to-do of a calendar; None where there is none."""
    from icalendar import Calendar

    if "BEGIN:VCALENDAR" not in text[:_MOST_BYTES]:
        return None
    text = text[:_MOST_BYTES]
    if "END:VCALENDAR" not in text:
        text = _closed(text)
    try:
        calendar: Any = Calendar.from_ical(text)
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


def _closed(text: str) -> str:
    """A calendar that was cut off, with its open components closed."""
    opened: list[str] = []
    for line in text.splitlines():
        verb, _, name = line.strip().partition(":")
        if verb.upper() == "BEGIN":
            opened.append(name)
        elif verb.upper() == "END" and opened and opened[-1] == name:
            opened.pop()
    return "\r\n".join([text.rstrip(), *(f"END:{name}" for name in reversed(opened)), ""])


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
