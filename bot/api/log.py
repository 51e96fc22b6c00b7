"""Searching the audit log and the index of documents, and taking what is found along."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from audit.search import PAGE, PAGE_AT_MOST
from bot.api.door import Timely, Visit, Visiting
from bot.api.models import ProblemDetails
from bot.api.problems import Problem
from core import handover, lookup
from core.asked import Asked, Reader
from core.errors import NotAllowed, Refused, Unknown
from core.people import spell


class Looking(Timely):
    """A route that looks for something, which gives up by itself (audit.search.SLOWEST) and then
    says more than that the database is away."""

    patience = 8.0


router = APIRouter(prefix="/audit", route_class=Looking)

_MEDIA = {"csv": "text/csv; charset=utf-8", "jsonl": "application/jsonl"}
_NOT_FOUND: dict[int | str, dict[str, Any]] = {
    404: {"model": ProblemDetails, "description": "No such person or task, for this organisation"}
}

Part = Annotated[str, Query(max_length=200)]


class DocumentLine(BaseModel):
    """A document of the index. `amount` in whole yen, tax included."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    number: str
    kind: str
    dated: date
    amount: int | None
    counterparty: str
    task: str
    person: str | None = Field(description="Who asked for it, by handle.")
    voided: bool
    retain_until: date
    sha256: str | None
    file_name: str | None
    media_type: str | None


class EventLine(BaseModel):
    """An event of the log."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    at: datetime
    tag: str
    stream: UUID
    seq: int
    task: str | None
    person: str | None = Field(description="Who did it, by handle.")
    account: str | None
    ip: str | None
    user_agent: str | None
    data: dict[str, Any]


class Documents(BaseModel):
    """A page of documents, the newest first."""

    documents: list[DocumentLine]
    next: str | None = Field(description="Where the next page is, for GET.")


class Events(BaseModel):
    """A page of events, the newest first."""

    events: list[EventLine]
    next: str | None = Field(description="Where the next page is, for GET.")


def _asked(
    since: Annotated[date | None, Query(alias="from", description="The first day.")] = None,
    until: Annotated[date | None, Query(alias="to", description="The last day.")] = None,
    least: Annotated[int | None, Query(alias="min", description="Yen, tax included.")] = None,
    most: Annotated[int | None, Query(alias="max", description="Yen, tax included.")] = None,
    counterparty: Annotated[Part, Query(description="Any part of the name.")] = "",
    person: Annotated[Part, Query(description="A handle.")] = "",
    task: Annotated[Part, Query(description="A task's number, or that of a document of its.")] = "",
    number: Annotated[Part, Query(description="A document's number.")] = "",
    kind: Annotated[Part, Query(description="Whose work the document is: an agent's name.")] = "",
    text: Annotated[Part, Query(description="Words that the document holds, all of them.")] = "",
    tag: Annotated[list[str] | None, Query(description="Of events: any of these.")] = None,
) -> Asked:
    return Asked(
        since, until, least, most, counterparty, person, task, number, kind, text, tuple(tag or ())
    )


Wanted = Annotated[Asked, Depends(_asked)]
After = Annotated[str | None, Query(max_length=200, description="From `next` of a page before.")]
Limit = Annotated[int, Query(ge=1, le=PAGE_AT_MOST)]


@router.get("/documents", responses=_NOT_FOUND, summary="Search issued documents")
async def documents(
    request: Request, visit: Visiting, asked: Wanted, after: After = None, limit: Limit = PAGE
) -> Documents:
    """For accountants, auditors and admins. That it was searched is itself in the log."""
    found = await _look(visit, "documents", asked, after, limit)
    rows = [DocumentLine.model_validate(row) for row in found.rows]
    return Documents(documents=rows, next=_next(request, found))


@router.get("/events", responses=_NOT_FOUND, summary="Search the audit log")
async def events(
    request: Request, visit: Visiting, asked: Wanted, after: After = None, limit: Limit = PAGE
) -> Events:
    """For accountants, auditors and admins. What is asked of documents (amount, counterparty,
    number, kind, text) finds the events of those."""
    found = await _look(visit, "events", asked, after, limit)
    rows = [EventLine.model_validate(row) for row in found.rows]
    return Events(events=rows, next=_next(request, found))


@router.get(
    "/exports/{what}.{form}",
    responses={
        **_NOT_FOUND,
        200: {"content": {"text/csv": {}, "application/jsonl": {}}, "description": "All of it"},
    },
    response_class=StreamingResponse,
    summary="Take all that is found along",
)
async def export(
    what: Literal["documents", "events"],
    form: Literal["csv", "jsonl"],
    visit: Visiting,
    asked: Wanted,
) -> StreamingResponse:
    """CSV for spreadsheets (UTF-8 with BOM; nothing in it is a formula), or JSON Lines."""
    reader = _reader(visit)
    with _told():
        begun = await handover.begin(visit.opening.house, reader, what, form, asked)
    sheet = handover.sheet(visit.opening.house, reader, what, form, asked, begun)
    headers = {
        "Content-Disposition": f'attachment; filename="{what}.{form}"',
        "X-Content-Type-Options": "nosniff",
    }
    return StreamingResponse(sheet, media_type=_MEDIA[form], headers=headers)


def _reader(visit: Visit) -> Reader:
    person = visit.person
    return Reader(
        person.organisation_id, spell(visit.sender), person, visit.language, person.time_zone,
        visit.ip, visit.user_agent,
    )  # fmt: skip


async def _look(
    visit: Visit, what: lookup.What, asked: Asked, after: str | None, limit: int
) -> lookup.Found:
    with _told():
        return await lookup.look(
            visit.opening.house, _reader(visit), what, asked, after=after, limit=limit
        )


@contextmanager
def _told() -> Iterator[None]:
    """What is refused, as HTTP."""
    try:
        yield
    except NotAllowed as error:
        raise Problem(403, error.words) from error
    except Unknown as error:
        raise Problem(404, error.words, code="unknown") from error
    except Refused as error:
        raise Problem(422, error.words) from error


def _next(request: Request, found: lookup.Found) -> str | None:
    if found.after is None:
        return None
    url = request.url.include_query_params(after=found.after)
    return f"{url.path}?{url.query}"
