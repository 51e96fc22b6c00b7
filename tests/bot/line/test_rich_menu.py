"""The rich menu in each language: LINE takes it, its picture fits, and every part is understood."""

import struct

import pytest

from bot.line.rich_menu import HEIGHT, WIDTH, menu
from core.commands import read_command
from core.words import LANGUAGES, Language
from miyabi.plugins import all_agents
from tests.fakes.line.description import description
from tests.fakes.line.menus import check_menu

WANTED = ["quote", "expense", "approvals", "mine", "notify", "help"]


@pytest.mark.parametrize("language", LANGUAGES)
async def test_each_part_says_what_everybody_can_type(language: Language) -> None:
    made = await menu(language)
    described = description("messaging-api")

    assert check_menu(made.body) == []
    assert described is None or described.request("createRichMenu", made.body) == []
    assert len(made.body["chatBarText"]) <= 14
    assert made.image.startswith(b"\x89PNG")
    assert struct.unpack(">II", made.image[16:24]) == (WIDTH, HEIGHT)
    assert len(made.image) < 1_000_000
    said = [area["action"]["text"] for area in made.body["areas"]]
    assert [read_command(text, all_agents().values()).name for text in said] == WANTED


async def test_its_parts_cover_all_of_it_and_nothing_twice() -> None:
    areas = [area["bounds"] for area in (await menu("ja")).body["areas"]]

    assert sum(area["width"] * area["height"] for area in areas) == WIDTH * HEIGHT
    for area in areas:
        assert area["x"] + area["width"] <= WIDTH
        assert area["y"] + area["height"] <= HEIGHT
