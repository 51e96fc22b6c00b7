"""The commands about notifications, said in a chat: what is kept, what is answered."""

from core.inbound import Answer, Click, Inbound, Spot
from core.intake import accept
from core.notify_shown import SET
from core.people import by_id
from core.preferences import read
from core.tags import Tag
from tests.core.house import Office


def said(answer: Answer) -> str:
    assert answer.message is not None
    return answer.message.text


async def says(office: Office, words: str) -> str:
    return said(await office.say(words, office.asker))


async def test_what_is_said_is_kept_shown_and_recorded(office: Office) -> None:
    person = office.asker
    shown = await says(office, "/miyabi notify")
    assert "Asia/Tokyo, the company's zone" in shown
    assert "as the company's rules say" in shown
    assert "22:00 to 08:00 (Asia/Tokyo, the company's zone)" in await says(
        office, "notify quiet 22:00-8:00"
    )
    assert "daily at 09:00 (Asia/Tokyo" in await says(office, "通知設定 まとめ 毎日9時")
    task = await office.say("letter Dear all", person)
    assert task.reference is not None
    muted = await says(office, f"notify mute #{task.reference} until tomorrow")
    assert f"Muted: #{task.reference} until 20" in muted
    assert "wall" in await says(office, "notify channels high wall")
    assert "Asia/Taipei" in await says(office, "通知设置 时区 taipei")
    shown = await says(office, "notify")
    for part in (
        "22:00 to 08:00 (Asia/Taipei)", "daily at 09:00 (Asia/Taipei)", f"#{task.reference}",
        "high: wall", "Time zone: Asia/Taipei",
    ):  # fmt: skip
        assert part in shown
    async with office.house.engine.connect() as connection:
        chosen = await read(connection, person.organisation_id, person.id)
        known = await by_id(connection, person.organisation_id, person.id)
    assert known is not None
    assert known.time_zone == "Asia/Taipei"
    assert [each.task_id for each in chosen.mutes] == [task.task_id]
    events = [each for each in office.bell.events if each.tag == Tag.PREFERENCES_CHANGED]
    assert [each.data["changed"] for each in events] == [
        ["quiet"], ["digests"], ["mutes"], ["channels"], ["zone"],
    ]  # fmt: skip

    assert "No longer muted" in await says(office, f"notify unmute #{task.reference}")
    assert "was not muted" in await says(office, f"notify unmute #{task.reference}")
    assert "言語を 日本語" in await says(office, "notify language ja")
    assert "通知の設定" in await says(office, "notify")


async def test_what_is_wrong_is_said_and_nothing_is_kept(office: Office) -> None:
    for words, names in (
        ("notify quiet 25:00-8:00", "25:00"),
        ("notify channels fax", "wall"),
        ("notify mute #99999", "99999"),
        ("notify whatever", "whatever"),
    ):
        assert names in await says(office, words)
    async with office.house.engine.connect() as connection:
        chosen = await read(connection, office.asker.organisation_id, office.asker.id)
    assert chosen.quiet is None
    assert not [each for each in office.bell.events if each.tag == Tag.PREFERENCES_CHANGED]


async def test_a_button_sets_what_it_says(office: Office) -> None:
    answer = await office.say("notify", office.asker)
    assert answer.message is not None
    night = answer.message.buttons[0]
    assert night.action == SET
    inbound = Inbound(
        office.sender(office.asker), Spot("room"), "press", click=Click(SET, night.value)
    )
    assert "22:00 to 08:00" in said(await accept(office.house, inbound))
    again = await office.say("notify", office.asker)
    assert again.message is not None
    assert again.message.buttons[0].value == "quiet off"
    assert "digest" in await says(office, "notify list")
