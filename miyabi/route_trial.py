"""A request and a route to try on it: all from one file, or what it leaves out from the company.

[request]                 # kind, requester; date, route, editors where they matter; the terms
kind = "expense"
requester = "tanaka"
amount = 120000
[routes.expense]          # as in a file of routes; else the one in force
[[people]]                # handle, superior, roles …; else the company's own
[[delegations]]           # person, delegate, since, until, forms
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Any
from uuid import NAMESPACE_OID, UUID, uuid5
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, ConfigDict, TypeAdapter, ValidationError, with_config

from core.agent import Agent, TermKind
from core.approvals.chart import Chart, Delegation, Member
from core.approvals.freezing import Asked
from core.approvals.route import Flag, Route, Text
from core.approvals.route_file import (
    Problem,
    WrongRoute,
    check_routes,
    read_toml,
    refuse_found,
)
from core.approvals.routes import kinds_of, routes_of
from core.approvals.toml_lines import Path
from core.approvals.wrong_shape import told
from core.people import Role
from core.words import Words

_NO_JSON = Words(
    ja="JSONとして読めません: {why}", en="This is no valid JSON: {why}", zh="不是有效的JSON: {why}"
)
_NO_PERSON = Words(
    ja="「{handle}」という人がいません。",
    en="There is nobody called “{handle}”.",
    zh="没有名为“{handle}”的人。",
)
_TERM = Words(
    ja="「{key}」には数・文字列・文字列の一覧のどれかを書いてください。",
    en="“{key}” has to be a number, a text or a list of texts.",
    zh="“{key}”须为数字、文本或文本列表。",
)


Day = date  # `date` is a key of the request as well


def _zone(name: str) -> str:
    return ZoneInfo(name).key


_STRICT = ConfigDict(extra="forbid")
Zone = Annotated[str, AfterValidator(_zone)]


@with_config(ConfigDict(extra="ignore"))
@dataclass(frozen=True, slots=True, kw_only=True)
class RequestOf:
    """What is asked for; everything else below `[request]` is a term."""

    kind: Text
    requester: Text
    route: Text | None = None
    editors: tuple[Text, ...] = ()
    date: Day | None = None


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class PersonOf:
    """Somebody of the chart; `superior` is a handle."""

    handle: Text
    name: str = ""
    roles: tuple[Role, ...] = ()
    department: str = ""
    post: str = ""
    grade: str = ""
    superior: str = ""
    active: Flag = True
    time_zone: Zone = "Asia/Tokyo"


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class DelegationOf:
    """Who acts for whom; both are handles. Dates as in core/approvals/chart.py."""

    person: Text
    delegate: Text
    since: date = date.min
    until: date = date.max
    forms: tuple[str, ...] = ()


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class TrialOf:
    """The shape of the file; routes have one of their own."""

    request: RequestOf
    routes: dict[str, object] | None = None
    people: tuple[PersonOf, ...] = ()
    delegations: tuple[DelegationOf, ...] | None = None


@dataclass(frozen=True, slots=True)
class Trial:
    """What a file asks. `people` is empty and `delegations` None where the company's are meant."""

    request: RequestOf
    terms: Mapping[str, Any]
    routes: Mapping[str, Route]
    people: tuple[PersonOf, ...]
    delegations: tuple[DelegationOf, ...] | None
    source: str | None

    def route_name(self, agents: Mapping[str, Agent]) -> str:
        """The route that is tried: the one named, else the one that the kind of request takes."""
        if self.request.route is not None:
            return self.request.route
        agent = agents.get(self.request.kind)
        taken = routes_of(agent) if agent is not None else []
        return taken[0] if taken else self.request.kind

    def chart(self, company: Chart | None) -> Chart:
        """Whom to ask: the file's people, else the company's. Raises WrongRoute for a handle that
        nobody has."""
        found = company or Chart.of(self._members())
        if self.delegations is None:
            return found
        by_handle = {member.handle: member.id for member in found.members.values()}
        wrong: list[tuple[Path, Words]] = []
        for at, each in enumerate(self.delegations):
            for key in ("person", "delegate"):
                if getattr(each, key) not in by_handle:
                    why = _NO_PERSON.fill(handle=getattr(each, key))
                    wrong.append((("delegations", at, key), why))
        refuse_found(wrong, self.source)
        return Chart.of(
            found.members.values(),
            (
                Delegation(
                    by_handle[each.person],
                    by_handle[each.delegate],
                    each.since,
                    each.until,
                    frozenset(each.forms),
                )
                for each in self.delegations
            ),
        )

    def _members(self) -> Iterable[Member]:
        ids = {each.handle: uuid5(NAMESPACE_OID, each.handle) for each in self.people}
        unknown = [
            (("people", at, "superior"), _NO_PERSON.fill(handle=each.superior))
            for at, each in enumerate(self.people)
            if each.superior and each.superior not in ids
        ]
        refuse_found(unknown, self.source)
        for each in self.people:
            yield Member(
                id=ids[each.handle],
                handle=each.handle,
                name=each.name or each.handle,
                roles=frozenset(each.roles),
                department=each.department,
                post=each.post,
                grade=each.grade,
                superior=ids.get(each.superior),
                active=each.active,
                time_zone=each.time_zone,
            )

    def asked(self, chart: Chart) -> Asked:
        """The request. Raises WrongRoute where nobody has its handles."""
        named = [(("request", "requester"), self.request.requester)]
        named += [(("request", "editors"), editor) for editor in self.request.editors]
        ids: dict[str, UUID] = {each.handle: each.id for each in chart.members.values()}
        unknown: list[tuple[Path, Words]] = [
            (path, _NO_PERSON.fill(handle=handle)) for path, handle in named if handle not in ids
        ]
        refuse_found(unknown, self.source)
        editors = frozenset(ids[editor] for editor in self.request.editors)
        return Asked(ids[self.request.requester], editors, self.request.kind, self.terms)

    def moment(self, chart: Chart | None = None) -> datetime:
        """Noon of the request's date where the requester is, or this moment."""
        if self.request.date is None:
            return datetime.now(UTC)
        requester = chart.by_handle(self.request.requester) if chart is not None else None
        zone = ZoneInfo(requester.time_zone if requester else "Asia/Tokyo")
        return datetime.combine(self.request.date, time(12), zone).astimezone(UTC)


def read_trial(text: str, agents: Mapping[str, Agent]) -> Trial:
    """A trial of a file's text, TOML or JSON. Raises WrongRoute, with lines where it is TOML."""
    as_json = text.lstrip().startswith("{")
    source = None if as_json else text
    data = _json(text) if as_json else read_toml(text)
    try:
        shape = _adapter().validate_python(data)
    except ValidationError as error:
        refuse_found(told(error), source)
        raise
    terms = _terms(data["request"], source)
    told_here = {name: _kind(value) for name, value in terms.items()}
    routes: Mapping[str, Route] = {}
    if shape.routes is not None:
        own = {"routes": shape.routes}
        routes = check_routes(
            own, lambda name: {**told_here, **kinds_of(name, agents.values())}, source
        )
    return Trial(
        shape.request,
        terms,
        routes,
        shape.people,
        shape.delegations,
        source,
    )


def _kind(value: object) -> TermKind:
    if isinstance(value, tuple):
        return "list"
    return "text" if isinstance(value, str) else "number"


@lru_cache(maxsize=1)
def _adapter() -> TypeAdapter[TrialOf]:
    return TypeAdapter(TrialOf)


def _json(text: str) -> Any:
    try:
        return json.loads(text, parse_float=Decimal)
    except ValueError as error:
        line = getattr(error, "lineno", None)
        raise WrongRoute([Problem(line, _NO_JSON.fill(why=error))]) from None


def _terms(request: Mapping[str, object], source: str | None) -> dict[str, object]:
    """Everything of a request that is no key of its own, as conditions ask for it."""
    terms: dict[str, object] = {}
    wrong: list[tuple[Path, Words]] = []
    for key, value in request.items():
        if key in RequestOf.__dataclass_fields__:
            continue
        if isinstance(value, list) and all(isinstance(each, str) for each in value):
            terms[key] = tuple(value)
        elif isinstance(value, int | Decimal | str) and not isinstance(value, bool):
            terms[key] = value
        else:
            wrong.append((("request", key), _TERM.fill(key=key)))
    refuse_found(wrong, source)
    return terms
