"""The home tab shows what waits for me, and my tasks."""

import pytest

from tests.bot.slack.conftest import Office
from tests.fakes.slack.reading import labels, text_of
from tests.fakes.slack.state import View

pytestmark = pytest.mark.timeout(60)


async def _home(office: Office, user: str) -> View:
    assert (await office.driver.open_home(user)).ok
    return await office.slack.wait_for(lambda: office.slack.home.homes[user], 5.0)


async def test_the_approver_sees_what_waits_and_the_requester_their_tasks(
    office: Office,
) -> None:
    await office.quote()
    office.slack.home.homes.clear()
    await office.driver.open_home("U1")
    await office.driver.open_home("U2")
    await office.slack.wait_for(lambda: len(office.slack.home.homes) == 2)

    mine, theirs = office.slack.home.homes["U1"], office.slack.home.homes["U2"]
    assert "自分の依頼" in text_of(mine)
    assert "#1001 見積書" in text_of(mine)
    assert "承認待ち" in text_of(mine)
    assert "あなたの承認待ち" in text_of(theirs)
    assert "#1001 見積書" in text_of(theirs)
    assert "自分の依頼" not in text_of(theirs)


async def test_the_form_opens_from_the_home_tab_and_its_task_begins_directly(
    office: Office,
) -> None:
    driver = office.driver
    await driver.open_home("U1")
    home = await office.slack.wait_for(lambda: office.slack.home.homes.get("U1"))
    assert home is not None
    assert {"稟議書を作る", "見積書を作る"} <= set(labels(home))

    await driver.click(home, "見積書を作る", user="U1")
    form = await office.form("U1")
    await driver.suggest(form, "customer", "ABC", user="U1")
    await driver.suggest(form, "lines:0:item", "MON", user="U1")
    values = {
        "customer": driver.suggested["customer"][0],
        "lines:0:item": driver.suggested["lines:0:item"][0],
        "lines:0:quantity": "5",
    }
    await driver.submit_view(form, values, user="U1")

    assert "180,400円" in text_of(await office.card("DU1"))


async def test_whoever_may_not_ask_has_no_button_for_it(office: Office) -> None:
    await office.driver.open_home("U3")
    home = await office.slack.wait_for(lambda: office.slack.home.homes.get("U3"))

    assert home is not None
    assert not [label for label in labels(home) if "作る" in label]


async def test_how_one_is_notified_is_shown_and_set_there(office: Office) -> None:
    await office.driver.open_home("U1")
    home = await office.slack.wait_for(lambda: office.slack.home.homes.get("U1"))
    assert home is not None
    assert "会社の決まりどおり" in text_of(home)
    office.slack.home.homes.clear()
    await office.driver.click(home, "静か 22:00-8:00", user="U1")
    home = await office.slack.wait_for(lambda: office.slack.home.homes.get("U1"))

    assert home is not None
    assert "22:00 から 08:00 まで（Asia/Tokyo、会社の時間帯）" in text_of(home)
    assert "静かな時間なし" in labels(home)


async def test_a_stranger_is_told_how_to_be_added(office: Office) -> None:
    await office.driver.open_home("U8")
    home = await office.slack.wait_for(lambda: office.slack.home.homes.get("U8"))

    assert home is not None
    assert text_of(home).count("miyabi people link") == 3


async def test_another_tab_changes_nothing(office: Office) -> None:
    assert (await office.driver.open_home("U1", tab="messages")).ok
    await office.driver.slash("help", user="U1", channel="C1")

    assert office.slack.home.homes == {}
