"""The words of one line of an expense claim: labels, marks, names, and what is left beside them."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from core.reading.numbers import KANJI_DIGIT, parse_number
from core.reading.text import Folded


@dataclass(frozen=True, slots=True)
class Span:
    """Places of a folded text."""

    start: int
    end: int

    def meets(self, other: "Span") -> bool:
        return self.start < other.end and other.start < self.end


_COUNT = rf"(?<![\d.])(?:\d{{1,3}}|[{KANJI_DIGIT}十]{{1,3}})"
_LABELS = {
    "payee": r"支払い?先|店名?|宛先|購入先|payee|paid to|vendor|shop|收款方|商户|店家",
    "purpose": r"目的|用途|内容|件名|理由|摘要|purpose|reason|事由|用于",
    "attendees": (
        r"参加者|出席者|同席者?|相手方?|参加|出席|attendees?|participants?|guests?|参加人|出席人|陪同"
    ),
    "category": r"区分|勘定科目|科目|費目|category|account|类别|类型",
    "registration": r"登録番号|インボイス(?:番号)?|registration(?: (?:no\.?|number))?|登记编?号",
}
_LABEL = re.compile(
    "(?:" + "|".join(rf"(?P<{name}>(?:{words})[:=])" for name, words in _LABELS.items()) + r") ?"
)
_NUMBER = re.compile(
    r"(?:(?:登録番号|インボイス(?:番号)?|registration(?: (?:no\.?|number))?|登记编?号)[ :]*)?"
    r"(?<![a-z0-9])(?P<number>t ?-?\d[\d\-]{8,20}\d)(?![a-z\d])"
)
_RATE = re.compile(
    r"(?:消費税率?|税率|tax(?: rate)?|税)?[ :]*(?<![\d.])(?P<rate>10|8|0) ?%(?:対象|税率|tax)?"
)
_PEOPLE = re.compile(
    rf"(?:計|合計|全員?で?|他|ほか|total |共)?(?P<n>{_COUNT}) ?"
    r"(?:名様?|人(?!民|目)|位|people\b|persons?\b|pax\b|guests?\b)"
)
_IN_ALL = re.compile(r"計|合計|全員|total|共")
_SHARED = re.compile(
    rf"(?:(?P<n>{_COUNT}) ?(?:名|人|people|persons|ways?)?(?: ?で| ?を)? ?)?"
    r"(?:割り?勘|折半|わりかん|均等割|\baa制?(?![a-z])|平摊|均摊|分摊)"
    r"|\bsplit(?: (?:the bill|between|among|by|in|it))*"
    rf" ?(?P<m>{_COUNT})?(?: ways?| people| of us)?"
    r"|\b(?:went |go(?:ing)? )?dutch\b"
)
_HALF = re.compile(r"折半")
_ROUND_TRIP = re.compile(r"往復|round[ -]?trip|return (?:trip|ticket)|往返|来回")
_ONE_WAY = re.compile(r"片道|one[ -]way|each way|单程|單程")
_TITLE = r"(?:様|さま|さん|氏|殿|先生|女士|社長|会長|専務|常務|取締役|本部長|部長|課長|係長)"
_TITLED = re.compile(rf"(?P<name>[^\s、,()\d:・/]{{1,16}}?){_TITLE}(?![ぁ-ん])")
_WITH = re.compile(r"\bwith (?P<names>[^\d;:]+?)(?= ?(?:$|\d|,? (?:for|at|on|to discuss)\b|[;。]))")
_AT = re.compile(r"\bat (?P<name>[^,;:\d]+?)(?= ?(?:$|[,;\d¥]|\b(?:for|with|on)\b))")
_BETWEEN_NAMES = re.compile(
    r"[、,・/&+]| and |(?<=[一-龯ァ-ヶ様氏ん])と(?=[一-龯ァ-ヶ])|和(?=\S{1,3}(?:先生|女士|经理))"
)
_ROUTE = re.compile(r"→|->|⇒|⇔|↔|~|→")


@dataclass(slots=True)
class Marks:
    """What a line says by labels and fixed words. `spans` are all the places they take."""

    spans: list[Span] = field(default_factory=list)
    payee: Span | None = None
    purpose: Span | None = None
    category: Span | None = None
    registration: Span | None = None
    attendees: list[Span] = field(default_factory=list)
    rate: int | None = None
    people: int | None = None
    shared: int | None = None
    round_trip: bool = False
    one_way: bool = False

    def typed(self, folded: Folded, span: Span | None) -> str:
        """What was typed there, without what closes it."""
        return _trimmed(folded.typed(span.start, span.end)) if span else ""

    def names(self, folded: Folded) -> tuple[str, ...]:
        """Who took part."""
        names = (self.typed(folded, span) for span in self.attendees)
        return tuple(dict.fromkeys(name for name in names if name))


def marks_of(text: str, start: int, end: int) -> Marks:
    """The labels and fixed words of a piece of folded text."""
    marks = Marks()
    _labelled(text, start, end, marks)
    number = _NUMBER.search(text, start, end)
    if number:
        marks.registration = Span(*number.span("number"))
        marks.spans.append(Span(*number.span()))
    rate = _RATE.search(text, start, end)
    if rate:
        marks.rate = int(rate["rate"])
        marks.spans.append(Span(*rate.span()))
    shared = _SHARED.search(text, start, end)
    if shared:
        marks.shared = _shared_by(shared)
        marks.spans.append(Span(*shared.span()))
    counts = [
        each for each in _PEOPLE.finditer(text, start, end) if not _meets(each, shared, number)
    ]
    # 他1名 計4名: four
    people = next((each for each in counts if _IN_ALL.match(each.group())), None)
    people = people or next(iter(counts), None)
    if people:
        marks.people = _whole(people["n"])
        marks.spans.append(Span(*people.span()))
    if marks.shared is not None:
        marks.shared = marks.shared or marks.people or 0
        marks.people = marks.people or marks.shared or None
    for pattern, name in ((_ROUND_TRIP, "round_trip"), (_ONE_WAY, "one_way")):
        found = pattern.search(text, start, end)
        if found:
            setattr(marks, name, True)
            marks.spans.append(Span(*found.span()))
    _people_named(text, start, end, marks)
    at = _AT.search(text, start, end)
    if at and marks.payee is None:
        marks.payee = Span(*at.span("name"))
        marks.spans.append(Span(*at.span()))
    return marks


def _meets(match: re.Match[str], *others: re.Match[str] | None) -> bool:
    span = Span(*match.span())
    return any(span.meets(Span(*other.span())) for other in others if other)


def _labelled(text: str, start: int, end: int, marks: Marks) -> None:
    labels = list(_LABEL.finditer(text, start, end))
    for place, label in enumerate(labels):
        name = str(label.lastgroup)
        until = labels[place + 1].start() if place + 1 < len(labels) else end
        if name != "attendees":
            # Up to the next pause; names go on over commas.
            pause = re.compile(r"[、,;。]|  | (?=[¥\d])|\s*$").search(text, label.end(), until)
            until = pause.start() if pause else until
        span = Span(label.end(), until)
        marks.spans.append(Span(label.start(), until))
        if name == "attendees":
            marks.attendees = list(_names(text, span))
        else:
            setattr(marks, name, span)


def _names(text: str, span: Span) -> Iterator[Span]:
    """The names of a list, without the count and the amount that may end it."""
    stop = re.compile(
        rf"(?:計|合計|他|ほか|total|共)? ?{_COUNT} ?(?:名|人|位|people|pax)|¥|\d[\d,]*円"
    )
    found = stop.search(text, span.start, span.end)
    end = found.start() if found else span.end
    start = span.start
    for between in _BETWEEN_NAMES.finditer(text, span.start, end):
        if between.start() > start:
            yield Span(start, between.start())
        start = between.end()
    if start < end:
        yield Span(start, end)


def _people_named(text: str, start: int, end: int, marks: Marks) -> None:
    if marks.attendees:
        return
    together = _WITH.search(text, start, end)
    if together:
        marks.attendees = list(_names(text, Span(*together.span("names"))))
        marks.spans.append(Span(*together.span()))
        return
    marks.attendees = [Span(*match.span("name")) for match in _TITLED.finditer(text, start, end)]


def _whole(text: str | None) -> int | None:
    value = parse_number(text) if text else None
    return int(value) if value else None


def _shared_by(match: re.Match[str]) -> int:
    """Among how many; 0 where that is not said beside."""
    if _HALF.search(match.group()):
        return 2
    return _whole(match["n"] or match["m"]) or 0


# What is left


# A bracket beside kana or kanji parts them, unless it is of a legal form.
_PAUSE = re.compile(
    r"[、,|。]+\s*|\s+(?=[^\x00-\x7f])|(?<=[^\x00-\x7f])\s+|\s{2,}|\s[\-/]\s"
    r"|(?<=[^\x00-\x7f])\((?![株有同]\))|(?<=[^\x00-\x7f])(?<![株有同])\)"
)
_EDGES = " 　、,。.:：・-/|①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳"
_SMALL = re.compile(r"(?:for|on|of|from|at|with|and|by|in|to|the|an?)(?: the)?", re.IGNORECASE)
_OPENS, _CLOSES = "(（[「『【", ")）]」』】"
_LEADING = re.compile(r"^(?:の|は|で|を|に|が|と|へ|の分|for |on |of |from (?=$))+")
_TRAILING = re.compile(
    r"(?:です|でした|(?:が|は)?かかりました|(?:支)?払いました|使いました)$"
    r"|(?:の|を|に|が|は|で|へ|から| for| on| at| of)+$"
)
_PLACE_FIRST = re.compile(r"^(?P<payee>.{2,}?[^ぁ-ん])(?:にて|で)(?P<purpose>[^ぁ-ん].*)$")
_LATIN_FIRST = re.compile(
    r"^(?P<payee>taxi|cab|train|bus|subway|metro|ferry|shinkansen|flight|uber)\b[ :]+"
    r"(?P<purpose>.+)$",
    re.IGNORECASE,
)
_FROM_TO = re.compile(r"^(?P<purpose>.+から.+まで)の?(?P<payee>[^ぁ-ん].*)$")
_FEE = re.compile(r"^(?P<payee>.{2,})(?:代金?|料金|費用?)$")


def payee_and_purpose(
    folded: Folded, start: int, end: int, middle: int, taken: Sequence[Span], marks: Marks
) -> tuple[str, str]:
    """Who was paid and what for: of what is left before the amount (`middle`) the first words are
    who, everything else is what for; a label goes before that."""
    before = list(_chunks(folded, start, middle, taken))
    after = list(_chunks(folded, middle, end, taken))
    payee = marks.typed(folded, marks.payee)
    if not payee:
        chunks = next(
            (each for each in (before, after) if any(map(_is_payee, each))), before or after
        )
        if chunks:
            place = next((n for n, each in enumerate(chunks) if _is_payee(each)), 0)
            payee, rest = _parted(chunks[place])
            chunks[place : place + 1] = [rest] if rest else []
    purpose = marks.typed(folded, marks.purpose)
    said = " ".join([*before, *after])
    return payee, " ".join(each for each in (purpose, said) if each)


def _is_payee(chunk: str) -> bool:
    """Whether it may say who was paid: no way from one place to another, nobody who took part."""
    return not (_ROUTE.search(chunk) or _TITLED.search(chunk))


def _parted(chunk: str) -> tuple[str, str]:
    """Who was paid, of words that may say what for as well."""
    for pattern in (_LATIN_FIRST, _FROM_TO, _PLACE_FIRST):
        found = pattern.match(chunk)
        if found and not _ROUTE.search(found["payee"]):
            return found["payee"], found["purpose"]
    fee = _FEE.match(chunk)
    return (fee["payee"] if fee else chunk), ""


def _chunks(folded: Folded, start: int, end: int, taken: Sequence[Span]) -> Iterator[str]:
    """The words that nothing has taken, cut at pauses and between scripts."""
    place = start
    for span in sorted((*taken, Span(end, end)), key=lambda each: each.start):
        if span.start > place:
            yield from _cut(folded, place, min(span.start, end))
        place = max(place, span.end)
        if place >= end:
            return


def _cut(folded: Folded, start: int, end: int) -> Iterator[str]:
    place = start
    for pause in _PAUSE.finditer(folded.text, start, end):
        yield from _word(folded, place, pause.start())
        place = pause.end()
    yield from _word(folded, place, end)


def _word(folded: Folded, start: int, end: int) -> Iterator[str]:
    typed = _trimmed(folded.typed(start, end))
    if re.search(r"\w", typed) and not _SMALL.fullmatch(typed):
        yield typed


def _trimmed(typed: str) -> str:
    typed = typed.strip(_EDGES)
    typed = _TRAILING.sub("", _LEADING.sub("", typed))
    typed = " ".join(typed.split()).strip(_EDGES)
    if typed[:1] in _OPENS and typed[-1:] in _CLOSES:
        typed = typed[1:-1].strip(_EDGES)
    for opens, closes in zip(_OPENS, _CLOSES, strict=True):  # half of a pair was cut off
        if typed.startswith(closes) or (typed.endswith(closes) and opens not in typed):
            typed = typed.strip(closes)
        if typed.endswith(opens) or (typed.startswith(opens) and closes not in typed):
            typed = typed.strip(opens)
    return typed.strip(_EDGES)
