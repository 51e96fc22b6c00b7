"""What the fake LINE finds wrong with messages, and what can't be read of a card."""

from typing import Any

import pytest

from tests.fakes.line.description import description
from tests.fakes.line.picture import page
from tests.fakes.line.readable import check_readable, contrast
from tests.fakes.line.sample import HELLO, card, postback
from tests.fakes.line.server import FakeLine
from tests.fakes.line.state import Said

described = pytest.mark.skipif(
    description("messaging-api") is None, reason="LINE's description is not here"
)


async def refused(line: FakeLine, *messages: dict[str, Any]) -> str:
    """Push something that LINE refuses, past the client's own checks; gives what was wrong."""
    before = len(line.violations)
    assert line.session is not None
    body = {"to": line.home.place("花子"), "messages": list(messages)}
    headers = {"Authorization": f"Bearer {line.home.token}"}
    url = f"{line.api_url}/v2/bot/message/push"
    async with line.session.post(url, json=body, headers=headers) as answer:
        assert answer.status == 400
        assert "error(s)" in (await answer.json())["message"]
    return " / ".join(found.problem for found in line.violations[before:])


@described
async def test_what_line_refuses_is_refused() -> None:
    async with FakeLine() as line:
        await _refusals(line)


async def _refusals(line: FakeLine) -> None:
    assert "text is missing" in await refused(line, {"type": "text"})
    assert "no Message of type 'txt'" in await refused(line, {"type": "txt", "text": "x"})
    assert "txet: unknown" in await refused(line, HELLO | {"txet": "x"})
    assert "over 5000" in await refused(line, {"type": "text", "text": "🍣" * 2501})
    assert "over 1500" in await refused(line, card() | {"altText": "x" * 1501})
    assert "6 items, not 1..5" in await refused(line, *[HELLO] * 6)
    assert "300" in await refused(line, card(postback("承認", "x" * 301)))
    assert "more than 40" in await refused(line, card(postback("x" * 41)))
    assert "no color" in await refused(line, card(color="red"))
    assert "non-empty" in await refused(line, card(text=""))
    assert "over 30000" in await refused(line, card(text="見" * 10_001))
    bubble = card()["contents"]
    many = card() | {"contents": {"type": "carousel", "contents": [bubble] * 13}}
    assert "13 bubbles" in await refused(line, many)
    quick = [{"type": "action", "action": postback(f"選択 {n}")} for n in range(14)]
    assert "14" in await refused(line, HELLO | {"quickReply": {"items": quick}})
    long = [{"type": "action", "action": postback("x" * 21)}]
    assert "more than 20" in await refused(line, HELLO | {"quickReply": {"items": long}})
    http = {"type": "image", "originalContentUrl": "http://x.example/a.png"}
    assert "https" in await refused(line, http | {"previewImageUrl": "https://x.example/a"})
    later = {"type": "datetimepicker", "label": "納期", "data": "d", "mode": "date"}
    assert "is no date" in await refused(line, card(later | {"initial": "12/25"}))


def test_what_cannot_be_read_everywhere_is_found() -> None:
    assert 20 < contrast("#000000", "#FFFFFF") <= 21
    plain = check_readable(card(postback("承認する")).pop("contents"))
    assert len(plain) == 2, "colours by default"
    grey = card(color="#BBBBBB", wrap=True)["contents"]
    white = grey | {"styles": {"body": {"backgroundColor": "#FFFFFF"}}}
    assert check_readable(white) == ["body[0]: '合計 244,200円' in #BBBBBB on #FFFFFF"]
    long = card(color="#111111", text="とても長いお取引先のお名前です", size="sm")["contents"]
    assert "is cut" in check_readable(white | {"body": long["body"]})[0]


def test_a_chat_is_drawn_as_a_page() -> None:
    bodies = [card(postback("承認<b>")), HELLO]
    said = [Said(str(n), "U1", "bot", "push", body, 0.0) for n, body in enumerate(bodies)]
    drawn = page(said, 320, dark=True)
    assert "承認&lt;b&gt;" in drawn
    assert "こんにちは 🍣" in drawn
    assert "width:320px" in drawn
