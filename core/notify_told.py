"""What somebody is told who set something of their notifications: as it stands now."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from core import notify_wishes as wishes
from core import notify_words as words
from core.notify_shown import (
    Standing,
    channels_words,
    critical_words,
    mute_words,
    quiet_words,
    rhythm_words,
    topic_words,
)
from core.preferences import Mute
from core.words import Words, same


def told(found: Standing, wish: wishes.Wish, mutes: Sequence[Mute]) -> Words:
    """What came of a wish; `mutes` are those that it was about."""
    if isinstance(wish, wishes.SetMute):
        return _mute(found, wish, mutes[0])
    return _TOLD[type(wish)](found, wish)


def _quiet(found: Standing, wish: wishes.SetQuiet) -> Words:
    chosen = found.preferences
    if chosen.quiet is None:
        return words.QUIET_OFF
    hours, critical = quiet_words(found, chosen.quiet), critical_words(chosen)
    return words.QUIET_SET.fill(hours=hours, critical=critical)


def _digest(found: Standing, wish: wishes.SetDigest) -> Words:
    what = topic_words(wish.pattern)
    if wish.digest is not None and wish.digest.rhythm == "at_once":
        return words.DIGEST_OFF.fill(what=what)
    how = rhythm_words(wish.digest) if wish.digest is not None else words.BY_RULES
    return words.DIGEST_SET.fill(what=what, how=how, zone=found.zone_words)


def _channels(found: Standing, wish: wishes.SetChannels) -> Words:
    said = channels_words(wish.choice)
    if not wish.choice.channels:
        said = words.PAIR.fill(what=topic_words(wish.choice.pattern), how=words.BY_RULES)
    return words.CHANNELS_SET.fill(said=said)


def _mute(found: Standing, wish: wishes.SetMute, mute: Mute) -> Words:
    if wish.off:
        return words.MUTE_OFF.fill(what=mute_words(found, replace(mute, until=None)))
    return words.MUTE_SET.fill(what=mute_words(found, mute), needed=words.NEEDED)


def _language(found: Standing, wish: wishes.SetLanguage) -> Words:
    return words.LANGUAGE_SET.fill(what=same(words.LANGUAGES[wish.language]))


def _zone(found: Standing, wish: wishes.SetZone) -> Words:
    return words.ZONE_SET.fill(zone=found.zone_words)


def _critical(found: Standing, wish: wishes.SetCritical) -> Words:
    return words.CRITICAL_SET.fill(how=critical_words(found.preferences))


def _reset(found: Standing, wish: wishes.Reset) -> Words:
    return words.RESET


_TOLD: Mapping[type, Callable[[Standing, Any], Words]] = {
    wishes.SetQuiet: _quiet,
    wishes.SetDigest: _digest,
    wishes.SetChannels: _channels,
    wishes.SetLanguage: _language,
    wishes.SetZone: _zone,
    wishes.SetCritical: _critical,
    wishes.Reset: _reset,
}
