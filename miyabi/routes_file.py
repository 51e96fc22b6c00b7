"""The file of routes that miyabi.toml names: brought into the database, again when it changes.

One with an error changes nothing: the log and `miyabi doctor` say line and reason, and the routes
of before go on.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog
from sqlalchemy.exc import SQLAlchemyError

from core import organisations, people
from core.agent import Agent
from core.approvals.route import Route
from core.approvals.route_file import WrongRoute, check_handles, read_routes
from core.approvals.routes import Stored, kinds_of, put
from core.errors import Refused
from core.house import House
from core.platform import Finding
from core.settings import Settings
from core.unit import unit
from core.words import Words

log = structlog.get_logger()

LOOK_EVERY = 5.0
"""Seconds between two looks whether the file has changed."""

ROUTES = Words(
    ja="承認経路のファイル: {file}（{names}）",
    en="The file of routes: {file} ({names})",
    zh="审批路线文件: {file}（{names}）",
)
BROKEN = Words(
    ja="承認経路のファイル: {file}",
    en="The file of routes: {file}",
    zh="审批路线文件: {file}",
)
FIX = Words(
    ja="直してください。それまで以前の経路が使われます。\n{why}",
    en="Mend this; until then the routes of before go on.\n{why}",
    zh="请修正；在此之前沿用以前的路线。\n{why}",
)
_UNREADABLE = Words(
    ja="ファイル {file} を読めません: {why}",
    en="The file {file} can't be read: {why}",
    zh="无法读取文件 {file}: {why}",
)


class NoFile(Refused):
    """There is no such file, or it is no text."""


@dataclass(frozen=True, slots=True)
class RoutesOf:
    """A file of routes that was read and is right."""

    source: str
    routes: Mapping[str, Route]


def read_file(path: Path, agents: Mapping[str, Agent]) -> RoutesOf:
    """The routes of a file. Raises WrongRoute with line and reason, NoFile where there is none."""
    source = read_text(path)
    return RoutesOf(source, read_routes(source, lambda name: kinds_of(name, agents.values())))


def read_text(path: Path) -> str:
    """A file's text, with or without a byte order mark. Raises NoFile."""
    try:
        return path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise NoFile(_UNREADABLE.fill(file=path, why=error)) from None


async def bring_in(house: House, settings: Settings) -> bool:
    """Put the file's routes in force where they differ; what is wrong goes into the log.

    False where the database could not be asked: then it has to be done again.
    """
    path = settings.routes_file
    if path is None:
        return True
    changed: Sequence[Stored] = ()
    try:
        found = await asyncio.to_thread(read_file, path, house.agents)
        async with unit(house) as work:
            company = await organisations.by_slug(work.connection, settings.organisation)
            if company is not None:
                changed = await put(work, company.id, found.source, found.routes)
    except WrongRoute as error:
        log.error("routes.file_wrong", file=str(path), line=error.line, why=error.words.en)
    except NoFile as error:
        log.error("routes.file_unreadable", file=str(path), why=error.words.en)
    except (SQLAlchemyError, OSError) as error:
        log.error("routes.database_away", error=repr(error))
        return False
    for each in changed:
        log.info("routes.changed", route=each.name, version=each.version, file=str(path))
    return True


async def keep_routes(house: House, settings: Settings) -> None:
    """Bring the file in, and again whenever it has changed, until cancelled."""
    path = settings.routes_file
    if path is None:
        return
    seen = None
    while True:
        now = _state(path)
        if now != seen and await bring_in(house, settings):
            seen = now
        await asyncio.sleep(LOOK_EVERY)


def _state(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


async def look(settings: Settings, house: House) -> Sequence[Finding]:
    """What `miyabi doctor` says of the file."""
    path = settings.routes_file
    if path is None:
        return []
    broken = BROKEN.fill(file=path)
    try:
        found = await asyncio.to_thread(read_file, path, house.agents)
        async with house.engine.connect() as connection:
            company = await organisations.by_slug(connection, settings.organisation)
            if company is not None:
                everyone = await people.everyone(connection, company.id)
                handles = {person.handle for person in everyone}
                check_handles(found.source, found.routes, handles)
    except (WrongRoute, NoFile) as error:
        return [Finding(False, broken, FIX.fill(why=error.words))]
    return [Finding(True, ROUTES.fill(file=path, names=", ".join(found.routes)))]
