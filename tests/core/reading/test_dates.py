"""Dates are read in three languages, counted from a Wednesday, 25 November 2026."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.reading.dates import read_date

TODAY = date(2026, 11, 25)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("今日中", "2026-11-25"),
        ("明日", "2026-11-26"),
        ("明後日までに", "2026-11-27"),
        ("来週金曜", "2026-12-04"),
        ("今週金曜まで", "2026-11-27"),
        ("再来週の月曜", "2026-12-07"),
        ("再来週", "2026-12-11"),
        ("次の月曜日", "2026-11-30"),
        ("水曜", "2026-11-25"),
        ("来月10日", "2026-12-10"),
        ("月末", "2026-11-30"),
        ("来月末", "2026-12-31"),
        ("今月中", "2026-11-30"),
        ("年内", "2026-12-31"),
        ("年度末", "2027-03-31"),
        ("12月末", "2026-12-31"),
        ("2月末", "2027-02-28"),
        ("12月上旬", "2026-12-10"),
        ("来月中旬", "2026-12-20"),
        ("2週間後", "2026-12-09"),
        ("10日後", "2026-12-05"),
        ("3日以内", "2026-11-28"),
        ("三日後", "2026-11-28"),
        ("1ヶ月後", "2026-12-25"),
        ("5営業日後", "2026-12-02"),
        ("1/15必着", "2027-01-15"),
        ("11/24", "2027-11-24"),
        ("11/25", "2026-11-25"),
        ("2/29", "2028-02-29"),
        ("12-25", "2026-12-25"),
        ("12.25まで", "2026-12-25"),
        ("2026年12月25日", "2026-12-25"),
        ("２０２６／１２／２５", "2026-12-25"),
        ("2026.12.25", "2026-12-25"),
        ("20261225", "2026-12-25"),
        ("令和8年12月25日", "2026-12-25"),
        ("R8.12.25", "2026-12-25"),
        ("令和九年一月五日", "2027-01-05"),
        ("12月25日（金）必着", "2026-12-25"),
        ("25日まで", "2026-11-25"),
        ("来年3月末", "2027-03-31"),
        ("by Dec 18", "2026-12-18"),
        ("December 18th", "2026-12-18"),
        ("18 December 2027", "2027-12-18"),
        ("next Friday", "2026-12-04"),
        ("this Friday", "2026-11-27"),
        ("by Friday", "2026-11-27"),
        ("in 2 weeks", "2026-12-09"),
        ("in two weeks", "2026-12-09"),
        ("within 10 days", "2026-12-05"),
        ("5 business days from now", "2026-12-02"),
        ("end of month", "2026-11-30"),
        ("by the end of December", "2026-12-31"),
        ("tomorrow", "2026-11-26"),
        ("the day after tomorrow", "2026-11-27"),
        ("the 10th", "2026-12-10"),
        ("12/25/2026", "2026-12-25"),
        ("25/12/2026", "2026-12-25"),
        ("12月20日前", "2026-12-20"),
        ("下周五", "2026-12-04"),
        ("这周五", "2026-11-27"),
        ("下下周一", "2026-12-07"),
        ("月底", "2026-11-30"),
        ("下月底", "2026-12-31"),
        ("年底前", "2026-12-31"),
        ("明天", "2026-11-26"),
        ("大后天", "2026-11-28"),
        ("两周后", "2026-12-09"),
        ("三天内", "2026-11-28"),
        ("下个月10号", "2026-12-10"),
    ],
)
def test_each_way_of_naming_a_day_is_read(text: str, expected: str) -> None:
    assert date.fromisoformat(expected) == read_date(text, TODAY)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2/30",
        "13/1",
        "2月30日",
        "12月32日",
        "モニター5台",
        "12ヶ月",
        "1/2個",
        "いつでも",
        "24/7",
    ],
)
def test_what_is_no_day_is_none(text: str) -> None:
    assert read_date(text, TODAY) is None


@pytest.mark.parametrize(
    "text", ["月末締め翌月末払い", "見積有効期限12/31", "11/20付でご依頼", "支払は12月末"]
)
def test_days_of_payment_and_validity_are_not_when_it_is_due(text: str) -> None:
    assert read_date(text, TODAY) is None


def test_of_several_days_the_one_of_delivery_is_meant() -> None:
    assert date(2026, 12, 25) == read_date("見積は11/30まで、納品は12/25でお願いします", TODAY)


@given(st.dates(min_value=date(2000, 1, 1), max_value=date(2099, 12, 31)))
def test_a_full_date_is_read_as_written_whatever_today_is(day: date) -> None:
    for text in (
        day.isoformat(),
        f"{day.year}/{day.month}/{day.day}",
        f"{day.year}年{day.month}月{day.day}日",
        f"{day:%B} {day.day}, {day.year}",
    ):
        assert day == read_date(text, TODAY), text


@given(
    st.dates(min_value=date(2020, 1, 1), max_value=date(2060, 12, 31)),
    st.integers(min_value=0, max_value=364),
)
def test_a_date_without_a_year_is_the_next_to_come(today: date, days: int) -> None:
    day = today + timedelta(days=days)

    assert day == read_date(f"{day.month}/{day.day}", today)
    assert day == read_date(f"{day.month}月{day.day}日", today)


@given(st.dates(min_value=date(2020, 1, 1), max_value=date(2060, 12, 31)))
def test_next_week_begins_on_monday(today: date) -> None:
    for number, name in enumerate("月火水木金土日"):
        day = read_date(f"来週{name}曜", today)

        assert day is not None
        assert number == day.weekday()
        assert (day - timedelta(days=number) - (today - timedelta(days=today.weekday()))).days == 7
