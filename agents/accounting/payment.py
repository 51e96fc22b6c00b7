"""A transfer file (総合振込): gather what is approved, write it, have it approved, hand it out."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from hashlib import sha256
from importlib import resources
from zoneinfo import ZoneInfo

from core import payables
from core.agent import (
    Agent,
    Approval,
    Approved,
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
from core.bank_accounts import BankAccounts, Whose, place
from core.bank_days import next_bank_day
from core.catalogue import Catalogue
from core.company import Company
from core.documents import Files
from core.errors import Choice, NeedsInput, Permanent, Question
from core.forms import FormErrors, FormField, FormSpec, FormValues, date_value
from core.messages import Field, Line
from core.money import yen
from core.paper import PNG, first_page, midnight
from core.payment_terms import breaches
from core.reading.dates import find_dates
from core.reading.text import fold
from core.tasks import Task
from core.transfer import consignor
from core.transfer.reader import Broken, read
from core.transfer.records import Payment, Transfer, render
from core.typeset import preview
from core.unit import Unit
from core.words import Language, Words, lines, same

TITLE = Words(ja="振込データ", en="Transfer file", zh="汇款数据")
PAY_ON = Words(ja="振込指定日", en="Date of transfer", zh="汇款日")
COUNT = Words(ja="件数", en="Payments", zh="笔数")
TOTAL = Words(ja="振込合計", en="Total", zh="汇款合计")
FILE_HASH = Words(ja="ファイルの SHA-256", en="SHA-256 of the file", zh="文件 SHA-256")
ASK_DAY = Words(
    ja="いつ振り込みますか（例: 12/25）。銀行休業日なら次の営業日になります。",
    en="When is it to be paid (such as Dec 25)? Where banks are closed, it is the next day they "
    "are not.",
    zh="何时汇款（例如: 12月25日）？如遇银行休息日则顺延至下一营业日。",
)
SOONEST = Words(
    ja="次の銀行営業日（{day}）", en="Next bank day ({day})", zh="下一银行营业日（{day}）"
)
PAST_DAY = Words(
    ja="振込指定日が過ぎています。", en="The date of transfer has passed.", zh="汇款日已过。"
)
TOO_FAR = Words(
    ja="振込指定日は{most}日以内の日にしてください。",
    en="The date of transfer has to be within {most} days.",
    zh="汇款日须在{most}天以内。",
)
MOVED = Words(
    ja="{asked} は銀行休業日のため、振込日は {pay_on} です。",
    en="Banks are closed on {asked}; it is paid on {pay_on}.",
    zh="{asked} 为银行休息日，汇款日改为 {pay_on}。",
)
NOTHING = Words(
    ja="振り込む承認済みの依頼がありません。",
    en="There is nothing approved to be paid.",
    zh="没有可汇款的已批准申请。",
)
LEFT_OUT = Words(
    ja="口座の登録がないため含めていません: {who}（「miyabi payees set」で登録できます）",
    en="Left out, as no bank account is known: {who} (“miyabi payees set” sets one)",
    zh="因未登记银行账户而未包含: {who}（可用“miyabi payees set”登记）",
)
ACCOUNT_CHANGED = Words(
    ja="{who} の口座の登録が変わりました。修正（revise）してやり直してください。",
    en="The bank account of {who} has changed meanwhile. Revise the task.",
    zh="{who} 的银行账户登记已变更。请修改（revise）后重试。",
)
DAY_OVER = Words(
    ja="振込指定日 {pay_on} が過ぎたため発行しません。修正（revise）で新しい日を指定してください。",
    en="{pay_on}, the date of transfer, has passed, so the file is not issued. Revise the task "
    "with a new date.",
    zh="汇款日 {pay_on} 已过，文件不予签发。请修改（revise）并指定新日期。",
)
BESIDE = Words(
    ja="進行中の別の振込データに含まれる依頼は含めていません: {runs}",
    en="What another run that is under way has taken is not in it: {runs}",
    zh="其他进行中的汇款数据已包含的申请不在此内: {runs}",
)
NOT_THE_FILE = Words(
    ja="振込データが承認されたものと一致しません（{why}）。",
    en="The transfer file is not what was approved ({why}).",
    zh="汇款数据与批准的内容不一致（{why}）。",
)

PICTURE = Words(ja="振込先の一覧", en="Everybody who is paid", zh="收款人一览")
MORE = Words(
    ja="… ほか {n}件（miyabi show {task} --json で全件）",
    en="… and {n} more (all of them: miyabi show {task} --json)",
    zh="… 另有 {n}笔（全部: miyabi show {task} --json）",
)

_TEXT = "text/plain"
_MOST_DAYS = 180
"""Days ahead for which a file can be made: its form has a day and a month, and no year."""
_NAMED_AT_MOST = 20  # people in one note
_PICTURED_AT_MOST = 200  # rows of the picture


@dataclass(frozen=True, slots=True)
class PaymentAsk:
    """When to pay: what was said, or the form's date."""

    text: str
    today: date
    day: date | None = None


@dataclass(frozen=True, slots=True)
class When:
    """The day on which banks pay it, and the day that was asked for."""

    pay_on: date
    asked: date


@dataclass(frozen=True, slots=True)
class Item:
    """One approved task's payment. `place` is bank, branch and the end of the account's number,
    `mark` what tells the account from any other."""

    reference: int
    whose: Whose
    name: str
    amount: int
    place: str
    mark: str
    received_on: date | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """What is paid, and who is left out as nobody knows where to pay them. `beside`: references of
    other runs under way."""

    items: tuple[Item, ...]
    left_out: tuple[str, ...]
    beside: tuple[int, ...] = ()

    @property
    def total(self) -> int:
        return sum(item.amount for item in self.items)


@dataclass(frozen=True, slots=True)
class TransferFile(Document):
    """The file as it is shown for approval."""


@dataclass(frozen=True, slots=True)
class Confirmed:
    """That the file, read back, is the one that was approved, and in time."""

    total: int


@dataclass(frozen=True, slots=True)
class Settled:
    """That all of it is still owed."""

    total: int


@dataclass(frozen=True, slots=True)
class Issued(Document):
    """The same file under its number."""


# The procedure


async def choose_day(ask: PaymentAsk) -> When:
    """The first bank day from the day that was asked for; asks where none can be read."""
    asked = ask.day or _day_in(ask.text, ask.today)
    if asked is None:
        soonest = next_bank_day(ask.today + timedelta(days=1)).isoformat()
        choice = Choice(soonest, SOONEST.fill(day=soonest))
        raise NeedsInput(Question("day", ASK_DAY, (choice,), "date"))
    wrong = _wrong_day(asked, ask.today)
    if wrong is not None:
        raise NeedsInput(Question("day", lines([wrong, ASK_DAY]), kind="date"))
    return When(next_bank_day(asked), asked)


async def gather(
    work: Unit, task: Task, when: When, company: Company, accounts: BankAccounts
) -> Run:
    """Take all that is approved and not yet paid; nobody else can until this run is over."""
    consignor.payer(company.transfer)  # before anything is taken for a file that can't be written
    gathered = await payables.gather(work, task, when.pay_on, accounts)
    left_out = tuple(f"{each.name} (#{each.reference})" for each in gathered.without_account)
    if not gathered.payables:
        raise Permanent(lines([NOTHING, *_left_out(left_out), *_beside(gathered.runs)]))
    items = tuple(
        Item(
            each.reference, each.whose, each.name, each.amount, place(account),
            accounts.mark(account), each.received_on,
        )
        for each, account in gathered.payables
    )  # fmt: skip
    return Run(items, left_out, gathered.runs)


async def write(
    when: When, run: Run, company: Company, accounts: BankAccounts, files: Files, task: TaskInfo
) -> TransferFile:
    """The file. Accounts are read again: results of steps do not hold them."""
    code, payer = consignor.payer(company.transfer)
    known = await accounts.known()
    payments: list[Payment] = []
    for item in run.items:
        account = known.get(item.whose)
        if account is None or accounts.mark(account) != item.mark:
            raise Permanent(ACCOUNT_CHANGED.fill(who=item.name))
        payments.append(Payment(account, item.amount))
    content = render(Transfer(code, payer, when.pay_on, tuple(payments)))
    name = f"transfer_{when.pay_on:%Y%m%d}_{task.reference}.txt"
    sha256 = await files.put(content, _TEXT)
    data = _picture_data(when, run, task, sha256)
    template = resources.files(__package__).joinpath("payment.typ").read_bytes()
    picture = await preview(template, data, {}, at=midnight(when.pay_on))
    return TransferFile(sha256, name, _TEXT, 1, await files.put(picture, PNG))


def _picture_data(when: When, run: Run, task: TaskInfo, sha256: str) -> dict[str, object]:
    language = task.language
    left = len(run.items) - _PICTURED_AT_MOST
    more = MORE.fill(n=left, task=f"#{task.reference}").to(language) if left > 0 else ""
    return {
        "language": language,
        "title": f"{TITLE.to(language)} {when.pay_on:%Y-%m-%d}",
        "total": yen(run.total, language),
        "about": f"#{task.reference}  {COUNT.to(language)}: {len(run.items)}",
        "rows": [
            [f"#{item.reference}", item.name, item.place, yen(item.amount, language)]
            for item in run.items[:_PICTURED_AT_MOST]
        ],
        "more": more,
        "hash": f"SHA-256 {sha256}",
    }


async def confirm(
    approved: Approved, file: TransferFile, when: When, run: Run, company: Company, files: Files
) -> Confirmed:
    """Read the file back before it gets a number: it is what was approved, adds up, and its day is
    still to come."""
    if datetime.now(ZoneInfo(company.time_zone)).date() > when.pay_on:
        raise Permanent(DAY_OVER.fill(pay_on=when.pay_on))
    content = await files.get(file.sha256)
    try:
        found = read(content)
    except Broken as error:
        raise Permanent(NOT_THE_FILE.fill(why=error)) from error
    said = (approved.shown_sha256, found.month, found.day, found.total, len(found.payments))
    pay_on = when.pay_on
    meant = (sha256(content).hexdigest(), pay_on.month, pay_on.day, run.total, len(run.items))
    if said != meant:
        raise Permanent(NOT_THE_FILE.fill(why=f"{said} / {meant}"))
    return Confirmed(found.total)


async def settle(work: Unit, task: Task, confirmed: Confirmed) -> Settled:
    """The last look at the claims: none was declared void since it was gathered."""
    await payables.check_still_owed(work, task)
    return Settled(confirmed.total)


async def issue(file: TransferFile, when: When, numbered: Numbered) -> Issued:
    """The file that was approved, byte for byte, under its number."""
    name = f"{numbered.number}_{when.pay_on:%Y%m%d}.txt"
    return Issued(file.sha256, name, file.media_type, file.pages)


# How people ask for it


def begin(text: str, form: FormValues | None, today: date) -> PaymentAsk:
    """The ask of a text or of a form."""
    return PaymentAsk(text, today, date_value(form, "day") if form is not None else None)


def answer(ask: PaymentAsk, key: str, value: str) -> PaymentAsk:
    """The ask with the day that the person named."""
    return replace(ask, text=value, day=None)


def _day_in(text: str, today: date) -> date | None:
    """The longest date of a text."""
    found = [each for each in find_dates(fold(text[:1000]).text, today) if each.value is not None]
    return (
        max(found, key=lambda each: (each.end - each.start, -each.start)).value if found else None
    )


def _wrong_day(day: date, today: date) -> Words | None:
    if day < today:
        return PAST_DAY
    too_far = day > today + timedelta(days=_MOST_DAYS)
    return TOO_FAR.fill(most=_MOST_DAYS) if too_far else None


def check_form(values: FormValues, catalogue: Catalogue, today: date) -> FormErrors:
    """What is wrong with a form, by field."""
    day = date_value(values, "day")
    wrong = ASK_DAY if day is None else _wrong_day(day, today)
    return {} if wrong is None else {"day": wrong}


FORM = FormSpec(
    title=TITLE,
    fields=(FormField("day", "date", PAY_ON, required=True),),
    check=check_form,
)


def edit(results: Results) -> FormValues:
    """The values to fill the form with when the run is to be changed."""
    when: When | None = results.get(When)
    return {} if when is None else {"day": when.asked}


# How it is shown


def summarise(results: Results, language: Language) -> Summary:
    """Who is paid how much and when; who is left out, and what the law says against it."""
    when: When | None = results.get(When)
    run: Run | None = results.get(Run)
    if when is None:
        return Summary()
    fields = [Field(PAY_ON.to(language), f"{when.pay_on:%Y-%m-%d}")]
    if run is None:
        return Summary(fields=tuple(fields))
    fields.append(Field(COUNT.to(language), str(len(run.items))))
    file: TransferFile | None = results.get(TransferFile)
    if file is not None:
        fields.append(Field(FILE_HASH.to(language), file.sha256))
    return Summary(
        fields=tuple(fields),
        lines=tuple(
            Line(item.name, f"#{item.reference} {item.place}", yen(item.amount, language))
            for item in run.items
        ),
        totals=(Field(TOTAL.to(language), yen(run.total, language)),),
        note="\n".join(words.to(language) for words in _notes(when, run)),
        picture=first_page(file, PICTURE.to(language)),
        document=results.get(Issued),
    )


def _notes(when: When, run: Run) -> list[Words]:
    notes = _left_out(run.left_out) + _beside(run.beside)
    if when.asked != when.pay_on:
        notes.append(MOVED.fill(asked=when.asked, pay_on=when.pay_on))
    for item in run.items:
        if item.received_on is not None:
            broken = breaches(item.received_on, when.pay_on)
            who = f"{item.name} #{item.reference}"
            notes += [same("{who}: {why}").fill(who=who, why=each) for each in broken]
    return notes


def _left_out(names: tuple[str, ...]) -> list[Words]:
    if not names:
        return []
    more = f" … +{len(names) - _NAMED_AT_MOST}" if len(names) > _NAMED_AT_MOST else ""
    return [LEFT_OUT.fill(who=", ".join(names[:_NAMED_AT_MOST]) + more)]


def _beside(runs: tuple[int, ...]) -> list[Words]:
    return [BESIDE.fill(runs=", ".join(f"#{run}" for run in runs))] if runs else []


def facts(results: Results, catalogue: Catalogue) -> Mapping[str, object]:
    """The run as data; amounts in yen."""
    when: When | None = results.get(When)
    run: Run | None = results.get(Run)
    file: TransferFile | None = results.get(TransferFile)
    return {
        "pay_on": when.pay_on.isoformat() if when else None,
        "payments": [
            {"task": item.reference, "name": item.name, "amount": item.amount}
            for item in (run.items if run else ())
        ],
        "left_out": list(run.left_out) if run else [],
        "total": run.total if run else None,
        "sha256": file.sha256 if file else None,
    }


def terms(results: Results) -> Terms:
    """For conditions of routes: `amount`, and how many `payments` there are."""
    run: Run | None = results.get(Run)
    return {} if run is None else {"amount": run.total, "payments": len(run.items)}


def deal(results: Results) -> Deal:
    """What is paid altogether, and to whom."""
    run: Run = results[Run]
    return Deal(amount=run.total, words=tuple(sorted({item.name for item in run.items})))


agent = Agent(
    name="payment",
    number="P",
    asks=PaymentAsk,
    version=1,
    steps=(
        choose_day,
        Record(gather),
        write,
        Approval(route="payment", shows=TransferFile),
        confirm,
        Record(settle),
        Number(),
        issue,
        Deliver(shows=Issued),
    ),
    title=TITLE,
    example=Words(ja="振込データ 12/25", en="payment run Dec 25", zh="汇款数据 12月25日"),
    words=("振込データ", "総合振込", "payment run", "payout", "汇款数据", "批量汇款"),
    labels={
        "choose_day": Words(ja="振込日", en="Day", zh="汇款日"),
        "gather": Words(ja="集計", en="Gather", zh="汇总"),
        "write": Words(ja="ファイル作成", en="Write the file", zh="制作文件"),
        "approve": Words(ja="承認", en="Approval", zh="审批"),
        "confirm": Words(ja="照合", en="Check", zh="核对"),
        "settle": Words(ja="確定", en="Settle", zh="确定"),
        "number": Words(ja="採番", en="Number", zh="编号"),
        "issue": Words(ja="発行", en="Issue", zh="签发"),
        "deliver": Words(ja="お渡し", en="Deliver", zh="交付"),
    },
    keeps_draft=True,
    form=FORM,
    begin=begin,
    answer=answer,
    edit=edit,
    summarise=summarise,
    deal=deal,
    facts=facts,
    terms=terms,
    own_terms={"payments": "number"},
    route=resources.files(__package__).joinpath("payment.routes.toml").read_text("utf-8"),
)
