"""What runs until it is stopped, and what prepares the database for it."""

import asyncio
from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from core.errors import MiyabiError
from core.words import Words
from miyabi.commands.frame import Exit, complain, run, say

if TYPE_CHECKING:
    from core.settings import Settings

database = typer.Typer(help="The database's tables.", no_args_is_help=True)

_UPGRADED = Words(
    ja="データベースは最新です（{version}）。",
    en="The database has the newest tables ({version}).",
    zh="数据库已是最新（{version}）。",
)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("up")(up)
    app.command("web")(web)
    app.command("worker")(worker)
    app.add_typer(database, name="db")


def up(
    workers: Annotated[int, typer.Option("--workers", min=1, max=32, help="How many.")] = 1,
) -> None:
    """Run everything until Ctrl-C: web, workers, and what is missing of the servers."""

    async def serve(settings: "Settings") -> None:
        from miyabi.supervise import up

        if not await up(settings, workers=workers):
            raise typer.Exit(int(Exit.FAILED))

    _run("up", serve)


def web() -> None:
    """Run the web process: the platforms' webhooks and connections."""

    async def serve(settings: "Settings") -> None:
        from miyabi.serve import web

        await web(settings)

    _run("web", serve)


class Lanes(StrEnum):
    """What a worker may be told to serve."""

    INTERACTIVE = "interactive"
    BULK = "bulk"
    BOTH = "both"


def worker(
    lane: Annotated[Lanes, typer.Option("--lane", help="Which of the two queues.")] = Lanes.BOTH,
) -> None:
    """Run a worker; any number may run at once."""

    async def serve(settings: "Settings") -> None:
        from miyabi.queue import LANES
        from miyabi.serve import worker
        from miyabi.watch import DEAF, Deaf

        try:
            await worker(settings, [each for each in LANES if lane in (each, Lanes.BOTH)])
        except Deaf as deaf:
            raise typer.Exit(DEAF) from deaf

    _run("worker", serve)


def _run(process: str, serve: Callable[["Settings"], Awaitable[None]]) -> None:
    """Run a process that logs instead of talking, on uvloop."""
    import uvloop

    from core.settings import read_settings
    from miyabi.logs import configure

    async def main(settings: "Settings") -> None:
        await serve(settings)

    try:
        settings = read_settings()
        configure(as_json=settings.log_json, process=process)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(main(settings))
    except MiyabiError as error:
        complain(error.words)
        raise typer.Exit(int(Exit.FAILED)) from error
    raise typer.Exit(int(Exit.DONE))


@database.command("upgrade")
def upgrade() -> None:
    """Bring the database's tables to their newest form; only this needs the owner's login."""

    async def command(settings: "Settings") -> int:
        from core.migrate import upgrade_async
        from miyabi.embedded import embedded
        from miyabi.session import version_of

        async with embedded(settings) as services:
            await upgrade_async(services.owner_url)
            version = await version_of(services.owner_url)
        say(_UPGRADED.fill(version=version))
        return Exit.DONE

    run(command)
