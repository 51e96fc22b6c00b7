"""The expense agent's own functions: its form, receipts, what it shows, what routes may ask."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from agents.accounting.expense import (
    FORM,
    ExpenseAsk,
    agent,
    attach,
    begin,
    edit,
    facts,
    summarise,
    terms,
)
from core.agent import Attached
from core.catalogue import Catalogue
from core.codec import dump, load
from core.expenses.checking import check
from core.expenses.claim import Claim
from core.expenses.policy import usual_policy
from core.expenses.settling import rules_for, settle
from core.forms import FormValues
from core.reading.expense import read_expenses
from core.words import LANGUAGES

TODAY = date(2026, 11, 25)
CATALOGUE = Catalogue((), (), datetime(2026, 11, 25, tzinfo=UTC))
ROW: FormValues = {
    "day": date(2026, 11, 20),
    "payee": "鮨大",
    "amount": 33_000,
    "category": "entertainment",
    "purpose": "会食",
    "registration": "T7000012050002",
    "attendees": "ABC商事 佐藤様、伊藤様 計3名",
}


def form(**changes: object) -> FormValues:
    return {"lines": ({**ROW, **changes},)}


def claim_of(ask: ExpenseAsk) -> Claim:
    entries = read_expenses(ask.text, ask.today) if ask.entries is None else ask.entries
    return settle(entries, ask.answers, rules_for(usual_policy(), TODAY, TODAY, ""))


def results_of(ask: ExpenseAsk) -> dict[type, Any]:
    claim = claim_of(ask)
    checked = check(claim, ask.reductions, usual_policy(), "")
    return {type(each): each for each in (ask, claim, checked)}


def test_a_form_gives_the_claim_and_the_claim_fills_the_form_again() -> None:
    ask = begin("", form(), TODAY)
    claim = claim_of(load(ExpenseAsk, dump(ask)))

    [line] = claim.lines
    assert (line.amount, line.category, line.people) == (33_000, "entertainment", 3)
    assert line.attendees == ("ABC商事 佐藤様", "伊藤様")
    again = begin("", edit({Claim: claim}), TODAY)
    assert claim_of(again) == claim


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({}, set()),
        ({"payee": " "}, {"payee"}),
        ({"payee": "", "amount": None}, {"payee", "amount"}),
        ({"day": date(2026, 11, 26)}, {"day"}),
        ({"registration": "T7000012050003"}, {"registration"}),
        ({"attendees": ""}, {"attendees"}),
        ({"attendees": "佐藤様"}, {"attendees"}),
        ({"attendees": "", "category": "meeting"}, set()),
    ],
)
def test_what_is_wrong_with_a_form_is_told_by_line_and_field(
    changes: dict[str, object], wrong: set[str]
) -> None:
    errors = FORM.errors(form(**changes), CATALOGUE, TODAY)

    assert set(errors) == {f"lines:0:{name}" for name in wrong}


def test_receipts_are_kept_with_the_claim_and_told() -> None:
    files = (Attached("ab" * 32, "領収書.png", "image/png", 1234),)
    ask = attach(begin("11/20 タクシー 2,340円 商談", None, TODAY), files)
    found = results_of(load(ExpenseAsk, dump(ask)))

    assert facts(found, CATALOGUE)["receipts"] == [
        {"name": "領収書.png", "sha256": "ab" * 32, "media_type": "image/png", "size": 1234}
    ]
    assert "領収書.png" in [field.value for field in summarise(found, "ja").fields]


def test_what_is_not_complete_yet_is_told_as_far_as_it_was_read() -> None:
    ask = begin("11/20 タクシー 2,340円\n電車", None, TODAY)
    claim: Any = facts({ExpenseAsk: ask}, CATALOGUE)["claim"]

    assert (claim["total"], claim["lines"][0]["amount"]) == (None, 2340)
    assert claim["lines"][0]["date"] == "2026-11-20"


def test_routes_may_ask_for_the_amount_and_the_categories() -> None:
    found = results_of(begin("11/20 タクシー 2,340円 商談\n文具 500円 事務", None, TODAY))

    assert terms(found) == {"amount": 2840, "categories": ("travel", "supplies")}
    assert terms({}) == {}
    assert agent.own_terms == {"categories": "list"}


def test_the_card_says_all_in_each_language() -> None:
    found = results_of(begin("", form(), TODAY))
    for language in LANGUAGES:
        summary = summarise(found, language)
        [line] = summary.lines
        assert line.name == "鮨大"
        assert "2026-11-20" in line.detail
        assert "伊藤様" in line.detail
        assert summary.totals
        assert "¥" in line.amount or "円" in line.amount or "日元" in line.amount
