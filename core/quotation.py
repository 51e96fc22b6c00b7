"""The quotation: an order priced from the catalogue, and the facts its document prints."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from babel.dates import format_date

from core.catalogue import Catalogue, Customer, Item
from core.company import Company, Rounding
from core.errors import Permanent, Refused
from core.money import REDUCED_RATE, Totals, amount, totals
from core.order import Order, OrderLine
from core.words import Language, Words

_NO_LINES = Words(
    ja="見積もる品目がありません。",
    en="There is nothing to quote.",
    zh="没有可报价的品目。",
)
_UNKNOWN_ITEM = Words(
    ja="価格表に品目コード「{code}」がありません。価格表を確認してからやり直してください。",
    en='The price list has no item "{code}". Check the price list, then try again.',
    zh="价目表中没有品目代码“{code}”。请确认价目表后重试。",
)
_UNKNOWN_CUSTOMER = Words(
    ja="顧客一覧に顧客コード「{code}」がありません。顧客一覧を確認してからやり直してください。",
    en='The customer list has no customer "{code}". Check the list, then try again.',
    zh="客户名单中没有客户代码“{code}”。请确认客户名单后重试。",
)
_BAD_LINE = Words(
    ja="「{name}」の数量は1以上、単価は0円以上で指定してください。",
    en='"{name}" needs a quantity of at least 1 and a unit price of at least 0.',
    zh="“{name}”的数量须为1以上，单价须为0以上。",
)


@dataclass(frozen=True, slots=True)
class QuoteLine:
    """One priced line. `unit_price` and `amount` in yen, `tax_rate` in percent."""

    code: str
    name: str
    quantity: int
    unit: str
    unit_price: int
    amount: int
    tax_rate: int


@dataclass(frozen=True, slots=True)
class Quote:
    """A priced order: all that its approver decides on.

    `price_note` is the catalogue's, for whoever relies on the prices inside the house
    (requester, approver); it is not printed on the document.
    """

    customer: Customer
    lines: tuple[QuoteLine, ...]
    totals: Totals
    due: date | None = None
    discount_percent: Decimal | None = None
    note: str = ""
    prices_include_tax: bool = False
    rounding: Rounding = "down"
    price_note: Words | None = None


def price_order(order: Order, catalogue: Catalogue, company: Company) -> Quote:
    """Price an order by the company's rules; a unit price named in the order wins.

    Raises `Permanent` for a code the catalogue doesn't have (it changed since the order was
    read), `Refused` for an order that has no lines, a quantity below 1, or a discount above
    the subtotal.
    """
    customer = catalogue.customer(order.customer)
    if customer is None:
        raise Permanent(_UNKNOWN_CUSTOMER.fill(code=order.customer))
    if not order.lines:
        raise Refused(_NO_LINES)
    lines = tuple(_priced(line, _item(catalogue, line.code)) for line in order.lines)
    return Quote(
        customer=customer,
        lines=lines,
        totals=totals(
            ((line.tax_rate, line.amount) for line in lines),
            discount_percent=order.discount_percent,
            discount_amount=order.discount_amount,
            rounding=company.rounding,
            prices_include_tax=company.prices_include_tax,
        ),
        due=order.due,
        discount_percent=order.discount_percent,
        note=order.note,
        prices_include_tax=company.prices_include_tax,
        rounding=company.rounding,
        price_note=catalogue.note,
    )


def quote_data(
    quote: Quote,
    company: Company,
    *,
    number: str | None,
    issued_on: date,
    language: Language,
    reference: str,
    has_seal: bool = False,
) -> dict[str, object]:
    """The facts a template lays out, JSON-able: what it prints is text, ready to print.

    Amounts are grouped digits without a currency sign, dates are written out in the document's
    language. `number` is None for a draft. Only `number` and `issued_on` depend on whether and
    when the document is issued; so its validity is a number of days, not a date.
    """
    return {
        "language": language,
        "number": number,
        "reference": reference,
        "issued_on": _day(issued_on, language),
        "valid_days": company.valid_days,
        "customer": {
            "name": _without_honorific(quote.customer.name),
            "honorific": honorific(quote.customer.name, language),
        },
        "company": {
            "name": company.name,
            "postal_code": company.postal_code,
            "address": company.address,
            "phone": company.phone,
            "email": company.email,
            "registration_number": company.registration_number,
            "payment_terms": company.payment_terms,
        },
        "seal": "seal.png" if has_seal else None,
        "subject": _subject(quote, language),
        "due": None if quote.due is None else _day(quote.due, language),
        "lines": [
            {
                "no": place,
                "code": line.code,
                "name": line.name,
                "reduced": line.tax_rate == REDUCED_RATE,
                "quantity": f"{line.quantity:,}",
                "unit": line.unit,
                "unit_price": f"{line.unit_price:,}",
                "amount": f"{line.amount:,}",
                "tax_rate": line.tax_rate,
            }
            for place, line in enumerate(quote.lines, 1)
        ],
        "prices_include_tax": quote.prices_include_tax,
        "subtotal": f"{quote.totals.subtotal:,}",
        "discount": _discount(quote),
        "rates": [
            {
                "rate": part.rate,
                "reduced": part.rate == REDUCED_RATE,
                "base": f"{part.base:,}",
                "tax": f"{part.tax:,}",
                "gross": f"{part.gross:,}",
            }
            for part in quote.totals.rates
        ],
        "total": f"{quote.totals.total:,}",
        "note": quote.note,
    }


_ADDRESSED = re.compile(r"\s*(御中|様|殿|先生)$")

# Words that only the names of organisations have. The first group stands anywhere,
# the second at the end only (山川製作所, but not 大所さん).
_ORGANISATION = re.compile(
    r"会社|法人|組合|協会|連合会|事務所|営業所|委員会|商工会|財団|社団|大学|学校|学園|病院|医院|"
    r"クリニック|診療所|銀行|金庫|研究所|センター|グループ|ホールディングス|公司|集团|集團|"
    r"\((?:株|有|同|名|資|医|財|社|学|福|宗|独)\)"
)
_ORGANISATION_END = re.compile(
    r"(?:製作所|製造所|工業所|鉄工所|工務店|商店|商会|商事|物産|産業|工業|鉱業|建設|建築|電機|"
    r"電気|製菓|製薬|食品|不動産|運輸|運送|物流|印刷|企画|設計|組|会|社|堂|店|園|館|庁|省|局|部|"
    r"課|室|院|所|市役所|県庁|区役所|役場|屋)$"
)
_ORGANISATION_LATIN = re.compile(
    r"\b(?:inc|ltd|llc|llp|co|corp|corporation|company|limited|gmbh|ag|plc|bv|pty|sa|sarl|"
    r"university|institute|bank|association|foundation|group|holdings|trading)\b\.?"
    r"|\b(?:k\.\s?k|g\.\s?k)\b",
    re.IGNORECASE,
)


def honorific(name: str, language: Language) -> str:
    """How a Japanese document addresses this name: 御中 an organisation, 様 a person.

    Where a name gives no sign of an organisation it is 様, which slights nobody.
    A name that already ends in one keeps it. Other languages use none.
    """
    if language != "ja":
        return ""
    said = _ADDRESSED.search(name)
    if said:
        return said.group(1)
    plain = unicodedata.normalize("NFKC", name).strip()
    signs = (_ORGANISATION, _ORGANISATION_END, _ORGANISATION_LATIN)
    return "御中" if any(sign.search(plain) for sign in signs) else "様"


def _without_honorific(name: str) -> str:
    return _ADDRESSED.sub("", name).strip()


def _item(catalogue: Catalogue, code: str) -> Item:
    item = catalogue.item(code)
    if item is None:
        raise Permanent(_UNKNOWN_ITEM.fill(code=code))
    return item


def _priced(line: OrderLine, item: Item) -> QuoteLine:
    unit_price = item.unit_price if line.unit_price is None else line.unit_price
    if line.quantity < 1 or unit_price < 0:
        raise Refused(_BAD_LINE.fill(name=item.name))
    return QuoteLine(
        code=item.code,
        name=item.name,
        quantity=line.quantity,
        unit=item.unit,
        unit_price=unit_price,
        amount=amount(line.quantity, unit_price),
        tax_rate=item.tax_rate,
    )


def _discount(quote: Quote) -> dict[str, object] | None:
    """The discount's amount and, where it was given as one, its percentage (`12.5`)."""
    if not quote.totals.discount:
        return None
    percent = quote.discount_percent
    return {
        "amount": f"{quote.totals.discount:,}",
        "percent": None if percent is None else f"{percent.normalize():f}",
    }


def _subject(quote: Quote, language: Language) -> str:
    """What the quotation is for: its first item, and how many more there are."""
    first, more = quote.lines[0].name, len(quote.lines) - 1
    if len(first) > 40:
        first = f"{first[:39]}…"
    if not more:
        return first
    if language == "en":
        return f"{first} and {more} more item{'s' if more > 1 else ''}"
    return f"{first}等{more + 1}项" if language == "zh" else f"{first} ほか{more}点"


def _day(day: date, language: Language) -> str:
    """`2026年11月25日`, `November 25, 2026`."""
    return format_date(day, format="long", locale=language)
