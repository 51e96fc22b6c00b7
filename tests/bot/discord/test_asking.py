"""Ways to ask: options with what is found as one types, a modal, a message, words."""

import pytest

from bot.discord import commands
from core.words import LANGUAGES
from tests.bot.discord.conftest import Office

pytestmark = pytest.mark.timeout(120)


async def test_customers_and_items_are_found_as_they_are_typed(quiet_office: Office) -> None:
    office, hanako = quiet_office, quiet_office.users["hanako"]
    found = await office.driver.autocomplete(
        "miyabi quote", "customer", "ABC", hanako, office.channel
    )
    assert "株式会社ABC商事" in [each["name"] for each in found]
    items = await office.driver.autocomplete(
        "miyabi quote", "item", "モニタ", hanako, office.channel
    )
    assert any("モニター" in each["name"] for each in items)

    given = {
        "customer": next(each["value"] for each in found if each["name"] == "株式会社ABC商事"),
        "item": items[0]["value"],
        "quantity": "5台",
        "due": "12/25",
    }
    reply = await office.driver.slash("miyabi quote", hanako, office.channel, given)
    assert "受け付けました" in (await reply.message()).text
    assert (await office.rows("select count(*) as n from tasks"))[0].n == 1


async def test_what_is_wrong_with_an_option_is_said_by_its_name_and_nothing_is_taken(
    quiet_office: Office,
) -> None:
    office, hanako = quiet_office, quiet_office.users["hanako"]
    given = {"customer": "そんな会社はない", "item": "モニター", "quantity": "5"}
    reply = await office.driver.slash("miyabi quote", hanako, office.channel, given)
    said = (await reply.message()).text
    assert "お客様" in said or "顧客" in said, said
    assert (await office.rows("select count(*) as n from tasks"))[0].n == 0


async def test_without_options_a_modal_asks_in_words(quiet_office: Office) -> None:
    office, hanako = quiet_office, quiet_office.users["hanako"]
    opened = await office.driver.slash("miyabi quote", hanako, office.channel)
    await opened.answered()
    assert opened.modal is not None
    words = "株式会社ABC商事 モニター5台 納期12/25"
    sent = await office.driver.submit(opened, {"words": words}, hanako)
    assert "#1001" in (await sent.message()).text


async def test_a_message_is_made_a_quote_in_a_thread_of_its_own(office: Office) -> None:
    ichiro = office.users["ichiro"]
    words = "株式会社ABC商事 モニター5台 納期12/25"
    message = await office.driver.say(words, office.users["hanako"], office.channel)
    agent = office.house.agent("quote")
    name = commands.message_command(agent, "en")
    reply = await office.driver.message_command(name, message, ichiro)
    assert "#1001" in (await reply.message()).text
    card = await office.card()
    assert card.channel == message.id, "a thread has the id of the message it begins at"


async def test_a_mention_begins_a_thread_and_a_stranger_is_told(office: Office) -> None:
    hanako = office.users["hanako"]
    said = await office.driver.say(
        "quote 株式会社ABC商事 モニター 納期12/25", hanako, office.channel, mention=True
    )
    question = await office.said("いくつですか")
    assert question.channel == said.id
    thread = office.discord.world.channels[said.id]
    await office.driver.say("5台", hanako, thread)
    assert (await office.card()).channel == said.id

    stranger = office.discord.person("nanashi")
    await office.driver.say("見積をお願い", stranger, office.channel, mention=True)
    await office.said("登録")
    assert (await office.rows("select count(*) as n from tasks"))[0].n == 1


async def test_a_direct_conversation_has_no_threads_and_knows_what_is_meant(
    office: Office,
) -> None:
    hanako = office.users["hanako"]
    await office.driver.say("quote 株式会社ABC商事 モニター 納期12/25", hanako)
    await office.discord.wait_for(lambda: office.discord.said(hanako, "いくつですか"))
    await office.driver.say("5台", hanako)
    await office.discord.wait_for(lambda: office.discord.said(hanako, "承認待ち"), 15.0)
    assert (await office.rows("select count(*) as n from tasks"))[0].n == 1


def test_what_is_registered_is_described_in_all_languages(quiet_office: Office) -> None:
    told = commands.commands(quiet_office.house.agents.values())
    [chat] = [each for each in told if each["type"] == 1]
    names = {each["name"] for each in chat["options"]}
    assert {"quote", "expense", "status", "approvals", "help", "notify"} <= names
    for each in chat["options"]:
        assert len(each["description"]) <= 100
        assert set(each["description_localizations"]) == {"ja", "zh-CN"}
    assert len(LANGUAGES) == 3
