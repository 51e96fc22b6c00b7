"""Writing a transfer file (総合振込): header 1, data 2, trailer 8, end 9, of 120 bytes each.

Form by the Japanese Bankers Association, as banks publish it: digits to the right with zeros before
them, names to the left with spaces behind them, CP932 (half-width kana are one byte). Unused fields
are blank. What does not fit: names of banks and branches, which banks do not read, and the payee's
name beyond 30 bytes (the banks compare the first 30) are cut, never a letter without its mark;
everything else is refused.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from core.errors import Refused
from core.transfer.kana import cut, is_zengin
from core.words import Words

RECORD = 120
ENCODING = "cp932"
MOST_YEN = 9_999_999_999  # 10 digits
MOST_TOTAL = 999_999_999_999
MOST_PAYMENTS = 999_999
NAME_LONGEST = 30
CONSIGNOR_LONGEST = 40
PLACE_LONGEST = 15

Kind = Literal["1", "2", "4", "9"]
"""Of account: 1 ordinary (普通), 2 current (当座), 4 savings (貯蓄), 9 other."""

_WRONG_NUMBER = Words(
    ja="{what}「{value}」は{digits}桁の数字ではありません。",
    en="{what} “{value}” is no number of {digits} digits.",
    zh="{what}“{value}”不是{digits}位数字。",
)
_NOT_SPELLED = Words(
    ja="名義「{name}」は振込データの文字になっていません。",
    en="The name “{name}” is not in the letters of transfer files.",
    zh="户名“{name}”不是汇款数据可用的字符。",
)
_TOO_LONG = Words(
    ja="振込依頼人名「{name}」が長すぎます（{longest}文字まで、濁点も1文字）。",
    en="The consignor's name “{name}” is too long ({longest} characters, marks included).",
    zh="汇款人名称“{name}”过长（最多{longest}个字符，浊点也算1个）。",
)
_AMOUNT = Words(
    ja="{name} への振込額 {amount}円 は1円から{most:,}円の範囲にありません。",
    en="The transfer of ¥{amount} to {name} is not between ¥1 and ¥{most:,}.",
    zh="给 {name} 的汇款额 {amount}日元 不在1日元至{most:,}日元之间。",
)
_TOO_MUCH = Words(
    ja="1つの振込データに入るのは{count:,}件・{total:,}円までです。",
    en="A transfer file holds at most {count:,} payments and ¥{total:,}.",
    zh="一个汇款文件最多可包含{count:,}笔、{total:,}日元。",
)
_NOBODY = Words(ja="振込先がありません。", en="There is nobody to pay.", zh="没有汇款对象。")
_NO_KIND = Words(
    ja="預金種目「{kind}」は使えません。使えるもの: {known}",
    en="The kind of account can't be “{kind}”. Known: {known}",
    zh="账户种类不能为“{kind}”。可用: {known}",
)
BANK, BRANCH = (
    Words(ja="銀行コード", en="The bank's code", zh="银行代码"),
    Words(ja="支店コード", en="The branch's code", zh="分行代码"),
)
NUMBER, CONSIGNOR = (
    Words(ja="口座番号", en="The account's number", zh="账号"),
    Words(ja="委託者コード", en="The consignor's code", zh="委托人代码"),
)


@dataclass(frozen=True, slots=True)
class Account:
    """An account at a bank. Names in half-width kana (core/transfer/kana.py); `bank` 4 digits,
    `branch` 3, `number` at most 7."""

    bank: str
    bank_name: str
    branch: str
    branch_name: str
    kind: Kind
    number: str
    holder: str


@dataclass(frozen=True, slots=True)
class Payment:
    """So many yen to an account."""

    to: Account
    amount: int


@dataclass(frozen=True, slots=True)
class Transfer:
    """A file's content: who pays from where (`code`: 10 digits, given by the bank), when, whom."""

    code: str
    payer: Account
    pay_on: date
    payments: tuple[Payment, ...]

    @property
    def total(self) -> int:
        """In yen."""
        return sum(payment.amount for payment in self.payments)


def render(transfer: Transfer, *, line_ends: bool = True) -> bytes:
    """The file, with CR LF behind each record or without. Raises Refused for what can't be in it.

    The day is the caller's to choose: a day on which banks pay (core/bank_days.py).
    """
    records = [
        _header(transfer),
        *(_data(payment) for payment in transfer.payments),
        _trailer(transfer.payments),
        "9" + " " * (RECORD - 1),
    ]
    end = "\r\n" if line_ends else ""
    return "".join(record + end for record in records).encode(ENCODING)


def _header(transfer: Transfer) -> str:
    payer = transfer.payer
    if len(payer.holder) > CONSIGNOR_LONGEST:
        raise Refused(_TOO_LONG.fill(name=payer.holder, longest=CONSIGNOR_LONGEST))
    if payer.kind == "4":
        raise Refused(_NO_KIND.fill(kind=payer.kind, known="1, 2, 9"))
    return _joined(
        "1", "21", "0", _digits(transfer.code, 10, CONSIGNOR),
        _name(payer.holder, CONSIGNOR_LONGEST), f"{transfer.pay_on:%m%d}", _place(payer),
        payer.kind, _digits(payer.number, 7, NUMBER, padded=True), " " * 17,
    )  # fmt: skip


def _data(payment: Payment) -> str:
    to = payment.to
    if to.kind not in {"1", "2", "4", "9"}:
        raise Refused(_NO_KIND.fill(kind=to.kind, known="1, 2, 4, 9"))
    if not 0 < payment.amount <= MOST_YEN:
        raise Refused(_AMOUNT.fill(name=to.holder, amount=f"{payment.amount:,}", most=MOST_YEN))
    return _joined(
        "2", _place(to), " " * 4, to.kind, _digits(to.number, 7, NUMBER, padded=True),
        _name(to.holder, NAME_LONGEST), f"{payment.amount:010d}", "0", " " * 20, "7", " " * 8,
    )  # fmt: skip


def _trailer(payments: Sequence[Payment]) -> str:
    total = sum(payment.amount for payment in payments)
    if not payments:
        raise Refused(_NOBODY)
    if len(payments) > MOST_PAYMENTS or total > MOST_TOTAL:
        raise Refused(_TOO_MUCH.fill(count=MOST_PAYMENTS, total=MOST_TOTAL))
    return _joined("8", f"{len(payments):06d}", f"{total:012d}", " " * 101)


def _place(account: Account) -> str:
    return (
        _digits(account.bank, 4, BANK)
        + _name(account.bank_name, PLACE_LONGEST, may_be_empty=True)
        + _digits(account.branch, 3, BRANCH)
        + _name(account.branch_name, PLACE_LONGEST, may_be_empty=True)
    )


def _digits(value: str, width: int, what: Words, *, padded: bool = False) -> str:
    """A number of so many digits; `padded`: fewer get zeros before them."""
    fits = 0 < len(value) <= width if padded else len(value) == width
    if not (fits and value.isascii() and value.isdigit()):
        raise Refused(_WRONG_NUMBER.fill(what=what, value=value[:20], digits=width))
    return value.rjust(width, "0")


def _name(text: str, width: int, *, may_be_empty: bool = False) -> str:
    if not is_zengin(text) or not (text or may_be_empty):
        raise Refused(_NOT_SPELLED.fill(name=text[:80]))
    return cut(text, width).ljust(width)


def _joined(*fields: str) -> str:
    record = "".join(fields)
    if len(record) != RECORD:
        raise ValueError(f"a record of {len(record)} bytes")
    return record
