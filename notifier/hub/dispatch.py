"""A dispatch: one notice told to one reader by one channel. Its states, and words for its ends."""

from typing import Literal

State = Literal[
    "queued", "held", "sending", "sent", "delivered", "read", "unknown", "failed", "dropped",
    "digested",
]  # fmt: skip
"""`held` until a moment or a digest; `digested`: told as part of one; `delivered` and `read` where
the platform tells; `unknown`: nobody knows whether it was sent; `dropped`: it need not be sent."""

DropReason = Literal[
    "muted", "acknowledged", "cancelled", "expired", "decided", "no_right", "left", "superseded",
    "read_elsewhere", "by_hand",
]  # fmt: skip
FailReason = Literal["blocked", "bounced", "channel_off", "refused", "gave_up"]

RANK = {"critical": 0, "high": 1, "normal": 2, "low": 3}
"""Of importances: `dispatches.importance`."""
