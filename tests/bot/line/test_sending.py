"""What is said in LINE is said once, by a free reply token where there is one, else by a push."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from core.errors import OutcomeUnknown, Permanent, TryLater, Unreachable
from core.messages import Button, Message
from core.ports import Place, TooLarge, Utterance
from tests.bot.line.desk import HANA, Desk
from tests.fakes.line.state import Said, id_of

# One call, free where it can be


async def test_what_is_said_goes_by_a_free_token_first_and_once_and_then_by_pushes(
    desk: Desk,
) -> None:
    desk.line.home.quota = 100
    await desk.heard()

    first = await desk.say("一", "二")
    second = await desk.say("三")

    assert desk.said() == [("reply", "一"), ("reply", "二"), ("push", "三")]
    assert [*first, *second] == [each.id for each in desk.line.said("花子")]
    assert desk.line.home.used == 1, "a reply counts nothing, a push one"


async def test_a_token_that_its_arrival_still_needs_is_left_to_it(desk: Desk) -> None:
    arrival = await desk.heard(state="received")

    await desk.say("知らせ")
    await desk.outbound.answer(arrival, [Message("答え")])

    assert desk.said() == [("push", "知らせ"), ("reply", "答え")]


async def test_a_token_of_70_seconds_falls_to_a_push_and_nothing_is_lost(desk: Desk) -> None:
    old = await desk.heard(age=70)
    await desk.say("知らせ")
    await desk.outbound.answer(old, [Message("答え")])
    assert desk.said() == [("push", "知らせ"), ("push", "答え")]

    # Ours is young, but LINE does not take it: it is not to be taken for used by this call.
    await desk.heard()
    desk.line.pass_time(70)
    call = uuid4()
    desk.line.fail_next("pushMessage", reset=True)
    with pytest.raises(OutcomeUnknown):
        await desk.say("まだか", call=call)
    await desk.say("まだか", call=call, again=True)
    assert desk.said()[2:] == [("push", "まだか")]


async def test_what_may_be_said_costs_nothing_or_is_left_unsaid(desk: Desk) -> None:
    assert await desk.say("終わりました", weight="may") == [None]
    assert desk.said() == []

    said = [
        Utterance(str(uuid4()), Message("終わりました"), "may"),
        Utterance(str(uuid4()), Message("できました"), "must"),
    ]
    sent = await desk.outbound.say(desk.place(), uuid4(), said, again=False)
    assert all(sent), "it rides along with what is pushed anyway"

    await desk.heard()
    assert all(await desk.say("よそで決まりました", weight="may"))
    assert [how for how, _ in desk.said()] == ["push", "push", "reply"]


async def test_five_objects_go_into_a_call_and_no_more(desk: Desk) -> None:
    long = Utterance("1", Message("あ" * 9_000))  # of more than one object
    short = Utterance("2", Message("い"))

    assert desk.outbound.fits([short] * 7) == 5
    assert 1 <= desk.outbound.fits([long, long, long, long]) < 4
    assert desk.outbound.fits([Utterance("3", Message("う" * 90_000)), short]) == 1


async def test_presses_are_stored_before_they_are_shown(desk: Desk) -> None:
    card = Message("承認のお願い", title="承認", buttons=(Button("approve", "承認", "x"),))
    said = [Utterance(str(uuid4()), card, "urgent")]
    for _ in range(2):
        await desk.outbound.say(desk.place(), uuid4(), said, again=False)

    [press] = await desk.rows("select id, action, value from presses")
    assert (press.action, press.value) == ("approve", "x")
    assert all(press.id in str(each.body) for each in desk.line.said("花子"))


async def test_what_line_does_not_take_as_it_looks_is_said_in_words(desk: Desk) -> None:
    card = Message("見積のお知らせ", title="見積", buttons=(Button("approve", "承認", "x"),))
    said = [Utterance(str(uuid4()), card)]
    desk.line.fail_next("pushMessage", status=400, message="The request body has 1 error(s)")

    await desk.outbound.say(desk.place(), uuid4(), said, again=False)

    [found] = desk.line.said("花子")
    assert found.kind == "text"
    assert "見積のお知らせ" in found.text


# Answers that get lost


@pytest.mark.parametrize("way", ["reset", "hang"])
async def test_a_push_whose_answer_is_lost_is_one_message_with_one_retry_key(
    desk: Desk, way: str
) -> None:
    call = uuid4()
    lost: dict[str, Any] = {"reset": True} if way == "reset" else {"hang": 2.0}
    desk.line.fail_next("pushMessage", after=True, **lost)
    with pytest.raises(OutcomeUnknown if way == "reset" else TimeoutError):
        async with asyncio.timeout(0.7):
            await desk.say("お知らせ", call=call)

    [sent] = await desk.say("お知らせ", call=call, again=True)

    [said] = desk.line.said("花子")
    assert sent == said.id, "LINE told its id with the 409"
    assert {each.retry_key for each in desk.line.calls_to("pushMessage")} == {str(call)}


@pytest.mark.parametrize("done", [True, False])
async def test_a_reply_whose_answer_is_lost_is_repeated_with_its_token(
    desk: Desk, done: bool
) -> None:
    await desk.heard()
    call = uuid4()
    desk.line.fail_next("replyMessage", after=done, reset=True)
    with pytest.raises(OutcomeUnknown):
        await desk.say("お知らせ", call=call)

    [sent] = await desk.say("お知らせ", call=call, again=True)

    assert desk.said() == [("reply", "お知らせ")]
    assert sent is not None
    assert not desk.line.calls_to("pushMessage")


async def test_while_lines_answers_say_nothing_a_push_is_repeated_until_one_does(
    desk: Desk,
) -> None:
    """500 may have been done or not. What is begun then is pushed: a day long that can be told."""
    await desk.heard()
    await desk.heard()
    first, second = uuid4(), uuid4()
    desk.line.fail_next("replyMessage", status=500)
    desk.line.fail_next("pushMessage", status=500, times=3)
    with pytest.raises(OutcomeUnknown):
        await desk.say("一", call=first)
    with pytest.raises(OutcomeUnknown):
        await desk.say("二", call=second)
    for _ in range(2):
        with pytest.raises(TryLater):
            await desk.say("二", call=second, again=True)

    await desk.say("一", call=first, again=True)
    await desk.say("二", call=second, again=True)

    assert desk.said() == [("reply", "一"), ("push", "二")]
    uses = await desk.rows("select state from quota_uses")
    assert [use.state for use in uses] == ["done"]


async def test_a_lost_reply_that_is_too_old_to_be_repeated_stays_unknown(desk: Desk) -> None:
    await desk.heard()
    call = uuid4()
    desk.line.fail_next("replyMessage", after=True, reset=True)
    with pytest.raises(OutcomeUnknown):
        await desk.say("お知らせ", call=call)
    await desk.execute("update arrivals set reply_until = now()")

    with pytest.raises(OutcomeUnknown):
        await desk.say("お知らせ", call=call, again=True)
    assert desk.said() == [("reply", "お知らせ")]


async def test_a_reply_that_surely_was_not_said_gives_its_token_back(desk: Desk) -> None:
    await desk.heard()
    desk.line.fail_next("replyMessage", status=429)
    with pytest.raises(TryLater):
        await desk.say("お知らせ")

    await desk.say("お知らせ")

    assert desk.said() == [("reply", "お知らせ")]


async def test_while_line_is_away_nothing_is_said_and_afterwards_once(desk: Desk) -> None:
    await desk.say("前")  # figures and connections are there
    await desk.heard()
    await desk.line.go_away()
    for _ in range(2):
        with pytest.raises(TryLater):
            await desk.say("中")
    await desk.line.come_back()

    await desk.say("後")

    assert desk.said() == [("push", "前"), ("reply", "後")]


async def test_an_event_that_is_handled_again_is_answered_once(desk: Desk) -> None:
    arrival = await desk.heard(state="received")
    desk.line.fail_next("replyMessage", after=True, reset=True)
    with pytest.raises(TryLater):
        await desk.outbound.answer(arrival, [Message("答え")])

    await desk.outbound.answer(arrival, [Message("答え")])
    await desk.outbound.answer(arrival, [Message("答え")])
    assert desk.said() == [("reply", "答え")]

    old = await desk.heard(age=70, state="received")
    desk.line.fail_next("pushMessage", after=True, reset=True)
    with pytest.raises(TryLater):
        await desk.outbound.answer(old, [Message("遅い答え")])
    await desk.outbound.answer(old, [Message("遅い答え")])
    assert desk.said()[1:] == [("push", "遅い答え")]


async def test_what_is_not_worth_a_push_is_answered_by_its_token_or_not_at_all(desk: Desk) -> None:
    old = await desk.heard(age=70, state="received")
    await desk.outbound.answer(old, [Message("受け付けました")], only_free=True)
    young = await desk.heard(state="received")
    await desk.line.go_away()
    await desk.outbound.answer(young, [Message("受け付けました")], only_free=True)
    await desk.line.come_back()

    assert desk.said() == []


async def test_somebody_who_is_not_there_is_to_be_told_elsewhere(desk: Desk) -> None:
    with pytest.raises(Unreachable):
        await desk.say("お知らせ", chat=id_of("いない人"))


# Groups


async def test_a_group_sees_no_amounts_until_it_may(desk: Desk) -> None:
    group = desk.line.home.group("営業", ("花子", "一郎")).id
    card = Message("見積 合計 244,200円", title="見積 #1042", body="合計 244,200円")

    async def said() -> Said:
        await desk.outbound.say(
            desk.place(group), uuid4(), [Utterance(str(uuid4()), card)], again=False
        )
        return desk.line.said("営業" if group.startswith("U") else group)[-1]

    assert "244,200" not in str((await said()).body)
    await desk.execute(
        "insert into chats (organisation_id, platform, workspace, channel, amounts)"
        f" select id, 'line', '{desk.line.home.destination}', '{group}', true from organisations"
    )
    assert "244,200" in str((await said()).body)


# Tokens of the channel


async def test_a_channel_token_is_renewed_while_something_is_sent(desk: Desk) -> None:
    """LINE takes the settings' long-lived token no more: with id and secret another is issued."""
    await desk.say("前")
    del desk.line.home.tokens[desk.line.home.token]
    call = uuid4()

    await desk.say("後", call=call)

    assert desk.said() == [("push", "前"), ("push", "後")]
    tried = desk.line.calls_to("pushMessage")[1:]
    assert [each.status for each in tried] == [401, 200]
    assert {each.retry_key for each in tried} == {str(call)}

    # A stateless one ends after 15 minutes.
    desk.line.pass_time(1_000)
    await desk.say("さらに後")
    assert [words for _, words in desk.said()] == ["前", "後", "さらに後"]


async def test_a_channel_that_is_not_connected_is_said_to_be_none(desk: Desk) -> None:
    place = Place(desk.organisation.id, "U" + "0" * 32, HANA, HANA, HANA, True)
    said = [Utterance(str(uuid4()), Message("お知らせ"))]
    with pytest.raises(Permanent, match="miyabi line add"):
        await desk.outbound.say(place, uuid4(), said, again=False)


# Beside messages


async def test_what_somebody_sent_is_fetched_as_long_as_line_has_it(desk: Desk) -> None:
    home = desk.line.home
    event = desk.line.driver("http://nowhere.example").make.image(b"png" * 100, "花子")
    reference, given = event["message"]["id"], (desk.organisation.id, home.destination)

    assert await desk.outbound.fetch(*given, reference, 300) == b"png" * 100
    with pytest.raises(TooLarge):
        await desk.outbound.fetch(*given, reference, 299)
    with pytest.raises(LookupError):
        await desk.outbound.fetch(*given, "404", 300)
    desk.line.fail_next("getMessageContent", status=202)
    with pytest.raises(TryLater):
        await desk.outbound.fetch(*given, reference, 300)
    del home.tokens[home.token]
    assert len(await desk.outbound.fetch(*given, reference, 300)) == 300, "the token was renewed"


async def test_the_loading_animation_lasts_as_long_as_line_takes(desk: Desk) -> None:
    for seconds in (0, 20, 21, 300):
        await desk.outbound.loading(desk.line.home.destination, HANA, timedelta(seconds=seconds))
    shown = [call.body["loadingSeconds"] for call in desk.line.calls_to("showLoadingAnimation")]
    assert shown == [5, 20, 25, 60]
