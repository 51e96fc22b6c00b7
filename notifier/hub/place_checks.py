"""Whether a place can be as somebody wants it, before it is kept; and what is made for it."""

from collections.abc import Mapping
from dataclasses import replace

from core.channel import Channel
from core.errors import Refused
from core.house import House
from core.settings import Settings
from notifier.hub.place_words import NO_CHANNEL, NO_SECRET, NO_SETTING, WRONG_NAME, name_fits
from notifier.hub.places import NoticePlace


def checked(
    house: House, settings: Settings, channels: Mapping[str, Channel], place: NoticePlace
) -> NoticePlace:
    """The same with what is made for it. Raises Refused, which says what is wrong with it."""
    if not name_fits(place.name):
        raise Refused(WRONG_NAME.fill(name=place.name[:80]))
    channel = channels.get(place.channel)
    if channel is None:
        return _checked_chat(house, channels, place)
    for name in place.settings:
        if name not in channel.settings.keys() - channel.secret:
            raise Refused(NO_SETTING.fill(channel=channel.name, name=name[:40]))
    for name in place.secrets:
        if name not in channel.secret:
            raise Refused(NO_SECRET.fill(channel=channel.name, name=name[:40]))
    place = replace(place, secrets={**channel.makes(), **place.secrets})
    problem = channel.wrong(settings, place.address, {**place.settings, **place.secrets})
    if problem is not None:
        raise Refused(problem)
    return place


def renewed(channels: Mapping[str, Channel], place: NoticePlace) -> dict[str, str]:
    """Its secrets with new ones in place of those that are made; the ones before go on beside them
    where the channel has room for that (`old_…`), so that whoever verifies can change over."""
    channel = channels.get(place.channel)
    if channel is None:
        return dict(place.secrets)
    made = dict(channel.makes())
    before = {f"old_{name}": place.secrets[name] for name in made if name in place.secrets}
    kept = {name: value for name, value in before.items() if name in channel.secret}
    return {**place.secrets, **kept, **made}


def _checked_chat(house: House, channels: Mapping[str, Channel], place: NoticePlace) -> NoticePlace:
    if place.channel not in house.outbounds:
        known = ", ".join(sorted([*channels, *house.outbounds]))
        raise Refused(NO_CHANNEL.fill(channel=place.channel[:40], known=known))
    for name in [*place.settings, *place.secrets]:
        raise Refused(NO_SETTING.fill(channel=place.channel, name=name[:40]))
    return place
