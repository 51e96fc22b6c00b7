"""What every test may ask for: a fresh migrated database, an empty Redis, the shared samples."""

import asyncio
import fcntl
import logging
import os
import shutil
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import redis
import structlog
from hypothesis import settings as hypothesis_settings
from pydantic import SecretStr

from core.migrate import upgrade
from core.settings import Settings
from miyabi.embedded import embedded
from tests.databases import Databases, execute, in_database
from tests.engines import keep_in
from tests.fakes.mail.dovecot import Dovecot, program, serving

SHARED = Path(__file__).resolve().parents[1] / ".." / "shared"
_HOME = "MIYABI_TESTS_HOME"  # the folder of this run's servers, the same for every xdist worker
_REQUIRE_SHARED = "MIYABI_REQUIRE_SHARED"
REQUIRE_DOVECOT = "MIYABI_REQUIRE_DOVECOT"
_OURS = ("MIYABI_", "SLACK_", "LINE_", "EMAIL_", "DATABASE_", "REDIS_")
_TEMPLATE = "migrated"

# Time limits inside hypothesis say more about the machine's other work than about the code.
hypothesis_settings.register_profile("steady", deadline=None)
hypothesis_settings.load_profile("steady")


def pytest_configure(config: pytest.Config) -> None:
    """Forget the developer's own settings, and make a place for this run's servers."""
    for name in list(os.environ):
        if name.startswith(_OURS) and name not in {_HOME, _REQUIRE_SHARED, REQUIRE_DOVECOT}:
            del os.environ[name]
    if not hasattr(config, "workerinput"):
        # Not under pytest's base folder: as root, pytest closes that to PostgreSQL's account.
        os.environ[_HOME] = tempfile.mkdtemp(prefix="miyabi-tests-")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long ones first: begun last, they would keep all others waiting at the end."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Take the servers' folder away; the last worker has stopped them."""
    if not hasattr(config, "workerinput"):
        shutil.rmtree(os.environ.pop(_HOME), ignore_errors=True)


def _log_plainly() -> None:
    """What is logged where nobody says how: structlog's own way draws each traceback with all that
    it can find out, for a second of processor time."""
    structlog.reset_defaults()
    plain = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[*structlog.get_config()["processors"][:-1], plain])


@pytest.fixture(autouse=True)
def _logs_as_they_were() -> Iterator[None]:
    """Logging belongs to the whole process: give it back as it was, or every logger that is used
    for the first time later writes to what a test had for its stderr."""
    handlers, level = logging.root.handlers, logging.root.level
    if not structlog.is_configured():
        _log_plainly()
    before = structlog.get_config()["logger_factory"]
    yield
    if structlog.get_config()["logger_factory"] is not before:
        logging.root.handlers, logging.root.level = handlers, level
        _log_plainly()


@pytest.fixture(autouse=True)
async def _nothing_left_running() -> AsyncIterator[None]:
    """All tests share one event loop, so that connections can be kept (tests/engines.py). What a
    test left running ends with it, as it would with a loop of its own."""
    loop = asyncio.get_running_loop()
    keep_in(loop)
    before = asyncio.all_tasks(loop)
    yield
    left = asyncio.all_tasks(loop) - before - {asyncio.current_task()}
    for task in left:
        task.cancel()
    if left:
        await asyncio.wait(left, timeout=5)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder `shared` beside the repository: samples and specifications that are not ours."""
    if SHARED.is_dir():
        return SHARED.resolve()
    reason = "needs the folder `shared` beside the repository"
    if os.environ.get(_REQUIRE_SHARED):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def dovecot() -> Iterator[Dovecot]:
    """Debian's IMAP and LMTP server; whoever asks takes a user of their own."""
    if program() is None:
        reason = "needs dovecot (Debian: dovecot-imapd and dovecot-lmtpd)"
        if os.environ.get(REQUIRE_DOVECOT):
            pytest.fail(reason)
        pytest.skip(reason)
    with serving() as running:
        yield running


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The address of this run's PostgreSQL, one for all xdist workers, as its superuser."""
    home = Path(os.environ[_HOME])
    settings = Settings(home=home, database_url=None, redis_url=SecretStr("redis://not-used"))
    with embedded(settings, durable=False) as services:
        _migrate_template(home, services.database_url)
        yield services.database_url


@pytest.fixture(scope="session")
def valkey() -> Iterator[str]:
    """The address of this xdist worker's own Valkey: pub/sub knows no separate databases."""
    home = Path(os.environ[_HOME]) / os.environ.get("PYTEST_XDIST_WORKER", "alone")
    settings = Settings(home=home, database_url=SecretStr("postgresql://not/used"), redis_url=None)
    with embedded(settings, durable=False) as services:
        yield services.redis_url


@pytest.fixture(scope="session")
def databases(postgres: str) -> Iterator[Databases]:
    """This xdist worker's databases, copies of the migrated one."""
    made = Databases(postgres, _TEMPLATE)
    yield made
    made.close()


@pytest.fixture
def database_url(databases: Databases, request: pytest.FixtureRequest) -> Iterator[str]:
    """A database with every table and no row; its address is the owner's.

    A new one for a test that is marked `fresh`: it looks at what PostgreSQL knows of its tables.
    """
    if request.node.get_closest_marker("fresh"):
        databases.renew()
    yield databases.lend()
    databases.take_back()


@pytest.fixture
def empty_database_url(postgres: str) -> Iterator[str]:
    """A fresh database without tables, for tests of the migrations themselves."""
    name = f"test_{uuid.uuid4().hex}"
    _execute(postgres, f"CREATE DATABASE {name} STRATEGY file_copy")
    yield in_database(postgres, name)
    _execute(postgres, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def redis_url(valkey: str) -> str:
    """The address of an empty Redis that no other test uses meanwhile."""
    with redis.Redis(unix_socket_path=urlsplit(valkey).path) as client:
        client.flushall()
    return valkey


def _migrate_template(home: Path, url: str) -> None:
    """Migrate once per run; the other workers wait here for the first."""
    with (home / "template.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _execute(url, f"SELECT 1 FROM pg_database WHERE datname = '{_TEMPLATE}'"):
            _execute(url, f"CREATE DATABASE {_TEMPLATE}_new STRATEGY file_copy")
            upgrade(in_database(url, f"{_TEMPLATE}_new"))
            # Renamed when whole: a failed migration must fail for every worker.
            _execute(url, f"ALTER DATABASE {_TEMPLATE}_new RENAME TO {_TEMPLATE}")


def _execute(url: str, statement: str) -> bool:
    return asyncio.run(execute(url, statement))
