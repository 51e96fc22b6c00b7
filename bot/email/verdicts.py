"""What becomes of a mail, in the words of the log and of `miyabi ingest --json`."""

from dataclasses import dataclass
from typing import Literal, get_args
from uuid import UUID

Verdict = Literal["accepted", "held", "refused", "quarantined"]

Reason = Literal[
    # accepted
    "begun", "continued", "decided", "answered",
    # held
    "unverified",
    # refused
    "unknown_sender", "not_allowed", "automatic", "bounce", "list", "receipt", "complaint",
    "too_large", "forged", "empty", "encrypted", "loop", "duplicate",
    # quarantined
    "unreadable",
]  # fmt: skip
"""Why: what came of it (`answered`: a command, or what nothing could be made of), or what kind of
mail it is that makes nothing. `loop`: it comes from one of our own addresses, or too many answers
have gone there."""

REASONS: tuple[Reason, ...] = get_args(Reason)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a mail; `task` is what it began or went on with."""

    verdict: Verdict
    reason: Reason
    task_id: UUID | None = None
    reference: int | None = None
    person_id: UUID | None = None
