"""The line: fair over people and organisations, limited, and a place in it is said in words."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from core import organisations, people
from core.company import Company
from core.inbound import Answer, Inbound, Spot
from core.intake import accept
from core.line import Limits, Line
from core.people import Person
from core.ports import Lane
from core.unit import unit
from tests.core.house import Office


def limit(office: Office, **limits: int) -> None:
    office.house = replace(office.house, line=Line(Limits(**limits)))


async def ask(
    office: Office, person: Person, times: int = 1, *, lane: Lane = "interactive"
) -> list[Answer]:
    answers = []
    for _ in range(times):
        office.keys += 1
        inbound = Inbound(
            office.sender(person),
            Spot("room"),
            f"key-{office.keys}",
            "letter hello",
            today=date(2026, 11, 25),
            lane=lane,
        )
        answers.append(await accept(office.house, inbound))
    return answers


async def another_organisation(office: Office) -> Person:
    async with unit(office.house) as work:
        other = await organisations.add(work, "other-company", Company("Other"))
        person = await people.add(
            work, other.id, "stranger", "Stranger", frozenset({"requester"}), language="en"
        )
        await people.link(work, person, office.sender(person))
    return person


async def places(office: Office, answers: Sequence[Answer]) -> list[tuple[int, int]]:
    rows: list[Any] = [
        await office.row("select turn, rank from tasks where id = :id", {"id": answer.task_id})
        for answer in answers
    ]
    return [(row.turn, row.rank) for row in rows]


def words(answer: Answer) -> str:
    assert answer.message is not None
    return answer.message.text


async def test_many_tasks_of_one_person_push_nobody_elses_back(office: Office) -> None:
    many = await ask(office, office.asker, 5)
    one = await ask(office, office.boss)

    assert await places(office, many) == [(0, 0), (1, 1), (2, 2), (3, 3), (4, 4)]
    assert await places(office, one) == [(0, 1)]


async def test_many_tasks_of_one_organisation_push_no_others_back(office: Office) -> None:
    stranger = await another_organisation(office)
    for _ in range(3):
        await ask(office, office.asker)
        await ask(office, office.boss)
    theirs = await ask(office, stranger)

    order = sorted(office.bell.jobs, key=lambda job: job.rank)  # stable: the earlier first

    first = [job.task_id for job in order if job.kind == "advance"][:2]
    assert theirs[0].task_id in first
    assert [job.rank for job in order if job.kind == "advance"] == [0, 0, 1, 2, 3, 4, 5]


async def test_what_is_finished_or_waits_for_a_person_stands_in_no_line(office: Office) -> None:
    await ask(office, office.asker, 3)
    await office.work()
    office.house = replace(office.house, line=Line())  # as it is known a second later

    later = await ask(office, office.asker)

    assert await places(office, later) == [(0, 0)]


async def test_a_task_and_its_jobs_keep_the_lane_they_were_asked_in(office: Office) -> None:
    await ask(office, office.asker, 2, lane="bulk")
    chat = await ask(office, office.asker)

    rung = {(job.lane, job.kind, job.rank) for job in office.bell.jobs}
    row = await office.row(
        "select array_agg(distinct lane || rank) as lanes, count(*) as n from outbox", {}
    )

    assert rung == {
        (lane, kind, rank)
        for kind in ("advance", "announce")
        for lane, rank in (("bulk", 0), ("bulk", 1), ("interactive", 0))
    }
    assert (row.lanes, row.n) == (["bulk0", "bulk1", "interactive0"], 6)
    assert await places(office, chat) == [(0, 0)]


async def test_who_has_too_many_under_way_is_refused_in_words_and_others_are_not(
    office: Office,
) -> None:
    limit(office, person=2)
    await ask(office, office.asker, 2)

    refused = (await ask(office, office.asker))[0]
    other = (await ask(office, office.boss))[0]

    assert (refused.refusal, other.outcome) == ("full", "taken")
    assert "you have 2 tasks under way" in words(refused)
    assert "Cancel one" in words(refused)
    assert (await office.row("select count(*) as n from tasks", {})).n == 3


async def test_there_is_room_again_when_one_is_cancelled(office: Office) -> None:
    limit(office, person=2)
    await ask(office, office.asker, 2)
    await office.say("cancel #1001")

    assert (await ask(office, office.asker))[0].outcome == "taken"


async def test_a_refusal_is_redelivered_as_it_was_even_when_there_is_room(office: Office) -> None:
    limit(office, person=1)
    await office.say("letter hello")
    refused = await office.say("letter again", key="k")
    await office.work()

    again = await office.say("letter again", key="k")

    assert refused.refusal == "full"
    assert again == refused
    assert again.repeated


async def test_a_full_organisation_is_refused_and_another_is_not(office: Office) -> None:
    stranger = await another_organisation(office)
    limit(office, organisation=2)
    await ask(office, office.asker)
    await ask(office, office.boss)

    refused = (await ask(office, office.asker))[0]

    assert refused.refusal == "full"
    assert "your organisation has 2 tasks under way" in words(refused)
    assert (await ask(office, stranger))[0].outcome == "taken"


async def test_a_full_house_is_refused(office: Office) -> None:
    stranger = await another_organisation(office)
    limit(office, everyone=2)
    await ask(office, office.asker, 2)

    refused = (await ask(office, stranger))[0]

    assert refused.refusal == "full"
    assert "2 tasks are under way here" in words(refused)


async def test_each_lane_has_limits_of_its_own(office: Office) -> None:
    limit(office, person=1, person_bulk=3)

    bulk = await ask(office, office.asker, 4, lane="bulk")
    chat = await ask(office, office.asker, 2)

    assert [answer.outcome for answer in bulk] == ["taken", "taken", "taken", "refused"]
    assert [answer.outcome for answer in chat] == ["taken", "refused"]


async def test_from_a_number_on_the_place_in_line_is_said(office: Office) -> None:
    limit(office, tell_from=2)

    said = [words(answer) for answer in await ask(office, office.asker, 3)]

    assert "waiting" not in said[1]
    assert said[2].endswith("You have 2 waiting; this one is number 3.")


async def test_the_language_of_a_refusal_is_that_of_the_request(office: Office) -> None:
    limit(office, person=1)
    await office.say("letter hello")

    refused = await office.say("letter 请给我们写一封信")

    assert "您有 1 个任务正在进行" in words(refused)


async def test_a_limit_is_passed_by_no_more_than_ask_at_once(office: Office) -> None:
    limit(office, person=5)

    for _ in range(4):
        await asyncio.gather(*(ask(office, office.asker) for _ in range(3)))

    row = await office.row("select count(*) as n from tasks", {})
    assert 5 <= row.n < 5 + 3


@pytest.mark.tampers
async def test_what_stands_in_line_is_counted_again_after_a_while(office: Office) -> None:
    now = 0.0
    office.house = replace(office.house, line=Line(clock=lambda: now))
    await ask(office, office.asker, 3)
    await office.execute("update tasks set state = 'cancelled'")  # behind our back
    soon = await ask(office, office.boss)
    now = 1.5
    later = await ask(office, office.asker)

    assert await places(office, soon) == [(0, 1)]
    assert await places(office, later) == [(0, 1)]


@pytest.mark.tampers
async def test_a_full_organisation_has_room_again_soon_after_it_has(office: Office) -> None:
    now = 0.0
    limits = Limits(organisation=2)
    office.house = replace(office.house, line=Line(limits, clock=lambda: now))
    await ask(office, office.asker, 2)
    refused = await ask(office, office.boss)
    await office.execute("update tasks set state = 'cancelled'")
    now = 0.2
    taken = await ask(office, office.boss)

    assert [refused[0].refusal, taken[0].outcome] == ["full", "taken"]
