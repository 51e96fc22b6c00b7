"""The requests that the product was asked for with are read as their authors mean them."""

import json
from datetime import date
from typing import Any

import pytest

from core.catalogue import Catalogue
from core.reading.order import read_order, reading_json

from .conftest import QUOTES


def _requests() -> list[Any]:
    path = QUOTES / "requests.jsonl"
    if not path.is_file():
        return [pytest.param(None, marks=pytest.mark.skip("no shared requests beside the repo"))]
    lines = path.read_text(encoding="utf-8").splitlines()
    return [pytest.param(json.loads(line), id=json.loads(line)["text"][:40]) for line in lines]


@pytest.mark.parametrize("request_", _requests())
def test_each_shared_request_is_read_exactly(
    request_: dict[str, Any], catalogue: Catalogue, today: date
) -> None:
    text = request_.pop("text")

    assert request_ == reading_json(read_order(text, catalogue, today))
