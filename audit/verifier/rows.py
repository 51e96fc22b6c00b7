"""One stored event against the hash it must have and the columns that must agree with it."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from audit.hashing import leaf_hash
from audit.verifier.spelling import spell
from audit.verifier.verdict import Fault, Kind

COLUMNS = (
    "e.organisation_id, e.stream, e.seq, e.id, e.at, e.tag, e.sha256, cast(e.body as text) as body"
)
"""What `contents` needs of an event."""

LATE = timedelta(days=1)
"""An event may get its leaf this much after others of its time: outages, long transactions."""


class Contents:
    """What an event's row says: its body and that body's leaf hash.

    A body that is no canonical JSON at all has no leaf hash, and matches none.
    """

    __slots__ = ("_spelt", "body", "leaf", "row")

    def __init__(self, row: Any) -> None:
        self.row = row
        self.body: dict[str, Any] = {}
        self.leaf = b""
        self._spelt = b""
        try:
            body = json.loads(row["body"])
            self._spelt = spell(body)
        except ValueError:
            return
        self.leaf = leaf_hash(self._spelt)
        if isinstance(body, dict):
            self.body = body

    @property
    def hashed(self) -> bool:
        """Whether the row's own hash, which its stream's chain goes over, is of this body."""
        return bool(sha256(self._spelt).digest() == self.row["sha256"])


def misplaced(contents: Contents) -> str | None:
    """The column by which a row stands where another event belongs."""
    row, body = contents.row, contents.body
    if body.get("id") != str(row["id"]):
        return "id"
    if body.get("stream") != str(row["stream"]):
        return "stream"
    if body.get("organisation") != str(row["organisation_id"]):
        return "organisation_id"
    return None


def renumbered(contents: Contents) -> bool:
    """Whether a row stands at another number of its stream than the event says.

    An event of version 1 says none; only its stream's chain tells.
    """
    body = contents.body
    return body.get("v") != 1 and body.get("seq") != contents.row["seq"]


def changed(contents: Contents) -> str | None:
    """The column that says something else than the event does."""
    row, body = contents.row, contents.body
    if body.get("tag") != row["tag"]:
        return "tag"
    if not contents.hashed:
        return "sha256"
    at = row["at"]
    if body.get("at") != at.isoformat() and _moment(body.get("at")) != at:
        return "at"
    return None


def disagreement(contents: Contents, origin: str | None, leaf: int | None) -> Fault | None:
    """A column that does not agree with an event whose content is as it was."""
    row = contents.row
    if column := misplaced(contents):
        kind = Kind.REORDERED
    elif column := changed(contents):
        kind = Kind.MODIFIED
    elif renumbered(contents):
        column, kind = "seq", Kind.REORDERED
    else:
        return None
    return Fault(
        kind,
        f"the column {column} does not agree with the event",
        origin,
        leaf,
        event=row["id"],
        stream=row["stream"],
        seq=row["seq"],
    )


def _moment(text: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(text))
    except ValueError:
        return None


class Clock:
    """Whether events come in the order of their time, but for `LATE`.

    The time reached is what two events in a row agree on: one with a clock that was wrong does not
    make all after it look late.
    """

    def __init__(self) -> None:
        self._before: datetime | None = None
        self._reached: datetime | None = None

    def is_late(self, at: datetime) -> bool:
        """Take the next event's time; whether it was dated back."""
        if self._reached is not None and at < self._reached - LATE:
            return True
        if self._before is not None:
            both = min(self._before, at)
            self._reached = both if self._reached is None else max(self._reached, both)
        self._before = at
        return False


def as_event_id(value: object) -> UUID | None:
    """An event's id as its body gives it; None for anything else."""
    try:
        return UUID(str(value))
    except ValueError:
        return None


_FIRST, _LAST = datetime(1970, 1, 3, tzinfo=UTC), datetime(9999, 12, 1, tzinfo=UTC)


def written_about(ids: Sequence[UUID]) -> tuple[datetime, datetime]:
    """From when to when such events were written, going by their ids, which begin with a time.

    Where that is not so they have to be looked for in each month.
    """
    moments = []
    for id_ in (min(ids), max(ids)):
        try:
            moment = datetime.fromtimestamp((id_.int >> 80) / 1000, UTC)
        except (ValueError, OverflowError, OSError):
            moment = _LAST
        moments.append(min(max(moment, _FIRST), _LAST))
    return moments[0] - LATE, moments[1] + LATE
