"""The ledger in a Google Sheet: a line is entered once, whatever becomes of Google's answer."""

import asyncio
import json
from collections.abc import Callable
from datetime import date

import pytest

from connectors.google_sheets.ledger import COLUMNS, GoogleLedger, open_ledger
from core.errors import OutcomeUnknown, Permanent, TryLater
from core.ledger import LedgerLine
from tests.fakes.google_sheets.server import KEY, FakeGoogle, Hang, Reset, Status

LINE = LedgerLine("Q-2026-0001", date(2026, 11, 25), "=株式会社ABC商事", 184_800, "田中")
HEADER = [names[0] for names in COLUMNS]
ENTERED = ["Q-2026-0001", "2026-11-25", "=株式会社ABC商事", 184_800, "田中", "key-1"]

Open = Callable[..., GoogleLedger]


@pytest.fixture
def ledger(google: FakeGoogle) -> Open:
    google.sheets["見積台帳"] = [HEADER]

    def open_with(**settings: str) -> GoogleLedger:
        usual = {
            "service_account": json.dumps(google.account.info()),
            "spreadsheet": KEY,
            "base_url": google.base_url,
            "timeout": "5",
        }
        return open_ledger({**usual, **settings})

    return open_with


def lines(google: FakeGoogle) -> list[list[object]]:
    return [list(row) for row in google.sheets["見積台帳"][1:]]


async def test_a_line_stands_at_the_end_with_its_key(google: FakeGoogle, ledger: Open) -> None:
    google.sheets["見積台帳"] = [HEADER, ["old", "", "", 1, "", "key-0"]]

    place = await ledger().append(LINE, "key-1")

    assert place == "'見積台帳'!A3:F3"
    assert lines(google)[1] == ENTERED


async def test_a_line_is_found_by_its_key(google: FakeGoogle, ledger: Open) -> None:
    one = ledger()
    await one.append(LINE, "key-1")
    # Somebody types in between, and a line without a key comes to stand above ours.
    google.sheets["見積台帳"] = [HEADER, ["by hand"], ENTERED]

    assert await one.find("key-1") == "見積台帳!A3"
    assert await one.find("key-2") is None
    assert await ledger().find("key") is None


async def test_a_key_that_is_there_is_not_entered_again(google: FakeGoogle, ledger: Open) -> None:
    await ledger().append(LINE, "key-1")
    await ledger().append(LINE, "key-1")

    assert lines(google) == [ENTERED]


@pytest.mark.parametrize("trouble", [Status(500), Status(503), Status(408), Reset(), Hang()])
async def test_an_answer_that_is_lost_says_that_nobody_knows(
    google: FakeGoogle, ledger: Open, trouble: Status | Reset | Hang
) -> None:
    google.trouble_after_append = trouble
    one = ledger(timeout="1")

    with pytest.raises(OutcomeUnknown):
        await one.append(LINE, "key-1")

    assert lines(google) == [ENTERED]
    assert await one.find("key-1") == "見積台帳!A2"


@pytest.mark.parametrize(
    ("trouble", "error"),
    [(Status(429, retry_after="7"), TryLater), (Status(403), Permanent), (Status(400), Permanent)],
)
async def test_a_refusal_says_that_it_was_not_entered(
    google: FakeGoogle, ledger: Open, trouble: Status, error: type[Exception]
) -> None:
    google.trouble_at_append = trouble

    with pytest.raises(error) as raised:
        await ledger().append(LINE, "key-1")

    assert lines(google) == []
    if isinstance(raised.value, TryLater):
        assert raised.value.after is not None
        assert raised.value.after.total_seconds() == 7


async def test_what_was_looked_up_long_ago_is_not_relied_on(
    google: FakeGoogle, ledger: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As of a process that was frozen between looking and appending.
    monkeypatch.setattr("connectors.google_sheets.ledger.FRESH", 0.0)

    with pytest.raises(TryLater):
        await ledger().append(LINE, "key-1")

    assert lines(google) == []


@pytest.mark.parametrize("trouble", [Status(500), Reset(), Hang()])
async def test_who_can_not_even_be_asked_was_not_told_to_enter(
    google: FakeGoogle, ledger: Open, trouble: Status | Reset | Hang
) -> None:
    google.trouble = trouble
    one = ledger(timeout="1")

    with pytest.raises(TryLater):
        await one.append(LINE, "key-1")
    with pytest.raises(TryLater):
        await one.find("key-1")

    assert lines(google) == []


async def test_columns_in_another_order_stop_it_before_anything_is_entered(
    google: FakeGoogle, ledger: Open
) -> None:
    google.sheets["見積台帳"] = [[*HEADER[1:], HEADER[0]]]

    with pytest.raises(Permanent, match="Row 1 of the ledger"):
        await ledger().append(LINE, "key-1")
    with pytest.raises(Permanent, match="Row 1 of the ledger"):
        await ledger().find("key-1")


async def test_an_english_ledger_is_found_by_its_name(google: FakeGoogle, ledger: Open) -> None:
    del google.sheets["見積台帳"]
    google.sheets["ledger"] = [[names[1] for names in COLUMNS]]

    await ledger().append(LINE, "key-1")

    assert google.sheets["ledger"][1] == ENTERED


async def test_a_worksheet_that_is_not_there_is_named(google: FakeGoogle, ledger: Open) -> None:
    with pytest.raises(Permanent, match="見積一覧"):
        await ledger(sheet="見積一覧").append(LINE, "key-1")


async def test_many_at_once_each_have_their_line(google: FakeGoogle, ledger: Open) -> None:
    one = ledger()
    await asyncio.gather(*(one.append(LINE, f"key-{n}") for n in range(8)))

    assert sorted(str(line[-1]) for line in lines(google)) == [f"key-{n}" for n in range(8)]


@pytest.mark.parametrize(
    "settings", [{"timeout": "60"}, {"sheets": "x"}, {"spreadsheet": "?"}, {"service_account": ""}]
)
def test_wrong_settings_are_named(ledger: Open, settings: dict[str, str]) -> None:
    with pytest.raises(Permanent, match=next(iter(settings))):
        ledger(**settings)
