"""Promises of the CSV connector. What a list must hold: tests/core/test_price_table.py."""

import os
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.csv_files import SAMPLES, CsvFiles, connector, csv_table
from core.catalogue import Catalogue, Customer, Item
from core.catalogue_cache import utc_now
from core.errors import Permanent
from core.price_table import build_catalogue

ITEMS = "code,name,aliases,unit,unit_price,tax_rate\n"
CUSTOMERS = "code,name,aliases,language,email\n"
ITEM = "MON,モニター,,台,32800,10\n"
CUSTOMER = "C1,株式会社ABC商事,ABC,ja,a@abc.example\n"


def built(items: str, customers: str = CUSTOMERS + CUSTOMER) -> Catalogue:
    return build_catalogue(
        csv_table("catalog.csv", items.encode()),
        csv_table("customers.csv", customers.encode()),
        utc_now(),
    )


def refusal(items: str = ITEMS + ITEM, customers: str = CUSTOMERS + CUSTOMER) -> Permanent:
    with pytest.raises(Permanent) as caught:
        built(items, customers)
    return caught.value


class Folder:
    """A company's two files; each writing is given a time of its own, long past."""

    def __init__(self, path: Path) -> None:
        self.catalog, self.customers = path / "catalog.csv", path / "customers.csv"
        self._age = 1000
        self.write(self.catalog, ITEMS + ITEM)
        self.write(self.customers, CUSTOMERS + CUSTOMER)

    def write(self, path: Path, text: str, encoding: str = "utf-8") -> None:
        path.write_bytes(text.encode(encoding))
        self._age -= 10
        then = time.time() - self._age
        os.utime(path, (then, then))

    def open(self) -> CsvFiles:
        source = connector.open({"catalog": str(self.catalog), "customers": str(self.customers)})
        assert isinstance(source, CsvFiles)
        return source


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


async def test_the_sample_company_is_there_without_any_setting() -> None:
    catalogue = await connector.open({}).read()

    assert (len(catalogue.items), len(catalogue.customers)) == (13, 7)
    assert catalogue.item("TEA") == Item(
        "TEA", "緑茶 500ml 24本", ("お茶", "緑茶", "green tea", "绿茶"), "ケース", 2160, 8
    )
    assert catalogue.customer("C006") == Customer(
        "C006", "株式会社髙﨑組", ("髙﨑組", "高崎組"), "ja", "soumu@takasaki-gumi.example"
    )


def test_the_sample_is_the_data_the_requests_are_written_against(shared: Path) -> None:
    for name in ("catalog.csv", "customers.csv"):
        sample = SAMPLES / name

        assert (shared / "quotes" / name).read_bytes() == sample.read_bytes()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932"])
async def test_files_are_read_in_the_encodings_people_save_them_in(
    folder: Folder, encoding: str
) -> None:
    folder.write(folder.catalog, ITEMS + "A,㈱髙﨑の机①,机；テーブル,台,\\32,10\n", encoding)

    item = (await folder.open().read()).items[0]

    assert Item("A", "㈱髙﨑の机①", ("机", "テーブル"), "台", 32, 10) == item


def test_an_unquoted_comma_in_a_price_does_not_pass_for_a_lower_price() -> None:
    words = refusal(f"{ITEMS}A,x,,台,128,010,10\n").words.en

    assert '"catalog.csv", row 2: has more cells than the header' in words


def test_an_open_quotation_mark_does_not_swallow_the_rest_of_the_list() -> None:
    words = refusal(f'{ITEMS}{ITEM}A,"x,,台,1,10\n{ITEM}').words.en

    assert '"catalog.csv", row 3: is not readable as CSV' in words


def test_a_line_break_within_a_cell_does_not_shift_the_row_numbers() -> None:
    words = refusal(f'{ITEMS}A,"two\nlines",,台,1,10\nB,x,,台,free,10\n').words.en

    assert "row 3, column E" in words


@pytest.mark.parametrize("data", ["表".encode("utf-16"), b"PK\x03\x04\0\0", b"\x81\x20\xff"])
def test_what_is_no_text_file_is_said_so(data: bytes) -> None:
    good = csv_table("customers.csv", (CUSTOMERS + CUSTOMER).encode())

    with pytest.raises(Permanent, match=r'"catalog.csv": is not readable text'):
        build_catalogue(csv_table("catalog.csv", data), good, utc_now())


async def test_an_unchanged_file_is_not_read_again(folder: Folder) -> None:
    source = folder.open()

    assert await source.read() is await source.read()


async def test_a_changed_file_is_read_again(folder: Folder) -> None:
    source = folder.open()
    await source.read()

    folder.write(folder.catalog, ITEMS + ITEM.replace("32800", "29800"))

    assert (await source.read()).items[0].unit_price == 29800


async def test_a_file_written_twice_in_one_tick_of_the_clock_is_not_missed(folder: Folder) -> None:
    source = folder.open()
    now = time.time()
    folder.catalog.write_text(ITEMS + ITEM, "utf-8")
    os.utime(folder.catalog, (now, now))
    await source.read()

    folder.catalog.write_text(ITEMS + ITEM.replace("32800", "29800"), "utf-8")
    os.utime(folder.catalog, (now, now))

    assert (await source.read()).items[0].unit_price == 29800


async def test_a_broken_file_stops_everything_until_it_is_mended(folder: Folder) -> None:
    source = folder.open()
    await source.read()

    folder.write(folder.catalog, ITEMS + ITEM.replace("32800", "応相談"))
    for _ in range(2):
        with pytest.raises(Permanent, match="応相談"):
            await source.read()
    folder.write(folder.catalog, ITEMS + ITEM)

    assert (await source.read()).items[0].unit_price == 32800


async def test_a_file_that_is_gone_is_named(folder: Folder) -> None:
    source = folder.open()
    await source.read()
    folder.customers.unlink()

    with pytest.raises(Permanent, match=r"customers\.csv.*No such file"):
        await source.read()


def test_a_misspelt_setting_is_refused() -> None:
    with pytest.raises(Permanent, match="unknown key: catalogue"):
        connector.open({"catalogue": "prices.csv"})


async def test_the_settings_every_connector_is_given_are_accepted(tmp_path: Path) -> None:
    source = connector.open({"cache_dir": str(tmp_path), "time_zone": "Asia/Tokyo"})

    assert (await source.read()).items


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda t: t.encode("utf-8", "replace")))
def test_any_bytes_give_a_catalogue_or_one_clear_error(data: bytes) -> None:
    customers = csv_table("customers.csv", (CUSTOMERS + CUSTOMER).encode())
    try:
        catalogue = build_catalogue(csv_table("catalog.csv", data), customers, utc_now())
    except Permanent as error:
        said = error.words.ja
    else:
        said = f"catalog.csv {catalogue}"

    assert "catalog.csv" in said
