"""The example platform of docs/adding-a-platform.md, built from the page, passes the suite."""

import importlib
import re
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import bot
from miyabi.embedded import Services
from miyabi.plugins import all_platforms
from tests.contracts import surfaces, test_surfaces
from tests.contracts.surfaces.surface import Ground

PAGE = Path(__file__).resolve().parents[2] / "docs" / "adding-a-platform.md"
_BLOCK = re.compile(r"^```python\n# (\S+\.py)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

pytestmark = pytest.mark.timeout(120)

WALKS = [
    test_surfaces.test_a_quote_from_the_first_word_to_the_document,
    test_surfaces.test_a_question_through_a_restart_and_a_refusal_and_a_decision_elsewhere,
]


@pytest.fixture
def example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The files of the page in a folder of their own, found by the walk that finds all others."""
    files = dict(_BLOCK.findall(PAGE.read_text("utf-8")))
    for path, content in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(content, "utf-8")
    monkeypatch.setattr(bot, "__path__", [*bot.__path__, str(tmp_path / "bot")])
    found = str(tmp_path / "tests" / "contracts" / "surfaces")
    monkeypatch.setattr(surfaces, "__path__", [*surfaces.__path__, found])
    importlib.invalidate_caches()
    yield importlib.import_module(f"{surfaces.__name__}.folder")
    for name in [name for name in sys.modules if name.endswith(".folder") or ".folder." in name]:
        del sys.modules[name]


@pytest.mark.parametrize("walk", WALKS)
async def test_the_example_of_the_page_passes_the_suite_of_all_platforms(
    walk: Callable[[Any, Any], Awaitable[None]],
    example: ModuleType,
    database_url: str,
    redis_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    services = Services(database_url, database_url, redis_url)
    limits = all_platforms()["folder"].limits
    async with example.surface(Ground(services, tmp_path, monkeypatch)) as opened:
        await walk(opened, limits)


async def test_its_files_are_taken(
    example: ModuleType,
    database_url: str,
    redis_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    services = Services(database_url, database_url, redis_url)
    walk = test_surfaces.test_what_is_long_is_whole_where_it_counts_and_a_file_is_taken
    async with example.surface(Ground(services, tmp_path, monkeypatch)) as opened:
        await walk(opened)


def test_the_example_touches_nothing_but_its_own_folder_and_its_driver() -> None:
    files = dict(_BLOCK.findall(PAGE.read_text("utf-8")))
    own = {path for path in files if path.startswith("bot/folder/")}

    assert set(files) - own == {"tests/contracts/surfaces/folder.py"}
    for path in own:
        imported = re.findall(r"^\s*from (\w+)\.", files[path], re.MULTILINE)
        assert set(imported) & {"agents", "notifier", "web", "miyabi"} == set(), path
