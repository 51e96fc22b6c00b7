"""The web process as a whole: what LINE delivers is answered at once, and dealt with once."""

import asyncio
from collections import Counter

import pytest
from sqlalchemy import text

from bot.line import rows
from bot.line.outbound import LineOutbound
from bot.line.reading import read_events
from bot.line.tokens import Channel
from core.arrivals import store
from core.sealing import seal
from core.secret_key import secret_key
from core.unit import unit
from miyabi.build import open_house
from miyabi.embedded import Services
from tests.bot.line.conftest import COMPANY, REQUEST, Office, hire, serving
from tests.fakes.line.signing import signed_headers

pytestmark = pytest.mark.timeout(120)


async def known(office: Office) -> None:
    """Have the settings' channel introduce itself, as it does when the process starts."""
    outbound = office.house.outbounds["line"]
    assert isinstance(outbound, LineOutbound)
    await outbound.channels.own()


async def test_the_console_can_verify_the_address_and_what_is_forged_is_refused(
    quiet_office: Office,
) -> None:
    await known(quiet_office)

    assert (await quiet_office.people.deliver()).ok
    body = b'{"destination":"%s","events":[]}' % quiet_office.line.home.destination.encode()
    assert (await quiet_office.people.raw(body, {"x-line-signature": "x"})).status == 401
    assert await quiet_office.count("arrivals") == 0


async def test_a_first_message_is_kept_although_nobody_knows_the_channel_yet(
    quiet_office: Office,
) -> None:
    assert (await quiet_office.people.say("ヘルプ", "花子")).ok

    await quiet_office.said("花子", "見積")


async def test_a_webhook_that_comes_again_and_again_to_two_processes_is_one_task_and_one_answer(
    quiet_office: Office, services: Services
) -> None:
    await known(quiet_office)
    settings = quiet_office.built.opening.settings
    async with open_house(settings, services, pool_size=5) as other, serving(other) as url:
        people, elsewhere = quiet_office.people, quiet_office.line.driver(url)
        reply = await people.say(REQUEST, "花子")
        again = await asyncio.gather(
            *(each.redeliver(*reply.events) for each in (elsewhere, people, elsewhere))
        )

        assert all(each.ok for each in again)
        await quiet_office.said("花子", "受け付け")
        await asyncio.sleep(0.3)
    assert await quiet_office.count("tasks") == 1
    assert len(quiet_office.line.said("花子")) == 1


async def test_while_lines_own_api_hangs_webhooks_are_answered_and_all_is_done_later_once(
    quiet_office: Office,
) -> None:
    await known(quiet_office)
    for operation in ("replyMessage", "showLoadingAnimation"):
        quiet_office.line.fail_next(operation, hang=1.0, times=8)

    people = ["花子", "一郎", "三郎"]
    asked = [("ヘルプ", user) for user in people] + [(REQUEST, "花子"), ("一覧", "一郎")]
    replies = [await quiet_office.people.say(words, user) for words, user in asked]

    assert all(reply.status == 200 and reply.elapsed < 0.7 for reply in replies)
    await quiet_office.line.wait_for(lambda: len(_said(quiet_office)) >= 5, 15.0)
    assert Counter(_said(quiet_office)) == {"花子": 2, "一郎": 2, "三郎": 1}
    assert await quiet_office.count("tasks") == 1


def _said(office: Office) -> list[str]:
    """To whom the bot spoke, once for each message."""
    return [user for user in ("花子", "一郎", "三郎") for _ in office.line.said(user)]


async def test_each_company_has_its_own_channel_and_nobody_signs_for_another(
    quiet_office: Office,
) -> None:
    await known(quiet_office)
    house, other = quiet_office.house, quiet_office.line.channel("別会社")
    company = await hire(house, "other", COMPANY, other, {"花子": "requester"})
    theirs = quiet_office.line.driver(quiet_office.url, channel=other)
    assert (await theirs.deliver()).status == 401  # it is not connected

    key = secret_key(quiet_office.built.opening.settings)
    opens = {"secret": other.secret, "token": other.token}
    async with unit(house) as work:
        sealed = seal(key, "line", other.destination, opens)
        await rows.save(work, company.id, other.destination, "別会社", sealed)
    outbound = house.outbounds["line"]
    assert isinstance(outbound, LineOutbound)
    outbound.channels.forget(other.destination)

    assert (await theirs.say("ヘルプ", "花子")).ok
    await quiet_office.line.wait_for(lambda: other.chat("花子").bots)
    assert quiet_office.line.said("花子") == []
    [arrival] = await quiet_office.rows("select organisation_id from arrivals")
    assert arrival.organisation_id == company.id
    body = b'{"destination":"%s","events":[]}' % other.destination.encode()
    forged = signed_headers(quiet_office.line.home.secret, body)
    assert (await theirs.raw(body, forged)).status == 401


async def test_what_dead_processes_left_is_done_and_what_killed_them_is_told(
    quiet_office: Office,
) -> None:
    await known(quiet_office)
    home, make = quiet_office.line.home, quiet_office.people.make
    deadly, left = make.text("見積 毒", "花子"), make.text("ヘルプ", "花子")
    channel = Channel(home.destination, quiet_office.organisation.id, "", "")
    events = read_events(channel, {"events": [deadly, left]})
    await store(quiet_office.house.engine, events)
    async with quiet_office.house.engine.begin() as connection:
        await connection.execute(
            text(
                "update arrivals set next_at = now(),"
                " attempts = case when key = :key then 3 else 0 end"
            ),
            {"key": deadly["webhookEventId"]},
        )

    await quiet_office.line.wait_for(lambda: len(quiet_office.line.said("花子")) == 2, 15.0)

    told, helped = quiet_office.line.said("花子")
    assert "処理できませんでした" in told.text
    assert "見積" in helped.text
    [failed] = await quiet_office.rows("select key, error from arrivals where state = 'failed'")
    assert failed.key == deadly["webhookEventId"]
    assert failed.error[:8] in told.text
