"""Time zones as people write them: by their name, or by their city alone."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from functools import cache
from zoneinfo import available_timezones


@cache
def _zones() -> Mapping[str, str]:
    return {name.lower(): name for name in sorted(available_timezones()) if "/" in name} | {
        "utc": "UTC"
    }


def read_zone(text: str) -> str | Sequence[str]:
    """The zone of the IANA's that is meant; else those that are near it."""
    said = text.strip().lower().replace(" ", "_")
    zones = _zones()
    if said in zones:
        return zones[said]
    cities = [name for low, name in zones.items() if low.rpartition("/")[2] == said]
    if len(cities) == 1:
        return cities[0]
    return cities or _near(said, zones)


def _near(said: str, zones: Mapping[str, str]) -> Sequence[str]:
    by_city = {low.rpartition("/")[2]: low for low in zones}
    close = get_close_matches(said, zones, 3, 0.6)
    close += [by_city[city] for city in get_close_matches(said, by_city, 3, 0.6)]
    return [zones[low] for low in dict.fromkeys(close)] or ["Asia/Tokyo", "Asia/Taipei", "UTC"]
