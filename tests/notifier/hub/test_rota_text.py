"""What is typed of rotas: hand-overs and moments, in three languages."""

from datetime import UTC, date, datetime, time

import pytest

from core.errors import Refused
from notifier.hub.rota_text import latest_turn, read_moment, read_turn


@pytest.mark.parametrize(
    ("text", "turn"),
    [
        ("mon 10:00", (0, time(10))),
        ("Friday 9:30", (4, time(9, 30))),
        ("日曜 00:05", (6, time(0, 5))),
        ("周三 18:00", (2, time(18))),
        ("月曜日　１０：００", (0, time(10))),
    ],
)
def test_a_hand_over_is_a_weekday_and_a_time(text: str, turn: tuple[int, time]) -> None:
    assert read_turn(text) == turn


@pytest.mark.parametrize("text", ["", "10:00", "someday 10:00", "mon 24:00", "mon"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(Refused):
        read_turn(text)


def test_a_moment_is_by_the_clock_of_the_zone_and_a_day_alone_its_beginning() -> None:
    there = "America/New_York"
    assert read_moment("2026-12-24 18:00", there) == datetime(2026, 12, 24, 23, tzinfo=UTC)
    assert read_moment("2026-12-24", there) == datetime(2026, 12, 24, 5, tzinfo=UTC)
    for text in ("2026-13-01", "tomorrow", "2026-12-24 18:61"):
        with pytest.raises(Refused):
            read_moment(text, there)


def test_a_rota_that_names_no_first_day_counts_from_the_last_hand_over() -> None:
    friday = date(2026, 11, 27)
    assert latest_turn(4, friday) == friday
    assert latest_turn(5, friday) == date(2026, 11, 21)
