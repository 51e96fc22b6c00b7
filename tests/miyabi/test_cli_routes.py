"""Routes on the command line: an error by its line, then set, shown and tried on a request."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.miyabi.terminal import Terminal, open_terminal


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    """A terminal whose servers stay up; the first command makes the sample company."""
    with open_terminal(running=True) as terminal:
        yield terminal


def test_a_route_is_refused_by_its_line_set_shown_and_tried(
    terminal: Terminal, tmp_path: Path
) -> None:
    file = tmp_path / "routes.toml"
    good = (
        '[routes.memo]\nsteps = [\n  { name = "上長", who = [{ superior = 1 }] },\n'
        '  { name = "経理", who = [{ role = "accountant" }], when = "amount >= 100000" },\n]\n'
    )
    file.write_text(good.replace("amount", "amout"), "utf-8")
    misspelt = terminal.run("routes", "set", str(file))
    file.write_text(good, "utf-8")
    kept = terminal.run("routes", "set", str(file))
    shown = terminal.run("routes", "show", "memo")
    file.write_text('[request]\nkind = "memo"\nrequester = "tanaka"\namount = 200000\n', "utf-8")
    tried = terminal.run("routes", "try", str(file), "--json")

    assert (misspelt.code, misspelt.err.partition("は使えません")[0]) == (
        3,
        "4行目: 条件の「amout」",
    )
    assert (kept.code, "memo は第1版" in kept.out) == (0, True), kept.err
    line = "上長: 申請者の上長（1人） → 経理: 経理担当（1人）［amount >= 100000 のとき］"
    assert line in shown.out
    assert tried.data == {
        "route": "memo",
        "version": 1,
        "steps": [
            {"step": "上長", "who": [{"person": "sato"}], "need": 1, "of": 1, "due_days": None},
            {"step": "経理", "who": [{"person": "suzuki"}], "need": 1, "of": 1, "due_days": None},
        ],
        "inform": [],
    }
