"""`/api/notify`: where other programs have people told, as notices, CloudEvents or alerts.

Whoever calls has a key (core/notice_senders.py). What comes while others are being served goes
together with them in one statement and one commit (core/together.py), and is answered when it is
durable, with an id under which its standing is told.
"""

import re
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from uuid import UUID

import structlog
from sqlalchemy.exc import DBAPIError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from bot.api.pace import Pace
from bot.api.problems import KEY_REUSED, Problem, away, on_problem
from core import acknowledging, notices_in
from core.db import is_outage
from core.documents import Files
from core.errors import Refused, TryLater
from core.file_kinds import NO_PROGRAM, any_kind_of
from core.in_time import within
from core.intake import PATIENCE
from core.messages import Attachment
from core.notice_senders import LONGEST_TOPIC, TOPIC, Sender
from core.notices import Notice, Recipient
from core.notices_in import ACTOR, Standing, Taken, Values
from core.platform import Opening
from core.together import Together
from core.unit import unit
from core.words import Words
from notifier.hub import fanning
from web import notify_alerts, notify_body, notify_events
from web.known_callers import KnownCallers, KnownNames
from web.notify_answers import PATH, accepted, as_json, standing_as_json, told

log = structlog.get_logger()

_KEY = re.compile(r'"([\x21\x23-\x7e]{1,200})"|([\x21\x23-\x7e]{1,200})')
_NO_KEY = Words(
    ja="Idempotency-Key ヘッダーを付けてください（通知ごとに別の値、200文字まで）。",
    en="Send an Idempotency-Key header: another value for each notice, 200 characters at most.",
    zh="请附上 Idempotency-Key 请求头（每条通知使用不同的值，最多200个字符）。",
)
_NO_SENDER = Words(
    ja="有効なキーを Authorization: Bearer で送ってください。"
    "「miyabi notify sender add」で作成できます。",
    en="Send a valid key as Authorization: Bearer. “miyabi notify sender add” makes one.",
    zh="请用 Authorization: Bearer 发送有效的密钥。可用“miyabi notify sender add”创建。",
)
_NO_NOTICE = Words(
    ja="この番号の通知はありません。", en="There is no notice of that id.", zh="没有该编号的通知。"
)


def routes(opening: Opening) -> list[BaseRoute]:
    """The ways in for programs; before `/api` of the platform for programs that ask for work."""
    desk = Desk.of(opening)
    return [
        Route(PATH, _answering(desk.notice), methods=["POST"]),
        Route(f"{PATH}/cloudevents", _answering(desk.events), methods=["POST"]),
        Route(f"{PATH}/cloudevents", _allowing, methods=["OPTIONS"]),
        Route(f"{PATH}/alertmanager", _answering(desk.alerts), methods=["POST"]),
        Route(f"{PATH}/{{id}}", _answering(desk.standing), methods=["GET"]),
        Route(f"{PATH}/{{id}}/ack", _answering(desk.acknowledge), methods=["POST"]),
        Route(f"{PATH}/{{id}}/cancel", _answering(desk.cancel), methods=["POST"]),
    ]


def _answering(
    handle: Callable[[Request], Awaitable[Response]],
) -> Callable[[Request], Awaitable[Response]]:
    async def answered(request: Request) -> Response:
        try:
            return await _twice(handle, request)
        except Problem as problem:
            return await on_problem(request, problem)
        except TryLater as error:  # the store of documents
            return await on_problem(request, away(error.words))
        except Exception as error:
            if not is_outage(error):
                raise
            log.error("notify.database_away", error=repr(error))
            return await on_problem(request, away())

    return answered


async def _twice(handle: Callable[[Request], Awaitable[Response]], request: Request) -> Response:
    """Again where its connection was one from before a restart of the database: what is done twice
    is done once here."""
    try:
        return await handle(request)
    except DBAPIError as error:
        if not error.connection_invalidated:
            raise
    return await handle(request)


async def _allowing(request: Request) -> Response:
    """What asks whether events may be sent here (CloudEvents' HTTP webhooks, 4): they may, by
    whoever has a key."""
    origin = request.headers.get("webhook-request-origin", "")
    headers = {"Allow": "POST, OPTIONS"}
    if origin:
        headers |= {"WebHook-Allowed-Origin": "*", "WebHook-Allowed-Rate": "*"}
    return Response(status_code=200, headers=headers)


@dataclass(frozen=True, slots=True)
class Desk:
    """Who has called lately, and what is on its way into the database. Of one event loop."""

    opening: Opening
    callers: KnownCallers
    names: KnownNames
    pace: Pace
    together: Together[Sequence[Values], Sequence[Taken | None]]

    @classmethod
    def of(cls, opening: Opening) -> "Desk":
        engine = opening.house.engine
        pace = Pace(opening.settings.notify.send_per_minute)
        return cls(opening, KnownCallers(engine), KnownNames(engine), pace, Together())

    # Ways in

    async def notice(self, request: Request) -> Response:
        """One notice, as it is asked for."""
        sender, sha256 = await self._sender(request)
        key = _key_of(request)
        body = await request.body()
        given = notify_body.read(body)
        notify_body.check_topic(sender, given.topic)
        await self.pace.count(str(sender.id))
        meant = await self._meant(sender, given.to, "to")
        notice = notify_body.notice_of(sender, given, meant)
        if given.ladder is not None:
            rungs = [await self._meant(sender, rung, "ladder.then") for rung in given.ladder.then]
            notice = replace(notice, ladder=notify_body.ladder_of(given.ladder, tuple(rungs)))
        if given.file is not None:
            notice = replace(notice, file=await self._kept(sender, given.file))
        [taken] = await self._take_in(sender, sha256, [(f"k:{key}", body, notice)])
        if taken.differs:
            raise Problem(422, KEY_REUSED, code="key_reused")
        return accepted(taken)

    async def events(self, request: Request) -> Response:
        """CloudEvents; a batch is taken in as a whole or not at all."""
        sender, sha256 = await self._sender(request)
        said, batch = notify_events.read(dict(request.headers), await request.body())
        new = []
        for each in said:
            notify_body.check_topic(sender, each.topic)
            meant = await self._meant(sender, each.to or _to(request), "to")
            notice = Notice(
                each.topic,
                meant,
                notify_body.facts_of(each.facts, title=each.title),
                each.importance,
                group=notify_body.group_of(sender, each.group),
                resolved=each.resolved,
            )
            new.append((each.key, each.key.encode(), notice))
        await self.pace.count(str(sender.id), len(new))
        taken = await self._take_in(sender, sha256, new) if new else []
        if not batch:
            return accepted(taken[0])
        return as_json(202, {"notices": [told(each) for each in taken]})

    async def alerts(self, request: Request) -> Response:
        """Alertmanager's post: its group is one notice, that is changed by what comes later."""
        sender, sha256 = await self._sender(request)
        group = notify_alerts.read(await request.body())
        topic = request.query_params.get("topic") or group.topic
        if len(topic) > LONGEST_TOPIC or TOPIC.fullmatch(topic) is None:
            raise notify_body.wrong({"topic": notify_body.NO_TOPIC})
        notify_body.check_topic(sender, topic)
        await self.pace.count(str(sender.id))
        notice = Notice(
            topic,
            await self._meant(sender, _to(request), "to"),
            notify_body.facts_of(group.facts()),
            group.importance,
            group=notify_body.group_of(sender, group.key),
            resolved=group.status == "resolved",
        )
        key = group.call_key()
        [taken] = await self._take_in(sender, sha256, [(key, key.encode(), notice)])
        return accepted(taken)

    async def standing(self, request: Request) -> Response:
        """How one of the program's own notices stands."""
        return await within(PATIENCE, self._standing(request))

    async def _standing(self, request: Request) -> Response:
        return as_json(200, standing_as_json(await self._own(request)))

    async def acknowledge(self, request: Request) -> Response:
        """Somebody has it, as the program knows: nobody else is told, and no ladder goes on."""
        found = await self._own(request)
        async with unit(self.opening.house) as work:
            await acknowledging.acknowledge(
                work, found.organisation_id, found.id, None, "program", ACTOR
            )
        return await self._standing(request)

    async def cancel(self, request: Request) -> Response:
        """It is not so any more: what was not sent yet is not."""
        found = await self._own(request)
        async with unit(self.opening.house) as work:
            await fanning.cancel(work, found.organisation_id, found.head_id or found.id)
        return await self._standing(request)

    # What they share

    async def _own(self, request: Request) -> Standing:
        """The notice that is meant, of the program's own. Raises Problem 401 and 404."""
        sender, _ = await self._sender(request, anew=True)
        await self.pace.count(f"looks:{sender.id}")
        found: Standing | None = None
        with suppress(ValueError):
            notice_id = UUID(request.path_params["id"])
            found = await notices_in.status(self.opening.house.engine, sender, notice_id)
        if found is None:
            raise Problem(404, _NO_NOTICE, code="unknown_notice")
        return found

    async def _sender(self, request: Request, *, anew: bool = False) -> tuple[Sender, bytes]:
        """Who calls, and the hash of their key. Raises Problem 401."""
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        found = None
        if scheme.lower() == "bearer" and key:
            found = await self.callers.find(key.strip(), anew=anew)
        if found is None:
            raise _nobody()
        return found

    async def _meant(
        self, sender: Sender, words: Sequence[str], field: str
    ) -> tuple[Recipient, ...]:
        """Who is meant. Raises Problem 422 for whoever is not there."""
        if not words:
            return ()
        try:
            return await self.names.resolve(sender.organisation_id, words)
        except Refused as error:
            raise notify_body.wrong({field: error.words}) from None

    async def _kept(self, sender: Sender, file: notify_body.GivenFile) -> Attachment:
        content = notify_body.decoded(file)
        kind = any_kind_of(content)
        if kind is None:
            raise notify_body.wrong({"file.content": NO_PROGRAM})
        files = Files(self.opening.house, sender.organisation_id)
        name = re.sub(r"[\x00-\x1f/\\]", "_", file.name)
        return Attachment(await files.put(content, kind), name, kind)

    async def _take_in(
        self, sender: Sender, sha256: bytes, new: Sequence[tuple[str, bytes, Notice]]
    ) -> list[Taken]:
        """Raises Problem 401 where the key was taken back meanwhile."""
        values = [
            notices_in.values_of(sender, key, content, notice) for key, content, notice in new
        ]
        taken = await self.together.do(self._write, values)
        if any(each is None for each in taken):
            self.callers.forget(sha256)
            raise _nobody()
        return [each for each in taken if each is not None]

    async def _write(self, asked: Sequence[Sequence[Values]]) -> Sequence[Sequence[Taken | None]]:
        flat = [values for each in asked for values in each]
        taken = iter(await notices_in.take_in(self.opening.house.engine, flat))
        return [[next(taken) for _ in each] for each in asked]


def _key_of(request: Request) -> str:
    found = _KEY.fullmatch(request.headers.get("idempotency-key", "").strip())
    if found is None:
        raise Problem(400, _NO_KEY, code="no_key")
    return found[1] or found[2]


def _to(request: Request) -> tuple[str, ...]:
    """Who is meant, where the address itself says it: `?to=role:admin&to=place:ops`."""
    return tuple(request.query_params.getlist("to"))[: notify_body.MOST_RECIPIENTS]


def _nobody() -> Problem:
    return Problem(401, _NO_SENDER, headers={"WWW-Authenticate": "Bearer"})
