"""Reads when a rota hands over (`mon 10:00`, `月曜 10:00`, `周一 10:00`), and moments of swaps."""

import re
import unicodedata
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from core.errors import Refused
from core.wall_clock import first
from core.words import Words

NO_TURN = Words(
    ja="交代の時は「月曜 10:00」のように書いてください: {text}",
    en="Write the hand-over as “mon 10:00”: {text}",
    zh="请将交接时间写成“周一 10:00”: {text}",
)
NO_MOMENT = Words(
    ja="日時は「2026-12-24 18:00」のように書いてください: {text}",
    en="Write a day and a time as “2026-12-24 18:00”: {text}",
    zh="请将日期和时间写成“2026-12-24 18:00”: {text}",
)

_DAYS = (
    ("mon", "monday", "月", "月曜", "月曜日", "周一", "星期一"),
    ("tue", "tuesday", "火", "火曜", "火曜日", "周二", "星期二"),
    ("wed", "wednesday", "水", "水曜", "水曜日", "周三", "星期三"),
    ("thu", "thursday", "木", "木曜", "木曜日", "周四", "星期四"),
    ("fri", "friday", "金", "金曜", "金曜日", "周五", "星期五"),
    ("sat", "saturday", "土", "土曜", "土曜日", "周六", "星期六"),
    ("sun", "sunday", "日", "日曜", "日曜日", "周日", "星期日", "星期天"),
)
_WEEKDAYS = {word: number for number, words in enumerate(_DAYS) for word in words}
_TURN = re.compile(r"(\D+?)\s*(\d{1,2}):(\d{2})")
_MOMENT = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T\s]+(\d{1,2}):(\d{2}))?")


def read_turn(text: str) -> tuple[int, time]:
    """The weekday (0: Monday) and the time of day of a hand-over. Raises Refused."""
    match = _TURN.fullmatch(unicodedata.normalize("NFKC", text).strip().lower())
    weekday = _WEEKDAYS.get(match[1].strip()) if match else None
    if match is None or weekday is None:
        raise Refused(NO_TURN.fill(text=text))
    try:
        return weekday, time(int(match[2]), int(match[3]))
    except ValueError as error:
        raise Refused(NO_TURN.fill(text=text)) from error


def read_moment(text: str, zone: str) -> datetime:
    """A moment by the clock of a zone; a day alone is its beginning. Raises Refused."""
    match = _MOMENT.fullmatch(unicodedata.normalize("NFKC", text).strip())
    if match is None:
        raise Refused(NO_MOMENT.fill(text=text))
    year, month, day, hour, minute = (int(each or 0) for each in match.groups())
    try:
        return first(ZoneInfo(zone), date(year, month, day), time(hour, minute))
    except ValueError as error:
        raise Refused(NO_MOMENT.fill(text=text)) from error


def latest_turn(weekday: int, today: date) -> date:
    """The last day of that weekday, today included: from then on a rota counts that names none."""
    return today - timedelta(days=(today.weekday() - weekday) % 7)
