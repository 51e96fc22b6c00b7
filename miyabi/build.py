"""Puts the house together from its settings: engine, bell, agents, resources, ways out."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cache
from uuid import UUID

from arq import ArqRedis

from audit.cipher import derived
from core import child, organisations
from core.bank_accounts import BankAccounts
from core.catalogue import Catalogue
from core.company import Company
from core.connector import CatalogueSource, Connector
from core.db import ANSWER_AT_MOST, create_engine
from core.documents import Files
from core.errors import Permanent
from core.heartbeat import Heartbeat
from core.house import LEASE, House, KeyOf, Resource
from core.ledger import Ledger
from core.line import Line
from core.platform import Opening
from core.ports import WayOut
from core.secret_key import secret_key
from core.settings import Settings
from core.words import Words
from miyabi.doorbell import RedisDoorbell
from miyabi.embedded import Services
from miyabi.kept import Kept
from miyabi.ledgers import Ledgers
from miyabi.master_keys import personal_keys
from miyabi.plugins import all_agents, all_connectors, all_platforms
from miyabi.price_lists import given_options, open_source, settings_options
from miyabi.queue import connect
from miyabi.storing import open_store
from notifier.hub.circuit import Circuits
from notifier.hub.gate import HubGate
from notifier.hub.limiter import Limiter

NO_PRICE_LIST = Words(
    ja="この組織の価格表が設定されていません。「miyabi company set」で設定してください。",
    en="No price list is set for this organisation. Set one with “miyabi company set”.",
    zh="该组织尚未设置价格表。请用“miyabi company set”进行设置。",
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
    settings: Settings,
    services: Services,
    *,
    pool_size: int = 20,
    connect_timeout: float = 1.5,
    answer_at_most: float = ANSWER_AT_MOST,
) -> AsyncIterator[Built]:
    """Build the house and close it again. Raises WiringError where its parts do not fit."""
    engine = create_engine(
        services.database_url,
        pool_size=pool_size,
        connect_timeout=connect_timeout,
        answer_at_most=answer_at_most,
    )
    redis = connect(services.redis_url)
    doorbell = RedisDoorbell(redis)
    heartbeat = Heartbeat(services.database_url, LEASE)
    opening: Opening | None = None
    child.load_beforehand(all_agents().values())
    try:
        house = House(
            engine=engine,
            doorbell=doorbell,
            agents=all_agents(),
            resources={
                Catalogue: PriceLists(settings, all_connectors()).read,
                Company: _company,
                Files: _files,
                Ledger: Ledgers(settings, all_connectors()).open,
                BankAccounts: _accounts_by(settings),
            },
            heartbeat=heartbeat,
            personal=personal_keys(settings),
            store=open_store(settings),
            approval_days=settings.approval_days,
            approval_small=settings.approval_small_yen,
            keep_years=settings.keep_years,
            live_months=settings.audit.live_months,
            line=Line(settings.limits),
            approval_reminder=timedelta(hours=settings.approval_reminder_hours),
            public_url=settings.public_url,
            key_of=_keys_of(settings),
        )
        opening = _opening(replace(house, gate=gate(house, redis, settings)), settings)
        yield Built(opening, redis, doorbell)
    finally:
        if opening is not None:
            for platform in all_platforms().values():
                await platform.close(opening)
            await opening.house.gate.close()
        await asyncio.to_thread(heartbeat.stop)
        await doorbell.close()
        await engine.dispose()


def gate(house: House, redis: ArqRedis, settings: Settings) -> HubGate:
    """What calls to providers pass."""
    return HubGate(Limiter(redis, house.engine), Circuits(house), settings.notify.paces)


def _opening(house: House, settings: Settings) -> Opening:
    """The ways out read documents through the house; so they are opened when it stands."""
    outbounds: dict[str, WayOut] = {}

    async def read_file(organisation_id: UUID, sha256: str) -> bytes:
        return await Files(house, organisation_id).get(sha256)

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


def _keys_of(settings: Settings) -> KeyOf:
    @cache
    def key_of(use: bytes) -> bytes:
        return derived(secret_key(settings), use)

    return key_of


def _accounts_by(settings: Settings) -> Resource:
    async def accounts(house: House, organisation_id: UUID) -> BankAccounts:
        return BankAccounts(house.engine, organisation_id, secret_key(settings))

    return accounts


@dataclass(slots=True)
class PriceLists:
    """One source for each organisation, kept open so that what it caches is of use."""

    settings: Settings
    connectors: Mapping[str, Connector]
    _kept: Kept[CatalogueSource] = field(init=False)

    def __post_init__(self) -> None:
        self._kept = Kept(lambda options: open_source(options, self.connectors.get))

    async def read(self, house: House, organisation_id: UUID) -> Catalogue:
        """The organisation's catalogue. Raises Permanent where it has none that can be read."""
        async with house.engine.connect() as connection:
            organisation = await organisations.by_id(connection, organisation_id)
        return await self._kept.of(organisation_id, self._options(organisation)).read()

    def _options(self, organisation: organisations.Organisation) -> dict[str, str]:
        company = organisation.company
        if company.price_list is not None:
            given = given_options(self.settings, organisation.slug, company.time_zone)
            return given | company.price_list
        if organisation.slug != self.settings.organisation:
            raise Permanent(NO_PRICE_LIST)
        return settings_options(self.settings, company.time_zone)
