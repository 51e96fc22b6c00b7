"""A route file is read as it says; what is wrong with it is said with line and reason."""

import tomllib
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.agent import TermKind
from core.approvals.conditions import TERMS
from core.approvals.plan import Rung
from core.approvals.route import Informed, RungOf, Who
from core.approvals.route_file import WrongRoute, check_handles, part_of, read_routes
from core.approvals.toml_lines import line_of, statements
from core.words import LANGUAGES

GOOD = """\
# who decides on expenses
[routes.expense]
once = true
resubmit = "continue"
ladder = [
  { days = 1, do = "remind" },
  # and then
  { days = 3, do = "escalate" }, { days = 5, do = "delegate", to = "sato" },
]
inform = [{ role = "accountant", confirm = true }]

[[routes.expense.steps]]
name = "上長"
who = [{ superior = 1 }]
empty = "next"

[[routes.expense.steps]]
name = "役員"
who = [
  { post = "部長", department = "requester" },
  { person = "mori" },
]
need = 2
when = '''
amount >= 100000 ||
  discount > 12.5'''
delegable = false
days = 3

[routes."稟議"]
steps = [{ name = "承認", who = [{ role = "approver" }], need = "all" }]
"""


def any_terms(name: str) -> Mapping[str, TermKind]:
    return TERMS


def test_a_file_is_read_as_it_says() -> None:
    routes = read_routes(GOOD, any_terms)

    assert list(routes) == ["expense", "稟議"]
    expense = routes["expense"]
    assert (expense.once, expense.resubmit) == (True, "continue")
    assert expense.ladder[2] == RungOf(days=5, do="delegate", to="sato")
    assert expense.inform == (Informed(role="accountant", confirm=True),)
    first, second = expense.steps
    assert (first.need, first.empty, first.delegable, first.days) == ("any", "next", True, None)
    assert second.who == (Who(post="部長", department="requester"), Who(person="mori"))
    assert (second.need, second.delegable, second.days) == (2, False, 3)
    assert Rung(1, expense.ladder[0].do)


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("[routes.expense]", "[routes.expense", 2, "no valid TOML"),
        ("once = true", "onse = true", 3, "no such key as “onse”"),
        ("once = true", 'once = "yes"', 3, "has to be true or false"),
        ('"continue"', '"later"', 4, "may be 'restart', 'continue'"),
        ("days = 3, do", "days = 0, do", 8, "out of its range (>= 1)"),
        (', to = "sato"', "", 8, 'needs to = "HANDLE"'),
        ("days = 5", "days = 2", 8, "can't go down"),
        ('role = "accountant"', 'role = "boss"', 10, "may be 'requester', 'approver'"),
        ('role = "accountant", ', "", 10, "names nobody"),
        ('name = "上長"\n', "", 12, "“name” is missing"),
        ("superior = 1", 'superior = "1"', 14, "has to be a whole number"),
        ('name = "役員"', 'name = "上長"', 18, "Two steps are called “上長”"),
        ('{ person = "mori" }', "{}", 21, "names nobody"),
        ('person = "mori"', "person = 3", 21, "has to be a text"),
        ("need = 2", 'need = "some"', 23, '“need” may be "any", "all", 1'),
        ("need = 2", "need = 0", 23, '“need” may be "any", "all", 1'),
        ("amount >= 100000", "amout >= 100000", 24, "asks for “amout”"),
        ("discount > 12.5'''", "discount >'''", 24, "2:13: Syntax error"),
        ("discount > 12.5", 'discount > \\"12\\"', 24, "can't be"),
        ('"稟議"', '"稟 議"', 30, "can't be the name of a route"),
        ('steps = [{ name = "承認"', "steps = []\nx = [{ a = 1", 31, "out of its range"),
        ("steps = [", "step = [", 30, "“steps” is missing"),
    ],
)
def test_an_error_is_told_with_its_line_and_its_reason(
    old: str, new: str, line: int, says: str
) -> None:
    assert old in GOOD

    with pytest.raises(WrongRoute) as refused:
        read_routes(GOOD.replace(old, new, 1), any_terms)

    first = refused.value.problems[0]
    assert (refused.value.line, first.line) == (line, line)
    assert says in first.why.en
    for language in LANGUAGES:
        assert str(line) in first.words.to(language)


def test_all_errors_are_told_at_once_in_their_order() -> None:
    source = GOOD.replace("once = true", "once = 1").replace("need = 2", "need = -2")

    with pytest.raises(WrongRoute) as refused:
        read_routes(source, any_terms)

    assert [problem.line for problem in refused.value.problems] == [3, 23]


@pytest.mark.parametrize(
    "source", ["", "[routes]", "a = 1", "routes = 3", "\ufeff", "[[routes.a]]"]
)
def test_a_file_without_routes_is_refused(source: str) -> None:
    with pytest.raises(WrongRoute):
        read_routes(source)


def test_whoever_is_named_has_to_be_there() -> None:
    routes = read_routes(GOOD)

    check_handles(GOOD, routes, {"sato", "mori"})
    with pytest.raises(WrongRoute) as refused:
        check_handles(GOOD, routes, {"tanaka"})
    assert [(each.line, each.why.en[-7:]) for each in refused.value.problems] == [
        (8, "“sato”."),
        (21, "“mori”."),
    ]


def test_each_route_is_taken_out_of_its_file_with_its_comments() -> None:
    expense, ringi = part_of(GOOD, "expense"), part_of(GOOD, "稟議")

    assert expense.startswith("# who decides on expenses\n[routes.expense]\n")
    assert "稟議" not in expense
    assert read_routes(expense)["expense"] == read_routes(GOOD)["expense"]
    assert read_routes(ringi) == {"稟議": read_routes(GOOD)["稟議"]}


def test_what_is_written_in_one_piece_stays_in_one() -> None:
    source = '[routes]\na.steps = [{ name = "x", who = [{ role = "admin" }] }]\n'

    assert part_of(source, "a") == source


_keys = st.sampled_from(["a", "b", '"c d"'])
_values = st.sampled_from(["1", '"x"', "[\n 1,\n 2\n]", "'''\n[a]\n# x\n'''", "{ a = [1,\n2] }"])
_lines = st.one_of(
    st.tuples(_keys, _values).map(" = ".join),
    st.lists(_keys, min_size=1, max_size=3).map(lambda keys: f"[{'.'.join(keys)}]"),
    st.lists(_keys, min_size=1, max_size=3).map(lambda keys: f"[[{'.'.join(keys)}]]"),
    st.sampled_from(["", "# a = 1"]),
)


@given(st.lists(_lines, max_size=12).map("\n".join))
def test_everything_in_any_file_has_a_line_where_it_is_said(source: str) -> None:
    try:
        data = tomllib.loads(source)
    except tomllib.TOMLDecodeError:
        return
    written = "".join(statement.text for statement in statements(source))

    assert tomllib.loads(written) == data
    for path in _paths(data, ()):
        line = line_of(source, path)
        assert line is not None
        text = source.split("\n")[line - 1]
        last = next(part for part in reversed(path) if isinstance(part, str))
        assert last in text or isinstance(path[-1], int)


def _paths(data: object, path: tuple[str | int, ...]) -> list[tuple[str | int, ...]]:
    inner = enumerate(data) if isinstance(data, list) else ()
    inner = data.items() if isinstance(data, dict) else inner
    found = [path] if path else []
    for key, value in inner:
        found += _paths(value, (*path, key))
    return found
