"""Which guild belongs to which organisation, and what is known of a guild."""

import time
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from audit.event import Event
from bot.discord import limits
from bot.discord.api import Api
from core import organisations
from core.db import fetch_all, fetch_one
from core.errors import MiyabiError
from core.ids import new_id
from core.platform import Opening
from core.tags import Tag
from core.unit import unit

log = structlog.get_logger()

_FRESH = 600.0  # seconds for which a guild's boost tier is believed


class Guilds:
    """The rows of `installations` for Discord. One bot and one token serve all of them."""

    def __init__(self, opening: Opening, api: Api) -> None:
        self._opening = opening
        self._engine = opening.house.engine
        self._api = api
        self._tiers: dict[str, tuple[float, int]] = {}

    async def arrived(self, guild: str, name: str) -> None:
        """The bot is in this guild. It is the organisation's of the settings, unless it is known
        to be another's: `miyabi people link` and a row of `installations` say so."""
        async with unit(self._opening.house) as work:
            slug = self._opening.settings.organisation
            organisation = await organisations.by_slug(work.connection, slug)
            owner = await self.organisation_of(work.connection, guild)
            owner = owner or (organisation.id if organisation is not None else None)
            if owner is None:
                log.warning("discord.guild_of_nobody", guild=guild)
                return
            row = await fetch_one(
                work.connection,
                "insert into installations as i (id, organisation_id, platform, workspace, name)"
                " values (:id, :organisation_id, 'discord', :guild, :name)"
                " on conflict (platform, workspace) do update set name = excluded.name,"
                " installed_at = now(), removed_at = null"
                " where i.removed_at is not null or i.name <> excluded.name"
                " returning id, organisation_id",
                {"id": new_id(), "organisation_id": owner, "guild": guild, "name": name[:200]},
            )
            if row is not None:
                data = {"platform": "discord", "workspace": guild}
                event = Event(row.organisation_id, row.id, Tag.WORKSPACE_CONNECTED, data)
                work.record(event)

    async def left(self, guild: str) -> None:
        """The bot was taken out of a guild."""
        async with unit(self._opening.house) as work:
            row = await fetch_one(
                work.connection,
                # across organisations: a guild belongs to exactly one
                "update installations set removed_at = now() where platform = 'discord'"
                " and workspace = :guild and removed_at is null returning id, organisation_id",
                {"guild": guild},
            )
            if row is not None:
                data = {"platform": "discord", "workspace": guild}
                work.record(Event(row.organisation_id, row.id, Tag.WORKSPACE_REMOVED, data))

    async def organisation_of(self, connection: AsyncConnection, guild: str) -> UUID | None:
        """The organisation that a guild belongs to: by its row, else by an account there."""
        row = await fetch_one(
            connection,
            # across organisations: a guild belongs to exactly one, and this says which
            "select organisation_id from installations where platform = 'discord'"
            " and workspace = :guild union all select organisation_id from accounts"
            " where platform = 'discord' and workspace = :guild limit 1",
            {"guild": guild},
        )
        return row.organisation_id if row else None

    async def of_person(self, account: str) -> str:
        """The guild of whoever writes directly: that of the account they were given first; where
        they have none, the only guild there is. Empty where neither says it."""
        async with self._engine.connect() as connection:
            rows = await fetch_all(
                connection,
                # across organisations: nobody has said yet of which one this person is
                "select workspace, 0 as rank, created_at as at from accounts"
                " where platform = 'discord' and external_id = :account"
                " union all select workspace, 1, installed_at from installations"
                " where platform = 'discord' and removed_at is null order by rank, at limit 2",
                {"account": account},
            )
        if not rows or (rows[0].rank == 1 and len(rows) > 1):
            return ""
        return str(rows[0].workspace)

    async def upload_limit(self, guild: str) -> int:
        """How many bytes a file may have in a guild."""
        at, tier = self._tiers.get(guild, (-_FRESH, 0))
        if time.monotonic() - at >= _FRESH:
            try:
                said = await self._api.call("GET", "/guilds/{guild_id}", guild_id=guild)
                tier = int(said.get("premium_tier") or 0)
            except MiyabiError as error:
                log.warning("discord.guild_not_read", guild=guild, why=str(error))
                return limits.UPLOAD[0]
            self._tiers[guild] = (time.monotonic(), tier)
        return limits.UPLOAD.get(tier, limits.UPLOAD[0])
