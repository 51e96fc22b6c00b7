"""What a claim leaves open is asked; what can't be claimed is refused, with the reason."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import NeedsInput, Permanent, Question
from core.expenses.claim import Claim, ClaimLine
from core.expenses.policy import Limit, Policy, usual_policy
from core.expenses.settling import rules_for, settle
from core.reading.expense import MOST_LINES, read_expenses

TODAY = date(2026, 11, 25)
NUMBER = "T7000012050002"


def settled(
    text: str, answers: Mapping[str, str] | None = None, policy: Policy | None = None, **more: str
) -> Claim:
    rules = rules_for(policy or usual_policy(), TODAY, TODAY, more.get("grade", ""))
    return settle(read_expenses(text, TODAY), answers or {}, rules)


def question(text: str, answers: Mapping[str, str] | None = None, **more: Policy) -> Question:
    with pytest.raises(NeedsInput) as raised:
        settled(text, answers, **more)
    return raised.value.question


def line(text: str, answers: Mapping[str, str] | None = None) -> ClaimLine:
    [found] = settled(text, answers).lines
    return found


@pytest.mark.parametrize(
    ("text", "key", "reply", "expected"),
    [
        ("タクシー 2,340円 商談", "day:1", "11/20", {"day": date(2026, 11, 20)}),
        ("11/31 タクシー 2,340円 商談", "day:1", "10/31", {"day": date(2026, 10, 31)}),
        ("11/20 タクシー 商談", "amount:1", "2,340円", {"amount": 2340}),
        ("11/20 昼食 1,000円 コーヒー 500円", "amount:1", "1500", {"amount": 1500}),
        ("11/20 タクシー 2,340円", "purpose:1", "商談", {"purpose": "商談"}),
        ("11/20 2,340円 区分：会議費", "payee:1", "ルノアール", {}),  # and what for?
        ("11/20 ナゾノモノ 500円 商談", "category:1", "消耗品費", {"category": "supplies"}),
        ("11/20 ナゾノモノ 500円 商談", "category:1", "books", {"category": "books"}),
        ("11/20 居酒屋 6,000円 打ち合わせ 3名で割り勘", "share:1", "own", {"amount": 6000}),
        ("11/20 居酒屋 10,000円 打ち合わせ 3名で割り勘", "share:1", "all", {"amount": 3333}),
        ("11/20 居酒屋 6,000円 打ち合わせ 割り勘", "people:1", "4名", {}),
        ("11/20 バス 4名 210円 帰社", "each:1", "each", {"amount": 840, "people": 4}),
        ("11/20 バス 4名 210円 帰社", "each:1", "全員分", {"amount": 210, "people": 4}),
        (
            "11/20 鮨大 9,000円 会食",
            "attendees:1",
            "ABC商事 佐藤様 計2名",
            {"attendees": ("ABC商事 佐藤様",), "people": 2},
        ),
        ("11/20 文具 5円 T7000012050003 商談", "registration:1", NUMBER, {"registration": NUMBER}),
        ("11/20 文具 500円 商談 T7000012050003", "registration:1", "none", {"registration": None}),
        ("11/20 新幹線 52,000円 出張", "registration:1", NUMBER, {"registration": NUMBER}),
    ],
)
def test_what_is_open_is_asked_and_the_answer_is_taken(
    text: str, key: str, reply: str, expected: dict[str, object]
) -> None:
    asked = question(text)
    assert asked.key == key
    assert "" not in (asked.prompt.ja, asked.prompt.en, asked.prompt.zh)

    answers = {key: reply}
    if not expected:  # one question after another
        assert question(text, answers).key != key
        return
    found = line(text, answers)
    assert {name: getattr(found, name) for name in expected} == expected


def test_an_answer_that_makes_no_sense_is_said_and_asked_again() -> None:
    asked = question("タクシー 2,340円 商談", {"day:1": "いつか"})

    assert asked.key == "day:1"
    assert "「いつか」は分かりませんでした" in asked.prompt.ja


def test_a_line_can_be_left_out_and_without_any_all_is_asked() -> None:
    text = "11/20 タクシー 2,340円 商談\nナゾノモノ"
    assert [each.payee for each in settled(f"{text} 500円", {"category:2": "-"}).lines] == [
        "タクシー"
    ]
    assert question("よろしく").key == "lines"
    assert line("よろしく", {"lines": "11/20 タクシー 2,340円 商談"}).amount == 2340


@pytest.mark.parametrize(
    ("text", "amount", "how"),
    [
        ("11/21 電車 640円 往復 客先", 640, "往復。640円は往復の合計として扱いました"),
        ("11/21 電車 片道320円 往復 客先", 640, "往復。片道320円×2"),
        ("11/21 バス 210円×3 客先", 630, "210円×3"),
        ("11/21 電車 320円 客先", 320, None),
    ],
)
def test_how_an_amount_came_about_is_said(text: str, amount: int, how: str | None) -> None:
    found = line(text)

    assert (found.amount, found.how.ja if found.how else None) == (amount, how)


@pytest.mark.parametrize(
    ("text", "exemption"),
    [
        ("11/20 電車 320円 客先", "transport"),
        ("11/20 新幹線 29,999円 出張", "transport"),
        ("11/20 ferry 3,000 yen visit", "transport"),
        ("11/20 地铁 300日元 拜访", "transport"),
        ("11/20 新幹線 13,000円×2名 出張", "transport"),
        ("11/20 ホテル 12,000円 大阪出張", "trip"),
        ("11/20 日当 3,000円 大阪出張", "trip"),
        ("11/20 自販機 160円 会議のお茶", "vending"),
        ("11/20 タクシー 2,340円 商談", None),
        ("11/20 飛行機 28,000円 出張", None),
        ("11/20 business lunch 900 yen meeting", None),
        (f"11/20 電車 320円 客先 {NUMBER}", None),
    ],
)
def test_who_needs_give_no_invoice(text: str, exemption: str | None) -> None:
    assert line(text).exemption == exemption


def test_four_fares_of_13000_are_one_transaction_and_need_a_number() -> None:
    text = "11/20 新幹線 13,000円×4名 出張"

    assert question(text).key == "registration:1"
    assert line(text, {"registration:1": NUMBER}).registration == NUMBER
    without = line(text, {"registration:1": "none"})
    assert (without.amount, without.registration, without.exemption) == (52_000, None, None)


@pytest.mark.parametrize(
    ("day", "claimable"),
    [("8/25", True), ("8/24", False), ("11/25", True), ("11/26", False)],
)
def test_only_days_of_the_last_three_months_can_be_claimed(day: str, claimable: bool) -> None:
    text = f"{day} タクシー 2,340円 商談"
    if claimable:
        assert line(text).amount == 2340
    else:
        assert question(text).key == "day:1"


def test_a_correction_is_as_old_as_the_first_claim() -> None:
    rules = rules_for(usual_policy(), date(2026, 12, 20), TODAY, "")

    assert settle(read_expenses("8/25 タクシー 2,340円 商談", TODAY), {}, rules).total == 2340


def test_an_amount_over_a_limit_that_refuses_is_asked_anew() -> None:
    usual = usual_policy()
    limits = (Limit(5000, grade="E1", over="refused"), Limit(1000, over="refused"))
    policy = replace(
        usual,
        categories=tuple(
            replace(each, limits=limits) if each.key == "supplies" else each
            for each in usual.categories
        ),
    )
    text = "11/20 文具 3,000円 商談"

    assert question(text, policy=policy).key == "amount:1"
    assert settled(text, {"amount:1": "900円"}, policy).total == 900
    assert settled(text, policy=policy, grade="E1").total == 3000


def test_a_claim_of_too_many_lines_is_refused_as_a_whole() -> None:
    text = "\n".join(["11/20 電車 320円 客先"] * (MOST_LINES + 1))

    with pytest.raises(Permanent):
        settled(text)


@given(
    st.text(max_size=80), st.sampled_from(["day", "amount", "share", "category", "registration"])
)
def test_no_answer_breaks_anything(answer: str, key: str) -> None:
    texts = ("ナゾ 6,000円 3名で割り勘 T7000012050003", "11/20 新幹線 52,000円 出張")
    for text in texts:
        with suppress(NeedsInput):
            assert settled(text, {f"{key}:1": answer}).total > 0
