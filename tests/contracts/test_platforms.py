"""What every chat platform keeps: its folder has the same few files and one constant."""

from pathlib import Path

import pytest

from core.platform import Platform
from miyabi.channels_page import PAGE, page
from miyabi.plugins import all_platforms

PLATFORMS = list(all_platforms().values())
every_platform = pytest.mark.parametrize("platform", PLATFORMS, ids=lambda platform: platform.name)
BOT = Path(__file__).resolve().parents[2] / "bot"


@every_platform
def test_its_folder_bears_its_name_and_has_the_usual_files(platform: Platform) -> None:
    folder = BOT / platform.name
    for name in ("__init__.py", "outbound.py", "render.py", "README.md"):
        assert (folder / name).is_file(), f"{folder.name} has no {name}"


def test_the_terminal_and_slack_are_there() -> None:
    assert {"console", "slack"} <= {platform.name for platform in PLATFORMS}


@every_platform
def test_it_says_what_it_can_and_where_that_is_said(platform: Platform) -> None:
    """`api` is for programs: nobody chats there."""
    if platform.limits is None:
        assert platform.name == "api"
        return
    assert (BOT.parent / platform.limits.source).is_file()
    assert platform.limits.longer == "whole" or platform.limits.text is not None


def test_the_page_of_channels_is_of_what_they_declare() -> None:
    assert PAGE.read_text("utf-8") == page(), "run: python -m miyabi.channels_page"
