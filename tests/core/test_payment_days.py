"""Days on which banks pay, on which a company works, and by which a supplier has to be paid."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.bank_days import (
    is_bank_day,
    is_working_day,
    next_bank_day,
    previous_bank_day,
    read_closing_day,
    working_days_from,
)
from core.payment_terms import breaches, last_day

days = st.dates(date(2024, 1, 1), date(2030, 12, 31))


@pytest.mark.parametrize(
    ("day", "pays"),
    [
        ("2026-12-25", True),
        ("2026-12-30", True),
        ("2026-12-31", False),
        ("2027-01-01", False),
        ("2027-01-03", False),
        ("2027-01-04", True),
        ("2026-11-23", False),  # a holiday
        ("2026-11-28", False),  # a Saturday
    ],
)
def test_banks_are_closed_on_weekends_holidays_and_around_new_year(day: str, pays: bool) -> None:
    assert is_bank_day(date.fromisoformat(day)) is pays


def test_a_day_on_which_they_are_closed_moves_to_the_next_or_the_one_before() -> None:
    assert next_bank_day(date(2026, 12, 31)) == date(2027, 1, 4)
    assert previous_bank_day(date(2027, 1, 3)) == date(2026, 12, 30)


@given(days)
def test_the_next_bank_day_is_the_first_one(day: date) -> None:
    found = next_bank_day(day)

    assert is_bank_day(found)
    assert not any(is_bank_day(day + timedelta(days=n)) for n in range((found - day).days))


def test_a_company_is_closed_on_days_of_its_own() -> None:
    closing = ("08-14", "2026-12-29")

    assert not is_working_day(date(2026, 8, 14), closing)
    assert not is_working_day(date(2026, 12, 29), closing)
    assert is_working_day(date(2027, 12, 29), closing)
    assert working_days_from(date(2026, 12, 28), 1, closing) == date(2026, 12, 30)
    assert working_days_from(date(2026, 12, 30), -1, closing) == date(2026, 12, 28)


def test_what_is_no_day_is_no_closing_day() -> None:
    assert read_closing_day("02-29") == "02-29"
    assert [read_closing_day(each) for each in ("2026-02-29", "13-01", "8-14", "")] == [None] * 4


@pytest.mark.parametrize(
    ("received", "last"),
    [
        ("2026-09-01", "2026-10-31"),  # 61 days: a month's end to the next one's
        ("2026-07-01", "2026-08-31"),
        ("2026-08-31", "2026-10-29"),  # 60 days, the day of receipt being the first
        ("2027-01-31", "2027-03-31"),
    ],
)
def test_the_last_day_on_which_a_supplier_can_be_paid(received: str, last: str) -> None:
    if received == "2027-01-31":  # 60 days from there are 31 March as well
        assert date(2027, 1, 31) + timedelta(days=59) == date(2027, 3, 31)
    limit = date.fromisoformat(last)

    assert last_day(date.fromisoformat(received)) == limit
    assert breaches(date.fromisoformat(received), limit) == ()
    [told, *_] = breaches(date.fromisoformat(received), limit + timedelta(days=1))
    assert last in told.ja


def test_a_last_day_on_which_banks_are_closed_is_told_with_the_day_before() -> None:
    told = breaches(date(2026, 9, 1), date(2026, 11, 2))  # 31 October is a Saturday

    assert [("2026-10-30" in words.en) for words in told] == [False, True]


def test_a_banks_fee_is_never_taken_off() -> None:
    [told] = breaches(date(2026, 11, 1), date(2026, 11, 30), fee_taken_off=440)

    assert "¥440" in told.en
