"""What the sender says: the company's own words, and the admins hear where they failed."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from core.db import from_json
from core.messages import Message
from core.unit import unit
from core.words import Language
from notifier.hub import template_store
from notifier.hub.told import Told
from notifier.hub.wording import wording_of
from tests.core.house import Office

SECRET = "hunter2-in-a-fact"


def told(office: Office, topic: str, facts: Mapping[str, Any]) -> Told:
    return Told(uuid.uuid4(), office.organisation.id, topic, "normal", facts, datetime.now(UTC))


async def put(office: Office, body: str, topic: str = "stock") -> bool:
    async with unit(office.house) as work:
        return await template_store.put(work, office.organisation.id, topic, "ja", body)


async def words(office: Office, told: Told, language: Language) -> Message:
    async with unit(office.house) as work:
        wording = await wording_of(work, told.organisation_id)
        message = wording.message(told, language, "Asia/Tokyo")
        await wording.report(work)
    return message


async def heard(office: Office) -> Sequence[tuple[str, Mapping[str, str]]]:
    row = await office.row(
        "select coalesce(jsonb_agg(jsonb_build_array(topic, facts) order by id), '[]') as every"
        " from notices where topic like 'system.%'",
        {},
    )
    return [(topic, facts) for topic, facts in from_json(row.every)]


async def test_a_failing_template_goes_out_plainly_and_admins_hear_once_without_values(
    office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    await put(office, "title = '{{ nobody }}'")
    facts = {"host": SECRET, "api_token": SECRET}

    said = [await words(office, told(office, "stock.low", facts), "ja") for _ in range(3)]

    assert f"host: {SECRET}" in said[0].text
    assert "そのまま表示" in said[0].note
    found = {"topic": "stock.low", "language": "ja", "error": "title: nobody is missing"}
    assert await heard(office) == [("system.template_failed", found)]
    logged = capsys.readouterr()
    assert "hub.template" in logged.out + logged.err
    assert SECRET not in logged.out + logged.err


async def test_a_missing_language_is_japanese_and_told(office: Office) -> None:
    await put(office, "title = '在庫 {{ n }}'")

    said = await words(office, told(office, "stock", {"n": 3}), "en")

    assert said.text == "在庫 3"
    assert await heard(office) == [
        ("system.template_missing", {"topic": "stock", "language": "en"})
    ]


async def test_what_tells_of_a_failure_tells_nothing_of_itself(office: Office) -> None:
    await put(office, "title = '{{ nobody }}'", "system.template_failed")

    said = await words(office, told(office, "system.template_failed", {"topic": "x"}), "ja")

    assert "topic: x" in said.text
    assert await heard(office) == []


async def test_a_companys_words_are_kept_once_and_taken_back(office: Office) -> None:
    assert await put(office, "title = 'a'")
    assert not await put(office, "title = 'a'")
    assert await put(office, "title = 'b'")
    organisation_id = office.organisation.id
    async with office.house.engine.connect() as connection:
        own = await template_store.own_of(connection, organisation_id)
    assert own == {("stock", "ja"): "title = 'b'"}

    async with unit(office.house) as work:
        assert await template_store.remove(work, organisation_id, "stock", "ja")
        assert not await template_store.remove(work, organisation_id, "stock", "ja")
        assert await template_store.own_of(work.connection, organisation_id) == {}
