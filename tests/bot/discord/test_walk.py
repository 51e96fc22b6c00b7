"""From a command in a channel to the approved PDF in its thread."""

import pytest

from tests.bot.discord.conftest import REQUEST, TOTAL, Office

pytestmark = pytest.mark.timeout(120)


async def test_a_command_becomes_a_thread_and_after_the_approval_a_pdf(office: Office) -> None:
    hanako, ichiro = office.users["hanako"], office.users["ichiro"]
    text = REQUEST.removeprefix("quote ")

    reply = await office.driver.slash("miyabi quote", hanako, office.channel, {"text": text})
    assert "#1001" in (await reply.message("受け付けました")).text

    card = await office.card()
    assert TOTAL in card.text
    place = office.discord.world.channels[card.channel]
    assert place.is_thread
    assert place.parent == office.channel.id

    refused = await office.driver.click(card, "承認", hanako)
    assert "できません" in (await refused.message()).text
    pressed = await office.driver.click(card, "承認", ichiro)
    assert "「承認」にしました" in (await pressed.message("#1001")).text
    posted = await office.said("0001 を発行しました", 20.0)
    [file] = posted.files
    assert file.data.startswith(b"%PDF-")
    assert len(office.saying("0001 を発行しました")) == 1
