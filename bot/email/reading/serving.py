"""The child process that reads mails: bytes come in, mails go out (wire.py; bot/email/child.py).

It is run as a file and with packages that are empty, so that nothing of the house is loaded: it
starts in a tenth of a second, in a third of the memory.
"""

import gc
import resource
import signal
import struct
import sys
from pathlib import Path
from types import ModuleType
from typing import BinaryIO

LENGTH = struct.Struct("!BI")
"""0, or 1 where the mail could not be read; the length of what follows."""

_LINGERS = 5
"""Seconds after its time that a child ends by itself, should nobody be left to kill it."""


def serve(entry: BinaryIO, answer: BinaryIO, seconds: float) -> None:
    """Read mails until nobody sends any more."""
    from bot.email.reading.parse import read_mail
    from bot.email.reading.wire import pack

    gc.freeze()  # the modules stay: looking through them after some mails finds nothing
    gc.set_threshold(20_000, 20, 20)
    while len(head := entry.read(LENGTH.size)) == LENGTH.size:
        _, length = LENGTH.unpack(head)
        raw = entry.read(length)
        signal.setitimer(signal.ITIMER_REAL, seconds + _LINGERS)
        try:
            failed, found = 0, pack(read_mail(raw))
        except Exception as error:  # whatever it is, the next mail must go on
            failed, found = 1, [_named(error).encode()]
        signal.setitimer(signal.ITIMER_REAL, 0)
        answer.write(b"".join([LENGTH.pack(failed, sum(map(len, found))), *found]))
        answer.flush()


def _named(error: Exception) -> str:
    """The kind of an error and where it arose: its words may be the mail's."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = "" if trace is None else f" in {Path(trace.tb_frame.f_code.co_filename).name}"
    return f"{type(error).__name__}{where}"


def _without_the_house() -> None:
    """Packages by their place alone: their own modules would load the platform's parts."""
    here = Path(__file__).resolve().parents[1]
    for name, place in (("bot", here.parent), ("bot.email", here)):
        package = ModuleType(name)
        package.__path__ = [str(place)]
        sys.modules[name] = package


def _main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent is asked, and ends its children
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    most = int(sys.argv[1]) * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    _without_the_house()
    serve(sys.stdin.buffer, sys.stdout.buffer, float(sys.argv[2]))


if __name__ == "__main__":
    _main()
