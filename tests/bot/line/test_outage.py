"""What the notifier says in LINE while LINE is away, and while the month ends: once, in order."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest

from core import people
from core.inbound import Click, Inbound, Sender, Spot
from core.intake import accept
from core.unit import unit
from tests.bot.line.conftest import REQUEST
from tests.bot.line.desk import Desk
from tests.fakes.line.reading import buttons
from tests.fakes.line.state import id_of
from tests.running import working


@pytest.fixture
async def office(desk: Desk) -> AsyncIterator[Desk]:
    """The way out with a worker that uses it."""
    async with working(desk.built):
        yield desk


async def _say(desk: Desk, user: str, words: str = "", click: Click | None = None) -> None:
    account = id_of(user)
    sender = Sender("line", desk.line.home.destination, account)
    spot = Spot(account, account, flat=True)
    inbound = Inbound(sender, spot, uuid4().hex, text=words, click=click)
    answer = await accept(desk.built.house, inbound, click_patience=30)
    assert answer.outcome in {"taken", "done"}


async def _approve(desk: Desk, user: str) -> None:
    [press] = await desk.rows("select value from presses where action = 'approve'")
    await _say(desk, user, click=Click("approve", press.value))


async def test_while_line_is_away_for_ten_minutes_everything_waits_and_then_goes_out_once(
    office: Desk,
) -> None:
    """The two cards also bring the month to 80 %: then the admins are told, in that task, once."""
    line = office.line
    line.home.quota, line.home.used = 100, 77
    await office.say("前")  # LINE was there before
    await line.go_away()
    await _say(office, "花子", REQUEST)
    await line.wait_until(lambda: _tried(office), lambda tried: tried >= 2, 20)
    await office.execute("update deliveries set created_at = created_at - interval '10 minutes'")
    await line.come_back()
    await office.execute("update deliveries set next_at = now() where state = 'pending'")
    await office.execute("update outbox set next_at = now()")

    await line.wait_for(lambda: line.said("一郎"), 20)
    await line.wait_for(lambda: line.said("三郎", "今月の送信数"), 20)
    assert len(line.said("花子")) == 1, "that the draft was ready is no news any more"
    await _approve(office, "三郎")
    await line.wait_for(lambda: len(line.said("花子")) > 1, 20)

    assert "発行しました" in line.said("花子")[-1].text
    [card] = line.said("一郎")
    [own, warning] = line.said("三郎")
    assert all(
        any(each.label.startswith("承認") for each in buttons(shown)) for shown in (card, own)
    )
    assert "100通" in warning.text
    keys = [each.retry_key for each in line.calls_to("pushMessage") if each.status == 200]
    assert len(keys) == len(set(keys))


async def _tried(desk: Desk) -> int:
    return len(await desk.rows("select 1 from deliveries where attempts > 0"))


async def test_the_month_ends_among_the_cards_and_whoever_is_left_is_told_elsewhere_once(
    office: Desk,
) -> None:
    house = office.built.house
    async with unit(house) as work:
        for person in await people.everyone(work.connection, office.organisation.id):
            if person.may("approver"):
                await people.link(work, person, Sender("console", "local", person.handle))
    office.line.home.quota, office.line.home.used = 200, 199

    await _say(office, "花子", REQUEST)
    told = await office.line.wait_until(lambda: _elsewhere(office), bool, 20)

    assert len(office.line.said("一郎")) + len(office.line.said("三郎")) == 1
    assert len(told) == 1
    assert "使い切った" in str(told[0].body)


async def _elsewhere(desk: Desk) -> list[Any]:
    return await desk.rows(
        "select m.body from messages m join threads h on h.id = m.thread_id"
        " where h.platform = 'console' and starts_with(m.slot, 'card:')"
    )
