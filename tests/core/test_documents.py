"""Numbers of documents: no double, no gap, revisions linked, a void one keeps its number."""

import asyncio

from sqlalchemy import text

from core import tasks
from core.documents import take_number
from core.unit import unit
from tests.core.house import Office


async def issue(office: Office, words: str = "letter hello") -> object:
    answer = await office.say(words)
    await office.work()
    await office.click("approve", await office.approval_id(answer.task_id), office.boss)
    await office.work()
    assert await office.state(answer.task_id) == "done"
    return answer.task_id


async def numbers(office: Office) -> list[str]:
    async with office.house.engine.connect() as connection:
        rows = await connection.execute(text("select number from documents order by number"))
    return [row.number for row in rows]


async def test_forty_at_once_get_forty_numbers_in_a_row_though_some_fail(office: Office) -> None:
    for n in range(40):
        await office.say(f"letter {n}")
    office.bell.jobs.clear()
    async with office.house.engine.connect() as connection:
        ids = [row.id for row in await connection.execute(text("select id from tasks"))]

    async def take(place: int, task_id: object) -> None:
        async with unit(office.house) as work:
            task = await tasks.lock(work.connection, office.organisation.id, task_id)
            await take_number(work, task, "L", "Asia/Tokyo", None)
            if place % 4 == 0:
                raise RuntimeError("rolled back")

    await asyncio.gather(*(take(n, i) for n, i in enumerate(ids)), return_exceptions=True)

    taken = await numbers(office)
    year = taken[0].split("-")[1]
    assert taken == [f"L-{year}-{n:04d}" for n in range(1, 31)]


async def test_a_revised_document_is_linked_to_the_first(office: Office) -> None:
    await issue(office)
    [first] = await numbers(office)

    answer = await office.say(f"revise {first} letter better")
    await office.work()
    assert answer.reference == 1003 or answer.reference != 1001
    await office.click("approve", await office.approval_id(answer.task_id), office.boss)
    await office.work()

    assert await numbers(office) == [first, f"{first}-2"]
    third = await office.say(f"revise {first}-2 letter best")
    await office.work()
    await office.click("approve", await office.approval_id(third.task_id), office.boss)
    await office.work()
    assert await numbers(office) == [first, f"{first}-2", f"{first}-3"]


async def test_a_void_document_keeps_its_number(office: Office) -> None:
    await issue(office)
    [first] = await numbers(office)

    refused = await office.say(f"void {first}", office.boss)
    assert refused.outcome == "refused"
    told = await office.say(f"void {first} wrong customer", office.boss)
    again = await office.say(f"void {first} wrong customer", office.boss)
    await issue(office, "letter two")

    assert told.outcome == "done"
    assert again.outcome == "refused"
    assert len(await numbers(office)) == 2
    assert (await numbers(office))[0] == first


async def test_who_asked_is_given_the_document_when_they_ask_how_it_stands(office: Office) -> None:
    """Nobody else is: it may be a file with everybody's bank accounts."""
    await issue(office)
    [number] = await numbers(office)

    mine = await office.say(f"status {number}")
    theirs = await office.say(f"status {number}", office.boss)
    await office.say(f"void {number} wrong", office.boss)
    void = await office.say(f"status {number}")

    assert mine.message is not None
    assert theirs.message is not None
    assert void.message is not None
    assert [file.name for file in mine.message.files] == [f"{number}.txt"]
    assert (theirs.message.files, void.message.files) == ((), ())
