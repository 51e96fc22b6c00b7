"""A code of a few digits decides one step of one person, and nothing else, ever."""

import asyncio
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.approvals.codes import code_of, read_codes
from core.inbound import Answer
from core.people import Person
from tests.core.house import Office


async def stage_of(office: Office, task_id: UUID | None) -> UUID:
    row = await office.row(
        "select id from approval_stages where task_id = :task order by id desc limit 1",
        {"task": task_id},
    )
    found: UUID = row.id
    return found


async def asked(office: Office, words: str = "letter hello") -> tuple[Answer, UUID]:
    answer = await office.say(words)
    await office.work()
    return answer, await stage_of(office, answer.task_id)


async def code(office: Office, stage: UUID, person: Person) -> str:
    async with office.house.engine.begin() as connection:
        return await code_of(connection, office.organisation.id, stage, person.id)


def text(answer: Answer) -> str:
    assert answer.message is not None
    return answer.message.text


async def test_each_person_has_one_code_of_a_step_also_when_asked_at_once(office: Office) -> None:
    _, stage = await asked(office)
    found = await asyncio.gather(*(code(office, stage, office.boss) for _ in range(5)))

    assert len(set(found)) == 1
    assert len(found[0]) == 4
    assert found[0].startswith("0")  # as no reference does
    other = await code(office, stage, office.other_boss)
    assert len(other) == 4


@pytest.mark.parametrize("words", ["批准{}", "承認　{}"])
async def test_a_code_approves_its_step(office: Office, words: str) -> None:
    answer, stage = await asked(office)
    given = await code(office, stage, office.boss)
    if "　" in words:
        given = given.translate(str.maketrans("0123456789", "０１２３４５６７８９"))

    told = await office.say(words.format(given), office.boss)
    await office.work()

    assert (told.outcome, told.reference) == ("done", answer.reference)
    assert await office.state(answer.task_id) == "done"


async def test_a_code_rejects_with_the_words_behind_it(office: Office) -> None:
    answer, stage = await asked(office)
    told = await office.say(f"却下 {await code(office, stage, office.boss)} 金額相違", office.boss)

    assert told.outcome == "done"
    row = await office.row("select action, reason from decisions", {})
    assert (row.action, row.reason) == ("reject", "金額相違")
    assert await office.state(answer.task_id) == "rejected"


async def test_a_code_of_a_step_that_is_over_says_who_decided_it(office: Office) -> None:
    """Also where the same task waits again, in another step: that one is not decided by it."""
    answer, stage = await asked(office)
    old = await code(office, stage, office.boss)
    await office.say(f"return {await code(office, stage, office.other_boss)} why?",
        office.other_boss)  # fmt: skip

    told = await office.say(f"approve {old}", office.boss)
    assert told.outcome == "refused"
    assert "by Other at" in text(told)

    await office.say(f"revise #{answer.reference} letter again")
    await office.work()
    assert await office.state(answer.task_id) == "waiting:approval"
    again = await office.say(f"approve {old}", office.boss)
    assert again.outcome == "refused"
    assert await office.state(answer.task_id) == "waiting:approval"
    new = await code(office, await stage_of(office, answer.task_id), office.boss)
    assert new != old
    assert (await office.say(f"approve {new}", office.boss)).outcome == "done"


async def test_the_code_of_somebody_else_decides_nothing(office: Office) -> None:
    """Neither for who could decide the same step by a code of their own, nor for anybody else."""
    answer, stage = await asked(office)
    theirs = await code(office, stage, office.other_boss)
    while await code(office, stage, office.boss) == theirs:
        await office.execute("delete from approval_codes where code = '" + theirs + "'")
        theirs = await code(office, stage, office.other_boss)

    boss = await office.say(f"approve {theirs}", office.boss)
    asker = await office.say(f"approve {theirs}")

    assert (boss.outcome, asker.outcome) == ("refused", "refused")
    assert "somebody else" in text(boss)
    assert "own request" in text(asker)
    assert await office.state(answer.task_id) == "waiting:approval"
    unknown = await office.say("approve 00000000000", office.boss)
    assert unknown.outcome == "refused"
    assert "00000000000" in text(unknown)


async def test_a_code_names_the_task_to_look_at_and_several_are_confirmed_first(
    office: Office,
) -> None:
    first, stage = await asked(office)
    second, other = await asked(office, "letter bye")
    codes = [await code(office, each, office.boss) for each in (stage, other)]

    shown = await office.say(f"status {codes[0]}", office.boss)
    listed = await office.say("approve " + " ".join(codes), office.boss)

    assert shown.reference == first.reference
    assert listed.message is not None
    assert listed.message.buttons[0].action == "approve_all"
    pressed = await office.click("approve_all", listed.message.buttons[0].value, office.boss)
    assert pressed.outcome == "done"
    assert await office.state(second.task_id) == "running"


@pytest.mark.tampers
async def test_a_crowd_of_codes_has_one_digit_more(office: Office) -> None:
    _, stage = await asked(office)
    await office.execute_as_owner(
        "do $$ begin set local session_replication_role = replica;"
        " insert into approval_codes (organisation_id, stage_id, person_id, code)"
        f" select '{office.organisation.id}', gen_random_uuid(), '{office.boss.id}',"
        " lpad(cast(n as text), 4, '0') from generate_series(0, 499) as n; end $$"
    )
    assert len(await code(office, stage, office.boss)) == 5
    assert len(await code(office, stage, office.other_boss)) == 4


@given(st.text(max_size=40))
def test_no_text_breaks_a_list_of_codes(said: str) -> None:
    found = read_codes(said)
    assert all(each.startswith("0") for each in found)


def test_a_list_of_codes_is_nothing_but_codes() -> None:
    assert read_codes("0412、０７３３ 0412") == ("0412", "0733")
    for other in ("0412", "0412 1042", "#0412 0733", "0412 0733 please", ""):
        assert read_codes(other) == ()
