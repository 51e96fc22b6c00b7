"""Which banks and branches there are: the data of `zengin-code`, renewed with its releases."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from core.errors import Refused
from core.transfer.kana import cut, zengin
from core.transfer.records import (
    BANK,
    NAME_LONGEST,
    NUMBER,
    PLACE_LONGEST,
    Account,
    Kind,
)
from core.words import Words

KINDS: Mapping[str, Kind] = {
    "1": "1", "ordinary": "1", "普通": "1", "2": "2", "current": "2", "当座": "2",
    "4": "4", "savings": "4", "貯蓄": "4", "9": "9", "other": "9", "その他": "9",
}  # fmt: skip
"""Kinds of account by all that they are called."""

_NO_SUCH = Words(
    ja="{what}「{code}」はありません。",
    en="{what}: there is no {code}.",
    zh="{what}“{code}”不存在。",
)
_NO_BRANCH = Words(
    ja="{bank} に支店コード「{code}」はありません。",
    en="{bank} has no branch {code}.",
    zh="{bank} 没有分行代码“{code}”。",
)
_NO_KIND = Words(
    ja="預金種目「{kind}」は使えません。使えるもの: 普通, 当座, 貯蓄, その他",
    en="The kind of account can't be “{kind}”. Known: ordinary, current, savings, other",
    zh="账户种类不能为“{kind}”。可用: 普通, 当座, 貯蓄, その他",
)
_BAD_NUMBER = Words(
    ja="{what}は7桁までの数字で入れてください。",
    en="{what} has at most 7 digits.",
    zh="{what}最多7位数字。",
)


@dataclass(frozen=True, slots=True)
class Place:
    """A bank or a branch: what people call it, and its kana as transfer files have it."""

    code: str
    name: str
    kana: str


def bank(code: str) -> Place:
    """The bank of that code (4 digits). Raises Refused where there is none."""
    found = _banks().get(code)
    if found is None:
        raise Refused(_NO_SUCH.fill(what=BANK, code=code[:20]))
    return _place(found)


def branch(of: str, code: str) -> Place:
    """A bank's branch of that code (3 digits). Raises Refused where there is none."""
    its = bank(of)
    found = _branches(its.code).get(code)
    if found is None:
        raise Refused(_NO_BRANCH.fill(bank=its.name, code=code[:20]))
    return _place(found)


def account(bank_code: str, branch_code: str, kind: str, number: str, holder: str) -> Account:
    """An account as it was typed, checked. Raises Refused for a bank or branch that there is not,
    for a number that is none, and for a name that is not in kana."""
    at, within = bank(bank_code.strip()), branch(bank_code.strip(), branch_code.strip())
    if kind not in KINDS:
        raise Refused(_NO_KIND.fill(kind=kind[:20]))
    digits = number.strip()
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 7):
        raise Refused(_BAD_NUMBER.fill(what=NUMBER))
    return Account(
        at.code, at.kana, within.code, within.kana, KINDS[kind], digits.rjust(7, "0"),
        cut(zengin(holder), NAME_LONGEST),
    )  # fmt: skip


def _place(found: Mapping[str, str]) -> Place:
    return Place(found["code"], found["name"], cut(zengin(found["kana"]), PLACE_LONGEST))


# Not by the package's own classes: importing it reads all 31,000 branches, for 0.4 s.


@cache
def _banks() -> Mapping[str, Mapping[str, str]]:
    found: Mapping[str, Mapping[str, str]] = json.loads(_read("banks.json"))
    return found


@cache
def _branches(bank_code: str) -> Mapping[str, Mapping[str, str]]:
    found: Mapping[str, Mapping[str, str]] = json.loads(_read(f"branches/{bank_code}.json"))
    return found


def _read(name: str) -> str:
    spec = find_spec("zengin_code")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("zengin-code is not installed")
    return (Path(spec.origin).parent / "source-data" / "data" / name).read_text("utf-8")
