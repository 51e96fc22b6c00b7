"""What is picked rather than typed: a day from the calendar, somebody from several pages."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from core import people
from core.unit import unit
from tests.bot.line.conftest import REQUEST, Office
from tests.bot.line.test_presses import heard
from tests.fakes.line.reading import quick_replies, words

TAXI = "経費 タクシー 2,340円 品川→新宿 ABC商事訪問"


async def test_a_day_is_picked_from_the_calendar(office: Office) -> None:
    await office.people.say(TAXI, "花子")
    asked = await office.said("花子", "いつの支払いですか")
    assert [each.label for each in quick_replies(asked)] == ["日付を選ぶ", "この件を除く"]

    day = (datetime.now(ZoneInfo("Asia/Tokyo")) - timedelta(days=3)).date()
    await heard(office, "花子", office.people.quick("日付を選ぶ", "花子", date=day.isoformat()))

    [revision] = await office.rows("select ask from revisions")
    assert revision.ask["answers"] == {"day:1": day.isoformat()}


async def test_somebody_of_many_is_found_on_the_next_page(office: Office) -> None:
    async with unit(office.house) as work:
        for number in range(20):
            name, roles = f"同僚{number:02}", frozenset({"approver"})
            await people.add(work, office.organisation.id, f"q{number}", name, roles)
    await office.people.say(REQUEST, "花子")
    card = await office.card("三郎")

    first = await heard(office, "三郎", office.people.press(card, "承認者を追加"))
    assert len(quick_replies(first)) <= 13
    second = await heard(office, "三郎", office.people.quick("次へ", "三郎"))
    assert words(second) == words(first)
    chosen = quick_replies(second)[1].label
    added = await heard(office, "三郎", office.people.quick(chosen, "三郎"))
    assert chosen in words(added)
