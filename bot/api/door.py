"""What every request of a program passes: who it is, in time, and each key for one thing only."""

from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, TypeVar

import structlog
from fastapi import Depends, Header, Request, Response
from fastapi.routing import APIRoute
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from audit.registry import brief
from bot.api import keys, tokens
from bot.api.pace import Pace
from bot.api.problems import KEY_REUSED, Problem, away, language_of, no_token
from core.codec import fingerprint
from core.db import is_outage
from core.in_time import within
from core.inbound import Answer, Inbound, Sender, storable
from core.intake import PATIENCE, accept
from core.people import Person
from core.platform import Opening
from core.words import Language

log = structlog.get_logger()

T = TypeVar("T")

_KEY = r'^("[\x21\x23-\x7e]{1,200}"|[\x21\x23-\x7e]{1,200})$'
"""As the draft has it, in double quotes; or bare, as most programs send it."""


class Timely(APIRoute):
    """A route that answers within `patience` seconds, whatever the database does.

    What is not done by then is called off, and how long that takes nobody waits for.
    """

    patience: ClassVar[float] = PATIENCE

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def timely(request: Request) -> Response:
            try:
                return await within(self.patience, handle(request))
            except Exception as error:
                if not is_outage(error):
                    raise
                log.error("api.database_away", path=request.url.path, error=repr(error))
                raise away() from error

        return timely


@dataclass(frozen=True, slots=True)
class Visit:
    """A request of a program: for whom it speaks, from where, in which language to answer."""

    opening: Opening
    person: Person
    sender: Sender
    language: Language
    ip: str | None
    user_agent: str | None

    @property
    def room(self) -> str:
        """A person's programs have one room, whichever token they come with."""
        return str(self.person.id)


_bearer = HTTPBearer(
    auto_error=False, scheme_name="token", description="`miyabi people token HANDLE` makes one."
)


async def visit(
    request: Request,
    given: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> Visit:
    """Raises Problem 401 for whoever is not known, 429 for who comes too often."""
    opening: Opening = request.app.state.opening
    if given is None:
        raise no_token()
    token = given.credentials
    caller = await _ask(opening, lambda connection: tokens.caller(connection, token))
    if caller is None:
        raise no_token()
    request.state.language = caller.person.language
    pace: Pace = request.app.state.pace
    await pace.count(caller.sender.account)
    return Visit(
        opening, caller.person, caller.sender, language_of(request),
        ip=request.client.host if request.client else None,
        user_agent=brief(storable(request.headers.get("user-agent", ""))) or None,
    )  # fmt: skip


def _bare(
    key: Annotated[
        str,
        Header(
            alias="Idempotency-Key",
            pattern=_KEY,
            description="Unique per act. The same key with the same content gets the first "
            "answer once more; with other content it is refused (422).",
        ),
    ],
) -> str:
    return key.strip('"')


Visiting = Annotated[Visit, Depends(visit)]
Key = Annotated[str, Depends(_bare)]


async def claim(visit: Visit, key: str, act: str, content: object) -> keys.Claim:
    """Take a key for this act. Raises Problem 422 where it was taken for another one."""
    wanted = fingerprint([act, content])
    claimed = await _ask(
        visit.opening,
        lambda connection: keys.claim(connection, visit.person, visit.sender, key, wanted),
    )
    if claimed.fingerprint != wanted:
        raise Problem(422, KEY_REUSED, code="key_reused")
    return claimed


async def take_in(visit: Visit, inbound: Inbound) -> Answer:
    """As core.intake.accept; but a refusal for want of room is for this time only.

    A person who is told so asks again in other words; a program sends the same with the same key.
    """
    answer = await accept(visit.opening.house, inbound)
    if answer.refusal != "full":
        return answer
    await _ask(
        visit.opening,
        lambda connection: keys.forget_refusal(connection, visit.person, visit.sender, inbound.key),
    )
    return await accept(visit.opening.house, inbound) if answer.repeated else answer


async def _ask(opening: Opening, statement: Callable[[AsyncConnection], Awaitable[T]]) -> T:
    """Run a statement that may be run twice; again where its connection was one from before a
    restart of the database."""
    try:
        return await _run(opening, statement)
    except DBAPIError as error:
        if not error.connection_invalidated:
            raise
        return await _run(opening, statement)


async def _run(opening: Opening, statement: Callable[[AsyncConnection], Awaitable[T]]) -> T:
    async with opening.house.engine.connect() as raw:
        return await statement(await raw.execution_options(isolation_level="AUTOCOMMIT"))
