"""The door: what it takes in, what it refuses, and what it says when the database is away."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from audit.verifier.chains import verify_streams
from core import organisations, people
from core.company import Company
from core.db import create_engine
from core.inbound import Inbound, Sender, Spot
from core.intake import PATIENCE, accept
from core.unit import unit
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


async def test_a_locked_database_is_told_of_in_time_and_what_comes_again_is_taken_once(
    office: Office,
) -> None:
    async with office.house.engine.connect() as blocker:
        await blocker.execute(text("lock table inbound in access exclusive mode"))
        told = await office.say("letter hello", key="k1")
        await blocker.rollback()

    assert told.outcome == "unavailable"
    assert PATIENCE < 2
    assert told.message is not None
    # What has been handed to the server may still be done there, once the way is free.
    assert "not known whether this was taken in" in told.message.text

    again = await office.say("letter hello", key="k1")
    assert again.outcome == "taken"
    await asyncio.sleep(0.3)
    assert await count(office, "tasks") == 1


async def test_a_database_nobody_reaches_has_surely_taken_nothing_in(
    office: Office, tmp_path: Path
) -> None:
    engine = create_engine(f"postgresql+asyncpg://miyabi@/miyabi?host={tmp_path}")
    office.house = replace(office.house, engine=engine)

    told = await office.say("letter hello")

    assert told.outcome == "unavailable"
    assert told.message is not None
    assert "Nothing was taken in" in told.message.text


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


async def test_a_right_that_was_taken_away_or_given_counts_at_once(office: Office) -> None:
    await office.say("letter hello")
    await office.execute("update people set roles = '{approver}' where handle = 'asker'")
    refused = await office.say("letter hello")
    await office.execute("update people set roles = '{admin,requester}' where handle = 'asker'")
    again = await office.say("letter hello")

    assert (refused.outcome, refused.refusal) == ("refused", "not_allowed")
    assert again.outcome == "taken"


async def test_who_was_shut_out_is_a_stranger_at_once(office: Office) -> None:
    await office.say("letter hello")
    await office.execute("update people set active = false where handle = 'asker'")

    assert (await office.say("letter hello")).outcome == "unknown_person"
    assert await count(office, "tasks") == 1


async def test_what_an_account_asks_belongs_to_whom_it_is_now(office: Office) -> None:
    await office.say("letter hello")
    async with unit(office.house) as work:
        other = await organisations.add(work, "other-company", Company("Other"))
        new = await people.add(work, other.id, "new", "New", frozenset({"requester"}))
        await people.link(work, new, Sender("wall", "w1", "new"))
    await office.execute(
        "update accounts set organisation_id = n.organisation_id, person_id = n.person_id"
        " from accounts n where n.external_id = 'new' and accounts.external_id = 'asker'"
    )

    told = await office.say("letter hello")

    row = await office.row(
        "select organisation_id, person_id, reference from tasks where id = :id",
        {"id": told.task_id},
    )
    assert (row.organisation_id, row.person_id, row.reference) == (other.id, new.id, 1001)


async def test_who_asks_at_the_same_moment_is_served_together_and_completely(
    office: Office,
) -> None:
    people_asking = [office.asker, office.boss]
    answers = await asyncio.gather(
        *(office.say(f"letter {n}", people_asking[n % 2], key=f"k{n}") for n in range(30))
    )

    assert len({answer.reference for answer in answers}) == 30
    assert {answer.outcome for answer in answers} == {"taken"}
    assert await count(office, "revisions") == await count(office, "threads") == 30
    assert await count(office, "notifications") == await count(office, "inbound") == 30
    assert len(office.bell.jobs) == await count(office, "outbox") == 60
    async with office.house.engine.connect() as connection:
        verdict = await verify_streams(
            connection, expected=[a.task_id for a in answers if a.task_id]
        )
    assert verdict.verified, verdict.faults
    heard = {(event.stream, event.data["reference"]) for event in office.bell.events}
    assert heard == {(answer.task_id, answer.reference) for answer in answers}


async def test_one_delivery_that_comes_ten_times_at_once_is_one_task(office: Office) -> None:
    await office.say("letter before")
    answers = await asyncio.gather(*(office.say("letter hello", key="same") for _ in range(10)))

    assert len(set(answers)) == 1
    assert sorted(answer.repeated for answer in answers) == [False] + [True] * 9
    assert await count(office, "tasks") == 2


async def test_a_request_the_database_can_not_take_spoils_nobody_elses(office: Office) -> None:
    await office.execute_as_owner(
        "alter table revisions add check (ask ->> 'text' <> 'not this one')"
    )
    said = ["one", "two", "not this one", "four"]
    answers = await asyncio.gather(
        *(office.say(f"letter {text}") for text in ["first", *said]), return_exceptions=True
    )

    assert [isinstance(answer, Exception) for answer in answers] == [False] * 3 + [True, False]
    assert await count(office, "tasks") == 4
