"""The HTTP routes: each request becomes a delivery for core.intake or a look at a task."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Path, Response
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Mount

from bot.api import log, problems
from bot.api.acts import press, reply
from bot.api.answers import answered
from bot.api.door import Key, Timely, Visit, Visiting, claim, take_in
from bot.api.forms import read_form, unchecked_form
from bot.api.models import (
    Answered,
    Because,
    NewRequest,
    ProblemDetails,
    Reply,
    Saying,
    SentBack,
    Somebody,
    Task,
)
from bot.api.pace import Pace
from bot.api.problems import Problem
from bot.api.render import task as rendered
from bot.api.tasks import document_of, find
from core.inbound import Form, Inbound, Spot
from core.platform import Opening
from core.problems import MEDIA_TYPE
from core.task_data import facts_of

MOUNTED_AT = "/api"

Name = Annotated[str, Path(description="A task's number, or that of a document of its.")]

_SAYS: dict[int | str, dict[str, Any]] = {
    400: {"model": ProblemDetails, "description": "No JSON, or a header is missing or wrong"},
    401: {"model": ProblemDetails, "description": "No token, a wrong one, or a revoked one"},
    403: {"model": ProblemDetails, "description": "The token's person may not"},
    413: {"model": ProblemDetails, "description": "More than 1 MB"},
    422: {"model": ProblemDetails, "description": "Wrong content, or a key used for another act"},
    500: {"model": ProblemDetails, "description": "A fault of ours; the log has its id"},
    503: {"model": ProblemDetails, "description": "The database is away; nothing was done"},
}
_NOT_FOUND: dict[int | str, dict[str, Any]] = {
    404: {"model": ProblemDetails, "description": "No such task, for this organisation"}
}
_ASKED: dict[int | str, dict[str, Any]] = {
    **_NOT_FOUND,
    200: {"model": Answered, "description": "Done or told; nothing was begun"},
    409: {"model": ProblemDetails, "description": "Nothing to do"},
    429: {
        "model": ProblemDetails,
        "description": "As much is under way as may be, or too many requests",
    },
}
_ACT: dict[int | str, dict[str, Any]] = {
    **_NOT_FOUND,
    202: {"model": Answered, "description": "Taken in"},
    409: {"model": ProblemDetails, "description": "Not in the state that it is in"},
}

router = APIRouter(prefix="/v1", route_class=Timely, responses=_SAYS)


@router.post("/requests", status_code=202, responses=_ASKED, summary="Ask for work")
async def ask(request: NewRequest, visit: Visiting, key: Key, response: Response) -> Answered:
    """Taken in once, however often it is sent with the same key."""
    claimed = await claim(visit, key, "ask", request.model_dump())
    form: Form | None = None
    if request.form is not None and request.agent is not None:
        read = unchecked_form(visit, request.agent, request.form)
        form = read if claimed.answered else await read_form(visit, request.agent, request.form)
    text = request.text
    if form is None and request.agent is not None:
        text = _addressed(visit, request.agent, text)
    inbound = Inbound(
        visit.sender,
        Spot(visit.room, request.thread or key),
        claimed.delivery,
        text=text,
        form=form,
        lane=request.lane,
        by_program=True,
        ip=visit.ip,
        user_agent=visit.user_agent,
    )
    answer = await take_in(visit, inbound)
    return answered(visit, answer, response, wrong=422, said=text)


def _addressed(visit: Visit, agent: str, text: str) -> str:
    """The text with the agent's own word before it, as a person would say whose work it is."""
    known = visit.opening.house.agents.get(agent)
    if known is None:
        raise Problem(422, errors={"agent": problems.NO_AGENT.fill(agent=agent)})
    return f"{known.words[0]} {text}"


# Looking


@router.get("/tasks/{reference}", responses=_NOT_FOUND, summary="How a task stands")
async def show(reference: Name, visit: Visiting) -> Task:
    """What the chat shows of it, as data."""
    found = await find(visit, reference)
    facts = await facts_of(visit.opening.house, found.view)
    return rendered(found.view, facts, found.thread, visit.language)


@router.get(
    "/tasks/{reference}/documents/{number}",
    responses={
        **_NOT_FOUND,
        200: {"content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}}}},
    },
    response_class=Response,
    summary="A document that was issued",
)
async def document(reference: Name, number: str, visit: Visiting) -> Response:
    """The file itself, the same bytes for ever."""
    found = await find(visit, reference)
    return await document_of(visit, found.view, number)


# Doing


def _button(act: str) -> Callable[..., Awaitable[Answered]]:
    async def button(reference: Name, visit: Visiting, key: Key, response: Response) -> Answered:
        return answered(visit, await press(visit, key, reference, act), response, wrong=409)

    return button


def _button_with_reason(act: str) -> Callable[..., Awaitable[Answered]]:
    async def button(
        reference: Name, because: Because, visit: Visiting, key: Key, response: Response
    ) -> Answered:
        answer = await press(visit, key, reference, act, because.reason)
        return answered(visit, answer, response, wrong=409)

    return button


async def _send_back(
    reference: Name, back: SentBack, visit: Visiting, key: Key, response: Response
) -> Answered:
    answer = await press(visit, key, reference, "return", back.reason, back.to)
    return answered(visit, answer, response, wrong=409)


def _saying(act: str) -> Callable[..., Awaitable[Answered]]:
    async def say(
        reference: Name, said: Saying, visit: Visiting, key: Key, response: Response
    ) -> Answered:
        answer = await press(visit, key, reference, act, said.text)
        return answered(visit, answer, response, wrong=409)

    return say


def _naming(act: str) -> Callable[..., Awaitable[Answered]]:
    async def name_somebody(
        reference: Name, named: Somebody, visit: Visiting, key: Key, response: Response
    ) -> Answered:
        reason = f"@{named.person.removeprefix('@')} {named.text}".strip()
        answer = await press(visit, key, reference, act, reason)
        return answered(visit, answer, response, wrong=409)

    return name_somebody


for name, endpoint, summary in (
    ("cancel", _button("cancel"), "Withdraw a task"),
    ("retry", _button("retry"), "Run a task again that stopped"),
    ("approve", _button("approve"), "Approve what waits"),
    ("reject", _button_with_reason("reject"), "Reject what waits"),
    ("return", _send_back, "Send what waits back to who asked, or to an earlier step"),
    ("undo", _button("undo"), "Take one's own approval back"),
    ("seen", _button("seen"), "Say that one has seen what was circulated"),
    ("comment", _saying("comment"), "Say something about what waits"),
    ("question", _saying("question"), "Ask who asked for it; the answer comes to the card"),
    ("add", _naming("add"), "Have one more person approve"),
    ("forward", _naming("forward"), "Pass one's own decision on to somebody else"),
):
    router.add_api_route(
        f"/tasks/{{reference}}/{name}", endpoint, methods=["POST"], name=name, summary=summary,
        responses=_ACT,
    )  # fmt: skip


@router.post("/tasks/{reference}/answer", responses=_ACT, summary="Answer what a task asks")
async def answer(
    reference: Name, given: Reply, visit: Visiting, key: Key, response: Response
) -> Answered:
    """Only who asked for the task may, as in the chat."""
    return answered(visit, await reply(visit, key, reference, given), response, wrong=409)


router.include_router(log.router)


# All together


def routes(opening: Opening) -> Sequence[BaseRoute]:
    """An application of its own below `/api`: its errors and its description are its own."""
    app = FastAPI(
        title="Miyabi",
        version="1",
        description=_ABOUT,
        openapi_url="/openapi.json",
        docs_url=None,  # its pages would load scripts from other servers
        redoc_url=None,
        routes=router.routes,
        exception_handlers={
            Problem: problems.on_problem,
            RequestValidationError: problems.on_invalid,
            HTTPException: problems.on_http_error,
            Exception: problems.on_crash,
        },
    )
    app.state.opening = opening
    app.state.pace = Pace(opening.settings.api_per_minute)
    app.openapi = lambda: _described(app)  # type: ignore[method-assign]  # FastAPI's own way
    return [Mount(MOUNTED_AT, app)]


_ABOUT = """Ask Miyabi for work as people do in the chat, by the same rules.

`miyabi people token HANDLE` makes a token; whoever has it is that person. Errors are problem
details (RFC 9457) in the language of Accept-Language, else in the person's."""


def _described(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI description; FastAPI can't say by itself that errors are problem details."""
    if app.openapi_schema is None:
        schema = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes,
            servers=[{"url": MOUNTED_AT}],
        )  # fmt: skip
        for path in schema["paths"].values():
            for operation in path.values():
                _as_problems(operation["responses"])
        app.openapi_schema = schema
    return app.openapi_schema


def _as_problems(responses: dict[str, Any]) -> None:
    for status, response in responses.items():
        if int(status) >= 400:
            response["content"] = {MEDIA_TYPE: response["content"]["application/json"]}
