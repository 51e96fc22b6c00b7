"""The page by which a notice is acknowledged from a mail: looking at it changes nothing."""

from dataclasses import replace
from urllib.parse import urlsplit

from aiohttp import ClientSession
from pydantic import SecretStr

from bot.email.pages import pages_for
from bot.email.render import Look, show
from core.ack_links import Asked, ack_link
from core.acknowledging import ACK
from core.ids import new_id
from core.messages import Button, Message
from core.notices import Notice, Recipient, publish
from core.platform import Opening
from core.settings import Settings
from core.unit import unit
from miyabi.session import newest_version
from tests.core.house import open_office
from tests.running import at_port
from web.app import create_app


async def _read_file(*_: object) -> bytes:
    raise LookupError


async def test_a_letters_link_opens_a_page_whose_button_acknowledges_once(
    database_url: str,
) -> None:
    async with open_office(database_url) as office:
        house = replace(office.house, public_url="https://miyabi.example")
        organisation_id, boss = office.organisation.id, office.boss
        async with unit(house) as work:
            to = (Recipient("person", str(boss.id)),)
            notice = Notice("alert.disk", to, {"title": "Disk <b>full"})
            notice_id = await publish(work, organisation_id, notice)
            said = Message(
                "Disk full", "Disk full", buttons=(Button(ACK, "I have it", str(notice_id)),)
            )
            pages = await pages_for(work, house, organisation_id, boss.id, [said])
        spoken, html = show([(said, False)], Look(pages))
        [link] = pages.values()
        assert link in spoken
        assert "I have it" in html
        assert "「I have it」" not in spoken  # there is nobody to answer to

        given = Settings(secret_key=SecretStr("A" * 43 + "="))
        app = create_app(Opening(given, house, _read_file), [], newest=newest_version())
        async with at_port(app) as url, ClientSession(url) as client:
            path = urlsplit(link).path
            for method in ("GET", "HEAD", "GET"):
                async with client.request(method, path) as looked:
                    assert looked.status == 200
            assert "“Disk &lt;b&gt;full”" in await (await client.get(path)).text()
            row = "select acknowledged_by as who from notices where id = :id"
            assert (await office.row(row, {"id": notice_id})).who is None

            pressed = await (await client.post(path)).text()
            assert "you have it" in pressed
            assert (await office.row(row, {"id": notice_id})).who == boss.id
            other = ack_link(house, Asked(organisation_id, notice_id, office.asker.id))
            assert other is not None
            later = await (await client.post(urlsplit(other).path)).text()
            assert "Boss has it already" in later

            assert "Boss has it already" in await (await client.get(urlsplit(other).path)).text()

            gone = ack_link(house, Asked(organisation_id, new_id(), boss.id))
            assert gone is not None
            for wrong in (urlsplit(gone).path, path[:-2] + "xx", "/ack/x"):
                async with client.post(wrong) as answer:
                    assert answer.status == 404
