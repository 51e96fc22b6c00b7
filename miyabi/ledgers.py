"""Opens each organisation's ledger by its settings, where it keeps one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from core import organisations
from core.connector import Connector
from core.errors import Permanent
from core.house import House
from core.ledger import Ledger, NoLedger
from core.organisations import Organisation
from core.settings import Settings
from core.words import Words
from miyabi.kept import Kept

NOT_KEPT = Words(
    ja="接続方法「{name}」では台帳に記入できません。",
    en="The connector “{name}” keeps no ledger.",
    zh="连接器“{name}”不支持台账。",
)


@dataclass(slots=True)
class Ledgers:
    """One ledger for each organisation, kept open as long as its settings stay the same."""

    settings: Settings
    connectors: Mapping[str, Connector]
    _kept: Kept[Ledger] = field(init=False)

    def __post_init__(self) -> None:
        self._kept = Kept(self._opened)

    async def open(self, house: House, organisation_id: UUID) -> Ledger:
        """The organisation's ledger. Raises Permanent where its settings can't be used."""
        async with house.engine.connect() as connection:
            organisation = await organisations.by_id(connection, organisation_id)
        return self._kept.of(organisation_id, self._options(organisation))

    def _options(self, organisation: Organisation) -> dict[str, str]:
        if organisation.company.ledger is not None:
            return organisation.company.ledger
        chosen = self.settings.ledger
        if organisation.slug != self.settings.organisation or not chosen.connector:
            return {}
        options = {key: str(value) for key, value in chosen.options.items()}
        return options | {"connector": chosen.connector}

    def _opened(self, options: Mapping[str, str]) -> Ledger:
        name = options.get("connector", "")
        if not name:
            return NoLedger()
        connector = self.connectors.get(name)
        if connector is None or connector.open_ledger is None:
            raise Permanent(NOT_KEPT.fill(name=name))
        return connector.open_ledger({k: v for k, v in options.items() if k != "connector"})
