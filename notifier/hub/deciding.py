"""Whether, when and by which ways one reader is told of a matter: pure, with every reason.

In this order: by which ways, what of it they muted, what goes into a digest, whether it is quiet.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from core.preferences import Digest, Mute, digest_for, muting
from core.quiet_hours import quiet_until
from core.words import Words, same
from notifier.hub import deciding_words as say
from notifier.hub.decision import Decision, Matter, Reader, Reason
from notifier.hub.ordering import ordered
from notifier.hub.rules import Rules, digest_of
from notifier.hub.topics import topic_of
from notifier.hub.windows import quiet_window, window_of


def decide(
    matter: Matter, reader: Reader, rules: Rules, calendar: Collection[str], now: datetime
) -> Decision:
    """How the reader is told. `calendar`: the company's closing days (core/bank_days.py)."""
    told = ordered(matter, reader, rules)
    if told.outcome != "dropped":
        told = _unmuted(told, matter, reader, now)
    if told.outcome == "dropped" or topic_of(matter.topic).at_once:
        return told
    clock = _Clock(reader, now)
    return _digested(told, matter, clock, rules) or _disturbing(told, matter, clock, calendar)


@dataclass(frozen=True, slots=True)
class _Clock:
    """A reader and the moment, as they see it."""

    reader: Reader
    now: datetime

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.reader.zone)

    @property
    def spoken(self) -> Words:
        words = say.THEIR_ZONE if self.reader.zone_chosen else say.COMPANY_ZONE
        return words.fill(zone=self.reader.zone)

    def at(self, moment: datetime) -> str:
        return f"{moment.astimezone(self.zone):%Y-%m-%d %H:%M}"


def _because(told: Decision, *reasons: Reason) -> Decision:
    return replace(told, reasons=(*told.reasons, *reasons))


# What they muted


def _unmuted(told: Decision, matter: Matter, reader: Reader, now: datetime) -> Decision:
    mutes = muting(reader.preferences, matter.topic, matter.task_id, now)
    if not mutes:
        return told
    clock = _Clock(reader, now)
    barred = {mute.channel for mute in mutes if mute.channel}
    silent = [mute for mute in mutes if not mute.channel]
    left = [way for way in told.ways if way.channel not in barred]
    found = _because(told, *(_muted(mute, clock) for mute in mutes))
    if left and not silent:
        first = [way for way in left if way in told.ways[: told.together]]
        return replace(found, ways=tuple(left), together=len(first) or 1)
    if not matter.needed:
        return replace(found, outcome="dropped")
    return _because(
        replace(found, ways=tuple(left) or told.ways, together=1), Reason("needed", say.NEEDED)
    )


def _muted(mute: Mute, clock: _Clock) -> Reason:
    what = say.TASK if mute.task_id is not None else same(mute.pattern)
    until = say.UNTIL.fill(at=clock.at(mute.until)) if mute.until else say.FOR_GOOD
    words = say.MUTED_CHANNEL if mute.channel else say.MUTED
    return Reason("mute", words.fill(channel=mute.channel, what=what, until=until))


# When they are told


def _digested(told: Decision, matter: Matter, clock: _Clock, rules: Rules) -> Decision | None:
    """Where it goes into a digest, which; None where it does not."""
    digest, whose = _digest(matter, clock.reader, rules)
    window = window_of(digest, clock.zone, clock.now) if digest else None
    if window is None or matter.importance == "critical":
        return None
    at = clock.at(window.due_at)
    words = say.DIGEST.fill(at=at, zone=clock.spoken, whose=whose)
    found = replace(told, outcome="digest", until=window.due_at, window=window)
    return _because(found, Reason("digest", words))


def _digest(matter: Matter, reader: Reader, rules: Rules) -> tuple[Digest | None, Words]:
    own = digest_for(reader.preferences, matter.topic)
    if own is not None:
        return own, say.OWN
    rule = rules.saying("digest", matter, reader.roles)
    if rule is None or rule.digest is None:
        return None, say.OWN
    return digest_of(rule.digest, matter.topic), say.BY_RULE.fill(rule=rule.name)


def _disturbing(
    told: Decision, matter: Matter, clock: _Clock, calendar: Collection[str]
) -> Decision:
    """Now, or at the end of their quiet hours."""
    chosen = clock.reader.preferences
    until = quiet_until(chosen.quiet, clock.zone, calendar, clock.now)
    if until is None:
        return told
    at = clock.at(until)
    reasons: Sequence[Reason] = ()
    if matter.importance == "critical" and chosen.critical_passes:
        most = chosen.critical_most
        if most is None or clock.reader.criticals < most:
            words = say.PASSES.fill(zone=clock.spoken, at=at)
            return _because(told, Reason("critical", words))
        reasons = (Reason("critical", say.TOO_MANY.fill(most=most)),)
    quiet = Reason("quiet", say.QUIET.fill(at=at, zone=clock.spoken))
    window = quiet_window(clock.zone, until)
    found = replace(told, outcome="held", until=until, window=window)
    return _because(found, *reasons, quiet)
