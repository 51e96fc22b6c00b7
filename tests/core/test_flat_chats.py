"""Where a conversation has no threads: what is said is told apart by what it answers."""

from dataclasses import replace
from uuid import UUID

from core.inbound import Answer, Inbound, Sender, SentFile, Spot
from core.intake import accept
from core.people import Person
from tests.core.house import Office


async def chat(
    office: Office,
    words: str,
    person: Person | None = None,
    *,
    quotes: str | None = None,
    room: str | None = None,
    addressed: bool = True,
    files: tuple[SentFile, ...] = (),
    key: str | None = None,
) -> Answer:
    """Say something in the flat conversation that somebody has with Miyabi, or in a group."""
    office.keys += 1
    who = person or office.asker
    place = room or who.handle
    spot = Spot(place, place, flat=True, quotes=quotes)
    key = key or f"flat-{office.keys}"
    return await accept(
        office.house,
        Inbound(
            Sender("wall", "w1", who.handle), spot, key, words, addressed=addressed, files=files
        ),
    )


async def asks(office: Office, room: str | None = None) -> UUID:
    """A task that asks which tone it is to have; gives its id."""
    task_id = (await chat(office, "letter ?", room=room)).task_id
    assert task_id is not None
    await office.work()
    assert await office.state(task_id) == "waiting:answer"
    return task_id


async def test_what_is_taken_in_is_not_said_to_show_in_a_thread(office: Office) -> None:
    first = await chat(office, "letter hello", key="k")
    assert first.message is not None
    assert "thread" not in first.message.text
    assert first.follows
    again = await chat(office, "letter hello", key="k")
    assert (again.message, again.repeated) == (first.message, True)


async def test_free_words_answer_the_question_that_is_open(office: Office) -> None:
    task_id = await asks(office)
    answer = await chat(office, "two words")
    assert answer.task_id == task_id
    assert answer.follows
    assert await office.state(task_id) == "running"


async def test_the_agents_word_asks_for_something_else(office: Office) -> None:
    task_id = await asks(office)
    answer = await chat(office, "letter another one")
    assert (answer.outcome, answer.task_id != task_id) == ("taken", True)
    assert await office.state(task_id) == "waiting:answer"


async def test_of_two_open_questions_the_last_is_answered_or_the_quoted(office: Office) -> None:
    first = await asks(office)
    second = await asks(office)
    asked = next(key for key, said in office.wall.posted.items() if "Which tone" in said.text)
    assert (await chat(office, "blue", quotes=asked)).task_id == first
    assert (await chat(office, "green")).task_id == second


async def test_a_question_is_answered_in_its_own_conversation_only(office: Office) -> None:
    task_id = await asks(office, room="group")
    assert (await chat(office, "blue")).task_id is None
    assert (await chat(office, "blue", office.boss, room="group")).task_id is None
    assert (await chat(office, "blue", room="group", addressed=False)).outcome == "ignored"
    assert (await chat(office, "blue", room="group")).task_id == task_id


async def test_a_command_without_a_number_means_ones_newest_task_there(office: Office) -> None:
    await chat(office, "letter one")
    second = (await chat(office, "letter two")).task_id
    assert (await chat(office, "status")).task_id == second
    assert (await chat(office, "cancel")).task_id == second
    refused = await chat(office, "status", office.other_boss)
    assert refused.outcome == "refused"


async def test_which_of_two_approvals_is_meant_is_not_guessed(office: Office) -> None:
    first = (await chat(office, "letter one")).task_id
    await office.work()
    decided = await chat(office, "approve", office.boss)
    assert (decided.outcome, decided.task_id) == ("done", first)
    second = (await chat(office, "letter two")).task_id
    third = (await chat(office, "letter three")).task_id
    await office.work()
    unclear = await chat(office, "approve", office.boss)
    assert unclear.outcome == "refused"
    assert unclear.task_id is None
    shown = await office.row(
        "select m.external_id as id from messages m join threads t on t.id = m.thread_id"
        " where m.task_id = :task and t.channel = 'boss' and m.slot like 'card:%'",
        {"task": third},
    )
    quoted = await chat(office, "approve", office.boss, quotes=shown.id)
    assert quoted.task_id == third
    assert (await chat(office, "approve", office.boss)).task_id == second


async def test_a_file_without_words_goes_with_what_was_asked_for_a_moment_ago(
    office: Office,
) -> None:
    file = SentFile("f1", "receipt.png", "image/png", 10)
    lost = await chat(office, "", files=(file,))
    assert lost.outcome == "refused"
    assert lost.message is not None
    assert "thread" not in lost.message.text
    task_id = (await chat(office, "letter one")).task_id
    assert (await chat(office, "", files=(file,))).task_id == task_id
    await office.execute("update tasks set created_at = now() - interval '11 minutes'")
    other = replace(file, reference="f2")
    assert (await chat(office, "", files=(other,))).outcome == "refused"
