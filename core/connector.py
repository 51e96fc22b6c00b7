"""What a connector is to the rest of the house: a name, and a way to open what it reads."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from core.catalogue import Catalogue


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

    `open` does no input or output; it raises `Permanent` where a setting is missing or wrong.
    """

    name: str
    open: Callable[[Mapping[str, str]], CatalogueSource]
