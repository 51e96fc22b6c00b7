"""A company's expense policy as data: categories and accounts, limits, what needs no invoice.

`policy.toml` beside this holds where a company has set none of its own.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache, lru_cache
from importlib import resources
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, with_config

from core.company import Company
from core.documents import Files
from core.errors import Refused
from core.reading.text import fold
from core.words import Words, same

Over = Literal["shown", "cut", "refused"]
Exemption = Literal["transport", "trip", "vending"]

_STRICT = ConfigDict(extra="forbid")

Yen = Annotated[int, Field(ge=0, le=10**12)]
Percent = Annotated[int, Field(ge=0, le=100)]

_BAD_FILE = Words(
    ja="経費規程を読めません: {where}: {why}",
    en="The expense policy can't be read: {where}: {why}",
    zh="无法读取费用规定: {where}: {why}",
)
_BAD_WORDS = Words(
    ja="経費規程の {where} に「{name}」が2回あります。",
    en="The expense policy has “{name}” twice in {where}.",
    zh="费用规定的 {where} 中“{name}”出现了两次。",
)


@with_config(_STRICT)
@dataclass(frozen=True, slots=True)
class Limit:
    """The most that a line may come to, in whole yen; of each person, where `each`."""

    yen: Yen
    grade: str = ""
    each: bool = False
    over: Over = "shown"


@with_config(_STRICT)
@dataclass(frozen=True, slots=True)
class Category:
    """What money was spent on, as the books have it."""

    key: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,30}$")]
    name: Words
    account: str
    words: tuple[str, ...] = ()
    attendees: bool = False
    withheld: bool = False
    limits: tuple[Limit, ...] = ()

    def limit(self, grade: str) -> Limit | None:
        """The limit for somebody of that grade."""
        for limit in self.limits:
            if limit.grade and limit.grade == grade:
                return limit
        return next((limit for limit in self.limits if not limit.grade), None)


@dataclass(frozen=True, slots=True)
class Share:
    """From a day on, the percent of the tax that may be credited without a registration number."""

    since: date
    percent: int


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules by which claims are read, checked and entered."""

    categories: tuple[Category, ...]
    exempt: Mapping[Exemption, tuple[str, ...]]
    rates: Mapping[int, tuple[str, ...]]
    credit: tuple[Share, ...]
    months: int
    weekends: bool
    transport_below: int
    vending_below: int

    def category(self, key: str) -> Category | None:
        """The category of that key."""
        return next((each for each in self.categories if each.key == key), None)

    def named(self, text: str) -> Category | None:
        """The category that a person names: by its key, its name in any language, its account."""
        wanted = fold(text).text.strip()
        for each in self.categories:
            names = (each.key, each.name.ja, each.name.en, each.name.zh, each.account)
            if wanted in {fold(name).text for name in names}:
                return each
        return None

    def told_by(self, text: str) -> Category | None:
        """The category that the words of a folded text tell; the longest of them counts."""
        found = [
            (len(word), category)
            for category in self.categories
            for word in (category.name.ja, category.name.en, category.name.zh, *category.words)
            if _stands_in(word, text)
        ]
        return max(found, key=lambda each: each[0])[1] if found else None

    def rate_told_by(self, text: str) -> int | None:
        """A rate other than the usual one that words of a folded text tell."""
        told = (r for r, words in self.rates.items() if any(_stands_in(w, text) for w in words))
        return next(told, None)

    def exempt_by(self, text: str, kind: Exemption) -> bool:
        """Whether words of a folded text are of a kind that needs no invoice."""
        return any(_stands_in(word, text) for word in self.exempt.get(kind, ()))

    def credit_on(self, day: date) -> int:
        """The percent of the tax that may be credited on what was bought without a number."""
        begun = [share for share in self.credit if share.since <= day]
        return max(begun, key=lambda share: share.since).percent if begun else 100


def _stands_in(word: str, text: str) -> bool:
    return _pattern(word).search(text) is not None


@lru_cache(maxsize=4096)
def _pattern(word: str) -> re.Pattern[str]:
    """Latin words stand by themselves: `bus` is no part of `business`."""
    folded = re.escape(fold(word).text)
    before = r"(?<![a-z])" if word[:1].isascii() else ""
    after = r"(?![a-z])" if word[-1:].isascii() else ""
    return re.compile(before + folded + after)


# Files


@with_config(_STRICT)
@dataclass(frozen=True, slots=True)
class _Share:
    since: Annotated[date, Field(alias="from")]
    percent: Percent


@with_config(_STRICT)
@dataclass(frozen=True, slots=True)
class _File:
    categories: Annotated[tuple[Category, ...], Field(min_length=1)]
    exempt: Mapping[Exemption, tuple[str, ...]] = field(default_factory=dict)
    rates: Mapping[Literal["8", "0"], tuple[str, ...]] = field(default_factory=dict)
    credit: tuple[_Share, ...] = ()
    months: Annotated[int, Field(ge=1, le=120)] = 3
    weekends: bool = True
    transport_below: Yen = 30_000
    vending_below: Yen = 30_000


def read_policy(text: str) -> Policy:
    """Read a policy file. Raises Refused with the place and the reason where it can't be."""
    try:
        read = TypeAdapter(_File).validate_python(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise Refused(_BAD_FILE.fill(where="TOML", why=error)) from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise Refused(_BAD_FILE.fill(where=where, why=first["msg"])) from error
    keys = [category.key for category in read.categories]
    doubled = next((key for key in keys if keys.count(key) > 1), None)
    if doubled is not None:
        raise Refused(_BAD_WORDS.fill(where="categories", name=same(doubled)))
    return Policy(
        categories=read.categories,
        exempt=read.exempt,
        rates={int(rate): words for rate, words in read.rates.items()},
        credit=tuple(Share(share.since, share.percent) for share in read.credit),
        months=read.months,
        weekends=read.weekends,
        transport_below=read.transport_below,
        vending_below=read.vending_below,
    )


@cache
def usual_policy() -> Policy:
    """The policy of companies that have set none."""
    return read_policy(_usual_text())


def _usual_text() -> str:
    return resources.files(__package__).joinpath("policy.toml").read_text("utf-8")


async def policy_text(company: Company, files: Files) -> str:
    """The policy file that holds for the company."""
    if company.expense_policy_sha256 is None:
        return _usual_text()
    return (await files.get(company.expense_policy_sha256)).decode()


async def policy_of(company: Company, files: Files) -> Policy:
    """The company's own policy, or the usual one."""
    if company.expense_policy_sha256 is None:
        return usual_policy()
    return read_policy(await policy_text(company, files))
