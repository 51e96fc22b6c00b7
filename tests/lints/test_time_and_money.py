"""No naive time, and no float beside money."""

import ast

import pytest

from tests.lints.source import Source, called, sources

_MONEY = ("core/money.py", "core/quotation.py", "agents")
_NAIVE_ALWAYS = ("datetime.utcnow", "datetime.utcfromtimestamp", "date.today", "datetime.today")
_NAIVE_ALONE = ("datetime.now", "datetime.fromtimestamp", "datetime.combine")


def naive_times(source: Source) -> list[str]:
    """Calls that give a time without a zone, or today by this machine's clock and zone."""
    return [
        f"{source.name}:{node.lineno} {called(node)}"
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call)
        and (called(node).endswith(_NAIVE_ALWAYS) or (_zone_missing(node)))
    ]


def _zone_missing(call: ast.Call) -> bool:
    """`now` takes the zone first, `fromtimestamp` second, `combine` third."""
    for place, name in enumerate(_NAIVE_ALONE):
        if called(call).endswith(name):
            named = {keyword.arg for keyword in call.keywords} & {"tz", "tzinfo", None}
            return not named and len(call.args) <= place
    return False


def floats(source: Source) -> list[str]:
    """Where a float is made, written or named as a type."""
    return [
        f"{source.name}:{node.lineno}"
        for node in ast.walk(source.tree)
        if (isinstance(node, ast.Name) and node.id == "float")
        or (isinstance(node, ast.Constant) and isinstance(node.value, float))
    ]


def test_no_time_is_naive() -> None:
    packages = ("audit", "core", "agents", "connectors", "bot", "notifier", "web")

    assert [line for source in sources(*packages) for line in naive_times(source)] == []


def test_at_the_edge_today_may_be_this_machines_but_no_time_is_naive() -> None:
    found = [line for source in sources("miyabi") for line in naive_times(source)]

    assert [line for line in found if not line.endswith("date.today")] == []


def test_no_float_stands_beside_money() -> None:
    assert [line for source in sources(*_MONEY) for line in floats(source)] == []


@pytest.mark.parametrize(
    "bad",
    [
        "datetime.now()",
        "datetime.datetime.utcnow()",
        "date.today()",
        "datetime.fromtimestamp(0)",
        "datetime.combine(day, time)",
    ],
)
def test_a_naive_time_is_found(bad: str) -> None:
    assert naive_times(Source.of(bad)) == [f"bad.py:1 {bad.partition('(')[0]}"]


@pytest.mark.parametrize(
    "good",
    [
        "datetime.now(UTC)",
        "datetime.now(tz=UTC)",
        "datetime.fromtimestamp(0, UTC)",
        "datetime.combine(day, time, UTC)",
        "datetime.combine(day, time, tzinfo=UTC)",
    ],
)
def test_a_time_with_its_zone_is_fine(good: str) -> None:
    assert naive_times(Source.of(good)) == []


@pytest.mark.parametrize("bad", ["x = float('1')", "def f(yen: float): ...", "rate = 0.1"])
def test_a_float_is_found(bad: str) -> None:
    assert floats(Source.of(bad)) == ["bad.py:1"]
