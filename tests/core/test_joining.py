"""New colleagues of an allowed domain: they join once, may ask, and the admins are told."""

import asyncio
from dataclasses import replace

import pytest

from core import people
from core.errors import Refused
from core.inbound import Inbound, Sender, Spot
from core.intake import accept
from core.joining import join
from core.linking import make_code
from core.people import Person
from core.reconcile import reconcile
from core.unit import unit
from tests.core.house import Office

NEW = Sender("street", "acme", "ito@x.example")


async def joins(office: Office, sender: Sender = NEW, name: str = "伊藤") -> Person:
    async with unit(office.house) as work:
        return await join(work, office.organisation.id, sender, name, "ja")


async def test_who_joins_is_one_requester_and_the_admins_are_told_once(office: Office) -> None:
    async with unit(office.house) as work:
        admin = await people.add(
            work, office.organisation.id, "admin", "Admin", frozenset({"admin"}), language="en"
        )
        await people.link(work, admin, Sender("wall", "w1", "admin"))

    first, second = await asyncio.gather(joins(office), joins(office))
    assert first == second
    assert (first.handle, first.name, first.roles) == ("ito", "伊藤", {"requester"})

    await office.execute("update schedule set next_at = now() where kind = 'person.joined'")
    await reconcile(office.house)  # nothing was asked yet
    inbound = Inbound(NEW, Spot("ito@x.example", "<1>"), "k", "letter hello")
    assert (await accept(office.house, inbound)).outcome == "taken"
    await office.execute("update schedule set next_at = now() where kind = 'person.joined'")
    await reconcile(office.house)
    await reconcile(office.house)
    await office.work()

    told = [text for text in office.wall.texts("admin") if "ito@x.example" in text]
    assert len(told) == 1


async def test_names_can_be_shown_and_handles_are_free(office: Office) -> None:
    bidi = await joins(office, name="a\u202eb\n\x07 c\ud800" + "d" * 100)
    again = await joins(office, replace(NEW, account="ITO@y.example"), name=" \u200b")

    assert bidi.name == "a b c" + "d" * 55
    assert (again.handle, again.name) == ("ito-2", "ito-2")


async def test_an_address_that_an_admin_gave_is_that_persons(office: Office) -> None:
    async with unit(office.house) as work:
        await people.change(work, office.boss, email="Ito@x.example", active=True)

    assert await joins(office) == office.boss


async def test_who_has_left_does_not_come_back_by_writing(office: Office) -> None:
    person = await joins(office)
    async with unit(office.house) as work:
        await people.change(work, person, email=None, active=False)

    with pytest.raises(Refused):
        await joins(office)
    row = await office.row("select count(*) as n from people where handle like 'ito%'", {})
    assert row.n == 1


async def test_a_code_links_the_first_account_of_a_workspace_that_the_platform_knows(
    office: Office,
) -> None:
    async with unit(office.house) as work:
        code = await make_code(work, office.house, office.boss)
    inbound = Inbound(NEW, Spot("ito@x.example", "<1>"), "k", code.text)

    assert (await accept(office.house, inbound)).outcome == "unknown_person"
    known = replace(inbound, organisation_id=office.organisation.id, key="l")
    assert (await accept(office.house, known)).outcome == "done"

    async with office.house.engine.connect() as connection:
        assert await people.who(connection, NEW) == office.boss
