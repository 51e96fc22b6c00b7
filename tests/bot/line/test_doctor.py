"""`miyabi doctor` and `miyabi line setup` on a company's channel."""

import struct
import zlib
from collections.abc import Sequence

from bot.line import platform
from bot.line.endpoint import address_of, set_endpoint
from bot.line.rich_menu import Menu
from core.platform import Finding
from core.words import Language
from tests.bot.line.conftest import PUBLIC
from tests.bot.line.desk import Desk
from tests.fakes.line.state import id_of

WIDTH, HEIGHT = 800, 270


def _picture() -> bytes:
    """A white PNG."""

    def chunk(name: bytes, data: bytes) -> bytes:
        end = struct.pack(">I", zlib.crc32(name + data))
        return struct.pack(">I", len(data)) + name + data + end

    head = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 0, 0, 0, 0)
    rows = zlib.compress((b"\0" + b"\xff" * WIDTH) * HEIGHT)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        chunk(*each) for each in ((b"IHDR", head), (b"IDAT", rows), (b"IEND", b""))
    )


def _menu(label: str) -> Menu:
    bounds = {"x": 0, "y": 0, "width": WIDTH, "height": HEIGHT}
    action = {"type": "message", "label": label, "text": label}
    return Menu(
        {
            "size": {"width": WIDTH, "height": HEIGHT},
            "selected": True,
            "name": "-",
            "chatBarText": label,
            "areas": [{"bounds": bounds, "action": action}],
        },
        _picture(),
    )


MENUS: dict[Language, Menu] = {"ja": _menu("ヘルプ"), "en": _menu("Help"), "zh": _menu("帮助")}


async def _found(desk: Desk) -> Sequence[Finding]:
    return await platform.check(desk.built.opening)


def _bad(found: Sequence[Finding]) -> list[str]:
    return [finding.what.en.removeprefix("LINE: ") for finding in found if not finding.well]


async def test_a_new_channel_lacks_its_webhook_and_menu_and_setup_brings_them(desk: Desk) -> None:
    home, outbound = desk.line.home, desk.outbound
    home.quota, home.used = 200, 12
    assert _bad(await _found(desk)) == [
        "the webhook address of みやび商会",
        "the rich menu of みやび商会",
    ]

    people: dict[Language, list[str]] = {"ja": [id_of("花子")], "en": [id_of("一郎")]}
    assert await outbound.menus.set_up(home.destination, MENUS, "ja", people) == 3
    address = address_of(PUBLIC)
    assert address is not None
    await set_endpoint(outbound.channels, home.destination, address)
    home.endpoint_active = False
    assert _bad(await _found(desk)) == [
        "“Use webhook” of みやび商会",
        "the webhook of みやび商会, tried out by LINE",  # nothing is served here
    ]
    assert "messages of みやび商会 this month: 12 of 200" in [
        finding.what.en.removeprefix("LINE: ") for finding in await _found(desk)
    ]

    # Once more: nothing is made, and what is not ours stays.
    before = dict(home.menus)
    assert await outbound.menus.set_up(home.destination, MENUS, "ja", people) == 0
    assert home.menus == before
    assert len({*home.user_menus.values()}) == 2

    # With another content it is another menu, and the old one goes.
    changed = {**MENUS, "en": _menu("Help!")}
    assert await outbound.menus.set_up(home.destination, changed, "ja", people) == 1
    assert len(home.menus) == 3


async def test_a_token_that_does_not_work_and_a_month_that_ends_are_told(desk: Desk) -> None:
    home = desk.line.home
    home.quota, home.used = 200, 180
    assert "messages of みやび商会 this month: 180 of 200" in _bad(await _found(desk))

    home.tokens.clear()
    home.secret = "another"  # so that none can be issued either
    found = await _found(desk)
    assert _bad(found) == ["the token of みやび商会"]
    assert "miyabi line token" in (found[-1].fix.en if found[-1].fix else "")


async def test_somebody_is_shown_the_menu_of_their_language(desk: Desk) -> None:
    home, outbound = desk.line.home, desk.outbound
    await outbound.menus.set_up(home.destination, MENUS, "ja", {})

    await outbound.menu_for(home.destination, id_of("花子"), "zh")

    menu_id = await desk.line.wait_for(lambda: home.user_menus.get(id_of("花子")))
    assert " zh " in home.menus[menu_id].body["name"]
