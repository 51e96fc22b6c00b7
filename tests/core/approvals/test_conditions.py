"""Conditions are told to be wrong when they are read, and never guessed when they are asked."""

from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.approvals.conditions import TERMS, WrongCondition, check, holds

KINDS = {**TERMS, "categories": "list"}
REQUEST = {
    "amount": 100_000,
    "customer": "株式会社ABC商事",
    "discount": Decimal("12.5"),
    "categories": ("交際費", "会議費"),
}


@pytest.mark.parametrize(
    ("condition", "answer"),
    [
        ("amount >= 100000", True),
        ("amount > 100000", False),
        ("discount > 12.4 && discount < 12.6", True),
        ("discount == 12.5", True),
        ("discount > 12", True),
        ("customer.contains('ABC') || amount > 1", True),
        ('"交際費" in categories', True),
        ("categories.exists(c, c.startsWith('旅費'))", False),
        ("categories.all(c, c.endsWith('費') && c != '')", True),
        ("kind in ['expense', 'quote']", True),
        ("!(amount < 5) ? kind == 'expense' : false", True),
    ],
)
def test_a_condition_is_asked_of_the_request(condition: str, answer: bool) -> None:
    check(condition, KINDS)  # type: ignore[arg-type]

    assert holds(condition, {**REQUEST, "kind": "expense"}) is answer


@pytest.mark.parametrize(
    ("condition", "says"),
    [
        ("amount >=", "1:10: Syntax error"),
        ("amount = 3", "1:8: Syntax error"),
        ("amout >= 1", "asks for “amout”"),
        ("amount > '3'", "can't be compared"),
        ("customer == 'x' && amount > 'y'", "can't be compared"),
        ("amount > 7 || customer > 3", "can't be compared"),
        ("categories > 3", "can't be compared"),
        ("amount.yen > 3", "can't be compared"),
        ("amount", "true or false"),
        ("amount + 1 > 3", "“+” can't be used"),
        ("size(customer) > 3", "“size” can't be used"),
        ("now() > 3", "“now” can't be used"),
        ("customer.matches('(a+)+')", "“matches” can't be used"),
        ("categories.map(c, c + c) == []", "“+” can't be used"),
        ("__import__('os').system('true')", "can't be used"),
        ("[0].all(a, [0].all(b, [0].all(c, amount > 1)))", "too complex"),
        ("amount > 1 " + "|| amount > 1 " * 50, "too long"),
        ("(" * 400, "Syntax error"),
    ],
)
def test_what_could_only_fail_is_refused_when_it_is_read(condition: str, says: str) -> None:
    with pytest.raises(WrongCondition) as refused:
        check(condition, KINDS)  # type: ignore[arg-type]

    assert says in refused.value.words.en


@pytest.mark.parametrize(
    ("condition", "terms", "says"),
    [
        ("amount >= 1", {}, "has no amount"),
        ("amount >= 1 || discount > 3", {"amount": 0}, "has no discount"),
        ("amount >= 1", {"amount": "3"}, "can't be compared"),
        ("amount >= 1", {"amount": 2**53}, "amount is too large"),
        ("'a' in categories", {"categories": ("a",) * 101}, "categories is too large"),
        ("discount >= 1", {"discount": Decimal("0.1234567890123456")}, "discount is too large"),
    ],
)
def test_what_a_request_does_not_tell_is_not_guessed(
    condition: str, terms: dict[str, object], says: str
) -> None:
    with pytest.raises(WrongCondition) as refused:
        holds(condition, terms)  # type: ignore[arg-type]

    assert says in refused.value.words.en


@given(
    st.integers(0, 2**53 - 1),
    st.integers(0, 2**53 - 1),
    st.decimals(-1000, 1000, places=4),
    st.decimals(-1000, 1000, places=4),
)
def test_money_and_percent_are_compared_exactly(
    amount: int, limit: int, percent: Decimal, most: Decimal
) -> None:
    terms = {"amount": amount, "discount": percent}

    for beside in (0, 1):
        assert holds(f"amount >= {limit + beside}", terms) is (amount >= limit + beside)
    assert holds(f"amount == {amount}", terms)
    assert holds(f"discount > {most:f}", terms) is (percent > most)
    assert holds(f"discount == {percent:f}", terms)


@given(st.text(st.sampled_from("amount customer&|!=<>()[]'\".,3?:all exists\n\\"), max_size=60))
def test_any_text_is_a_condition_or_refused(text: str) -> None:
    with suppress(WrongCondition):
        check(text, KINDS)  # type: ignore[arg-type]
