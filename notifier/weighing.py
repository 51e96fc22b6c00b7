"""What is worth saying where nothing can be edited and each call costs, and how much it is worth.

What was edited elsewhere is said here as one more message, if at all: nobody is told what they did
themselves, what a message of its own tells them, or how far the work is (`status` says that).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.approvals.view import ApprovalView
from core.messages import Message
from core.ports import Weight
from core.views import TaskView
from notifier.thread import Due, Thread


@dataclass(frozen=True, slots=True)
class Around:
    """What of the conversation decides what is said in it.

    `tells_ends`: the reader wants to hear that what they were asked has ended, at a cost. `amounts`
    may be shown to the several people who read it. `has_result`: the task's result is shown here.
    """

    tells_ends: bool = False
    amounts: bool = False
    has_result: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """A slot's waiting changes, with what it says once they are shown, and what it said before."""

    thread: Thread
    view: TaskView
    changes: Sequence[Due]
    message: Message
    before: Message | None

    @property
    def slot(self) -> str:
        return self.changes[-1].slot

    def told(self, fact: str, value: object) -> bool:
        """Whether any of the news says so."""
        return any(change.facts.get(fact) == value for change in self.changes)


FIRST: Mapping[str, Weight | None] = {
    "root": None,
    "question": "must",
    "result": "must",
    "failure": "must",
    "file": "must",
    "held": "must",
    "word": "must",
    "code": "must",
    "note": "must",
    "round": "must",
    "digest": "must",
    "unknown": "must",
    "enclosed": "may",
    "reminder": "may",
}
"""By the kind of slot, for what has not been said yet. None: never."""

AGAIN: Mapping[str, Weight | None] = {
    "result": "must",
    "word": "must",
    "enclosed": "may",
    "held": "may",
}
"""For a change of what was said; of what is not among them, none is."""


def weigh(change: Change, around: Around) -> Weight | None:
    """What it is worth to say this; None: it is not said."""
    kind = change.slot.partition(":")[0]
    if kind == "flash":
        return _flash(change, around)
    if kind == "card":
        return _card(change, around)
    return (FIRST if change.before is None else AGAIN).get(kind)


def _flash(change: Change, around: Around) -> Weight | None:
    """How far the task is, only where nothing else says how it ended or what is to be done."""
    if change.message.buttons:
        return "must" if change.before is None else "may"
    if change.before is not None:
        return None
    if change.view.state == "done" and not around.has_result:
        return "must"
    return "must" if change.told("stopped", True) else None


# Cards


def _card(change: Change, around: Around) -> Weight | None:
    _, approval_id, *stage = change.slot.split(":")
    approval = change.view.approval
    of_task = approval if approval is not None and str(approval.id) == approval_id else None
    if of_task is not None and of_task.state == "pending":
        return _open(change, of_task, around, home=not stage)
    return _over(change, of_task, around, home=not stage)


def _open(change: Change, approval: ApprovalView, around: Around, *, home: bool) -> Weight | None:
    reader = change.thread.reader
    if reader is None:  # several people read it, and any of them may press
        return "must" if around.amounts and change.before is None else "may"
    if not approval.waits_for(reader):
        return _drafted(change) if home else _closing(change, approval, around)
    if change.before is None or not change.before.buttons:
        return "urgent"
    # Who asked something before deciding waits for what the answer is.
    return "must" if change.told("kind", "answer") else "may"


def _drafted(change: Change) -> Weight | None:
    """For whoever asked: that it waits, and again once it waits for somebody else."""
    before = change.before
    return "may" if before is None or before.note != change.message.note else None


def _over(
    change: Change, approval: ApprovalView | None, around: Around, *, home: bool
) -> Weight | None:
    if not home:
        return _closing(change, approval, around)
    if approval is not None and approval.state == "rejected":
        return "must"
    # What was sent back or has expired is told by a question or a failure, and that it goes on by
    # its result; withdrawn or changed it was by who reads this.
    tells = approval is not None and approval.state == "approved"
    return "may" if tells and change.before is not None else None


def _closing(change: Change, approval: ApprovalView | None, around: Around) -> Weight | None:
    """That it is no longer somebody's to decide, unless they decided it, or never heard of it."""
    standing = approval.run.standing if approval is not None else ()
    decided = any(decision.person == change.thread.reader for decision in standing)
    if change.before is None or decided:
        return None
    return "must" if around.tells_ends else "may"
