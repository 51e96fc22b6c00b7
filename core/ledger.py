"""A company's ledger of what it issued: one line a document, kept in another company's system."""

from dataclasses import dataclass
from datetime import date
from typing import Protocol, runtime_checkable

from core.errors import Permanent
from core.words import Words

NO_LEDGER = Words(
    ja="台帳が設定されていません。",
    en="No ledger is set.",
    zh="尚未设置台账。",
)


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """What is entered of a document. `total` in yen, tax included."""

    number: str
    issued_on: date
    customer: str
    total: int
    person: str


@runtime_checkable
class Ledger(Protocol):
    """Where lines are entered, each under a key by which it is found again."""

    @property
    def name(self) -> str:
        """What people call it; empty where the organisation keeps none."""

    async def append(self, line: LedgerLine, key: str) -> str:
        """Enter a line; returns where it stands. A key that is there already is not entered again.

        Raises `Permanent` and `TryLater` where it surely was not entered, `OutcomeUnknown` where
        it may have been.
        """

    async def find(self, key: str) -> str | None:
        """Where the line of that key stands; None where there is none.

        Raises `Permanent` and `TryLater` where the ledger can't be read.
        """


class NoLedger:
    """Of an organisation that keeps none."""

    name = ""

    async def append(self, line: LedgerLine, key: str) -> str:
        raise Permanent(NO_LEDGER)

    async def find(self, key: str) -> str | None:
        raise Permanent(NO_LEDGER)
