"""From a command in a channel to the approved PDF in its thread."""

import pytest

from bot.discord import limits
from tests.bot.discord.conftest import REQUEST, TOTAL, Office
from tests.fakes.discord.state import Message

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


async def test_a_document_that_is_too_large_for_the_guild_is_a_link_that_stays_one(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "UPLOAD", {0: 10})
    given = {"text": REQUEST.removeprefix("quote ")}
    await office.driver.slash("miyabi quote", office.users["hanako"], office.channel, given)
    await office.driver.click(await office.card(), "承認", office.users["ichiro"])
    posted = await office.said("https://miyabi.example/d/", 20.0)
    assert not posted.files
    assert "0001" in posted.text


async def test_a_reason_is_asked_for_in_a_modal_and_the_requester_writes_it_anew(
    office: Office,
) -> None:
    hanako, ichiro = office.users["hanako"], office.users["ichiro"]
    given = {"text": REQUEST.removeprefix("quote ")}
    await office.driver.slash("miyabi quote", hanako, office.channel, given)
    card = await office.card()
    opened = await office.driver.click(card, "差し戻し", ichiro)
    await opened.answered()
    assert opened.modal is not None
    sent = await office.driver.submit(opened, {"reason": "台数を直してください"}, ichiro)
    assert "差し戻し" in (await sent.message()).text

    question = await _asked(office)
    form = await office.driver.click(question, "フォームで修正", hanako)
    await form.answered()
    assert form.modal is not None
    words = "株式会社ABC商事 モニター6台 キーボード10個 納期12/25"
    await office.driver.submit(form, {"words": words}, hanako)
    assert "280,280円" in (await office.said("280,280円", 20.0)).text


async def _asked(office: Office) -> Message:
    """The message with the button by which what was sent back is written anew."""

    def shown() -> list[Message]:
        return [m for m in office.saying("") if "フォームで修正" in str(m.body)]

    return (await office.discord.wait_for(shown, 15.0))[-1]
