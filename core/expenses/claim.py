"""A claim as it was read and as it was checked: what was spent, and what of it is paid."""

from dataclasses import dataclass
from datetime import date

from core.expenses.policy import Exemption
from core.words import Words


@dataclass(frozen=True, slots=True)
class ClaimLine:
    """One thing that was paid. `amount` in yen with tax, `rate` its tax in percent.

    `how` says how the amount came out of what was written, where it is not as it stands there;
    `tax` is the tax in it, where the receipt shows it apart. `people` are all who took part.
    """

    day: date
    payee: str
    purpose: str
    category: str
    amount: int
    rate: int
    registration: str | None = None
    exemption: Exemption | None = None
    attendees: tuple[str, ...] = ()
    people: int | None = None
    tax: int | None = None
    how: Words | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """What somebody claims, complete. At least one line."""

    lines: tuple[ClaimLine, ...]

    @property
    def total(self) -> int:
        return sum(line.amount for line in self.lines)


@dataclass(frozen=True, slots=True)
class Reduction:
    """Of a line an approver lets pass no more than `amount` yen."""

    amount: int
    reason: str
    by: str


@dataclass(frozen=True, slots=True)
class CheckedLine:
    """A line by the company's rules, in yen.

    `approved` is what of the amount is put up for approval, `tax` the tax within the amount,
    `credit` the percent of it that may be credited; of `approved`, `withheld` goes to the tax
    office and the rest is paid. `remarks` are for whoever approves.
    """

    line: ClaimLine
    name: Words
    account: str
    approved: int
    tax: int
    credit: int
    withheld: int = 0
    remarks: tuple[Words, ...] = ()

    @property
    def paid(self) -> int:
        return self.approved - self.withheld


@dataclass(frozen=True, slots=True)
class Checked:
    """A claim by the company's rules."""

    lines: tuple[CheckedLine, ...]

    @property
    def total(self) -> int:
        """What is claimed."""
        return sum(each.line.amount for each in self.lines)

    @property
    def approved(self) -> int:
        return sum(each.approved for each in self.lines)

    @property
    def withheld(self) -> int:
        return sum(each.withheld for each in self.lines)

    @property
    def paid(self) -> int:
        """What the person gets."""
        return self.approved - self.withheld
