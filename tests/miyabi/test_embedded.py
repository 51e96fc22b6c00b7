"""Embedded servers under real processes that come, go and are killed."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import asyncpg  # type: ignore[import-untyped]
import psutil
import pytest
import redis
from pydantic import SecretStr

from core.errors import Permanent
from core.settings import Settings
from miyabi.embedded import embedded
from miyabi.keeper import Places

REPOSITORY = Path(__file__).resolve().parents[2]
NAMES = ("postgres", "valkey")
USER = """
import json, os, sys
from core.settings import Settings
from miyabi.embedded import embedded
settings = Settings(home=os.environ["USED_HOME"], database_url=None, redis_url=None)
with embedded(settings, durable=sys.argv[1] == "durable") as services:
    print(json.dumps([services.database_url, services.redis_url]), flush=True)
    sys.stdin.readline()
"""


def _temporary() -> tempfile.TemporaryDirectory[str]:
    """A folder outside pytest's own, which it closes to PostgreSQL's account under root."""
    return tempfile.TemporaryDirectory(prefix="miyabi-home-", ignore_cleanup_errors=True)


def _stranger() -> subprocess.Popen[bytes]:
    return subprocess.Popen(["sleep", "60"])


class User:
    """A process that uses the servers of a home until told to leave."""

    def __init__(self, home: Path, *, durable: bool = False) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", USER, "durable" if durable else "fleeting"],
            env=os.environ | {"USED_HOME": str(home)},
            start_new_session=True,  # as a terminal does for each command
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def address(self) -> tuple[str, str]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError(self.process.communicate()[1])
        database_url, redis_url = json.loads(line)
        return database_url, redis_url

    def leave(self) -> None:
        self.process.communicate("leave\n", timeout=60)
        assert self.process.returncode == 0

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture(scope="module")
def cluster() -> Iterator[Path]:
    """A home whose PostgreSQL was made, used once and stopped."""
    with _temporary() as folder:
        with embedded(_only_embedded(Path(folder) / "home"), durable=False):
            pass
        yield Path(folder) / "home"


@pytest.fixture
def home(cluster: Path, new_home: Path) -> Path:
    """A home that was used before; copying one is quicker than making one."""
    subprocess.run(["cp", "-a", cluster, new_home], check=True)
    return new_home


@pytest.fixture
def new_home() -> Iterator[Path]:
    """A home that is not there yet; whatever is still running in it is ended after the test."""
    with _temporary() as folder:
        path = Path(folder) / "home"
        yield path
        for process in _processes_of(path):
            process.kill()


def _processes_of(home: Path) -> list[psutil.Process]:
    """Keepers and servers of a home (a server's own children carry no path and follow it)."""
    return [
        process
        for process in psutil.process_iter(["cmdline"])
        if any(part.startswith(str(home)) for part in process.info["cmdline"] or ())
    ]


def _servers(home: Path) -> list[psutil.Process]:
    found = []
    for each in _processes_of(home):
        with contextlib.suppress(psutil.Error):  # it ended while we looked
            # A child of PostgreSQL looks like its parent until it has said what it is for.
            is_child = (above := each.parent()) is not None and above.name() == each.name()
            if "miyabi.keeper" not in each.cmdline() and not is_child:
                found.append(each)
    return found


def _keepers(home: Path) -> list[psutil.Process]:
    return [each for each in _processes_of(home) if "miyabi.keeper" in each.cmdline()]


def _eventually(holds: Callable[[], object], seconds: float = 20) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if holds():
            return True
        time.sleep(0.02)
    return False


async def _sql(database_url: str, *statements: str) -> object:
    """Run the statements; the last one's first value."""
    socket_folder = parse_qs(urlsplit(database_url).query)["host"][0]
    connection = await asyncpg.connect(user="postgres", database="miyabi", host=socket_folder)
    try:
        for statement in statements[:-1]:
            await connection.execute(statement)
        return await connection.fetchval(statements[-1])
    finally:
        await connection.close()


def _only_embedded(home: Path) -> Settings:
    return Settings(home=home, database_url=None, redis_url=None)


async def _works(address: tuple[str, str]) -> bool:
    database_url, redis_url = address
    client = redis.Redis(unix_socket_path=urlsplit(redis_url).path)
    with client:
        return await _sql(database_url, "select 1") == 1 and bool(client.ping())


async def test_the_first_start_makes_everything_and_the_second_finds_it(new_home: Path) -> None:
    settings = _only_embedded(new_home)
    async with embedded(settings) as services:
        assert await _works((services.database_url, services.redis_url))
    assert _eventually(lambda: not _processes_of(new_home), 2)

    async with embedded(settings) as services:
        assert await _works((services.database_url, services.redis_url))
        assert services.owner_url == services.database_url


async def test_the_last_to_leave_stops_them_whoever_came_first(home: Path) -> None:
    first, second = User(home), User(home)
    address = first.address()
    assert second.address() == address
    servers = _servers(home)

    first.leave()
    assert await _works(address)
    third = User(home)
    assert third.address() == address
    second.leave()
    assert await _works(address)
    assert _servers(home) == servers
    third.leave()

    assert _eventually(lambda: not _processes_of(home), 2)


async def test_many_at_once_share_one_server(new_home: Path) -> None:
    users = [User(new_home) for _ in range(5)]

    addresses = {user.address() for user in users}

    assert len(addresses) == 1
    assert len(_servers(new_home)) == 2
    for user in users:
        user.leave()
    assert _eventually(lambda: not _processes_of(new_home), 2)


async def test_after_the_only_user_is_killed_the_servers_stop_by_themselves(home: Path) -> None:
    user = User(home)
    user.address()

    user.kill()

    assert _eventually(lambda: not _processes_of(home))


async def test_a_killed_user_takes_nothing_from_the_others(home: Path) -> None:
    killed, other = User(home), User(home)
    killed.address()
    address = other.address()

    killed.kill()
    await asyncio.sleep(0.3)

    assert await _works(address)
    other.leave()
    assert _eventually(lambda: not _processes_of(home), 2)


async def test_after_everything_is_killed_the_next_start_finds_what_was_committed(
    home: Path,
) -> None:
    user = User(home, durable=True)
    database_url, _ = user.address()
    await _sql(database_url, "create table kept (n int)", "insert into kept values (7)", "select 1")
    for process in (*_keepers(home), *_servers(home)):
        process.kill()
    user.kill()

    successor = User(home, durable=True)
    address = successor.address()

    assert await _sql(address[0], "select n from kept") == 7
    assert await _works(address)
    successor.leave()
    assert _eventually(lambda: not _processes_of(home), 2)


async def test_servers_that_outlive_a_killed_keeper_are_replaced(home: Path) -> None:
    user = User(home)
    user.address()
    left = _servers(home)
    for keeper in _keepers(home):
        keeper.kill()
    user.kill()
    assert all(server.is_running() for server in left)

    successor = User(home)
    address = successor.address()

    assert await _works(address)
    assert not any(server.is_running() for server in left)
    successor.leave()
    assert _eventually(lambda: not _processes_of(home), 2)


@pytest.mark.parametrize("name", NAMES)
async def test_a_server_that_dies_in_use_comes_back(home: Path, name: str) -> None:
    user = User(home)
    address = user.address()
    dying = next(server for server in _servers(home) if server.name().startswith(name))

    dying.kill()

    def is_back() -> bool:
        new = [server for server in _servers(home) if server.name().startswith(name)]
        return bool(new) and dying not in new and Places(home, name).address.exists()

    assert _eventually(is_back)
    for _ in range(100):
        try:
            assert await _works(address)
            break
        except (OSError, redis.ConnectionError, asyncpg.PostgresError):
            await asyncio.sleep(0.1)
    else:
        pytest.fail("does not answer again")
    user.leave()


async def test_a_stale_pid_that_now_is_another_process_is_forgotten(home: Path) -> None:
    user = User(home)
    user.address()
    user.leave()
    with _stranger() as stranger:
        pid_file = home / "postgres" / "postmaster.pid"
        pid_file.write_text(f"{stranger.pid}\n{home / 'postgres'}\n1\n5432\n\n\n  1 1\nready\n")
        os.chown(pid_file, pid_file.parent.stat().st_uid, pid_file.parent.stat().st_gid)

        successor = User(home)
        address = successor.address()

        assert await _works(address)
        assert stranger.poll() is None
        stranger.kill()
    successor.leave()


async def test_a_creation_cut_short_is_begun_again(new_home: Path) -> None:
    unfinished = new_home / "postgres.new"
    unfinished.mkdir(parents=True)
    (unfinished / "PG_VERSION").write_text("18\n")

    user = User(new_home)

    assert await _works(user.address())
    user.leave()
    assert not unfinished.exists()


async def test_any_path_will_do(new_home: Path) -> None:
    user = User(new_home / f"{'l' * 150}/書類 と 空白, quote'/colon:comma,percent%")

    assert await _works(user.address())
    user.leave()
    assert _eventually(lambda: not _processes_of(new_home), 2)


async def test_nothing_listens_on_the_network_and_the_sockets_are_closed_to_others(
    home: Path,
) -> None:
    user = User(home)
    user.address()

    for server in _servers(home):
        assert server.net_connections("inet") == []
    assert (home / "run").stat().st_mode & 0o077 == 0
    assert (home / "postgres").stat().st_mode & 0o077 == 0
    assert (home / "postgres.log").stat().st_mode & 0o077 == 0
    user.leave()


async def test_a_server_that_cannot_start_says_why(home: Path) -> None:
    user = User(home)
    user.address()
    user.leave()
    with (home / "postgres" / "postgresql.conf").open("a") as configuration:
        configuration.write("\nwork_mem = lots\n")

    with pytest.raises(Permanent) as caught, embedded(_only_embedded(home)):
        pass

    assert 'invalid value for parameter "work_mem"' in caught.value.words.ja
    assert str(Places(home, "postgres").log) in caught.value.words.en
    assert _eventually(lambda: not _processes_of(home))


async def test_a_cluster_of_another_version_is_left_alone(new_home: Path) -> None:
    (new_home / "postgres").mkdir(parents=True)
    (new_home / "postgres" / "PG_VERSION").write_text("16\n")

    with (
        pytest.raises(Permanent, match="made by PostgreSQL 16"),
        embedded(_only_embedded(new_home)),
    ):
        pass

    assert [path.name for path in (new_home / "postgres").iterdir()] == ["PG_VERSION"]


def test_a_home_that_cannot_be_used_is_refused_by_its_path(new_home: Path) -> None:
    new_home.parent.mkdir(exist_ok=True)
    new_home.write_text("a file")

    with pytest.raises(Permanent, match=str(new_home)), embedded(_only_embedded(new_home)):
        pass


def test_addresses_that_are_set_are_used_and_nothing_is_started(new_home: Path) -> None:
    database, redis_address = SecretStr("postgresql://db/miyabi"), SecretStr("redis://cache/0")
    settings = Settings(home=new_home, database_url=database, redis_url=redis_address)

    with embedded(settings) as services:
        assert services.database_url == "postgresql+asyncpg://db/miyabi"
        assert services.redis_url == "redis://cache/0"
        assert not new_home.exists()
    assert "cache" not in repr(services)


def test_ctrl_c_in_the_terminal_does_not_reach_the_servers(home: Path) -> None:
    user = User(home)
    user.address()

    groups = {os.getpgid(each.pid) for each in _processes_of(home)}

    assert os.getpgid(user.process.pid) not in groups
    user.process.send_signal(signal.SIGINT)
    user.process.communicate()
    assert _eventually(lambda: not _processes_of(home))


async def test_at_rest_they_use_next_to_no_processor_time(home: Path) -> None:
    user = User(home)
    user.address()
    with ExitStack() as leaving:
        leaving.callback(user.leave)
        await asyncio.sleep(1.0)
        everyone = [p for each in _processes_of(home) for p in (each, *each.children())]

        def used() -> float:
            return sum(sum(each.cpu_times()[:2]) for each in {*everyone})

        before = used()
        await asyncio.sleep(4)

        assert (used() - before) / 4 < 0.015  # of one core
