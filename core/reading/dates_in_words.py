"""Dates said in Japanese and Chinese words: 明後日, 月末, 来月10日, 3日以内, 下周五, 月底."""

import re
from collections.abc import Callable
from datetime import date

from core.reading import calendar
from core.reading.numbers import KANJI_DIGIT, parse_number

Rule = tuple[re.Pattern[str], Callable[[re.Match[str], date], date | None]]

# Two digits, or kanji up to 三十一.
DAY = rf"(?:(?<!\d)\d{{1,2}}|[{KANJI_DIGIT}十]{{1,3}})"
# What makes a bare 12月 or 来月 a date by which something is to be done.
_MARK = r" ?(?:の?(?:まで|迄)|内|に?(?:納|お?届|必着|着)|交|之?前|以前)"
_MARK_OR_END = rf"{_MARK}|(?:で|くらい|頃|ごろ)? ?(?:[。!,、\n]|$)"
_PART = r"(?P<part>末日?|底|上旬|中旬|下旬|初旬|中|内|いっぱい|初め|初|頭)"
_STOP = r"(?= ?(?:まで|迄|中|に|必着|納|着|[、。,\s]|$))"

_AWAY = {"今": 0, "当": 0, "本": 0, "这": 0, "這": 0, "来": 1, "翌": 1, "下": 1, "再": 2, "さ": 2}
_CJK_WEEKDAYS = dict(zip("月火水木金土日一二三四五六天", (*range(7), *range(6), 6), strict=True))
_DAYS_AWAY = {
    "今日": 0, "本日": 0, "今天": 0,
    "明日": 1, "あした": 1, "あす": 1, "翌日": 1, "明天": 1,
    "明後日": 2, "あさって": 2, "后天": 2, "後天": 2,
    "しあさって": 3, "明々後日": 3, "明明後日": 3, "大后天": 3, "大後天": 3,
}  # fmt: skip


def whole(text: str | None) -> int:
    """A whole number in digits or kanji; 0 where there is none."""
    value = parse_number(text) if text else None
    return int(value) if value is not None else 0


def _away(word: str | None) -> int:
    if not word:
        return 0
    return 2 if word.startswith("下下") else _AWAY[word[0]]


def _part_of_month(year: int, month: int, part: str | None) -> date | None:
    if part in ("初め", "初", "頭"):
        return calendar.day(year, month, 1)
    if part in ("上旬", "初旬"):
        return calendar.day(year, month, 10)
    if part == "中旬":
        return calendar.day(year, month, 20)
    return calendar.month_end(year, month)


def _years_on(word: str) -> int:
    return {"来": 1, "明": 1, "再": 2}.get(word[0], 0)


def _named_month(match: re.Match[str], today: date) -> date | None:
    month, part = whole(match["month"]), match["part"]
    if match["year"]:
        return _part_of_month(int(match["year"]), month, part)
    if match["which"]:
        return _part_of_month(today.year + _years_on(match["which"]), month, part)
    found = _part_of_month(today.year, month, part)
    if found is not None and found < today:
        return _part_of_month(today.year + 1, month, part)
    return found


def _relative_month(match: re.Match[str], today: date) -> date | None:
    year, month = calendar.month_from(today, _away(match["which"]))
    if match["day"]:
        return calendar.day(year, month, whole(match["day"]))
    return _part_of_month(year, month, match["part"])


def _relative_year(match: re.Match[str], today: date) -> date | None:
    year = today.year + _years_on(match["which"])
    return calendar.day(year, whole(match["month"]), whole(match["day"]))


def _this_month_end(match: re.Match[str], today: date) -> date | None:
    return calendar.month_end(today.year, today.month)


def _year_end(match: re.Match[str], today: date) -> date | None:
    return date(today.year + _years_on(match.group()), 12, 31)


def _fiscal_year_end(match: re.Match[str], today: date) -> date | None:
    """The Japanese business year usually ends with March."""
    return calendar.next_to_come(3, 31, today)


def _days_away(match: re.Match[str], today: date) -> date | None:
    return calendar.days_from(today, _DAYS_AWAY[match[1]])


def _count_later(match: re.Match[str], today: date) -> date | None:
    count, unit = whole(match["number"]), match["unit"]
    if count <= 0:
        return None
    if "営業" in unit or "工作" in unit:
        return calendar.business_days_from(today, count)
    if unit in ("日", "天"):
        return calendar.days_from(today, count)
    if "週" in unit or "周" in unit or "星期" in unit:
        return calendar.days_from(today, 7 * count)
    return calendar.months_later(today, count * (12 if unit == "年" else 1))


def _half_later(match: re.Match[str], today: date) -> date | None:
    return calendar.months_later(today, 6) if match[1] == "年" else calendar.days_from(today, 15)


def _weekday(match: re.Match[str], today: date) -> date | None:
    which, weekday = match["which"], _CJK_WEEKDAYS[match["weekday"]]
    if which in (None, "次", "今度"):
        return calendar.next_weekday(today, weekday)
    return calendar.weekday_of_week(today, weekday, _away(which))


def _part_of_week(match: re.Match[str], today: date) -> date | None:
    weeks, part = _away(match["which"]), match["part"]
    if part in ("頭", "初め"):
        return calendar.weekday_of_week(today, 0, weeks)
    if part == "明け":
        return calendar.weekday_of_week(today, 0, weeks + 1)
    if part == "末":
        return max(today, calendar.weekday_of_week(today, 5, weeks))
    return calendar.end_of_week(today, weeks)


_MONTH = (
    r"(?<![\d万億])(?:(?P<year>\d{4})年 ?|(?P<which>再来年|来年|明年|今年|本年)の? ?)?"
    rf"(?P<month>{DAY})月"
)
_WHICH_MONTH = (
    r"(?P<which>再来月|さ来月|今月|当月|本月|来月|翌月|这个?月|這個?月"
    r"|下下个?月|下个月|下個月|下月)"
)
_UNIT = (
    r"(?P<unit>営業日|个工作日|個工作日|工作日|日|天|週間|週|周間|个星期|個星期|星期|周|ヶ月|か月|カ月"
    r"|ヵ月|ケ月|箇月|个月|個月|年)"
)
_WEEK = r"(?P<which>今週|来週|再来週|さ来週|翌週)"
_WEEK_OR_NEXT = r"(?P<which>今週|来週|再来週|さ来週|翌週|次|今度)"
_CHINESE_WEEK = r"(?P<which>这个?|這個?|本|下下个?|下下個?|下个?|下個?)"
_CHINESE_WEEKDAY = r"(?P<weekday>[一二三四五六日天])(?![间間])"

WORDS: tuple[Rule, ...] = tuple(
    (re.compile(pattern), value)
    for pattern, value in (
        (rf"{_MONTH}の?{_PART}", _named_month),
        (rf"{_MONTH}(?P<part>)(?={_MARK})", _named_month),
        (rf"(?:納期|納品|交期)[ :は]{{0,2}}{_MONTH}(?P<part>)(?! ?[\d末])", _named_month),
        (
            rf"{_MONTH}(?= ?(?:から|より|開始|スタート|号|开始|分(?!割)))",
            lambda _match, _today: None,
        ),
        (
            r"(?P<which>再来年|来年|明年|今年|本年)の? ?"
            rf"(?P<month>{DAY})月の? ?(?P<day>{DAY})[日号]",
            _relative_year,
        ),
        (rf"{_WHICH_MONTH}(?:の? ?(?P<day>{DAY})[日号]|の?{_PART})", _relative_month),
        (rf"{_WHICH_MONTH}(?P<day>)(?P<part>)(?={_MARK_OR_END})", _relative_month),
        (r"(?<![今来再当本翌年\d\w])(?:月末|月内|月底)", _this_month_end),
        (r"(?<=[台個箱本枚脚式ス件个、,。 ])(?:月末|月内|月底)", _this_month_end),
        (r"(?<![一-龯])(?:年末|年内|年底)|(?:今年|本年|来年|明年)(?:中|末|底|内)", _year_end),
        (r"(?:今|本)?年度(?:末|内|中)", _fiscal_year_end),
        # A greeting may begin with 本日; only a deadline or the end of a line makes it a date.
        (r"(今日|本日|今天)(?= ?(?:中|まで|迄|必着|納|着|之?前|内|交|[。!\n]|$))", _days_away),
        (r"(?<=納期)[ :は]{0,2}(今日|本日)", _days_away),
        (
            r"(明日|あした|(?<![ぁ-ん])あす(?![ぁ-ん])|明後日|(?<!し)あさって|しあさって|明々後日"
            r"|明明後日|翌日|明天|大后天|大後天|(?<![皇大])后天|(?<!大)後天)",
            _days_away,
        ),
        (
            rf"(?<![\d.])(?P<number>\d{{1,3}}|[{KANJI_DIGIT}十百]{{1,4}}) ?{_UNIT} ?"
            r"(?:間?後(?!天)|間?以?内|后(?!天)|之后|以后|之内|のち|先(?![ぁ-ん一-龯]))",
            _count_later,
        ),
        (r"半(年|月|个月) ?(?:後|后|以内)", _half_later),
        (rf"(?:{_WEEK_OR_NEXT}の? ?)?(?P<weekday>[月火水木金土日])曜日?", _weekday),
        (rf"{_WEEK}の? ?(?P<weekday>[月火水木金土日])(?!曜){_STOP}", _weekday),
        (rf"{_CHINESE_WEEK}?(?:周|週|星期|礼拜|禮拜){_CHINESE_WEEKDAY}", _weekday),
        (rf"{_WEEK}の?(?P<part>末|中|いっぱい|頭|初め|明け)", _part_of_week),
        (rf"{_WEEK}(?P<part>)(?={_MARK_OR_END})", _part_of_week),
        (rf"(?<![今来翌毎])(?P<which>)週(?P<part>末|明け){_STOP}", _part_of_week),
        (rf"{_CHINESE_WEEK}(?:周|週|星期)(?P<part>末|内|之内|底)", _part_of_week),
        (rf"{_CHINESE_WEEK}(?:周|週|星期)(?P<part>)(?={_MARK_OR_END})", _part_of_week),
        (r"(?P<which>)(?<![一-龯])(?:周|週)(?P<part>末|内)(?=前|之前|交|[,。\s]|$)", _part_of_week),
    )
)
