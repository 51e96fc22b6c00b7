"""The registration number of a qualified invoice issuer: T and 13 digits.

The first digit checks the other twelve, as in the corporate number (National Tax Agency,
"Corporate Number publication site", calculation of the check digit).
"""

import unicodedata

from stdnum.exceptions import ValidationError
from stdnum.jp import cn

from core.errors import Refused
from core.words import Words

_INVALID = Words(
    ja="登録番号「{number}」が正しくありません。T+13桁の番号をご確認ください。",
    en='"{number}" is not a valid registration number (T and 13 digits; check for a typing slip).',
    zh="登记编号“{number}”不正确，请确认T加13位数字。",
)


def registration_number(text: str) -> str:
    """Read a number as typed (full-width, spaces, hyphens) and return it as `T7000012050002`.

    Raises `Refused` if its form or its check digit is wrong.
    """
    compact = "".join(unicodedata.normalize("NFKC", text).split()).replace("-", "").upper()
    digits = compact.removeprefix("T")
    if digits == compact or not (digits.isascii() and digits.isdigit()):
        raise Refused(_INVALID.fill(number=text))
    try:
        return f"T{cn.validate(digits)}"
    except ValidationError as error:
        raise Refused(_INVALID.fill(number=text)) from error


def is_registration_number(text: str) -> bool:
    """Whether `registration_number` would take it."""
    try:
        registration_number(text)
    except Refused:
        return False
    return True
