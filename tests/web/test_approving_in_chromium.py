"""The page in a real browser, as wide as a small phone: light and dark, without any script."""

import re

from playwright.async_api import Page

from core.approvals.by_link import PATH
from tests.browsers import needs_chromium, phone
from tests.web.test_approving import Desk, desk

__all__ = ["desk"]

pytestmark = needs_chromium

# What a reader of the screen needs, and the contrast of WCAG 2.1, 1.4.3: 4.5 for text.
_LOOK = """() => {
  const luminance = (colour) => {
    const [r, g, b] = colour.match(/[\\d.]+/g).slice(0, 3).map(Number).map((c) => {
      c /= 255; return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4 });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b };
  const behind = (e) => { for (; e; e = e.parentElement) {
    const colour = getComputedStyle(e).backgroundColor;
    if (!/, 0\\)$|transparent/.test(colour)) return colour } return 'rgb(255, 255, 255)' };
  const faint = [...document.querySelectorAll('body *')].filter((e) =>
    [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim())).filter((e) => {
      const [a, b] = [getComputedStyle(e).color, behind(e)].map(luminance).sort((x, y) => y - x);
      return (a + 0.05) / (b + 0.05) < 4.5 }).map((e) => e.outerHTML.slice(0, 80));
  const nameless = [...document.querySelectorAll('input:not([type=hidden]), textarea, select')]
    .filter((e) => !e.labels.length).map((e) => e.outerHTML.slice(0, 80));
  const small = [...document.querySelectorAll('button')]
    .filter((e) => e.getBoundingClientRect().height < 44).map((e) => e.outerHTML);
  return { faint, nameless, small, wide: document.documentElement.scrollWidth,
    pictures: [...document.images].filter((e) => !e.alt).length,
    headings: document.querySelectorAll('h1').length, lang: document.documentElement.lang } }"""


async def _check(page: Page, language: str) -> None:
    found = await page.evaluate(_LOOK)
    wide = found.pop("wide")
    assert wide <= 320
    assert found == {
        "faint": [], "nameless": [], "small": [], "pictures": 0, "headings": 1, "lang": language,
    }  # fmt: skip
    assert await page.locator("script").count() == 0


async def test_somebody_decides_on_the_train(desk: Desk) -> None:
    desk.amount = 500_000
    office = desk.office
    task_id = await desk.ask("letter " + "長い件名" * 20 + " verylongword" * 3 + "x" * 80)
    path = await desk.link(task_id, office.boss)
    theirs = await desk.link(task_id, office.other_boss)
    async with phone() as page:
        await page.goto(f"{desk.url}{path}?l=ja")
        await _check(page, "ja")
        await page.emulate_media(color_scheme="dark")
        await _check(page, "ja")
        await page.get_by_role("button", name="コードを送る").click()
        await office.work()
        [told] = [each for each in office.wall.texts("boss") if "The code for the page" in each]
        code = re.search(r"\b\d{6}\b", told)
        assert code
        await page.get_by_label("確認コード").fill(code[0])
        await _check(page, "ja")
        await page.get_by_role("button", name="続ける").click()
        await _check(page, "ja")
        cookies = {each["name"]: each for each in await page.context.cookies()}
        assert {each["path"] for each in cookies.values()} == {PATH}
        assert all(each["httpOnly"] for each in cookies.values())
        await _try_from_elsewhere(page, desk.url + path)
        assert await office.state(task_id) == "waiting:approval"
        await page.goto(f"{desk.url}{path}?l=ja")
        await page.get_by_role("button", name="却下する").click()
        assert "理由" in await page.get_by_role("alert").inner_text()
        assert await office.state(task_id) == "waiting:approval"
        await page.goto(f"{desk.url}{theirs}")
        assert "sent to somebody else" in await page.get_by_role("status").inner_text()
        await page.goto(f"{desk.url}{path}?l=zh")
        await page.get_by_label("理由").fill("没问题")
        await page.get_by_role("button", name="批准").click()
        assert "Boss" in await page.get_by_role("status").inner_text()
        await _check(page, "zh")
        assert await page.get_by_role("button").count() == 0
    await office.work()
    assert await office.state(task_id) == "done"


async def _try_from_elsewhere(page: Page, url: str) -> None:
    """The same form, from another site in the same browser."""
    nonce = await page.locator("input[name=nonce]").get_attribute("value")
    await page.goto("data:text/html,<h1>elsewhere</h1>")
    await page.set_content(
        f'<form method="post" action="{url}"><input name="nonce" value="{nonce}">'
        '<button name="action" value="approve">win a prize</button>'
    )
    await page.get_by_role("button", name="win").click()
    await page.get_by_role("alert").wait_for()
