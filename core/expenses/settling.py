"""From what was read to a complete claim: what the answers settle, and what to ask next.

An amount beside 往復 (round trip) is for both ways, as people write it; only one that is said to be
of one way (片道) is doubled. 割り勘 (a split bill) is always asked about. Both is told on the card,
so that whoever approves sees what was taken for what.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from core.errors import Choice, NeedsInput, Permanent, Question, Refused
from core.expenses.claim import Claim, ClaimLine
from core.expenses.policy import Category, Exemption, Policy
from core.money import spoken_yen, yen
from core.reading import calendar
from core.reading.expense import (
    MOST_LINES,
    Amount,
    Entry,
    read_attendees,
    read_day,
    read_expenses,
    read_people,
    read_yen,
)
from core.reading.text import fold
from core.registration import registration_number
from core.words import LANGUAGES, Words, same

ASK_LINES = Words(
    ja="何の経費ですか？1件1行で書いてください"
    "（例: 11/20 タクシー 2,340円 品川→新宿 ABC商事訪問）。",
    en="What was paid? Write one line each, such as: Nov 20 taxi 2,340 yen Shinagawa to Shinjuku, "
    "visit to ABC.",
    zh="请问是什么费用？每项写一行（例: 11月20日 出租车 2,340日元 品川→新宿 拜访ABC）。",
)
NOT_UNDERSTOOD = Words(
    ja="「{answer}」は分かりませんでした。{again}",
    en="“{answer}” was not understood. {again}",
    zh="无法理解“{answer}”。{again}",
)
OF_LINE = Words(
    ja="{n}件目「{words}」: {asked}",
    en="Line {n}, “{words}”: {asked}",
    zh="第{n}项“{words}”: {asked}",
)
ASK_DAY = Words(ja="いつの支払いですか？", en="On which day was it paid?", zh="请问是哪天支付的？")
NO_SUCH_DAY = Words(
    ja="その日付は暦にありません。いつの支払いですか？",
    en="There is no such day. On which day was it paid?",
    zh="不存在这个日期。请问是哪天支付的？",
)
DAY_TO_COME = Words(
    ja="{day} はまだ来ていません。いつの支払いですか？",
    en="{day} is yet to come. On which day was it paid?",
    zh="{day} 尚未到来。请问是哪天支付的？",
)
TOO_OLD = Words(
    ja="{day} は{months}か月より前なので精算できません。日付が違う場合は書き直してください。",
    en="{day} is more than {months} months ago and can't be claimed. If that is a slip, write the "
    "right day.",
    zh="{day} 已超过{months}个月，不能报销。如日期有误请重新填写。",
)
ASK_AMOUNT = Words(
    ja="税込でいくらですか？", en="How much was it, tax included?", zh="请问含税金额是多少？"
)
WHICH_AMOUNT = Words(
    ja="金額がいくつかあります（{amounts}）。この件の税込金額はどれですか？",
    en="There are several amounts ({amounts}). Which is that of this line, tax included?",
    zh="有多个金额（{amounts}）。请问此项的含税金额是哪个？",
)
SUM = Words(ja="合計 {amount}", en="the sum, {amount}", zh="合计 {amount}")
ASK_SHARE = Words(
    ja="割り勘です。{amount}はご自分の負担分ですか、全員分ですか？（金額を書いても構いません）",
    en="The bill was split. Is {amount} your own share or all of it? (You may write the amount.)",
    zh="这是分摊的。{amount}是您自己的部分，还是全体的总额？（也可以直接写金额）",
)
MINE = Words(ja="自分の分 {amount}", en="my share, {amount}", zh="自己的部分 {amount}")
WHOLE = Words(
    ja="全員分。自分は{n}分の1で {amount}",
    en="the whole bill; my {n}th of it is {amount}",
    zh="总额，自己占{n}分之一 {amount}",
)
ASK_PEOPLE = Words(
    ja="ご自分を含めて何名でしたか？",
    en="How many people, yourself included?",
    zh="包括您本人共几位？",
)
EACH_OR_ALL = Words(
    ja="{n}名で{amount}は、全員分ですか、1名分ですか？",
    en="Is {amount} for all {n} people or for each?",
    zh="{n}位的{amount}，是总额还是每位的金额？",
)
FOR_ALL = Words(ja="全員分 {amount}", en="for all, {amount}", zh="总额 {amount}")
FOR_EACH = Words(
    ja="1名分。合わせて {amount}", en="for each; together {amount}", zh="每位。合计 {amount}"
)
ASK_CATEGORY = Words(ja="どの費目ですか？", en="Which category is it?", zh="请问属于哪个费用类别？")
ASK_PAYEE = Words(ja="支払先はどこですか？", en="Who was paid?", zh="请问支付给谁？")
ASK_PURPOSE = Words(ja="何のための支払いですか？", en="What was it for?", zh="请问用途是什么？")
ASK_ATTENDEES = Words(
    ja="参加者の氏名（会社名）と、ご自分を含む人数を書いてください"
    "（例: ABC商事 佐藤様、伊藤様 計3名）。",
    en="Write who took part and how many, yourself included (such as: Sato (ABC), Ito, 3 people).",
    zh="请填写参加者姓名（公司）以及包括您本人的人数（例: ABC公司 佐藤、伊藤 共3人）。",
)
BAD_REGISTRATION = Words(
    ja="登録番号「{number}」が正しくありません。正しい番号（T+13桁）を書くか、番号なしを選んでください。",
    en="“{number}” is not a valid registration number. Write the right one (T and 13 digits), or "
    "choose that there is none.",
    zh="登记编号“{number}”不正确。请填写正确编号（T加13位数字），或选择没有编号。",
)
NEEDS_NUMBER = Words(
    ja="公共交通機関でも1回の取引が{limit}以上の場合はインボイスが必要です。"
    "登録番号（T+13桁）を書いてください。",
    en="Public transport of {limit} and more in one transaction needs an invoice. Write the "
    "registration number (T and 13 digits).",
    zh="公共交通单笔{limit}及以上需要合格发票。请填写登记编号（T加13位数字）。",
)
NO_NUMBER = Words(ja="番号なし", en="There is none", zh="没有编号")
OVER = Words(
    ja="{name}の上限{limit}を超えているため申請できません。金額を直してください。",
    en="That is over the limit of {limit} for {name} and can't be claimed. Correct the amount.",
    zh="超过{name}的上限{limit}，不能申请。请修改金额。",
)
LEAVE_OUT = Words(ja="この件を除く", en="Leave it out", zh="去掉此项")
TOO_MANY = Words(
    ja="一度に精算できるのは{most}件までです。分けて申請してください。",
    en="A claim has at most {most} lines. Claim the rest in another one.",
    zh="一次最多报销{most}项。请分开申请。",
)
BOTH_WAYS = Words(
    ja="往復。{amount}は往復の合計として扱いました",
    en="Round trip; {amount} was taken for both ways together",
    zh="往返。{amount}按往返合计处理",
)
DOUBLED = Words(
    ja="往復。片道{amount}×2", en="Round trip; {amount} one way, twice", zh="往返。单程{amount}×2"
)
TIMES = Words(ja="{amount}×{n}", en="{amount} × {n}", zh="{amount}×{n}")
SHARED = Words(
    ja="割り勘。全員分{amount}の{n}分の1（1円未満切捨て）",
    en="A split bill; one {n}th of {amount}, fractions cut",
    zh="分摊。总额{amount}的{n}分之一（舍去尾数）",
)
OWN_SHARE = Words(
    ja="割り勘。金額は自分の負担分",
    en="A split bill; the amount is the own share",
    zh="分摊。金额为本人部分",
)
DROP = "-"
"""The answer that leaves a line out."""
_NONE = "none"
_OWN = re.compile(r"^own|自分|私の|本人|\bmy\b|自己")
_ALL = re.compile(r"^all\b|全員|全部|全体|合計|\bwhole\b|\btotal\b|总额")
_EACH = re.compile(r"^each\b|1名|一人|1人|per (?:person|head)|每位|每人")
_MOST_CATEGORIES = 20


@dataclass(frozen=True, slots=True)
class Rules:
    """By what a claim is settled: policy, the day of the request, since when, for what grade.

    `oldest` is the first day that can still be claimed.
    """

    policy: Policy
    today: date
    oldest: date
    grade: str = ""


def rules_for(policy: Policy, today: date, asked_on: date, grade: str) -> Rules:
    """`asked_on` is when the claim was first handed in: a correction makes it no older."""
    first = min(today, asked_on)
    return Rules(policy, today, calendar.months_later(first, -policy.months) or first, grade)


def settle(entries: Iterable[Entry], answers: Mapping[str, str], rules: Rules) -> Claim:
    """The complete claim. Raises NeedsInput with the next question while something is open."""
    entries = tuple(entries)
    if not entries and "lines" in answers:
        entries = read_expenses(answers["lines"], rules.today)
    if len(entries) > MOST_LINES:
        raise Permanent(TOO_MANY.fill(most=MOST_LINES))
    asked = [_Line(n, entry, answers, rules) for n, entry in enumerate(entries, 1)]
    lines = tuple(line.settled() for line in asked if not line.is_left_out)
    if not lines:
        prompt = ASK_LINES
        if "lines" in answers:
            prompt = NOT_UNDERSTOOD.fill(answer=answers["lines"][:60], again=prompt)
        raise NeedsInput(Question("lines", prompt))
    return Claim(lines)


@dataclass(frozen=True, slots=True)
class _Line:
    """One line on its way to be complete."""

    n: int
    entry: Entry
    answers: Mapping[str, str]
    rules: Rules

    @property
    def is_left_out(self) -> bool:
        return any(
            value == DROP and key.partition(":")[2] == str(self.n)
            for key, value in self.answers.items()
        )

    def settled(self) -> ClaimLine:
        entry = self.entry
        day = self._day()
        category = self._category()
        amount, how, people = self._amount(category)
        payee = self._text("payee", entry.payee, ASK_PAYEE)
        purpose = self._text("purpose", entry.purpose, ASK_PURPOSE)
        attendees, people = self._attendees(category, people)
        self._check_limit(category, amount, people)
        told = fold(f"{entry.words} {payee} {purpose}").text
        rate = entry.rate if entry.rate is not None else self.rules.policy.rate_told_by(told)
        registration = self._registration()
        exemption = None if registration else self._exemption(told, category, amount)
        if registration is None and exemption is None:
            registration = self._number_that_is_needed(told, amount)
        return ClaimLine(
            day=day,
            payee=payee,
            purpose=purpose,
            category=category.key,
            amount=amount,
            rate=10 if rate is None else rate,
            registration=registration,
            exemption=exemption,
            attendees=attendees,
            people=people,
            tax=entry.tax if entry.tax is not None and entry.tax < amount else None,
            how=how,
        )

    def _answer(self, key: str) -> str | None:
        return self.answers.get(f"{key}:{self.n}")

    def _ask(
        self, key: str, asked: Words, choices: Iterable[Choice] = (), *, understood: bool = False
    ) -> NeedsInput:
        """The question; asked again it says which answer was not understood."""
        given = self._answer(key)
        if given is not None and not understood:
            asked = NOT_UNDERSTOOD.fill(answer=given[:60], again=asked)
        words = " ".join(self.entry.words.split())
        words = f"{words[:39]}…" if len(words) > 40 else words
        prompt = OF_LINE.fill(n=self.n, words=words, asked=asked)
        return NeedsInput(Question(f"{key}:{self.n}", prompt, (*choices, Choice(DROP, LEAVE_OUT))))

    def _text(self, key: str, read: str, asked: Words) -> str:
        text = read or (self._answer(key) or "").strip()
        if not text:
            raise self._ask(key, asked)
        return text

    # The day

    def _day(self) -> date:
        answer = self._answer("day")
        day = self.entry.day if answer is None else read_day(answer, self.rules.today)
        if day is None:
            raise self._ask("day", NO_SUCH_DAY if self.entry.wrong_day else ASK_DAY)
        if day > self.rules.today:
            raise self._ask("day", DAY_TO_COME.fill(day=day), understood=True)
        if day < self.rules.oldest:
            too_old = TOO_OLD.fill(day=day, months=self.rules.policy.months)
            raise self._ask("day", too_old, understood=True)
        return day

    # The amount

    def _amount(self, category: Category) -> tuple[int, Words | None, int | None]:
        """The amount, how it came about, and how many people it is for."""
        answer = self._answer("amount")
        given = read_yen(answer) if answer is not None else None
        people = self.entry.people
        if given is not None:
            return given, None, people
        if not self.entry.amounts:
            raise self._ask("amount", ASK_AMOUNT)
        first, *others = self.entry.amounts
        if others:
            raise self._ask("amount", self._several(), self._choices())
        if first.times > 1:
            how = TIMES.fill(amount=spoken_yen(first.yen), n=first.times)
            return first.yen * first.times, how, first.times if first.of_people else people
        if self.entry.shared is not None:
            return (*self._shared(first.yen), people)
        if first.each or self._is_for_each_or_all(category):
            return self._for_people(first)
        return (*self._there_and_back(first.yen), people)

    def _there_and_back(self, amount: int) -> tuple[int, Words | None]:
        if not self.entry.round_trip:
            return amount, None
        if self.entry.one_way:
            return amount * 2, DOUBLED.fill(amount=spoken_yen(amount))
        return amount, BOTH_WAYS.fill(amount=spoken_yen(amount))

    def _several(self) -> Words:
        amounts = self.entry.amounts
        listed = Words(*(", ".join(yen(a.yen * a.times, at) for a in amounts) for at in LANGUAGES))
        return WHICH_AMOUNT.fill(amounts=listed)

    def _choices(self) -> list[Choice]:
        amounts = list(dict.fromkeys(each.yen * each.times for each in self.entry.amounts))[:4]
        each = [Choice(str(amount), spoken_yen(amount)) for amount in amounts]
        total = sum(amount.yen * amount.times for amount in self.entry.amounts)
        return [*each, Choice(str(total), SUM.fill(amount=spoken_yen(total)))]

    def _shared(self, amount: int) -> tuple[int, Words]:
        n = self.entry.shared or self._people() or 0
        answer = self._answer("share")
        if answer is not None and _OWN.search(fold(answer).text):
            return amount, OWN_SHARE
        if answer is not None and _ALL.search(fold(answer).text):
            return amount // n, SHARED.fill(amount=spoken_yen(amount), n=n)
        own = read_yen(answer) if answer is not None else None
        if own is not None:
            return own, OWN_SHARE
        choices = [
            Choice("own", MINE.fill(amount=spoken_yen(amount))),
            Choice("all", WHOLE.fill(n=n, amount=spoken_yen(amount // n))),
        ]
        raise self._ask("share", ASK_SHARE.fill(amount=spoken_yen(amount)), choices)

    def _is_for_each_or_all(self, category: Category) -> bool:
        """A fare beside several people may be of one of them; a bill of a meal is of all."""
        return category.key == "travel" and (self.entry.people or 1) > 1

    def _for_people(self, amount: Amount) -> tuple[int, Words | None, int]:
        n = self._people()
        answer = "each" if amount.each else fold(self._answer("each") or "").text
        if _ALL.search(answer):
            return amount.yen, None, n
        if _EACH.search(answer):
            return amount.yen * n, TIMES.fill(amount=spoken_yen(amount.yen), n=n), n
        choices = [
            Choice("all", FOR_ALL.fill(amount=spoken_yen(amount.yen))),
            Choice("each", FOR_EACH.fill(amount=spoken_yen(amount.yen * n))),
        ]
        raise self._ask("each", EACH_OR_ALL.fill(n=n, amount=spoken_yen(amount.yen)), choices)

    def _people(self) -> int:
        people = self.entry.people or read_people(self._answer("people") or "")
        if not people:
            raise self._ask("people", ASK_PEOPLE)
        return people

    # The category, and who took part

    def _category(self) -> Category:
        policy, entry = self.rules.policy, self.entry
        answer = self._answer("category")
        for text in (answer, entry.category):
            named = policy.named(text) if text else None
            if named is not None:
                return named
        for text in (answer or "", entry.category, entry.payee, entry.purpose, entry.words):
            told = policy.told_by(fold(text).text)
            if told is not None:
                return told
        choices = [Choice(each.key, each.name) for each in policy.categories[:_MOST_CATEGORIES]]
        raise self._ask("category", ASK_CATEGORY, choices)

    def _attendees(
        self, category: Category, people: int | None
    ) -> tuple[tuple[str, ...], int | None]:
        names = self.entry.attendees
        if not category.attendees:
            return names, people
        if not names:
            names, said = read_attendees(self._answer("attendees") or "")
            people = people or said
        if not names:
            raise self._ask("attendees", ASK_ATTENDEES)
        return names, people or self._people()

    def _check_limit(self, category: Category, amount: int, people: int | None) -> None:
        limit = category.limit(self.rules.grade)
        if limit is None or limit.over != "refused":
            return
        most = limit.yen * (people or 1) if limit.each else limit.yen
        if amount > most:
            over = OVER.fill(name=category.name, limit=spoken_yen(most))
            raise self._ask("amount", over, understood=True)

    # The supplier's number

    def _registration(self) -> str | None:
        answer = self._answer("registration")
        if answer == _NONE:
            return None
        typed = (answer or self.entry.registration).strip()
        if not typed:
            return None
        try:
            return registration_number(typed)
        except Refused as refused:
            asked = BAD_REGISTRATION.fill(number=same(typed[:30]))
            choices = [Choice(_NONE, NO_NUMBER)]
            raise self._ask("registration", asked, choices, understood=True) from refused

    def _exemption(self, told: str, category: Category, amount: int) -> Exemption | None:
        policy = self.rules.policy
        if amount < policy.vending_below and policy.exempt_by(told, "vending"):
            return "vending"
        if category.key != "travel":
            return None
        if amount < policy.transport_below and policy.exempt_by(told, "transport"):
            return "transport"
        return "trip" if policy.exempt_by(told, "trip") else None

    def _number_that_is_needed(self, told: str, amount: int) -> str | None:
        """Whoever goes by train is used to there being no invoice; of a large fare there is one."""
        policy = self.rules.policy
        if self._answer("registration") == _NONE or not policy.exempt_by(told, "transport"):
            return None
        if amount < policy.transport_below:
            return None
        asked = NEEDS_NUMBER.fill(limit=spoken_yen(policy.transport_below))
        raise self._ask("registration", asked, [Choice(_NONE, NO_NUMBER)])
