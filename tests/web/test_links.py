"""Links to documents as a browser, a chat app's preview and a stranger meet them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from aiohttp import ClientSession
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr
from sqlalchemy import text

from core import links
from core.documents import Files
from core.erasure import erase
from core.ids import new_id
from core.links import make_link
from core.messages import Attachment
from core.people import Person
from core.platform import Opening
from core.settings import Settings
from core.tags import Tag
from core.unit import unit
from miyabi.session import newest_version
from tests.core.house import Office, check_complete, check_events, open_office
from tests.running import at_port
from web.app import create_app
from web.links import MOST_VISITS, disposition, part

WEEK = timedelta(days=7)
PDF = b"%PDF-1.7 " + bytes(range(256)) * 4
NAME = '見積書 "ABC"\r\n御中.pdf'


@dataclass(frozen=True, slots=True)
class Desk:
    """An office with a public address, a browser, and a task that a document belongs to."""

    office: Office
    client: ClientSession
    task_id: UUID

    async def link(
        self,
        content: bytes = PDF,
        name: str = NAME,
        media_type: str = "application/pdf",
        person: Person | None = None,
        lasts: timedelta = WEEK,
    ) -> str:
        """The path of a link to some bytes."""
        organisation_id = self.office.organisation.id
        sha256 = await Files(self.office.house, organisation_id).put(content, media_type)
        async with unit(self.office.house) as work:
            url = await make_link(
                work, self.office.house, organisation_id, self.task_id,
                Attachment(sha256, name, media_type), person.id if person else None, lasts,
            )  # fmt: skip
        assert url is not None
        assert url.startswith("https://miyabi.example/d/")
        return urlsplit(url).path

    async def events(self, tag: Tag) -> list[dict[str, Any]]:
        async with self.office.house.engine.connect() as connection:
            rows = await connection.execute(
                text("select id from audit_events where tag = :tag order by at"), {"tag": tag}
            )
        return [await self.office.opened(row.id) for row in rows]


@pytest.fixture
async def desk(database_url: str) -> AsyncIterator[Desk]:
    async with open_office(database_url) as opened:
        house = replace(opened.house, public_url="https://miyabi.example")
        office = replace(opened, house=house)
        answer = await office.say("letter hello")
        assert answer.task_id is not None
        await office.work()
        async with serving(office) as client:
            yield Desk(office, client, answer.task_id)
    await check_events(database_url)
    await check_complete(database_url)


@asynccontextmanager
async def serving(office: Office) -> AsyncIterator[ClientSession]:
    async def read_file(organisation_id: UUID, sha256: str) -> bytes:
        return await Files(office.house, organisation_id).get(sha256)

    given_ = Settings(secret_key=SecretStr("A" * 43 + "="))
    app = create_app(Opening(given_, office.house, read_file), [], newest=newest_version())
    headers = {"User-Agent": "Line/14.1", "Accept-Language": "en"}
    async with at_port(app) as url, ClientSession(url, headers=headers) as client:
        yield client


async def test_a_link_gives_its_document_and_says_that_it_was_opened(desk: Desk) -> None:
    path = await desk.link(person=desk.office.boss)
    async with desk.client.get(path) as answer:
        assert (answer.status, await answer.read()) == (200, PDF)
        headers = answer.headers
    async with desk.client.get(path) as again:  # a reader that fetches in pieces
        assert again.status == 200

    assert headers["Content-Type"] == "application/pdf"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "sandbox" not in headers["Content-Security-Policy"]  # Safari would show nothing
    disposition = headers["Content-Disposition"]
    assert disposition.startswith('inline; filename="___ _ABC_____.pdf"; ')
    assert "filename*=UTF-8''%E8%A6%8B%E7%A9%8D%E6%9B%B8%20%22ABC%22%0D%0A" in disposition
    [made] = await desk.events(Tag.LINK_MADE)
    [opened] = await desk.events(Tag.LINK_OPENED)
    assert made["data"]["person"] == opened["person"] == str(desk.office.boss.id)
    assert (opened["ip"], opened["user_agent"]) == ("127.0.0.1", "Line/14.1")
    assert opened["data"]["link"] == made["data"]["link"]
    assert path.rpartition("/")[2] not in str(made) + str(opened)


async def test_a_crowd_is_kept_out_for_a_while(desk: Desk) -> None:
    path = await desk.link()
    for n in range(MOST_VISITS):
        async with desk.client.get(path, headers={"User-Agent": f"robot/{n}"}) as answer:
            assert answer.status == 200
    async with desk.client.get(path, headers={"User-Agent": "one more"}) as answer:
        assert answer.status == 429
    async with desk.client.get(path, headers={"User-Agent": "robot/0"}) as answer:
        assert answer.status == 200
    assert len(await desk.events(Tag.LINK_OPENED)) == MOST_VISITS


async def test_what_a_browser_could_run_is_downloaded_and_shut_in(desk: Desk) -> None:
    path = await desk.link(b"<script>alert(1)</script>", "a.html", "text/html")
    async with desk.client.get(path) as answer:
        assert answer.headers["Content-Disposition"].startswith("attachment;")
        assert "sandbox" in answer.headers["Content-Security-Policy"]


async def test_a_head_and_a_part_are_answered_as_http_has_it(desk: Desk) -> None:
    path = await desk.link()
    async with desk.client.head(path) as head:
        assert (head.status, head.headers["Content-Length"]) == (200, str(len(PDF)))
    assert await desk.events(Tag.LINK_OPENED) == []  # nothing was handed out
    async with desk.client.get(path, headers={"Range": "bytes=5-7"}) as answer:
        assert (answer.status, await answer.read()) == (206, PDF[5:8])
        assert answer.headers["Content-Range"] == f"bytes 5-7/{len(PDF)}"
    async with desk.client.get(path, headers={"Range": "bytes=9999-"}) as answer:
        assert (answer.status, await answer.read()) == (416, b"")
    changed = {"Range": "bytes=5-7", "If-Range": '"other"'}
    async with desk.client.get(path, headers=changed) as answer:
        assert (answer.status, await answer.read()) == (200, PDF)


async def test_whoever_guesses_learns_nothing(desk: Desk) -> None:
    """A wrong MAC, a link that there is not, another spelling of ours: one answer for them all."""
    path = await desk.link()
    token = path.rpartition("/")[2]
    last = token[-1]
    spare = chr(ord(last) + 1) if last not in "zZ9_-" else "A"
    missing = links._token(desk.office.house, new_id())
    wrong = ["x", "%00", "あ", token[:-1], token + "A", token[:-1] + spare, "A" * 43, missing]
    answers = set()
    for each in wrong:
        async with desk.client.get(f"/d/{each}") as answer:
            answers.add((answer.status, await answer.text(), answer.headers["Content-Type"]))
    [(status, page, kind)] = answers
    assert (status, kind) == (404, "text/html; charset=utf-8")
    assert "There is no such link" in page
    async with desk.client.get("/metrics") as figures:
        said = await figures.text()
    assert 'path="/d/{token}"' in said
    assert "A" * 43 not in said
    for header, said in (("zh-CN,zh;q=0.9", "找不到该链接"), ("ja", "見つかりません")):
        async with desk.client.get("/d/x", headers={"Accept-Language": header}) as answer:
            assert said in await answer.text()


async def test_a_link_that_ended_or_was_taken_back_opens_nothing(desk: Desk) -> None:
    over = await desk.link(lasts=timedelta(seconds=-1))
    back = await desk.link()
    async with unit(desk.office.house) as work:
        count = await links.revoke(work, desk.office.organisation.id, task_id=desk.task_id)
    assert count == 1  # the one that had ended is left alone
    for path, said in ((over, "has ended"), (back, "was revoked")):
        async with desk.client.get(path) as answer:
            assert (answer.status, said in await answer.text()) == (410, True)
    assert len(await desk.events(Tag.LINK_REVOKED)) == 1
    assert await desk.events(Tag.LINK_OPENED) == []


async def test_the_same_document_for_the_same_person_has_one_link(desk: Desk) -> None:
    boss, asker = desk.office.boss, desk.office.asker
    first = await desk.link(person=boss)
    assert await desk.link(person=boss) == first
    assert await desk.link(person=asker) != first
    assert await desk.link(b"%PDF other", person=boss) != first
    other = desk.office.other_boss
    assert len(set(await asyncio.gather(*(desk.link(person=other) for _ in range(4))))) == 1
    await desk.office.execute(
        f"update links set expires_at = now() + interval '3 days' where person_id = '{boss.id}'"
    )
    assert await desk.link(person=boss) != first  # less than half of its time is left
    # And without a public address none.
    house = replace(desk.office.house, public_url=None)
    async with unit(house) as work:
        file = Attachment("0" * 64, "a.pdf", "application/pdf")
        organisation_id = desk.office.organisation.id
        assert await make_link(work, house, organisation_id, desk.task_id, file, None, WEEK) is None


async def test_what_was_erased_opens_no_more_and_who_opened_it_is_forgotten(desk: Desk) -> None:
    office = desk.office
    theirs = await desk.link(person=office.asker)
    everyones = await desk.link()
    for path in (theirs, everyones):
        async with desk.client.get(path) as answer:
            assert answer.status == 200

    await erase(office.house, office.organisation.id, office.asker.handle, cancel_tasks=True)

    for path in (theirs, everyones):
        async with desk.client.get(path) as answer:
            assert answer.status == 410
    row = await office.row("select count(*) as n from links where name <> ''", {})
    assert row.n == 0
    seen = {each["ip"] for each in await desk.events(Tag.LINK_OPENED)}
    assert seen == {"(erased)"}
    async with unit(office.house) as work:
        file = Attachment("0" * 64, "a.pdf", "application/pdf")
        made = await make_link(
            work, office.house, office.organisation.id, desk.task_id, file, None, WEEK
        )
    assert made is None


async def test_who_has_left_opens_nothing(desk: Desk) -> None:
    path = await desk.link(person=desk.office.boss)
    await desk.office.execute("update people set active = false where handle = 'boss'")
    async with desk.client.get(path) as answer:
        assert (answer.status, "any more" in await answer.text()) == (410, True)


@settings(max_examples=40)
@given(st.integers(0, 400), st.integers(0, 400), st.integers(1, 200))
def test_a_part_is_what_was_asked_for_as_far_as_there_is_so_much(
    first: int, last: int, whole: int
) -> None:
    content = bytes(range(whole))
    asked = part(f"bytes={first}-{last}", whole)
    if last < first:
        assert asked is None
        return
    assert asked is not None
    assert content[asked.start : asked.stop] == content[first : last + 1]
    rest, end = part(f"bytes={first}-", whole), part(f"bytes=-{last}", whole)
    assert rest is not None
    assert end is not None
    assert content[rest.start : rest.stop] == content[first:]
    assert content[end.start : end.stop] == (content[-last:] if last else b"")


@given(st.text(max_size=40))
@settings(max_examples=40)
def test_a_files_name_never_leaves_its_header(name: str) -> None:
    said = disposition(name.encode("utf-8", "replace").decode(), shown=True)
    assert said.isascii()
    assert said.isprintable()
    assert said.count('"') == 2
