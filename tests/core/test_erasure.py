"""Erasing a person: the plain text is nowhere afterwards, and the log still verifies."""

import asyncio
import contextlib
import zipfile
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from uuid_utils.compat import uuid7

from audit import bundle
from audit.event import Actor
from audit.sequencer import sequence
from audit.verifier.bundle import verify_bundle
from audit.verifier.live import verify_database
from bot.api import tokens
from core import erasure, housekeeping, keeping, people
from core.approvals import changing
from core.asked import Asked, Reader
from core.erasure import erase
from core.errors import Refused, Unknown
from core.inbound import Answer, Click, Inbound, Sender, SentFile, Spot
from core.intake import accept
from core.lookup import look
from core.notices import Notice, Recipient, publish
from core.people import Person
from core.schedule import run_due
from core.tags import Tag
from core.unit import unit
from core.views import status_message, task_view
from tests.audit.log_of_one import KEYS, sign
from tests.core.house import Office

HANDLE, NAME, EMAIL = "hanasaki", "花咲 華子", "hanasaki.h@mail.example.jp"
ACCOUNT = Sender("wall", "w1", "U0HANASAKI7")
IP, AGENT, LABEL, KEY = "203.0.113.179", "hanasaki-tool/3.1", "華子の集計", "hanasaki-key-0001"
SECRET = "ひみつの用件七七"
NEEDLES = (
    HANDLE, NAME, "花咲華子", "華子", EMAIL, ACCOUNT.account, IP, AGENT, LABEL, KEY, SECRET,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Life:
    """What somebody left behind: a task with a document, and one that came to nothing."""

    person: Person
    issued: Answer
    given_up: Answer


async def hanasaki(office: Office) -> Person:
    async with unit(office.house) as work:
        person = await people.add(
            work, office.organisation.id, HANDLE, NAME, frozenset({"requester", "approver"}),
            language="en", email=EMAIL,
        )  # fmt: skip
        await people.link(work, person, ACCOUNT)
        await tokens.make(work, person, LABEL)
    return person


async def says(office: Office, words: str, key: str = "", **more: Any) -> Answer:
    office.keys += 1
    inbound = Inbound(
        ACCOUNT, Spot(ACCOUNT.account), key or f"h-{office.keys}", words,
        today=date(2026, 11, 25), ip=IP, user_agent=AGENT, **more,
    )  # fmt: skip
    answer = await accept(office.house, inbound)
    await office.work()
    return answer


@pytest.fixture
async def life(office: Office) -> Life:
    """A document issued, a task given up, one of another that named her, one she sent back."""
    person = await hanasaki(office)
    issued = await says(office, "letter hello", KEY)
    await presses(office, "approve", issued, office.sender(office.boss))
    office.wall.files["F1"] = f"%PDF-1.7 {SECRET}".encode()
    bill = SentFile("F1", f"{NAME}.pdf")
    given_up = await says(office, f"letter {SECRET} {NAME}", files=(bill,))
    await says(office, f"cancel #{given_up.reference}")
    naming = await office.say(f"letter for {NAME}")
    await office.work()
    await presses(office, "reject", naming, office.sender(office.boss), f"{NAME}?")
    returned = await office.say("letter tea")
    await office.work()
    approval = await office.approval_id(returned.task_id)
    async with unit(office.house) as work:
        await changing.note(work, person, approval, "question", SECRET, Actor(person.id))
    await presses(office, "return", returned, ACCOUNT, SECRET)
    await office.say(f"cancel #{returned.reference}")
    await office.work()
    await _flat(office)
    assert issued.task_id is not None
    await _told(office, person, issued.task_id)
    return Life(person, issued, given_up)


async def _flat(office: Office) -> None:
    """What platforms without threads leave: deliveries, a prompt, a group's name, a try, a code."""
    await says(office, "link")
    platform = f"'{office.organisation.id}', '{ACCOUNT.platform}', '{ACCOUNT.workspace}'"
    account = f"'{ACCOUNT.account}'"
    for statement in (
        "arrivals (id, organisation_id, platform, workspace, key, chat, account, kind, body,"
        f" said_at) values (gen_random_uuid(), {platform}, 'k', {account}, {account}, 'message',"
        f""" '{{"text": "{SECRET}"}}', now())""",
        "prompts (organisation_id, platform, workspace, channel, account, action, value,"
        f" expires_at) values ({platform}, 'room', {account}, 'reject', 'x', now())",
        "chats (organisation_id, platform, workspace, channel, name)"
        f" values ({platform}, 'group', 'Tea with {NAME}')",
        "link_tries (organisation_id, platform, workspace, account)"
        f" values ({platform}, {account})",
    ):
        await office.execute(f"insert into {statement}")


async def _told(office: Office, person: Person, task_id: UUID) -> None:
    """What she was told apart from her tasks' conversations, and others of her; her own choices."""
    mine, boss = Recipient("person", str(person.id)), Recipient("person", str(office.boss.id))
    async with unit(office.house) as work:
        for topic, who, facts, of in (
            ("alert.disk", mine, {"text": SECRET}, task_id),
            ("community.tea", boss, {"text": f"Tea with {NAME}"}, None),
        ):
            await publish(work, office.organisation.id, Notice(topic, (who,), facts, task_id=of))
    await office.execute(
        "insert into dispatches (id, organisation_id, notice_id, person_id, channel, address,"
        f" importance, body, error) select gen_random_uuid(), organisation_id, id, '{person.id}',"
        f" 'wall', '{ACCOUNT.account}', 2, cast('{{\"text\": \"{SECRET}\"}}' as jsonb), '{NAME}'"
        " from notices"
    )
    await office.execute(
        "insert into preferences (organisation_id, person_id, body)"
        f" values ('{office.organisation.id}', '{person.id}', '{{}}')"
    )


async def presses(
    office: Office, action: str, task: Answer, sender: Sender, reason: str = ""
) -> None:
    office.keys += 1
    click = Click(action, str(await office.approval_id(task.task_id)), reason)
    inbound = Inbound(sender, Spot("room"), f"h-{office.keys}", click=click)
    assert (await accept(office.house, inbound)).outcome == "done"
    await office.work()


async def everything(office: Office) -> str:
    """All text of all rows of all tables (bytes in hexadecimal), and of the store of documents."""
    owner = create_async_engine(office.house.engine.url)
    found = []
    async with owner.connect() as connection:
        tables = await connection.scalars(
            text(
                "select quote_ident(table_name) from information_schema.tables"
                " where table_schema = 'public' and table_type = 'BASE TABLE'"
            )
        )
        for table in list(tables):
            rows = await connection.execute(text(f"select cast(t as text) as row from {table} t"))
            found += [f"{table}: {row.row}" for row in rows]
    await owner.dispose()
    folder = office.house.store.folder
    assert folder is not None
    files = [path for path in folder.rglob("*") if path.is_file()]
    found += [f"{path}: {path.read_bytes()!r}: {path.read_text()}" for path in files]
    return "\n".join(found)


def found_in(content: str) -> list[str]:
    """The needles in a text, as they are and in hexadecimal."""
    return [n for n in NEEDLES if n in content or n.encode().hex() in content]


async def left(office: Office) -> list[str]:
    """The rows in which there still is one of the needles."""
    lines = (await everything(office)).splitlines()
    return [f"{found_in(line)} in {line}" for line in lines if found_in(line)]


def unpacked(path: Path) -> str:
    with zipfile.ZipFile(path) as archive:
        return "\n".join(
            archive.read(name).decode("utf-8", "replace") for name in archive.namelist()
        )


async def exported(office: Office, path: Path) -> Path:
    while (await sequence(office.house.engine)).events:
        pass
    await sign(office.house.engine)
    async with office.house.engine.connect() as connection:
        await bundle.export(connection, office.organisation.id, path)
    return path


def root() -> Actor:
    return Actor(None, "terminal:root")


async def test_the_drill(office: Office, life: Life, tmp_path: Path) -> None:
    before = found_in(await everything(office))
    assert set(before) >= {HANDLE, NAME, EMAIL, ACCOUNT.account, LABEL, KEY, SECRET}
    assert not {IP, AGENT} & set(before)  # nowhere but sealed
    first = await exported(office, tmp_path / "first.zip")

    outcome = await erase(office.house, office.organisation.id, HANDLE, actor=root())

    last = await exported(office, tmp_path / "last.zip")
    assert await left(office) == []
    assert found_in(unpacked(first)) == found_in(unpacked(last)) == []
    assert (outcome.tasks, len(outcome.kept), outcome.again) == (2, 1, False)
    for verdict in (
        await verify_database(office.house.engine, KEYS),
        verify_bundle(first, KEYS),
        verify_bundle(last, KEYS),
    ):
        assert verdict.faults == []


async def test_what_the_law_keeps_stays_and_the_rest_says_that_it_is_gone(
    office: Office, life: Life
) -> None:
    outcome = await erase(office.house, office.organisation.id, str(life.person.id), actor=root())

    reader = Reader(office.organisation.id, "terminal:root", None, "en", "UTC")
    documents = await look(office.house, reader, "documents", Asked(person=outcome.name))
    [document] = documents.data()
    assert [document["number"]] == list(outcome.kept)
    assert document["retain_until"] == outcome.kept_until
    content = await office.house.store.read(office.organisation.id, document["sha256"])
    async with office.house.engine.connect() as connection:
        view = await task_view(
            connection, office.house, office.organisation.id, life.given_up.task_id or uuid7()
        )
    assert content == f"{document['number']}: hello".encode()
    assert "was erased" in status_message(view, "en", "UTC").note + view.summary("en").note

    events = await look(office.house, reader, "events", Asked(person=outcome.name), limit=500)
    received = [row for row in events.data() if row["tag"] == Tag.TASK_RECEIVED]
    assert [(row["person"], row["account"], row["ip"]) for row in received] == [
        (outcome.name, "(erased)", "(erased)")
    ] * 2
    [noted] = (await look(office.house, reader, "events", Asked(tags=(Tag.PERSON_ERASED,)))).data()
    assert noted["stream"] == life.person.id
    assert noted["account"] == "terminal:root"
    assert noted["data"]["documents"] == 1


async def test_who_is_erased_is_unknown_and_erased_once(office: Office, life: Life) -> None:
    first = await erase(office.house, office.organisation.id, HANDLE, actor=root())
    again = await erase(office.house, office.organisation.id, first.name, actor=root())

    assert again == replace(first, again=True)
    assert (await says(office, "letter again")).outcome == "unknown_person"
    row = await office.row(
        "select count(*) as n from audit_events where tag = :tag", {"tag": Tag.PERSON_ERASED}
    )
    assert row.n == 1
    with pytest.raises(Unknown):
        await erase(office.house, office.organisation.id, HANDLE)


async def test_an_erasure_that_was_cut_short_is_ended_by_the_house(
    office: Office, life: Life
) -> None:
    async with office.house.engine.connect() as other:
        await other.execute(text("select task_id from revisions for update"))
        erasing = asyncio.create_task(erase(office.house, office.organisation.id, HANDLE))
        async with asyncio.timeout(10):
            while not (await office.row(_BEGUN, {})).n:  # noqa: ASYNC110  # nothing tells
                await asyncio.sleep(0.02)
        erasing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await erasing
        await other.rollback()
    assert SECRET in await everything(office)
    assert (await says(office, "letter again")).outcome == "unknown_person"

    await erasure.go_on(office.house)  # too early: somebody may be at it
    assert SECRET in await everything(office)
    await office.execute(
        "update people set erasing_at = now() - interval '1 hour' where erasing_at is not null"
    )
    await office.execute("update schedule set next_at = now() where name = 'housekeeping'")
    await run_due(office.house, {housekeeping.HOUSEKEEPING: housekeeping.tidy})

    assert await left(office) == []


_BEGUN = "select count(*) as n from people where erasing_at is not null"


async def test_what_stands_against_it_is_told_and_nothing_is_done(office: Office) -> None:
    await hanasaki(office)
    own = await says(office, "letter hello")
    with pytest.raises(Refused, match=f"not over yet: #{own.reference}"):
        await erase(office.house, office.organisation.id, HANDLE)
    others = await office.say(f"letter {EMAIL}")
    await office.work()
    with pytest.raises(Refused, match=f"hold their words: #{others.reference}"):
        await erase(office.house, office.organisation.id, HANDLE, cancel_tasks=True)
    assert HANDLE in await everything(office)
    assert not (await office.row(_BEGUN, {})).n

    await office.say(f"cancel #{others.reference}")
    await erase(office.house, office.organisation.id, HANDLE, cancel_tasks=True, actor=root())

    assert await office.state(own.task_id) == "cancelled"
    await office.work()
    assert await left(office) == []


async def test_a_legal_hold_stands_against_it(office: Office) -> None:
    person = await hanasaki(office)
    async with unit(office.house) as work:
        hold = await keeping.place(work, office.organisation.id, None, None, "a lawsuit")
    with pytest.raises(Refused, match="legal hold"):
        await erase(office.house, office.organisation.id, HANDLE)
    async with unit(office.house) as work:
        await keeping.release(work, office.organisation.id, hold)
        await keeping.place(work, office.organisation.id, None, date(2001, 1, 1), "an older one")

    outcome = await erase(office.house, office.organisation.id, HANDLE)

    assert outcome.person_id == person.id


async def test_the_last_admin_stays(office: Office) -> None:
    async with unit(office.house) as work:
        await people.add(work, office.organisation.id, "root", "Root", frozenset({"admin"}))
    with pytest.raises(Refused, match="last admin"):
        await erase(office.house, office.organisation.id, "root")


async def test_a_name_within_a_longer_word_is_another(office: Office) -> None:
    async with unit(office.house) as work:
        person = await people.add(
            work, office.organisation.id, "ann", "Ann", frozenset({"requester"}), language="en"
        )
    asked = await office.say("letter Annual report for ANN, annex")
    await office.work()
    await office.say(f"cancel #{asked.reference}")
    await office.work()

    outcome = await erase(office.house, office.organisation.id, str(person.id))

    row = await office.row("select text from tasks", {})
    assert row.text == f"Annual report for {outcome.name}, annex"
