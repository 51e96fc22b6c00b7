"""What a connector is to the rest of the house: a name, and ways to open what it keeps."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from core.catalogue import Catalogue
from core.errors import Permanent
from core.ledger import Ledger
from core.words import Words

GIVEN = frozenset({"cache_dir", "time_zone"})
"""Settings the house gives every connector: where it may keep files, and the organisation's zone.
"""

UNKNOWN_SETTING = Words(
    ja="接続の設定に知らない項目があります: {unknown}（使えるもの: {known}）",
    en="The connector's settings have an unknown key: {unknown} (known: {known})",
    zh="连接设置中有未知的项目：{unknown}（可用：{known}）",
)
SETTING_MISSING = Words(
    ja="接続の設定「{key}」がありません",
    en='The connector\'s setting "{key}" is missing',
    zh="缺少连接设置“{key}”",
)
SETTING_WRONG = Words(
    ja="接続の設定「{key}」の値が正しくありません: {value}",
    en='The connector\'s setting "{key}" is wrong: {value}',
    zh="连接设置“{key}”的值不正确：{value}",
)


class CatalogueSource(Protocol):
    """Where a company's price list and customers are kept."""

    async def read(self) -> Catalogue:
        """The list as it stands.

        Raises `Permanent` where someone has to mend it, `TryLater` where it is out of reach and
        no earlier copy is at hand.
        """


@dataclass(frozen=True, slots=True)
class Connector:
    """One kind of source. `open` takes the settings that the connector's README names.

    `open` does no input or output; it raises `Permanent` where a setting is missing or wrong. So
    does `open_ledger`, of a connector that can keep one.
    """

    name: str
    open: Callable[[Mapping[str, str]], CatalogueSource]
    open_ledger: Callable[[Mapping[str, str]], Ledger] | None = None


def refuse_unknown(settings: Mapping[str, str], known: frozenset[str]) -> None:
    """Raise `Permanent` for a misspelt key, which would otherwise be silently without effect."""
    unknown = sorted(settings.keys() - known - GIVEN)
    if unknown:
        shown = ", ".join(sorted(known))
        raise Permanent(UNKNOWN_SETTING.fill(unknown=", ".join(unknown), known=shown))


def needed(settings: Mapping[str, str], key: str) -> str:
    """A setting that has no default; raises `Permanent` where it is missing or empty."""
    value = settings.get(key, "").strip()
    if not value:
        raise Permanent(SETTING_MISSING.fill(key=key))
    return value


def seconds(settings: Mapping[str, str], key: str, default: float) -> float:
    """A length of time, over 0 and up to a day; raises `Permanent` for anything else."""
    value = settings.get(key) or str(default)
    try:
        length = float(value)
    except ValueError:
        length = math.nan
    if not 0 < length <= 86_400:
        raise wrong(key, value)
    return length


def time_zone(settings: Mapping[str, str]) -> ZoneInfo:
    """The organisation's zone; raises `Permanent` for a name that is no zone."""
    value = settings.get("time_zone") or "Asia/Tokyo"
    try:
        return ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise wrong("time_zone", value) from error


def wrong(key: str, value: str) -> Permanent:
    """The error for a setting that can't be used."""
    return Permanent(SETTING_WRONG.fill(key=key, value=value))
