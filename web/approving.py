"""`/a/TOKEN`: the page on which one person decides one step of an approval.

To look at it decides nothing, however often and by whomever. A decision is a form that was sent
from the page itself, in the browser that it was shown in; for large amounts somebody has to have
typed a code there that went to the person's own chat.
"""

import time
from collections.abc import Iterable
from uuid import UUID

import structlog
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from audit.event import Actor
from audit.registry import brief
from core.approvals import by_link, page_codes
from core.approvals.by_link import PATH, Page
from core.approvals.run import Action
from core.errors import Refused, TryLater
from core.inbound import storable
from core.messages import Attachment
from core.platform import Opening, Platform
from core.tags import Tag
from core.unit import unit
from core.words import LANGUAGES
from web import approving_words as said
from web.approval_page import (
    PRIVATE,
    Desk,
    Typed,
    Visit,
    needs_code,
    notice,
    read_shown,
    rendered,
)
from web.links import MOST_VISITS, SAME_VISIT, document
from web.visitors import Recent, sign_in, visitor

log = structlog.get_logger()

_ACTIONS: dict[str, Action] = {"approve": "approve", "reject": "reject", "return": "return"}
_REASON = 2000  # characters


def routes(opening: Opening, platforms: Iterable[Platform]) -> list[BaseRoute]:
    """GET, HEAD and POST of a page, and GET and HEAD of the files that it shows."""
    spoken = opening.house.outbounds
    apps = [each.name for each in platforms if each.confides and each.name in spoken]
    desk = Desk(opening, apps, Recent(SAME_VISIT))

    async def page(request: Request) -> Response:
        try:
            return await _page(desk, request)
        except (TryLater, OSError, SQLAlchemyError, TimeoutError) as error:
            log.warning("approving.away", error=repr(error))
            return notice(request, 503, said.AWAY)

    async def file(request: Request) -> Response:
        try:
            return await _file(desk, request)
        except (TryLater, OSError, SQLAlchemyError, TimeoutError) as error:
            log.warning("approving.away", error=repr(error))
            return notice(request, 503, said.AWAY)

    return [
        Route(f"{PATH}{{token}}", page, methods=["GET", "POST"]),
        Route(f"{PATH}{{token}}/{{sha256}}", file, methods=["GET"]),
    ]


# Whose page it is, and who is there


async def _visit(desk: Desk, request: Request) -> Visit | Response:
    """Who is at which page; or what is answered to whoever is not to see it."""
    token = by_link.read_token(request.path_params["token"])
    page = None
    if token is not None:
        async with desk.house.engine.connect() as connection:
            page = await by_link.find(connection, token)
    if page is None:
        return notice(request, 404, said.UNKNOWN)
    person = page.person
    if person is None or page.gone:
        return notice(request, 410, said.GONE)
    asked = request.query_params.get("l")
    language = next((each for each in LANGUAGES if each == asked), person.language)
    them = visitor(request, desk.house)
    if them.person is not None and them.person != person.id:
        if request.method != "HEAD" and _is_new(desk, request, page, str(them.person)):
            async with unit(desk.house) as work:
                actor = _actor(request, them.person)
                by_link.turn_away(work, page, "other person", actor)
        return notice(request, 403, said.OTHER_PERSON, language)
    if page.ended:
        return notice(request, 410, by_link.ENDED, language)
    return Visit(page, person, them, language, f"{PATH}{request.path_params['token']}")


def _is_new(desk: Desk, request: Request, page: Page, what: str) -> bool:
    """Whether that is to be said in the log: not each time that the same is done again, which
    whoever has an address could go on with."""
    visits = desk.recent.of(page.id)
    actor = _actor(request, None)
    who = (str(actor.ip), f"{what} {actor.user_agent}")
    if who in visits or len(visits) >= MOST_VISITS:
        return False
    visits[who] = time.monotonic()
    return True


def _actor(request: Request, person: UUID | None) -> Actor:
    ip = request.client.host if request.client else None
    agent = brief(storable(request.headers.get("user-agent", ""))) or None
    return Actor(person, channel="page", ip=ip, user_agent=agent)


# Looking


async def _page(desk: Desk, request: Request) -> Response:
    visit = await _visit(desk, request)
    if isinstance(visit, Response):
        return visit
    if request.method == "POST":
        return await _sent(desk, request, visit)
    if request.method == "GET" and _is_new(desk, request, visit.page, "opened"):
        async with unit(desk.house) as work:
            actor = _actor(request, visit.person.id)
            work.record(visit.page.event(Tag.PAGE_OPENED, actor))
    return rendered(desk, request, visit, await read_shown(desk, visit))


# Deciding


async def _typed(request: Request) -> Typed:
    form = await request.form()
    values = {
        name: storable(value) if isinstance(value, str) else "" for name, value in form.items()
    }
    to = values.get("to", "")
    return Typed(
        values.get("action", ""),
        values.get("reason", "")[:_REASON].strip(),
        values.get("code", "")[:64],
        values.get("nonce", "")[:64],
        int(to) if to.isdecimal() and len(to) < 4 else None,
    )


async def _sent(desk: Desk, request: Request, visit: Visit) -> Response:
    """What was pressed. Only a decision that is made, or a code that is right, leads on."""
    typed = await _typed(request)
    house, page = desk.house, visit.page
    actor = _actor(request, visit.person.id)
    shown = await read_shown(desk, visit)
    if not visit.visitor.sent_by_us(request, house, page.id, typed.nonce):
        if _is_new(desk, request, page, "other site"):
            async with unit(house) as work:
                by_link.turn_away(work, page, "other site", actor)
        return rendered(desk, request, visit, shown, said.PRESS_AGAIN, typed)
    response = RedirectResponse(f"{visit.path}?l={visit.language}", 303, PRIVATE)
    try:
        if typed.action == "code":
            async with unit(house) as work:
                await page_codes.send_code(work, house, page, desk.apps, actor)
        elif typed.action == "enter":
            async with unit(house) as work:
                right = await page_codes.take_code(work, house, page, typed.code, actor)
            if not right:
                raise Refused(page_codes.WRONG)
            sign_in(response, house, visit.person.id, PATH)
        elif typed.action not in _ACTIONS:
            return rendered(desk, request, visit, shown)
        elif needs_code(desk, visit, shown.view):
            return rendered(desk, request, visit, shown, said.LABELS["needs_code"], typed)
        else:
            async with unit(house) as work:
                action = _ACTIONS[typed.action]
                to = typed.to if action == "return" else None
                await by_link.decide(work, page, action, typed.reason, actor, to)
    except Refused as refused:
        return rendered(desk, request, visit, await read_shown(desk, visit), refused.words, typed)
    return response


# Files, and pages that say no


async def _file(desk: Desk, request: Request) -> Response:
    """What a page shows, and nothing else."""
    visit = await _visit(desk, request)
    if isinstance(visit, Response):
        return visit
    shown = await read_shown(desk, visit)
    files = {file.sha256: file for file in shown.files}
    picture = shown.view.summary(visit.language).picture
    if picture is not None:
        files.setdefault(
            picture.sha256, Attachment(picture.sha256, f"{shown.view.reference}.png", "image/png")
        )
    found = files.get(request.path_params["sha256"])
    if found is None or not shown.is_current:
        return notice(request, 404, said.UNKNOWN, visit.language)
    try:
        content = await desk.opening.read_file(visit.page.organisation_id, found.sha256)
    except LookupError:
        return notice(request, 410, said.GONE, visit.language)
    return document(request, found, content)
