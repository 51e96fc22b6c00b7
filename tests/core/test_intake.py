"""The door: what it takes in, what it refuses, and what it says when the database is away."""

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import text

from core.db import create_engine
from core.inbound import Inbound, Sender, Spot
from core.intake import PATIENCE, accept
from tests.core.house import Office


async def count(office: Office, table: str) -> int:
    row = await office.row(f"select count(*) as n from {table}", {})
    return int(row.n)


async def test_an_unknown_person_is_told_how_to_be_added_and_nothing_runs(office: Office) -> None:
    inbound = Inbound(Sender("wall", "w1", "stranger"), Spot("room"), "k", "letter hello")

    told = await accept(office.house, inbound)

    assert told.outcome == "unknown_person"
    assert told.message is not None
    assert "wall:w1:stranger" in told.message.text
    assert await count(office, "tasks") == 0
    assert await count(office, "inbound") == 0


async def test_who_may_not_ask_is_told_which_role_it_takes(office: Office) -> None:
    told = await office.say("letter hello", office.other_boss)

    assert told.outcome == "refused"
    assert told.message is not None
    assert "requester" in told.message.text
    assert await count(office, "tasks") == 0


async def test_a_locked_database_is_said_in_time_and_nothing_is_taken(
    office: Office,
) -> None:
    async with office.house.engine.connect() as blocker:
        await blocker.execute(text("lock table inbound in access exclusive mode"))
        told = await office.say("letter hello", key="k1")
        await blocker.rollback()

    assert told.outcome == "unavailable"
    assert PATIENCE < 2
    assert told.message is not None
    assert "Nothing was taken in" in told.message.text
    await asyncio.sleep(0.3)
    assert await count(office, "tasks") == 0

    again = await office.say("letter hello", key="k1")
    assert again.outcome == "taken"


@pytest.mark.parametrize(
    ("text", "word"), [("letter hello", "taken in"), ("letter 请给我们写一封信", "受理")]
)
async def test_the_answer_is_in_the_language_of_the_request(
    office: Office, text: str, word: str
) -> None:
    told = await office.say(text)

    assert told.message is not None
    assert word in told.message.text


async def test_an_event_and_an_outbox_row_are_written_with_the_task(office: Office) -> None:
    answer = await office.say("letter hello")

    assert await count(office, "outbox") == 2
    row = await office.row(
        "select tag, body ->> 'person' as person from audit_events where stream = :id",
        {"id": answer.task_id},
    )
    assert row.tag == "intake:task:received"
    assert row.person == str(office.asker.id)


async def test_two_deliveries_of_one_command_write_one_row(office: Office) -> None:
    await office.say("letter hello", thread="t")
    first = await office.say("cancel", key="same", thread="t")
    second = await office.say("cancel", key="same", thread="t")

    assert replace(second, repeated=False) == first
    assert second.repeated
    assert first.outcome == "done"


@pytest.mark.parametrize(
    "text", ["letter \x00hello", "letter \ud800x", "letter " + "x" * 100_000, "letter \u202ehello"]
)
async def test_any_text_can_be_taken_in(office: Office, text: str) -> None:
    told = await office.say(text)
    await office.work()

    assert told.outcome == "taken"
    assert await office.state(told.task_id) == "waiting:approval"


@pytest.mark.parametrize("value", ["", "x", "\x00", "' or 1=1", "0" * 32, "🦊", "1.2.3"])
@pytest.mark.parametrize("action", ["approve", "answer", "retry", "cancel", "nonsense"])
async def test_a_forged_button_does_nothing(office: Office, action: str, value: str) -> None:
    told = await office.click(action, value, office.boss)

    assert told.outcome == "refused"


async def test_a_database_that_is_down_is_said_and_nothing_is_taken(office: Office) -> None:
    away = create_engine("postgresql+asyncpg://nobody@127.0.0.1:1/none")
    house = replace(office.house, engine=away)
    inbound = Inbound(office.sender(office.asker), Spot("room"), "k", "手紙 こんにちは")

    told = await accept(house, inbound)

    assert told.outcome == "unavailable"
    assert told.message is not None
    assert "受け付けていません" in told.message.text


async def test_the_first_message_after_a_restart_of_the_database_is_taken(office: Office) -> None:
    await office.say("letter hello")
    await office.execute_as_owner(
        "select pg_terminate_backend(pid) from pg_stat_activity"
        " where datname = current_database() and pid <> pg_backend_pid()"
    )

    answer = await office.say("letter again")

    assert answer.outcome == "taken"


async def test_a_refusal_says_of_what_kind_it_is(office: Office) -> None:
    task = await office.say("letter hello")
    forbidden = await office.say("letter hello", office.other_boss)
    unknown = await office.say("status #999999")
    wrong = await office.say(f"retry #{task.reference}")

    assert [forbidden.refusal, unknown.refusal, wrong.refusal] == [
        "not_allowed",
        "unknown",
        "wrong",
    ]
    assert {forbidden.outcome, unknown.outcome, wrong.outcome} == {"refused"}
    assert task.refusal is None


async def test_many_handed_in_at_once_keep_to_their_lane(office: Office) -> None:
    inbound = Inbound(office.sender(office.asker), Spot("room"), "k", "letter hello", lane="bulk")

    answer = await accept(office.house, inbound)

    task = await office.row("select lane from tasks where id = :id", {"id": answer.task_id})
    waiting = await office.row(
        "select array_agg(distinct lane) as lanes from outbox where subject_id = :id",
        {"id": answer.task_id},
    )
    assert task.lane == "bulk"
    assert waiting.lanes == ["bulk"]
    assert {job.lane for job in office.bell.jobs} == {"bulk"}
