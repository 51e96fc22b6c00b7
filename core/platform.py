"""What a chat platform declares of itself: the one constant that others read of its folder."""

from collections.abc import Callable
from dataclasses import dataclass

from core.house import House
from core.ports import Outbound, ReadFile
from core.settings import Settings


@dataclass(frozen=True, slots=True)
class Opening:
    """What a platform may use to build its way out. The house has no ways out yet."""

    settings: Settings
    house: House
    read_file: ReadFile


@dataclass(frozen=True, slots=True)
class Platform:
    """A chat platform. `open` builds its way out, or gives None where it is not set up."""

    name: str
    open: Callable[[Opening], Outbound | None]
