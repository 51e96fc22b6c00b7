"""A request with a heading above it, such as the subject of a mail: what the heading adds.

People repeat the request in the subject ("モニター5台の件"), or write there what it is about
("オフィス移転の件"). Read as one text, the first would be ordered twice and the second asked about.
"""

from datetime import date

from core.catalogue import Catalogue
from core.order import Reading
from core.reading.order import read_order


def heading_adds(heading: str, text: str, catalogue: Catalogue, today: date) -> str:
    """The words of a heading that say what the text below it does not: the customer, other items,
    the day, the discount. All of it, where the text asks for nothing by itself."""
    above, below = read_order(heading, catalogue, today), read_order(text, catalogue, today)
    if not below.lines:
        return heading
    return " ".join(
        [*_customer(above, below, catalogue), *_lines(above, below), *_terms(above, below)]
    )


def _customer(above: Reading, below: Reading, catalogue: Catalogue) -> list[str]:
    if above.customer is None or below.customer is not None:
        return []
    return [each.name for each in catalogue.customers if each.code == above.customer]


def _lines(above: Reading, below: Reading) -> list[str]:
    named = {line.code for line in below.lines} | set(below.without_quantity)
    return [f"{line.code} {line.quantity}," for line in above.lines if line.code not in named]


def _terms(above: Reading, below: Reading) -> list[str]:
    terms = []
    if above.due is not None and below.due is None:
        terms.append(above.due.isoformat())
    if below.discount_percent is None and below.discount_amount is None:
        if above.discount_percent is not None:
            terms.append(f"{above.discount_percent}% off")
        elif above.discount_amount is not None:
            terms.append(f"{above.discount_amount}円引き")
    return terms
