"""What a chat platform declares of itself: the one constant that others read of its folder."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.limits import Limits
from core.messages import Message
from core.ports import ReadFile, WayOut
from core.settings import Settings
from core.words import Words

if TYPE_CHECKING:
    # Not at run time: it loads SQLAlchemy, which reading a text in the terminal does without.
    from core.house import House


@dataclass(frozen=True, slots=True)
class Opening:
    """What a platform may use to build its ways in and out.

    When the ways out are built the house has none yet; for the ways in it is whole.
    """

    settings: Settings
    house: "House"
    read_file: ReadFile


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing the doctor looked at; `fix` says what to do where it is not well."""

    well: bool
    what: Words
    fix: Words | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    """A message as it would be sent, without sending it: what the platform would be given, and a
    web page that looks about like it."""

    sent: str
    page: str = ""


def _no_routes(opening: Opening) -> Sequence[object]:
    return ()


def _ordinary_bodies(settings: Settings) -> Mapping[str, int]:
    return {}


def _text_alone(message: Message) -> Preview:
    return Preview(message.text)


async def _nothing_to_close(opening: Opening) -> None:
    return None


async def _nothing_to_check(opening: Opening) -> Sequence[Finding]:
    return ()


@dataclass(frozen=True, slots=True)
class Platform:
    """A chat platform.

    `outbound` builds its way out, or gives None where it is not set up. `routes` are the ASGI
    routes of its webhooks; `bodies` says for paths that begin so how many bytes a body may have
    there, where webhooks' megabyte is not enough. `listen` holds a connection to the platform open
    until it is cancelled, for those that are not called by HTTP. `work` runs in every worker until
    it is cancelled, for what a platform has to work on before it can be taken in. `check` is for
    `miyabi doctor`. `close` gives back what the ways in and out hold open. `confides`: what is
    said there to a person is read by them alone, signed in, so that codes may be told that prove
    who it is. `limits`: what the platform takes; None where no person chats (`bot/api`).
    `preview` shows a message in the platform's own form; it is pure.
    """

    name: str
    outbound: Callable[[Opening], WayOut | None]
    routes: Callable[[Opening], Sequence[object]] = _no_routes
    bodies: Callable[[Settings], Mapping[str, int]] = _ordinary_bodies
    listen: Callable[[Opening], Awaitable[None]] | None = None
    work: Callable[[Opening], Awaitable[None]] | None = None
    check: Callable[[Opening], Awaitable[Sequence[Finding]]] = _nothing_to_check
    close: Callable[[Opening], Awaitable[None]] = _nothing_to_close
    confides: bool = False
    limits: Limits | None = None
    preview: Callable[[Message], Preview] = _text_alone
