"""Bringing a conversation up to date where nothing can be edited and each call counts.

Instead of slot by slot, all that is due is said in as few calls as may be. A call and its messages
are written before it is made; where nobody knows what became of it, that very call is made again,
and the platform tells it from another.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import structlog

from core.errors import LostLease, MiyabiError, OutcomeUnknown, TryLater, Unreachable
from core.ids import made_at, new_id
from core.ports import Says, Sent
from core.words import Words
from notifier import said
from notifier.call import Call, Part, stored
from notifier.elsewhere import turn_elsewhere
from notifier.planning import make_plan
from notifier.said import ANY_VERSION
from notifier.thread import Due, Taken
from notifier.unreached import BLOCKED, LEFT
from notifier.versions import Versions

log = structlog.get_logger()

SAY_AT_MOST = timedelta(seconds=15)
"""How long a call may take."""
STILL_UNDER_WAY = timedelta(seconds=10)
"""A call that was not answered in time is made again so much later."""
TRIED_FOR = timedelta(hours=20)
"""How long it is tried to say something, or to hear what became of a call."""
TRIED_AT_LEAST = 20
"""So often all the same: it may be due for long because it is us who were away."""
TOLD_APART = timedelta(hours=23)
"""Platforms tell a call that is made again from another for a day. It may be older than we tried:
all of us may have been away since it was made."""
WORTH_WHILE = timedelta(minutes=3)
"""What is said only where it costs nothing is not said later than this."""
_MADE_ANEW = 3
"""So often messages are made anew because the task moved on while they were made."""

ANSWER_LOST = Words(
    ja="{platform} の返事が失われました。",
    en="The answer of {platform} got lost.",
    zh="{platform} 的答复丢失。",
)


@dataclass(frozen=True, slots=True)
class Speaking:
    """A conversation in one server's hands, and the way to speak in it."""

    versions: Versions
    taken: Taken
    outbound: Says


async def say_what_is_due(versions: Versions, taken: Taken, outbound: Says) -> None:
    """One call of what is due in a conversation; first those that were made and got lost. Whatever
    is still due then is for the next time it is taken."""
    speaking = Speaking(versions, taken, outbound)
    lost: dict[str, list[Due]] = {}
    for change in taken.due:
        if change.call is not None and change.state == "sending":
            lost.setdefault(change.call, []).append(change)
    for call, changes in lost.items():
        if not await _repeat(speaking, *stored(call, changes)):
            return
    if not lost:
        await _say(speaking)


async def _repeat(speaking: Speaking, call_id: UUID, parts: Sequence[Part]) -> bool:
    """The very same once more, whatever has happened since; a person is asked what became of it
    where that would be one more message."""
    call = Call(speaking.versions.house, speaking.taken, call_id, parts, again=True)
    if _known_for(call) > TOLD_APART:
        await said.unknown(call, _answer_lost(call))
        return True
    await said.intend(call, [], ANY_VERSION)
    return await _act(speaking, call)


async def _say(speaking: Speaking) -> None:
    taken, versions = speaking.taken, speaking.versions
    version = taken.version
    for left in reversed(range(_MADE_ANEW)):
        plan = await make_plan(versions, taken, version)
        if plan.waits is not None:
            await said.put_off(versions.house, taken, plan.waits)
            return
        if not plan.told or plan.unreachable:
            await said.close(versions.house, taken.lease, plan.closed)
            await _turn_elsewhere(speaking, plan.told)
            return
        now = _fitting(speaking.outbound, plan.told)
        call = Call(versions.house, taken, new_id(), now)
        newer = await said.intend(call, plan.closed, versions.known if left else ANY_VERSION)
        if newer is None:
            await _act(speaking, call)
            return
        version = newer


async def _turn_elsewhere(speaking: Speaking, told: Sequence[Part]) -> None:
    if told:
        taken = speaking.taken
        why = BLOCKED if taken.thread.place.direct else LEFT
        call = Call(speaking.versions.house, taken, new_id(), told)
        await turn_elsewhere(call, why.fill(platform=taken.thread.platform))


def _fitting(outbound: Says, told: Sequence[Part]) -> Sequence[Part]:
    """The first of them, as many as go into one call."""
    utterances = [part.utterance for part in told if part.utterance is not None]
    return told[: outbound.fits(utterances[: outbound.most_per_call])]


# Saying it


async def _act(speaking: Speaking, call: Call) -> bool:  # noqa: PLR0911  # a line for each end
    """Make the call. False where the conversation has to wait."""
    try:
        async with call.lease.kept(SAY_AT_MOST):
            sent = await _call(speaking, call)
    except LostLease:
        raise
    except TryLater as error:
        return await _later(call, error, error.after)
    except OutcomeUnknown as error:
        return await _lost(call, error.words)
    except Unreachable as error:
        await turn_elsewhere(call, error.words)
        return True
    except MiyabiError as error:
        return await _refused(speaking, call, error)
    except TimeoutError:
        return await _wait(call, _answer_lost(call), STILL_UNDER_WAY)
    except OSError:
        return await _wait(call, _answer_lost(call), timedelta(0))
    except Exception:
        log.exception("say.crashed", call=str(call.id), thread=str(call.thread.id))
        return await _wait(call, _answer_lost(call), timedelta(0))
    version = await said.said(call, sent)
    if version is not None:
        _add_our_own(speaking.versions, version, sum(one is not None for one in sent))
    return True


async def _call(speaking: Speaking, call: Call) -> Sequence[Sent | None]:
    place = call.thread.place
    return await speaking.outbound.say(place, call.id, call.utterances, again=call.again)


def _add_our_own(versions: Versions, last: int, count: int) -> None:
    for version in range(last - count + 1, last + 1):
        versions.add_our_own(version)


async def _refused(speaking: Speaking, call: Call, error: MiyabiError) -> bool:
    """It will never be said: of several messages, perhaps because of one of them."""
    if len(call.parts) == 1:
        await said.failed(call, error)
        return True
    for part in call.parts:
        tried = replace(part.last, attempts=call.tries, state="sending")
        alone = replace(call, id=new_id(), parts=[replace(part, changes=[tried])], again=False)
        await said.intend(alone, [], ANY_VERSION)
        if not await _act(speaking, alone):
            return False
    return True


async def _later(call: Call, error: TryLater, after: timedelta | None) -> bool:
    """Nothing was said this time: it is made anew, unless an earlier time may have said it."""
    if call.again:
        return await _wait(call, error.words, after or timedelta(0))
    if call.age > TRIED_FOR and call.tries > TRIED_AT_LEAST:
        await said.failed(call, error)
        return True
    wait = max(after or timedelta(0), _back_off(call))
    log.warning("say.later", call=str(call.id), wait=wait.total_seconds(), why=error.words.en)
    await said.later(call, wait, said_nothing=True)
    return False


async def _lost(call: Call, why: Words) -> bool:
    """Whoever was asked for it can't tell; made again, it may be."""
    if call.again:
        await said.unknown(call, why)
        return True
    return await _wait(call, why, timedelta(0))


async def _wait(call: Call, why: Words, least: timedelta) -> bool:
    """Nobody knows whether it was said: the same is said again, later."""
    if _known_for(call) > TRIED_FOR:
        await said.unknown(call, why)
        return True
    wait = max(least, _back_off(call))
    log.warning("say.answer_lost", call=str(call.id), wait=wait.total_seconds(), why=why.en)
    await said.later(call, wait, said_nothing=False)
    return False


def _known_for(call: Call) -> timedelta:
    """Since the platform may have heard of it."""
    return datetime.now(UTC) - made_at(call.id)


def _back_off(call: Call) -> timedelta:
    return timedelta(seconds=min(60, 2 ** min(call.tries, 7) / 2))


def _answer_lost(call: Call) -> Words:
    return ANSWER_LOST.fill(platform=call.thread.platform)
