"""Which LINE channels there are, whose they are, and what opens each of them."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

import structlog
from sqlalchemy.exc import SQLAlchemyError

from bot.line import rows
from bot.line.tokens import Channel, Tokens, spoken
from core import organisations
from core.chores import Chores
from core.db import fetch_one_alone
from core.errors import MiyabiError, Permanent, TryLater
from core.organisations import Organisation
from core.platform import Opening
from core.sealing import unseal
from core.secret_key import secret_key
from core.unit import unit
from core.words import Words

if TYPE_CHECKING:
    from bot.line.api import Api

log = structlog.get_logger()
T = TypeVar("T")

NOT_CONNECTED = Words(
    ja="LINEチャネル {workspace} は接続されていません。「miyabi line add」で追加してください。",
    en="The LINE channel {workspace} is not connected. Add it with “miyabi line add”.",
    zh="LINE 频道 {workspace} 尚未连接。请用“miyabi line add”添加。",
)
NO_ORGANISATION = Words(
    ja="設定のLINEチャネルの組織「{slug}」がありません。",
    en="There is no organisation “{slug}”, whose LINE channel the settings have.",
    zh="没有设置中的 LINE 频道所属的组织“{slug}”。",
)
DATABASE_AWAY = Words(
    ja="データベースに接続できません。",
    en="The database can't be reached.",
    zh="无法连接数据库。",
)

_FRESH = 60.0
"""Seconds for which a row is believed without looking again; another process may change it."""
_NONE_FRESH = 5.0  # seconds, of a destination that is none
_ASKS_AGAIN = 5.0  # seconds after LINE could not say whose the settings' token is
_KNOWN = 1000  # channels, and destinations that are none, remembered at most


class Channels:
    """The rows of `installations` for LINE, and the channel that is in the settings.

    What a row has no secret for is the settings' (one that came from there has none at all).
    """

    def __init__(self, opening: Opening) -> None:
        self._opening = opening
        self._engine = opening.house.engine
        self._api: Api | None = None
        self.tokens = Tokens(lambda: self.api)
        self.chores = Chores()
        self._known: dict[str, tuple[float, Channel | None]] = {}
        self._own: asyncio.Task[Channel] | None = None
        self._own_asked = float("-inf")

    @property
    def api(self) -> "Api":
        """The way to LINE; what it needs is loaded when somebody first asks for it."""
        if self._api is None:
            from bot.line.api import Api

            self._api = Api(self._opening.settings.line)
        return self._api

    @property
    def in_settings(self) -> bool:
        """Whether the settings have a channel that can be spoken with."""
        line = self._opening.settings.line
        spoken_with = line.channel_access_token is not None or line.channel_id is not None
        return line.channel_secret is not None and spoken_with

    async def get(self, workspace: str) -> Channel:
        """The channel of a bot's user id. Raises Permanent where it is not connected, TryLater."""
        found = await self._find(workspace)
        if found is None and self.in_settings:
            own = await self.own()
            found = own if own.workspace == workspace else None
        if found is None:
            raise Permanent(NOT_CONNECTED.fill(workspace=workspace))
        return found

    async def by_destination(self, destination: str) -> Channel | None:
        """The channel whose secret a webhook must be signed with, or None.

        Until LINE has told whose the settings' channel is, it may be any that is not known: only
        LINE and we can sign with its secret. Raises TryLater where the database is away.
        """
        found = await self._find(destination)
        if found is not None or not self.in_settings:
            return found
        asked = self._ask_own()
        if asked.done() and not asked.cancelled() and asked.exception() is None:
            own = asked.result()
            return own if own.workspace == destination else None
        organisation = await self._organisation()
        if organisation is None:
            return None
        return self._channel(destination, organisation.id, organisation.slug, {})

    async def _find(self, destination: str) -> Channel | None:
        """The channel by its row; what is known is told at once, and looked at again after that."""
        at, known = self._known.get(destination, (float("-inf"), None))
        age = time.monotonic() - at
        if known is not None:
            if age > _FRESH:  # LINE waits for nobody: the next one has what is found
                self._remember(destination, known)
                self.chores.begin(self._look_again(destination))
            return known
        if age <= _NONE_FRESH:
            return None
        found = await self._read(destination)
        self._remember(destination, found)
        return found

    async def reread(self, workspace: str) -> Channel:
        """The same as it stands in the database now: a token or secret may have been changed."""
        self._known.pop(workspace, None)
        return await self.get(workspace)

    async def speak(self, workspace: str, call: Callable[[str], Awaitable[T]]) -> T:
        """Make a call with the channel's token; renewed once where LINE does not take it."""
        channel = await self.get(workspace)
        return await spoken(self.tokens, channel, lambda: self.reread(workspace), call)

    async def _look_again(self, workspace: str) -> None:
        """Where the database is away, what it said before stays."""
        try:
            self._remember(workspace, await self._read(workspace))
        except MiyabiError as error:
            log.warning("line.channel_not_read", channel=workspace, why=error.words.en)

    def _remember(self, workspace: str, found: Channel | None) -> None:
        while len(self._known) >= _KNOWN:
            del self._known[next(iter(self._known))]
        self._known[workspace] = (time.monotonic(), found)

    async def _read(self, workspace: str) -> Channel | None:
        try:
            row = await fetch_one_alone(
                self._engine,
                # across organisations: a channel belongs to exactly one, and this says which
                "select organisation_id, name, secrets from installations"
                " where platform = 'line' and workspace = :workspace and removed_at is null",
                {"workspace": workspace},
            )
        except (SQLAlchemyError, OSError) as error:
            raise TryLater(DATABASE_AWAY) from error
        if row is None:
            return None
        secrets: Mapping[str, str] = {}
        if row.secrets is not None:
            key = secret_key(self._opening.settings)
            secrets = unseal(key, "line", workspace, bytes(row.secrets))
        return self._channel(workspace, row.organisation_id, row.name, secrets)

    def _channel(
        self, workspace: str, organisation_id: UUID, name: str, secrets: Mapping[str, str]
    ) -> Channel | None:
        """None where nothing says what opens it: its settings are gone."""
        own: Mapping[str, str] = {}
        if not secrets.get("secret"):
            own = self._given()
            if not own:
                return None
        given = (secrets.get("token"), own.get("token"))
        return Channel(
            workspace,
            organisation_id,
            name,
            secret=secrets.get("secret") or own["secret"],
            channel_id=secrets.get("channel_id") or own.get("channel_id", ""),
            tokens=tuple(token for token in given if token),
        )

    def _given(self) -> Mapping[str, str]:
        """What the settings have of a channel."""
        line = self._opening.settings.line
        if not self.in_settings or line.channel_secret is None:
            return {}
        token = line.channel_access_token
        return {
            "secret": line.channel_secret.get_secret_value(),
            "channel_id": line.channel_id or "",
            "token": token.get_secret_value() if token is not None else "",
        }

    # The settings' channel

    async def own(self) -> Channel:
        """The channel in the settings; LINE is asked once a process for its bot's user id.

        Raises Permanent or TryLater.
        """
        # Shielded: whoever has no more time leaves, and the next one finds the answer.
        return await asyncio.shield(self._ask_own())

    def _ask_own(self) -> asyncio.Task[Channel]:
        if self._own is None or self._failed(self._own):
            self._own_asked = time.monotonic()
            self._own = asyncio.create_task(self._introduce())
            self._own.add_done_callback(_told)
        return self._own

    async def warm(self) -> None:
        """Know the channels, and load what calls need, before their first webhook comes, which has
        no time for that."""
        try:
            if await self.every() or self.in_settings:
                await self.api.load()
            if self.in_settings:
                await self.own()
        except (MiyabiError, SQLAlchemyError, OSError) as error:
            log.warning("line.channels_not_met", why=repr(error))

    async def is_own(self, channel: Channel) -> bool:
        """Whether a channel is the one in the settings. Raises Permanent or TryLater."""
        return self.in_settings and (await self.own()).workspace == channel.workspace

    def _failed(self, asked: asyncio.Task[Channel]) -> bool:
        """Whether LINE is to be asked again: not at once, each webhook would do that."""
        if not asked.done() or (not asked.cancelled() and asked.exception() is None):
            return False
        return time.monotonic() - self._own_asked > _ASKS_AGAIN

    async def _introduce(self) -> Channel:
        slug = self._opening.settings.organisation
        organisation = await self._organisation()
        if organisation is None:
            raise Permanent(NO_ORGANISATION.fill(slug=slug))
        mute = self._channel("", organisation.id, slug, {})
        assert mute is not None  # noqa: S101  # whoever asks has looked
        workspace, name = await self.introduced(mute)
        try:
            async with unit(self._opening.house) as work:
                await rows.save(work, organisation.id, workspace, name, None)
        except (SQLAlchemyError, OSError) as error:
            raise TryLater(DATABASE_AWAY) from error
        found = await self._read(workspace)
        if found is None:
            raise Permanent(NOT_CONNECTED.fill(workspace=workspace))
        self._remember(workspace, found)
        return found

    async def _organisation(self) -> Organisation | None:
        try:
            async with self._engine.connect() as connection:
                return await organisations.by_slug(connection, self._opening.settings.organisation)
        except (SQLAlchemyError, OSError) as error:
            raise TryLater(DATABASE_AWAY) from error

    async def introduced(self, channel: Channel) -> tuple[str, str]:
        """The bot's user id and name by LINE's word. Raises Permanent or TryLater."""

        async def same() -> Channel:
            return channel

        async def call(token: str) -> tuple[str, str]:
            said = await self.api.ask(token, lambda api, given: api.get_bot_info(**given))
            return str(said.user_id), str(said.display_name)

        return await spoken(self.tokens, channel, same, call)

    async def every(self, organisation_id: UUID | None = None) -> list[Channel]:
        """The connected channels, the oldest first: of an organisation, or all there are."""
        found: list[Channel] = []
        for workspace in await rows.connected(self._engine, organisation_id):
            try:
                found.append(await self.get(workspace))
            except MiyabiError as error:
                log.warning("line.channel_unreadable", channel=workspace, why=error.words.en)
        return found

    def forget(self, workspace: str) -> None:
        """Its row was changed here: look again at once."""
        self._known.pop(workspace, None)

    async def close(self) -> None:
        """Let what goes on come to its end, and close the connections."""
        await self.chores.close()
        if self._own is not None:
            self._own.cancel()
        if self._api is not None:
            await self._api.close()


def _told(asked: asyncio.Task[Channel]) -> None:
    """Whoever waits for it hears what went wrong, and the log in any case."""
    if not asked.cancelled() and (error := asked.exception()) is not None:
        log.warning("line.own_channel_unknown", error=repr(error))
