"""Conversations that are closed to us, and the direct one with a person."""

from collections.abc import Iterator
from contextlib import contextmanager

from bot.discord.api import Api, DiscordRefused
from core.errors import Unreachable
from core.words import Words

UNKNOWN_CHANNEL = 10003
UNKNOWN_MESSAGE = 10008
UNKNOWN_WEBHOOK = 10015
UNKNOWN_INTERACTION = 10062
TOO_LARGE = 40005
ALREADY_ANSWERED = 40060
INVALID_TOKEN = 50027
ARCHIVED = 50083
HAS_A_THREAD = 160004

CLOSED = frozenset({UNKNOWN_CHANNEL, 50001, 50008, 50013, ARCHIVED, 160005, 160006})
"""What is answered where the bot can't speak: no such channel, no access, no permission, locked
(docs.discord.com, JSON error codes)."""
GONE = frozenset({10013, 50007, 50278, 340002})
"""Of a person who can't be written to: unknown, takes no messages, no guild in common."""

NOT_REACHED = Words(
    ja="Discord で送れない（{code}）ため、こちらにお知らせします。",
    en="You are told here because it can't be posted on Discord ({code}).",
    zh="由于无法在 Discord 上发送（{code}），改在此处通知您。",
)


@contextmanager
def reaching() -> Iterator[None]:
    """Tell what Discord says of a conversation that is closed to us from what is wrong else."""
    try:
        yield
    except DiscordRefused as refused:
        if refused.code not in CLOSED | GONE:
            raise
        raise Unreachable(NOT_REACHED.fill(code=refused.code)) from refused


class Directs:
    """The direct conversations, by the person's account: opened once a process."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._known: dict[str, str] = {}

    async def channel(self, account: str) -> str:
        """The conversation with a person. Raises DiscordRefused, TryLater or OutcomeUnknown."""
        if account not in self._known:
            said = await self._api.call("POST", "/users/@me/channels", {"recipient_id": account})
            while len(self._known) >= 10_000:
                del self._known[next(iter(self._known))]
            self._known[account] = str(said["id"])
        return self._known[account]
