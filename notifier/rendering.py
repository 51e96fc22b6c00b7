"""What a slot of a thread should show, made from the task as it stands."""

from dataclasses import replace
from uuid import UUID

from core.approvals import card
from core.approvals.page_codes import code_of
from core.approvals.view import ApprovalView, approval_view
from core.attachments import kept_of
from core.codec import load
from core.house import House
from core.messages import Message
from core.views import TaskView
from core.words import Language, Words
from notifier import topics
from notifier.digests import digest
from notifier.thread import Due, Posted, Thread


async def render(
    house: House, view: TaskView, thread: Thread, change: Due, posted: Posted | None
) -> Message | None:
    """The message, in the thread's language; None where there is nothing to show."""
    kind, _, subject = change.slot.partition(":")
    message: Message | None
    if kind in {"note", "round"}:
        message = await _about_approval(house, view, thread, kind, UUID(subject))
    elif kind == "enclosed":
        message = posted.message if posted else await _enclosed(house, view, thread, change)
    elif kind in {"card", "reminder"}:
        approval = await _approval(house, view, UUID(subject.partition(":")[0]))
        of_approval = _card if kind == "card" else _reminder
        message = of_approval(view, approval, thread, change, posted)
    elif kind == "code":
        message = await _code(house, view, thread, subject)
    elif kind == "digest":
        message = await digest(house, view, thread, posted)
    else:
        message = _of_task(view, thread, change, posted)
    if message is None:
        return None
    if change.instead is not None:
        message = topics.beside(message, load(Words, change.instead), thread.language)
    return replace(message, language=thread.language)


async def _enclosed(house: House, view: TaskView, thread: Thread, change: Due) -> Message | None:
    """A file that was sent with the request, unless it is no part of that any more."""
    sha256 = change.slot.partition(":")[2]
    if change.waited and (view.approval is None or not _waits_for(view.approval, thread)):
        return None
    async with house.engine.connect() as connection:
        kept = await kept_of(connection, view.organisation_id, view.id)
    found = [file for file in kept if file.sha256 == sha256]
    return topics.enclosed(view, found[0]) if found else None


async def _code(house: House, view: TaskView, thread: Thread, subject: str) -> Message | None:
    """What is typed on a page, while it holds."""
    found = await code_of(house, view.organisation_id, subject)
    return topics.code(view, *found, thread.language, thread.time_zone) if found else None


def _of_task(  # noqa: PLR0911  # a line for each slot
    view: TaskView, thread: Thread, change: Due, posted: Posted | None
) -> Message | None:
    kind, _, subject = change.slot.partition(":")
    language = thread.language
    if kind == "root":
        return topics.root(view, language)
    if kind == "flash":
        return topics.flash(view, language, thread.time_zone)
    if kind == "result":
        return topics.result(view, language)
    if kind == "file":
        return topics.refused_file(view, change.facts, language)
    if kind == "question":
        return _question(view, subject, change, posted, language)
    if kind == "held":
        return _held(view, change, posted, language)
    if kind == "word":
        return topics.word(change.facts, language)
    if kind == "unknown":
        return _notice(view, UUID(subject), change, posted, language)
    if posted is None:
        return topics.failure(view, change.facts, language)
    if view.state == "failed":
        return posted.message
    return topics.retire(posted.message, card.OVER.to(language))


async def _approval(house: House, view: TaskView, approval_id: UUID) -> ApprovalView:
    if view.approval is not None and view.approval.id == approval_id:
        return view.approval
    async with house.engine.connect() as connection:
        return await approval_view(connection, view.organisation_id, approval_id)


async def _about_approval(
    house: House, view: TaskView, thread: Thread, kind: str, subject: UUID
) -> Message | None:
    """Something said about an approval, or its end for somebody it is circulated to."""
    language, zone = thread.language, thread.time_zone
    if kind == "round":
        approval = await _approval(house, view, subject)
        return card.circulated(view, approval, language, zone, thread.reader)
    if view.approval is None:
        return None
    said = [note for note in view.approval.notes if note.id == subject]
    return topics.note(view, said[0], language) if said else None


def _card(
    view: TaskView, approval: ApprovalView, thread: Thread, change: Due, posted: Posted | None
) -> Message | None:
    language, zone = thread.language, thread.time_zone
    if approval.revision != view.revision and posted is not None:
        return topics.retire(posted.message, card.closed(approval, language, zone))
    if thread.reader is not None and change.slot.count(":") == 1:  # not a copy of theirs
        return card.drafted(view, approval, language, zone, thread.reader)
    if change.waited and posted is None and not _waits_for(approval, thread):
        return None  # it was over before they were to be told
    return card.card(view, approval, language, zone, thread.reader)


def _waits_for(approval: ApprovalView, thread: Thread) -> bool:
    return thread.reader is not None and approval.waits_for(thread.reader)


def _reminder(
    view: TaskView, approval: ApprovalView, thread: Thread, change: Due, posted: Posted | None
) -> Message | None:
    language, zone = thread.language, thread.time_zone
    if approval.state != "pending":
        verdict = card.closed(approval, language, zone)
        return topics.retire(posted.message, verdict) if posted else None
    if "at" not in change.facts:  # it moved, and still waits
        return posted.message if posted else None
    return topics.reminded(approval, change.facts, language, zone)


def _question(
    view: TaskView, question_id: str, change: Due, posted: Posted | None, language: Language
) -> Message | None:
    if view.question is not None and view.question["id"] == question_id:
        return topics.question(view, language)
    if posted is None:
        return None
    return topics.answered(posted.message, change.facts.get("answer", ""), language)


def _held(view: TaskView, change: Due, posted: Posted | None, language: Language) -> Message | None:
    if view.waiting_for == "release":
        return topics.held(view, language)
    if posted is None:
        return None
    how = change.facts.get("how")
    note = load(Words, how) if how is not None else card.OVER
    return topics.retire(posted.message, note.to(language))


def _notice(
    view: TaskView, delivery_id: UUID, change: Due, posted: Posted | None, language: Language
) -> Message | None:
    for unsure in view.unsure:
        if unsure.id == delivery_id:
            return topics.unknown_message(view, unsure, change.facts, language)
    if posted is None or "answer" not in change.facts:
        return posted.message if posted else None
    return topics.retire(posted.message, topics.settled(change.facts, language))
