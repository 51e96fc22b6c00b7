"""Processes of ours, started warm: in forks of one process that has loaded the modules already.

Loading them is three quarters of a short command's processor time, and the tests run hundreds.
Everything else is as in a process of its own: arguments, folder, environment, streams, exit code.
"""

import asyncio
import ctypes
import importlib
import json
import os
import pkgutil
import random
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from miyabi.supervise import SUPERVISED

REPOSITORY = Path(__file__).resolve().parents[2]
_LOADED = ("miyabi", "core", "agents", "connectors", "notifier", "audit", "bot.console")
_LIBRARIES = ("slack_bolt.async_app", "gspread", "uvicorn.protocols.http.httptools_impl", "uvloop")
_NEVER = {"miyabi.__main__"}
_DIES_WITH_PARENT = 1  # PR_SET_PDEATHSIG of Linux's prctl(2)


@cache
def starter() -> str:
    """The address of this test process' warm process; it ends when its stdin does."""
    address = f"{tempfile.mkdtemp(prefix='miyabi-warm-')}/s"
    inherited = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    environment = {**inherited, "PYTHONPATH": str(REPOSITORY)}
    command = [sys.executable, "-P", "-m", "tests.miyabi.warm", address]
    subprocess.Popen(command, env=environment, cwd=REPOSITORY, stdin=subprocess.PIPE)
    end = time.monotonic() + 60
    while not Path(address).exists():
        assert time.monotonic() < end, "the warm process does not start"
        time.sleep(0.02)
    return address


@dataclass(slots=True)
class Process:
    """One that was started, with what tests use of asyncio's own kind of process."""

    pid: int
    _ending: asyncio.Task[int] = field(repr=False)

    @property
    def returncode(self) -> int | None:
        """The exit code, negative for a signal; None while it runs."""
        return self._ending.result() if self._ending.done() else None

    def send_signal(self, number: int) -> None:
        """Raises ProcessLookupError where it has ended."""
        if self.returncode is not None:
            raise ProcessLookupError
        os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    async def wait(self) -> int:
        """Until it has ended; its exit code."""
        return await asyncio.shield(self._ending)


async def start(
    module: str, arguments: list[str], folder: Path, environment: dict[str, str], log: Path
) -> Process:
    """Start `python -m module` in a session of its own, with both its streams at the log's end."""
    asked = {"module": module, "argv": [module, *arguments], "cwd": str(folder)}
    files = [os.devnull, str(log), str(log)]
    more = {"env": environment, "files": files, "appends": True, "session": True}
    address = await asyncio.to_thread(starter)
    reader, writer = await asyncio.open_unix_connection(address)
    writer.write(json.dumps({**asked, **more}).encode() + b"\n")
    pid = int(await reader.readline())

    async def end() -> int:
        code = int(await reader.readline())
        writer.close()
        return code

    return Process(pid, asyncio.create_task(end()))


def run(arguments: list[str], folder: Path, environment: dict[str, str], files: list[Path]) -> int:
    """Run a command whose three streams are files; its exit code, negative for a signal."""
    asked = {"module": "miyabi", "argv": ["miyabi", *arguments], "cwd": str(folder)}
    more = {"env": environment, "files": list(map(str, files))}
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(120)
        connection.connect(starter())
        connection.sendall(json.dumps({**asked, **more}).encode() + b"\n")
        with connection.makefile() as answer:
            answer.readline()  # its pid
            return int(answer.readline())


def _serve(address: str) -> None:
    for library in _LIBRARIES:
        importlib.import_module(library)
    for package in _LOADED:
        module = importlib.import_module(package)
        for info in pkgutil.walk_packages(module.__path__, f"{package}."):
            if info.name not in _NEVER:
                importlib.import_module(info.name)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for who answers a request
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{address}.new")
        listener.listen(16)
        os.rename(f"{address}.new", address)  # noqa: PTH104  # there only when it answers
        if os.fork() == 0:
            sys.stdin.read()  # until the test process is gone
            os.kill(os.getppid(), signal.SIGKILL)
            os._exit(0)
        while True:
            connection, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                _answer(connection)
                os._exit(0)
            connection.close()


def _answer(connection: socket.socket) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    ctypes.CDLL(None).prctl(_DIES_WITH_PARENT, signal.SIGKILL)
    with connection.makefile() as asking:
        asked = json.loads(asking.readline())
    child = os.fork()
    if child == 0:
        connection.close()
        _become(asked)
    connection.sendall(f"{child}\n".encode())
    _, status = os.waitpid(child, 0)
    connection.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())


def _become(asked: dict[str, Any]) -> None:
    """The process itself, as the interpreter would start it. Does not return."""
    if asked.get("session"):
        os.setsid()
    anew = os.O_APPEND if asked.get("appends") else os.O_TRUNC
    flags = (os.O_RDONLY, *[os.O_WRONLY | os.O_CREAT | anew] * 2)
    for number, (path, flag) in enumerate(zip(asked["files"], flags, strict=True)):
        opened = os.open(path, flag)
        os.dup2(opened, number)
        os.close(opened)
    os.chdir(asked["cwd"])
    os.environ.clear()
    os.environ.update(asked["env"])
    if SUPERVISED in os.environ:  # whoever looks for its supervisor finds its parent
        os.environ[SUPERVISED] = str(os.getppid())
    time.tzset()
    random.seed()  # or all of them would draw the same
    sys.argv[:] = asked["argv"]
    modes = ("r", "w", "w")
    sys.stdin, sys.stdout, sys.stderr = (
        open(number, mode, encoding="utf-8", closefd=False)  # noqa: SIM115  # the command's own
        for number, mode in enumerate(modes)
    )
    code: object = 0
    try:
        runpy.run_module(asked["module"], run_name="__main__", alter_sys=True)
    except SystemExit as ended:
        code = ended.code
    except BaseException:
        sys.excepthook(*sys.exc_info())
        code = 1
    if isinstance(code, str):
        print(code, file=sys.stderr)  # noqa: T201
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(int(code) if isinstance(code, int) else 0)


if __name__ == "__main__":
    _serve(sys.argv[1])
