"""Files that people send: fetched, looked at, kept once, part of what is asked, or refused."""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.store import Store
from core import keeping
from core.db import fetch_all
from core.documents import Files
from core.errors import Permanent, TryLater
from core.file_kinds import HEIC, JPEG, MOST_BYTES, PDF, PNG, kind_of, why_not
from core.inbound import Answer, SentFile
from core.runner import advance
from tests.core.house import Office, letter_agent
from tests.core.test_walk import events

BILL, PHOTO = b"%PDF-1.7 bill", b"\xff\xd8\xff\xe0 photo"
A, B = SentFile("fa", "bill.pdf", PDF, len(BILL)), SentFile("fb", "photo.jpg", JPEG, len(PHOTO))


@pytest.fixture(autouse=True)
def served(request: pytest.FixtureRequest) -> None:
    if "office" in request.fixturenames:
        office: Office = request.getfixturevalue("office")
        office.wall.files = {"fa": BILL, "fb": PHOTO}


async def rows(office: Office, columns: str = "name, state, revision") -> list[tuple[Any, ...]]:
    async with office.house.engine.connect() as connection:
        found = await fetch_all(
            connection, f"select {columns} from attachments order by created_at, id", {}
        )
    return [tuple(row) for row in found]


async def shown(office: Office, task_id: UUID | None) -> str:
    """What the agent made of the ask, by the card that was posted last."""
    row = await office.row(
        "select result ->> 'text' as text from steps where task_id = :id and name = 'write'"
        " order by revision desc limit 1",
        {"id": task_id},
    )
    return str(row.text)


async def revision(office: Office) -> int:
    return int((await office.row("select revision from tasks", {})).revision)


async def test_files_sent_with_a_request_are_part_of_it(office: Office) -> None:
    answer = await office.say("letter hello", files=[A, B, A])
    assert (answer.outcome, await rows(office)) == (
        "taken",
        [("bill.pdf", "pending", 1), ("photo.jpg", "pending", 1)],
    )
    again = await office.say("letter hello", files=[A, B, A], key="key-1")
    assert again.repeated
    await office.work()

    assert await shown(office, answer.task_id) == "hello +bill.pdf +photo.jpg"
    assert [row[0] for row in await rows(office, "state")] == ["kept", "kept"]
    assert (await events(office, answer.task_id))[:6] == [
        "intake:task:received", "intake:file:received", "intake:file:received",
        "worker:task:started", "worker:file:kept", "worker:file:kept",
    ]  # fmt: skip
    [(sha256, _)] = [row for row in await rows(office, "sha256, name") if row[1] == "bill.pdf"]
    assert await office.house.store.read(office.organisation.id, sha256) == BILL


async def test_an_agent_may_take_files_of_every_kind_but_programs(office: Office) -> None:
    agents = {"letter": replace(letter_agent, takes_any=True)}
    office.house = replace(office.house, agents=agents)
    office.wall.files = {"fa": b"code,qty\nA,1\n", "fb": b"MZ\x90\x00"}
    said_types = ("text/csv", "application/octet-stream")
    files = [
        SentFile(*each) for each in zip(("fa", "fb"), ("a.csv", "b.exe"), said_types, strict=True)
    ]

    answer = await office.say("letter hello", files=files)
    await office.work()

    assert await shown(office, answer.task_id) == "hello +a.csv"
    assert await rows(office, "name, state, media_type") == [
        ("a.csv", "kept", "text/csv"),
        ("b.exe", "refused", "application/octet-stream"),
    ]


async def test_requests_with_and_without_files_are_taken_in_together(office: Office) -> None:
    said = [office.say(f"letter {n}", key=f"k{n}", files=[A] if n % 2 else []) for n in range(6)]
    answers = await asyncio.gather(*said)
    await office.work()

    texts = [await shown(office, answer.task_id) for answer in answers]
    assert texts == [f"{n} +bill.pdf" if n % 2 else str(n) for n in range(6)]


async def test_the_same_file_twice_is_one_file(office: Office) -> None:
    office.wall.files["fc"] = BILL
    answer = await office.say("letter ?", thread="t", files=[A])
    await office.work()
    again = await office.say("", thread="t", addressed=False, files=[A])
    await office.say("", thread="t", addressed=False, files=[SentFile("fc", "copy.pdf")])
    await office.work()
    await office.say("warm", thread="t", addressed=False)
    await office.work()

    assert "already" in said(again)
    assert await shown(office, answer.task_id) == "?warm +bill.pdf"
    assert office.wall.fetched == ["fa", "fc"]
    assert await revision(office) == 1


def said(answer: Answer) -> str:
    return answer.message.text if answer.message else ""


async def test_a_file_that_comes_before_anything_was_made_is_simply_part(office: Office) -> None:
    answer = await office.say("letter ?", thread="t")
    await office.work()
    told = await office.say("", thread="t", addressed=False, files=[A])
    await office.work()
    assert await office.state(answer.task_id) == "waiting:answer"
    both = await office.say("cool", thread="t", addressed=False, files=[B])
    await office.work()

    assert "bill.pdf" in said(told)
    assert both.outcome == "done"
    assert await shown(office, answer.task_id) == "?cool +bill.pdf +photo.jpg"
    assert await revision(office) == 1


async def test_a_file_that_comes_during_an_approval_makes_the_next_revision(
    office: Office,
) -> None:
    answer = await office.say("letter hello", thread="t")
    await office.work()
    old = await office.approval_id(answer.task_id)
    await office.say("", thread="t", addressed=False, files=[A])
    late = await office.click("approve", old, office.boss)
    await office.work()

    assert "content has changed" in said(late)
    assert await revision(office) == 2
    assert await shown(office, answer.task_id) == "hello +bill.pdf"
    new = await office.approval_id(answer.task_id)
    assert new != old
    await office.click("approve", new, office.boss)
    await office.work()
    assert await office.state(answer.task_id) == "done"
    too_late = await office.say("", thread="t", addressed=False, files=[B])
    assert too_late.outcome == "refused"
    assert "no more files" in said(too_late)
    assert len(await rows(office)) == 1


async def test_files_stay_with_a_request_that_is_revised(office: Office) -> None:
    answer = await office.say("letter hello", thread="t", files=[A])
    await office.work()
    await office.say(f"revise #{answer.reference} letter bye", thread="t", files=[B])
    await office.work()

    assert await shown(office, answer.task_id) == "bye +bill.pdf +photo.jpg"
    assert await revision(office) == 2


async def test_what_was_sent_back_goes_on_with_a_file(office: Office) -> None:
    answer = await office.say("letter hello", thread="t")
    await office.work()
    approval = await office.approval_id(answer.task_id)
    await office.click("return", approval, office.boss, "the bill?")
    await office.say("", thread="t", addressed=False, files=[A])
    await office.work()

    assert await office.state(answer.task_id) == "waiting:approval"
    assert await shown(office, answer.task_id) == "hello +bill.pdf"


@pytest.mark.parametrize(
    ("file", "content", "why"),
    [
        (SentFile("x", "notes.txt", "text/plain"), None, "Only PDF"),
        (SentFile("x", "huge.pdf", PDF, MOST_BYTES + 1), None, "over 10 MB"),
        (SentFile("x", "fake.pdf", PDF, 9), b"MZ\x90 evil", "Only PDF"),
        (SentFile("x", "page.png", PNG), b"<html>please sign in</html>", "Only PDF"),
        (SentFile("x", "grown.pdf", PDF, 9), b"%PDF-" + bytes(MOST_BYTES), "over 10 MB"),
        (SentFile("x", "gone.pdf", PDF, 9), LookupError("x"), "can't be found"),
    ],
)
async def test_what_is_not_taken_is_said_in_the_thread_and_the_work_goes_on(
    office: Office, file: SentFile, content: bytes | Exception | None, why: str
) -> None:
    if content is not None:
        office.wall.files["x"] = content
    answer = await office.say("letter hello", files=[file, A])
    await office.work()

    assert await shown(office, answer.task_id) == "hello +bill.pdf"
    assert await office.state(answer.task_id) == "waiting:approval"
    assert why in office.wall.showing(f"“{file.name}” is not taken").text
    assert office.wall.fetched.count("x") == (content is not None)


async def test_in_a_thread_what_is_declared_badly_is_refused_at_once(office: Office) -> None:
    answer = await office.say("letter ?", thread="t")
    await office.work()
    bad = SentFile("x", "notes.txt", "text/plain")
    refused = await office.say("", thread="t", addressed=False, files=[bad])
    some = await office.say("", thread="t", addressed=False, files=[bad, A])
    await office.work()

    assert refused.outcome == "refused"
    assert "notes.txt: Only PDF" in said(refused)
    assert some.outcome == "done"
    assert await rows(office, "name, state") == [("notes.txt", "refused"), ("bill.pdf", "kept")]
    assert await office.state(answer.task_id) == "waiting:answer"


async def test_whose_file_it_is_and_what_for(office: Office) -> None:
    answer = await office.say("letter ?", thread="t")
    await office.work()
    overheard = await office.say("", office.boss, thread="t", addressed=False, files=[A])
    spoken = await office.say("", office.boss, thread="t", files=[A])
    nowhere = await office.say("", files=[A])

    assert overheard.outcome == "ignored"
    assert spoken.refusal == "not_allowed"
    assert "what this file is for" in said(nowhere)
    assert await rows(office) == []
    assert await office.state(answer.task_id) == "waiting:answer"


@pytest.mark.parametrize("trouble", [TryLater("busy"), Permanent("no right to read files")])
async def test_a_platform_in_trouble_holds_the_task_up_until_it_is_mended(
    office: Office, trouble: Exception
) -> None:
    office.wall.files["fa"] = trouble
    answer = await office.say("letter hello", files=[A])
    await office.work()
    assert await office.state(answer.task_id) in {"retrying", "failed"}
    assert office.trouble.ran == []
    office.wall.files["fa"] = BILL
    await office.say(f"retry #{answer.reference}")
    await office.work()

    assert await shown(office, answer.task_id) == "hello +bill.pdf"


async def test_a_worker_that_dies_anywhere_leaves_each_file_kept_once(office: Office) -> None:
    """After the fetch and before its commit, and between the first file and the second."""
    answer = await office.say("letter hello", files=[A, B])
    assert answer.task_id is not None
    store = office.house.store
    dying = replace(office.house, store=_Dying(store.objects, store.folder))
    with pytest.raises(_Died):  # the bytes are kept, and nobody knows it
        await advance(dying, office.organisation.id, answer.task_id, "w")
    await _lease_over(office)
    office.wall.files["fb"] = _Died()
    with pytest.raises(_Died):  # the first file is settled, the second on its way
        await advance(office.house, office.organisation.id, answer.task_id, "w")
    await _lease_over(office)
    office.wall.files["fb"] = PHOTO
    await office.recover()

    assert await shown(office, answer.task_id) == "hello +bill.pdf +photo.jpg"
    told = await events(office, answer.task_id)
    assert told.count("worker:file:kept") == 2


class _Died(BaseException):
    """What ends a worker without a word: nothing catches it."""


class _Dying(Store):
    """A store that the worker does not survive."""

    async def keep(self, organisation_id: UUID, content: bytes) -> str:
        await Store.keep(self, organisation_id, content)
        raise _Died


async def _lease_over(office: Office) -> None:
    await office.execute("update tasks set lease_until = now() - interval '1 second'")


# What a file is


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (BILL, PDF),
        (PHOTO, JPEG),
        (b"\x89PNG\r\n\x1a\n...", PNG),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", HEIC),
        (b"\0\0\0\x18ftypmp42", None),
        (b"<svg onload='alert(1)'/>", None),
        (b"PK\x03\x04", None),
        (b" %PDF-1.7", None),
        (b"", None),
    ],
)
def test_a_kind_is_told_by_the_first_bytes(content: bytes, kind: str | None) -> None:
    assert kind_of(content) == kind


@given(st.binary(max_size=64))
def test_any_bytes_are_of_a_kind_or_of_none(content: bytes) -> None:
    assert kind_of(content) in {PDF, JPEG, PNG, HEIC, None}


@pytest.mark.parametrize("said_type", ["", "application/octet-stream", "IMAGE/JPG", "image/heif"])
def test_what_says_nothing_or_is_called_otherwise_is_looked_at(said_type: str) -> None:
    assert why_not(said_type, None) is None
    assert why_not(said_type, MOST_BYTES) is None
    assert why_not(said_type, MOST_BYTES + 1) is not None


def names(files: Sequence[SentFile]) -> list[str]:
    return [file.name for file in files]


def test_a_name_is_cut_and_storable() -> None:
    assert names([SentFile("x", "a\0b" * 200)]) == [("ab" * 200)[:200]]


@pytest.mark.tampers
async def test_files_go_with_the_document_that_they_were_sent_for(office: Office) -> None:
    answer = await office.say("letter hello", files=[A, B])
    await office.work()
    await office.click("approve", await office.approval_id(answer.task_id), office.boss)
    await office.say("letter again", files=[A])
    await office.work()
    await office.execute_as_owner(
        "update audit_documents set dated = '2010-01-01', retain_until = '2018-01-01'"
    )
    found = await keeping.expired(office.house, office.organisation.id)
    await keeping.let_go(office.house, office.organisation.id, found)

    files = Files(office.house, office.organisation.id)
    assert len(found.documents) == 1
    assert await files.get(hashlib.sha256(BILL).hexdigest()) == BILL  # of the other task as well
    with pytest.raises(LookupError):
        await files.get(hashlib.sha256(PHOTO).hexdigest())
