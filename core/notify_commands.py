"""The command with which people say how they are notified: `notify`, 通知設定, 通知设置."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import partial
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.event import Actor
from core import notify_wishes as wishes
from core import notify_words as words
from core import preferences, tasks
from core.commands import Command, Target
from core.db import execute, moment_of
from core.inbound import Answer, Click
from core.messages import Message
from core.notify_last import last_digest
from core.notify_reading import read_wish
from core.notify_shown import SET, shown, standing, topic_words
from core.notify_told import told
from core.people import Person, accounts_of
from core.preferences import Mute, Preferences, QuietHours
from core.request import Request
from core.unit import Unit
from core.words import Words, same


async def handle_notify(work: Unit, request: Request, command: Command) -> Answer:
    """wishes.Show how the person is notified, or change it."""
    return await _answer(work, request, command.said)


async def press_set(work: Unit, request: Request, click: Click) -> Answer:
    """A button that stands for a command."""
    return await _answer(work, request, click.value)


PRESSES = {SET: press_set}
"""The buttons, by their actions."""


async def _answer(work: Unit, request: Request, text: str) -> Answer:
    message, changed = await by_text(work, request.person, text, request.actor)
    if changed:
        request.house.met.pop(request.inbound.sender, None)  # their language, or their zone
    return Answer("done" if changed else "told", message)


async def by_text(work: Unit, person: Person, text: str, actor: Actor) -> tuple[Message, bool]:
    """Do what a text says for a person: what they are told, and whether something was set. Raises
    Refused."""
    organisation_id = person.organisation_id
    wish = read_wish(
        text,
        await moment_of(work.connection),
        ZoneInfo(person.time_zone),
        await channels_of(work.connection, person),
    )
    match wish:
        case wishes.Show():
            return shown(await standing(work.connection, organisation_id, person.id)), False
        case wishes.ListLast(page):
            return await last_digest(work.connection, person, page), False
    said = await _set(work, person, wish, actor)
    found = await standing(work.connection, organisation_id, person.id)
    answer = said if isinstance(said, Words) else told(found, wish, said)
    return Message(answer.to(found.language), language=found.language), True


async def channels_of(connection: AsyncConnection, person: Person) -> Collection[str]:
    """The channels by which somebody can be told: those where they have an account."""
    accounts = await accounts_of(connection, person.organisation_id, person.id)
    return sorted({each.platform for each in accounts if each.listens})


async def _set(
    work: Unit, person: Person, wish: wishes.Wish, actor: Actor
) -> Words | Sequence[Mute]:
    """Set it. What is said of it is known afterwards, but of what was muted."""
    whose = work, person.organisation_id, person.id
    match wish:
        case wishes.SetLanguage(language):
            await preferences.set_language(*whose, language, actor=actor)
        case wishes.SetZone(zone):
            await preferences.set_zone(*whose, zone, actor=actor)
        case wishes.SetMute():
            return await _mute(work, person, wish, actor)
        case _:
            await preferences.change(*whose, partial(changed, wish=wish), actor=actor)
    return ()


def changed(old: Preferences, wish: wishes.Wish) -> Preferences:
    """What they chose, with what they wish for now. What is more exact stands first and so
    counts."""
    match wish:
        case wishes.SetQuiet():
            return replace(old, quiet=_quiet(old.quiet, wish))
        case wishes.SetDigest(pattern, digest):
            digests = [each for each in old.digests if each.pattern != pattern]
            digests += [digest] if digest is not None else []
            return replace(old, digests=tuple(sorted(digests, key=lambda d: _wide(d.pattern))))
        case wishes.SetChannels(choice):
            of = choice.pattern, choice.importances
            all_of_it = not choice.channels and of == ("*", ())
            chosen = [
                each
                for each in old.channels
                if not all_of_it and (each.pattern, each.importances) != of
            ]
            chosen += [choice] if choice.channels else []
            chosen.sort(key=lambda each: (_wide(each.pattern), not each.importances))
            return replace(old, channels=tuple(chosen))
        case wishes.SetCritical(passes, most):
            return replace(
                old,
                critical_passes=old.critical_passes if passes is None else passes,
                critical_most=(None if passes else old.critical_most) if most is None else most,
            )
        case wishes.Reset():
            return preferences.DEFAULT
    raise TypeError(wish)


def _wide(pattern: str) -> tuple[bool, bool]:
    return pattern == "*", "*" in pattern


def _quiet(old: QuietHours | None, wish: wishes.SetQuiet) -> QuietHours | None:
    if wish == wishes.SetQuiet():
        return None
    before = old or QuietHours(preferences.MIDNIGHT, preferences.MIDNIGHT)
    new = replace(before, days_off=before.days_off if wish.days_off is None else wish.days_off)
    if wish.begins is not None and wish.ends is not None:
        new = replace(new, begins=wish.begins, ends=wish.ends)
    return new if new.days_off or new.begins != new.ends else None


async def _mute(
    work: Unit, person: Person, wish: wishes.SetMute, actor: Actor
) -> Words | Sequence[Mute]:
    task_id = None
    if wish.reference is not None:
        target = Target(reference=wish.reference)
        task_id = await tasks.find(work.connection, person.organisation_id, target)
    now = await moment_of(work.connection)
    mute = Mute(wish.pattern, task_id, wish.until, wish.channel)
    gone: list[Mute] = []

    def change(old: Preferences) -> Preferences:
        standing = replace(old, mutes=tuple(each for each in old.mutes if each.counts(now)))
        if not wish.off:
            return preferences.with_mute(standing, mute)
        gone.extend(each for each in standing.mutes if _is_meant(each, mute))
        return replace(standing, mutes=tuple(m for m in standing.mutes if m not in gone))

    await preferences.change(work, person.organisation_id, person.id, change, actor=actor)
    if not wish.off:
        return [mute]
    if preferences.fits(wish.pattern, "digest"):
        await _mail_again(work, person)
    if not gone and wish.pattern != "digest":
        what = same(f"#{wish.reference}") if wish.reference else topic_words(wish.pattern)
        return words.NOT_MUTED.fill(what=what)
    return gone or [mute]


def _is_meant(each: Mute, mute: Mute) -> bool:
    """Whether that is what is not muted any more. Without a channel: by whatever channel."""
    same_one = (each.pattern, each.task_id) == (mute.pattern, mute.task_id)
    return same_one and mute.channel in ("", each.channel)


async def _mail_again(work: Unit, person: Person) -> None:
    """Who stopped summaries by a letter's own link gets them again."""
    await execute(
        work.connection,
        "update mail_addresses set no_digests = false where organisation_id = :organisation_id"
        " and no_digests and address in (select external_id from accounts"
        " where organisation_id = :organisation_id and person_id = :person_id)",
        {"organisation_id": person.organisation_id, "person_id": person.id},
    )
