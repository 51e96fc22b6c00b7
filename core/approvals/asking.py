"""What has to be asked before some acts on an approval: the reason, the words, whom, which step.

How it is asked is each platform's own; who may be asked is the same everywhere.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from core.approvals import changing, deciding
from core.approvals.acts import approval_of, as_id
from core.approvals.view import ApprovalView, approval_view
from core.db import fetch_one
from core.errors import NotAllowed
from core.people import Person
from core.words import LANGUAGES, Words, listed

REQUESTER = Words(ja="依頼者（{who}）", en="Who requested it ({who})", zh="申请人（{who}）")
STEP = Words(
    ja="{place}. {name}（{who}）", en="{place}. {name} ({who})", zh="{place}. {name}（{who}）"
)


@dataclass(frozen=True, slots=True)
class Asks:
    """What an act needs besides a press: words, a person, the step it is sent back to."""

    words: bool = True
    person: bool = False
    step: bool = False


ASKS: Mapping[str, Asks] = {
    "reject": Asks(),
    "return": Asks(step=True),
    "comment": Asks(),
    "question": Asks(),
    "add": Asks(words=False, person=True),
    "forward": Asks(person=True),
}
"""The acts that need more than a press."""

_OPEN = frozenset({"reject", "return", "forward"})
"""Those that only whoever may decide now is asked for."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What is acted on: the approval, and its task as people call it, with who asked for it."""

    approval: ApprovalView
    reference: str
    requester: str


async def subject(connection: AsyncConnection, person: Person, action: str, value: str) -> Subject:
    """What a button's value stands for, for whoever may do this. Raises Refused with why they may
    not: nobody is to write a reason in vain. The act itself checks it all again."""
    if action in _OPEN:
        await deciding.check(connection, person, as_id(value))
    approval_id = await approval_of(connection, person, value)
    try:
        task_id = await changing.task_of(connection, person, approval_id)
    except NotAllowed:
        # Where the step is not theirs to decide either, that says more: whose it is.
        await deciding.check(connection, person, as_id(value))
        raise
    approval = await approval_view(connection, person.organisation_id, approval_id)
    return Subject(approval, *await _task(connection, person, task_id))


async def _task(connection: AsyncConnection, person: Person, task_id: UUID) -> tuple[str, str]:
    row = await fetch_one(
        connection,
        "select t.reference, p.name from tasks t join people p on p.id = t.person_id"
        " where t.organisation_id = :organisation_id and t.id = :task_id",
        {"organisation_id": person.organisation_id, "task_id": task_id},
    )
    assert row is not None  # noqa: S101  # the approval is of this task
    return f"#{row.reference}", str(row.name)


def places(of: Subject) -> Sequence[tuple[int, Words]]:
    """Whom it can be sent back to: who asked for it (0), and the steps that it has passed."""
    found = [(0, REQUESTER.fill(who=of.requester))]
    passed = set(deciding.earlier_places(of.approval.run))
    for stage in of.approval.stages:
        if stage.place in passed:
            names = [seat.holder.name for seat in stage.seats if seat.decision]
            who = Words(*(listed(names, language) for language in LANGUAGES))
            found.append((stage.place, STEP.fill(place=stage.place, name=stage.name, who=who)))
    return found
