"""What somebody may want of their notifications, as it was read (core/notify_reading.py)."""

from dataclasses import dataclass
from datetime import datetime, time

from core.preferences import Channels, Digest
from core.words import Language


@dataclass(frozen=True, slots=True)
class Show:
    """How it stands."""


@dataclass(frozen=True, slots=True)
class Reset:
    """Nothing chosen any more."""


@dataclass(frozen=True, slots=True)
class ListLast:
    """All that the latest digest had, from this page on."""

    page: int = 1


@dataclass(frozen=True, slots=True)
class SetQuiet:
    """Without hours: `days_off` alone changes. Neither: no quiet hours."""

    begins: time | None = None
    ends: time | None = None
    days_off: bool | None = None


@dataclass(frozen=True, slots=True)
class SetMute:
    """A task by its reference, or topics; `until` None: for good. `off`: they are heard again."""

    reference: int | None = None
    pattern: str = ""
    channel: str = ""
    until: datetime | None = None
    off: bool = False


@dataclass(frozen=True, slots=True)
class SetChannels:
    """`channels` empty: as the company's rules say."""

    choice: Channels


@dataclass(frozen=True, slots=True)
class SetDigest:
    """`digest` None: as the company's rules say."""

    pattern: str
    digest: Digest | None


@dataclass(frozen=True, slots=True)
class SetLanguage:
    language: Language


@dataclass(frozen=True, slots=True)
class SetZone:
    """None: the company's."""

    zone: str | None


@dataclass(frozen=True, slots=True)
class SetCritical:
    """Whether it passes quiet hours, and so many an hour at most; None: as it is."""

    passes: bool | None = None
    most: int | None = None


Wish = (
    Show | Reset | ListLast | SetQuiet | SetMute | SetChannels | SetDigest | SetLanguage | SetZone
    | SetCritical
)  # fmt: skip
