"""One interaction and its answer: at once, deferred, or by a message of the bot where its token is
no good any more. Whatever happens, the same thing is said once."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import structlog

from bot.discord import limits
from bot.discord.act import Act
from bot.discord.api import Api, DiscordRefused
from bot.discord.reaching import (
    ALREADY_ANSWERED,
    INVALID_TOKEN,
    UNKNOWN_INTERACTION,
    UNKNOWN_MESSAGE,
    UNKNOWN_WEBHOOK,
)
from bot.discord.render import EPHEMERAL, NOBODY, V2, Json, render
from core.errors import OutcomeUnknown, TryLater
from core.messages import Message

log = structlog.get_logger()

_EPOCH = 1_420_070_400.0
"""Seconds; ids count from there (docs.discord.com, snowflakes)."""
_NO_TOKEN = frozenset({UNKNOWN_INTERACTION, UNKNOWN_WEBHOOK, UNKNOWN_MESSAGE, INVALID_TOKEN})

COMMAND, PRESS, TYPING, SUBMIT = 2, 3, 4, 5
"""Kinds of interactions (docs.discord.com, interaction type)."""
ON_A_MESSAGE = 3
"""A kind of command: of a message's menu (docs.discord.com, application command types)."""

MESSAGE, DEFERRED, DEFERRED_UPDATE, CHOICES, MODAL = 4, 5, 6, 8, 9
"""Kinds of answers (docs.discord.com, interaction callback type)."""

_WEBHOOK = "/webhooks/{webhook_id}/{webhook_token}"

Respond = Callable[[Json], Awaitable[None]]
"""Gives the first answer: the body of the HTTP answer, or a call. Raises DiscordRefused."""


@dataclass(slots=True)
class Turn:
    """One interaction. `respond` is how its first answer is given."""

    api: Api
    body: Json
    respond: Respond
    began: float = field(default_factory=time.monotonic)
    _answered: int = 0
    _lost: bool = False
    _unsure: bool = False
    _by_other: bool = False

    @property
    def id(self) -> str:
        return str(self.body["id"])

    @property
    def key(self) -> str:
        """A redelivery has the same."""
        return f"interaction:{self.id}"

    @property
    def kind(self) -> int:
        return int(self.body.get("type") or 0)

    @property
    def answered(self) -> bool:
        return bool(self._answered)

    def is_stale(self) -> bool:
        """Whether the token may end while we speak: from minute 14 on the bot's own messages
        take over. An id that tells no time is believed for as long as we have had it."""
        asked = (int(self.id) >> 22) / 1000 + _EPOCH if self.id.isdecimal() else time.time()
        age = max(0.0, time.time() - asked) if asked > 1_600_000_000 else 0.0
        if age > 86_400:
            age = 0.0  # a sample's id, or a clock that is wrong
        held = time.monotonic() - self.began
        return max(age, held) >= limits.TOKEN_MINUTES * 60

    async def defer(self) -> None:
        """Say that it is being seen to: nothing else has to be said within three seconds then.

        Of a press nothing is shown; of a command or a form, that an answer comes, for the eyes of
        whoever asked."""
        if self._answered:
            return
        pressed = self.kind == PRESS or (self.kind == SUBMIT and self.body.get("message"))
        if pressed:
            await self._first({"type": DEFERRED_UPDATE})
        else:
            await self._first({"type": DEFERRED, "data": {"flags": EPHEMERAL}})

    async def modal(self, modal: Json) -> bool:
        """Open a form; False where that can't be done any more."""
        return await self._first({"type": MODAL, "data": modal})

    async def choices(self, choices: list[Json]) -> None:
        """What was found for what is being typed."""
        await self._first({"type": CHOICES, "data": {"choices": choices}})

    async def done(self) -> None:
        """Nothing is to be said. A deferred answer that never comes would be waited for."""
        if not self._answered:
            pressed = self.kind == PRESS or self.body.get("message")
            if pressed:
                await self._first({"type": DEFERRED_UPDATE})
            elif self.kind != TYPING:
                done: Json = {"content": "✓", "flags": EPHEMERAL, "allowed_mentions": NOBODY}
                await self._first({"type": MESSAGE, "data": done})
        elif self._answered == DEFERRED and not self._lost and not self.is_stale():
            await self._try("DELETE", _WEBHOOK + "/messages/@original", None)

    async def tell(self, message: Message, ours: str = "") -> bool:
        """Say something to whoever acted, for their eyes only. False where the interaction can't
        carry it: then it surely was not said."""
        shown = render(message, ours=ours)
        flags = EPHEMERAL | V2
        data: Json = {"components": shown.components, "flags": flags, "allowed_mentions": NOBODY}
        said = await self._say(data)
        for words in shown.more if said and not self._by_other else ():
            part = {"content": words, "flags": EPHEMERAL, "allowed_mentions": NOBODY}
            await self._try("POST", _WEBHOOK, part)
        return said

    async def _say(self, data: Json) -> bool:
        if self._lost or self.is_stale():
            return False
        if not self._answered:
            if not await self._first({"type": MESSAGE, "data": data}):
                return False
            if not self._unsure:
                return True
            # Perhaps it stands there already: the same in its place is said once in any case.
            again = {**data, "flags": V2}
            return await self._try("PATCH", _WEBHOOK + "/messages/@original", again)
        if self._answered == DEFERRED:
            self._answered = MESSAGE
            edit = {**data, "flags": V2}
            return await self._try("PATCH", _WEBHOOK + "/messages/@original", edit)
        return await self._try("POST", _WEBHOOK, data)

    async def _first(self, answer: Json) -> bool:
        """The first answer. One that was given by somebody else (the same delivery at another
        process, or our own call that got through before its answer was lost) is enough."""
        if self._answered or self._lost:
            return False
        try:
            await self.respond(answer)
        except DiscordRefused as refused:
            if refused.code == ALREADY_ANSWERED:
                self._answered = int(answer["type"])
                self._by_other = True
                return True
            log.info("discord.not_answered", code=refused.code, why=str(refused))
            self._lost = True
            return False
        except (TryLater, OutcomeUnknown, TimeoutError) as error:
            log.warning("discord.not_answered", why=repr(error))
            self._lost = isinstance(error, TryLater)
            self._unsure = not self._lost
            self._answered = int(answer["type"])
            return self._unsure
        self._answered = int(answer["type"])
        return True

    async def _try(self, method: str, path: str, data: Json | None) -> bool:
        try:
            await self.api.call(
                method,
                path,
                data,
                webhook_id=str(self.body["application_id"]),
                webhook_token=str(self.body["token"]),
            )
        except DiscordRefused as refused:
            if refused.code in _NO_TOKEN or refused.status == 404:
                self._lost = True
                return False
            log.error("discord.not_told", code=refused.code, why=str(refused))
            return True  # it is no question of the token: elsewhere it would be refused as well
        except TryLater as later:
            log.warning("discord.not_told", why=str(later))
            return False
        except (OutcomeUnknown, TimeoutError) as error:
            log.warning("discord.answer_lost", why=repr(error))  # perhaps told: not a second time
        return True


def by_call(api: Api, body: Json) -> Respond:
    """The first answer of an interaction that came by the gateway."""

    async def respond(answer: Json) -> None:
        await api.call(
            "POST",
            "/interactions/{webhook_id}/{webhook_token}/callback",
            answer,
            webhook_id=str(body["id"]),
            webhook_token=str(body["token"]),
        )

    return respond


def about(turn: Turn, act: Act) -> dict[str, str]:
    """Of an interaction, for the log: never its token."""
    return {"interaction": turn.id, "guild": act.guild, "user": act.user}
