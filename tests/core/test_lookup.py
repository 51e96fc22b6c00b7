"""Looking into the log and the index of documents: who may, what they see, and that it is noted."""

import asyncio
import csv
import hashlib
import io
import json
import zipfile
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from audit import search
from audit.keys import HeldKey
from audit.note import NoteKey
from audit.verifier.notes import read_keys
from audit.verifier.proof import Proven, check_proof
from audit.verifier.verdict import Fault
from core import handover, organisations, people
from core.agent import Deal, Results
from core.asked import Asked, Reader, read_amount, read_day
from core.company import Company
from core.errors import NotAllowed, Permanent, Refused, Unknown
from core.handover import begin, pack, sheet
from core.lookup import TOO_SLOW, Found, What, look
from core.people import Person
from core.retention import retain_until
from core.tags import Tag
from core.unit import unit
from core.words import LANGUAGES
from miyabi.tree import keep_tree
from tests.core.house import Letter, Office, letter_agent, open_office


def _deal(results: Results) -> Deal:
    """The letter's own text says what it is about: `NAME AMOUNT WORDS`."""
    letter: Letter = results[Letter]
    name, amount, *words = letter.text.split()
    return Deal(name, int(amount), tuple(words))


@pytest.fixture
async def office(database_url: str) -> AsyncIterator[Office]:
    """The office, whose letters are about a transaction."""
    async with open_office(database_url) as office:
        agents = {"letter": replace(letter_agent, deal=_deal)}
        office.house = replace(office.house, agents=agents)
        yield office


async def issued(office: Office, text: str) -> Any:
    """A letter asked for, approved and issued; gives the intake's answer."""
    answer = await office.say(f"letter {text}")
    await office.work()
    await office.click("approve", await office.approval_id(answer.task_id), office.boss)
    await office.work()
    assert await office.state(answer.task_id) == "done"
    return answer


def terminal(office: Office) -> Reader:
    return Reader(office.organisation.id, "terminal:root", None, "en", "UTC")


async def person(office: Office, *roles: str) -> Person:
    async with unit(office.house) as work:
        return await people.add(
            work, office.organisation.id, "-".join(roles), "Somebody", frozenset(roles)
        )


def of(person: Person) -> Reader:
    return Reader(person.organisation_id, "wall:w1:x", person, person.language, person.time_zone)


async def found(office: Office, what: What = "documents", **asked: Any) -> Found:
    return await look(office.house, terminal(office), what, Asked(**asked))


def names_in(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


async def noted(office: Office, tag: Tag) -> list[dict[str, Any]]:
    row = await office.row(
        "select coalesce(jsonb_agg(body order by at, id), '[]') as bodies from audit_events"
        " where tag = :tag",
        {"tag": tag},
    )
    return list(row.bodies)


# What is found


async def test_a_document_is_found_by_what_it_is_about_once_it_is_issued(office: Office) -> None:
    answer = await issued(office, "acme 1200 monitors")
    await issued(office, "other 99 tea")

    page = await found(office, counterparty="ＡＣＭＥ", least=1200, most=1200, text="monitor")

    [row] = page.data()
    today = row["dated"]
    assert abs((today - date.today()).days) <= 1  # noqa: DTZ011  # the company's zone
    assert (row["number"], row["kind"]) == (f"L-{today.year}-0001", "letter")
    assert (row["amount"], row["counterparty"]) == (1200, "acme")
    assert (row["task"], row["person"], row["voided"]) == (f"#{answer.reference}", "asker", False)
    assert row["retain_until"] == retain_until(today)
    assert (row["file_name"], row["media_type"]) == (f"{row['number']}.txt", "text/plain")
    file = await office.row("select file ->> 'sha256' as sha from documents limit 1", {})
    assert row["sha256"] == file.sha


async def test_what_is_not_issued_is_not_found(office: Office) -> None:
    answer = await office.say("letter acme 1")
    await office.work()

    assert (await found(office)).rows == []
    await office.click("reject", await office.approval_id(answer.task_id), office.boss, "no")
    assert (await found(office)).rows == []


async def test_a_void_document_is_found_as_void(office: Office) -> None:
    answer = await issued(office, "acme 1")
    await office.say(f"void #{answer.reference} wrong", office.boss)

    [row] = (await found(office)).data()
    assert row["voided"] is True


async def test_by_person_and_task_also_of_somebody_who_has_left(office: Office) -> None:
    answer = await issued(office, "acme 1")
    async with unit(office.house) as work:
        await people.change(work, office.asker, email=None, active=False)

    assert len((await found(office, person="asker", task=f"#{answer.reference}")).rows) == 1
    assert (await found(office, person="boss")).rows == []
    for wrong in ({"person": "nobody"}, {"task": "#99999"}, {"task": "x"}, {"task": "#1001 x"}):
        with pytest.raises(Unknown):
            await found(office, **wrong)


async def test_the_log_says_what_the_index_holds(office: Office) -> None:
    await issued(office, "acme 1")

    [numbered] = await noted(office, Tag.DOCUMENT_NUMBERED)
    assert len(numbered["data"]["index_sha256"]) == 64
    assert "acme" not in json.dumps(numbered)


async def test_events_are_found_by_tag_and_by_the_document_they_are_about(office: Office) -> None:
    answer = await issued(office, "acme 1200")
    await issued(office, "other 5")

    page = await found(office, "events", tags=("approval:approval:decided",), least=1000)

    [row] = page.data()
    assert (row["task"], row["person"]) == (f"#{answer.reference}", "boss")
    assert row["data"]["action"] == "approve"


@pytest.mark.parametrize(
    "wrong",
    [
        {"since": date(2026, 1, 2), "until": date(2026, 1, 1)},
        {"least": 2, "most": 1},
        {"tags": ("worker:x:y",)},
        {"counterparty": "a"},
        {"text": "東"},
    ],
)
async def test_what_cant_be_looked_for_is_told_in_three_languages(
    office: Office, wrong: dict[str, Any]
) -> None:
    with pytest.raises(Refused) as refused:
        await found(office, **wrong)

    assert len({refused.value.words.to(language) for language in LANGUAGES}) == 3


async def test_what_takes_too_long_is_told_and_nothing_is_noted(
    office: Office, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "SLOWEST", 0.1)
    owner = create_async_engine(database_url)
    async with owner.begin() as connection:  # nobody reads on until it is over
        for table in ("audit_documents", "audit_events"):
            await connection.execute(text(f"lock table {table} in access exclusive mode"))
        for what in ("documents", "events"):
            with pytest.raises(Refused) as refused:
                await found(office, what, text="言葉")  # type: ignore[arg-type]
            assert refused.value.words == TOO_SLOW
    await owner.dispose()

    assert await noted(office, Tag.LOG_SEARCHED) == []


async def test_a_page_that_never_was_is_refused(office: Office) -> None:
    with pytest.raises(Refused):
        await look(office.house, terminal(office), "documents", Asked(), after="x")


# Who may


@pytest.mark.parametrize("role", ["accountant", "auditor", "admin"])
async def test_who_may_search(office: Office, role: str) -> None:
    await issued(office, "acme 1")
    reader = of(await person(office, role))

    for what in ("documents", "events"):
        assert (await look(office.house, reader, what, Asked())).rows  # type: ignore[arg-type]


@pytest.mark.parametrize("role", ["requester", "approver"])
async def test_who_may_not(office: Office, role: str) -> None:
    reader = of(await person(office, role))

    for what in ("documents", "events"):
        with pytest.raises(NotAllowed):
            await look(office.house, reader, what, Asked())  # type: ignore[arg-type]
        with pytest.raises(NotAllowed):
            await begin(office.house, reader, what, "csv", Asked())  # type: ignore[arg-type]
    assert await noted(office, Tag.LOG_SEARCHED) == []


async def test_an_auditor_has_the_log_and_not_the_documents(office: Office, tmp_path: Path) -> None:
    answer = await issued(office, "acme 1")
    auditor = await person(office, "auditor")
    async with unit(office.house) as work:
        await people.link(work, auditor, office.sender(auditor))

    with pytest.raises(NotAllowed):
        await pack(office.house, of(auditor), Asked(), tmp_path / "x.zip")
    told = await office.say(f"status #{answer.reference}", auditor)

    assert told.refusal == "not_allowed"
    assert names_in(tmp_path) == []


async def test_another_organisation_finds_nothing(office: Office) -> None:
    answer = await issued(office, "acme 1")
    async with unit(office.house) as work:
        other = await organisations.add(work, "rival", Company("Rival"))
    reader = Reader(other.id, "terminal:root")

    assert (await look(office.house, reader, "documents", Asked())).rows == []
    events = await look(office.house, reader, "events", Asked())
    assert {row["tag"] for row in events.data()} <= {
        Tag.ORGANISATION_ADDED, Tag.COMPANY_CHANGED, Tag.LOG_SEARCHED,
    }  # fmt: skip
    with pytest.raises(Unknown):
        await look(office.house, reader, "documents", Asked(task=f"#{answer.reference}"))
    with pytest.raises(Unknown):
        await look(office.house, reader, "documents", Asked(person="asker"))


# That it is noted


async def test_a_search_is_an_event_that_repeats_no_words(office: Office) -> None:
    await issued(office, "acme 1200")
    auditor = await person(office, "auditor")

    await look(
        office.house, of(auditor), "documents", Asked(least=5, counterparty="acme", text="acme")
    )

    [body] = await noted(office, Tag.LOG_SEARCHED)
    opened = await office.opened(UUID(body["id"]))
    assert (body["person"], opened["account"]) == (str(auditor.id), "wall:w1:x")
    assert body["data"] == {
        "what": "documents",
        "by": {"least": 5, "counterparty": True, "text": True},
        "rows": 1,
        "first": True,
    }


async def test_what_is_taken_along_is_noted_before_and_after(office: Office) -> None:
    await issued(office, "acme 1200")
    asked = Asked(most=5000)

    begun = await begin(office.house, terminal(office), "documents", "csv", asked)
    sheets = sheet(office.house, terminal(office), "documents", "csv", asked, begun)
    [before], none = await noted(office, Tag.EXPORT_BEGUN), await noted(office, Tag.EXPORT_FINISHED)
    written = "".join([part async for part in sheets])
    [after] = await noted(office, Tag.EXPORT_FINISHED)

    said = {"what": "documents", "form": "csv", "by": {"most": 5000}}
    assert before["data"] == said
    assert none == []
    sha256 = hashlib.sha256(written.encode()).hexdigest()
    assert after["data"] == {**said, "rows": 1, "sha256": sha256}


# What is taken along


async def _sheet(office: Office, what: What, form: handover.Form, **asked: Any) -> str:
    reader, sought = terminal(office), Asked(**asked)
    begun = await begin(office.house, reader, what, form, sought)
    return "".join([p async for p in sheet(office.house, reader, what, form, sought, begun)])


async def test_csv_and_json_lines_hold_what_the_search_finds(office: Office) -> None:
    await issued(office, "=acme 1200")
    await issued(office, "other 5")

    table = list(csv.reader(io.StringIO(await _sheet(office, "documents", "csv"), newline="")))
    lines = (await _sheet(office, "documents", "jsonl")).splitlines()

    shown = (await found(office)).data()
    assert table[0][:3] == ["\ufeffDate", "Amount (JPY)", "Counterparty"]
    assert [row[2] for row in table[1:]] == ["other", "'=acme"]
    assert [row[3] for row in table[1:]] == ["Letter", "Letter"]
    assert [json.loads(line) for line in lines] == json.loads(json.dumps(shown, default=str))
    events = (await _sheet(office, "events", "csv", tags=("worker:document:issued",))).splitlines()
    assert len(events) == 3


async def test_the_archive_for_the_tax_office_has_documents_and_index(
    office: Office, tmp_path: Path
) -> None:
    await issued(office, "acme 1200")
    await issued(office, "other 5")
    path = tmp_path / "fy2026.zip"

    packed = await pack(office.house, terminal(office), Asked(least=1000), path)

    with zipfile.ZipFile(path) as archive:
        index = io.StringIO(archive.read("index.csv").decode("utf-8-sig"), newline="")
        [row] = csv.DictReader(index)
        content = archive.read(row["In this archive"])
        assert "documents/" in archive.read("README.txt").decode()
    assert content == f"{row['Number']}: acme 1200".encode()
    assert hashlib.sha256(content).hexdigest() == row["SHA-256"]
    assert (packed.documents, packed.without_file) == (1, 0)
    # Nobody has signed anything yet, and that is said.
    assert packed.without_proof == 2
    assert (row["Proof of the index"], row["Proof of the file"]) == ("", "")
    assert packed.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert names_in(tmp_path) == [path.name]


async def test_what_is_handed_over_is_proven_by_the_public_key_alone(
    office: Office, tmp_path: Path
) -> None:
    """Packed while the newest events wait for their leaves; checked elsewhere, without us."""
    key = NoteKey.made("acme.example.jp")
    for words in ("=acme 1200", "other 5"):
        await issued(office, words)
    path = tmp_path / "fy2026.zip"
    packing = asyncio.create_task(
        pack(office.house, terminal(office), Asked(), path, timedelta(seconds=20))
    )
    await asyncio.sleep(0.1)
    keeping = asyncio.create_task(keep_tree(office.house.engine, [HeldKey(key)]))
    packed = await packing
    keeping.cancel()
    await asyncio.wait([keeping])

    assert (packed.documents, packed.without_proof) == (2, 0)
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path / "away")
    here = tmp_path / "away"
    assert (here / "keys.txt").read_text() == f"{key.vkey}\n"
    rows = list(csv.DictReader(io.StringIO((here / "index.csv").read_text("utf-8-sig"))))
    for row in rows:
        file, index = (
            check_proof((here / row[f"Proof of the {what}"]).read_bytes(), read_keys(key.vkey))
            for what in ("file", "index")
        )
        assert isinstance(file, Proven)
        assert isinstance(index, Proven)
        assert file.event is not None
        assert index.event is not None
        content = (here / row["In this archive"]).read_bytes()
        assert file.event["data"]["sha256"] == hashlib.sha256(content).hexdigest()
        # As README.txt says it, by hand.
        name = row["Counterparty"].lstrip("'")
        line = (
            f'{{"amount":{row["Amount (JPY)"]},"counterparty":"{name}","date":"{row["Date"]}",'
            f'"id":"{row["Document id"]}","number":"{row["Number"]}"}}'
        )
        assert index.event["data"]["index_sha256"] == hashlib.sha256(line.encode()).hexdigest()
        assert index.event["data"]["number"] == row["Number"]
        other = read_keys(NoteKey.made("acme.example.jp").vkey)
        assert isinstance(check_proof((here / row["Proof of the file"]).read_bytes(), other), Fault)


@pytest.mark.parametrize(
    "behind",
    [
        "update audit_documents set amount = amount + 1",
        "update audit_documents set dated = dated - 1",
        "update audit_documents set counterparty = 'somebody else'",
        "update audit_documents set sha256 = repeat('0', 64)",
        "",
    ],
)
async def test_what_was_changed_behind_our_back_is_not_handed_over(
    office: Office, tmp_path: Path, behind: str
) -> None:
    await issued(office, "acme 1200")
    if behind:
        await office.execute_as_owner(behind)
    else:
        for file in office.house.store.folder.rglob("*/*/*/*"):
            file.write_bytes(b"x" + file.read_bytes())

    with pytest.raises(Permanent):
        await pack(office.house, terminal(office), Asked(), tmp_path / "x.zip")
    assert names_in(tmp_path) == []


async def test_an_archive_of_nothing_is_refused(office: Office, tmp_path: Path) -> None:
    with pytest.raises(Refused):
        await pack(office.house, terminal(office), Asked(), tmp_path / "x.zip")
    assert names_in(tmp_path) == []


# Typed at the terminal


@pytest.mark.parametrize(
    ("typed", "amount"),
    [("1,000,000", 1_000_000), ("￥５０００", 5000), ("5000円", 5000), ("-3", -3), ("x", None)],
)
def test_an_amount_as_it_is_typed(typed: str, amount: int | None) -> None:
    assert read_amount(typed) == amount


@pytest.mark.parametrize("typed", ["2026-11-25", "2026/11/25", "２０２６/１１/２５"])
def test_a_day_as_it_is_typed(typed: str) -> None:
    assert read_day(typed) == date(2026, 11, 25)


@pytest.mark.parametrize("typed", ["2026-11", "2026-02-30", "tomorrow", "1-2-3-4"])
def test_what_is_no_day(typed: str) -> None:
    assert read_day(typed) is None


# How long it is kept


def test_the_years_count_from_the_latest_day_on_which_the_return_may_be_due() -> None:
    # A year from 2026-04-01 to 2027-03-31, whose return is due 2027-06-30 with the extension.
    assert retain_until(date(2026, 4, 1)) >= date(2027, 6, 30) + timedelta(days=1 + 365 * 7)
    assert retain_until(date(2026, 11, 30)) == date(2035, 2, 28)
    assert retain_until(date(2026, 11, 30), 10) == date(2038, 2, 28)
