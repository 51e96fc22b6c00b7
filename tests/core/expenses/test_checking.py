"""A claim by the rules: tax, credit, limits, what an approver should see."""

from dataclasses import replace
from datetime import date

import pytest

from core.errors import Refused
from core.expenses.checking import check
from core.expenses.claim import Claim, ClaimLine, Reduction
from core.expenses.policy import Limit, Policy, read_policy, usual_policy

TUESDAY = date(2026, 11, 24)
ONE = """
[[categories]]
key = "all"
name = { ja = "全部", en = "All", zh = "全部" }
account = "1"
words = ["タクシー"]
limits = [{ yen = 5000, over = "cut" }]
"""
LINE = ClaimLine(TUESDAY, "大塚商会", "用紙", "supplies", 1100, 10)


def limited(*limits: Limit, key: str = "supplies") -> Policy:
    usual = usual_policy()
    categories = tuple(
        replace(each, limits=limits) if each.key == key else each for each in usual.categories
    )
    return replace(usual, categories=categories)


def remarks(line: ClaimLine, policy: Policy | None = None, grade: str = "") -> str:
    checked = check(Claim((line,)), {}, policy or usual_policy(), grade)
    return "\n".join(remark.ja for remark in checked.lines[0].remarks)


@pytest.mark.parametrize(
    ("day", "percent"),
    [
        (date(2026, 9, 30), 80),
        (date(2026, 10, 1), 70),
        (date(2028, 9, 30), 70),
        (date(2028, 10, 1), 50),
        (date(2030, 10, 1), 30),
        (date(2031, 10, 1), 0),
    ],
)
def test_without_a_number_the_day_tells_how_much_is_credited(day: date, percent: int) -> None:
    [found] = check(Claim((replace(LINE, day=day),)), {}, usual_policy(), "").lines

    assert found.credit == percent
    assert f"登録番号なし: 仕入税額控除は{percent}%" in remarks(replace(LINE, day=day))


def test_with_a_number_or_an_exemption_all_is_credited() -> None:
    numbered = replace(LINE, registration="T7000012050002")
    exempt = replace(LINE, category="travel", exemption="transport")
    found = check(Claim((numbered, exempt)), {}, usual_policy(), "")

    assert [each.credit for each in found.lines] == [100, 100]


@pytest.mark.parametrize(
    ("amount", "rate", "tax"), [(1100, 10, 100), (1080, 8, 80), (1099, 10, 99), (500, 0, 0)]
)
def test_the_tax_within_an_amount_is_cut_to_whole_yen(amount: int, rate: int, tax: int) -> None:
    [found] = check(Claim((replace(LINE, amount=amount, rate=rate),)), {}, usual_policy(), "").lines

    assert found.tax == tax


def test_a_limit_is_shown_or_cuts_and_the_difference_is_said() -> None:
    shown = check(Claim((LINE,)), {}, limited(Limit(1000)), "")
    cut = check(Claim((LINE,)), {}, limited(Limit(1000, over="cut")), "")

    assert (shown.total, shown.approved) == (1100, 1100)
    assert "消耗品費の上限1,000円を超えています" in remarks(LINE, limited(Limit(1000)))
    assert (cut.total, cut.approved, cut.paid) == (1100, 1000, 1000)
    assert "承認額は請求額より少ない: 請求1,100円、承認1,000円" in remarks(
        LINE, limited(Limit(1000, over="cut"))
    )


def test_a_limit_of_a_grade_comes_first_and_one_of_each_counts_people() -> None:
    policy = limited(Limit(2000, grade="M1", each=True, over="cut"), Limit(500, over="cut"))
    dinner = replace(LINE, amount=9000, people=3)

    assert check(Claim((dinner,)), {}, policy, "M1").approved == 6000
    assert check(Claim((dinner,)), {}, policy, "").approved == 500


def test_what_an_approver_took_off_is_said_with_reason_and_name() -> None:
    cut = {"1": Reduction(800, "私物を含む", "鈴木 花子")}
    found = check(Claim((LINE, LINE)), cut, usual_policy(), "")

    assert [each.approved for each in found.lines] == [800, 1100]
    assert (found.total, found.approved) == (2200, 1900)
    assert "鈴木 花子さんによる減額: 私物を含む" in found.lines[0].remarks[-2].ja
    more = check(Claim((LINE,)), {"1": Reduction(5000, "?", "?")}, usual_policy(), "")
    assert more.approved == 1100  # never more than was claimed


def test_weekends_holidays_and_doubles_within_a_claim_are_hinted_at() -> None:
    assert "土日祝日" in remarks(replace(LINE, day=date(2026, 11, 21)))
    assert "土日祝日" in remarks(replace(LINE, day=date(2026, 11, 23)))  # 勤労感謝の日
    assert "土日祝日" not in remarks(LINE)
    found = check(Claim((LINE, replace(LINE, payee="ｵｵﾂｶ商会"), LINE)), {}, usual_policy(), "")
    assert "1件目と日付・金額・支払先が同じ" in found.lines[2].remarks[0].ja


@pytest.mark.parametrize(
    ("amount", "tax", "withheld", "paid"),
    [(110_000, 10_000, 10_210, 99_790), (110_000, None, 11_231, 98_769)],
)
def test_of_a_fee_to_an_individual_tax_is_withheld(
    amount: int, tax: int | None, withheld: int, paid: int
) -> None:
    fee = replace(LINE, category="fee", amount=amount, tax=tax)
    found = check(Claim((fee,)), {}, usual_policy(), "")

    assert (found.withheld, found.paid) == (withheld, paid)
    assert "源泉徴収" in remarks(fee)


def test_a_policy_of_the_companys_own_takes_the_place_of_the_usual_one() -> None:
    own = read_policy("months = 1\n" + ONE)

    assert own.months == 1
    assert own.told_by("タクシー") == own.categories[0]
    assert own.credit_on(TUESDAY) == 100


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("x", "TOML"),
        ("months = 3", "categories"),
        ('[[categories]]\nkey = "a"', "categories.0"),
        (f"colour = 1\n{ONE}", "colour"),
        (f"credit = [{{ from = 2026-01-01, percent = 101 }}]\n{ONE}", "credit.0.percent"),
        (ONE + ONE, "categories"),
    ],
)
def test_a_policy_with_an_error_is_refused_with_its_place(text: str, place: str) -> None:
    with pytest.raises(Refused) as refused:
        read_policy(text)

    assert place in refused.value.words.en


def test_a_word_stands_by_itself_in_latin_letters() -> None:
    usual = usual_policy()

    assert usual.told_by("business trip by bus") == usual.category("travel")
    assert usual.told_by("a busy business") is None
    assert usual.told_by("会食") == usual.category("entertainment")
