"""The walk over the plug-ins: a missing or doubled name fails at the start, with its reason."""

import sys
import types
from pathlib import Path

import pytest

from core.agent import Agent, Approval, Deliver, Document, Number, Summary, WiringError
from core.connector import Connector
from core.wiring import check
from core.words import same
from miyabi.plugins import all_agents, all_connectors, find


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    package = tmp_path / "plugged"
    package.mkdir()
    (package / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in list(sys.modules):
        if name == "plugged" or name.startswith("plugged."):
            del sys.modules[name]
    import plugged  # type: ignore[import-not-found]

    return plugged  # type: ignore[no-any-return]


ONE = "from core.connector import Connector\nconnector = Connector('{name}', lambda s: None)\n"


def test_the_house_finds_its_own_parts() -> None:
    assert "quote" in all_agents()
    assert {"csv", "google_sheets"} <= set(all_connectors())


def test_a_module_without_its_constant_stops_the_start(folder: types.ModuleType) -> None:
    (Path(folder.__path__[0]) / "empty.py").write_text("")
    with pytest.raises(WiringError, match=r"plugged\.empty: has no connector"):
        find(folder, "connector", Connector)


def test_two_of_one_name_stop_the_start(folder: types.ModuleType) -> None:
    for name in ("one", "two"):
        (Path(folder.__path__[0]) / f"{name}.py").write_text(ONE.format(name="same"))
    with pytest.raises(WiringError, match="already a connector called same"):
        find(folder, "connector", Connector)


class Wanted:
    """Nothing gives this."""


async def needy(wanted: Wanted) -> Document:
    raise NotImplementedError


def _agent(*steps: object, **more: object) -> Agent:
    given: dict[str, object] = {
        "name": "needy",
        "asks": str,
        "steps": steps,
        "title": same("t"),
        "example": same("e"),
        "words": ("needy",),
        "labels": {"needy": same("n"), "approve": same("a"), "number": same("u")},
        "begin": lambda text, form, today: text,
        "answer": lambda ask, key, value: ask,
        "summarise": lambda results, language: Summary(),
    }
    return Agent(**{**given, **more})  # type: ignore[arg-type]


def test_a_step_that_needs_what_nothing_gives_is_named() -> None:
    with pytest.raises(WiringError, match=r"needy\.needy: nothing earlier gives wanted: Wanted"):
        check(_agent(needy), set())


def test_two_steps_of_one_name_are_refused() -> None:
    with pytest.raises(WiringError, match="two steps are called number"):
        _agent(Number(), Number())


def test_a_step_without_a_label_is_refused() -> None:
    with pytest.raises(WiringError, match="no label for deliver"):
        _agent(needy, Approval("r", Document), Deliver(Document))
