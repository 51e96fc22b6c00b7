"""Reads a route file. Whatever is wrong with it is said with its line and its reason."""

import re
import tomllib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from core.agent import TermKind
from core.approvals import conditions
from core.approvals.conditions import WrongCondition
from core.approvals.route import Informed, Route, RouteFile, Who
from core.approvals.toml_lines import Path, line_of, statements
from core.approvals.wrong_shape import told
from core.errors import Refused
from core.words import Words, lines

LONGEST = 64 * 1024
"""Characters of a route file."""
_MOST = 10
"""Errors that are told at once."""

_LINE = Words(ja="{line}行目: {why}", en="line {line}: {why}", zh="第{line}行: {why}")
_TOO_LONG = Words(
    ja="ファイルが大きすぎます（{most}文字まで）。",
    en="The file is too long (at most {most} characters).",
    zh="文件过大（最多{most}个字符）。",
)
_NO_TOML = Words(
    ja="TOMLとして読めません: {why}",
    en="This is no valid TOML: {why}",
    zh="不是有效的TOML: {why}",
)
_NO_ROUTES = Words(
    ja="経路がありません。[routes.名前] で始めてください。",
    en="There is no route in it; one begins with [routes.NAME].",
    zh="文件中没有路线。请以 [routes.名称] 开始。",
)
_WHERE = Words(ja="「{key}」: {why}", en="“{key}”: {why}", zh="“{key}”: {why}")
_SAYS_NOBODY = Words(
    ja="誰のことか書いてください（person、role、post、department、superior のどれか）。",
    en="This names nobody: say person, role, post, department or superior.",
    zh="没有指定任何人: 请写 person、role、post、department 或 superior。",
)
_NOBODY = Words(
    ja="「{handle}」という人がいません。",
    en="There is nobody called “{handle}”.",
    zh="没有名为“{handle}”的人。",
)
_TWICE = Words(
    ja="「{name}」という段階が2つあります。",
    en="Two steps are called “{name}”.",
    zh="有两个名为“{name}”的步骤。",
)
_RUNG_TO = Words(
    ja='do = "delegate" には to = "人" が必要です（ほかの do には書けません）。',
    en='do = "delegate" needs to = "HANDLE", and nothing else takes it.',
    zh='do = "delegate" 需要 to = "人"（其他 do 不可使用）。',
)
_RUNG_ORDER = Words(
    ja="ladder の days は小さい順に書いてください。",
    en="The days of a ladder can't go down.",
    zh="ladder 的 days 须按从小到大排列。",
)  # fmt: skip


class WrongRoute(Refused):
    """A route file that can't be used; the words say line and reason of each error.

    `line` is that of the first one, None where none could be told.
    """

    def __init__(self, problems: "list[Problem]") -> None:
        self.problems = sorted(problems, key=lambda problem: problem.line or 0)[:_MOST]
        self.line = self.problems[0].line
        super().__init__(lines([problem.words for problem in self.problems]))


@dataclass(frozen=True, slots=True)
class Problem:
    """One error: where, and why."""

    line: int | None
    why: Words

    @property
    def words(self) -> Words:
        return _LINE.fill(line=self.line, why=self.why) if self.line is not None else self.why


KindsOf = Callable[[str], Mapping[str, TermKind]]
"""Which terms the conditions of a route may ask for, by its name."""


def read_routes(source: str, kinds_of: KindsOf | None = None) -> Mapping[str, Route]:
    """The routes of a file's text, by name. Raises WrongRoute.

    Without `kinds_of` it is not known here which terms there are, and so not checked.
    """
    return check_routes(read_toml(source), kinds_of, source)


def check_routes(
    data: object, kinds_of: KindsOf | None = None, source: str | None = None
) -> Mapping[str, Route]:
    """The same of data that was read already; without its source there are no lines to tell."""
    found: list[tuple[Path, Words]] = []
    try:
        file = _adapter().validate_python(data)
    except ValidationError as error:
        found = told(error)
    else:
        for name, route in file.routes.items():
            found += _check(("routes", name), route, kinds_of(name) if kinds_of else None)
        if not file.routes:
            found.append(((), _NO_ROUTES))
    refuse_found(found, source)
    return file.routes


def refuse_found(found: Collection[tuple[Path, Words]], source: str | None) -> None:
    """Raises WrongRoute where anything was found, each with its line, or where there is no text
    with its place in the data."""
    if found:
        raise WrongRoute([_problem(path, why, source) for path, why in found])


def check_handles(source: str, routes: Mapping[str, Route], handles: Collection[str]) -> None:
    """Refuse routes that name somebody who is not among these. Raises WrongRoute."""
    named: list[tuple[Path, str | None]] = []
    for name, route in routes.items():
        path: Path = ("routes", name)
        for place, step in enumerate(route.steps):
            here = (*path, "steps", place, "who")
            named += [((*here, at, "person"), who.person) for at, who in enumerate(step.who)]
        inform = enumerate(route.inform)
        named += [((*path, "inform", at, "person"), who.person) for at, who in inform]
        named += [((*path, "ladder", at, "to"), rung.to) for at, rung in enumerate(route.ladder)]
    unknown = [(path, who) for path, who in named if who is not None and who not in handles]
    refuse_found([(path, _NOBODY.fill(handle=who)) for path, who in unknown], source)


def part_of(source: str, name: str) -> str:
    """What a file's text says of one of its routes; all of it, where it can't be taken apart."""
    own = (each for each in statements(source) if each.path[:2] == ("routes", name))
    part = "".join(each.text for each in own).strip() + "\n"
    try:
        whole = tomllib.loads(part)["routes"][name] == tomllib.loads(source)["routes"][name]
    except (tomllib.TOMLDecodeError, KeyError):
        return source
    return part if whole else source


def read_toml(source: str) -> dict[str, Any]:
    """A text as TOML; fractions are kept as they are written. Raises WrongRoute."""
    if len(source) > LONGEST:
        raise WrongRoute([Problem(None, _TOO_LONG.fill(most=LONGEST))])
    try:
        return tomllib.loads(source, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        text = str(error)
        at = re.search(r"\(at line (\d+), column \d+\)", text)
        line = int(at[1]) if at else source.rstrip("\n").count("\n") + 1  # at the end of the file
        raise WrongRoute([Problem(line, _NO_TOML.fill(why=text))]) from None


@lru_cache(maxsize=1)
def _adapter() -> TypeAdapter[RouteFile]:
    return TypeAdapter(RouteFile)


def _problem(path: Path, why: Words, source: str | None) -> Problem:
    if source is not None:
        return Problem(line_of(source, path) or 1, why)
    where = ".".join(str(part) for part in path)
    return Problem(None, _WHERE.fill(key=where, why=why) if where else why)


def _check(
    path: Path, route: Route, kinds: Mapping[str, TermKind] | None
) -> list[tuple[Path, Words]]:
    """What is wrong with a route beyond the shape of its parts."""
    found: list[tuple[Path, Words]] = []
    names: set[str] = set()
    for place, step in enumerate(route.steps):
        here = (*path, "steps", place)
        if step.name in names:
            found.append(((*here, "name"), _TWICE.fill(name=step.name)))
        names.add(step.name)
        found += _check_who((*here, "who"), step.who)
        if step.when:
            try:
                conditions.check(step.when, kinds)
            except WrongCondition as error:
                found.append(((*here, "when"), error.words))
    before = 0
    for place, rung in enumerate(route.ladder):
        here = (*path, "ladder", place)
        if (rung.do == "delegate") is (rung.to is None):
            found.append((here, _RUNG_TO))
        if rung.days < before:
            found.append((here, _RUNG_ORDER))
        before = rung.days
    return found + _check_who((*path, "inform"), route.inform)


def _check_who(path: Path, who: tuple[Who | Informed, ...]) -> list[tuple[Path, Words]]:
    empty = Who()
    return [
        ((*path, place), _SAYS_NOBODY)
        for place, each in enumerate(who)
        if all(
            getattr(each, name) is getattr(empty, name)
            for name in ("person", "role", "post", "department", "superior")
        )
    ]
