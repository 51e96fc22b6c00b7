"""The web application: the platforms' webhooks, links to documents, signs of life, figures."""

from collections.abc import Iterable, Mapping

import structlog
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Route

from core.ids import new_id
from core.platform import Opening, Platform
from core.problems import MEDIA_TYPE, accepted_language, problem
from web import acknowledging, approving, health, links, metrics, notifying
from web.health import Probe
from web.limits import BodyLimit, InTime
from web.metrics import Counted

log = structlog.get_logger()


def create_app(
    opening: Opening,
    platforms: Iterable[Platform],
    probes: Mapping[str, Probe] | None = None,
    *,
    newest: str = "",
) -> FastAPI:
    """Mount every platform's routes beside our own.

    `probes` are what `/readyz` asks besides the database, by name; `newest` is the version that
    the database's tables must have.
    """
    mounted = list(platforms)
    routes: list[BaseRoute] = [
        *health.routes(opening.house, probes or {}, newest),
        *metrics.routes(opening.house),
        *links.routes(opening),
        *approving.routes(opening, mounted),
        *acknowledging.routes(opening),
        *notifying.routes(opening),  # before the platform that has all else below /api
        *(route for platform in mounted for route in _routes(platform, opening)),
    ]
    larger: dict[str, int] = {}
    for platform in mounted:
        larger.update(platform.bodies(opening.settings))
    paths = [route.path for route in routes if isinstance(route, Route)]
    return FastAPI(
        title="Miyabi",
        openapi_url=None,  # nothing here is for people or programs to explore
        routes=routes,
        middleware=[
            Middleware(Counted, paths=paths),
            Middleware(BodyLimit, larger=larger),
            Middleware(InTime),
        ],
        exception_handlers={HTTPException: _http_error, Exception: _crash},
    )


def _routes(platform: Platform, opening: Opening) -> list[BaseRoute]:
    routes = list(platform.routes(opening))
    for route in routes:
        if not isinstance(route, BaseRoute):
            raise TypeError(f"{platform.name}: {route!r} is no route")
    return [route for route in routes if isinstance(route, BaseRoute)]


async def _http_error(request: Request, error: Exception) -> JSONResponse:
    """What Starlette says (404, 405 ...) in the form of all our errors."""
    assert isinstance(error, HTTPException)  # noqa: S101  # registered for these only
    return _problem(request, error.status_code, headers=error.headers)


async def _crash(request: Request, error: Exception) -> JSONResponse:
    """Nothing of what went wrong goes outside but an id, under which the log has it all."""
    error_id = new_id().hex[-8:]
    # Not the path as it came: that of a link opens its document.
    route = getattr(request.scope.get("endpoint"), "__qualname__", "")
    log.error("web.crashed", endpoint=route, error_id=error_id)
    return _problem(request, 500, id=error_id)


def _problem(
    request: Request, status: int, headers: Mapping[str, str] | None = None, **more: object
) -> JSONResponse:
    language = accepted_language(request.headers.get("accept-language"), "ja")
    content = problem(status, language, **more)  # type: ignore[arg-type]
    return JSONResponse(content, status, headers, MEDIA_TYPE)
