"""Puts the house together from its settings: engine, bell, agents, resources, ways out."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from uuid import UUID

from arq import ArqRedis

from audit import blobs
from core import organisations
from core.catalogue import Catalogue
from core.company import Company
from core.connector import CatalogueSource, Connector
from core.db import create_engine
from core.documents import Files
from core.errors import Permanent
from core.house import House
from core.platform import Opening
from core.ports import Outbound
from core.settings import Settings
from core.words import Words
from miyabi.doorbell import RedisDoorbell, connect
from miyabi.embedded import Services
from miyabi.plugins import all_agents, all_connectors, all_platforms

NO_PRICE_LIST = Words(
    ja="この組織の価格表が設定されていません。「miyabi company set」で設定してください。",
    en="No price list is set for this organisation. Set one with “miyabi company set”.",
    zh="该组织尚未设置价格表。请用“miyabi company set”进行设置。",
)
NO_CONNECTOR = Words(
    ja="価格表の接続方法「{name}」はありません。使えるもの: {known}",
    en="There is no price list connector “{name}”. Known: {known}",
    zh="没有价格表连接器“{name}”。可用: {known}",
)


@dataclass(frozen=True, slots=True)
class Built:
    """The house and what its processes have to close."""

    opening: Opening
    redis: ArqRedis
    doorbell: RedisDoorbell

    @property
    def house(self) -> House:
        return self.opening.house


@asynccontextmanager
async def open_house(
    settings: Settings, services: Services, *, pool_size: int = 20
) -> AsyncIterator[Built]:
    """Build the house and close it again. Raises WiringError where its parts do not fit."""
    engine = create_engine(services.database_url, pool_size=pool_size)
    redis = connect(services.redis_url)
    doorbell = RedisDoorbell(redis)
    try:
        house = House(
            engine=engine,
            doorbell=doorbell,
            agents=all_agents(),
            resources={
                Catalogue: PriceLists(settings, all_connectors()).read,
                Company: _company,
                Files: _files,
            },
            approval_days=settings.approval_days,
        )
        yield Built(_opening(house, settings), redis, doorbell)
    finally:
        await doorbell.close()
        await engine.dispose()


def _opening(house: House, settings: Settings) -> Opening:
    """The ways out read documents through the house; so they are opened when it stands."""
    outbounds: dict[str, Outbound] = {}

    async def read_file(organisation_id: UUID, sha256: str) -> bytes:
        async with house.engine.connect() as connection:
            content = await blobs.get(connection, organisation_id, sha256)
        if content is None:
            raise LookupError(f"no document {sha256}")
        return content

    opening = Opening(settings, house, read_file)
    for platform in all_platforms().values():
        outbound = platform.outbound(opening)
        if outbound is not None:
            outbounds[platform.name] = outbound
    return replace(opening, house=replace(house, outbounds=outbounds))


async def _company(house: House, organisation_id: UUID) -> Company:
    async with house.engine.connect() as connection:
        return await organisations.company_of(connection, organisation_id)


async def _files(house: House, organisation_id: UUID) -> Files:
    return Files(house, organisation_id)


@dataclass(slots=True)
class PriceLists:
    """One source for each organisation, kept open so that what it caches is of use."""

    settings: Settings
    connectors: Mapping[str, Connector]
    _open: dict[UUID, tuple[dict[str, str], CatalogueSource]] = field(default_factory=dict)

    async def read(self, house: House, organisation_id: UUID) -> Catalogue:
        """The organisation's catalogue. Raises Permanent where it has none that can be read."""
        async with house.engine.connect() as connection:
            organisation = await organisations.by_id(connection, organisation_id)
        options = self._options(organisation)
        known = self._open.get(organisation_id)
        if known is None or known[0] != options:
            known = (options, self._source(options))
            self._open[organisation_id] = known
        return await known[1].read()

    def _options(self, organisation: organisations.Organisation) -> dict[str, str]:
        given = {
            "time_zone": organisation.company.time_zone,
            "cache_dir": str(self.settings.home / "cache" / organisation.slug),
        }
        if organisation.company.price_list is not None:
            return given | organisation.company.price_list
        if organisation.slug != self.settings.organisation:
            raise Permanent(NO_PRICE_LIST)
        chosen = self.settings.price_list
        options = {key: str(value) for key, value in chosen.options.items()}
        return given | options | {"connector": chosen.connector}

    def _source(self, options: dict[str, str]) -> CatalogueSource:
        name = options.get("connector", "csv")
        if name not in self.connectors:
            known = ", ".join(sorted(self.connectors))
            raise Permanent(NO_CONNECTOR.fill(name=name, known=known))
        rest = {key: value for key, value in options.items() if key != "connector"}
        return self.connectors[name].open(rest)
