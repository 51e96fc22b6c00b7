"""`/miyabi expense` in Slack: rows of several fields, and what is wrong beside each."""

from datetime import date, timedelta

import pytest

from tests.bot.slack.conftest import Office
from tests.fakes.slack.reading import text_of

pytestmark = pytest.mark.timeout(120)

ROW = {
    "lines:0:day": (date.today() - timedelta(days=7)).isoformat(),  # noqa: DTZ011  # a day before
    "lines:0:payee": "鮨大",
    "lines:0:amount": "33,000円",
    "lines:0:category": "entertainment",
    "lines:0:purpose": "会食 <!channel>",
}


async def test_a_claim_is_made_of_the_form(office: Office) -> None:
    driver = office.driver
    async with office.house.engine.begin() as connection:
        await connection.exec_driver_sql(
            "update people set roles = '{requester,approver,accountant}' where handle = 'u2'"
        )
    assert (await driver.slash("expense", user="U1", channel="C1")).ok
    form = await office.form("U1")

    wrong = await driver.submit_view(form, ROW, user="U1")
    assert "参加者の氏名と人数" in wrong.json["errors"]["lines:0:attendees"]
    more = {"lines:0:attendees": "ABC商事 佐藤様 計2名", "lines:0:registration": "T7000012050002"}
    reply = await driver.submit_view(form, {**ROW, **more}, user="U1")

    assert reply.ok
    assert not form.open
    card = text_of(await office.card())
    assert "交際費" in card
    assert "ABC商事 佐藤様 (2)" in card
    assert "会食 &lt;!channel&gt;" in card
