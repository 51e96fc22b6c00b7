"""The registry of our own events: told to the reader, and each of them written somewhere."""

import re
from pathlib import Path
from uuid import UUID

import pytest

from audit.registry import NotDeclared
from core import organisations, tasks
from core.audit_docs import PAGE, page
from core.company import Company
from core.db import from_json
from core.tags import Tag
from core.unit import unit
from tests.core.house import Office

ROOT = Path(__file__).resolve().parents[2]
_ROOMS = ("agents", "bot", "connectors", "core", "miyabi", "notifier", "web")


def test_the_page_of_all_events_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m core.audit_docs"


def test_every_event_that_is_declared_is_written_somewhere() -> None:
    written = {
        name
        for room in _ROOMS
        for path in (ROOT / room).rglob("*.py")
        for name in re.findall(r"\bTag\.([A-Z_]+)", path.read_text(encoding="utf-8"))
    }

    assert {tag.name for tag in Tag} == written


@pytest.mark.parametrize("tag", Tag)
def test_an_event_of_ours_says_in_a_sentence_what_it_means(tag: Tag) -> None:
    assert tag.declaration.means.endswith(".")
    known = {
        "task", "organisation", "person", "installation", "reader", "mailbox", "mail", "letter",
        "notice", "sender", "place", "rota",
    }  # fmt: skip
    assert tag.declaration.subject in known


async def test_what_is_not_declared_takes_its_change_with_it(office: Office) -> None:
    answer = await office.say("letter hello")
    assert answer.task_id is not None

    async def stop_perhaps(task_id: UUID) -> None:
        async with unit(office.house) as work:
            task = await tasks.lock(work.connection, office.organisation.id, task_id)
            await tasks.move(work, task, "cancelled")
            work.record(tasks.event(task, Tag.TASK_CANCELLED, {"state": "perhaps"}))

    with pytest.raises(NotDeclared):
        await stop_perhaps(answer.task_id)

    assert await office.state(answer.task_id) == "received"


async def test_what_people_wrote_and_what_is_secret_stays_out(office: Office) -> None:
    answer = await office.say("letter ?")
    await office.work()
    await office.say("warm indeed", thread=None)
    assert answer.task_id is not None
    new = Company(
        "Acme", address="1 Secret Street", price_list={"connector": "sheets", "key": "s3cr3t"}
    )
    async with unit(office.house) as work:
        await organisations.change_company(work, office.organisation.id, new)

    row = await office.row(
        "select string_agg(body::text, ' ') as all, (select body -> 'data' from audit_events"
        " where tag = 'admin:company:changed') as changed from audit_events",
        {},
    )
    changed = from_json(row.changed)
    assert (changed["price_list"], changed["changed"]) == ("sheets", ["address", "price_list"])
    for private in ("s3cr3t", "Secret Street", "warm indeed", "Which tone"):
        assert private not in row.all
