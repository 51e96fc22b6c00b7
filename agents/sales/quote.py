"""A quotation: read what is wanted, price it, lay it out, have it approved, number it, issue it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from importlib import resources

from core.agent import (
    Agent,
    Approval,
    Attached,
    Deal,
    Deliver,
    Document,
    Effect,
    EffectKey,
    Number,
    Numbered,
    Results,
    Summary,
    TaskInfo,
    Terms,
)
from core.catalogue import Catalogue
from core.company import Company
from core.documents import Files
from core.file_kinds import TABLES
from core.forms import (
    FormErrors,
    FormField,
    FormSpec,
    FormValues,
    LineEntry,
    date_value,
    line_values,
    text_value,
)
from core.ledger import Ledger, LedgerLine
from core.line_lists import Listed, listed
from core.messages import Field, Line
from core.money import yen
from core.order import Order, OrderLine
from core.order_questions import settle
from core.paper import Paper, file_name, first_page, on_paper
from core.quotation import Quote, QuoteLine, price_order, quote_data
from core.reading.headed import heading_adds
from core.reading.money import find_discounts
from core.reading.order import read_order, read_quantity, reading_json
from core.reading.text import fold
from core.words import Language, Words

TITLE = Words(ja="見積書", en="Quotation", zh="报价单")
CUSTOMER = Words(ja="お客様", en="Customer", zh="客户")
DUE = Words(ja="納期", en="Delivery date", zh="交货日期")
DISCOUNT = Words(ja="値引き", en="Discount", zh="折扣")
SUBTOTAL = Words(ja="小計", en="Subtotal", zh="小计")
BASE = Words(ja="{rate}%対象", en="{rate}% base", zh="{rate}%税基")
TAX = Words(ja="消費税 {rate}%", en="Consumption tax {rate}%", zh="消费税 {rate}%")
TOTAL = Words(ja="合計（税込）", en="Total incl. tax", zh="合计（含税）")
NOTE = Words(ja="備考", en="Note", zh="备注")
REDUCED = Words(ja="※は軽減税率（8%）対象", en="※ reduced rate (8%)", zh="※ 适用8%轻减税率")
FIRST_PAGE = Words(ja="見積書の1ページ目", en="First page of the quotation", zh="报价单第1页")

CHOOSE_CUSTOMER = Words(
    ja="お客様を選んでください。", en="Please choose the customer.", zh="请选择客户。"
)
NO_SUCH_CUSTOMER = Words(
    ja="この顧客は一覧にありません。", en="The list has no such customer.", zh="名单中没有该客户。"
)
ADD_LINE = Words(
    ja="品目を1つ以上入れてください。",
    en="Please add at least one item.",
    zh="请至少填写一个品目。",
)
CHOOSE_ITEM = Words(ja="品目を選んでください。", en="Please choose the item.", zh="请选择品目。")
NO_SUCH_ITEM = Words(
    ja="この品目は価格表にありません。",
    en="The price list has no such item.",
    zh="价目表中没有该品目。",
)
BAD_QUANTITY = Words(
    ja="数量は1以上の整数で入れてください（例: 5）。",
    en="The quantity must be a whole number of at least 1, such as 5.",
    zh="数量须为1以上的整数（例如: 5）。",
)
PAST_DATE = Words(
    ja="納期が過ぎています。", en="The delivery date has passed.", zh="交货日期已过。"
)
BAD_DISCOUNT = Words(
    ja="「10%」か「15,000円」のように入れてください。",
    en="Write it as “10%” or “15,000 yen”.",
    zh="请按“10%”或“15,000日元”的格式填写。",
)


@dataclass(frozen=True, slots=True)
class QuoteAsk:
    """What was asked for: a text with the answers given since, or a form that was filled in.

    Of the `files`, tables with a code and a quantity a row are what is wanted as well.
    """

    text: str
    today: date
    answers: Mapping[str, str] = field(default_factory=dict)
    form: Order | None = None
    files: tuple[Attached, ...] = ()


@dataclass(frozen=True, slots=True)
class Draft(Document):
    """The quotation without number, as it is shown for approval."""


@dataclass(frozen=True, slots=True)
class Issued(Document):
    """The quotation with its number and its date of issue."""


@dataclass(frozen=True, slots=True)
class Entered:
    """The quotation's line in the ledger; no place where there is no ledger, or none was told."""

    place: str = ""


# The procedure


async def read(ask: QuoteAsk, catalogue: Catalogue, files: Files) -> Order:
    """Who wants what; asks for whatever can't be read for certain."""
    if ask.form is not None:
        return ask.form
    reading = read_order(ask.text, catalogue, ask.today)
    lists: list[Listed] = []
    no_lists: list[str] = []
    for file in ask.files:
        if file.media_type in TABLES:
            found = await listed(file, await files.get(file.sha256), catalogue)
            if found is not None:
                lists.append(found)
            else:
                no_lists.append(file.name)
    return settle(reading, ask.answers, catalogue, ask.today, lists, no_lists)


async def price(order: Order, catalogue: Catalogue, company: Company) -> Quote:
    """Prices, discount and tax by the company's rules."""
    return price_order(order, catalogue, company)


async def lay_out(quote: Quote, company: Company, files: Files, task: TaskInfo) -> Draft:
    """The document as it will be, with "(draft)" where the number will stand."""
    made = await _document(quote, company, files, task, None)
    return Draft(*made)


async def issue(
    quote: Quote, company: Company, files: Files, task: TaskInfo, numbered: Numbered
) -> Issued:
    """The document that was approved, now with number and date of issue."""
    made = await _document(quote, company, files, task, numbered)
    return Issued(*made)


async def enter(
    quote: Quote, numbered: Numbered, task: TaskInfo, ledger: Ledger, key: EffectKey
) -> Entered:
    """The quotation's line at the end of the company's ledger."""
    line = LedgerLine(
        number=numbered.number,
        issued_on=numbered.issued_on,
        customer=quote.customer.name,
        total=quote.totals.total,
        person=task.requester,
    )
    return Entered(await ledger.append(line, key))


async def find_entry(ledger: Ledger, key: EffectKey) -> Entered | None:
    """The line, where the ledger has it."""
    place = await ledger.find(key)
    return Entered(place) if place is not None else None


def ledger_name(ledger: Ledger) -> str:
    """What people call the ledger."""
    return ledger.name


def no_ledger(ledger: Ledger) -> Entered | None:
    """Of a company that keeps no ledger, nothing is entered anywhere."""
    return None if ledger.name else Entered()


async def _document(
    quote: Quote, company: Company, files: Files, task: TaskInfo, numbered: Numbered | None
) -> Paper:
    issued_on = numbered.issued_on if numbered else task.asked_on
    language = quote.customer.language
    seal = {"seal.png": await files.get(company.seal_sha256)} if company.seal_sha256 else {}
    data = quote_data(
        quote,
        company,
        number=numbered.number if numbered else None,
        issued_on=issued_on,
        language=language,
        reference=f"#{task.reference}",
        has_seal=bool(seal),
    )
    template = await _template(company, files)
    name = file_name(TITLE, task, numbered, language, quote.customer.name)
    return await on_paper(files, template, data, name, issued_on, seal)


async def _template(company: Company, files: Files) -> bytes:
    if company.template_sha256 is not None:
        return await files.get(company.template_sha256)
    return resources.files(__package__).joinpath("quote.typ").read_bytes()


# How people ask for it


def begin(text: str, form: FormValues | None, today: date) -> QuoteAsk:
    """The ask of a text or of a form."""
    return QuoteAsk(text, today, form=_form_order(form) if form is not None else None)


def answer(ask: QuoteAsk, key: str, value: str) -> QuoteAsk:
    """The ask with what the person said to a question."""
    return replace(ask, answers={**ask.answers, key: value})


def attach(ask: QuoteAsk, files: tuple[Attached, ...]) -> QuoteAsk:
    """The ask with the files that were sent for it: lists of what is wanted, and what else is to be
    looked at with it."""
    return replace(ask, files=files)


def _form_order(values: FormValues) -> Order:
    percent, amount = _discount(text_value(values, "discount"))
    quantities: dict[str, int] = {}
    for entry in line_values(values, "lines"):
        quantity = read_quantity(entry.quantity) or 0
        quantities[entry.item] = quantities.get(entry.item, 0) + quantity
    return Order(
        customer=text_value(values, "customer"),
        lines=tuple(OrderLine(code, quantity) for code, quantity in quantities.items()),
        due=date_value(values, "due"),
        discount_percent=percent,
        discount_amount=amount,
        note=text_value(values, "note"),
    )


def _discount(text: str) -> tuple[Decimal | None, int | None]:
    """A discount field: "10%", "15,000円", "15000". Both None where it says neither."""
    for _, _, found in find_discounts(fold(f"値引き {text}").text):
        return found.percent, found.amount
    return None, None


def check_form(values: FormValues, catalogue: Catalogue, today: date) -> FormErrors:
    """What is wrong with a form, by field."""
    errors: dict[str, Words] = {}
    customer = text_value(values, "customer")
    if not customer:
        errors["customer"] = CHOOSE_CUSTOMER
    elif catalogue.customer(customer) is None:
        errors["customer"] = NO_SUCH_CUSTOMER
    entries = line_values(values, "lines")
    if not entries:
        errors["lines:0"] = ADD_LINE
    for place, entry in enumerate(entries):
        wrong = _line_error(entry, catalogue)
        if wrong is not None:
            errors[f"lines:{place}"] = wrong
    due = date_value(values, "due")
    if due is not None and due < today:
        errors["due"] = PAST_DATE
    discount = text_value(values, "discount")
    if discount and _discount(discount) == (None, None):
        errors["discount"] = BAD_DISCOUNT
    return errors


def _line_error(entry: LineEntry, catalogue: Catalogue) -> Words | None:
    if not entry.item:
        return CHOOSE_ITEM
    if catalogue.item(entry.item) is None:
        return NO_SUCH_ITEM
    return BAD_QUANTITY if read_quantity(entry.quantity) is None else None


FORM = FormSpec(
    title=TITLE,
    fields=(
        FormField("customer", "customer", CUSTOMER, required=True),
        FormField("lines", "lines", Words(ja="品目", en="Items", zh="品目"), required=True),
        FormField("due", "date", DUE),
        FormField("discount", "text", DISCOUNT, hint=BAD_DISCOUNT),
        FormField("note", "long_text", NOTE),
    ),
    check=check_form,
)


def edit(results: Results) -> FormValues:
    """The values to fill the form with when the quotation is to be changed."""
    order: Order | None = results.get(Order)
    if order is None:
        return {}
    discount = f"{order.discount_percent}%" if order.discount_percent is not None else ""
    if order.discount_amount is not None:
        discount = f"{order.discount_amount}円"
    return {
        "customer": order.customer,
        "lines": tuple(LineEntry(line.code, str(line.quantity)) for line in order.lines),
        "due": order.due,
        "discount": discount,
        "note": order.note,
    }


# How it is shown


def summarise(results: Results, language: Language) -> Summary:
    """The quotation so far: what the thread and the approver's card show."""
    quote: Quote | None = results.get(Quote)
    if quote is None:
        return Summary()
    fields = [Field(CUSTOMER.to(language), quote.customer.name)]
    if quote.due is not None:
        fields.append(Field(DUE.to(language), quote.due.isoformat()))
    if quote.note:
        fields.append(Field(NOTE.to(language), quote.note))
    notes = [quote.price_note.to(language)] if quote.price_note else []
    if any(line.tax_rate == 8 for line in quote.lines):
        notes.append(REDUCED.to(language))
    return Summary(
        fields=tuple(fields),
        lines=tuple(_line(line, language) for line in quote.lines),
        totals=_totals(quote, language),
        note="\n".join(notes),
        picture=first_page(results.get(Draft), FIRST_PAGE.to(language)),
        document=results.get(Issued),
    )


def _line(line: QuoteLine, language: Language) -> Line:
    mark = " ※" if line.tax_rate == 8 else ""
    detail = f"{line.quantity:,}{line.unit} × {yen(line.unit_price, language)}"
    return Line(line.name + mark, detail, yen(line.amount, language))


def _totals(quote: Quote, language: Language) -> tuple[Field, ...]:
    totals = quote.totals
    shown = [Field(SUBTOTAL.to(language), yen(totals.subtotal, language))]
    if totals.discount:
        percent = f" {quote.discount_percent}%" if quote.discount_percent is not None else ""
        label = DISCOUNT.to(language) + percent
        shown.append(Field(label, yen(-totals.discount, language)))
    for part in totals.rates:
        shown.append(Field(BASE.fill(rate=part.rate).to(language), yen(part.base, language)))
        shown.append(Field(TAX.fill(rate=part.rate).to(language), yen(part.tax, language)))
    shown.append(Field(TOTAL.to(language), yen(totals.total, language)))
    return tuple(shown)


def facts(results: Results, catalogue: Catalogue) -> Mapping[str, object]:
    """The quotation as data; what is still open where it could not be read to the end."""
    ask: QuoteAsk = results[QuoteAsk]
    order: Order | None = results.get(Order)
    quote: Quote | None = results.get(Quote)
    open_points: Mapping[str, object] = {}
    if order is None:
        open_points = reading_json(read_order(ask.text, catalogue, ask.today))
    due = order.due.isoformat() if order and order.due else open_points.get("due")
    given: dict[str, object] = {
        "customer": order.customer if order else open_points.get("customer"),
        "customer_name": quote.customer.name if quote else None,
        "lines": [],
        "discount": 0,
        "subtotal": None,
        "tax": {},
        "total": None,
        "due": due,
        "missing": open_points.get("missing", []),
        "ambiguous": open_points.get("ambiguous", []),
        "unknown": open_points.get("unknown", []),
    }
    if quote is None:
        return given
    return given | {
        "lines": [
            {
                "code": line.code,
                "name": line.name,
                "quantity": line.quantity,
                "unit_price": line.unit_price,
                "amount": line.amount,
                "tax_rate": line.tax_rate,
            }
            for line in quote.lines
        ],
        "discount": quote.totals.discount,
        "subtotal": quote.totals.subtotal,
        "tax": {str(part.rate): part.tax for part in quote.totals.rates},
        "total": quote.totals.total,
    }


def deal(results: Results) -> Deal:
    """Whom it is for, how much it comes to, and what is quoted."""
    quote: Quote = results[Quote]
    words = (*(line.name for line in quote.lines), *(line.code for line in quote.lines), quote.note)
    return Deal(quote.customer.name, quote.totals.total, words)


def terms(results: Results) -> Terms:
    """What a route can go by: `amount` in yen, tax included; `customer`, by name; `discount` in
    percent of the list price."""
    quote: Quote = results[Quote]
    totals = quote.totals
    discount = Decimal(100 * totals.discount) / totals.subtotal if totals.subtotal else Decimal(0)
    return {"amount": totals.total, "customer": quote.customer.name, "discount": discount}


agent = Agent(
    name="quote",
    number="Q",
    asks=QuoteAsk,
    version=2,
    steps=(
        read,
        price,
        lay_out,
        Approval(route="quote", shows=Draft),
        Number(),
        issue,
        Deliver(shows=Issued),
        Effect(
            enter,
            kind="append",
            find=find_entry,
            target=ledger_name,
            skip=no_ledger,
            settles=timedelta(seconds=5),
        ),
    ),
    title=TITLE,
    example=Words(
        ja="見積 株式会社ABC商事 モニター5台 キーボード10個 納期12/25",
        en="quote for Northwind: 4 x monitor, 4 x keyboard, by Dec 18",
        zh="报价 海星贸易 显示器6台 键盘6个 12月20日前",
    ),
    words=("quote", "quotation", "estimate", "見積", "見積もり", "見積り", "見積書", "报价"),
    takes_free_text=True,
    headed=heading_adds,
    labels={
        "read": Words(ja="読み取り", en="Read", zh="读取"),
        "price": Words(ja="価格計算", en="Price", zh="计价"),
        "lay_out": Words(ja="書類作成", en="Lay out", zh="制作文件"),
        "approve": Words(ja="承認", en="Approval", zh="审批"),
        "number": Words(ja="採番", en="Number", zh="编号"),
        "issue": Words(ja="発行", en="Issue", zh="开具"),
        "deliver": Words(ja="お届け", en="Deliver", zh="送达"),
        "enter": Words(ja="台帳記入", en="Ledger", zh="登记台账"),
    },
    form=FORM,
    begin=begin,
    answer=answer,
    attach=attach,
    takes_any=True,
    edit=edit,
    summarise=summarise,
    deal=deal,
    terms=terms,
    facts=facts,
)
