"""An issued quotation is entered in the company's ledger: once, whatever happens on the way."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from agents.sales.quote import agent
from connectors.csv_files import open_files
from connectors.google_sheets.ledger import COLUMNS, GoogleLedger, open_ledger
from core.agent import Effect
from core.catalogue import Catalogue
from core.house import House
from core.ledger import Ledger, LedgerLine, NoLedger
from tests.core.house import Office, open_office
from tests.core.post import die_at
from tests.fakes.google_sheets.account import Account
from tests.fakes.google_sheets.server import KEY, FakeGoogle, Reset, Status

REQUEST = "見積 株式会社ABC商事 モニター5台 キーボード10個 納期12/25"


@dataclass(slots=True)
class Company:
    """The office with the quote agent, and the Google that its ledger is in."""

    office: Office
    google: FakeGoogle
    ledger: Ledger

    async def issue(self) -> UUID:
        """Ask for a quotation and have it approved; what follows is done by `office.work`."""
        answer = await self.office.say(REQUEST)
        await self.office.work()
        assert answer.task_id is not None
        approval = await self.office.approval_id(answer.task_id)
        await self.office.click("approve", approval, self.office.boss)
        return answer.task_id

    def lines(self) -> list[Any]:
        return [list(row) for row in self.google.sheets["見積台帳"][1:]]


@pytest.fixture(scope="module")
def account() -> Account:
    return Account()


@pytest.fixture
async def company(database_url: str, account: Account) -> AsyncIterator[Company]:
    catalogue = await open_files({}).read()
    async with FakeGoogle(account) as google, open_office(database_url) as office:
        google.sheets["見積台帳"] = [[names[0] for names in COLUMNS]]
        ledger = open_ledger(
            {
                "service_account": json.dumps(account.info()),
                "spreadsheet": KEY,
                "base_url": google.base_url,
                "timeout": "5",
            }
        )
        found = Company(office, google, ledger)

        async def prices(house: House, organisation_id: UUID) -> Catalogue:
            return catalogue

        async def ledgers(house: House, organisation_id: UUID) -> Ledger:
            return found.ledger

        office.house = replace(
            office.house,
            agents={"quote": replace(agent, steps=tuple(_at_once(step) for step in agent.steps))},
            resources={**office.house.resources, Catalogue: prices, Ledger: ledgers},
        )
        yield found
        assert google.violations == []


def _at_once(step: Any) -> Any:
    """The step, without waiting for what may be under way at Google."""
    return replace(step, settles=timedelta(0)) if isinstance(step, Effect) else step


async def test_an_issued_quotation_stands_in_the_ledger(company: Company) -> None:
    task_id = await company.issue()
    await company.office.work()

    effect = await company.office.row("select * from effects where task_id = :id", {"id": task_id})
    number, _, customer, total, person, key = company.lines()[0]
    assert await company.office.state(task_id) == "done"
    assert number.startswith("Q-")
    assert (customer, person, key) == ("株式会社ABC商事", "Asker", str(effect.id))
    assert isinstance(total, int)
    assert (effect.state, effect.target) == ("done", "見積台帳")
    assert company.office.wall.showing("Ledger (見積台帳): done")


async def test_without_a_ledger_nothing_is_entered_and_nothing_is_shown(company: Company) -> None:
    company.ledger = NoLedger()
    task_id = await company.issue()
    await company.office.work()

    row = await company.office.row("select count(*) as n from effects", {})
    assert (await company.office.state(task_id), row.n) == ("done", 0)
    assert company.google.requests == []
    assert not [text for text in company.office.wall.texts() if "Ledger" in text]


@pytest.mark.parametrize("trouble", [Status(500), Reset()])
async def test_google_enters_it_and_says_it_failed(
    company: Company, trouble: Status | Reset
) -> None:
    company.google.trouble_after_append = trouble
    task_id = await company.issue()
    await company.office.work()

    assert await company.office.state(task_id) == "done"
    assert len(company.lines()) == 1


async def test_google_is_busy_and_the_line_is_entered_later(company: Company) -> None:
    company.google.trouble_at_append = Status(429, retry_after="7")
    task_id = await company.issue()
    await company.office.work()
    row = await company.office.row(
        "select state, extract(epoch from retry_at - now()) as wait from tasks", {}
    )
    assert row.state == "retrying"
    assert row.wait > 4
    assert company.lines() == []

    await company.office.execute("update tasks set retry_at = now()")
    await company.office.recover()

    assert await company.office.state(task_id) == "done"
    assert len(company.lines()) == 1


class Dying:
    """A ledger whose worker dies when the line is entered, before it can say so."""

    def __init__(self, ledger: GoogleLedger) -> None:
        self.name = ledger.name
        self.entered = asyncio.Event()
        self._ledger = ledger

    async def append(self, line: LedgerLine, key: str) -> str:
        place = await self._ledger.append(line, key)
        self.entered.set()
        await asyncio.Event().wait()
        return place

    async def find(self, key: str) -> str | None:
        return await self._ledger.find(key)


async def test_a_worker_dies_when_the_line_is_entered_and_it_is_not_doubled(
    company: Company,
) -> None:
    task_id = await company.issue()
    living = company.ledger
    assert isinstance(living, GoogleLedger)
    company.ledger = dying = Dying(living)
    walking = await die_at(company.office, dying.entered, task_id)
    company.ledger = living

    await company.office.recover()

    assert await company.office.state(task_id) == "done"
    assert len(company.lines()) == 1
    walking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await walking
