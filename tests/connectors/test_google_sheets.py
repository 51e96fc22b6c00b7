"""Promises of the Google Sheets connector: the real gspread, over sockets, to a fake Google.

What happens over time and in outages: test_google_outage.py.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from connectors.csv_files import connector as csv_connector
from connectors.google_sheets import connector
from core.errors import Permanent
from tests.fakes.google_sheets.account import Account
from tests.fakes.google_sheets.sample import (
    CODE,
    LANGUAGE,
    NAME,
    PRICE,
    START,
    TAX,
    Clock,
    Open,
    edit,
)
from tests.fakes.google_sheets.server import KEY, FakeGoogle, Formatted, Status


async def test_a_sheet_gives_what_the_same_csv_files_give(sheet: Open) -> None:
    read = await sheet().read()

    sample = await csv_connector.open({}).read()
    assert (read.items, read.customers) == (sample.items, sample.customers)
    assert read.note is None
    assert read.read_at == START


async def test_one_reading_is_one_signed_in_request(google: FakeGoogle, sheet: Open) -> None:
    await sheet().read()

    assert google.requests == [f"/v4/spreadsheets/{KEY}/values:batchGet"]
    assert google.tokens == 1


async def test_requests_and_answers_are_checked_against_googles_description(
    google: FakeGoogle, shared: Path
) -> None:
    assert google.description is not None, f"it should have been found in {shared}"
    path = f"/v4/spreadsheets/{KEY}/values:batchGet"

    problems, schema = google.description.request_problems("GET", path, [("range", "a")])

    assert (problems, schema) == (["no query parameter range"], "BatchGetValuesResponse")
    assert google.description.request_problems("POST", path, [])[0]
    assert google.description.answer_problems("ValueRange", {"rows": []})


@pytest.mark.parametrize(
    ("cell", "title", "column", "where"),
    [
        (
            "応相談",
            "価格表",
            PRICE,
            '"価格表", row 4, column E (unit_price): "応相談" is not a price',
        ),
        (32.8, "価格表", PRICE, 'column E (unit_price): "32.8" has a fraction of a yen'),
        (Formatted(32.8, "33"), "価格表", PRICE, '"32.8" has a fraction of a yen'),
        (True, "価格表", PRICE, '"TRUE" is not a price'),
        (-100, "価格表", PRICE, '"-100" is a negative price'),
        ("2026/11/25", "価格表", PRICE, '"2026/11/25" is not a price'),
        (Formatted(0.05, "5%"), "価格表", TAX, '"価格表", row 4, column F (tax_rate): "0.05"'),
        ("PC-14", "価格表", CODE, 'column A (code): "PC-14" is in row 2 already'),
        ("", "価格表", NAME, '"価格表", row 4, column B (name): is empty'),
        ("fr", "顧客", LANGUAGE, '"顧客", row 4, column D (language): "fr"'),
    ],
)
async def test_a_cell_that_is_wrong_is_named_with_sheet_row_and_column(
    google: FakeGoogle, sheet: Open, cell: Any, title: str, column: int, where: str
) -> None:
    edit(google, cell, title=title, column=column)

    with pytest.raises(Permanent) as caught:
        await sheet().read()

    assert where in caught.value.words.en
    assert f"「{title}」4行目" in caught.value.words.ja


async def test_numbers_are_read_as_the_sheet_reckons_them(google: FakeGoogle, sheet: Open) -> None:
    edit(google, Formatted(1000 * 1.1, "¥1,100"))  # 1100.0000000000002 in binary
    edit(google, Formatted(0.08, "8%"), column=TAX)
    edit(google, 1001, column=CODE)

    item = (await sheet().read()).items[2]

    assert (item.code, item.unit_price, item.tax_rate) == ("1001", 1100, 8)


async def test_a_missing_column_is_named(google: FakeGoogle, sheet: Open) -> None:
    google.sheets["価格表"] = [["コード", "品名", "別名", "単位", "価格", "税率"], ["A", "x"]]

    with pytest.raises(Permanent, match='"価格表", row 1: the column "unit_price"') as caught:
        await sheet().read()
    assert "E列「価格」のことでしょうか" in caught.value.words.ja


async def test_an_empty_worksheet_is_said_to_be_empty(google: FakeGoogle, sheet: Open) -> None:
    google.sheets["顧客"] = []

    with pytest.raises(Permanent, match='"顧客": is empty'):
        await sheet().read()


async def test_english_worksheet_names_are_found_and_remembered(
    google: FakeGoogle, sheet: Open, clock: Clock
) -> None:
    google.sheets = {"catalog": google.sheets["価格表"], "customers": google.sheets["顧客"]}
    source = sheet()
    await source.read()
    asked = len(google.requests)
    clock.forward(hours=1)

    assert (await source.read()).items
    assert len(google.requests) == asked + 1


async def test_worksheets_of_any_name_can_be_set(google: FakeGoogle, sheet: Open) -> None:
    google.sheets["Bob's '26"] = google.sheets.pop("価格表")

    assert (await sheet(catalog_sheet="Bob's '26").read()).items
    assert len(google.requests) == 1


async def test_a_missing_worksheet_is_named_with_those_there_are(
    google: FakeGoogle, sheet: Open
) -> None:
    google.sheets["価格表2026"] = google.sheets.pop("価格表")

    with pytest.raises(Permanent, match=r'no sheet "価格表 / catalog"\. It has: 顧客, 価格表2026'):
        await sheet().read()


@pytest.mark.parametrize(
    ("trouble", "told"),
    [
        (Status(403), "Share it with miyabi@sample-project.iam.gserviceaccount.com"),
        (Status(404), "share the sheet with miyabi@sample-project.iam.gserviceaccount.com"),
        (Status(403, reason="SERVICE_DISABLED"), "The Google Sheets API is off"),
        (Status(401), "refuses the key of the service account miyabi@"),
        (Status(418), "Google refused to give the price list (418: unknown)"),
    ],
    ids=str,
)
async def test_what_only_a_person_can_mend_is_said_with_whom_to_share_with(
    google: FakeGoogle, sheet: Open, trouble: Status, told: str
) -> None:
    google.trouble = trouble

    with pytest.raises(Permanent) as caught:
        await sheet().read()
    assert told in caught.value.words.en


async def test_a_key_google_does_not_know_is_said_so(google: FakeGoogle, sheet: Open) -> None:
    stranger = Account(email=google.account.email)

    with pytest.raises(Permanent, match="refuses the key"):
        await sheet(service_account=json.dumps(stranger.info())).read()


async def test_the_key_may_be_a_file_and_is_read_anew_after_it_was_mended(
    google: FakeGoogle, sheet: Open, tmp_path: Path
) -> None:
    file = tmp_path / "key.json"
    source = sheet(service_account=str(file))
    with pytest.raises(Permanent, match=r"key\.json: No such file"):
        await source.read()
    for text in ("", "[]", '{"client_email": "a@b.c"}'):
        file.write_text(text)
        with pytest.raises(Permanent, match="service account's key"):
            await source.read()

    file.write_text(json.dumps(google.account.info()))

    assert (await source.read()).items


async def test_the_address_in_the_browser_will_do_for_the_key(sheet: Open) -> None:
    url = f"https://docs.google.com/spreadsheets/d/{KEY}/edit?gid=0#gid=0"

    assert (await sheet(spreadsheet=url).read()).items


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"spreadsheet": KEY}, '"service_account" is missing'),
        ({"service_account": "key.json"}, '"spreadsheet" is missing'),
        ({"service_account": "k", "spreadsheet": "../secret"}, '"spreadsheet" is wrong: ../secret'),
        ({"service_account": "k", "spreadsheet": KEY, "ttl": "soon"}, '"ttl" is wrong: soon'),
        ({"service_account": "k", "spreadsheet": KEY, "timeout": "0"}, '"timeout" is wrong'),
        ({"service_account": "k", "spreadsheet": KEY, "time_zone": "Tokio"}, '"time_zone" is'),
        ({"service_account": "k", "spreadsheet": KEY, "base_url": "x"}, '"base_url" is wrong'),
        ({"service_account": "k", "spreadsheets": KEY}, "unknown key: spreadsheets"),
    ],
)
def test_a_wrong_setting_is_named_at_once(settings: dict[str, str], told: str) -> None:
    with pytest.raises(Permanent, match=told):
        connector.open(settings)
