"""Expense claims in free text, in Japanese, English and Chinese, a line for each thing paid.

経費：11/20 タクシー 2,340円 品川→新宿 ABC商事訪問
What stands before the amount is who was paid, what stands after it what for; labels (目的:, at,
with) say otherwise. Nothing is guessed: what a line leaves open stays open, and is asked.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from core.reading.expense_words import Span, marks_of, payee_and_purpose
from core.reading.money import find_prices
from core.reading.numbers import NUMBER, parse_number
from core.reading.past_dates import PastDate, find_past_dates
from core.reading.text import Folded, fold

MOST_LINES = 100
_MOST_TEXT = 20_000
_LINE = re.compile(r"[^\n;]+")
_NUMBERED = re.compile(r"^\s*(?:[(（]?\d{1,2}[.)）．](?=\s)|[①-⑳])")
_RANGE = re.compile(r" ?(?:~|-|―|から|to|至|到) ?")
_BARE = re.compile(rf"(?<![^\s:、,(])(?P<n>{NUMBER})(?=$|[\s、,)])")
_SUB = r"(?:うち|内|\(|incl(?:uding|\.)?|其中)"
_TAX_IN_IT = re.compile(
    rf"[(]?{_SUB}?[ :]*(?:消費税|消费税|税金|tax|vat)(?:等|額|额)?[ :は]*(?:¥ ?)?"
    r"(?P<n>\d[\d,]*)(?! ?%) ?(?:円|yen\b|日元)?\)?"
)
_TIMES = re.compile(
    r" ?[×x*] ?(?P<n>\d{1,3})(?!\d) ?"
    r"(?P<unit>名様?|人|枚|回|個|本|泊|日|people|persons|tickets?|nights?)?"
)
_EACH = re.compile(
    r"(?:お?(?:1|一|ひとり|每|毎|各))人?(?:あたり|当たり|につき)? ?$"
    r"|(?:per person|per head|each) ?$"
)
_EACH_AFTER = re.compile(
    r" ?(?:/ ?(?:人|名|person|head)|per (?:person|head)|each\b|apiece\b|ずつ|(?:一|每|1)人)"
)


@dataclass(frozen=True, slots=True)
class Amount:
    """An amount in yen as it stands in a line; `times` where it is multiplied, `each` where it is
    for one of several people."""

    yen: int
    times: int = 1
    of_people: bool = False
    each: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """What one line of a claim says. What it does not say is None or empty.

    `shared`: among how many the amount was split. `tax`: that of it, in yen, where it is shown
    apart. `wrong_day`: it names a day that does not exist.
    """

    words: str
    day: date | None = None
    wrong_day: bool = False
    amounts: tuple[Amount, ...] = ()
    payee: str = ""
    purpose: str = ""
    category: str = ""
    rate: int | None = None
    tax: int | None = None
    registration: str = ""
    attendees: tuple[str, ...] = ()
    people: int | None = None
    shared: int | None = None
    round_trip: bool = False
    one_way: bool = False


def read_expenses(text: str, today: date) -> tuple[Entry, ...]:
    """The lines of a claim, in order. Never raises.

    A line without a date has that of the line above it; a line with neither date nor amount belongs
    to the one above. One that stands above all says what for, where a line does not say it itself.
    Lines beyond MOST_LINES are read, too, so that the caller can refuse them.
    """
    entries: list[Entry] = []
    heading = ""
    day: PastDate | None = None
    for folded in _lines(text[:_MOST_TEXT]):
        for piece in _pieces(folded, today):
            day = piece.day or day
            if piece.amounts or (piece.day and not piece.is_only_a_date):
                entries.append(_entry(folded, piece, day))
            elif not piece.day and entries:
                entries[-1] = _longer(entries[-1], folded.typed(piece.start, piece.end))
            elif not piece.day:
                heading = f"{heading} {folded.typed(piece.start, piece.end)}".strip()
    return tuple(each if each.purpose else replace(each, purpose=heading) for each in entries)


def _lines(text: str) -> Iterator[Folded]:
    for match in _LINE.finditer(text.replace("\r", "\n").replace("；", ";")):
        line = _NUMBERED.sub("", match.group()).strip()
        if line:
            yield fold(line)


@dataclass(frozen=True, slots=True)
class _Piece:
    """A part of a line that is one expense."""

    start: int
    end: int
    day: PastDate | None
    amounts: tuple[tuple[Span, Amount], ...]
    is_only_a_date: bool = False


def _pieces(folded: Folded, today: date) -> Iterator[_Piece]:
    """A line begins anew at a date where what came before had its date and its amount."""
    text = folded.text
    dates = _joined(text, list(find_past_dates(text, today)))
    amounts = list(_amounts(text, [Span(each.start, each.end) for each in dates]))
    at = [span.start for span, _ in amounts]
    begins, first = [(0, 0, 0)], 0  # of each piece: its place, its first date, its first amount
    for n, each in enumerate(dates):
        following = dates[n + 1].start if n + 1 < len(dates) else len(text)
        before, after = bisect_left(at, each.start), bisect_left(at, each.end)
        if n > first and before > begins[-1][2] and bisect_left(at, following) > after:
            begins.append((each.start, n, before))
            first = n
    ends = [*begins[1:], (len(text), len(dates), len(amounts))]
    for (start, date_from, amount_from), (end, date_to, amount_to) in zip(
        begins, ends, strict=True
    ):
        day = dates[date_from] if date_to > date_from else None
        rest = text[start : day.start] + text[day.end : end] if day else text
        within = tuple(amounts[amount_from:amount_to])
        yield _Piece(start, end, day, within, not re.search(r"\w", rest))


def _joined(text: str, dates: Sequence[PastDate]) -> list[PastDate]:
    """A stretch of days (10/1~10/31) is of its first."""
    joined: list[PastDate] = []
    for each in dates:
        if joined and _RANGE.fullmatch(text, joined[-1].end, each.start):
            joined[-1] = replace(joined[-1], end=each.end)
        else:
            joined.append(each)
    return joined


def _amounts(text: str, dates: Sequence[Span]) -> Iterator[tuple[Span, Amount]]:
    """The amounts of a line; a total that is named stands for all. A bare number is one where
    there is no other."""
    taken = bytearray(len(text))
    for span in (*dates, *(Span(*m.span()) for m in _TAX_IN_IT.finditer(text))):
        _take(taken, span)
    found: list[tuple[Span, Amount, bool]] = []
    spans = sorted(find_prices(text), key=lambda each: (each[0] - each[1], each[0]))
    for start, end, price in spans:
        if price is None or any(taken[start:end]):
            continue
        _take(taken, Span(start, end))
        each = price.each or price.of_one
        counted = _counted(text, Span(start, end), price.yen, each=each)
        found.append((*counted, price.of_all))
    if not found:
        for match in _BARE.finditer(text):
            span, value = Span(*match.span()), parse_number(match["n"])
            whole = value is not None and value == value.to_integral_value()
            if whole and value and 10 <= value < 10**9 and not any(taken[span.start : span.end]):
                found.append((*_counted(text, span, int(value), each=False), False))
    totals = [(span, amount) for span, amount, of_all in found if of_all]
    yield from sorted(
        totals or [(span, amount) for span, amount, _ in found], key=lambda each: each[0].start
    )


def _take(taken: bytearray, span: Span) -> None:
    taken[span.start : span.end] = b"\1" * (span.end - span.start)


def _counted(text: str, span: Span, yen: int, *, each: bool) -> tuple[Span, Amount]:
    """An amount with what multiplies it."""
    before = _EACH.search(text, max(0, span.start - 12), span.start)
    start = before.start() if before else span.start
    after = _EACH_AFTER.match(text, span.end)
    times = _TIMES.match(text, after.end() if after else span.end)
    end = times.end() if times else after.end() if after else span.end
    n = int(times["n"]) if times else 1
    of_people = times is not None and (times["unit"] or "").startswith(("名", "人", "p"))
    for_one = (each or bool(before) or bool(after)) and not times
    return Span(start, end), Amount(yen, max(n, 1), of_people, for_one)


def _entry(folded: Folded, piece: _Piece, day: PastDate | None) -> Entry:
    marks = marks_of(folded.text, piece.start, piece.end)
    tax = _TAX_IN_IT.search(folded.text, piece.start, piece.end)
    first = piece.amounts[0][0] if piece.amounts else None
    taken = [span for span, _ in piece.amounts] + list(marks.spans)
    if piece.day:
        taken.append(Span(piece.day.start, piece.day.end))
    if tax:
        taken.append(Span(*tax.span()))
    middle = first.start if first else piece.end
    payee, purpose = payee_and_purpose(folded, piece.start, piece.end, middle, taken, marks)
    parsed = parse_number(tax["n"]) if tax else None
    return Entry(
        words=folded.typed(piece.start, piece.end),
        day=day.value if day else None,
        wrong_day=day is not None and day.value is None,
        amounts=tuple(amount for _, amount in piece.amounts),
        payee=payee,
        purpose=purpose,
        category=marks.typed(folded, marks.category),
        rate=marks.rate,
        tax=int(parsed) if parsed is not None else None,
        registration=marks.typed(folded, marks.registration),
        attendees=marks.names(folded),
        people=marks.people,
        shared=marks.shared,
        round_trip=marks.round_trip,
        one_way=marks.one_way,
    )


def _longer(entry: Entry, more: str) -> Entry:
    """The entry with a line that stands below it: labels in it count, the rest is what for."""
    folded = fold(more)
    below = _entry(folded, _Piece(0, len(folded.text), None, ()), None)
    said = " ".join(each for each in (below.payee, below.purpose) if each)
    return replace(
        entry,
        words=f"{entry.words}\n{more}",
        purpose=" ".join(each for each in (entry.purpose, said) if each),
        category=entry.category or below.category,
        rate=entry.rate if entry.rate is not None else below.rate,
        registration=entry.registration or below.registration,
        attendees=entry.attendees or below.attendees,
        people=entry.people or below.people,
        shared=entry.shared or below.shared,
        round_trip=entry.round_trip or below.round_trip,
        one_way=entry.one_way or below.one_way,
    )


# Answers


def read_day(text: str, today: date) -> date | None:
    """The day that an answer names."""
    return next((found.value for found in find_past_dates(fold(text[:200]).text, today)), None)


def read_yen(text: str) -> int | None:
    """The one amount that an answer names."""
    amounts = [amount for _, amount in _amounts(fold(text[:200]).text, ())]
    return amounts[0].yen * amounts[0].times if len(amounts) == 1 else None


def read_people(text: str) -> int | None:
    """How many people an answer names: 3, 3名, 三人."""
    text = fold(text[:200]).text.strip()
    people = marks_of(text, 0, len(text)).people
    if people:
        return people
    bare = _BARE.search(text)
    value = parse_number(bare["n"]) if bare else None
    return int(value) if value is not None and 0 < value < 1000 else None


def read_attendees(text: str) -> tuple[tuple[str, ...], int | None]:
    """Who took part and how many they were, where an answer says that."""
    folded = fold(f"attendees: {text[:500]}")
    marks = marks_of(folded.text, 0, len(folded.text))
    return marks.names(folded), marks.people
