"""Reading one cell of a table as a person filled it in: a price, a tax rate, a language.

Pure functions from a cell to a value; each raises `BadCell` with what is wrong, in words.
"""

import re
import unicodedata
from collections.abc import Mapping
from decimal import Decimal

from core.words import Language, Words

Cell = str | int | float | bool | None
"""A CSV file has texts only; a spreadsheet service gives numbers and truth values as such."""

MAX_PRICE = 10**12
"""Above this a price in yen is a slip of the keyboard, and would not fit the documents."""

_TAX_RATES = (Decimal(10), Decimal(8), Decimal(0))
_SHOWN = 40  # characters of a cell that an error repeats

# What spreadsheets show where a formula failed; exported to CSV it arrives as this text.
_FORMULA_ERRORS = frozenset(
    ("#REF!", "#N/A", "#VALUE!", "#NAME?", "#DIV/0!", "#NUM!", "#NULL!", "#ERROR!", "#SPILL!")
)

_UNSEEN = ("Cc", "Cs")  # control characters and halves of a surrogate pair
_HALF_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0xFFE5: "¥", 0x3000: " "}

# Under cp932 the yen sign is the byte of the backslash, so `\32,800` is what Excel may save.
_AMOUNT = re.compile(
    r"(?P<sign>[-\u2212\u25b2\u25b3])?\s*[¥\\]?\s*(?P<sign2>[-\u2212\u25b2\u25b3])?\s*"
    r"(?P<whole>[0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,30})(?P<fraction>\.[0-9]{1,30})?\s*円?"
)
_PERCENT = re.compile(r"(?P<number>[0-9]{1,9}(?:\.[0-9]{1,9})?)\s*(?P<percent>%)?")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")

_LANGUAGES: Mapping[str, Language] = {
    "ja": "ja",
    "en": "en",
    "zh": "zh",
    "日本語": "ja",
    "英語": "en",
    "中国語": "zh",
    "中文": "zh",
    "japanese": "ja",
    "english": "en",
    "chinese": "zh",
}

EMPTY = Words(ja="空欄です", en="is empty", zh="为空")
FORMULA_ERROR = Words(
    ja="数式がエラー（{cell}）になっています",
    en="the formula fails ({cell})",
    zh="公式出错（{cell}）",
)
NOT_A_PRICE = Words(
    ja="「{cell}」は金額として読めません（例: 32800）",
    en='"{cell}" is not a price (write e.g. 32800)',
    zh="“{cell}”不是金额（例：32800）",
)
NEGATIVE_PRICE = Words(
    ja="「{cell}」はマイナスの金額です",
    en='"{cell}" is a negative price',
    zh="“{cell}”是负数金额",
)
FRACTIONAL_PRICE = Words(
    ja="「{cell}」に円未満の端数があります",
    en='"{cell}" has a fraction of a yen',
    zh="“{cell}”含有不足1日元的小数",
)
PRICE_TOO_BIG = Words(
    ja="「{cell}」は金額が大きすぎます（1兆円未満）",
    en='"{cell}" is too large a price (below 1,000,000,000,000 yen)',
    zh="“{cell}”金额过大（须低于1兆日元）",
)
NOT_A_TAX_RATE = Words(
    ja="「{cell}」は使えない税率です（10、8、0のいずれか）",
    en='"{cell}" is not a tax rate (10, 8 or 0)',
    zh="“{cell}”不是可用的税率（10、8或0）",
)
NOT_A_LANGUAGE = Words(
    ja="「{cell}」は知らない言語です（ja、en、zhのいずれか）",
    en='"{cell}" is not a language Miyabi speaks (ja, en or zh)',
    zh="不支持语言“{cell}”（ja、en或zh）",
)
NOT_AN_EMAIL = Words(
    ja="「{cell}」はメールアドレスの形ではありません",
    en='"{cell}" is not an e-mail address',
    zh="“{cell}”不是邮箱地址",
)


class BadCell(ValueError):
    """A cell that can't be read as what its column holds."""

    def __init__(self, words: Words) -> None:
        super().__init__(words.en)
        self.words = words


def text(cell: Cell) -> str:
    """The cell as a person sees it, without blanks around it and on one line.

    A whole number loses the `.0` that a spreadsheet service gives it.
    """
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, int | float):
        return _digits(cell)
    shown = " ".join(filter(None, (_visible(line) for line in cell.splitlines())))
    if shown in _FORMULA_ERRORS:
        raise BadCell(FORMULA_ERROR.fill(cell=shown))
    return shown


def required(cell: Cell) -> str:
    """The cell's text, which must not be empty."""
    shown = text(cell)
    if not shown:
        raise BadCell(EMPTY)
    return shown


def aliases(cell: Cell) -> tuple[str, ...]:
    """Other names, separated by semicolons (either width) or line breaks; each once."""
    parts = re.split(r"[;；\n\r]", cell) if isinstance(cell, str) else [text(cell)]
    return tuple(dict.fromkeys(name for part in parts if (name := text(part))))


def price(cell: Cell) -> int:
    """Whole yen. Reads `32800`, `32,800`, `¥32,800`, `３２８００円` and a spreadsheet's numbers."""
    shown = required(cell)
    written, bracketed = _unbracketed(_half_width(shown))
    found = _AMOUNT.fullmatch(written)
    if isinstance(cell, bool) or found is None:
        raise BadCell(NOT_A_PRICE.fill(cell=cut(shown)))
    amount = Decimal(found["whole"].replace(",", "") + (found["fraction"] or ""))
    if amount and (bracketed or found["sign"] or found["sign2"]):
        raise BadCell(NEGATIVE_PRICE.fill(cell=cut(shown)))
    if amount != amount.to_integral_value():
        raise BadCell(FRACTIONAL_PRICE.fill(cell=cut(shown)))
    if amount >= MAX_PRICE:
        raise BadCell(PRICE_TOO_BIG.fill(cell=cut(shown)))
    return int(amount)


def tax_rate(cell: Cell) -> int:
    """Percent: 10, 8 or 0. A cell formatted as 10 % arrives from a spreadsheet as 0.1."""
    shown = required(cell)
    found = _PERCENT.fullmatch(_half_width(shown))
    if isinstance(cell, bool) or found is None:
        raise BadCell(NOT_A_TAX_RATE.fill(cell=cut(shown)))
    rate = Decimal(found["number"])
    if not found["percent"] and rate < 1:
        rate *= 100
    if rate not in _TAX_RATES:
        raise BadCell(NOT_A_TAX_RATE.fill(cell=cut(shown)))
    return int(rate)


def language(cell: Cell) -> Language:
    """`ja`, `en` or `zh`, also with a region (`en-US`) or by name; an empty cell is Japanese."""
    shown = text(cell)
    if not shown:
        return "ja"
    found = _LANGUAGES.get(re.split(r"[-_]", _half_width(shown).casefold())[0])
    if found is None:
        raise BadCell(NOT_A_LANGUAGE.fill(cell=cut(shown)))
    return found


def email(cell: Cell) -> str | None:
    """A mail address, or None where the cell is empty."""
    shown = text(cell)
    if shown and not _EMAIL.fullmatch(shown):
        raise BadCell(NOT_AN_EMAIL.fill(cell=cut(shown)))
    return shown or None


def cut(shown: str) -> str:
    """A cell's text, short enough to be repeated in an error."""
    return shown if len(shown) <= _SHOWN else shown[: _SHOWN - 1] + "…"


def _visible(line: str) -> str:
    """Without blanks around it, control characters, and what has no width but tells names apart."""
    kept = (c for c in line if c not in "\u200b\ufeff" and unicodedata.category(c) not in _UNSEEN)
    return "".join(kept).strip()


def _half_width(shown: str) -> str:
    # Not NFKC, which would turn 5² into 52.
    return shown.translate(_HALF_WIDTH).strip()


def _unbracketed(written: str) -> tuple[str, bool]:
    """Accountants write a loss as (100)."""
    if written.startswith("(") and written.endswith(")"):
        return written[1:-1].strip(), True
    return written, False


def _digits(number: float) -> str:
    # Spreadsheets reckon with 15 digits: =1000*1.1 is 1100, not 1100.0000000000002.
    exact = Decimal(format(number, ".15g")) if isinstance(number, float) else Decimal(number)
    if not exact.is_finite():
        return str(number)
    return format(exact.to_integral_value() if exact == exact.to_integral_value() else exact, "f")
