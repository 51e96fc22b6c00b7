"""Reads what somebody wants of their notifications: `quiet 22:00-8:00`, `まとめ 毎日9時`.

Pure: the same words, moment and zone always mean the same.
"""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from core import notify_spoken as spoken
from core import notify_wishes as wishes
from core import notify_words as words
from core.account_acts import read_switch
from core.errors import Refused
from core.notices import Importance
from core.preferences import Channels, Digest, DigestRhythm
from core.reading.dates import find_dates
from core.reading.text import fold
from core.reading.times import FoundTime, find_times
from core.reading.zones import read_zone
from core.wall_clock import DAY, first
from core.words import Words


def read_wish(text: str, now: datetime, zone: ZoneInfo, channels: Collection[str]) -> wishes.Wish:
    """What is wanted. `channels`: the names that count. Raises Refused, saying what was not
    understood and how it is written."""
    said = fold(text[:500]).text.strip().lower()
    name, rest = _verb(said)
    if name is None:
        raise _not_read(said.split(maxsplit=1)[0][:40], words.USAGE)
    return _READERS[name](rest, _Scene(now, zone, channels))


@dataclass(frozen=True, slots=True)
class _Scene:
    now: datetime
    zone: ZoneInfo
    channels: Collection[str]

    @property
    def today(self) -> date:
        return self.now.astimezone(self.zone).date()


def _verb(said: str) -> tuple[str | None, str]:
    if not said:
        return "show", ""
    for word, name in spoken.BY_WORD:
        if said.startswith(word):
            rest = said[len(word) :]
            if not (word.isascii() and rest[:1].isalpha() and rest[:1].isascii()):
                return name, rest.strip(" :、,")
    return None, said


def _not_read(text: str, usage: Words) -> Refused:
    return Refused(words.NOT_READ.fill(text=text, usage=usage))


def _rest(text: str, usage: Words) -> None:
    """Raises Refused where there is still something that was not understood."""
    left = spoken.UNTIL.sub(" ", text).strip(" 、,.。:-~")
    if left:
        raise _not_read(left.split()[0][:40], usage)


def _off(text: str) -> bool:
    return text in spoken.OFF or read_switch(text) is False


def _cut(text: str, start: int, end: int) -> str:
    return f"{text[:start]} {text[end:]}"


# The verbs


def _quiet(text: str, scene: _Scene) -> wishes.Wish:
    if _off(text):
        return wishes.SetQuiet()
    days_off: bool | None = None
    for pattern, value in ((spoken.DAYS_OFF, True), (spoken.WORKDAYS, False)):
        text, times = pattern.subn(" ", text)
        days_off = value if times else days_off
    found = list(find_times(text))
    match found:
        case [since, until] if spoken.RANGE.match(text[since.end : until.start]):
            _rest(text[: since.start] + " " + text[until.end :], words.USAGE_QUIET)
            if since.value == until.value:
                raise Refused(words.NO_TIME_BETWEEN)
            return wishes.SetQuiet(since.value, until.value, days_off)
        case [] if days_off is not None:
            _rest(text, words.USAGE_QUIET)
            return wishes.SetQuiet(days_off=days_off)
    raise _not_read(text.strip() or "—", words.USAGE_QUIET)


def _digest(text: str, scene: _Scene) -> wishes.Wish:
    default = text in spoken.DEFAULT
    rhythm: DigestRhythm | None = None
    weekday, at = 0, None
    text, weekdays = _weekday(text)
    if weekdays is not None:
        weekday = weekdays
    if (found := spoken.RHYTHM.search(text)) is not None:
        rhythm, text = spoken.RHYTHMS[found[0]], _cut(text, *found.span())
    if (clock := next(find_times(text), None)) is not None:
        at, text = clock.value, _cut(text, clock.start, clock.end)
    parts = spoken.UNTIL.sub(" ", text).split()
    pattern = "*"
    if parts and (default := parts[-1] in spoken.DEFAULT or default):
        parts.pop()
    if parts:
        pattern = read_pattern(parts.pop(0), words.USAGE_DIGEST)
    if parts:
        raise _not_read(parts[0][:40], words.USAGE_DIGEST)
    if default:
        return wishes.SetDigest(pattern, None)
    if rhythm is None:
        rhythm = "weekly" if weekdays is not None else "daily" if at is not None else None
    if rhythm is None:
        raise _not_read("—", words.USAGE_DIGEST)
    return wishes.SetDigest(pattern, Digest(pattern, rhythm, at or time(9), weekday))


def _weekday(text: str) -> tuple[str, int | None]:
    for number, weekday in enumerate(spoken.WEEKDAYS):
        left, times = re.subn(weekday, " ", text, count=1)
        if times:
            return left, number
    return text, None


def _mute(text: str, scene: _Scene, off: bool = False) -> wishes.Wish:
    reference = None
    if (match := spoken.REFERENCE.search(text)) is not None:
        reference, text = int(match[1]), _cut(text, *match.span())
    until, text = _moment(text, scene)
    channel, pattern = "", ""
    for part in spoken.UNTIL.sub(" ", text).split():
        if part in scene.channels and not channel:
            channel = part
        elif not pattern and reference is None:
            pattern = read_pattern(part, words.USAGE_MUTE)
        else:
            raise _not_read(part[:40], words.USAGE_MUTE)
    if reference is None and not pattern:
        if not channel:
            raise _not_read("—", words.USAGE_MUTE)
        pattern = "*"
    if until is not None and until <= scene.now:
        raise Refused(words.OVER)
    return wishes.SetMute(reference, pattern, channel, until, off)


def _moment(text: str, scene: _Scene) -> tuple[datetime | None, str]:
    """Until when: a day (its beginning), a time of day, so long; and the rest of the text."""
    if (always := spoken.ALWAYS.search(text)) is not None:
        return None, _cut(text, *always.span())
    if (lasts := spoken.LASTS.search(text)) is not None:
        amount = int(lasts[1])
        long = timedelta(hours=amount) if lasts[2] else timedelta(minutes=amount)
        long = timedelta(days=amount) if lasts[4] else long
        return scene.now + long, _cut(text, *lasts.span())
    text, today = re.subn(r"\btoday\b|今日(?:中|の間)?|本日|今天", " ", text)
    day = scene.today + DAY if today else None
    dates = [found for found in find_dates(text, scene.today) if found.value is not None]
    if dates and not today:
        best = max(dates, key=lambda found: (found.end - found.start, -found.start))
        day, text = best.value, _cut(text, best.start, best.end)
    clock: FoundTime | None = next((found for found in find_times(text) if not found.bare), None)
    if clock is None:
        return (first(scene.zone, day, time()) if day is not None else None), text
    text = _cut(text, clock.start, clock.end)
    if day is None or today:
        moment = first(scene.zone, scene.today, clock.value)
        day = scene.today if moment > scene.now else scene.today + DAY
    return first(scene.zone, day, clock.value), text


def _unmute(text: str, scene: _Scene) -> wishes.Wish:
    return _mute(text, scene, off=True)


def _channels(text: str, scene: _Scene) -> wishes.Wish:
    importances: list[Importance] = []
    chosen: list[str] = []
    pattern, all_at_once, default = "", False, False
    for part in re.split(r"[\s,、>→]+", text):
        if not part:
            continue
        if part in scene.channels:
            chosen += [] if part in chosen else [part]
        elif part in spoken.IMPORTANCES:
            importances.append(spoken.IMPORTANCES[part])
        elif part in spoken.DEFAULT:
            default = True
        elif part in {"all", "全部", "すべて", "同時", "同时"} and not all_at_once:
            all_at_once = True
        elif not pattern and not chosen and _is_pattern(part):
            pattern = read_pattern(part, words.USAGE_CHANNELS)
        else:
            known = ", ".join(sorted(scene.channels))
            raise Refused(words.NO_CHANNEL.fill(text=part[:40], known=known or "—"))
    if not chosen and not default:
        known = ", ".join(sorted(scene.channels))
        raise Refused(words.WHICH_CHANNELS.fill(known=known or "—"))
    order = tuple(dict.fromkeys(importances))
    kept = () if default else tuple(chosen)
    return wishes.SetChannels(Channels(pattern or "*", kept, order, all_at_once and not default))


def _language(text: str, scene: _Scene) -> wishes.Wish:
    if text not in spoken.LANGUAGES:
        raise _not_read(text[:40] or "—", words.USAGE_LANGUAGE)
    return wishes.SetLanguage(spoken.LANGUAGES[text])


def _zone(text: str, scene: _Scene) -> wishes.Wish:
    if text in spoken.DEFAULT or _off(text):
        return wishes.SetZone(None)
    zone = read_zone(text)
    if not isinstance(zone, str):
        raise Refused(words.NO_ZONE.fill(text=text[:40] or "—", near=", ".join(zone[:3])))
    return wishes.SetZone(zone)


def _critical(text: str, scene: _Scene) -> wishes.Wish:
    switch = read_switch(text)
    if switch is not None:
        return wishes.SetCritical(passes=switch)
    most = re.fullmatch(
        r"(?:最大|至多|max(?:imum)?|at most)?\s*(\d{1,3})\s*(?:件|条|/h|an hour)?", text
    )
    if most is None or not int(most[1]):
        raise _not_read(text[:40] or "—", words.USAGE_CRITICAL)
    return wishes.SetCritical(most=int(most[1]))


def _list(text: str, scene: _Scene) -> wishes.Wish:
    if text and not (text.isascii() and text.isdigit() and 0 < int(text[:6]) < 1000):
        raise _not_read(text[:40], words.USAGE)
    return wishes.ListLast(int(text[:6]) if text else 1)


def _plain(wish: wishes.Wish) -> Callable[[str, _Scene], wishes.Wish]:
    def read(text: str, scene: _Scene) -> wishes.Wish:
        _rest(text, words.USAGE)
        return wish

    return read


_READERS: Mapping[str, Callable[[str, _Scene], wishes.Wish]] = {
    "show": _plain(wishes.Show()),
    "reset": _plain(wishes.Reset()),
    "quiet": _quiet,
    "digest": _digest,
    "mute": _mute,
    "unmute": _unmute,
    "channels": _channels,
    "language": _language,
    "zone": _zone,
    "critical": _critical,
    "list": _list,
}


def _is_pattern(text: str) -> bool:
    return (
        text in spoken.FAMILIES_SPOKEN
        or text in spoken.FAMILIES | spoken.ALONE
        or (spoken.PATTERN.fullmatch(text) is not None and ("." in text or "*" in text))
    )


def read_pattern(text: str, usage: Words) -> str:
    """Topics: `alert.disk`, `task.*`, or a family by its name. Raises Refused."""
    meant = spoken.FAMILIES_SPOKEN.get(text, text)
    if meant in spoken.FAMILIES:
        return f"{meant}.*"
    if not _is_pattern(meant):
        raise _not_read(text[:40], usage)
    return meant
