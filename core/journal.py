"""A month's journal as a file that accounting programs import: the form of 弥生 (25 columns).

Columns by the vendor's page 仕訳データの項目と記述形式 (support.yayoi-kk.co.jp, page_id 18545):
no heading, one line a simple entry (識別フラグ 2000), whole yen with tax, CP932, names of accounts
of at most 24 bytes and a memo of 64. The amount of the tax is left out: 弥生 works it out by the
tax class. A text that a spreadsheet would take for a formula begins with `'`.

A claim is entered in the month of its approval, by the day of each expense, against 未払金; the
transfer on its day, 未払金 against 普通預金, and what is withheld against 預り金. An account is
called by its name; where the policy has a code, which 弥生 takes for none, by its category's.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.sheets import csv_line
from core.db import fetch_all
from core.errors import Refused
from core.expenses import books
from core.expenses.books import BookedLine
from core.reading.calendar import month_from
from core.words import Words

ENCODING = "cp932"
OUTSIDE = "対象外"
"""The tax class of what is no purchase."""

_ACCOUNT_BYTES, _MEMO_BYTES = 24, 64
_MOST_YEN = 99_999_999_999
_UNPAID, _BANK, _WITHHELD = "未払金", "普通預金", "預り金"
# What CP932 spells another way.
_SPELLED = str.maketrans("〜−—‖¢£¬", "～－―∥￠￡￢")

_TOO_MUCH = Words(
    ja="{amount}円は仕訳データに入りません。",
    en="¥{amount} is too much for the journal's form.",
    zh="{amount}日元超出了分录数据的范围。",
)


@dataclass(frozen=True, slots=True)
class Line:
    """A simple entry: from which account to which, in yen."""

    day: date
    debit: str
    credit: str
    amount: int
    tax: str = OUTSIDE
    memo: str = ""
    sub: str = ""
    department: str = ""


def tax_class(rate: int, share: int = 100) -> str:
    """The tax class of a purchase with tax included, as 弥生 calls it.

    `rate` in percent (10, 8 for the reduced one, 0 for what is not taxed), `share` the part of the
    tax that may be deducted, in percent: 100 with a qualified invoice or where none is needed, less
    for suppliers without a number (経過措置), 0 for none.

    >>> tax_class(10), tax_class(8, 70)
    ('課対仕入込10%適格', '課対仕入込軽減8%区分70%')
    """
    if rate == 0:
        return OUTSIDE
    name = "課対仕入込軽減8%" if rate == 8 else f"課対仕入込{rate}%"
    if share == 100:
        return f"{name}適格"
    return f"{name}区分{share}%" if share else f"{name}控不"


async def month_of(
    connection: AsyncConnection, organisation_id: UUID, year: int, month: int, zone: str
) -> Sequence[Line]:
    """All lines of a month, in the company's zone, by day."""
    first = date(year, month, 1)
    following = date(*month_from(first, 1), 1)
    booked = await books.booked_between(
        connection, organisation_id, first, following - timedelta(days=1), zone
    )
    lines = [_spent(line) for line in booked if line.approved]
    rows = await fetch_all(
        connection,
        "select p.amount, p.withheld, p.pay_on, t.reference,"
        " coalesce(nullif(p.payee, ''), who.name) as name, d.number"
        " from payables p join tasks t on t.id = p.task_id join people who on who.id = p.person_id"
        " join tasks run on run.id = p.run_id and run.state = 'done'"
        " join documents d on d.task_id = run.id and d.revision = run.revision"
        " and d.voided_at is null"
        " where p.organisation_id = :organisation_id"
        " and p.pay_on >= :first and p.pay_on < :following order by p.id",
        {"organisation_id": organisation_id, "first": first, "following": following},
    )
    for row in rows:
        memo = f"{row.number} {row.name} #{row.reference}"
        lines += _paid(row.pay_on, row.amount, row.withheld, memo)
    return sorted(lines, key=lambda line: line.day)


def _spent(line: BookedLine) -> Line:
    return Line(
        line.day,
        line.category_name.ja if line.account.isdigit() else line.account,
        _UNPAID,
        line.approved,
        tax_class(line.rate, line.credit),
        f"{line.number} {line.payee} {line.purpose}",
        department=line.department,
    )


def _paid(day: date, amount: int, withheld: int, memo: str) -> Iterable[Line]:
    yield Line(day, _UNPAID, _BANK, amount, memo=memo)
    if withheld:
        yield Line(day, _UNPAID, _WITHHELD, withheld, memo=f"源泉所得税 {memo}")


def render(lines: Iterable[Line]) -> bytes:
    """The file. Raises Refused for an amount that has no room in it."""
    return "".join(_row(line) for line in lines).encode(ENCODING, "replace")


def _row(line: Line) -> str:
    if not 0 < line.amount <= _MOST_YEN:
        raise Refused(_TOO_MUCH.fill(amount=f"{line.amount:,}"))
    return csv_line(
        [
            "2000", "", "", line.day.strftime("%Y/%m/%d"),
            _fit(line.debit, _ACCOUNT_BYTES), _fit(line.sub, _ACCOUNT_BYTES),
            _fit(line.department, _ACCOUNT_BYTES), line.tax, line.amount, "",
            _fit(line.credit, _ACCOUNT_BYTES), "", "", OUTSIDE, line.amount, "",
            _fit(line.memo, _MEMO_BYTES), "", "", "0", "", "", "0", "0", "no",
        ]
    )  # fmt: skip


def _fit(text: str, width: int) -> str:
    """One line of a text, as much of it as fits into so many bytes, no character cut apart."""
    plain = " ".join(text.translate(_SPELLED).split())
    room = plain.encode(ENCODING, "replace")[: width - 1 if plain[:1] in "=+-@＝＋－＠" else width]
    return room.decode(ENCODING, "ignore")
