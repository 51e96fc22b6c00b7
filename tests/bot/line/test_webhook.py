"""The web process as a whole: what LINE delivers is answered at once, and dealt with once."""

import asyncio

import pytest

from bot.line.outbound import LineOutbound
from tests.bot.line.conftest import Office

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

    done = "select 1 from arrivals where state = 'done'"
    async with asyncio.timeout(10):
        while not await quiet_office.rows(done):  # noqa: ASYNC110  # nothing tells
            await asyncio.sleep(0.05)
