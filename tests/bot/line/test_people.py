"""People on LINE: who becomes known by a code, who decides by one, and links that open."""

import re
from typing import Any

import pytest
from aiohttp import ClientSession

from core.accounts import cut
from core.inbound import Sender
from core.people import by_handle
from core.tags import Tag
from core.unit import unit
from tests.bot.line.conftest import REQUEST, Office
from tests.fakes.line.reading import words

pytestmark = pytest.mark.timeout(120)


async def test_a_stranger_becomes_known_by_a_code_from_elsewhere(office: Office) -> None:
    """知らない人 is 花子, who uses another account as well."""
    await office.people.say("連携", "花子")
    told = await office.said("花子", "連携コード")
    code = re.search(r"\d{8}", words(told))
    assert code is not None

    await office.people.say("一覧", "知らない人")
    await office.said("知らない人", "「連携」と送り")
    await office.people.say(code[0], "知らない人")
    await office.said("知らない人", "花子 さん、このアカウントを連携しました")
    await office.people.say(REQUEST, "知らない人")
    await office.card("一郎")

    [task] = await office.rows("select p.name from tasks t join people p on p.id = t.person_id")
    assert task.name == "花子"


async def test_a_code_decides_in_words_and_the_document_opens_by_its_link(office: Office) -> None:
    await office.people.say(REQUEST, "花子")
    card = await office.card("三郎")
    code = re.search(r"承認 (0\d{3})", words(card))
    assert code is not None
    await office.people.say(f"承認 {code[1]}", "一郎")
    assert "三郎" not in words(await office.said("一郎", code[1]))
    await office.people.say(f"承認 {code[1]}", "三郎")

    result = await office.said("花子", "Q-")
    given = _links(result.body)
    kinds = {await _opened(office, link) for link in given}
    assert "application/pdf" in kinds
    assert kinds <= {"application/pdf", "image/png"}
    opened = await office.rows(
        "select body ->> 'person' as person from audit_events where tag = :tag",
        tag=Tag.LINK_OPENED,
    )
    assert len(opened) == len(given)
    assert all(each.person is not None for each in opened)
    await office.people.say("状況 #1001", "花子")
    again = await office.said("花子", "完了")
    assert _links(again.body) <= given  # the same while it is young
    assert _links(again.body)


async def test_what_was_cut_off_is_said_to_nobody(office: Office) -> None:
    await office.people.say(REQUEST, "花子")
    await office.card("三郎")
    before = len(office.line.said("花子"))
    account = office.line.home.user("花子").id
    async with unit(office.house) as work:
        person = await by_handle(work.connection, office.organisation.id, "p1")
        assert person is not None
        await cut(work, person, Sender("line", office.line.home.destination, account))
    await office.people.press(await office.card("三郎"), "承認", "三郎")
    await office.said("三郎", "承認")
    await office.line.wait_for(lambda: _settled(office), 20)

    assert len(office.line.said("花子")) == before


def _settled(office: Office) -> list[Any]:
    """The admin is told that 花子 is not reached."""
    return office.line.said("三郎", "お知らせを届けられません")


def _links(body: Any) -> set[str]:
    return set(re.findall(r"https://miyabi\.example/d/[\w-]+", str(body)))


async def _opened(office: Office, link: str) -> str:
    async with ClientSession() as client, client.get(office.here(link)) as answer:
        assert answer.status == 200
        return answer.content_type
