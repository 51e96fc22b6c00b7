"""Which workspaces have the app installed, and the token that speaks in each."""

import asyncio
import time
from dataclasses import dataclass, field
from uuid import UUID

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from audit.event import SYSTEM, Actor, Event
from bot.slack.api import AWAY, Api, ask
from core import organisations
from core.db import fetch_all, fetch_one
from core.errors import MiyabiError, Permanent, TryLater
from core.ids import new_id
from core.platform import Opening
from core.sealing import seal, unseal
from core.secret_key import secret_key
from core.tags import Tag
from core.unit import Unit, unit
from core.words import Words

log = structlog.get_logger()

NOT_INSTALLED = Words(
    ja="Slackワークスペース {team} にはアプリがインストールされていません。",
    en="The app is not installed in the Slack workspace {team}.",
    zh="Slack 工作区 {team} 尚未安装该应用。",
)

_FRESH = 60.0
"""Seconds for which a row is believed without looking again; another process may change it."""

_READS_AGAIN = 0.15  # seconds: whoever has pressed something waits for it


@dataclass(frozen=True, slots=True)
class Install:
    """The app in one workspace."""

    team: str
    token: str = field(repr=False)
    bot_user: str
    bot_id: str


class Installs:
    """The rows of `installations` for Slack, and the workspace whose token is in the settings."""

    def __init__(self, opening: Opening, api: Api) -> None:
        self._opening = opening
        self._engine = opening.house.engine
        self._api = api
        self._known: dict[str, tuple[float, Install | None]] = {}
        self._own: asyncio.Task[Install] | None = None

    async def get(self, team: str) -> Install:
        """The app in a workspace. Raises Permanent where it is not installed, or TryLater."""
        found = await self.find(team)
        if found is None:
            raise Permanent(NOT_INSTALLED.fill(team=team))
        return found

    async def find(self, team: str) -> Install | None:
        """The app in a workspace, if it is there. Raises Permanent or TryLater."""
        trouble: MiyabiError | None = None
        if self._opening.settings.slack.bot_token is not None:
            try:
                own = await self.own()
            except MiyabiError as error:
                trouble = error
            else:
                if own.team == team:
                    return own
        at, known = self._known.get(team, (0.0, None))
        if known is None or time.monotonic() - at > _FRESH:
            known = await self._read_again(team, known)
        if known is None and trouble is not None:
            raise trouble  # it may well be the workspace whose token did not work
        return known

    async def _read_again(self, team: str, known: Install | None) -> Install | None:
        """What the database says now; where it is too slow for that, what it said before."""
        try:
            async with asyncio.timeout(_READS_AGAIN if known is not None else None):
                found = await self._read(team)
        except (TimeoutError, TryLater):
            if known is None:
                raise
            return known
        self._known[team] = (time.monotonic(), found)
        return found

    async def own(self) -> Install:
        """The workspace whose token is in the settings; asked of Slack once a process."""
        if self._own is None or (self._own.done() and self._own.exception() is not None):
            self._own = asyncio.create_task(self._introduce())
        # Shielded: whoever has no more time leaves, and the next one finds the answer.
        return await asyncio.shield(self._own)

    async def _introduce(self) -> Install:
        token = self._opening.settings.slack.bot_token
        assert token is not None  # noqa: S101  # both callers looked
        secret = token.get_secret_value()
        said = await ask(self._api.client(secret).auth_test())
        own = Install(said["team_id"], secret, said["user_id"], said.get("bot_id", ""))
        try:
            await self._register_own(own.team, said.get("team", ""))
        except SQLAlchemyError as error:  # only a record: the token itself is in the settings
            log.warning("slack.not_registered", team=own.team, error=repr(error))
        return own

    async def _register_own(self, team: str, name: str) -> None:
        async with unit(self._opening.house) as work:
            slug = self._opening.settings.organisation
            organisation = await organisations.by_slug(work.connection, slug)
            if organisation is not None:
                await self.save(work, organisation.id, team, name, None)

    async def _read(self, team: str) -> Install | None:
        try:
            async with self._engine.connect() as connection:
                row = await fetch_one(
                    connection,
                    # across organisations: a workspace belongs to exactly one
                    "select secrets from installations where platform = 'slack'"
                    " and workspace = :team and removed_at is null and secrets is not null",
                    {"team": team},
                )
        except (SQLAlchemyError, OSError) as error:
            raise TryLater(AWAY.fill(why="PostgreSQL")) from error
        if row is None:
            return None
        secrets = unseal(secret_key(self._opening.settings), "slack", team, bytes(row.secrets))
        return Install(team, secrets["token"], secrets["bot_user"], secrets["bot_id"])

    async def save(
        self,
        work: Unit,
        organisation_id: UUID,
        team: str,
        name: str,
        install: Install | None,
        actor: Actor = SYSTEM,
    ) -> None:
        """Write a workspace's row; without `install` one whose token is kept in the settings.

        Such a one introduces itself at every start, which is news only where the row changes.
        """
        secrets = None
        if install is not None:
            content = {
                "token": install.token,
                "bot_user": install.bot_user,
                "bot_id": install.bot_id,
            }
            secrets = seal(secret_key(self._opening.settings), "slack", team, content)
        row = await fetch_one(
            work.connection,
            "insert into installations as i (id, organisation_id, platform, workspace, name,"
            " secrets) values (:id, :organisation_id, 'slack', :team, :name, :secrets)"
            " on conflict (platform, workspace) do update set name = excluded.name,"
            " secrets = excluded.secrets, installed_at = now(), removed_at = null"
            " where i.removed_at is not null or i.name <> excluded.name"
            " or i.secrets is distinct from excluded.secrets"
            " returning id, organisation_id",
            {
                "id": new_id(),
                "organisation_id": organisation_id,
                "team": team,
                "name": name,
                "secrets": secrets,
            },
        )
        self._known.pop(team, None)
        if row is not None:
            data = {"platform": "slack", "workspace": team}
            work.record(Event(row.organisation_id, row.id, Tag.WORKSPACE_CONNECTED, data, actor))

    async def organisation_of(self, connection: AsyncConnection, team: str) -> UUID | None:
        """The organisation a workspace belongs to, also where the app was removed since."""
        row = await fetch_one(
            connection,
            # across organisations: a workspace belongs to exactly one, and this says which
            "select organisation_id from installations where platform = 'slack'"
            " and workspace = :team",
            {"team": team},
        )
        return row.organisation_id if row else None

    async def remove(self, team: str) -> None:
        """Forget a workspace's token: the app was removed there, or the token revoked."""
        async with unit(self._opening.house) as work:
            row = await fetch_one(
                work.connection,
                # across organisations: a workspace belongs to exactly one
                "update installations set removed_at = now(), secrets = null"
                " where platform = 'slack' and workspace = :team and removed_at is null"
                " returning id, organisation_id",
                {"team": team},
            )
            if row is not None:
                data = {"platform": "slack", "workspace": team}
                work.record(Event(row.organisation_id, row.id, Tag.WORKSPACE_REMOVED, data))
        self._known.pop(team, None)
        log.info("slack.removed", team=team)

    async def teams(self) -> list[str]:
        """The workspaces that installed the app themselves; for the doctor."""
        async with self._engine.connect() as connection:
            rows = await fetch_all(
                connection,
                # across organisations: the operator's list
                "select workspace from installations where platform = 'slack'"
                " and removed_at is null and secrets is not null order by installed_at",
                {},
            )
        return [row.workspace for row in rows]
