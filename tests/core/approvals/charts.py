"""Organisation charts in a line, and routes in a few, for the tests of who decides."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from uuid import NAMESPACE_OID, UUID, uuid5

from core.agent import Terms
from core.approvals.chart import Chart, Delegation, Member
from core.approvals.freezing import Asked, NamedRoute, freeze_route
from core.approvals.plan import Plan
from core.approvals.route_file import read_routes

NOON = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)  # 12:00 in Tokyo
FIRST, LAST = date(2026, 11, 1), date(2026, 11, 30)


def person(handle: str) -> UUID:
    return uuid5(NAMESPACE_OID, handle)


def member(handle: str, above: str = "", roles: str = "", **more: object) -> Member:
    return Member(
        id=person(handle),
        handle=handle,
        name=handle.title(),
        roles=frozenset(roles.split()),
        superior=person(above) if above else None,
        **more,  # type: ignore[arg-type]
    )


def acts(
    who: str, delegate: str, since: date = FIRST, until: date = LAST, *forms: str
) -> Delegation:
    return Delegation(person(who), person(delegate), since, until, frozenset(forms))


STAFF = (
    member("tanaka", "suzuki", "requester", department="営業部", post="主任", grade="3"),
    member("suzuki", "sato", "approver accountant", department="経理部", post="課長"),
    member("sato", "mori", "approver admin", department="営業部", post="部長"),
    member("mori", "", "approver", department="役員室", post="社長"),
)


@dataclass(frozen=True, slots=True)
class Company:
    """A chart, and requests of tanaka's in it."""

    staff: tuple[Member, ...] = STAFF
    delegations: tuple[Delegation, ...] = ()
    terms: Mapping[str, object] = field(default_factory=lambda: {"amount": 50_000})

    def freeze(
        self,
        steps: str,
        *,
        requester: str = "tanaka",
        authors: tuple[str, ...] = (),
        form: str = "expense",
        now: datetime = NOON,
        **route: object,
    ) -> Plan:
        """A request by a route of these steps, one a line: NAME, then what a step's table has."""
        lines = [step.strip().partition(": ") for step in steps.strip().splitlines()]
        tables = ", ".join(f'{{ name = "{name}", {table} }}' for name, _, table in lines)
        rest = "\n".join(f"{key} = {value}" for key, value in route.items())
        found = read_routes(f"[routes.r]\n{rest}\nsteps = [{tables}]")["r"]
        terms: Terms = self.terms  # type: ignore[assignment]
        asked = Asked(person(requester), frozenset(map(person, authors)), form, terms)
        return freeze_route(self.chart, NamedRoute("r", 1, found), asked, now)

    @property
    def chart(self) -> Chart:
        return Chart.of(self.staff, self.delegations)

    def shown(self, plan: Plan) -> list[str]:
        """A plan in a line a step: its name, how many of whom, and for whom they act."""
        return [
            f"{stage.name}: {stage.need} of "
            + " ".join(self._seat(seat.person, seat.holder) for seat in stage.seats)
            if stage.seats
            else f"{stage.name}: -"
            for stage in plan.stages
        ]

    def _seat(self, whose: UUID, holder: UUID) -> str:
        members = self.chart.members
        mine = members[holder].handle
        return mine if whose == holder else f"{mine}({members[whose].handle})"
