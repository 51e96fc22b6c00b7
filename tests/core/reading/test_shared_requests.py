"""The requests that came with the product's plan are read as their authors mean them."""

import json
from datetime import date
from pathlib import Path

import pytest

from core.reading.order import read_order, reading_json
from tests.core.reading.price_lists import load_catalogue


@pytest.mark.parametrize("number", range(28))
def test_each_shared_request_is_read_exactly(number: int, shared: Path, today: date) -> None:
    quotes = shared / "quotes"
    line = (quotes / "requests.jsonl").read_text(encoding="utf-8").splitlines()[number]
    expected = json.loads(line)
    text = expected.pop("text")

    assert expected == reading_json(read_order(text, load_catalogue(quotes), today)), text
