"""A dispatch: one notice told to one reader by one channel. Its states, and words for its ends."""

from typing import Literal, get_args

State = Literal[
    "queued", "held", "sending", "sent", "delivered", "read", "unknown", "failed", "dropped",
    "digested",
]  # fmt: skip
"""`held` until a moment or a digest; `digested`: told as part of one; `delivered` and `read` where
the platform tells; `unknown`: nobody knows whether it was sent; `dropped`: it need not be sent."""

DropReason = Literal[
    "muted", "acknowledged", "cancelled", "expired", "decided", "no_right", "left", "superseded",
    "read_elsewhere", "rules", "by_hand",
]  # fmt: skip
FailReason = Literal[
    "blocked", "quota", "bounced", "channel_off", "refused", "gone", "not_set_up", "gave_up",
    "too_late",
]  # fmt: skip

DROP_REASONS: tuple[DropReason, ...] = get_args(DropReason)
FAIL_REASONS: tuple[FailReason, ...] = get_args(FailReason)

RANK = {"critical": 0, "high": 1, "normal": 2, "low": 3}
"""Of importances: `dispatches.importance`."""
