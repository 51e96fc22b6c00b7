"""One log for everything: for people at a terminal, JSON lines otherwise, and never a secret."""

import logging
import re
import sys

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

_NOISY = (
    "asyncio", "alembic", "arq", "linebot", "slack_bolt", "slack_sdk", "uvicorn.access", "urllib3",
)  # fmt: skip

_HIDDEN = "[hidden]"
_SECRET_KEYS = re.compile(r"token|secret|password|passwd|authorization|cookie|private_key", re.I)
_SECRET_TEXTS = (
    (re.compile(r"xox[a-z]-[\w-]{5,}|xapp-[\w-]{5,}"), _HIDDEN),
    (re.compile(r"(\w+://[^\s:/@]*):[^\s@/]+@"), rf"\1:{_HIDDEN}@"),
    (re.compile(r"(?i)\b(bearer)\s+[\w.~+/=-]{8,}"), rf"\1 {_HIDDEN}"),
)


def configure(*, as_json: bool | None, level: str = "INFO", process: str = "") -> None:
    """Send structlog's and every library's lines to stderr in one form.

    `as_json` None: JSON unless a terminal reads it. `process` names the process in each line.
    """
    if as_json is None:
        as_json = not sys.stderr.isatty()
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper("iso" if as_json else "%H:%M:%S", utc=as_json),
        _named(process),
        structlog.processors.StackInfoRenderer(),
        _without_secret_keys,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    lines = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            *_rendering(as_json=as_json),
        ],
    )
    handler.setFormatter(_Cleaned(lines))
    logging.root.handlers = [handler]
    logging.root.setLevel(level)
    for name in _NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)


def _rendering(*, as_json: bool) -> list[Processor]:
    if as_json:
        return [
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False, default=str),
        ]
    renderer = structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(),
        pad_event_to=28,
        # The plain one: rich's shows local variables, and those hold what nobody should read.
        exception_formatter=structlog.dev.plain_traceback,
    )
    return [renderer]


def _named(process: str) -> Processor:
    def name(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
        return {**event, "process": process} if process else event

    return name


def _without_secret_keys(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    return {key: _HIDDEN if _SECRET_KEYS.search(key) else value for key, value in event.items()}


class _Cleaned(logging.Formatter):
    """The last look at the whole line, whoever wrote it: also what stands in a traceback."""

    def __init__(self, inner: logging.Formatter) -> None:
        super().__init__()
        self._inner = inner

    def format(self, record: logging.LogRecord) -> str:
        """The line without what looks like a secret."""
        line = self._inner.format(record)
        for pattern, shown in _SECRET_TEXTS:
            line = pattern.sub(shown, line)
        return line
