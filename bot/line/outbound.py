"""Speaking in LINE: one call for what is to be said, free of charge where that can be."""

import math
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID, uuid5

import structlog
from sqlalchemy.exc import SQLAlchemyError

from bot.line.calls import Calls
from bot.line.changes import render_change
from bot.line.channels import DATABASE_AWAY, Channels
from bot.line.flex import Json
from bot.line.ledger import Left
from bot.line.menus import Menus
from bot.line.quota import Quotas
from bot.line.refusals import AWAY
from bot.line.render import Look
from bot.line.showing import Room, Showing, task_of
from bot.line.tokens import Channel
from core import tasks
from core.arrivals import (
    Arrival,
    Chat,
    chat_of,
    take_free_token,
    take_token,
    token_of,
)
from core.errors import OutcomeUnknown, Permanent, TryLater
from core.messages import Message
from core.platform import Opening
from core.ports import Place, Sent, Utterance
from core.words import Language

log = structlog.get_logger()
T = TypeVar("T")

MOST_OBJECTS = 5
"""Message objects in one call (send-push-message and send-reply-message of the reference)."""
_LINK_LIKE = "https://" + "x" * 80


class LineOutbound:
    """LINE as a way out. Also holds what its ways in share: channels, connections, chores."""

    most_per_call = MOST_OBJECTS

    def __init__(self, opening: Opening) -> None:
        line = opening.settings.line
        self._house = opening.house
        self._engine = opening.house.engine
        self.channels = Channels(opening)
        self.chores = self.channels.chores
        self.quotas = Quotas(opening.house, self.channels, line.reserve_percent)
        self._calls = Calls(self._engine, self.channels, self.quotas)
        self.menus = Menus(self.channels)
        self._showing = Showing(opening.house, timedelta(days=line.link_days))

    # What the notifier says

    def fits(self, utterances: Sequence[Utterance]) -> int:
        """How many of them, from the first on, go into one call; at least one."""
        objects = 0
        for n, each in enumerate(utterances):
            objects += len(_shown(each))
            if objects > MOST_OBJECTS:
                return max(n, 1)
        return max(len(utterances), 1)

    async def say(
        self, place: Place, call: UUID, utterances: Sequence[Utterance], *, again: bool
    ) -> Sequence[Sent | None]:
        """Say it by a reply token that nobody needs in this chat, else push it (core.ports.Says).

        What `may` be said is, where that costs nothing: by such a token, or with what is pushed
        anyway. A push that is repeated has its retry key, a reply its token: LINE takes each once.
        """
        channel = await self.channels.get(place.workspace)
        direct = place.direct or place.channel == place.account
        account = place.account if direct else None
        room = Room(place.organisation_id, place.workspace, place.channel, account)
        try:
            task_id = await task_of(self._house, place.organisation_id, utterances[0].key)
            shown = await self._showing.utterances(room, task_id, utterances)
            held = await token_of(self._engine, call) if again else None
        except (SQLAlchemyError, OSError) as error:
            raise TryLater(DATABASE_AWAY) from error
        objects = [each for made in shown for each in made]
        if not objects:
            return [None] * len(utterances)
        if held is not None:
            again_said = await self._calls.reply_again(
                channel, held.token, objects, young=held.young
            )
            return _sent(room, call, shown, again_said)
        chat = Chat(room.organisation_id, "line", room.workspace, room.chat)
        if not again and self._calls.steady(channel):
            free = await self._reply_free(channel, chat, call, objects)
            if free is not None:
                return _sent(room, call, shown, free)
        weights = {each.weight for each, made in zip(utterances, shown, strict=True) if made}
        if weights == {"may"}:
            return [None] * len(utterances)
        urgent = "urgent" in weights
        ids, left = await self._calls.push(
            channel, room.chat, call, objects, urgent=urgent, again=again
        )
        if left.nearly and not left.warned and task_id is not None:
            self.chores.begin(self._warn(channel, left, task_id))
        return _sent(room, call, shown, ids)

    async def _reply_free(
        self, channel: Channel, chat: Chat, call: UUID, objects: Sequence[Json]
    ) -> Sequence[str] | None:
        """Say it by a token that is free; None where there is none that LINE takes."""
        try:
            token = await take_free_token(self._engine, chat, call)
        except (SQLAlchemyError, OSError) as error:
            # Perhaps taken, and then not used: worth less than a message.
            raise TryLater(DATABASE_AWAY) from error
        return None if token is None else await self._calls.reply(channel, call, token, objects)

    async def _warn(self, channel: Channel, left: Left, task_id: UUID) -> None:
        async with self._engine.connect() as connection:
            found = await tasks.read(connection, channel.organisation_id, [task_id])
        if task_id in found:
            await self.quotas.warn(channel, left, found[task_id])

    # What handlers of events answer

    async def answer(
        self,
        arrival: Arrival,
        messages: Sequence[Message],
        *,
        only_free: bool = False,
        quick: int = 0,
        task_id: UUID | None = None,
    ) -> None:
        """Answer an event by its own reply token; where that is spent or too old, by a push.

        The same call whatever happens: handled again, an event is answered once. `only_free`: what
        is not worth a push is said by the token or not at all. `quick` is the first choice offered.
        `task_id` is what it is about: its documents and pictures are opened by links of it.
        Raises TryLater where nothing was said, or where it is only known when it is handled again;
        what is `only_free` is then left unsaid, as it would be late.
        """
        try:
            await self._answer_all(arrival, messages, only_free, quick, task_id)
        except TryLater as later:
            if not only_free:
                raise
            log.info("line.left_unsaid", arrival=str(arrival.id), why=later.words.en)

    async def _answer_all(
        self,
        arrival: Arrival,
        messages: Sequence[Message],
        only_free: bool,
        quick: int,
        task_id: UUID | None,
    ) -> None:
        channel = await self.channels.get(arrival.workspace)
        account = arrival.account if arrival.chat == arrival.account else None
        room = Room(arrival.organisation_id, arrival.workspace, arrival.chat, account)
        try:
            objects = await self._showing.messages(room, task_id, messages, quick)
            for n in range(0, len(objects), MOST_OBJECTS):
                call = uuid5(arrival.id, f"answer {n}")
                part = objects[n : n + MOST_OBJECTS]
                await self._answer(channel, arrival, call, part, only_free, first=n == 0)
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            raise TryLater(AWAY.fill(why=type(error).__name__)) from error
        except OutcomeUnknown as unknown:
            raise TryLater(unknown.words) from unknown

    async def _answer(
        self,
        channel: Channel,
        arrival: Arrival,
        call: UUID,
        objects: Sequence[Json],
        only_free: bool,
        *,
        first: bool,
    ) -> None:
        held = await token_of(self._engine, call)
        if held is not None:
            if held.young:
                await self._calls.reply_again(channel, held.token, objects, young=True)
            else:
                log.warning("line.answer_unknown", arrival=str(arrival.id))
            return
        token = None
        if first:
            organisation_id = arrival.organisation_id
            token = await take_token(self._engine, organisation_id, arrival.id, call)
        try:
            said = None
            if token is not None:
                said = await self._calls.reply(channel, call, token, objects)
            if said is None and not only_free:
                await self._calls.push(
                    channel, arrival.chat, call, objects, urgent=False, again=arrival.attempts > 0
                )
        except Permanent as refused:
            # Nobody is there to be told that it could not be said.
            why = refused.words.en
            log.warning("line.answer_refused", chat=chat_of(arrival).chat, why=why)

    async def loading(self, workspace: str, chat: str, lasts: timedelta) -> None:
        """Show the loading animation in a one-to-one chat, 5 to 60 s long or until something is
        said there (display-a-loading-indicator of the reference). Raises Permanent or TryLater."""
        seconds = min(60, max(5, math.ceil(lasts.total_seconds() / 5) * 5))

        async def call(token: str) -> Any:
            from linebot.v3.messaging import ShowLoadingAnimationRequest

            wanted = ShowLoadingAnimationRequest(chatId=chat, loadingSeconds=seconds)
            return await self._api.ask(
                token, lambda line, given: line.show_loading_animation(wanted, **given)
            )

        await self.channels.speak(workspace, call)

    async def menu_for(self, workspace: str, account: str, language: Language) -> None:
        """Begin to show somebody the rich menu of their language, where there is one."""
        self.chores.begin(self.menus.show(workspace, account, language))

    # Files that people send

    async def fetch(
        self, organisation_id: UUID, workspace: str, reference: str, most: int
    ) -> bytes:
        """The bytes of a picture or file, by the id of its message; see core.ports.Fetches."""
        return await self.channels.speak(
            workspace, lambda token: self._api.download(token, reference, most)
        )

    @property
    def _api(self) -> Any:
        return self.channels.api

    async def close(self) -> None:
        """Let what goes on come to its end, and close the connections."""
        await self.channels.close()


def _shown(each: Utterance) -> Sequence[Json]:
    """An utterance with links and presses that are none: for how much there is of it."""
    picture = _LINK_LIKE if each.message.picture is not None else None
    look = Look(press=lambda *_: "0" * 32, link=lambda _: _LINK_LIKE, picture=picture)
    return render_change(each.before, each.message, look, code=each.code)


def _sent(
    room: Room, call: UUID, shown: Sequence[Sequence[Json]], ids: Sequence[str]
) -> Sequence[Sent | None]:
    """What LINE calls each of them. Where it did not tell, they are called by the call."""
    total = sum(len(made) for made in shown)
    given = iter(ids if len(ids) == total else [f"{call}.{n}" for n in range(total)])
    found: list[Sent | None] = []
    for made in shown:
        own = [next(given) for _ in made]
        extra = {"ids": ",".join(own)}
        found.append(Sent(room.chat, own[0], extra, room.chat) if own else None)
    return found
