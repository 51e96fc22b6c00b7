"""A real quotation by the API: the agent's form, what may be wrong with it, and the PDF."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from bot.api import tokens
from core import organisations, people
from core.company import Company
from core.organisations import Organisation
from core.settings import Settings
from core.unit import unit
from miyabi.build import Built, open_house
from miyabi.embedded import Services
from tests.bot.api.conftest import Program, Said, described, served
from tests.running import working

FORM: dict[str, Any] = {
    "customer": "C001",
    "lines": [{"item": "MON-27", "quantity": "5"}],
    "due": date(2036, 1, 1).isoformat(),
    "discount": "10%",
}


@dataclass(slots=True)
class Firm:
    """A company with the sample price list: one program that asks, one that approves."""

    built: Built
    organisation: Organisation
    asker: Program
    boss: Program

    async def ask(self, form: object, key: str | None = None) -> Said:
        return await self.asker.post("/requests", {"agent": "quote", "form": form}, key=key)

    async def until(self, path: str, state: str) -> dict[str, Any]:
        """The task once it is in this state."""
        async with asyncio.timeout(30), working(self.built):
            while (task := await self.asker.get(path)).data["state"] != state:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        return task.data


@pytest.fixture
async def firm(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Firm]:
    settings = Settings(
        home=tmp_path,
        database_url=SecretStr(database_url),
        redis_url=SecretStr(redis_url),
        secret_key=SecretStr("A" * 43 + "="),
    )
    services = Services(database_url, database_url, redis_url)
    async with open_house(settings, services) as built, served(built.opening) as http:
        async with unit(built.house) as work:
            organisation = await organisations.add(work, "default", Company("みやび"))
            given = []
            for handle, role in (("asker", "requester"), ("boss", "approver")):
                person = await people.add(
                    work, organisation.id, handle, handle, frozenset({role}), language="en"
                )
                given.append(await tokens.make(work, person, ""))
        description = await described(http)
        asker, boss = (Program(http, description, token) for token in given)
        yield Firm(built, organisation, asker, boss)


async def test_a_form_becomes_a_quotation_as_pdf(firm: Firm) -> None:
    said = await firm.ask(FORM)
    path = f"/tasks/{said.data['reference']}"
    waiting = await firm.until(path, "waiting")
    await firm.boss.post(f"{path}/approve")
    done = await firm.until(path, "done")
    (document,) = done["documents"]
    file = await firm.asker.get(f"{path}/documents/{document['number']}")

    assert said.status == 202
    assert waiting["waiting_for"] == "approval"
    assert waiting["facts"]["customer"] == "C001"
    assert waiting["facts"]["total"] == 162_360
    assert waiting["totals"][-1] == {"label": "Total incl. tax", "value": "¥162,360"}
    assert file.headers["Content-Type"] == "application/pdf"
    assert file.body.startswith(b"%PDF")


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({"customer": "C999"}, "form.customer"),
        ({"customer": None}, "form.customer"),
        ({"customer": []}, "form.customer"),
        ({"lines": []}, "form.lines.0"),
        ({"lines": "MON-27"}, "form.lines"),
        ({"lines": [{"item": "X", "quantity": "1"}]}, "form.lines.0"),
        ({"lines": [*FORM["lines"], {"item": "MON-27", "quantity": "none"}]}, "form.lines.1"),
        ({"due": "tomorrow"}, "form.due"),
        ({"due": "2020-01-01"}, "form.due"),
        ({"discount": "some"}, "form.discount"),
        ({"colour": "red"}, "form.colour"),
    ],
)
async def test_what_is_wrong_with_a_form_is_told_by_field(
    firm: Firm, change: dict[str, Any], wrong: str
) -> None:
    said = await firm.ask({**FORM, **change})

    assert said.status == 422
    assert [error["field"] for error in said.data["errors"]] == [wrong]


async def test_a_repeated_form_is_not_checked_against_todays_price_list(firm: Firm) -> None:
    first = await firm.ask(FORM, key="k")
    gone = {"connector": "csv", "catalog": "/nowhere/gone.csv"}
    async with unit(firm.built.house) as work:
        await organisations.change_company(
            work, firm.organisation.id, replace(firm.organisation.company, price_list=gone)
        )

    again = await firm.ask(FORM, key="k")
    new = await firm.ask(FORM)

    assert (again.status, again.data) == (202, first.data)
    assert (new.status, new.data["code"]) == (503, "unavailable")
