"""An expense claim: read what was paid, check it by the rules, have it approved, enter it."""

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
    Record,
    Results,
    Summary,
    TaskInfo,
    Terms,
)
from core.catalogue import Catalogue
from core.codec import dump
from core.company import Company
from core.documents import Files
from core.errors import Choice, Refused
from core.expenses import books
from core.expenses.books import Booked, Submitted
from core.expenses.checking import check as check_claim
from core.expenses.claim import Checked, CheckedLine, Claim, Reduction
from core.expenses.document import claim_data, remarks_on
from core.expenses.facts import entry_facts, line_facts, tax_by_rate
from core.expenses.policy import policy_of, usual_policy
from core.expenses.settling import rules_for, settle
from core.forms import (
    FormErrors,
    FormField,
    FormSpec,
    FormValues,
    amount_value,
    date_value,
    row_values,
    text_value,
)
from core.messages import Field, Line
from core.money import spoken_yen, yen
from core.paper import Paper, file_name, first_page, on_paper
from core.reading.expense import Amount, Entry, read_attendees, read_expenses
from core.registration import is_registration_number
from core.tasks import Task
from core.unit import Unit
from core.words import Language, Words

TITLE = Words(ja="経費精算書", en="Expense claim", zh="费用报销单")
PERSON = Words(ja="申請者", en="Claimed by", zh="报销人")
PERIOD = Words(ja="期間", en="Days", zh="期间")
CLAIMED = Words(ja="請求額（税込）", en="Claimed incl. tax", zh="申请金额（含税）")
APPROVED = Words(
    ja="承認額（請求より少ない）", en="Approved (less than claimed)", zh="批准金额（少于申请）"
)
FOR_APPROVAL = Words(
    ja="承認対象額（請求より少ない）",
    en="For approval (less than claimed)",
    zh="待批金额（少于申请）",
)
WITHHELD = Words(ja="源泉徴収税額", en="Withholding tax", zh="代扣所得税")
PAID = Words(ja="支払額", en="To be paid", zh="支付金额")
PAID_LESS = Words(
    ja="支払額（請求額 {claimed} より少ない）",
    en="To be paid (less than the {claimed} claimed)",
    zh="支付金额（少于申请的 {claimed}）",
)
RECEIPTS = Words(ja="領収書", en="Receipts", zh="收据")
FIRST_PAGE = Words(
    ja="経費精算書の1ページ目", en="First page of the expense claim", zh="费用报销单第1页"
)
DAY = Words(ja="日付", en="Day", zh="日期")
PAYEE = Words(ja="支払先", en="Paid to", zh="收款方")
PURPOSE = Words(ja="目的", en="Purpose", zh="用途")
CATEGORY = Words(ja="費目", en="Category", zh="费用类别")
AMOUNT = Words(ja="金額（税込）", en="Amount incl. tax", zh="金额（含税）")
REGISTRATION = Words(ja="登録番号", en="Registration number", zh="登记编号")
ATTENDEES = Words(ja="参加者と人数", en="Who took part, how many", zh="参加者及人数")

ADD_LINE = Words(
    ja="明細を1件以上入れてください。", en="Please add at least one line.", zh="请至少填写一项。"
)
DAY_TO_COME = Words(
    ja="まだ来ていない日付です。", en="That day is yet to come.", zh="该日期尚未到来。"
)
BAD_NUMBER = Words(
    ja="登録番号はT+13桁です。番号をご確認ください。",
    en="A registration number is T and 13 digits; check for a typing slip.",
    zh="登记编号为T加13位数字，请确认。",
)
NO_SUCH_LINE = Words(
    ja="{place}件目はありません（全{most}件）。",
    en="There is no line {place}; there are {most}.",
    zh="没有第{place}项（共{most}项）。",
)
NOT_LESS = Words(
    ja="いまの承認額 {approved} より少ない金額にしてください。",
    en="Give less than what is up for approval now, {approved}.",
    zh="请填写少于目前待批金额 {approved} 的金额。",
)
NEEDS_ATTENDEES = Words(
    ja="交際費には参加者の氏名と人数が必要です（例: ABC商事 佐藤様 計2名）。",
    en="Entertainment needs who took part and how many (such as: Sato (ABC), 2 people).",
    zh="招待费需要填写参加者姓名和人数（例: ABC公司 佐藤 共2人）。",
)


@dataclass(frozen=True, slots=True)
class ExpenseAsk:
    """What was claimed: a text with the answers given since, or a form that was filled in.

    `reductions` are by a line's place, from "1": what an approver lets pass of it.
    """

    text: str
    today: date
    answers: Mapping[str, str] = field(default_factory=dict)
    entries: tuple[Entry, ...] | None = None
    receipts: tuple[Attached, ...] = ()
    reductions: Mapping[str, Reduction] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Draft(Document):
    """The claim without number, as it is shown for approval."""


@dataclass(frozen=True, slots=True)
class Issued(Document):
    """The claim with its number and its date of issue."""


# The procedure


async def read(ask: ExpenseAsk, company: Company, files: Files, task: TaskInfo) -> Claim:
    """What was paid, line by line; asks for what can't be read for certain or can't be claimed."""
    policy = await policy_of(company, files)
    entries = read_expenses(ask.text, ask.today) if ask.entries is None else ask.entries
    rules = rules_for(policy, ask.today, task.asked_on, task.grade)
    return settle(entries, ask.answers, rules)


async def check(
    ask: ExpenseAsk, claim: Claim, company: Company, files: Files, task: TaskInfo
) -> Checked:
    """Accounts, tax and credit, limits, and what the approver should know."""
    policy = await policy_of(company, files)
    return check_claim(claim, ask.reductions, policy, task.grade)


async def submit(work: Unit, task: Task, checked: Checked) -> Submitted:
    """Into the books as handed in; what was claimed before, by anybody, is found there."""
    return await books.submit(work, task, checked)


async def lay_out(
    ask: ExpenseAsk,
    checked: Checked,
    submitted: Submitted,
    company: Company,
    files: Files,
    task: TaskInfo,
) -> Draft:
    """The document as it will be, with "(draft)" where the number will stand."""
    return Draft(*await _document(ask, checked, submitted, company, files, task, None))


async def book(work: Unit, task: Task, numbered: Numbered) -> Booked:
    """Into the books as approved: from now on it is paid."""
    return await books.approve(work, task, numbered.number)


async def issue(
    ask: ExpenseAsk,
    checked: Checked,
    submitted: Submitted,
    company: Company,
    files: Files,
    task: TaskInfo,
    numbered: Numbered,
) -> Issued:
    """The document that was approved, now with number and date of issue."""
    return Issued(*await _document(ask, checked, submitted, company, files, task, numbered))


async def _document(
    ask: ExpenseAsk,
    checked: Checked,
    submitted: Submitted,
    company: Company,
    files: Files,
    task: TaskInfo,
    numbered: Numbered | None,
) -> Paper:
    issued_on = numbered.issued_on if numbered else task.asked_on
    data = claim_data(
        checked,
        submitted,
        ask.receipts,
        company,
        person=task.requester,
        number=numbered.number if numbered else None,
        issued_on=issued_on,
        language=task.language,
        reference=f"#{task.reference}",
    )
    template = resources.files(__package__).joinpath("expense.typ").read_bytes()
    name = file_name(TITLE, task, numbered, task.language)
    return await on_paper(files, template, data, name, issued_on)


# How people ask for it


def begin(text: str, form: FormValues | None, today: date) -> ExpenseAsk:
    """The ask of a text or of a form."""
    return ExpenseAsk(text, today, entries=_form_entries(form) if form is not None else None)


def answer(ask: ExpenseAsk, key: str, value: str) -> ExpenseAsk:
    """The ask with what the person said to a question."""
    return replace(ask, answers={**ask.answers, key: value})


def attach(ask: ExpenseAsk, files: tuple[Attached, ...]) -> ExpenseAsk:
    """The ask with the receipts that were sent with it."""
    return replace(ask, receipts=files)


def reduce(results: Results, place: int, amount: int, reason: str, by: str) -> ExpenseAsk:
    """The ask of which a line is approved with less than was claimed; everything else stays."""
    ask: ExpenseAsk = results[ExpenseAsk]
    checked: Checked | None = results.get(Checked)
    lines = checked.lines if checked is not None else ()
    if not 1 <= place <= len(lines):
        raise Refused(NO_SUCH_LINE.fill(place=place, most=len(lines)))
    if amount >= lines[place - 1].approved:
        raise Refused(NOT_LESS.fill(approved=spoken_yen(lines[place - 1].approved)))
    reductions = {**ask.reductions, str(place): Reduction(amount, reason, by)}
    return replace(ask, reductions=reductions)


def _form_entries(values: FormValues) -> tuple[Entry, ...]:
    return tuple(map(_form_entry, row_values(values, "lines")))


def _form_entry(row: FormValues) -> Entry:
    amount = amount_value(row, "amount")
    payee, purpose = text_value(row, "payee"), text_value(row, "purpose")
    attendees, people = read_attendees(text_value(row, "attendees"))
    return Entry(
        words=" ".join(each for each in (payee, purpose) if each),
        day=date_value(row, "day"),
        amounts=(Amount(amount),) if amount is not None else (),
        payee=payee,
        purpose=purpose,
        category=text_value(row, "category"),
        registration=text_value(row, "registration"),
        attendees=attendees,
        people=people,
    )


def check_form(values: FormValues, catalogue: Catalogue, today: date) -> FormErrors:
    """What is wrong with a form, by field. What the company's own policy adds is asked later."""
    rows = row_values(values, "lines")
    if not rows:
        return {"lines:0": ADD_LINE}
    return {
        f"lines:{n}:{name}": wrong
        for n, row in enumerate(rows)
        for name, wrong in _row_errors(row, today)
    }


def _row_errors(row: FormValues, today: date) -> list[tuple[str, Words]]:
    errors: list[tuple[str, Words]] = []
    day = date_value(row, "day")
    if day is not None and day > today:
        errors.append(("day", DAY_TO_COME))
    number = text_value(row, "registration")
    if number and not is_registration_number(number):
        errors.append(("registration", BAD_NUMBER))
    category = usual_policy().category(text_value(row, "category"))
    names, people = read_attendees(text_value(row, "attendees"))
    if category is not None and category.attendees and not (names and people):
        errors.append(("attendees", NEEDS_ATTENDEES))
    return errors


ROW = (
    FormField("day", "date", DAY, required=True),
    FormField("payee", "text", PAYEE, required=True),
    FormField("amount", "amount", AMOUNT, required=True),
    FormField(
        "category",
        "choice",
        CATEGORY,
        required=True,
        choices=tuple(Choice(each.key, each.name) for each in usual_policy().categories),
    ),
    FormField("purpose", "text", PURPOSE, required=True),
    FormField("registration", "text", REGISTRATION, hint=BAD_NUMBER),
    FormField("attendees", "text", ATTENDEES, hint=NEEDS_ATTENDEES),
)
FORM = FormSpec(
    title=TITLE,
    fields=(
        FormField(
            "lines", "rows", Words(ja="明細", en="Lines", zh="明细"), required=True, rows=ROW
        ),
    ),
    check=check_form,
)


def edit(results: Results) -> FormValues:
    """The values to fill the form with when the claim is to be changed."""
    claim: Claim | None = results.get(Claim)
    if claim is None:
        return {}
    return {
        "lines": tuple(
            {
                "day": line.day,
                "payee": line.payee,
                "amount": line.amount,
                "category": line.category,
                "purpose": line.purpose,
                "registration": line.registration or "",
                "attendees": "、".join(line.attendees)
                + (f" {line.people}名" if line.people else ""),
            }
            for line in claim.lines
        )
    }


# How it is shown


def summarise(results: Results, language: Language) -> Summary:
    """The claim so far: what the thread and the approver's card show."""
    checked: Checked | None = results.get(Checked)
    if checked is None:
        return Summary()
    ask: ExpenseAsk = results[ExpenseAsk]
    days = sorted(each.line.day for each in checked.lines)
    period = days[0].isoformat() if days[0] == days[-1] else f"{days[0]} – {days[-1]}"
    fields = [Field(PERIOD.to(language), period)]
    if ask.receipts:
        names = ", ".join(receipt.name for receipt in ask.receipts)
        fields.append(Field(RECEIPTS.to(language), names))
    remarks = remarks_on(checked, results.get(Submitted))
    return Summary(
        fields=tuple(fields),
        lines=tuple(_line(each, language) for each in checked.lines),
        totals=_totals(checked, language, done=Booked in results),
        note="\n".join(remark.to(language) for remark in remarks),
        picture=first_page(results.get(Draft), FIRST_PAGE.to(language)),
        document=results.get(Issued),
    )


def _line(each: CheckedLine, language: Language) -> Line:
    line = each.line
    detail = [line.day.isoformat(), each.name.to(language), line.purpose]
    if line.attendees:
        detail.append(f"{'、'.join(line.attendees)} ({line.people})")
    amount = yen(line.amount, language)
    if each.approved < line.amount:
        amount = f"{amount} → {yen(each.approved, language)}"
    return Line(line.payee, " · ".join(detail), amount)


def _totals(checked: Checked, language: Language, *, done: bool) -> tuple[Field, ...]:
    shown = [Field(CLAIMED.to(language), yen(checked.total, language))]
    if checked.approved < checked.total:
        label = APPROVED if done else FOR_APPROVAL
        shown.append(Field(label.to(language), yen(checked.approved, language)))
    if checked.withheld:
        shown.append(Field(WITHHELD.to(language), yen(-checked.withheld, language)))
    if checked.approved < checked.total:  # the last one is what the end of the task says
        label = PAID_LESS.fill(claimed=spoken_yen(checked.total))
        shown.append(Field(label.to(language), yen(checked.paid, language)))
    elif checked.withheld:
        shown.append(Field(PAID.to(language), yen(checked.paid, language)))
    return tuple(shown)


def facts(results: Results, catalogue: Catalogue) -> Mapping[str, object]:
    """The claim as data; what the text says so far where it could not be read to the end."""
    ask: ExpenseAsk = results[ExpenseAsk]
    checked: Checked | None = results.get(Checked)
    submitted: Submitted | None = results.get(Submitted)
    receipts = [dump(each) for each in ask.receipts]
    if checked is None:
        entries = read_expenses(ask.text, ask.today) if ask.entries is None else ask.entries
        lines = [entry_facts(entry) for entry in entries]
        return {"claim": {"lines": lines, "total": None}, "receipts": receipts}
    return {
        "claim": {
            "lines": [line_facts(each) for each in checked.lines],
            "total": checked.total,
            "approved": checked.approved,
            "withheld": checked.withheld,
            "paid": checked.paid,
        },
        "total": checked.total,
        "tax": tax_by_rate(checked),
        "receipts": receipts,
        "twins": [
            {"line": twin.place, "task": f"#{twin.reference}", "who": twin.who}
            for twin in (submitted.twins if submitted else ())
        ],
    }


def terms(results: Results) -> Terms:
    """What the conditions of routes may ask: what is claimed in yen, and in which categories."""
    checked: Checked | None = results.get(Checked)
    if checked is None:
        return {}
    categories = dict.fromkeys(each.line.category for each in checked.lines)
    return {"amount": checked.total, "categories": tuple(categories)}


def deal(results: Results) -> Deal:
    """Whom money went to, how much it comes to, and what for."""
    checked: Checked = results[Checked]
    payees = list(dict.fromkeys(each.line.payee for each in checked.lines))
    purposes = [each.line.purpose for each in checked.lines]
    return Deal(payees[0], checked.approved, (*payees[1:], *purposes))


agent = Agent(
    name="expense",
    number="E",
    asks=ExpenseAsk,
    version=1,
    steps=(
        read,
        check,
        Record(submit),
        lay_out,
        Approval(route="expense", shows=Draft),
        Number(),
        Record(book),
        issue,
        Deliver(shows=Issued),
    ),
    title=TITLE,
    example=Words(
        ja="経費 11/20 タクシー 2,340円 品川→新宿 ABC商事訪問",
        en="expense Nov 20 taxi 2,340 yen Shinagawa to Shinjuku, visit to ABC",
        zh="报销 11月20日 出租车 2,340日元 品川→新宿 拜访ABC",
    ),
    words=(
        "expense",
        "expenses",
        "経費",
        "経費精算",
        "経費申請",
        "精算",
        "立替",
        "立替精算",
        "报销",
        "报销单",
    ),
    labels={
        "read": Words(ja="読み取り", en="Read", zh="读取"),
        "check": Words(ja="規程確認", en="Check", zh="核对规定"),
        "submit": Words(ja="重複確認", en="Look for doubles", zh="查重"),
        "lay_out": Words(ja="書類作成", en="Lay out", zh="制作文件"),
        "approve": Words(ja="承認", en="Approval", zh="审批"),
        "number": Words(ja="採番", en="Number", zh="编号"),
        "book": Words(ja="記帳", en="Enter", zh="入账"),
        "issue": Words(ja="発行", en="Issue", zh="开具"),
        "deliver": Words(ja="お届け", en="Deliver", zh="送达"),
    },
    form=FORM,
    begin=begin,
    answer=answer,
    attach=attach,
    edit=edit,
    reduce=reduce,
    summarise=summarise,
    deal=deal,
    terms=terms,
    own_terms={"categories": "list"},
    route=resources.files(__package__).joinpath("expense.routes.toml").read_text("utf-8"),
    facts=facts,
)
