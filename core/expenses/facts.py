"""A claim as data, for `--json` and the HTTP API."""

from core.expenses.claim import Checked, CheckedLine
from core.expenses.policy import usual_policy
from core.reading.expense import Entry


def tax_by_rate(checked: Checked) -> dict[str, int]:
    """The tax within a claim, by rate in percent."""
    sums: dict[str, int] = {}
    for each in checked.lines:
        rate = str(each.line.rate)
        sums[rate] = sums.get(rate, 0) + each.tax
    return sums


def line_facts(each: CheckedLine) -> dict[str, object]:
    """A line that was checked."""
    line = each.line
    return {
        "date": line.day.isoformat(),
        "payee": line.payee,
        "purpose": line.purpose,
        "category": each.name.ja,
        "category_key": line.category,
        "account": each.account,
        "amount": line.amount,
        "approved": each.approved,
        "rate": line.rate,
        "tax": each.tax,
        "credit": each.credit,
        "registration": line.registration,
        "exemption": line.exemption,
        "attendees": list(line.attendees),
        "people": line.people,
        "withheld": each.withheld,
        "remarks": [remark.ja for remark in each.remarks],
    }


def entry_facts(entry: Entry) -> dict[str, object]:
    """A line as far as it was read."""
    category = usual_policy().named(entry.category) if entry.category else None
    amount = entry.amounts[0] if len(entry.amounts) == 1 else None
    return {
        "date": entry.day.isoformat() if entry.day else None,
        "payee": entry.payee or None,
        "purpose": entry.purpose or None,
        "category": category.name.ja if category else None,
        "amount": amount.yen * amount.times if amount and not amount.each else None,
        "rate": entry.rate,
        "registration": entry.registration or None,
        "exemption": None,
    }
