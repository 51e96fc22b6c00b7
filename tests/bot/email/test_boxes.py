"""Mailboxes are kept with what opens them sealed, and found by their address, tags and all."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from bot.email import boxes
from bot.email.boxes import Box, OAuth, Server, Trust
from core import organisations
from core.company import Company
from core.db import fetch_alone
from core.errors import Permanent, Refused
from core.ids import new_id
from core.sealing import seal
from core.unit import unit
from tests.core.house import Office, check_complete, check_events, open_office


@pytest.fixture
async def office(database_url: str) -> AsyncIterator[Office]:
    async with open_office(database_url) as office:
        yield office
    await check_events(database_url)
    await check_complete(database_url)


def _box(office: Office, address: str = "Quote@Miyabi.example") -> Box:
    return Box(
        new_id(),
        office.organisation.id,
        office.organisation.slug,
        address.lower(),
        "quote",
        trust=Trust(("mx.google.com", "*.yahoo.com"), domains=("miyabi.example",)),
        imap=Server("imap.miyabi.example", 993, "quote"),
        oauth=OAuth("https://login.miyabi.example/token", "client"),
        secrets={"imap_password": "hush hush"},
    )


async def _add(office: Office, box: Box) -> None:
    async with unit(office.house) as work:
        await boxes.add(work, office.house, box)


async def test_a_mailbox_is_found_by_its_address_and_its_passwords_lie_sealed(
    office: Office,
) -> None:
    box = _box(office)
    await _add(office, box)

    assert await boxes.by_address(office.house, "QUOTE@miyabi.example") == box
    assert await boxes.by_address(office.house, "quote+abc@miyabi.example") == box
    assert await boxes.by_address(office.house, "quotes@miyabi.example") is None
    assert await boxes.by_id(office.house, box.id) == box
    assert await boxes.of_organisation(office.house, office.organisation.id) == [box]
    [row] = await fetch_alone(office.house.engine, "select * from mailboxes", {})
    assert b"hush" not in bytes(row.secrets)
    assert "hush" not in row.settings
    assert "hush" not in repr(box)

    async with unit(office.house) as work:
        await boxes.change(work, office.house, replace(box, plus=False))
    assert await boxes.by_address(office.house, "quote+abc@miyabi.example") is None


async def test_an_address_is_one_companys_until_it_is_removed(office: Office) -> None:
    box = _box(office)
    await _add(office, box)
    async with unit(office.house) as work:
        other = await organisations.add(work, "betsu", Company("別会社"))
    theirs = replace(box, id=new_id(), organisation_id=other.id, workspace="betsu")
    with pytest.raises(Refused):
        await _add(office, theirs)

    async with unit(office.house) as work:
        await boxes.remove(work, theirs)
        await boxes.remove(work, replace(box, organisation_id=other.id))
    assert await boxes.by_address(office.house, box.address) == box, "others can't remove it"

    async with unit(office.house) as work:
        await boxes.remove(work, box)
    assert await boxes.by_address(office.house, box.address) is None
    assert await boxes.by_id(office.house, box.id) == replace(box, secrets={})
    await _add(office, theirs)
    assert [each.workspace for each in await boxes.all_boxes(office.house)] == ["betsu"]


async def test_a_mailbox_that_cannot_be_opened_does_not_take_the_others_with_it(
    office: Office,
) -> None:
    good, bad = _box(office), _box(office, "support@miyabi.example")
    await _add(office, good)
    await _add(office, bad)
    sealed = seal(b"k" * 32, "email", str(bad.id), {"imap_password": "of another key"})
    await fetch_alone(
        office.house.engine,
        "update mailboxes set secrets = :sealed where id = :id",
        {"sealed": sealed, "id": bad.id},
    )

    assert await boxes.all_boxes(office.house) == [good]
    with pytest.raises(Permanent):
        await boxes.by_address(office.house, bad.address)
