"""What is decided is never edited, whichever agent it is of: a correction is a new request."""

import pytest

from core.agent import Agent
from core.db import fetch_all
from core.inbound import Form, Inbound, SentFile, Spot
from core.intake import accept
from miyabi.plugins import all_agents
from tests.core.house import Office


@pytest.mark.tampers
@pytest.mark.parametrize("agent", all_agents().values(), ids=lambda agent: agent.name)
async def test_what_is_decided_is_corrected_by_a_new_request_linked_to_it(
    office: Office, agent: Agent
) -> None:
    # As much of the house as takes requests in: no step of the agent is done here.
    object.__setattr__(office.house, "agents", {agent.name: agent})
    first = await office.say(f"{agent.words[0]} one", thread="t")
    await office.execute("update tasks set state = 'done', finished_at = now()")

    form = Form(agent.name, {}, first.task_id)
    edited = await accept(
        office.house, Inbound(office.sender(office.asker), Spot("room"), "edit", form=form)
    )
    sent = await office.say("", thread="t", addressed=False, files=[SentFile("f", "a.pdf")])
    again = await office.say(f"revise #{first.reference} {agent.words[0]} two")

    assert (edited.outcome, sent.outcome, again.outcome) == ("refused", "refused", "taken")
    async with office.house.engine.connect() as connection:
        rows = await fetch_all(
            connection,
            "select t.id, t.revision, t.revises_id, r.ask from tasks t"
            " join revisions r on r.task_id = t.id order by t.reference",
            {},
        )
    assert [(row.id, row.revision, row.revises_id) for row in rows] == [
        (first.task_id, 1, None),
        (again.task_id, 1, first.task_id),
    ]
    assert "two" not in str(rows[0].ask)
