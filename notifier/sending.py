"""One message on its way out: the intent, the act, the outcome, and what to do where it is lost.

Nothing is sent again before it is known that it is not there: the platform is asked, and where it
can't be, a person is. An edit may be repeated: it puts the same words in the same place.
"""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import structlog

from core.approvals.card import OVER
from core.codec import dump, fingerprint
from core.errors import (
    LostLease,
    MiyabiError,
    OutcomeUnknown,
    Permanent,
    TryLater,
    Unreachable,
)
from core.ids import new_id
from core.messages import Message
from core.ports import Outbound, Says, Sent
from core.words import Words
from notifier import outcome
from notifier.call import Call, Part
from notifier.elsewhere import turn_elsewhere
from notifier.outcome import Showing
from notifier.rendering import render
from notifier.thread import Posted
from notifier.versions import Versions
from notifier.ways import way_out

log = structlog.get_logger()

SEND_TRIES = 8
SEND_AT_MOST = timedelta(seconds=15)
"""How long a platform may take for a message, its pictures and files included."""
LOOK_AT_MOST = timedelta(seconds=15)
"""How long it may take to be asked whether a message is there."""
STILL_UNDER_WAY = timedelta(seconds=10)
"""A platform that did not answer in time may still do what it was asked: only this much later,
what is not there then is taken for not sent."""

NO_ANSWER = Words(
    ja="{platform} から時間内に返事がありません。",
    en="{platform} did not answer in time.",
    zh="{platform} 未在规定时间内答复。",
)
ANSWER_LOST = Words(
    ja="{platform} の返事が失われました。",
    en="The answer of {platform} got lost.",
    zh="{platform} 的答复丢失。",
)
NOT_SPOKEN = Words(
    ja="このプロセスは {platform} に接続していません。",
    en="This process does not speak {platform}.",
    zh="本进程未连接 {platform}。",
)


async def show(showing: Showing, versions: Versions) -> bool:
    """Show what the slot should say now. False where the thread has to wait."""
    if showing.last.held:
        await outcome.close(showing, "superseded")  # shown once it is known what stands there
        return True
    message = await _message(showing, versions, showing.taken.version)
    lost = showing.unsure if showing.posted is None else []
    if message is None and not lost:
        await outcome.close(showing, "unchanged")
        return True
    outbound = way_out(showing.house, showing.thread.platform)
    if outbound is None or isinstance(outbound, Says):
        await outcome.failed(showing, Permanent(_fill(NOT_SPOKEN, showing)))
        return True
    if showing.posted is not None:
        closes = bool(showing.posted.message.buttons) and not (message and message.buttons)
        return await _edit(showing, versions, outbound, showing.posted, at_once=closes)
    if lost:
        # It may be of an earlier state, even one that is over by now and has nothing to show.
        words = message or Message(OVER.to(showing.thread.language))
        goes_on = await _find_out(showing, outbound, words, lost, earlier=True)
        if goes_on is not None:
            return goes_on
    return await _intend_and_send(showing, versions, outbound)


async def _edit(
    showing: Showing, versions: Versions, outbound: Outbound, posted: Posted, *, at_once: bool
) -> bool:
    """Not more often than the platform likes, except where nothing can be pressed any more."""
    wait = outbound.edit_interval - timedelta(seconds=posted.age)
    if wait > timedelta(0) and not at_once:
        await outcome.put_off(showing, wait)
        return True
    return await _intend_and_send(showing, versions, outbound)


async def _intend_and_send(showing: Showing, versions: Versions, outbound: Outbound) -> bool:
    version = await outcome.intend(showing)
    message = await _message(showing, versions, version)
    if message is None:
        await outcome.close(showing, "unchanged")
        return True
    return await _send(showing, versions, outbound, message)


async def _message(showing: Showing, versions: Versions, version: int) -> Message | None:
    """What the slot should say; None where it says so already, or nothing."""
    view = await versions.at(version)
    posted = showing.posted
    message = await render(showing.house, view, showing.thread, showing.last, posted)
    if message is not None and posted is not None and posted.sha256 == fingerprint(dump(message)):
        return None
    return message


async def _send(showing: Showing, versions: Versions, outbound: Outbound, message: Message) -> bool:
    try:
        async with showing.lease.kept(SEND_AT_MOST):
            sent = await _act(showing, outbound, message)
    except LostLease:
        raise
    except TryLater as later:
        return await _later(showing, later)
    except OutcomeUnknown as error:
        return await _answer_lost(showing, outbound, message, error.words)
    except MiyabiError as error:
        await _refused(showing, error)
        return True
    except TimeoutError:
        return await _no_answer(showing, outbound, message)
    except Exception:
        log.exception("deliver.crashed", slot=showing.slot, thread=str(showing.thread.id))
        return await _answer_lost(showing, outbound, message, _fill(ANSWER_LOST, showing))
    versions.add_our_own(await outcome.sent(showing, message, sent))
    return True


async def _refused(showing: Showing, error: MiyabiError) -> None:
    """It will never be done. Whoever is not reached there is told elsewhere, unless it is about a
    message that stands there, and stays as it was."""
    if isinstance(error, Unreachable) and showing.posted is None:
        unmade = Call(showing.house, showing.taken, new_id(), [Part(showing.changes, "sending")])
        await turn_elsewhere(unmade, error.words)
    else:
        await outcome.failed(showing, error)


async def _act(showing: Showing, outbound: Outbound, message: Message) -> Sent:
    place, key = showing.thread.place, str(showing.last.id)
    if showing.posted is not None:
        return await outbound.edit(place, showing.posted.sent, message, key)
    if message.files:
        return await outbound.upload(place, message.files[0], message, key)
    return await outbound.send(place, message, key)


async def _later(showing: Showing, later: TryLater) -> bool:
    """It surely was not done; try again, but not for ever."""
    if showing.tries >= SEND_TRIES:
        await outcome.failed(showing, later)
        return True
    wait = max(later.after or timedelta(0), _back_off(showing))
    log.warning("deliver.later", slot=showing.slot, wait=wait.total_seconds(), why=str(later))
    await outcome.try_again(showing, wait, "pending")
    return False


def _back_off(showing: Showing) -> timedelta:
    return timedelta(seconds=min(60, 2**showing.tries / 2))


# Where the outcome is lost


async def _answer_lost(showing: Showing, outbound: Outbound, message: Message, why: Words) -> bool:
    """It may have been done. By now it is either there or never will be."""
    if showing.posted is not None:
        return await _later(showing, TryLater(why))
    log.warning("deliver.answer_lost", slot=showing.slot, why=why.en)
    goes_on = await _find_out(showing, outbound, message, [showing.last.id])
    return await _later(showing, TryLater(why)) if goes_on is None else goes_on


async def _no_answer(showing: Showing, outbound: Outbound, message: Message) -> bool:
    """It may have been done, and may even still be done."""
    why = _fill(NO_ANSWER, showing)
    if showing.posted is not None:
        return await _later(showing, TryLater(why, STILL_UNDER_WAY))
    log.warning("deliver.no_answer", slot=showing.slot)
    goes_on = await _find_out(showing, outbound, message, [showing.last.id])
    if goes_on is not None:
        return goes_on
    if showing.tries >= SEND_TRIES:
        await outcome.unknown(showing, [showing.last.id], why)
        return True
    await outcome.try_again(showing, STILL_UNDER_WAY, "sending")
    return False


async def _find_out(
    showing: Showing,
    outbound: Outbound,
    message: Message,
    unsure: Sequence[UUID],
    *,
    earlier: bool = False,
) -> bool | None:
    """Ask the platform. None where the message surely is not there: then it can be sent.

    Otherwise what became of it is written, and the answer is that of `show`. `earlier`: it was
    sent by somebody before us, and may have said something else than `message`.
    """
    try:
        async with showing.lease.kept(LOOK_AT_MOST):
            found = await _look(showing, outbound, message, unsure)
    except LostLease:
        raise
    except (OutcomeUnknown, Permanent) as error:
        await outcome.unknown(showing, unsure, error.words)
        return True
    except Exception as error:
        return await _look_again(showing, unsure, error)
    if found is None:
        return None
    delivery, sent = found
    log.info("deliver.found", slot=showing.slot, delivery=str(delivery))
    stale = earlier and not message.files  # a file is what it was
    await outcome.sent(showing, message, sent, delivery=delivery, how="found", stale=stale)
    return True


async def _look(
    showing: Showing, outbound: Outbound, message: Message, unsure: Sequence[UUID]
) -> tuple[UUID, Sent] | None:
    """Look, and where nothing is there, once more when it would have come."""
    attachment = message.files[0] if message.files else None
    for pause in (timedelta(0), outbound.settles):
        await asyncio.sleep(pause.total_seconds())
        for delivery in unsure:
            sent = await outbound.find(showing.thread.place, str(delivery), attachment)
            if sent is not None:
                return delivery, sent
    return None


async def _look_again(showing: Showing, unsure: Sequence[UUID], error: Exception) -> bool:
    """The platform could not be asked just now. A person is, where that goes on for too long."""
    if not isinstance(error, TryLater | TimeoutError):
        log.error("deliver.look_crashed", slot=showing.slot, exc_info=error)
    if showing.tries >= SEND_TRIES:
        words = error.words if isinstance(error, TryLater) else _fill(NO_ANSWER, showing)
        await outcome.unknown(showing, unsure, words)
        return True
    after = error.after if isinstance(error, TryLater) else None
    await outcome.try_again(showing, max(after or timedelta(0), _back_off(showing)), "sending")
    return False


def _fill(words: Words, showing: Showing) -> Words:
    return words.fill(platform=showing.thread.platform)
