"""`/ack/TOKEN`: the page on which one person says that they have what a notice told them.

To look at it changes nothing: programs open every link of a mail. The form of it does, and so does
whoever else posts there with the address, which is for one person's mail alone.
"""

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from audit.event import Actor
from core.ack_links import PATH, Asked, read_ack
from core.acknowledging import NO_SUCH, Acknowledged, acknowledge, has_it
from core.db import fetch_one, from_json
from core.errors import TryLater, Unknown
from core.house import House
from core.notify_last import called
from core.people import Person, by_id
from core.platform import Opening
from core.problems import accepted_language
from core.unit import unit
from core.words import Words
from web.approval_page import plain
from web.approving_words import AWAY

log = structlog.get_logger()

TITLE = Words(ja="通知への対応", en="A notice", zh="通知处理")
ASK = Words(
    ja="「{about}」に対応しますか。対応を記録すると、ほかの人には通知しません。",
    en="Do you have what “{about}” is about? Once you say so, nobody else is told.",
    zh="是否由您处理“{about}”？记录后不再通知其他人。",
)
PRESS = Words(ja="対応します", en="I have it", zh="我来处理")


def routes(opening: Opening) -> list[BaseRoute]:
    """GET and POST of the page."""

    async def page(request: Request) -> Response:
        language = accepted_language(request.headers.get("accept-language"), "ja")
        try:
            return await _page(opening.house, request)
        except Unknown as error:
            return plain(404, language, TITLE, error.words)
        except (TryLater, OSError, SQLAlchemyError, TimeoutError) as error:
            log.warning("acknowledging.away", error=repr(error))
            return plain(503, language, TITLE, AWAY)

    return [Route(f"{PATH}{{token}}", page, methods=["GET", "POST"])]


async def _page(house: House, request: Request) -> Response:
    asked = read_ack(house, request.path_params["token"])
    if asked is None:
        raise Unknown(NO_SUCH)
    async with unit(house) as work:
        person = await by_id(work.connection, asked.organisation_id, asked.person_id)
        if person is None:  # who has left has nothing any more
            raise Unknown(NO_SUCH)
        if request.method != "POST":
            return await _asked(work.connection, asked, person)
        done = await acknowledge(
            work, asked.organisation_id, asked.notice_id, person.id, "pressed",
            Actor(person.id, channel="link"),
        )  # fmt: skip
        said = await has_it(work.connection, person, done)
        return plain(200, person.language, TITLE, said)


async def _asked(connection: AsyncConnection, asked: Asked, person: Person) -> Response:
    """The question, or who has it already."""
    row = await fetch_one(
        connection,
        "select n.id, n.topic, n.facts, t.reference, n.acknowledged_at as at,"
        " n.acknowledged_by as who from notices n"
        " left join tasks t on t.id = n.task_id"
        " where n.organisation_id = :organisation_id and n.id = (select coalesce(head_id, id)"
        " from notices where organisation_id = :organisation_id and id = :id)",
        {"organisation_id": asked.organisation_id, "id": asked.notice_id},
    )
    if row is None:
        raise Unknown(NO_SUCH)
    if row.at is None:
        about = called(row.reference, row.topic, from_json(row.facts), person.language)
        return plain(200, person.language, TITLE, ASK.fill(about=about), PRESS)
    said = await has_it(connection, person, Acknowledged(row.id, row.who, row.at, first=False))
    return plain(200, person.language, TITLE, said)
