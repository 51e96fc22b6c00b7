"""By which of their ways a reader is told, in order of fall-back: as they chose, else by rule."""

from collections.abc import Sequence
from dataclasses import dataclass

from core.preferences import channels_for
from core.words import Words
from notifier.hub import deciding_words as say
from notifier.hub.decision import Decision, Matter, Reader, Reason, Way
from notifier.hub.rules import ANY, HERE, Rule, Rules


@dataclass(frozen=True, slots=True)
class _Line:
    """Ways one behind the other; `together`: so many of them at once."""

    ways: Sequence[Way]
    together: int = 1

    def then(self, more: "_Line") -> "_Line":
        if not self.ways:
            return more
        rest = [way for way in more.ways if way not in self.ways]
        return _Line((*self.ways, *rest), self.together)


def ordered(matter: Matter, reader: Reader, rules: Rules) -> Decision:
    """The ways, and why these: `now`, or `dropped` where there is none."""
    rule = rules.saying("channels", matter, reader.roles)
    reasons: list[Reason] = []
    ways = _open(matter, reader, rule, reasons)
    line = _chosen(matter, reader, ways, reasons)
    if line is None or not line.ways or matter.needed or matter.importance == "critical":
        if line is not None and not line.ways and ways:
            reasons.append(Reason("unreached", say.NO_CHOSEN))
        reasons.append(_reason(rule))
        by_rule = _by_rule(matter, ways, rule)
        line = line.then(by_rule) if line else by_rule
    if line.ways:
        return Decision("now", tuple(line.ways), tuple(reasons), line.together)
    if not any(reason.code == "elsewhere" for reason in reasons):
        reasons.append(Reason("no_way", say.NO_WAY))
    return Decision("dropped", (), tuple(reasons))


def _open(
    matter: Matter, reader: Reader, rule: Rule | None, reasons: list[Reason]
) -> Sequence[Way]:
    """The ways that may be used at all, those where the task lives before others."""
    found = []
    for way in reader.ways:
        at_home = (way.channel, way.workspace) == matter.home
        if not way.reached:
            reasons.append(Reason("unreached", say.UNREACHED.fill(channel=way.channel)))
        elif rule is not None and rule.elsewhere and at_home:
            words = say.ELSEWHERE.fill(channel=way.channel, rule=rule.name)
            reasons.append(Reason("elsewhere", words))
        else:
            found.append(way)
    return sorted(found, key=lambda way: (way.channel, way.workspace) != matter.home)


def _chosen(
    matter: Matter, reader: Reader, ways: Sequence[Way], reasons: list[Reason]
) -> _Line | None:
    own = channels_for(reader.preferences, matter.topic, matter.importance)
    if own is None:
        return None
    channels = _listed(own.channels)
    words = say.CHOSEN.fill(pattern=own.pattern, channels=channels)
    reasons.append(Reason("preference", words))
    return _line(matter, ways, own.channels, at_once=own.all_at_once)


def _by_rule(matter: Matter, ways: Sequence[Way], rule: Rule | None) -> _Line:
    if rule is None:
        return _line(matter, ways, (ANY,))
    first = _line(matter, ways, rule.channels, at_once=rule.use == "all")
    return first.then(_line(matter, ways, rule.then, at_once=rule.then_use == "all"))


def _line(
    matter: Matter, ways: Sequence[Way], channels: Sequence[str], *, at_once: bool = False
) -> _Line:
    found: list[Way] = []
    for channel in channels:
        found += [way for way in ways if way not in found and _is(matter, way, channel)]
    return _Line(found, max(len(found), 1) if at_once else 1)


def _is(matter: Matter, way: Way, channel: str) -> bool:
    if channel == HERE:
        return (way.channel, way.workspace) == matter.home
    return channel in {ANY, way.channel}


def _reason(rule: Rule | None) -> Reason:
    if rule is None:
        return Reason("default", say.DEFAULT)
    sign = " + " if rule.use == "all" else ", "
    told = sign.join(rule.channels)
    if rule.then:
        told += " → " + (" + " if rule.then_use == "all" else ", ").join(rule.then)
    return Reason("rule", say.RULE.fill(rule=rule.name, channels=told))


def _listed(channels: Sequence[str]) -> Words:
    text = ", ".join(channels)
    return Words(text, text, text)
