"""The month's messages: taken before a push, given back where there was none, and kept for what is
urgent; LINE's own figures and its 429 have the last word."""

import asyncio
from datetime import UTC, date, datetime
from uuid import uuid4

import pytest

from bot.line.ledger import month_of
from core.errors import TryLater, Unreachable
from tests.bot.line.desk import Desk


def test_months_end_at_midnight_in_japan() -> None:
    assert month_of(datetime(2026, 11, 30, 14, 59, tzinfo=UTC)) == date(2026, 11, 1)
    assert month_of(datetime(2026, 11, 30, 15, 0, tzinfo=UTC)) == date(2026, 12, 1)


async def test_the_last_ones_are_kept_for_what_is_urgent_and_replies_go_on(desk: Desk) -> None:
    desk.line.home.quota, desk.line.home.used = 20, 18

    await desk.say("結果")
    with pytest.raises(Unreachable) as kept:
        await desk.say("結果")
    await desk.say("承認のお願い", weight="urgent")
    with pytest.raises(Unreachable) as spent:
        await desk.say("承認のお願い", weight="urgent")

    assert "承認待ち" in kept.value.words.ja
    assert "20" in spent.value.words.ja
    assert desk.line.home.used == 20
    assert all(call.status == 200 for call in desk.line.calls_to("pushMessage"))
    await desk.heard()
    await desk.say("返信")
    assert desk.said()[-1] == ("reply", "返信")


async def test_the_quota_ends_in_the_middle_of_five_and_each_is_said_once_or_refused(
    desk: Desk,
) -> None:
    desk.line.home.quota, desk.line.home.used = 103, 95  # of which 6 are kept

    async def say(n: int) -> bool:
        try:
            await desk.say(f"{n}")
        except Unreachable:
            return False
        return True

    said = [await say(n) for n in range(5)]

    assert said == [True, True, False, False, False]
    assert [words for _, words in desk.said()] == ["0", "1"]


async def test_two_workers_do_not_both_take_the_last_one(desk: Desk) -> None:
    desk.line.home.quota, desk.line.home.used = 100, 92
    channel = await desk.outbound.channels.get(desk.line.home.destination)
    await desk.outbound.quotas.left(channel)

    async def take() -> bool:
        try:
            await desk.outbound.quotas.take(channel, uuid4(), 1, urgent=False)
        except Unreachable:
            return False
        return True

    assert sum(await asyncio.gather(*(take() for _ in range(12)))) == 3


async def test_what_surely_was_not_pushed_is_given_back_and_a_repetition_counts_once(
    desk: Desk,
) -> None:
    desk.line.home.quota = 100
    desk.line.fail_next("pushMessage", status=429)
    with pytest.raises(TryLater) as later:
        await desk.say("お知らせ")
    assert later.value.after is not None
    channel = await desk.outbound.channels.get(desk.line.home.destination)
    assert (await desk.outbound.quotas.left(channel)).used == 0

    call = uuid4()
    for again in (False, True, True):
        await desk.say("お知らせ", call=call, again=again)
    assert (await desk.outbound.quotas.left(channel)).used == 1


async def test_a_429_of_the_month_is_told_from_one_of_the_rate(desk: Desk) -> None:
    """Where LINE's figures still have room, it only sets messages aside for what is being sent."""
    desk.line.home.quota = 100
    desk.line.fail_next("pushMessage", status=429, quota=True)
    with pytest.raises(TryLater):
        await desk.say("お知らせ")

    desk.line.home.used = 100  # somebody sent from the console
    with pytest.raises(Unreachable):
        await desk.say("お知らせ")
    assert desk.said() == []


async def test_a_larger_plan_is_seen_before_anything_is_refused_and_a_new_month_is_new(
    desk: Desk,
) -> None:
    desk.line.home.quota = desk.line.home.used = 20
    with pytest.raises(Unreachable):
        await desk.say("お知らせ")
    asked = len(desk.line.calls_to("getMessageQuota"))
    with pytest.raises(Unreachable):
        await desk.say("お知らせ")
    assert len(desk.line.calls_to("getMessageQuota")) == asked, "LINE is not asked for each"

    desk.line.home.quota = 40
    await desk.execute("update quotas set read_at = read_at - interval '2 minutes'")
    await desk.say("増やした")

    await desk.execute("update quotas set month = month - interval '1 month'")
    desk.line.home.used = 0
    await desk.say("翌月")
    assert [words for _, words in desk.said()] == ["増やした", "翌月"]


async def test_a_group_counts_as_many_as_are_in_it(desk: Desk) -> None:
    desk.line.home.quota = 100
    group = desk.line.home.group("営業", ("花子", "一郎", "三郎")).id

    await desk.say("お知らせ", chat=group)

    [use] = await desk.rows("select counted, state from quota_uses")
    assert (use.counted, use.state) == (desk.line.home.used, "done")


async def test_without_a_limit_nothing_is_refused(desk: Desk) -> None:
    desk.line.home.quota = None
    await desk.say("お知らせ")
    assert desk.said() == [("push", "お知らせ")]
