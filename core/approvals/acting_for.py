"""Who decides in somebody's place (代理): chains of delegates, which end and never go round."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from core.approvals.chart import Chart
from core.errors import Refused
from core.words import Words

LONGEST = 3
"""So often what waits for somebody is handed on; then it stays."""

_CIRCLE = Words(
    ja="代理の設定が一周しています: {names}。この申請は出せません。"
    "誰かの代理設定を取り消してください。",
    en="The delegates go round in a circle: {names}. This can't be submitted until one of these "
    "delegations is taken back.",
    zh="代理设置形成循环: {names}。无法提交，请先取消其中一个代理设置。",
)


def holder_of(
    chart: Chart, person: UUID, form: str, now: datetime, barred: frozenset[UUID] = frozenset()
) -> UUID:
    """Who decides now what waits for a person: they themselves, or the end of their delegates.

    Nobody who is `barred` (an author of what is decided on, or who acts for one) is handed it: it
    stays with the last one before. Raises Refused where the delegates go round.
    """
    holder = person
    for delegate in _chain(chart, person, form, now)[:LONGEST]:
        if delegate in barred:
            break
        holder = delegate
    return holder


def acting_for(chart: Chart, people: Iterable[UUID], form: str, now: datetime) -> frozenset[UUID]:
    """Whoever acts for one of these, by whichever of their delegations, themselves or at the end
    of a chain; not these themselves."""
    people = frozenset(people)
    reached, last = set(people), people
    for _ in range(LONGEST):
        last = frozenset(
            delegation.delegate
            for person in last
            for delegation in chart.in_force(person, form, now)
        ) - frozenset(reached)
        reached |= last
    return frozenset(reached) - people


def _chain(chart: Chart, person: UUID, form: str, now: datetime) -> list[UUID]:
    """The delegates of a person, however many. Raises Refused where they go round."""
    chain = [person]
    while found := chart.in_force(chain[-1], form, now):
        delegate = found[0].delegate
        if delegate in chain:
            circle = [*chain[chain.index(delegate) :], delegate]
            raise Refused(_CIRCLE.fill(names=chart.names(circle, " → ")))
        chain.append(delegate)
    return chain[1:]
