"""Opens a price list by its settings; needs no database, so that a text can be read without one."""

from collections.abc import Callable, Mapping

from core.connector import CatalogueSource, Connector
from core.errors import Permanent
from core.settings import Settings
from core.words import Words

NO_CONNECTOR = Words(
    ja="価格表の接続方法「{name}」はありません。",
    en="There is no price list connector “{name}”.",
    zh="没有价格表连接器“{name}”。",
)


def given_options(settings: Settings, slug: str, time_zone: str) -> dict[str, str]:
    """What the house tells every connector."""
    return {"time_zone": time_zone, "cache_dir": str(settings.home / "cache" / slug)}


def settings_options(settings: Settings, time_zone: str = "Asia/Tokyo") -> dict[str, str]:
    """The installation's own price list, which is that of the settings' organisation."""
    chosen = settings.price_list
    options = {key: str(value) for key, value in chosen.options.items()}
    given = given_options(settings, settings.organisation, time_zone)
    return given | options | {"connector": chosen.connector}


def open_source(
    options: Mapping[str, str], find: Callable[[str], Connector | None]
) -> CatalogueSource:
    """The source that the options name. Raises Permanent for a connector nobody knows."""
    name = options.get("connector", "csv")
    connector = find(name)
    if connector is None:
        raise Permanent(NO_CONNECTOR.fill(name=name))
    return connector.open({key: value for key, value in options.items() if key != "connector"})
