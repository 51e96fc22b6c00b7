"""Requests in three languages, with how each must be read (beside this file, one a line)."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from core.catalogue import Catalogue
from core.reading.order import read_order, reading_json, without_command

HERE = Path(__file__).parent


def _requests(language: str) -> list[Any]:
    lines = (HERE / f"requests_in_{language}.jsonl").read_text(encoding="utf-8").splitlines()
    cases = [json.loads(line) for line in lines]
    return [pytest.param(case, id=f"{language}-{n}") for n, case in enumerate(cases)]


@pytest.mark.parametrize(
    "case", [*_requests("japanese"), *_requests("english"), *_requests("chinese")]
)
def test_each_request_is_read_exactly(
    case: dict[str, Any], catalogue: Catalogue, today: date
) -> None:
    expected = {key: value for key, value in case.items() if key != "text"}

    assert expected == reading_json(read_order(case["text"], catalogue, today)), case["text"]


@pytest.mark.parametrize(
    "command", ["見積 ", "見積もり、", "quote ", "报价 ", "/miyabi quote ", "@Miyabi 見積 "]
)
@pytest.mark.parametrize("language", ["japanese", "english", "chinese"])
def test_the_command_word_changes_nothing(
    command: str, language: str, catalogue: Catalogue, today: date
) -> None:
    for param in _requests(language):
        text = without_command(param.values[0]["text"])
        plain = read_order(text, catalogue, today)

        assert plain == read_order(command + text, catalogue, today), text
