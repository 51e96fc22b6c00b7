"""A notice as it is to be shown: what its words are made from, on whichever channel."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from core.messages import Attachment, Picture
from core.notices import Action, Importance
from core.words import Words


@dataclass(frozen=True, slots=True)
class Told:
    """All of a notice that its reader may see, as it stands.

    `at`: when it happened. `task`: the reference of its task. `acknowledged_by`: who has it.
    `notes`: what is said beside it, as why it comes by this way, or in quiet hours.
    """

    id: UUID
    organisation_id: UUID
    topic: str
    importance: Importance
    facts: Mapping[str, Any]
    at: datetime
    actions: Sequence[Action] = ()
    file: Attachment | None = None
    picture: Picture | None = None
    task: int | None = None
    count: int = 1
    resolved: bool = False
    cancelled: bool = False
    acknowledged_by: str | None = None
    acknowledged_at: datetime | None = None
    climbs: bool = False
    """It has a ladder that somebody has to acknowledge."""
    notes: Sequence[Words] = ()

    @property
    def open(self) -> bool:
        """Whether anything can still be done about it."""
        return not (self.resolved or self.cancelled or self.acknowledged_at)
