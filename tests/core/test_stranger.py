"""Tasks of an agent that this process does not have, or has in an older version, are shown."""

import pytest

from core.desk import desk
from core.inbound import Form, Inbound, Spot
from core.intake import accept
from core.phrases import NOT_OURS
from tests.core.house import Office


@pytest.fixture(params=["agent = 'poem'", "agent_version = 9"])
async def strange(office: Office, request: pytest.FixtureRequest) -> Office:
    """A letter that waits for its approval turns out to be a newer version's."""
    await office.say("letter Hello")
    await office.work()
    await office.execute(f"update tasks set {request.param}")
    return office


async def test_its_state_is_told(strange: Office) -> None:
    answer = await strange.say("status #1001")

    assert answer.message is not None
    assert answer.message.title.startswith(("#1001 poem", "#1001 Letter"))


async def test_it_lies_on_the_desk(strange: Office) -> None:
    async with strange.house.engine.connect() as connection:
        mine = (await desk(connection, strange.house, strange.asker)).mine
        waiting = (await desk(connection, strange.house, strange.boss)).waiting

    assert [line.reference for line in (*mine, *waiting)] == [1001, 1001]


async def test_its_thread_is_brought_up_to_date(strange: Office) -> None:
    task = await strange.row("select id from tasks", {})
    await strange.click("approve", await strange.approval_id(task.id), strange.boss)

    await strange.work()

    row = await strange.row("select count(*) as n from deliveries where state = 'pending'", {})
    assert row.n == 0
    assert await strange.state(task.id) == "running"  # left for who has the agent


async def test_who_changes_it_is_told_to_come_later(strange: Office) -> None:
    answer = await strange.say("revise #1001 Goodbye")

    assert (answer.outcome, answer.message and answer.message.text) == ("refused", NOT_OURS.en)


async def test_a_form_of_an_agent_that_is_not_here_is_refused(office: Office) -> None:
    form = Form("poem", {"text": "hello"})

    answer = await accept(
        office.house, Inbound(office.sender(office.asker), Spot("room"), "key", form=form)
    )

    assert (answer.outcome, answer.message and answer.message.text) == ("refused", NOT_OURS.en)
