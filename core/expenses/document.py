"""What the claim's document prints, and what its approver is told."""

from collections.abc import Mapping, Sequence
from datetime import date

from babel.dates import format_date

from core.agent import Attached
from core.company import Company
from core.expenses.books import Submitted, Twin
from core.expenses.claim import Checked, CheckedLine
from core.words import Language, Words, same

ON_LINE = Words(ja="{n}件目: {remark}", en="Line {n}: {remark}", zh="第{n}项: {remark}")
TWIN = Words(
    ja="重複の疑い: {reference}（{who}）と日付・金額・支払先が同じです",
    en="Perhaps claimed twice: {reference} ({who}) has the same day, amount and payee",
    zh="疑似重复: 与 {reference}（{who}）的日期、金额、收款方相同",
)


def remarks_on(checked: Checked, submitted: Submitted | None) -> list[Words]:
    """What an approver should know, line by line; what may be a double comes first."""
    twins = [
        ON_LINE.fill(n=twin.place, remark=_twin(twin))
        for twin in (submitted.twins if submitted else ())
    ]
    return twins + [
        ON_LINE.fill(n=n, remark=remark)
        for n, each in enumerate(checked.lines, 1)
        for remark in each.remarks
    ]


def _twin(twin: Twin) -> Words:
    return TWIN.fill(reference=f"#{twin.reference}", who=same(twin.who))


def claim_data(
    checked: Checked,
    submitted: Submitted,
    receipts: Sequence[Attached],
    company: Company,
    *,
    person: str,
    number: str | None,
    issued_on: date,
    language: Language,
    reference: str,
) -> Mapping[str, object]:
    """The facts a template lays out, JSON-able: what it prints is text, ready to print.

    Only `number` (None for a draft) and `issued_on` depend on whether and when it is issued.
    """
    rates = sorted({each.line.rate for each in checked.lines}, reverse=True)
    return {
        "language": language,
        "number": number,
        "reference": reference,
        "issued_on": format_date(issued_on, format="long", locale=language),
        "person": person,
        "company": company.name,
        "lines": [_line(n, each, language) for n, each in enumerate(checked.lines, 1)],
        "rates": [_rate(rate, checked) for rate in rates],
        "claimed": f"{checked.total:,}",
        "approved": f"{checked.approved:,}" if checked.approved < checked.total else None,
        "withheld": f"{checked.withheld:,}" if checked.withheld else None,
        "paid": f"{checked.paid:,}",
        "remarks": [remark.to(language) for remark in remarks_on(checked, submitted)],
        "receipts": [{"name": receipt.name, "sha256": receipt.sha256} for receipt in receipts],
    }


def _line(n: int, each: CheckedLine, language: Language) -> dict[str, object]:
    line = each.line
    return {
        "no": n,
        "day": line.day.isoformat(),
        "payee": line.payee,
        "purpose": line.purpose,
        "category": each.name.to(language),
        "account": each.account,
        "registration": line.registration or "",
        "attendees": "、".join(line.attendees),
        "people": line.people,
        "rate": line.rate,
        "amount": f"{line.amount:,}",
        "approved": f"{each.approved:,}" if each.approved < line.amount else None,
    }


def _rate(rate: int, checked: Checked) -> dict[str, object]:
    lines = [each for each in checked.lines if each.line.rate == rate]
    return {
        "rate": rate,
        "gross": f"{sum(each.approved for each in lines):,}",
        "tax": f"{sum(each.tax for each in lines):,}",
    }
