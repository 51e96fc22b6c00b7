"""Cutting a text into tokens: what is known claims its place first, the longest before the rest."""

import re
from collections.abc import Iterable, Iterator
from datetime import date
from itertools import pairwise

from core.reading import companies, phrases
from core.reading.dates import find_dates
from core.reading.index import Index, Name
from core.reading.legal_forms import around
from core.reading.money import find_discounts, find_prices
from core.reading.names import Match, extend, find_names
from core.reading.quantities import find_quantities
from core.reading.sizes import complete_sizes, find_sizes
from core.reading.text import Folded, Keyed, keyed
from core.reading.tokens import Mark, Token, Word
from core.reading.words import CLAIMED, find_words

_MARKS = re.compile(
    r"(?P<line>\n)|(?P<stop>[。!?;]|\.(?=\s|$|\ue000))"
    r"|(?P<pause>[、,/→:]|(?<=\s)[-―](?=\s))|(?P<link>[&+・])"
)
_BULLET = re.compile(
    r"(?:^| )\(\d{1,2}\)(?=[^\s\d,.])"
    r"|^[ ]{0,8}(?:[(]?\d{1,2}(?:[)、]|\.(?!\d))|[*\->#]{1,3}(?=[ ])|・)[ ]{0,3}",
    re.MULTILINE,
)
_PLURAL = re.compile(r"(?:e?s)(?![a-z])")


def scan(folded: Folded, index: Index, today: date) -> list[Token]:
    """The tokens of a text in order. Everything else in it says nothing to an order."""
    text, key = folded.text, keyed(folded.text)
    taken = bytearray(len(text))
    tokens: list[Token] = []
    for token in _longest_first(_certain(folded, key, index, today)):
        if not any(taken[token.start : token.end]):
            taken[token.start : token.end] = b"\1" * (token.end - token.start)
            tokens.append(token)
    tokens = _grown(sorted(tokens, key=_start), key, text, index, taken)
    masked = _masked(text, tokens)
    sizes = find_sizes(masked, tokens, index)
    masked = _masked(masked, sizes)
    counts = [Token(s, e, quantity) for s, e, quantity in find_quantities(masked, index.units)]
    masked = _masked(masked, counts)
    marks = [Token(m.start(), m.end(), _mark(m)) for m in _MARKS.finditer(masked)]
    masked = _masked(masked, marks)
    begins = frozenset(token.start for token in counts)
    tokens += (*sizes, *counts, *marks, *find_words(masked, begins))
    return _joined(complete_sizes(sorted(tokens, key=_start), text, index), text)


def _start(token: Token) -> int:
    return token.start


def _longest_first(tokens: Iterable[Token]) -> list[Token]:
    """The order of claims; of equals the earlier kind of `_certain` wins."""
    return sorted(tokens, key=lambda token: token.start - token.end)


def _certain(folded: Folded, key: Keyed, index: Index, today: date) -> Iterator[Token]:
    """All that can be told for certain by itself; these may overlap."""
    text = folded.text
    customers: list[tuple[int, int]] = []
    items: list[int] = []
    for match in find_names(folded, key, index):
        start, end = match.start, match.end
        if match.name.kind == "item":
            items.append(end)
        else:
            start, end = around(text, start, end)
            department = companies.DEPARTMENT.match(text, end + (text[end : end + 1] == " "))
            if department:
                yield Token(start, department.end(), match.name)
            customers.append((start, end))
        yield Token(start, end, match.name)
    for found in find_dates(text, today):
        yield Token(found.start, found.end, found)
    for start, end, discount in find_discounts(text):
        yield Token(start, end, discount)
    for start, end, price in find_prices(text):
        yield Token(start, end, price)
    for pattern in (phrases.CONTACT, phrases.NOTE, phrases.POLITE, companies.LABEL, _BULLET):
        for quiet in pattern.finditer(text):
            yield Token(quiet.start(), quiet.end(), None)
    for company in companies.COMPANY_SHAPED.finditer(text):
        token = _company(company.start(), company.end(), text, customers, items)
        if token is not None:
            yield token


def _company(
    start: int, end: int, text: str, customers: list[tuple[int, int]], items: list[int]
) -> Token | None:
    """Words with the shape of a company's name, unless they only wrap a customer's."""
    leading = phrases.LEADING.match(text, start, end)
    if leading and leading.end() < end:
        start = leading.end()
    spaces = [place for place in range(start, end) if text[place] == " "]
    for begin, space in pairwise([start - 1, *spaces]):
        if _is_small(text[begin + 1 : space]) and text[begin + 1 : space] != "of":
            start = space + 1
    start = max([start, *(item + 1 for item in items if start < item < end and text[item] == " ")])
    for known_start, known_end in customers:
        if start < known_end and known_start < end:
            rest = text[start:known_start] + text[known_end:end]
            if all(phrases.SMALL.fullmatch(word) or _is_small(word) for word in rest.split()):
                return None
    return Token(start, end, Word(to=True, company=True))


def _is_small(word: str) -> bool:
    return word in phrases.ENGLISH_SMALL


def _grown(
    tokens: list[Token], key: Keyed, text: str, index: Index, taken: bytearray
) -> list[Token]:
    """Items together with the words beside them that belong to them, their plural and their お."""
    free = bytearray(1 - place for place in taken)
    grown: list[Token] = []
    for token in tokens:
        start, end, value = token.start, token.end, token.value
        if isinstance(value, Name) and value.kind == "item":
            plural = _PLURAL.match(text, end)
            if (
                plural
                and text[end - 1].isascii()
                and text[end - 1].isalpha()
                and all(free[end : plural.end()])
            ):
                end = plural.end()
            match = extend(key, text, Match(start, end, value), index, free)
            start, end, value = match.start, match.end, match.name
            if start and text[start - 1] in "おご" and free[start - 1]:
                start -= 1
            free[start:end] = bytes(end - start)
        grown.append(Token(start, end, value))
    return grown


def _masked(text: str, tokens: list[Token]) -> str:
    """The text with a mark in each claimed place, or a blank where the token says nothing."""
    characters = list(text)
    for token in tokens:
        quiet = token.value is None or isinstance(token.value, str)
        blank = "\n" if token.value is None and text[token.start : token.end] == "\n" else " "
        characters[token.start : token.end] = (blank if quiet else CLAIMED) * (
            token.end - token.start
        )
    return "".join(characters)


def _mark(match: re.Match[str]) -> Mark:
    kinds: tuple[Mark, ...] = ("line", "stop", "pause", "link")
    return next(kind for kind in kinds if match[kind] is not None)


def _joined(tokens: list[Token], text: str) -> list[Token]:
    """Words grown onto a name change what it means: モニターアーム is no モニター."""
    joined: list[Token] = []
    for token in tokens:
        last = joined[-1] if joined else None
        if last is not None and _belong_together(last, token, text):
            joined[-1] = _union(last, token)
        else:
            joined.append(token)
    return joined


def _belong_together(first: Token, second: Token, text: str) -> bool:
    one, two = first.value, second.value
    glued = first.end == second.start
    near = glued or text[first.end : second.start] == " "
    if isinstance(one, Word) and isinstance(two, Word):
        return (glued or (near and (one.measure or two.measure))) and not one.to
    name, word = (one, two) if isinstance(one, Name) else (two, one)
    if not isinstance(name, Name) or not isinstance(word, Word) or word.company:
        return False
    if name.kind == "customer":
        return glued and not (
            word is two
            and one is name
            and _HAN_ONLY.fullmatch(text[second.start : second.end]) is None
        )
    return glued or (near and word.measure)


_HAN_ONLY = re.compile(r"[一-龯々]+|[a-z]+")


def _union(first: Token, second: Token) -> Token:
    codes: tuple[str, ...] = ()
    to = alone = False
    for value in (first.value, second.value):
        if isinstance(value, Name):
            codes += value.codes
            to = to or value.kind == "customer"
        elif isinstance(value, Word):
            codes += value.candidates
            to, alone = to or value.to, alone or value.alone
    return Token(first.start, second.end, Word(to=to, alone=True, candidates=codes))
