"""Where people and suppliers are paid: kept encrypted, shown with most of the number hidden."""

import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from audit.cipher import decrypted, derived, encrypted
from audit.event import SYSTEM, Actor, Event
from core.db import fetch_all, fetch_one
from core.errors import Permanent, Refused
from core.ids import new_id
from core.tags import Tag
from core.transfer import banks
from core.transfer.records import Account
from core.unit import Unit
from core.words import Words

WRONG_KEY = Words(
    ja="保存された口座情報を復号できません。MIYABI_SECRET_KEY を変えた場合は元に戻すか、"
    "「miyabi payees set」で登録し直してください。",
    en="A stored bank account can't be decrypted. If MIYABI_SECRET_KEY was changed, put it back, "
    "or set the account again with “miyabi payees set”.",
    zh="无法解密已保存的银行账户。如更改过 MIYABI_SECRET_KEY，请恢复原值，"
    "或用“miyabi payees set”重新登记。",
)

_SHOWN = 3
"""Digits at the end of a number that people are shown."""


@dataclass(frozen=True, slots=True)
class Whose:
    """Whose account: a person's (`payee` is empty), or that of a payee of this name."""

    person_id: UUID | None
    payee: str = ""

    @property
    def bound(self) -> str:
        return self.payee or str(self.person_id)


@dataclass(frozen=True, slots=True)
class Kept:
    """An account as it is kept: by whom it is called, and the account itself; None where there is
    no such bank or branch any more."""

    whose: Whose
    name: str
    account: Account | None


def masked(number: str) -> str:
    """A number of which only the end can be read: `****321`."""
    return "*" * (len(number) - _SHOWN) + number[-_SHOWN:]


def place(account: Account) -> str:
    """Bank, branch and masked number, for people."""
    names = banks.bank(account.bank).name, banks.branch(account.bank, account.branch).name
    return f"{names[0]} {names[1]} {masked(account.number)}"


class BankAccounts:
    """The organisation's accounts to pay to. `key`: the installation's, 32 bytes."""

    def __init__(self, engine: AsyncEngine, organisation_id: UUID, key: bytes) -> None:
        self._engine = engine
        self._organisation_id = organisation_id
        self._cipher = AESGCM(derived(key, b"miyabi: bank accounts at rest"))
        self._marks = derived(key, b"miyabi: marks of bank accounts")

    def mark(self, account: Account) -> str:
        """What tells an account from any other, and nothing about it: a keyed hash."""
        return hmac.new(self._marks, _spelled(account), "sha256").hexdigest()[:32]

    async def known(self) -> Mapping[Whose, Account]:
        """Every account, by whose it is. Raises Permanent where the key is another one."""
        async with self._engine.connect() as connection:
            return await self.by_whose(connection)

    async def put(self, work: Unit, whose: Whose, account: Account, actor: Actor = SYSTEM) -> None:
        """Keep an account in place of the one there was. The event says whose, not which."""
        row = await fetch_one(
            work.connection,
            "insert into bank_accounts (id, organisation_id, person_id, payee, sealed)"  # noqa: S608
            " values (:id, :organisation_id, :person_id, :payee, :sealed)"
            f" on conflict {_ONE_OF[whose.person_id is None]}"
            " do update set sealed = excluded.sealed, changed_at = now() returning id",
            {**self._values(whose), "id": new_id(), "sealed": self._sealed(whose, account)},
        )
        assert row is not None  # noqa: S101  # an upsert returns its row
        self._record(work, row.id, whose, actor, removed=False)

    async def remove(self, work: Unit, whose: Whose, actor: Actor = SYSTEM) -> bool:
        """Forget an account. False where there was none."""
        row = await fetch_one(
            work.connection,
            "delete from bank_accounts where organisation_id = :organisation_id"
            " and person_id is not distinct from cast(:person_id as uuid) and payee = :payee"
            " returning id",
            self._values(whose),
        )
        if row is None:
            return False
        self._record(work, row.id, whose, actor, removed=True)
        return True

    async def all_of(self, connection: AsyncConnection) -> Sequence[Kept]:
        """Every account, by name. Raises Permanent where the key is another one."""
        rows = await fetch_all(
            connection,
            "select b.person_id, b.payee, b.sealed, coalesce(p.handle, b.payee) as name"
            " from bank_accounts b left join people p on p.id = b.person_id"
            " where b.organisation_id = :organisation_id order by name",
            {"organisation_id": self._organisation_id},
        )
        return [
            Kept(whose, row.name, self._opened(whose, bytes(row.sealed)))
            for row in rows
            for whose in (Whose(row.person_id, row.payee),)
        ]

    async def by_whose(self, connection: AsyncConnection) -> Mapping[Whose, Account]:
        """Every account that can be paid to, by whose it is. Raises Permanent where the key is
        another one."""
        kept = await self.all_of(connection)
        return {each.whose: each.account for each in kept if each.account is not None}

    def _values(self, whose: Whose) -> dict[str, object]:
        return {
            "organisation_id": self._organisation_id,
            "person_id": whose.person_id,
            "payee": whose.payee,
        }

    def _record(
        self, work: Unit, account_id: UUID, whose: Whose, actor: Actor, *, removed: bool
    ) -> None:
        person = str(whose.person_id) if whose.person_id else None
        data = {"account": str(account_id), "person": person, "removed": removed}
        organisation_id = self._organisation_id
        work.record(Event(organisation_id, organisation_id, Tag.PAYEE_CHANGED, data, actor))

    def _sealed(self, whose: Whose, account: Account) -> bytes:
        """Bound to its row: copied to another's, it opens nothing."""
        return encrypted(self._cipher, _spelled(account), self._bound(whose))

    def _opened(self, whose: Whose, sealed: bytes) -> Account | None:
        try:
            fields = json.loads(decrypted(self._cipher, sealed, self._bound(whose)))
        except InvalidTag as error:
            raise Permanent(WRONG_KEY) from error
        try:
            return banks.account(
                fields["bank"], fields["branch"], fields["kind"], fields["number"], fields["holder"]
            )
        except Refused:  # the bank or the branch was closed since
            return None

    def _bound(self, whose: Whose) -> bytes:
        return f"{self._organisation_id} {whose.bound}".encode()


def _spelled(account: Account) -> bytes:
    fields = {
        "bank": account.bank,
        "branch": account.branch,
        "kind": account.kind,
        "number": account.number,
        "holder": account.holder,
    }
    return json.dumps(fields).encode()


_ONE_OF = {
    True: "(organisation_id, payee) where person_id is null",
    False: "(organisation_id, person_id) where person_id is not null",
}
"""The index that an account is the only one of its kind by."""
