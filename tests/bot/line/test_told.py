"""What people are told in LINE where something goes wrong: once, or elsewhere."""

from core import people
from core.inbound import Click, Inbound, Sender, Spot
from core.intake import accept
from core.people import who
from core.unit import unit
from tests.bot.line.conftest import REQUEST, Office
from tests.fakes.line.state import id_of

TERMINAL = Sender("console", "local", "p3")


async def test_who_blocks_the_bot_while_they_approve_gets_the_card_elsewhere(
    office: Office,
) -> None:
    """They were asked why they reject it, and blocked the bot instead of saying so."""
    async with unit(office.house) as work:
        line = Sender("line", office.line.home.destination, id_of("三郎"))
        saburo = await who(work.connection, line)
        assert saburo is not None
        await people.link(work, saburo, TERMINAL)
    await office.people.say(REQUEST, "花子")
    await office.people.press(await office.card("三郎"), "却下")
    await office.said("三郎", "理由")
    pushes = _pushes(office, "三郎")
    await office.people.unfollow("三郎")

    shown = await office.line.wait_until(lambda: _shown(office), bool, 20)
    assert "届かなくなった" in shown[0]["note"]
    assert await office.rows("select 1 from approvals where state = 'pending'")
    approve = next(button for button in shown[0]["buttons"] if button["action"] == "approve")
    click = Click("approve", approve["value"])
    inbound = Inbound(TERMINAL, Spot("p3"), "from the terminal", click=click)
    assert (await accept(office.house, inbound, click_patience=30)).outcome == "done"
    await office.said("花子", "発行しました", timeout=20)
    assert _pushes(office, "三郎") == pushes


async def test_a_push_whose_answer_is_lost_after_line_took_it_is_one_message(
    office: Office,
) -> None:
    office.line.fail_next("pushMessage", reset=True, after=True, chat="三郎")
    await office.people.say(REQUEST, "花子")
    card = await office.card("三郎")
    await office.line.wait_until(lambda: _outcomes(office), lambda found: found == ["found"], 20)

    calls = office.line.calls_to("pushMessage")
    again = [call.retry_key for call in calls if call.body["to"] == id_of("三郎")]
    assert len(again) == 2
    assert len(set(again)) == 1
    assert office.line.said("三郎") == [card]


async def _outcomes(office: Office) -> list[str]:
    rows = await office.rows(
        "select body #>> '{data,how}' as how from audit_events e join threads h"
        " on body #>> '{data,place}' = 'line:' || h.id where tag = 'notifier:message:sent'"
        f" and h.channel = '{id_of('三郎')}'"
    )
    return [row.how for row in rows]


async def _shown(office: Office) -> list[dict[str, object]]:
    rows = await office.rows(
        "select m.body from messages m join threads h on h.id = m.thread_id"
        " where h.platform = 'console' and m.slot like 'card:%'"
    )
    return [row.body for row in rows]


def _pushes(office: Office, name: str) -> int:
    calls = office.line.calls_to("pushMessage")
    return len([call for call in calls if call.body["to"] == id_of(name)])
