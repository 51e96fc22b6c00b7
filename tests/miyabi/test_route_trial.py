"""A request is tried on a route with nothing but one file: TOML or JSON, no database."""

import json
import re
import tomllib
from datetime import date
from typing import Any

import pytest

from core.approvals.conditions import TERMS
from core.approvals.freezing import NamedRoute
from core.approvals.route_file import WrongRoute, read_routes
from core.errors import Refused
from core.words import LANGUAGES
from miyabi.frozen import frozen_data, refused_data
from miyabi.plugins import all_agents
from miyabi.route_trial import read_trial
from tests.lints.source import ROOT

FILE = """\
[request]
kind = "trip"
requester = "tanaka"
editors = ["mori"]
date = 2026-11-25
amount = 120000
discount = 12.5
categories = ["交際費"]

[routes.trip]
inform = [{ role = "auditor", confirm = true }]
[[routes.trip.steps]]
name = "上長"
who = [{ superior = 1 }]
days = 2
[[routes.trip.steps]]
name = "経理"
who = [{ role = "accountant" }]
[[routes.trip.steps]]
name = "役員"
who = [{ post = "部長" }]
when = "amount >= 1000000 || discount > 12.5 || '会議費' in categories"

[[people]]
handle = "tanaka"
superior = "sato"
[[people]]
handle = "suzuki"
name = "鈴木"
roles = ["accountant"]
[[people]]
handle = "sato"
post = "部長"
roles = ["auditor"]
[[people]]
handle = "mori"

[[delegations]]
person = "sato"
delegate = "suzuki"
since = 2026-11-25
until = 2026-11-25
forms = ["trip"]
"""


def tried(text: str) -> dict[str, Any]:
    agents = all_agents()
    try:
        trial = read_trial(text, agents)
        chart = trial.chart(None)
        name = trial.route_name(agents)
        route = NamedRoute(name, 0, trial.routes[name])
        return frozen_data(chart, route, trial.asked(chart), trial.moment(chart))
    except Refused as refused:
        return refused_data(refused)


def test_the_frozen_steps_are_told_with_those_that_are_left_out() -> None:
    data = tried(FILE)

    first, second, third = data["steps"]
    assert (data["route"], data["version"]) == ("trip", 0)
    assert (first["step"], first["who"], set(first["skipped"])) == ("上長", [], set(LANGUAGES))
    assert second == {
        "step": "経理", "who": [{"person": "suzuki"}], "need": 1, "of": 1, "due_days": None,
    }  # fmt: skip
    assert (third["step"], "amount >= 1000000" in third["skipped"]["en"]) == ("役員", True)
    assert data["inform"] == [{"person": "sato", "confirm": True}]


def test_the_same_as_json_and_on_another_day() -> None:
    data = tomllib.loads(FILE)
    data["request"]["date"] = date(2026, 11, 26)
    data["routes"]["trip"]["once"] = False

    steps = tried(json.dumps(data, default=str))["steps"]
    assert [step["who"] for step in steps[:2]] == [[{"person": "sato"}], [{"person": "suzuki"}]]
    data["request"]["date"] = date(2026, 11, 25)
    acted = tried(json.dumps(data, default=str))["steps"][0]
    assert acted["who"] == [{"person": "suzuki", "for": "sato"}]
    assert acted["due_days"] == 2


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("amount >=", "amout >=", 22, "asks for “amout”"),
        ('requester = "tanaka"', 'requester = "nobody"', 3, "nobody called “nobody”"),
        ('["mori"]', '["x"]', 4, "nobody called “x”"),
        ('superior = "sato"', 'superior = "x"', 26, "nobody called “x”"),
        ('delegate = "suzuki"', 'delegate = "x"', 40, "nobody called “x”"),
        ("amount = 120000", "amount = true", 6, "has to be a number"),
        ('kind = "trip"\n', "", 1, "“kind” is missing"),
        ("date = 2026-11-25", "date = 3", 5, "date"),
        ('roles = ["auditor"]', 'roles = ["boss"]', 34, "may be 'requester'"),
    ],
)
def test_an_error_in_the_file_is_told_with_its_line(
    old: str, new: str, line: int, says: str
) -> None:
    assert old in FILE

    data = tried(FILE.replace(old, new, 1))

    assert (data["line"], says in data["refused"]["en"]) == (line, True), data


def test_the_files_of_the_documentation_are_read() -> None:
    text = (ROOT / "docs" / "approvals-routes.md").read_text("utf-8")
    route, trial = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)

    assert len(read_routes(route, lambda name: TERMS)["expense"].steps) == 3
    assert tried(trial)["steps"][0]["who"] == [{"person": "mori", "for": "sato"}]


def test_json_that_is_none_is_refused() -> None:
    with pytest.raises(WrongRoute) as refused:
        read_trial('{\n "request": }', all_agents())

    assert refused.value.line == 2


def test_a_refusal_is_told_in_each_language() -> None:
    data = tried(FILE.replace('roles = ["accountant"]', "active = false"))

    assert data.keys() == {"refused"}
    assert "Nobody can decide at “経理”" in data["refused"]["en"]
    assert "決められる人がいません" in data["refused"]["ja"]
