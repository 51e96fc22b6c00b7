"""From what was read to a complete claim: what the answers settle, and what to ask next.

An amount beside 往復 (round trip) is for both ways, as people write it; only one that is said to be
of one way (片道) is doubled. 割り勘 (a split bill) is always asked about. Both is told on the card,
so that whoever approves sees what was taken for what.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from core.errors import Choice, NeedsInput, Permanent, Question, Refused
from core.expenses import wording
from core.expenses.claim import Claim, ClaimLine
from core.expenses.policy import Category, Exemption, Policy
from core.money import spoken_yen, yen
from core.reading import calendar
from core.reading.expense import (
    MOST_LINES,
    Amount,
    Entry,
    read_attendees,
    read_day,
    read_expenses,
    read_people,
    read_yen,
)
from core.reading.text import fold
from core.registration import registration_number
from core.words import LANGUAGES, Words, same

DROP = "-"
"""The answer that leaves a line out."""
_NONE = "none"
_OWN = re.compile(r"^own|自分|私の|本人|\bmy\b|自己")
_ALL = re.compile(r"^all\b|全員|全部|全体|合計|\bwhole\b|\btotal\b|总额")
_EACH = re.compile(r"^each\b|1名|一人|1人|per (?:person|head)|每位|每人")
_MOST_CATEGORIES = 20


@dataclass(frozen=True, slots=True)
class Rules:
    """By what a claim is settled: policy, the day of the request, since when, for what grade.

    `oldest` is the first day that can still be claimed.
    """

    policy: Policy
    today: date
    oldest: date
    grade: str = ""


def rules_for(policy: Policy, today: date, asked_on: date, grade: str) -> Rules:
    """`asked_on` is when the claim was first handed in: a correction makes it no older."""
    first = min(today, asked_on)
    return Rules(policy, today, calendar.months_later(first, -policy.months) or first, grade)


def settle(entries: Iterable[Entry], answers: Mapping[str, str], rules: Rules) -> Claim:
    """The complete claim. Raises NeedsInput with the next question while something is open."""
    entries = tuple(entries)
    if not entries and "lines" in answers:
        entries = read_expenses(answers["lines"], rules.today)
    if len(entries) > MOST_LINES:
        raise Permanent(wording.TOO_MANY.fill(most=MOST_LINES))
    asked = [_Line(n, entry, answers, rules) for n, entry in enumerate(entries, 1)]
    lines = tuple(line.settled() for line in asked if not line.is_left_out)
    if not lines:
        prompt = wording.ASK_LINES
        if "lines" in answers:
            prompt = wording.NOT_UNDERSTOOD.fill(answer=answers["lines"][:60], again=prompt)
        raise NeedsInput(Question("lines", prompt))
    return Claim(lines)


@dataclass(frozen=True, slots=True)
class _Line:
    """One line on its way to be complete."""

    n: int
    entry: Entry
    answers: Mapping[str, str]
    rules: Rules

    @property
    def is_left_out(self) -> bool:
        return any(
            value == DROP and key.partition(":")[2] == str(self.n)
            for key, value in self.answers.items()
        )

    def settled(self) -> ClaimLine:
        entry = self.entry
        day = self._day()
        category = self._category()
        amount, how, people = self._amount(category)
        payee = self._text("payee", entry.payee, wording.ASK_PAYEE)
        purpose = self._text("purpose", entry.purpose, wording.ASK_PURPOSE)
        attendees, people = self._attendees(category, people)
        self._check_limit(category, amount, people)
        told = fold(f"{entry.words} {payee} {purpose}").text
        rate = entry.rate if entry.rate is not None else self.rules.policy.rate_told_by(told)
        registration = self._registration()
        exemption = None if registration else self._exemption(told, category, amount)
        if registration is None and exemption is None:
            registration = self._number_that_is_needed(told, amount)
        return ClaimLine(
            day=day,
            payee=payee,
            purpose=purpose,
            category=category.key,
            amount=amount,
            rate=10 if rate is None else rate,
            registration=registration,
            exemption=exemption,
            attendees=attendees,
            people=people,
            tax=entry.tax if entry.tax is not None and entry.tax < amount else None,
            how=how,
        )

    def _answer(self, key: str) -> str | None:
        return self.answers.get(f"{key}:{self.n}")

    def _ask(
        self, key: str, asked: Words, choices: Iterable[Choice] = (), *, understood: bool = False
    ) -> NeedsInput:
        """The question; asked again it says which answer was not understood."""
        given = self._answer(key)
        if given is not None and not understood:
            asked = wording.NOT_UNDERSTOOD.fill(answer=given[:60], again=asked)
        words = " ".join(self.entry.words.split())
        words = f"{words[:39]}…" if len(words) > 40 else words
        prompt = wording.OF_LINE.fill(n=self.n, words=words, asked=asked)
        offered = (*choices, Choice(DROP, wording.LEAVE_OUT))
        kind: Literal["text", "date"] = "date" if key == "day" else "text"
        return NeedsInput(Question(f"{key}:{self.n}", prompt, offered, kind))

    def _text(self, key: str, read: str, asked: Words) -> str:
        text = read or (self._answer(key) or "").strip()
        if not text:
            raise self._ask(key, asked)
        return text

    # The day

    def _day(self) -> date:
        answer = self._answer("day")
        day = self.entry.day if answer is None else read_day(answer, self.rules.today)
        if day is None:
            raise self._ask("day", wording.NO_SUCH_DAY if self.entry.wrong_day else wording.ASK_DAY)
        if day > self.rules.today:
            raise self._ask("day", wording.DAY_TO_COME.fill(day=day), understood=True)
        if day < self.rules.oldest:
            too_old = wording.TOO_OLD.fill(day=day, months=self.rules.policy.months)
            raise self._ask("day", too_old, understood=True)
        return day

    # The amount

    def _amount(self, category: Category) -> tuple[int, Words | None, int | None]:
        """The amount, how it came about, and how many people it is for."""
        answer = self._answer("amount")
        given = read_yen(answer) if answer is not None else None
        people = self.entry.people
        if given is not None:
            return given, None, people
        if not self.entry.amounts:
            raise self._ask("amount", wording.ASK_AMOUNT)
        first, *others = self.entry.amounts
        if others:
            raise self._ask("amount", self._several(), self._choices())
        if first.times > 1:
            how = wording.TIMES.fill(amount=spoken_yen(first.yen), n=first.times)
            return first.yen * first.times, how, first.times if first.of_people else people
        if self.entry.shared is not None:
            return (*self._shared(first.yen), people)
        if first.each or self._is_for_each_or_all(category):
            return self._for_people(first)
        return (*self._there_and_back(first.yen), people)

    def _there_and_back(self, amount: int) -> tuple[int, Words | None]:
        if not self.entry.round_trip:
            return amount, None
        if self.entry.one_way:
            return amount * 2, wording.DOUBLED.fill(amount=spoken_yen(amount))
        return amount, wording.BOTH_WAYS.fill(amount=spoken_yen(amount))

    def _several(self) -> Words:
        amounts = self.entry.amounts
        listed = Words(*(", ".join(yen(a.yen * a.times, at) for a in amounts) for at in LANGUAGES))
        return wording.WHICH_AMOUNT.fill(amounts=listed)

    def _choices(self) -> list[Choice]:
        amounts = list(dict.fromkeys(each.yen * each.times for each in self.entry.amounts))[:4]
        each = [Choice(str(amount), spoken_yen(amount)) for amount in amounts]
        total = sum(amount.yen * amount.times for amount in self.entry.amounts)
        return [*each, Choice(str(total), wording.SUM.fill(amount=spoken_yen(total)))]

    def _shared(self, amount: int) -> tuple[int, Words]:
        n = self.entry.shared or self._people() or 0
        answer = self._answer("share")
        if answer is not None and _OWN.search(fold(answer).text):
            return amount, wording.OWN_SHARE
        if answer is not None and _ALL.search(fold(answer).text):
            return amount // n, wording.SHARED.fill(amount=spoken_yen(amount), n=n)
        own = read_yen(answer) if answer is not None else None
        if own is not None:
            return own, wording.OWN_SHARE
        choices = [
            Choice("own", wording.MINE.fill(amount=spoken_yen(amount))),
            Choice("all", wording.WHOLE.fill(n=n, amount=spoken_yen(amount // n))),
        ]
        raise self._ask("share", wording.ASK_SHARE.fill(amount=spoken_yen(amount)), choices)

    def _is_for_each_or_all(self, category: Category) -> bool:
        """A fare beside several people may be of one of them; a bill of a meal is of all."""
        return category.key == "travel" and (self.entry.people or 1) > 1

    def _for_people(self, amount: Amount) -> tuple[int, Words | None, int]:
        n = self._people()
        answer = "each" if amount.each else fold(self._answer("each") or "").text
        if _ALL.search(answer):
            return amount.yen, None, n
        if _EACH.search(answer):
            return amount.yen * n, wording.TIMES.fill(amount=spoken_yen(amount.yen), n=n), n
        choices = [
            Choice("all", wording.FOR_ALL.fill(amount=spoken_yen(amount.yen))),
            Choice("each", wording.FOR_EACH.fill(amount=spoken_yen(amount.yen * n))),
        ]
        raise self._ask(
            "each", wording.EACH_OR_ALL.fill(n=n, amount=spoken_yen(amount.yen)), choices
        )

    def _people(self) -> int:
        people = self.entry.people or read_people(self._answer("people") or "")
        if not people:
            raise self._ask("people", wording.ASK_PEOPLE)
        return people

    # The category, and who took part

    def _category(self) -> Category:
        policy, entry = self.rules.policy, self.entry
        answer = self._answer("category")
        for text in (answer, entry.category):
            named = policy.named(text) if text else None
            if named is not None:
                return named
        for text in (answer or "", entry.category, entry.payee, entry.purpose, entry.words):
            told = policy.told_by(fold(text).text)
            if told is not None:
                return told
        choices = [Choice(each.key, each.name) for each in policy.categories[:_MOST_CATEGORIES]]
        raise self._ask("category", wording.ASK_CATEGORY, choices)

    def _attendees(
        self, category: Category, people: int | None
    ) -> tuple[tuple[str, ...], int | None]:
        names = self.entry.attendees
        if not category.attendees:
            return names, people
        if not names:
            names, said = read_attendees(self._answer("attendees") or "")
            people = people or said
        if not names:
            raise self._ask("attendees", wording.ASK_ATTENDEES)
        return names, people or self._people()

    def _check_limit(self, category: Category, amount: int, people: int | None) -> None:
        limit = category.limit(self.rules.grade)
        if limit is None or limit.over != "refused":
            return
        most = limit.yen * (people or 1) if limit.each else limit.yen
        if amount > most:
            over = wording.OVER.fill(name=category.name, limit=spoken_yen(most))
            raise self._ask("amount", over, understood=True)

    # The supplier's number

    def _registration(self) -> str | None:
        answer = self._answer("registration")
        if answer == _NONE:
            return None
        typed = (answer or self.entry.registration).strip()
        if not typed:
            return None
        try:
            return registration_number(typed)
        except Refused as refused:
            asked = wording.BAD_REGISTRATION.fill(number=same(typed[:30]))
            choices = [Choice(_NONE, wording.NO_NUMBER)]
            raise self._ask("registration", asked, choices, understood=True) from refused

    def _exemption(self, told: str, category: Category, amount: int) -> Exemption | None:
        policy = self.rules.policy
        if amount < policy.vending_below and policy.exempt_by(told, "vending"):
            return "vending"
        if category.key != "travel":
            return None
        if amount < policy.transport_below and policy.exempt_by(told, "transport"):
            return "transport"
        return "trip" if policy.exempt_by(told, "trip") else None

    def _number_that_is_needed(self, told: str, amount: int) -> str | None:
        """Whoever goes by train is used to there being no invoice; of a large fare there is one."""
        policy = self.rules.policy
        if self._answer("registration") == _NONE or not policy.exempt_by(told, "transport"):
            return None
        if amount < policy.transport_below:
            return None
        asked = wording.NEEDS_NUMBER.fill(limit=spoken_yen(policy.transport_below))
        raise self._ask("registration", asked, [Choice(_NONE, wording.NO_NUMBER)])
