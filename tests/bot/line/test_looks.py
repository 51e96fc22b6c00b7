"""What a whole quotation looks like in LINE: every message can be read, on a small phone and dark.

With DRAW_INTO=FOLDER the chats are drawn into that folder, to be looked at.
"""

import os
from pathlib import Path

from miyabi.browser import screenshot
from tests.bot.line.conftest import REQUEST, TOTAL, Office
from tests.fakes.line.messages_check import check_message
from tests.fakes.line.picture import page
from tests.fakes.line.readable import check_readable
from tests.fakes.line.reading import words

_A_PAGE = 5  # messages in a picture


async def test_every_message_of_a_quotation_can_be_read(office: Office) -> None:
    people = office.people
    await people.say("ヘルプ", "花子")
    await office.said("花子")
    await people.say("見積 株式会社ABC商事", "花子")
    await office.line.wait_for(lambda: len(office.line.said("花子")) > 1, 15.0)
    await people.say(REQUEST, "花子")
    card = await office.card("三郎")
    assert TOTAL in words(card)
    assert TOTAL in card.text, "a notification and a PC show the alternative text alone"
    await people.press(card, "承認")
    await office.said("花子", "発行")
    await people.say("状況", "花子")
    await people.say("承認待ち", "三郎")
    await office.line.wait_for(lambda: len(office.line.said("三郎")) > 2, 15.0)

    for chat in office.line.home.chats.values():
        for said in chat.bots:
            assert check_message(said.body) == []
            if said.kind == "flex":
                assert check_readable(said.body["contents"]) == []
    if folder := os.environ.get("DRAW_INTO"):
        _draw(office, Path(folder))


def _draw(office: Office, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for chat in office.line.home.chats.values():
        name = office.line.home.users[chat.id].name
        for mode in ("light", "dark"):
            for at in range(0, len(chat.messages), _A_PAGE):
                part = page(chat.messages[at : at + _A_PAGE], 320, dark=mode == "dark")
                screenshot(part, folder / f"{name}-{at:02}-{mode}.png", 320)
