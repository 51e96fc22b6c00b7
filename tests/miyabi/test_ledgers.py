"""Which ledger an organisation keeps: its own, the installation's, or none."""

from pathlib import Path

import pytest

from connectors.google_sheets.ledger import GoogleLedger
from core import organisations
from core.company import Company
from core.documents import Files
from core.errors import Permanent, Refused
from core.ledger import NoLedger
from core.settings import LedgerSettings, Settings
from core.unit import unit
from miyabi.ledgers import Ledgers
from miyabi.particulars import changed
from miyabi.plugins import all_connectors
from tests.core.house import Office, open_office

SHEET = {"connector": "google_sheets", "service_account": "/no/key.json", "spreadsheet": "x" * 20}


@pytest.fixture
async def office(database_url: str):  # type: ignore[no-untyped-def]
    async with open_office(database_url) as office:
        yield office


def ledgers(tmp_path: Path, **ledger: str) -> Ledgers:
    settings = Settings(home=tmp_path, organisation="acme", ledger=LedgerSettings(**ledger))
    return Ledgers(settings, all_connectors())


async def keep(office: Office, ledger: dict[str, str] | None) -> None:
    async with unit(office.house) as work:
        company = Company("Acme", ledger=ledger)
        await organisations.change_company(work, office.organisation.id, company)


async def test_without_a_setting_none_is_kept(office: Office, tmp_path: Path) -> None:
    found = await ledgers(tmp_path).open(office.house, office.organisation.id)

    assert isinstance(found, NoLedger)


async def test_the_installations_is_that_of_its_own_organisation(
    office: Office, tmp_path: Path
) -> None:
    one = ledgers(tmp_path, **SHEET, sheet="台帳")
    async with unit(office.house) as work:
        other = await organisations.add(work, "other", Company("Other"))

    found = await one.open(office.house, office.organisation.id)
    assert isinstance(found, GoogleLedger)
    assert found.name == "台帳"
    assert await one.open(office.house, office.organisation.id) is found
    assert isinstance(await one.open(office.house, other.id), NoLedger)


async def test_a_companys_own_goes_first_and_a_change_counts_at_once(
    office: Office, tmp_path: Path
) -> None:
    one = ledgers(tmp_path, **SHEET, sheet="installation")
    await keep(office, {**SHEET, "sheet": "ours"})
    assert (await one.open(office.house, office.organisation.id)).name == "ours"

    await keep(office, {**SHEET, "sheet": "newer"})
    assert (await one.open(office.house, office.organisation.id)).name == "newer"


@pytest.mark.parametrize("connector", ["csv", "stone_tablet"])
async def test_a_connector_that_keeps_none_is_refused(
    office: Office, tmp_path: Path, connector: str
) -> None:
    await keep(office, {"connector": connector})

    with pytest.raises(Permanent, match=connector):
        await ledgers(tmp_path).open(office.house, office.organisation.id)


async def test_it_is_set_option_by_option_beside_the_price_list(office: Office) -> None:
    files = Files(office.house, office.organisation.id)
    changes = ["ledger.connector=google_sheets", "ledger.sheet=台帳", "price_list.connector=csv"]

    company = await changed(Company("Acme"), changes, files)
    assert company.ledger == {"connector": "google_sheets", "sheet": "台帳"}
    assert company.price_list == {"connector": "csv"}
    assert (await changed(company, ["ledger="], files)).ledger is None
    with pytest.raises(Refused, match=r"ledger\.connector="):
        await changed(company, ["ledgr.connector=csv"], files)
