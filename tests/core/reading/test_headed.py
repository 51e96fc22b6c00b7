"""What the heading of a request adds to it."""

from datetime import date

import pytest

from core.catalogue import Catalogue
from core.reading.headed import heading_adds

TODAY = date(2026, 11, 25)
TEXT = "お世話になっております。\nモニター5台の見積をお願いします。\n"


@pytest.mark.parametrize(
    ("heading", "adds"),
    [
        ("モニター5台の件", ""),
        ("オフィス移転の件", ""),
        ("見積もりのお願い（ABC商事 山田）", "株式会社ABC商事"),
        ("ABC商事 12/25納期", "株式会社ABC商事 2026-12-25"),
        ("ABC商事 10%引き", "株式会社ABC商事 10% off"),
        ("ABC商事 15,000円引き", "株式会社ABC商事 15000円引き"),
        ("キーボード10個も", "KB-JP 10,"),
    ],
)
def test_a_heading_adds_what_is_not_below_it(catalogue: Catalogue, heading: str, adds: str) -> None:
    assert heading_adds(heading, TEXT, catalogue, TODAY) == adds


def test_above_a_text_that_asks_for_nothing_it_is_the_request(catalogue: Catalogue) -> None:
    heading = "見積 ABC商事 モニター5台"

    assert heading_adds(heading, "よろしくお願いします。", catalogue, TODAY) == heading
