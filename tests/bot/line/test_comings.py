"""People who come and go, and what is neither a word nor a file."""

from tests.bot.line.conftest import REQUEST, Office
from tests.fakes.line.reading import quick_replies


async def _small_talk(office: Office) -> None:
    """What nothing can be made of is answered shortly, and by no push."""
    people = office.people
    for act, words in (
        (people.sticker, "スタンプ"),
        (people.audio, "音声"),
        (people.video, "動画"),
        (people.location, "位置情報"),
    ):
        await act("花子")
        said = await office.said("花子", words)
        assert said.how == "reply"
    assert not office.line.calls_to("pushMessage")


async def test_a_new_friend_is_greeted_and_a_stranger_told_how_to_link(office: Office) -> None:
    await office.people.follow("花子")
    hello = await office.said("花子", "花子さん")
    assert hello.how == "reply"
    assert "使い方" in [each.label for each in quick_replies(hello)]
    await office.people.quick("使い方", "花子")
    await office.said("花子", "見積")
    await _small_talk(office)
    await office.people.follow("知らない人")
    await office.said("知らない人", "連携")
    await office.people.sticker("知らない人")
    await office.line.wait_for(lambda: len(office.line.said("知らない人")) == 2)


async def test_whoever_blocks_it_is_asked_no_more_until_they_are_back(office: Office) -> None:
    await office.people.unfollow("三郎")
    await office.until("select 1 from accounts where unreachable_since is not null")
    await office.people.say(REQUEST, "花子")
    await office.card("一郎")
    assert not office.line.said("三郎")
    assert not office.line.home.lost
    await office.people.follow("三郎")
    await office.said("三郎", "三郎さん")
    assert not await office.rows("select 1 from accounts where unreachable_since is not null")

    # That they are back may be told while nobody listens; what they say then tells it.
    await office.people.unfollow("三郎")
    await office.until("select 1 from accounts where unreachable_since is not null")
    office.line.home.user("三郎").blocked = False
    await office.people.say("ヘルプ", "三郎")
    await office.until(
        "select 1 where not exists (select from accounts where unreachable_since is not null)"
    )


async def test_what_is_taken_back_is_recorded_and_undoes_nothing_that_was_done(
    office: Office,
) -> None:
    await office.people.say(REQUEST, "花子")
    await office.card("三郎")
    said = next(each for each in office.line.home.chat("花子").messages if each.by != "bot")
    before = len(office.line.said("花子"))
    await office.people.unsend(said)
    await office.until("select 1 from audit_events where tag = 'intake:message:unsent'")
    assert len(office.line.said("花子")) == before
    assert (await office.rows("select state from tasks"))[0].state == "waiting"

    # Before anything came of it, nothing does.
    people = office.people
    taken_back = people.make.text(REQUEST, "花子")
    told = {"messageId": taken_back["message"]["id"]}
    unsend = people.make.event("unsend", "花子", token=False, unsend=told)
    await people.deliver(taken_back, unsend)
    await office.until("select 1 from arrivals where kind = 'unsend' and state = 'done' offset 1")
    assert await office.count("tasks") == 1
