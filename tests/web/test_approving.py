"""Pages on which approvals are decided, as a phone, a scanner of mail and a colleague meet them."""

import asyncio
import base64
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from aiohttp import ClientResponse, ClientSession, CookieJar
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr
from sqlalchemy import text

from core.approvals.by_link import page_link, read_token
from core.approvals.page_codes import MOST_TRIES
from core.approvals.view import approval_view
from core.documents import Files
from core.inbound import Sender
from core.messages import Field, Line, Picture
from core.people import Person, link
from core.platform import Opening, Platform
from core.settings import EmailSettings, Settings
from core.tags import Tag
from core.unit import unit
from core.words import same
from miyabi.session import newest_version
from tests.core.approvals.staff import decide_by
from tests.core.house import Office, SayingWall, check_complete, check_events, open_office
from tests.running import at_port
from web.app import create_app

LIMIT = 300_000
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII="
)
"""One pixel."""
WALL = Platform("wall", lambda opening: None, confides=True)
CHAT = Platform("chat", lambda opening: None, confides=True)


@dataclass(slots=True)
class Desk:
    """An office whose letters of 500,000 yen and more are large, and where it is on the web."""

    office: Office
    url: str = ""
    amount: int = 1000
    outbounds: dict[str, Any] = field(default_factory=dict)

    async def ask(self, words: str = "letter hello") -> UUID:
        answer = await self.office.say(words)
        assert answer.task_id is not None
        await self.office.work()
        return answer.task_id

    async def link(self, task_id: UUID, person: Person, lasts: timedelta | None = None) -> str:
        """The path of a new page for somebody."""
        office = self.office
        approval_id = await office.approval_id(task_id)
        async with office.house.engine.connect() as connection:
            approval = await approval_view(connection, office.organisation.id, approval_id)
        stage = approval.open or approval.stages[-1]
        async with unit(office.house) as work:
            url = await page_link(
                work, office.house, office.organisation.id, approval_id, stage.id, person.id,
                lasts or timedelta(days=1),
            )  # fmt: skip
        assert url is not None
        return urlsplit(url).path

    async def events(self, *tags: Tag) -> list[dict[str, Any]]:
        async with self.office.house.engine.connect() as connection:
            rows = await connection.execute(
                text("select id from audit_events where tag = any(:tags) order by at, id"),
                {"tags": list(tags)},
            )
        return [await self.office.opened(row.id) for row in rows]


@dataclass(frozen=True, slots=True)
class Browser:
    """One browser with its cookies."""

    client: ClientSession

    async def page(self, path: str, status: int = 200) -> str:
        async with self.client.get(path) as answer:
            assert answer.status == status
            return await answer.text()

    async def press(self, path: str, action: str, **typed: str) -> tuple[int, str]:
        """Open the page, and press a button of it."""
        found = re.search(r'name="nonce" value="([^"]+)"', await self.page(path))
        nonce = found[1] if found else ""
        async with self.send(path, {"nonce": nonce, "action": action, **typed}) as answer:
            return answer.status, await answer.text()

    @asynccontextmanager
    async def send(
        self, path: str, form: Mapping[str, str], **headers: str
    ) -> AsyncIterator[ClientResponse]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.client.post(path, data=form, headers=named) as answer:
            yield answer


@pytest.fixture
async def desk(database_url: str) -> AsyncIterator[Desk]:
    async with open_office(database_url) as opened:
        found = Desk(opened)
        picture = await Files(opened.house, opened.organisation.id).put(PNG, "image/png")
        letter = opened.house.agents["letter"]
        agent = replace(
            letter,
            terms=lambda results: {"amount": found.amount},
            summarise=lambda results, language: replace(
                letter.summarise(results, language),
                lines=(Line("<script>alert(1)</script>", "10 × 100", "1,000 円"),),
                totals=(Field("Total", "1,000 円"),),
                picture=Picture(picture, "First page"),
            ),
        )
        found.outbounds = {**opened.house.outbounds, "chat": SayingWall(), "post": SayingWall()}
        house = replace(
            opened.house,
            public_url="http://127.0.0.1:1",
            agents={"letter": agent},
            outbounds=found.outbounds,
        )

        async def read_file(organisation_id: UUID, sha256: str) -> bytes:
            return await Files(house, organisation_id).get(sha256)

        given_ = Settings(
            secret_key=SecretStr("A" * 43 + "="), email=EmailSettings(code_from_yen=LIMIT)
        )
        app = create_app(Opening(given_, house, read_file), [WALL, CHAT], newest=newest_version())
        async with at_port(app) as url:
            # What a browser says of where it is has to agree with what letters link to.
            object.__setattr__(house, "public_url", url)
            found.office, found.url = replace(opened, house=house), url
            yield found
    await check_events(database_url)
    await check_complete(database_url)


@asynccontextmanager
async def browser(desk: Desk) -> AsyncIterator[Browser]:
    headers = {"User-Agent": "Phone/1", "Accept-Language": "en", "Origin": desk.url}
    jar = CookieJar(unsafe=True)  # also of an address without a name
    async with ClientSession(desk.url, headers=headers, cookie_jar=jar) as client:
        yield Browser(client)


async def test_looking_decides_nothing_however_often_and_by_whomever(desk: Desk) -> None:
    task_id = await desk.ask()
    path = await desk.link(task_id, desk.office.boss)
    for _ in range(2):
        async with browser(desk) as scanner, scanner.client.head(path) as answer:
            assert (answer.status, await answer.read()) == (200, b"")
        async with browser(desk) as scanner:
            shown = await scanner.page(path)
            await scanner.page(f"{path}?action=approve&nonce=x")

    assert await desk.office.state(task_id) == "waiting:approval"
    for words in ("Approval wanted: #", "hello", "Approve", "Send back", "Reject", "SHA-256",
                  "&lt;script&gt;alert(1)", "10 × 100", "1,000 円"):  # fmt: skip
        assert words in shown
    assert "<script" not in shown
    assert len(await desk.events(Tag.PAGE_OPENED)) == 1  # from the same place, in the same minute
    [made] = await desk.events(Tag.PAGE_MADE)
    assert made["data"]["person"] == str(desk.office.boss.id)

    # Its files are shown, and no others.
    async with browser(desk) as phone:
        shown = await phone.page(path)
        [file] = re.findall(rf'href="({path}/[0-9a-f]{{64}})"', shown)
        [picture] = re.findall(rf'src="({path}/[0-9a-f]{{64}})"', shown)
        async with phone.client.get(picture) as answer:
            assert await answer.read() == PNG
        async with phone.client.get(file) as answer:
            assert (answer.status, await answer.text()) == (200, "draft of hello")
            assert "sandbox" in answer.headers["Content-Security-Policy"]
        other = await Files(desk.office.house, desk.office.organisation.id).put(b"x", "text/plain")
        async with phone.client.get(f"{path}/{other}") as answer:
            assert answer.status == 404
    async with browser(desk) as phone, phone.client.get(path) as answer:
        headers = answer.headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "same-origin"
    assert "script-src" not in headers["Content-Security-Policy"]
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    [cookie] = headers.getall("Set-Cookie")
    assert {"HttpOnly", "SameSite=lax", "Path=/a/"} <= set(cookie.split("; "))


async def test_a_page_takes_one_decision_of_its_person(desk: Desk) -> None:
    task_id = await desk.ask()
    path = await desk.link(task_id, desk.office.boss)
    spare = await desk.link(task_id, desk.office.boss)
    async with browser(desk) as phone:
        status, shown = await phone.press(path, "approve", reason="<b>fine</b>")
        again = await phone.page(path)
        spare_now = await phone.page(spare)
        async with phone.send(path, {"action": "reject", "reason": "no"}) as answer:
            assert answer.status == 409
    await desk.office.work()

    assert status == 200
    assert await desk.office.state(task_id) == "done"
    for seen in (shown, again, spare_now):
        assert "Boss" in seen
        assert "approved" in seen
        assert "<button" not in seen
    [used] = await desk.events(Tag.PAGE_USED)
    [decided] = await desk.events(Tag.APPROVAL_DECIDED)
    assert used["person"] == decided["person"] == str(desk.office.boss.id)
    assert decided["channel"] == "page"
    assert decided["user_agent"] == "Phone/1"


async def test_of_two_who_press_at_once_one_decides(desk: Desk) -> None:
    task_id = await desk.ask()
    paths = [await desk.link(task_id, desk.office.boss) for _ in range(2)]
    async with browser(desk) as phone, browser(desk) as computer:
        pressed = await asyncio.gather(
            phone.press(paths[0], "approve"),
            computer.press(paths[0], "reject", reason="no"),
            computer.press(paths[1], "approve"),
        )
    await desk.office.work()

    assert sorted(status for status, _ in pressed) == [200, 409, 409]
    assert len(await desk.events(Tag.APPROVAL_DECIDED)) == 1
    assert len(await desk.events(Tag.PAGE_USED)) == 1


async def test_a_reason_is_wanted_and_what_is_taken_back_needs_a_new_page(desk: Desk) -> None:
    task_id = await desk.ask()
    path = await desk.link(task_id, desk.office.boss)
    async with browser(desk) as phone:
        status, shown = await phone.press(path, "reject", reason="  ")
        assert (status, await desk.office.state(task_id)) == (409, "waiting:approval")
        assert 'role="alert"' in shown
        await phone.press(path, "return", reason="もう一度\x00")
    await desk.office.work()

    assert await desk.office.state(task_id) == "waiting:answer"
    assert "もう一度" in "".join(desk.office.wall.texts())

    task_id = await desk.ask()
    path = await desk.link(task_id, desk.office.boss)
    async with browser(desk) as phone:
        await phone.press(path, "approve")
        undone = await desk.office.click(
            "undo", await desk.office.approval_id(task_id), desk.office.boss
        )
        assert undone.outcome == "done"
        used = await phone.page(path)
        assert "was used already" in used
        assert "<button" not in used
        await phone.press(await desk.link(task_id, desk.office.boss), "reject", reason="no")
    await desk.office.work()
    assert await desk.office.state(task_id) == "rejected"


async def test_it_can_go_back_to_an_earlier_step(desk: Desk) -> None:
    office = desk.office
    await decide_by(office, 'who = [{ person = "boss" }]\nwho = [{ person = "other" }]')
    task_id = await desk.ask()
    first, not_yet = [await desk.link(task_id, who) for who in (office.boss, office.other_boss)]
    async with browser(desk) as phone:
        assert "not your turn yet" in await phone.page(not_yet)
        assert "<select" not in await phone.page(first)
        await phone.press(first, "approve")
        second = await desk.link(task_id, office.other_boss)
        assert '<option value="1">1. s1</option>' in await phone.page(second)
        _, shown = await phone.press(second, "return", to="1", reason="look again")
        assert "Boss" in shown
        again = await desk.link(task_id, office.boss)
        assert "time 2" in await phone.page(again)
        await phone.press(again, "reject", reason="no")
    await office.work()
    assert await office.state(task_id) == "rejected"


async def test_what_was_changed_or_decided_elsewhere_is_told_as_it_stands(desk: Desk) -> None:
    task_id = await desk.ask()
    path = await desk.link(task_id, desk.office.boss)
    other = await desk.link(task_id, desk.office.other_boss)
    old = await desk.link(task_id, desk.office.boss, lasts=timedelta(seconds=-1))
    async with browser(desk) as phone:
        ended = await phone.page(old, 410)
        nonce = re.search(r'name="nonce" value="([^"]+)"', await phone.page(other))
        assert nonce
        await phone.press(path, "return", reason="again")
        async with phone.send(other, {"nonce": nonce[1], "action": "approve"}) as answer:
            late = await answer.text()
        await desk.office.work()
        row = await desk.office.row(
            "select root from threads where task_id = :id and person_id is null",
            {"id": task_id},
        )
        await desk.office.say("letter anew", thread=row.root)
        await desk.office.work()
        changed = await phone.page(path)
        nowhere = await phone.page("/a/" + "A" * 22, 404)

    assert "has ended" in ended
    assert "sent back" in late
    assert await desk.office.state(task_id) == "waiting:approval"
    assert "anew" not in changed
    assert "<form" not in changed
    assert "no such page" in nowhere


async def test_a_form_of_another_site_decides_nothing(desk: Desk) -> None:
    task_id = await desk.ask()
    path = await desk.link(task_id, desk.office.boss)
    async with browser(desk) as phone, browser(desk) as thief:
        found = re.search(r'name="nonce" value="([^"]+)"', await thief.page(path))
        own = re.search(r'name="nonce" value="([^"]+)"', await phone.page(path))
        assert found
        assert own
        for form, headers in (
            ({"action": "approve"}, {}),
            ({"action": "approve", "nonce": found[1]}, {}),
            ({"action": "approve", "nonce": own[1]}, {"Origin": "https://evil.example"}),
            ({"action": "approve", "nonce": own[1]}, {"Origin": "null"}),
            ({"action": "approve", "nonce": own[1]}, {"Sec_Fetch_Site": "cross-site"}),
        ):
            async with phone.send(path, form, **headers) as answer:
                assert answer.status == 409
    assert await desk.office.state(task_id) == "waiting:approval"
    refused = await desk.events(Tag.PAGE_REFUSED)
    assert [each["data"]["why"] for each in refused] == ["other site"]  # in the same minute


async def test_a_large_amount_needs_the_code_that_goes_to_the_persons_chat(desk: Desk) -> None:
    desk.amount = LIMIT
    office = desk.office
    task_id = await desk.ask()
    path = await desk.link(task_id, office.boss)
    theirs = await desk.link(task_id, office.other_boss)
    async with browser(desk) as phone:
        await phone.page(theirs)  # nobody knows yet who is there
        before = await phone.page(path)
        assert "Send me the code" in before
        assert 'value="approve"' not in before
        _, refused = await phone.press(path, "approve")
        assert "need a code" in refused
        await phone.press(path, "code")
        await office.work()
        [told] = [each for each in office.wall.texts("boss") if "The code for the page" in each]
        found = re.search(r"\b\d{6}\b", told)
        assert found
        status, soon = await phone.press(path, "code")
        assert (status, "a moment ago" in soon) == (409, True)
        wrong = f"{(int(found[0]) + 1) % 10**6:06d}"
        assert (await phone.press(path, "enter", code=wrong))[0] == 409
        status, shown = await phone.press(path, "enter", code=f" {found[0][:3]} {found[0][3:]}")
        assert (status, 'value="approve"' in shown) == (200, True)
        # Who has typed it is known from now on: what was sent to somebody else is not theirs.
        forwarded = await phone.page(theirs, 403)
        async with phone.send(theirs, {"action": "approve"}) as answer:
            assert answer.status == 403
        assert "sent to somebody else" in forwarded
        await phone.press(path, "approve")
        async with browser(desk) as another:
            assert "approved" in await another.page(theirs)
    await office.work()

    assert await office.state(task_id) == "done"
    whys = [each["data"]["why"] for each in await desk.events(Tag.PAGE_REFUSED)]
    assert whys[:2] == ["code", "other person"]
    [entered] = await desk.events(Tag.PAGE_ENTERED)
    refusals = await desk.events(Tag.PAGE_REFUSED)
    assert refusals[1]["person"] == entered["person"] == str(office.boss.id)
    row = await office.row(
        "select count(*) filter (where code_hash is not null) as open from approval_links", {}
    )
    assert row.open == 0


async def test_codes_can_not_be_guessed_nor_go_by_what_brought_the_link(desk: Desk) -> None:
    desk.amount = LIMIT
    office = desk.office
    chat, post = desk.outbounds["chat"], desk.outbounds["post"]
    chat.unreachable = {"other": same("blocked")}
    async with unit(office.house) as work:
        for person, name in ((office.boss, "boss"), (office.other_boss, "other")):
            await link(work, person, Sender("chat", "c1", name))
            await link(work, person, Sender("post", "acme", f"{name}@acme.example"))
    task_id = await desk.ask()
    path = await desk.link(task_id, office.boss)
    async with browser(desk) as phone:
        await phone.press(path, "code")
        await office.work()
        [told] = [each for each in office.wall.texts("boss") if "The code for the page" in each]
        right = re.search(r"\b\d{6}\b", told)
        assert right
        [also] = chat.texts("boss")
        assert right[0] in also
        wrong = f"{(int(right[0]) + 1) % 10**6:06d}"
        for _ in range(MOST_TRIES):
            await phone.press(path, "enter", code=wrong)
        status, shown = await phone.press(path, "enter", code=right[0])
        assert (status, "Too many wrong codes" in shown) == (409, True)
        assert (await phone.press(path, "code"))[0] == 409
        assert 'value="approve"' not in await phone.page(path)
        await office.execute(
            "update accounts set listens = false where external_id = 'other' and platform = 'wall'"
        )
        theirs = await desk.link(task_id, office.other_boss)
        await phone.press(theirs, "code")  # they are not reached there, and told nowhere else
        await office.work()
        await office.execute("update accounts set listens = false where platform = 'chat'")
        _, nowhere = await phone.press(await desk.link(task_id, office.other_boss), "code")
    assert "no chat account" in nowhere
    assert [each for each in post.said if "code" in each[1].message.text] == []
    assert (chat.texts("other"), len(office.wall.texts("other"))) == ([], 1)  # its card
    assert await office.state(task_id) == "waiting:approval"


@settings(max_examples=30)
@given(st.text(max_size=40))
def test_no_other_spelling_is_a_token(words: str) -> None:
    token = read_token(words)
    assert token is None or len(token) == 16
