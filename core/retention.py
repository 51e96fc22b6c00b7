"""How long a document has to be kept."""

from calendar import monthrange
from datetime import date

KEEP_YEARS = 7
"""Of documents of transactions: 法人税法施行規則59条, 電子帳簿保存法4条 and 7条."""

_UNTIL_IT_COUNTS = 15
"""Months at most until the years begin to count: on the day after the tax return of the business
year is due. A year that has just begun ends after twelve, and the return is due two months later,
three with the usual extension (法人税法75条の2). So it is never too short, whichever year a company
has."""


def retain_until(dated: date, years: int = KEEP_YEARS) -> date:
    """The first day on which a document of that date may be dropped.

    `years` is 10 for a company that carries losses forward (法人税法施行規則26条の3).
    """
    months = dated.month - 1 + _UNTIL_IT_COUNTS
    year, month = dated.year + years + months // 12, months % 12 + 1
    return date(year, month, min(dated.day, monthrange(year, month)[1]))
