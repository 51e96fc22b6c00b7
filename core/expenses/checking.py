"""A claim by the company's rules: accounts, tax, credit, limits, what an approver should see."""

from collections.abc import Mapping

from core.expenses.claim import Checked, CheckedLine, Claim, ClaimLine, Reduction
from core.expenses.policy import Category, Exemption, Policy
from core.money import spoken_yen
from core.reading import calendar
from core.reading.text import key_of
from core.withholding import split_fee
from core.words import Words, same

WEEKEND = Words(
    ja="{day} は土日祝日です",
    en="{day} was a weekend or a holiday",
    zh="{day} 是周末或节假日",
)
TWICE = Words(
    ja="この申請の{n}件目と日付・金額・支払先が同じです",
    en="Same day, amount and payee as line {n} of this claim",
    zh="与本单第{n}项的日期、金额、收款方相同",
)
OVER_LIMIT = Words(
    ja="{name}の上限{limit}を超えています",
    en="Over the limit of {limit} for {name}",
    zh="超过{name}的上限{limit}",
)
OF_EACH = Words(ja="1名あたり{limit}", en="{limit} a person", zh="每人{limit}")
CUT = Words(
    ja="承認額は請求額より少ない: 請求{claimed}、承認{approved}（{why}）",
    en="Less is approved than claimed: {claimed} claimed, {approved} approved ({why})",
    zh="批准金额少于申请金额: 申请{claimed}，批准{approved}（{why}）",
)
REDUCED_BY = Words(
    ja="{by}さんによる減額: {why}", en="reduced by {by}: {why}", zh="由{by}减额: {why}"
)
NO_NUMBER = Words(
    ja="登録番号なし: 仕入税額控除は{percent}%",
    en="No registration number: {percent}% of the tax may be credited",
    zh="无登记编号: 可抵扣税额的{percent}%",
)
EXEMPT: Mapping[Exemption, Words] = {
    "transport": Words(
        ja="インボイス不要: 公共交通機関（3万円未満）",
        en="No invoice needed: public transport below the limit",
        zh="无需合格发票: 公共交通（限额以下）",
    ),
    "trip": Words(
        ja="インボイス不要: 出張旅費・宿泊費・日当",
        en="No invoice needed: business-trip lodging or daily allowance",
        zh="无需合格发票: 出差住宿或津贴",
    ),
    "vending": Words(
        ja="インボイス不要: 自動販売機（3万円未満）",
        en="No invoice needed: vending machine below the limit",
        zh="无需合格发票: 自动售货机（限额以下）",
    ),
}
WITHHELD = Words(
    ja="源泉徴収: {withheld}（本人の受取額 {paid}）",
    en="Withholding tax: {withheld} ({paid} to the individual)",
    zh="代扣所得税: {withheld}（本人实收 {paid}）",
)


def check(claim: Claim, reductions: Mapping[str, Reduction], policy: Policy, grade: str) -> Checked:
    """The claim by the rules. `reductions` are by a line's place, from "1"."""
    seen: dict[tuple[object, ...], int] = {}
    lines: list[CheckedLine] = []
    for n, line in enumerate(claim.lines, 1):
        category = policy.category(line.category)
        first = seen.setdefault((line.day, line.amount, key_of(line.payee)), n)
        twice = (TWICE.fill(n=first),) if first != n else ()
        lines.append(_checked(line, category, reductions.get(str(n)), policy, grade, twice))
    return Checked(tuple(lines))


def _checked(
    line: ClaimLine,
    category: Category | None,
    reduction: Reduction | None,
    policy: Policy,
    grade: str,
    twice: tuple[Words, ...],
) -> CheckedLine:
    remarks = [*([line.how] if line.how else []), *twice]
    if policy.weekends and not calendar.is_business_day(line.day):
        remarks.append(WEEKEND.fill(day=line.day))
    approved, limited = _approved(line, category, reduction, grade)
    remarks += limited
    tax = line.tax if line.tax is not None else _tax_within(approved, line.rate)
    credit = 100
    if line.exemption is not None:
        remarks.append(EXEMPT[line.exemption])
    elif line.registration is None and line.rate:
        credit = policy.credit_on(line.day)
        remarks.append(NO_NUMBER.fill(percent=credit))
    tax, withheld = min(tax, approved), 0
    if category is not None and category.withheld:
        fee = split_fee(approved - tax, tax, shown_apart=line.tax is not None)
        withheld = fee.withheld
        remarks.append(WITHHELD.fill(withheld=spoken_yen(withheld), paid=spoken_yen(fee.paid)))
    return CheckedLine(
        line=line,
        name=category.name if category else same(line.category),
        account=category.account if category else "",
        approved=approved,
        tax=tax,
        credit=credit,
        withheld=withheld,
        remarks=tuple(remarks),
    )


def _approved(
    line: ClaimLine, category: Category | None, reduction: Reduction | None, grade: str
) -> tuple[int, list[Words]]:
    """What of a line is put up for approval, and why that is less or may be too much."""
    approved, remarks = line.amount, list[Words]()
    limit = category.limit(grade) if category else None
    if category is not None and limit is not None:
        most = limit.yen * (line.people or 1) if limit.each else limit.yen
        of_one = spoken_yen(limit.yen)
        over = OVER_LIMIT.fill(
            name=category.name, limit=OF_EACH.fill(limit=of_one) if limit.each else of_one
        )
        if line.amount > most and limit.over == "cut":
            approved = most
            remarks.append(_less(line.amount, most, over))
        elif line.amount > most:
            remarks.append(over)
    if reduction is not None and reduction.amount < approved:
        approved = reduction.amount
        why = REDUCED_BY.fill(by=same(reduction.by), why=same(reduction.reason))
        remarks.append(_less(line.amount, approved, why))
    return approved, remarks


def _less(claimed: int, approved: int, why: Words) -> Words:
    return CUT.fill(claimed=spoken_yen(claimed), approved=spoken_yen(approved), why=why)


def _tax_within(amount: int, rate: int) -> int:
    """The tax in an amount that includes it, fractions cut."""
    return amount * rate // (100 + rate)
