"""A general request (稟議): a title, a text, an amount and files, approved and put on record."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from importlib import resources

from core.agent import (
    Agent,
    Approval,
    Attached,
    Deal,
    Deliver,
    Document,
    Number,
    Numbered,
    Results,
    Summary,
    TaskInfo,
    Terms,
)
from core.catalogue import Catalogue
from core.codec import dump
from core.company import Company
from core.documents import Files
from core.errors import Choice, NeedsInput, Question
from core.forms import (
    FormErrors,
    FormField,
    FormSpec,
    FormValues,
    amount_value,
    text_value,
)
from core.messages import Field
from core.money import yen
from core.paper import Paper, file_name, first_page, on_paper
from core.reading.money import read_amount
from core.reading.proposal import Proposal, read_proposal
from core.words import Language, Words, same

NO_AMOUNT = "none"

TITLE = Words(ja="稟議書", en="Request for approval", zh="请示书")
SUBJECT = Words(ja="件名", en="Subject", zh="标题")
TEXT = Words(ja="内容", en="Details", zh="内容")
AMOUNT = Words(ja="金額", en="Amount", zh="金额")
ENCLOSED = Words(ja="添付", en="Enclosed", zh="附件")
FIRST_PAGE = Words(
    ja="稟議書の1ページ目", en="First page of the request for approval", zh="请示书第1页"
)
WHICH_TITLE = Words(
    ja="件名は何ですか。", en="What is the subject of the request?", zh="请示的标题是什么？"
)
WHICH_TEXT = Words(
    ja="「{title}」の内容や理由を書いてください。",
    en="Please describe “{title}”: what is wanted, and why.",
    zh="请说明“{title}”的内容和理由。",
)
WHICH_AMOUNT = Words(
    ja="金額はどれですか。", en="Which of these is the amount?", zh="金额是哪一个？"
)
WITHOUT = Words(ja="金額なし", en="No amount", zh="无金额")
AMOUNT_HINT = Words(ja="なければ空欄のまま", en="Leave empty if there is none", zh="没有则留空")


@dataclass(frozen=True, slots=True)
class RingiAsk:
    """What was asked for: a text with the answers given since, or a form that was filled in."""

    text: str
    today: date
    answers: Mapping[str, str] = field(default_factory=dict)
    form: Proposal | None = None
    files: tuple[Attached, ...] = ()


@dataclass(frozen=True, slots=True)
class Ringi:
    """The request as it was understood. `amount` in whole yen; None where it is about none."""

    title: str
    text: str
    amount: int | None
    files: tuple[Attached, ...]


@dataclass(frozen=True, slots=True)
class Draft(Document):
    """The request without number, as it is shown for approval."""


@dataclass(frozen=True, slots=True)
class Issued(Document):
    """The request with its number and its date of issue."""


# The procedure


async def read(ask: RingiAsk) -> Ringi:
    """What is asked for and why; asks for whatever is missing."""
    told = ask.form or _answered(ask)
    if not told.title:
        raise NeedsInput(Question("title", WHICH_TITLE))
    if not told.text:
        raise NeedsInput(Question("text", WHICH_TEXT.fill(title=told.title)))
    if len(told.amounts) > 1:
        found = [Choice(str(each), same(f"{each:,}")) for each in told.amounts]
        raise NeedsInput(Question("amount", WHICH_AMOUNT, (*found, Choice(NO_AMOUNT, WITHOUT))))
    amount = told.amounts[0] if told.amounts else None
    return Ringi(told.title, told.text, amount, ask.files)


def _answered(ask: RingiAsk) -> Proposal:
    """What the text says, and in place of what it lacks the answers."""
    told = read_proposal(ask.text)
    answers = ask.answers
    amounts = told.amounts
    if len(amounts) > 1 and "amount" in answers:
        said = answers["amount"]
        amount = read_amount(said)
        if amount is not None or said == NO_AMOUNT:
            amounts = () if amount is None else (amount,)
    return Proposal(
        told.title or answers.get("title", "").strip(),
        told.text or answers.get("text", "").strip(),
        amounts,
    )


async def lay_out(ringi: Ringi, company: Company, files: Files, task: TaskInfo) -> Draft:
    """The document as it will be, with "(draft)" where the number will stand."""
    return Draft(*await _document(ringi, company, files, task, None))


async def issue(
    ringi: Ringi, company: Company, files: Files, task: TaskInfo, numbered: Numbered
) -> Issued:
    """The document that was approved, now with number and date of issue."""
    return Issued(*await _document(ringi, company, files, task, numbered))


async def _document(
    ringi: Ringi, company: Company, files: Files, task: TaskInfo, numbered: Numbered | None
) -> Paper:
    issued_on = numbered.issued_on if numbered else task.asked_on
    data: dict[str, object] = {
        "language": task.language,
        "number": numbered.number if numbered else None,
        "issued_on": issued_on.isoformat(),
        "reference": f"#{task.reference}",
        "company": company.name,
        "requester": task.requester,
        "title": ringi.title,
        "text": ringi.text,
        "amount": None if ringi.amount is None else f"{ringi.amount:,}",
        "files": [
            {"name": file.name, "size": _size(file.size), "sha256": file.sha256}
            for file in ringi.files
        ],
    }
    template = resources.files(__package__).joinpath("ringi.typ").read_bytes()
    name = file_name(TITLE, task, numbered, task.language, ringi.title)
    return await on_paper(files, template, data, name, issued_on)


def _size(count: int) -> str:
    return f"{count:,} B" if count < 1024 else f"{-(-count // 1024):,} KB"


# How people ask for it


def begin(text: str, form: FormValues | None, today: date) -> RingiAsk:
    """The ask of a text or of a form."""
    return RingiAsk(text, today, form=_form_proposal(form) if form is not None else None)


def answer(ask: RingiAsk, key: str, value: str) -> RingiAsk:
    """The ask with what the person said to a question."""
    return replace(ask, answers={**ask.answers, key: value})


def attach(ask: RingiAsk, files: tuple[Attached, ...]) -> RingiAsk:
    """The ask with the files that were sent for it."""
    return replace(ask, files=files)


def _form_proposal(values: FormValues) -> Proposal:
    amount = amount_value(values, "amount")
    amounts = () if amount is None else (amount,)
    return Proposal(text_value(values, "title"), text_value(values, "text"), amounts)


def check_form(values: FormValues, catalogue: Catalogue, today: date) -> FormErrors:
    """What is wrong with a form, by field."""
    errors: dict[str, Words] = {}
    title = text_value(values, "title")
    if not title:
        errors["title"] = WHICH_TITLE
    if not text_value(values, "text"):
        errors["text"] = WHICH_TEXT.fill(title=title or TITLE)
    return errors


FORM = FormSpec(
    title=TITLE,
    fields=(
        FormField("title", "text", SUBJECT, required=True),
        FormField("text", "long_text", TEXT, required=True),
        FormField("amount", "amount", AMOUNT, hint=AMOUNT_HINT),
    ),
    check=check_form,
)


def edit(results: Results) -> FormValues:
    """The values to fill the form with when the request is to be changed."""
    ringi: Ringi | None = results.get(Ringi)
    if ringi is None:
        told = read_proposal(results[RingiAsk].text)
        return {"title": told.title, "text": told.text}
    return {"title": ringi.title, "text": ringi.text, "amount": ringi.amount}


# How it is shown


def summarise(results: Results, language: Language) -> Summary:
    """The request so far: what the thread and the approvers' cards show."""
    ask: RingiAsk = results[RingiAsk]
    ringi: Ringi | None = results.get(Ringi)
    enclosed = tuple(
        Field(ENCLOSED.to(language), f"{file.name} ({file.sha256[:12]})") for file in ask.files
    )
    if ringi is None:
        return Summary(fields=enclosed)
    totals: tuple[Field, ...] = ()
    if ringi.amount is not None:
        totals = (Field(AMOUNT.to(language), yen(ringi.amount, language)),)
    return Summary(
        fields=(
            Field(SUBJECT.to(language), ringi.title),
            Field(TEXT.to(language), ringi.text),
            *enclosed,
        ),
        totals=totals,
        picture=first_page(results.get(Draft), FIRST_PAGE.to(language)),
        document=results.get(Issued),
    )


def facts(results: Results, catalogue: Catalogue) -> Mapping[str, object]:
    """The request as data; `missing` names what is still asked for."""
    ask: RingiAsk = results[RingiAsk]
    ringi: Ringi | None = results.get(Ringi)
    told = ask.form or _answered(ask)
    title, text = (ringi.title, ringi.text) if ringi else (told.title, told.text)
    return {
        "title": title or None,
        "details": text or None,
        "amount": ringi.amount if ringi else None,
        "files": [dump(file) for file in ask.files],
        "missing": [name for name, value in (("title", title), ("details", text)) if not value],
        "ambiguous": ["amount"] if ringi is None and len(told.amounts) > 1 else [],
    }


def deal(results: Results) -> Deal:
    """What is requested, how much it comes to, and the words of it."""
    ringi: Ringi = results[Ringi]
    return Deal("", ringi.amount, (ringi.title, ringi.text[:500]))


def terms(results: Results) -> Terms:
    """What the conditions of routes may ask: the amount in yen, 0 where it is about none."""
    ringi: Ringi | None = results.get(Ringi)
    return {} if ringi is None else {"amount": ringi.amount or 0}


agent = Agent(
    name="ringi",
    number="R",
    asks=RingiAsk,
    version=1,
    steps=(
        read,
        lay_out,
        Approval(route="ringi", shows=Draft),
        Number(),
        issue,
        Deliver(shows=Issued),
    ),
    title=TITLE,
    example=Words(
        ja="稟議 複合機の入替 金額 850,000円 リース満了のため",
        en="ask-approval New copier, amount 850,000 yen, the lease is over",
        zh="请示 更换复印机 金额 850,000日元 租约到期",
    ),
    words=(
        "ask-approval",
        "ringi",
        "稟議",
        "稟議書",
        "決裁申請",
        "决裁申请",
        "请示",
        "请示书",
    ),
    labels={
        "read": Words(ja="読み取り", en="Read", zh="读取"),
        "lay_out": Words(ja="書類作成", en="Lay out", zh="制作文件"),
        "approve": Words(ja="承認", en="Approval", zh="审批"),
        "number": Words(ja="採番", en="Number", zh="编号"),
        "issue": Words(ja="発行", en="Issue", zh="开具"),
        "deliver": Words(ja="お届け", en="Deliver", zh="送达"),
    },
    form=FORM,
    begin=begin,
    answer=answer,
    attach=attach,
    edit=edit,
    summarise=summarise,
    deal=deal,
    terms=terms,
    route=resources.files(__package__).joinpath("ringi.routes.toml").read_text("utf-8"),
    facts=facts,
)
