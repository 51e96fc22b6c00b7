"""What a company says of itself on its documents, and by which rules it reckons."""

from dataclasses import dataclass
from typing import Literal

from core.words import Language

Rounding = Literal["down", "half_up", "up"]


@dataclass(frozen=True, slots=True)
class Company:
    """The organisation's own particulars.

    `registration_number` is the qualified invoice issuer's number, T + 13 digits, or None.
    `seal_sha256` names a PNG in the store of documents. `template_sha256` names a typst
    template that replaces the built-in one, `expense_policy_sha256` a policy file (core/expenses).
    `price_list` is `connector` and that connector's own
    settings; None stands for the installation's. `ledger` is the same for where issued documents
    are entered. `transfer` says where transfers are paid from (core/transfer/consignor.py).
    `closing_days` are days on which the company is closed, `2026-08-14` or each year's `08-14`.
    """

    name: str
    postal_code: str = ""
    address: str = ""
    phone: str = ""
    email: str = ""
    registration_number: str | None = None
    seal_sha256: str | None = None
    template_sha256: str | None = None
    expense_policy_sha256: str | None = None
    rounding: Rounding = "down"
    prices_include_tax: bool = False
    valid_days: int = 30
    payment_terms: str = ""
    language: Language = "ja"
    time_zone: str = "Asia/Tokyo"
    price_list: dict[str, str] | None = None
    ledger: dict[str, str] | None = None
    transfer: dict[str, str] | None = None
    closing_days: tuple[str, ...] = ()
