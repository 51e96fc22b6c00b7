"""What is opened by an organisation's settings, and kept open as long as they stay the same."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar
from uuid import UUID

T = TypeVar("T")

Options = dict[str, str]


@dataclass(slots=True)
class Kept(Generic[T]):
    """One for each organisation. `open` makes it of its settings and does no input or output."""

    open: Callable[[Options], T]
    _known: dict[UUID, tuple[Options, T]] = field(default_factory=dict)

    def of(self, organisation_id: UUID, options: Options) -> T:
        """The organisation's, opened now where it never was or the settings have changed."""
        known = self._known.get(organisation_id)
        if known is None or known[0] != options:
            known = (options, self.open(options))
            self._known[organisation_id] = known
        return known[1]
