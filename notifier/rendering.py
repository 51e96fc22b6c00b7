"""What a slot of a thread should show, made from the task as it stands."""

from typing import Any
from uuid import UUID

from core.messages import Message
from core.views import TaskView, approval_view
from core.words import Language
from notifier import topics
from notifier.thread import Due, Posted, Thread


async def render(  # noqa: PLR0911  # a line for each slot
    connection: Any, view: TaskView, thread: Thread, change: Due, posted: Posted | None
) -> Message | None:
    kind, _, subject = change.slot.partition(":")
    language, zone = thread.language, thread.time_zone
    if kind == "root":
        return topics.root(view, language)
    if kind == "flash":
        return topics.flash(view, language, zone)
    if kind == "card":
        approval = await approval_view(connection, view.organisation_id, UUID(subject))
        if approval.revision != view.revision and posted is not None:
            return topics.retire(posted.message, topics.closed(approval, language, zone))
        return topics.card(view, approval, language, zone)
    if kind == "reminder":
        return await _reminder(connection, view, thread, change, posted)
    if kind == "result":
        return topics.result(view, language)
    if kind == "question":
        return _question(view, subject, change, posted, language)
    if posted is None:
        return topics.failure(view, change.facts, language)
    if view.state == "failed":
        return posted.message
    return topics.retire(posted.message, topics.OVER.to(language))


async def _reminder(
    connection: Any, view: TaskView, thread: Thread, change: Due, posted: Posted | None
) -> Message | None:
    approval_id = UUID(change.slot.split(":")[1])
    approval = await approval_view(connection, view.organisation_id, approval_id)
    language, zone = thread.language, thread.time_zone
    if approval.state != "pending":
        verdict = topics.closed(approval, language, zone)
        return topics.retire(posted.message, verdict) if posted else None
    if thread.place.direct:
        return topics.reminder(view, approval, language, zone)
    return topics.reminded(approval, change.facts, language, zone)


def _question(
    view: TaskView, question_id: str, change: Due, posted: Posted | None, language: Language
) -> Message | None:
    if view.question is not None and view.question["id"] == question_id:
        return topics.question(view, language)
    if posted is None:
        return None
    return topics.answered(posted.message, change.facts.get("answer", ""), language)
