"""The gate that all calls to providers pass (core/gate.py): the circuit first, then the clocks."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import structlog
from prometheus_client import Counter, Histogram

from core.chores import Chores
from core.errors import NotNow, OutcomeUnknown, SlowDown, TryLater
from core.gate import Passage
from notifier.hub.circuit import Circuits, Key
from notifier.hub.limiter import Clock, Limiter

log = structlog.get_logger()

CALLS = Counter("miyabi_provider_calls", "Calls to providers", ["channel", "method", "end"])
SECONDS = Histogram(
    "miyabi_provider_seconds",
    "Seconds that providers took for a call",
    ["channel", "method"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15),
)
TURNS = Histogram(
    "miyabi_provider_turn_seconds",
    "Seconds that calls waited for their turn",
    ["channel"],
    buckets=(0.001, 0.005, 0.025, 0.1, 0.5, 1, 2.5),
)

_HUNG = 5.0
"""Seconds after which a call that somebody broke off counts as one that was not answered."""


@dataclass(slots=True)
class HubGate:
    """`rates`: turns a second by 'CHANNEL' or 'CHANNEL.conversation', where the settings say other
    than the channel itself."""

    limiter: Limiter
    circuits: Circuits
    rates: Mapping[str, float] = field(default_factory=dict)
    _chores: Chores = field(default_factory=Chores, init=False)

    @asynccontextmanager
    async def through(self, passage: Passage) -> AsyncIterator[None]:
        """Wait for its turn, and see how the call ends."""
        key = (passage.organisation_id, passage.provider)
        probe = await self.circuits.enter(key)
        came = time.perf_counter()
        clocks = self._clocks(passage)
        try:
            await self.limiter.take(clocks)
        except BaseException:
            self._chores.begin(self.circuits.tells_nothing(key, probe=probe))
            raise
        began = time.perf_counter()
        TURNS.labels(passage.channel).observe(began - came)
        end = "answered"
        try:
            yield
        except asyncio.CancelledError:
            end = "broken off"
            hung = time.perf_counter() - began >= _HUNG
            # there is no time left to wait for what is written of it
            self._chores.begin(
                self._failed(key, passage, "no answer", probe=probe)
                if hung
                else self.circuits.tells_nothing(key, probe=probe)
            )
            raise
        except SlowDown as error:
            end = "slow down"
            if error.after is not None:
                await self.limiter.hold(clocks[0].name, error.after)
            await self.circuits.went_well(key, probe=probe)  # it answers
            raise
        except NotNow:
            end = "not now"
            await self.circuits.tells_nothing(key, probe=probe)
            raise
        except (TryLater, OutcomeUnknown) as error:
            end = "failed"
            await self._failed(key, passage, error.words.en, probe=probe)
            raise
        except OSError as error:  # among them TimeoutError
            end = "failed"
            await self._failed(key, passage, repr(error), probe=probe)
            raise
        except Exception:
            end = "refused"
            await self.circuits.went_well(key, probe=probe)
            raise
        else:
            await self.circuits.went_well(key, probe=probe)
        finally:
            CALLS.labels(passage.channel, passage.method, end).inc()
            SECONDS.labels(passage.channel, passage.method).observe(time.perf_counter() - began)

    async def close(self) -> None:
        """Let what is being written come to its end."""
        await self._chores.close()

    async def _failed(self, key: Key, passage: Passage, why: str, *, probe: bool) -> None:
        await self.circuits.failed(key, passage.conversation, why, probe=probe)

    def _clocks(self, passage: Passage) -> Sequence[Clock]:
        """The bot's own first: it is the one that is held where the provider says so."""
        channel, paces = passage.channel, passage.paces
        name = f"{channel}:{passage.bot}:{passage.method}"
        if paces is None:
            return [Clock(name)]
        clocks = [Clock(name, self.rates.get(channel, paces.bot))]
        rate = self.rates.get(f"{channel}.conversation", paces.conversation)
        if rate > 0 and passage.conversation:
            clocks.append(Clock(f"{name}:{passage.conversation}", rate, paces.burst))
        return clocks
