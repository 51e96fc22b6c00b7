"""Requests of which nothing proves whose they are: written, held, released or dropped by hand."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest

from core import holding, people
from core.commands import read_command
from core.inbound import Answer, Click, Inbound, Sender, SentFile, Spot
from core.intake import accept
from core.linking import make_code
from core.people import Person
from core.reconcile import reconcile
from core.unit import unit
from tests.core.house import Office, SayingWall, Wall, letter_agent
from tests.core.test_files import BILL
from tests.core.test_walk import events


@dataclass(slots=True)
class Street:
    """The office, with a platform on which anybody may say that they are somebody."""

    office: Office
    admin: Person
    wall: Wall
    street: SayingWall

    async def say(
        self, words: str, *, key: str = "k", thread: str = "<1@x>",
        files: Sequence[SentFile] = (), click: Click | None = None,
    ) -> Answer:  # fmt: skip
        inbound = Inbound(
            Sender("street", "acme", "asker@x.example"), Spot("asker@x.example", thread), key,
            words, files=tuple(files), click=click, held=True,
        )  # fmt: skip
        return await accept(self.office.house, inbound)


@pytest.fixture
async def street(office: Office) -> Street:
    house = office.house
    async with unit(house) as work:
        admin = await people.add(
            work, office.organisation.id, "admin", "Admin", frozenset({"admin"}), language="en"
        )
        await people.link(work, admin, Sender("wall", "w1", "admin"))
        for person in (office.asker, admin):
            account = f"{person.handle}@x.example"
            await people.link(work, person, Sender("street", "acme", account))
    said = SayingWall()
    house = replace(house, outbounds={**house.outbounds, "street": said})
    return Street(replace(office, house=house), admin, office.wall, said)


async def test_it_runs_only_once_it_is_released(street: Street) -> None:
    office = street.office
    answer = await street.say("letter hello")
    await office.work()
    await office.recover()

    assert (answer.outcome, await office.state(answer.task_id)) == ("taken", "waiting:release")
    assert office.trouble.ran == []
    assert street.street.made == []
    cards = [m for m in street.wall.posted.values() if "in the name of Asker" in m.text]
    assert sorted(street.wall.rooms.values()) == ["admin", "asker"]
    assert [b.action for card in cards for b in card.buttons] == ["release", "drop"] * 2

    pressed = await office.click("release", answer.task_id, office.asker)
    await office.work()

    assert "released" in (pressed.message.text if pressed.message else "")
    assert await office.state(answer.task_id) == "waiting:approval"
    cards = [m for m in street.wall.posted.values() if "in the name of Asker" in m.text]
    assert [(card.buttons, card.note) for card in cards] == [((), "Released by Asker.")] * 2
    told = [tag for tag in await events(office, answer.task_id) if "notifier" not in tag]
    assert told[:4] == [
        "intake:task:received", "intake:task:held", "intake:task:released", "worker:task:started",
    ]  # fmt: skip


async def test_nothing_else_is_taken_of_it(street: Street) -> None:
    office = street.office
    asked = await office.say("letter ?", thread="t")
    await office.work()
    approval = await office.say("letter hi", thread="u")
    await office.work()
    waits = await office.approval_id(approval.task_id)
    async with unit(office.house) as work:
        code = await make_code(work, office.house, office.boss)

    said = [
        await street.say("warm", thread="t", key="a"),
        await street.say("cancel #1001", key="b"),
        await street.say("revise #1001 letter bye", key="c"),
        await street.say("", key="d", click=Click("approve", str(waits))),
        await street.say("release #1001", key="e"),
        await street.say(code.text, key="f"),
        await street.say("letter", key="g"),
        await street.say("approve #1002", key="h"),
    ]

    assert [answer.outcome for answer in said] == ["ignored"] * len(said)
    assert await office.state(asked.task_id) == "waiting:answer"
    assert await office.state(approval.task_id) == "waiting:approval"
    row = await office.row("select count(*) as tasks from tasks", {})
    assert row.tasks == 2


async def test_it_can_be_dropped_or_cancelled_and_nobody_there_hears_of_it(street: Street) -> None:
    office = street.office
    dropped = await street.say("letter one", key="a")
    cancelled = await street.say("letter two", key="b")
    await office.work()

    await office.click("drop", dropped.task_id, street.admin)
    await office.say("cancel #1002")
    await office.work()
    again = await office.click("release", dropped.task_id, office.asker)

    for answer in (dropped, cancelled):
        assert await office.state(answer.task_id) == "cancelled"
    assert again.outcome == "refused"
    assert (street.street.made, office.trouble.ran) == ([], [])
    notes = {m.note for m in street.wall.posted.values() if "in the name of" in m.text}
    assert notes == {"Dropped by Admin.", "Dropped by Asker."}


async def test_only_that_person_or_an_admin_releases_it_and_before_it_is_not_changed(
    street: Street,
) -> None:
    office = street.office
    office.wall.files = {"f": BILL}
    held = await street.say("letter hello", files=[SentFile("f", "bill.pdf")])

    assert (await office.click("release", held.task_id, office.boss)).outcome == "refused"
    assert (await office.say("revise #1001 letter bye")).outcome == "refused"
    assert await office.state(held.task_id) == "waiting:release"

    there = Inbound(
        Sender("street", "acme", "asker@x.example"), Spot("asker@x.example"), "sure",
        "release #1001",
    )  # fmt: skip
    assert (await accept(office.house, there)).outcome == "refused"
    assert (await office.say("release #1001", street.admin)).outcome == "done"
    assert await office.state(held.task_id) == "received"


async def test_a_week_later_it_is_dropped(street: Street) -> None:
    office = street.office
    held = await street.say("letter hello")
    await office.work()
    for days in (6, 1):
        assert await office.state(held.task_id) == "waiting:release"
        await office.execute("delete from schedule where kind = 'held.expire'")
        await office.execute(f"update tasks set created_at = created_at - interval '{days} days'")
        await reconcile(office.house)  # housekeeping finds it ...
        await reconcile(office.house)  # ... if not in the same pass
        await office.execute("update schedule set next_at = now() where kind = 'housekeeping'")
    await office.work()

    assert await office.state(held.task_id) == "cancelled"
    assert "house:task:dropped" in await events(office, held.task_id)
    notes = [m.note for m in street.wall.posted.values() if "in the name of" in m.text]
    assert notes == [holding.RAN_OUT.en] * 2


async def test_it_is_taken_once_and_no_more_than_so_many(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = street.office
    monkeypatch.setattr(holding, "MOST", 2)
    first = await street.say("letter one", key="a")
    again, sure = await asyncio.gather(
        street.say("letter one", key="a"), office.say("letter sure", key="s")
    )
    await street.say("letter two", key="b")

    assert (again.task_id, again.repeated) == (first.task_id, True)
    assert (await street.say("letter three", key="c")).outcome == "refused"
    assert await office.state(sure.task_id) == "received"
    row = await office.row("select count(*) as held from tasks where waiting_for = 'release'", {})
    assert row.held == 2


def test_its_words_are_commands_only_with_a_task_and_nothing_else() -> None:
    agents = [letter_agent]
    for text in ("release #1042", "保留解除 #1042", "放行1042"):
        assert read_command(text, agents).name == "release"
    assert read_command("破棄 #1042", agents).name == "drop"
    for text in ("drop leaf table 3 pcs", "release", "破棄用ボックス 3個", "drop 3 boxes"):
        assert read_command(text, agents).name not in {"release", "drop"}
