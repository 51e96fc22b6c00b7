"""A copy of a catalogue that is kept elsewhere: fresh when it can be, old with a note when not.

Shared by every connector whose source is another company's service. One instance per source.
"""

import asyncio
import json
import os
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import structlog

from core.catalogue import Catalogue
from core.codec import dump, load
from core.errors import Permanent, TryLater
from core.words import Words

FORMAT = 1
"""Of the file on disk; a file of another format is not read."""

_TOLERATED_TTLS = 10  # a copy older than so many ttl's is not used before asking the source
_FIRST_REST = timedelta(seconds=2)  # doubled with every failure in a row
_LONGEST_REST = timedelta(minutes=1)
_LONGEST_ASKED_REST = timedelta(hours=1)  # a source that asks for more is asked again after this

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Policy:
    """How a copy is kept. `outage` is the note on an old one; its `{at}` becomes the time.

    `file` is where the copy outlives a restart; None keeps it in memory only. `patience` is how
    long a slow source is waited for where there is an old copy to give instead.
    """

    ttl: timedelta
    zone: ZoneInfo
    outage: Words
    file: Path | None = None
    patience: timedelta = timedelta(seconds=3)


@dataclass(frozen=True, slots=True)
class _Outage:
    words: Words
    failures: int
    ask_again_at: datetime


def utc_now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


class CatalogueCache:
    """Answers from its copy and asks the source at most once at a time.

    - younger than `ttl`: the copy, no request;
    - somewhat older: the copy at once, and the source is asked in the background;
    - much older, or read in an earlier run: the source is asked first;
    - the source is down: the copy with a note; it is asked again after a rest that grows, or that
      the source named (`TryLater.after`);
    - what the source has can't be used (`Permanent`): that error, until a reading goes well.
    """

    def __init__(
        self,
        fetch: Callable[[], Awaitable[Catalogue]],
        policy: Policy,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._fetch = fetch
        self._policy = policy
        self._clock = clock
        self._copy: Catalogue | None = None
        self._confirmed_at: datetime | None = None  # last good reading of this run
        self._broken: Words | None = None
        self._outage: _Outage | None = None
        self._asking: asyncio.Task[None] | None = None
        self._disk_was_read = False

    async def read(self) -> Catalogue:
        """The catalogue, with a note where it could not be confirmed.

        Raises `Permanent` where the source's content or our access needs mending, `TryLater`
        where the source is down and was never read.
        """
        await self._recall()
        late = False
        if not self._resting() and not self._younger_than(1):
            asking = self._ask()
            if not self._younger_than(_TOLERATED_TTLS):
                late = not await self._answered(asking)
        return self._answer(late)

    async def close(self) -> None:
        """Stop asking. Needed only where the event loop goes on."""
        if self._asking is not None and not self._asking.done():
            self._asking.cancel()
            await asyncio.wait({self._asking})

    def _answer(self, late: bool) -> Catalogue:
        if self._broken is not None:
            raise Permanent(self._broken)
        if self._copy is None:
            assert self._outage is not None  # noqa: S101  # asked, and neither read nor broken
            rest = self._outage.ask_again_at - self._clock()
            raise TryLater(self._outage.words, after=max(rest, timedelta(0)))
        if self._outage is None and not late:
            return self._copy
        return replace(self._copy, note=self._note(self._copy.read_at))

    def _note(self, read_at: datetime) -> Words:
        local = read_at.astimezone(self._policy.zone)
        at = Words(
            ja=f"{local:%m/%d %H:%M}", en=f"{local:%Y-%m-%d %H:%M}", zh=f"{local:%m/%d %H:%M}"
        )
        return self._policy.outage.fill(at=at)

    def _younger_than(self, ttls: int) -> bool:
        """Whether the copy is of this run, in good standing, and at most so many ttl's old."""
        if self._confirmed_at is None or self._broken is not None or self._outage is not None:
            return False
        return timedelta(0) <= self._clock() - self._confirmed_at < ttls * self._policy.ttl

    def _resting(self) -> bool:
        return self._outage is not None and self._clock() < self._outage.ask_again_at

    def _ask(self) -> asyncio.Task[None]:
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._refresh(), name="catalogue refresh")
        return self._asking

    async def _answered(self, asking: asyncio.Task[None]) -> bool:
        """Wait for the source; not for long where there is a copy that may be given instead."""
        in_hand = self._copy is not None and self._broken is None
        patience = self._policy.patience.total_seconds() if in_hand else None
        # asyncio.wait leaves the task running, whether we lose patience or are cancelled.
        done, _ = await asyncio.wait({asking}, timeout=patience)
        for task in done:
            task.result()
        return bool(done)

    async def _refresh(self) -> None:
        try:
            copy = await self._fetch()
        except Permanent as error:
            self._broken, self._outage = error.words, None
            return
        except TryLater as error:
            self._outage = self._next_outage(error)
            return
        self._copy, self._confirmed_at = copy, self._clock()
        self._broken = self._outage = None
        if self._policy.file is not None:
            await asyncio.to_thread(_keep, copy, self._policy.file)

    def _next_outage(self, error: TryLater) -> _Outage:
        failures = 1 + (self._outage.failures if self._outage else 0)
        rest = min(_FIRST_REST * 2 ** min(failures - 1, 10), _LONGEST_REST)
        if error.after is not None:
            rest = max(rest, min(error.after, _LONGEST_ASKED_REST))
        return _Outage(error.words, failures, self._clock() + rest)

    async def _recall(self) -> None:
        if self._copy is None and not self._disk_was_read and self._policy.file is not None:
            recalled = await asyncio.to_thread(_recalled, self._policy.file)
            self._disk_was_read = True
            # A reading may have come in while the disk was slow.
            self._copy = self._copy or recalled


def _keep(copy: Catalogue, file: Path) -> None:
    """Write the copy so that a reader sees the old file or the new one, never half of one.

    Prices and customers are the company's own business: only the owner may read the file.
    """
    temporary = ""
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, temporary = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            json.dump({"format": FORMAT, "catalogue": dump(copy)}, out, ensure_ascii=False)
        Path(temporary).replace(file)
    except OSError as error:
        # The copy is a comfort: that it can't be kept must not stop a quote.
        _log.warning("catalogue_not_kept", file=str(file), reason=str(error))
        if temporary:
            Path(temporary).unlink(missing_ok=True)


def _recalled(file: Path) -> Catalogue | None:
    """The copy of an earlier run; None where there is none or it can't be read."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            return None
        catalogue: Catalogue = load(Catalogue, content.get("catalogue"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        _log.warning("catalogue_copy_not_readable", file=str(file), reason=str(error))
        return None
    return catalogue if catalogue.read_at.tzinfo else None
