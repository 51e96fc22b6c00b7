"""PostgreSQL and Valkey for a laptop: started by the first who needs them, stopped by the last.

Any number of processes may use the same home at once. Each holds a lock while it does; a keeper
process per server (`miyabi.keeper`) waits for the last lock to go.
"""

import asyncio
import contextlib
import fcntl
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from pydantic import SecretStr

from core.errors import Permanent
from core.settings import Settings
from core.words import Words
from miyabi.keeper import Places, locks, opened

_PATIENCE = 90.0  # seconds until we stop believing that a server will come up or go down
_POLL = 0.01
_LOG_TAIL = 15  # lines
_LOG_LIMIT = 1_000_000  # bytes, then the log makes room for a new one

_NO_START = Words(
    ja="組み込みの{name}を起動できませんでした。ログ（{log}）の末尾:\n{tail}",
    en="The embedded {name} could not be started. The end of its log ({log}):\n{tail}",
    zh="无法启动内置的 {name}。日志（{log}）末尾：\n{tail}",
)
_NO_HOME = Words(
    ja="データの置き場所 {home} を使えません: {why}",
    en="The folder for data, {home}, cannot be used: {why}",
    zh="无法使用数据目录 {home}：{why}",
)


@dataclass(frozen=True, slots=True)
class Services:
    """Where PostgreSQL (for SQLAlchemy's asyncpg driver) and Redis answer."""

    database_url: str = field(repr=False)
    owner_url: str = field(repr=False)
    redis_url: str = field(repr=False)


def embedded(settings: Settings, *, durable: bool = True) -> "Embedded":
    """Use the servers of the settings, and embedded ones where an address is not set.

    For `with` and for `async with`; both give `Services`. Without `durable` nothing waits for the
    disk: for tests. Raises `Permanent`, with the end of the server's log, where one cannot start.
    """
    return Embedded(settings, durable=durable)


class Embedded:
    """The use of embedded servers, from entering to leaving."""

    def __init__(self, settings: Settings, *, durable: bool) -> None:
        self._settings = settings
        self._durable = durable
        self._uses: list[_Use] = []

    def __enter__(self) -> Services:
        database, redis = self._settings.database_url, self._settings.redis_url
        postgres = None if database else self._use("postgres")
        valkey = None if redis else self._use("valkey")
        try:
            for use in self._uses:
                use.begin()  # all of them before waiting for one: they start side by side
            database_url = _given(database) or _address(postgres)
            return Services(
                database_url=database_url,
                owner_url=_given(self._settings.owner_url) or database_url,
                redis_url=_given(redis) or _address(valkey),
            )
        except OSError as error:
            self._leave()
            raise Permanent(_NO_HOME.fill(home=self._settings.home, why=error)) from error
        except BaseException:
            self._leave()
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._leave()

    async def __aenter__(self) -> Services:
        return await asyncio.to_thread(self.__enter__)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await asyncio.to_thread(self._leave)

    def _use(self, name: str) -> "_Use":
        use = _Use(Places(self._settings.home, name), durable=self._durable)
        self._uses.append(use)
        return use

    def _leave(self) -> None:
        uses, self._uses = self._uses, []
        used = [use for use in uses if use.release()]
        for use in used:
            use.await_stop()


class _Use:
    """Our use of one server: a lock held from `begin` to `release`."""

    def __init__(self, places: Places, *, durable: bool) -> None:
        self._places = places
        self._durable = durable
        self._starting = contextlib.ExitStack()
        self._using = contextlib.ExitStack()
        self._taken = False
        self._keeper: subprocess.Popen[bytes] | None = None
        self._log_before = 0

    def begin(self) -> None:
        """Take part, and set a keeper to work where there is none."""
        self._places.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._places.users.parent.mkdir(exist_ok=True, mode=0o700)
        self._take(self._starting, self._places.starting, fcntl.LOCK_EX)
        # Waits here while a keeper is stopping the server that the last user has just left.
        self._take(self._using, self._places.users, fcntl.LOCK_SH)
        self._taken = True
        if _free(self._places.keeper):
            self._start_keeper()

    def address(self) -> str:
        """Wait until the server answers; where it does."""
        until = time.monotonic() + _PATIENCE
        while not self._places.address.exists():
            if self._keeper is None and _free(self._places.keeper):
                self._start_keeper()  # the keeper we had relied on was killed meanwhile
            if (self._keeper and self._keeper.poll()) or time.monotonic() > until:
                raise self._failed()
            time.sleep(_POLL)
        self._starting.close()
        return self._places.address.read_text("utf-8")

    def release(self) -> bool:
        """Give our lock back, if we had it. The keeper stops the server if it was the last."""
        self._starting.close()
        self._using.close()
        had, self._taken = self._taken, False
        return had

    def await_stop(self) -> None:
        """Wait for the end of the server, unless others still use it."""
        until = time.monotonic() + _PATIENCE
        while time.monotonic() < until and not _free(self._places.keeper):
            if _others_use(self._places.users):
                return
            time.sleep(_POLL)
        if self._keeper:
            self._keeper.wait()  # or it would stay a zombie as long as we live

    def _take(self, stack: contextlib.ExitStack, path: Path, kind: int) -> None:
        descriptor = stack.enter_context(opened(path))
        until = time.monotonic() + _PATIENCE
        while not locks(descriptor, kind):
            if time.monotonic() > until:
                raise self._failed()
            time.sleep(_POLL)

    def _start_keeper(self) -> None:
        places = self._places
        places.address.unlink(missing_ok=True)  # left by a keeper that was killed
        if places.log.exists() and places.log.stat().st_size > _LOG_LIMIT:
            places.log.replace(places.log.with_suffix(".log.1"))
        with places.log.open("ab") as log:
            places.log.chmod(0o600)  # PostgreSQL logs statements that failed, with what they hold
            self._log_before = log.tell()
            self._keeper = subprocess.Popen(  # noqa: S603 - our own command, no shell
                [sys.executable, "-P", "-m", "miyabi.keeper", places.name, str(places.home)]
                + ([] if self._durable else ["--fleeting"]),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",  # not the caller's folder, which may be taken away
                env=os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[1])},
                start_new_session=True,
            )

    def _failed(self) -> Permanent:
        log = self._places.log
        with log.open("rb") as file:
            file.seek(self._log_before)
            lines = file.read().decode(errors="replace").splitlines()
        name = "PostgreSQL" if self._places.name == "postgres" else "Valkey"
        return Permanent(_NO_START.fill(name=name, log=log, tail="\n".join(lines[-_LOG_TAIL:])))


def _address(use: _Use | None) -> str:
    return use.address() if use else ""


def _given(url: SecretStr | None) -> str | None:
    return url.get_secret_value() if url else None


def _free(path: Path) -> bool:
    with opened(path) as descriptor:
        return locks(descriptor, fcntl.LOCK_EX)


def _others_use(users: Path) -> bool:
    """Whether the lock is shared by others: not free, and not taken whole by the keeper."""
    with opened(users) as descriptor:
        return not locks(descriptor, fcntl.LOCK_EX) and locks(descriptor, fcntl.LOCK_SH)
