"""A command at work: the servers up, the tables made, the house open, a worker beside it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from core import organisations, people
from core.db import ANSWER_AT_MOST, APPLICATION_ROLE
from core.errors import Permanent, Refused
from core.house import House
from core.organisations import Organisation
from core.people import Person, Role
from core.settings import Settings
from core.words import Words
from miyabi.build import Built, open_house
from miyabi.embedded import Services, embedded
from miyabi.seed import seed_if_empty
from miyabi.signing import signers
from miyabi.watch import Deaf
from miyabi.worker import Plan, run_worker

_MIGRATIONS = Path(__file__).resolve().parents[1] / "migrations"

_NOT_MIGRATED = Words(
    ja="データベースの準備ができていません。「miyabi db upgrade」を実行してください。",
    en="The database has not the newest tables. Run “miyabi db upgrade”.",
    zh="数据库尚未准备就绪。请运行“miyabi db upgrade”。",
)
_NO_ORGANISATION = Words(
    ja="組織「{slug}」がありません。「miyabi org add {slug} 会社名」で追加してください。",
    en="There is no organisation “{slug}”. Add it with “miyabi org add {slug} NAME”.",
    zh="没有组织“{slug}”。请用“miyabi org add {slug} 公司名”添加。",
)
_NOBODY = Words(
    ja="役割「{role}」を持つ人がいません。「miyabi people add」で追加してください。",
    en="Nobody has the role “{role}”. Add someone with “miyabi people add”.",
    zh="没有人拥有角色“{role}”。请用“miyabi people add”添加。",
)


@dataclass(frozen=True, slots=True)
class Session:
    """What a command works with. `working` is the worker that runs beside it, if one does."""

    settings: Settings
    services: Services
    built: Built
    working: asyncio.Task[None] | None = None

    @property
    def house(self) -> House:
        return self.built.house

    async def organisation(self, slug: str | None = None) -> Organisation:
        """The company a command is about. Raises Refused where there is none of that slug."""
        slug = slug or self.settings.organisation
        async with self.house.engine.connect() as connection:
            found = await organisations.by_slug(connection, slug)
        if found is None:
            raise Refused(_NO_ORGANISATION.fill(slug=slug))
        return found

    async def organisation_of(self, organisation_id: UUID) -> Organisation:
        """The company of that id."""
        async with self.house.engine.connect() as connection:
            return await organisations.by_id(connection, organisation_id)

    async def everyone(self, organisation: Organisation) -> list[Person]:
        """Its active people in the order in which they were added."""
        async with self.house.engine.connect() as connection:
            found = await people.everyone(connection, organisation.id)
        return sorted(found, key=lambda person: person.id)  # UUIDv7: by time

    async def handle_of(
        self, organisation: Organisation, name: str | None, role: Role = "requester"
    ) -> str:
        """The handle of a person named by handle or name; of the first with the role by default.

        A name that nobody has is given back: the intake then tells how to be added.
        """
        everyone = await self.everyone(organisation)
        if name is None:
            able = [person.handle for person in everyone if person.may(role)]
            if not able:
                raise Refused(_NOBODY.fill(role=role))
            return able[0]
        for person in everyone:
            if name in {person.handle, person.name, person.name.replace(" ", "")}:
                return person.handle
        return name


@asynccontextmanager
async def session(
    settings: Settings,
    *,
    sample: bool = True,
    working: bool = False,
    patience: float = 10.0,
    answer_at_most: float = ANSWER_AT_MOST,
) -> AsyncIterator[Session]:
    """Open everything and close it again.

    On the embedded database the tables are made and, with `sample`, the sample company where there
    is none. With `working`, a worker runs beside whatever others there are. `patience` is how many
    seconds a connection may take: a person at a terminal has more than a chat platform; and
    `answer_at_most`, how many a statement may.
    """
    async with embedded(settings) as services:
        await prepare(settings, services)
        async with open_house(
            settings, services, connect_timeout=patience, answer_at_most=answer_at_most
        ) as built:
            if sample and settings.database_url is None:
                await seed_if_empty(built.house, settings.organisation)
            if not working:
                yield Session(settings, services, built)
                return
            plan = Plan(settings.worker_jobs, settings.worker_bulk_jobs)
            worker = asyncio.create_task(
                run_worker(built.house, built.redis, plan, signers(settings))
            )
            try:
                yield Session(settings, services, built, worker)
            finally:
                worker.cancel()
                with contextlib.suppress(asyncio.CancelledError, Deaf):
                    await worker


@asynccontextmanager
async def reading(
    settings: Settings, slug: str | None, *, answer_at_most: float = ANSWER_AT_MOST
) -> AsyncIterator[tuple[UUID, AsyncConnection]]:
    """A company's id and a connection, for a command that looks into its log and does nothing
    else. Raises Refused where there is none of that slug."""
    async with session(settings, sample=False, answer_at_most=answer_at_most) as opened:
        of = (await opened.organisation(slug)).id
        async with opened.house.engine.connect() as connection:
            yield of, connection


async def prepare(settings: Settings, services: Services) -> None:
    """Make the embedded database's tables; raises Permanent where another's are not the newest."""
    if await version_of(services.database_url) == newest_version():
        return
    if settings.database_url is not None:
        raise Permanent(_NOT_MIGRATED)
    from core.migrate import upgrade_async  # Alembic takes half a second to load

    await upgrade_async(services.owner_url)


def newest_version() -> str:
    """The revision of the newest migration: its file's name begins with it."""
    return max(path.stem.partition("_")[0] for path in _MIGRATIONS.glob("versions/[0-9]*.py"))


async def version_of(url: str) -> str | None:
    """Which revision a database has; None for one without tables."""
    engine = create_async_engine(url, poolclass=NullPool, connect_args={"timeout": 5})
    try:
        async with engine.connect() as connection:
            if await connection.scalar(text("select to_regclass('alembic_version') is null")):
                return None
            await connection.execute(text(f"set role {APPLICATION_ROLE}"))
            found = await connection.scalar(text("select version_num from alembic_version"))
            return str(found) if found else None
    finally:
        await engine.dispose()
