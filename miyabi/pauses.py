"""How long a loop that must never end waits after an error that nobody foresaw."""

from dataclasses import dataclass

LONGEST = 60.0
"""Seconds: nobody wants to look for long why the log stands still after its cause has gone."""


@dataclass(slots=True)
class Pauses:
    """Seconds between tries that crash one after another: `first`, and each twice the one before.

    So a fault that stays fills neither the log nor the database's time.
    """

    first: float
    _crashes: int = 0

    def next(self) -> float:
        """How long to wait after one more crash."""
        # Of a power: no float is too small for a fault that stays over a weekend.
        pause = self.first * 2.0 ** min(self._crashes, 16)
        self._crashes += 1
        return min(pause, LONGEST)

    def over(self) -> None:
        """A try went well: the next crash is the first again."""
        self._crashes = 0
