"""What programs are answered that have people told: taken in, and how it stands."""

import json
from typing import Any

from starlette.responses import Response

from core.notices_in import Standing, Taken

PATH = "/api/notify"


def accepted(taken: Taken) -> Response:
    """It is stored; where to look how it stands."""
    return as_json(202, told(taken), {"Location": f"{PATH}/{taken.id}"})


def told(taken: Taken) -> dict[str, object]:
    """One that was taken in."""
    return {"id": str(taken.id), "again": taken.again, "status": f"{PATH}/{taken.id}"}


def as_json(status: int, content: object, headers: dict[str, str] | None = None) -> Response:
    """An answer."""
    return Response(json.dumps(content, default=str), status, headers, "application/json")


def standing_as_json(found: Standing) -> dict[str, Any]:
    """`state`: `accepted` until it is decided who hears it; then `sending` while any waits."""
    open_ = {"queued", "held", "sending"}
    waits = any(each["state"] in open_ for each in found.dispatches)
    decided = found.fanned_at is not None or found.head_id is not None
    return {
        "id": str(found.id),
        "topic": found.topic,
        "importance": found.importance,
        "state": ("sending" if waits else "done") if decided else "accepted",
        "counted_with": str(found.head_id) if found.head_id else None,
        "count": found.count,
        "resolved": found.resolved,
        "created_at": found.created_at.isoformat(),
        "acknowledged_at": found.acknowledged_at and found.acknowledged_at.isoformat(),
        "cancelled_at": found.cancelled_at and found.cancelled_at.isoformat(),
        "expires_at": found.expires_at and found.expires_at.isoformat(),
        "dispatches": list(found.dispatches),
    }
