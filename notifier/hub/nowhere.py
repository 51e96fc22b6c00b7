"""What reaches nobody is told to those who look after the company."""

from collections.abc import Sequence
from uuid import UUID

from core.notices import Notice, Recipient, publish
from core.unit import Unit
from notifier.hub.storing import Decided
from notifier.hub.waiting import Waiting

UNREACHABLE = "person.unreachable"
FAILED = "system.dead"

_ADMINS = (Recipient("role", "admin"),)
_NAMED = 10
"""So many people are named at once; of more the count is told."""


async def tell_admins(
    work: Unit, organisation_id: UUID, notices: Sequence[Waiting], decided: Sequence[Decided]
) -> None:
    """Tell the admins who could not be told of what is for them or has to be known; counted, so
    that it is one message however much it is."""
    by_id = {notice.id: notice for notice in notices}
    lost: dict[str, dict[UUID, str]] = {}
    for each in decided:
        notice = by_id[each.notice_id]
        if each.reader is not None and _matters(notice) and _is_lost(each):
            lost.setdefault(notice.topic, {})[each.reader.id] = each.reader.name
    for topic, people in lost.items():
        names = list(people.values())[:_NAMED]
        facts = {"person": "、".join(names), "count": len(people), "topic": topic}
        await publish(
            work,
            organisation_id,
            Notice(
                UNREACHABLE, _ADMINS, facts, importance="high", group=f"{topic}:{','.join(names)}"
            ),
        )


def _matters(notice: Waiting) -> bool:
    """Of what the admins are told themselves they are not told in turn."""
    matter = notice.matter
    ours = notice.topic == UNREACHABLE or notice.topic.startswith("system.")
    return not ours and (matter.personal or matter.needed or matter.importance == "critical")


def _is_lost(decided: Decided) -> bool:
    return any(reason.code == "no_way" for reason in decided.decision.reasons)


async def tell_of_failure(work: Unit, organisation_id: UUID, notice_id: UUID, topic: str) -> None:
    """A notice could not be told to anybody, however often it was tried."""
    if topic == FAILED:
        return
    facts = {"count": 1, "topic": topic, "notice": str(notice_id), "reason": "gave_up"}
    await publish(
        work,
        organisation_id,
        Notice(FAILED, _ADMINS, facts, importance="high", group=FAILED),
    )
