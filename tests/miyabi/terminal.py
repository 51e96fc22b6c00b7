"""The real command line in a folder of its own, as a person or a script uses it."""

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.settings import Settings
from miyabi.embedded import embedded
from tests.miyabi import warm

REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> dict[str, Any]:
        """The one JSON object that stdout is; anything beside it is an error."""
        found = json.loads(self.out)
        assert isinstance(found, dict)
        return found


@dataclass(frozen=True, slots=True)
class Terminal:
    """A terminal whose data lies under `home`."""

    home: Path

    @property
    def command(self) -> list[str]:
        return [sys.executable, "-P", "-m", "miyabi"]

    def environment(self, **more: str) -> dict[str, str]:
        # With compiled modules, as everybody has it: a third of the time of a short command.
        inherited = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        return {
            **inherited,
            "PYTHONPATH": str(REPOSITORY),
            "MIYABI_HOME": str(self.home),
            "LC_ALL": "ja_JP.UTF-8",
            **more,
        }

    def run(self, *arguments: str, typed: str = "", **more: str) -> Done:
        """Run `miyabi ARGUMENTS`; `typed` is its stdin, `more` its environment."""
        with tempfile.TemporaryDirectory() as folder:
            streams = [Path(folder, name) for name in ("in", "out", "err")]
            streams[0].write_text(typed)
            code = warm.run(list(arguments), self.home, self.environment(**more), streams)
            out, err = (stream.read_bytes().decode() for stream in streams[1:])
        return Done(code, out, err)


@contextmanager
def open_terminal(*, running: bool) -> Iterator[Terminal]:
    """A terminal with an empty home; `running` keeps its servers up between the commands."""
    # Not under pytest's base folder: as root, pytest closes that to PostgreSQL's account.
    home = Path(tempfile.mkdtemp(prefix="miyabi-cli-"))
    try:
        if running:
            with embedded(Settings(home=home), durable=False):
                yield Terminal(home)
        else:
            yield Terminal(home)
    finally:
        shutil.rmtree(home, ignore_errors=True)
