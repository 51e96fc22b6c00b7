"""A letter is readable on a small phone, by day and by night, and fetches nothing."""

import re

from bot.email.render import Look, show
from core.messages import Button, Field, Line, Message
from tests.browsers import needs_chromium, phone

_LONG = "x" * 120 + "長い品名" * 30  # a word that nothing breaks
_CONTRAST = """
() => [...document.querySelectorAll('h1, h2, p, td, th, li, .button')].map(each => {
    let behind = each;
    const paint = () => getComputedStyle(behind).backgroundColor;
    while (behind.parentElement && paint() === 'rgba(0, 0, 0, 0)') behind = behind.parentElement;
    return [each.tagName, getComputedStyle(each).color, paint()];
})
"""


def _letter() -> str:
    message = Message(
        text="Approval wanted",
        title=f"Approval wanted: {_LONG}",
        body=_LONG,
        fields=(Field("Requested by", _LONG),),
        lines=(Line(_LONG, "5 x 24,800", "124,000円"),),
        totals=(Field("Total", "1,345,300円"),),
        sections=(Field("Steps", _LONG),),
        buttons=(Button("approve", "Approve", "step"),),
        note=_LONG,
        language="en",
    )
    _, html = show([(message, True)], Look({"step": "https://miyabi.example/a/token"}))
    return html


@needs_chromium
async def test_it_fits_a_small_phone_and_is_readable_by_day_and_by_night() -> None:
    async with phone(320) as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        for scheme, behind in (("light", "rgb(255, 255, 255)"), ("dark", "rgb(31, 37, 44)")):
            await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            await page.set_content(_letter())
            assert await page.evaluate("document.documentElement.scrollWidth") <= 320
            seen = await page.evaluate(_CONTRAST)
            assert behind in {background for _, _, background in seen}
            for tag, text, background in seen:
                assert _contrast(text, background) >= 4.5, (scheme, tag, text, background)
        assert [url for url in asked if url.startswith("http")] == []


def _contrast(one: str, other: str) -> float:
    """Of two colours (WCAG 2.2, 1.4.3: 4.5 for text)."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(each) / 255 for each in re.findall(r"\d+", colour)[:3]]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_a_reply_is_offered_as_a_decision_only_where_it_carries_our_token() -> None:
    message = Message(
        "Approval wanted", buttons=(Button("approve", "Approve", "step"),), language="en"
    )
    pages = {"step": "https://miyabi.example/a/token"}

    with_token, _ = show([(message, False)], Look(pages))
    by_page, _ = show([(message, False)], Look(pages, decides=False))
    elsewhere, _ = show([(message, False)], Look(decides=False))

    assert "reply to this mail" in with_token
    assert "https://miyabi.example/a/token" in by_page
    assert not any("eply to this mail with" in text for text in (by_page, elsewhere))
    assert "another app" in elsewhere
