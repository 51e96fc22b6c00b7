"""One key per person, under which their personal data in events is; and the end of that key.

Keys are random, one of 256 bits for each subject of an organisation, in a table that is no part of
the log. There they are wrapped by a master key that is never in the database. Somebody who is known
only by an account (who runs the installation at its terminal, say) is a subject as well: a random
id, found by a keyed hash (HMAC) of the account that goes with the key.
"""

import asyncio
import hmac
import os
from collections.abc import Collection, Mapping, Sequence
from hashlib import sha256
from itertools import groupby
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from uuid_utils.compat import uuid7

from audit import sealing, subject_rows
from audit.cipher import decrypted, derived, encrypted
from audit.event import Event
from audit.sealed import CantOpen, is_sealed, unseal
from audit.sealing import Learned, Name, Subject, sealed_in, wanted

REMEMBERED = 600.0
"""Seconds for which a process keeps an open key, to write with: so long it may have one in its
memory that was destroyed since. What is read is opened by what the database has at that moment."""

_MOST = 10_000


class WrongMasterKey(ValueError):
    """A stored key was wrapped by a master key that is not here."""


class PersonalKeys:
    """The keys of persons, as a process knows them. Belongs to one event loop."""

    def __init__(self, masters: Sequence[bytes]) -> None:
        """`masters`: 32 bytes each. The first wraps; the others only open what is from before."""
        if not masters:
            raise ValueError("no master key")
        self._wraps = [AESGCM(derived(each, b"miyabi: keys of persons")) for each in masters]
        self._hides = [derived(each, b"miyabi: accounts of nobody") for each in masters]
        self._known: dict[tuple[UUID, Name], Subject] = {}

    # Writing

    async def sealed(
        self, connection: AsyncConnection, events: Sequence[Event]
    ) -> tuple[Sequence[Event], Learned]:
        """The events with their personal data sealed, in the caller's transaction.

        What was learned is to be remembered once that is committed: a key that was made in it is
        none before.
        """
        needed = wanted(events)
        known = {key: self._known[key] for key in needed & self._known.keys()}
        missing = needed - known.keys()
        learned: dict[tuple[UUID, Name], Subject] = {}
        for of, names in groupby(sorted(missing, key=_order), key=lambda key: key[0]):
            found = await self._found(connection, of, [name for _, name in names])
            learned |= {(of, name): subject for name, subject in found.items()}
        if not needed:
            return events, learned
        return [sealing.sealed(event, known | learned) for event in events], learned

    async def sealed_alone(self, engine: AsyncEngine, event: Event) -> Event:
        """One event sealed, with no statement at all where its keys are known."""
        if wanted([event]) <= self._known.keys():
            return sealing.sealed(event, self._known)
        async with engine.begin() as connection:
            [event], learned = await self.sealed(connection, [event])
        self.remember(learned)
        return event

    def remember(self, learned: Learned) -> None:
        """Keep keys for the next events, for REMEMBERED seconds at most."""
        if not learned:
            return
        while self._known and len(self._known) + len(learned) > _MOST:
            del self._known[next(iter(self._known))]
        self._known.update(learned)
        asyncio.get_running_loop().call_later(REMEMBERED, self._forget, tuple(learned))

    def _forget(self, keys: Collection[tuple[UUID, Name]]) -> None:
        for key in keys:
            self._known.pop(key, None)

    async def _found(
        self, connection: AsyncConnection, of: UUID, names: Sequence[Name]
    ) -> Mapping[Name, Subject]:
        """The subjects of these names; who has no key yet is given one."""
        found = await self._read(connection, of, names)
        new = [name for name in names if name not in found]
        if not new:
            return found
        rows = [self._made(of, name) for name in new]
        await connection.execute(subject_rows.MAKE, {"organisation_id": of, **_columns(rows)})
        # Somebody else may have made one at the same moment: what stands there counts.
        return {**found, **await self._read(connection, of, new)}

    def _made(self, of: UUID, name: Name) -> Mapping[str, Any]:
        id_, key = name if isinstance(name, UUID) else uuid7(), os.urandom(32)
        bound = of.bytes + id_.bytes
        made = {"subject": id_, "wrapped": encrypted(self._wraps[0], key, bound)}
        if isinstance(name, UUID):
            return {**made, "alias": None, "account": None}
        account = encrypted(AESGCM(key), name.encode(), bound)
        return {**made, "alias": self._alias(self._hides[0], of, name), "account": account}

    async def _read(
        self, connection: AsyncConnection, of: UUID, names: Sequence[Name]
    ) -> Mapping[Name, Subject]:
        by_alias = {
            self._alias(hide, of, name): name
            for name in names
            if isinstance(name, str)
            for hide in self._hides
        }
        rows = await connection.execute(
            subject_rows.READ,
            {
                "organisation_id": of,
                "subjects": [name for name in names if isinstance(name, UUID)],
                "aliases": list(by_alias),
            },
        )
        return {by_alias.get(row.alias, row.subject): self._opened(of, row) for row in rows}

    @staticmethod
    def _alias(hide: bytes, of: UUID, account: str) -> bytes:
        return hmac.digest(hide, of.bytes + account.encode(), sha256)

    def _opened(self, of: UUID, row: Any) -> Subject:
        if row.wrapped is None:
            return Subject(row.subject, None)
        return Subject(row.subject, AESGCM(self._unwrapped(of, row.subject, bytes(row.wrapped))))

    def _unwrapped(self, of: UUID, subject: UUID, wrapped: bytes) -> bytes:
        for wrap in self._wraps:
            try:
                return decrypted(wrap, wrapped, of.bytes + subject.bytes)
            except InvalidTag:
                continue
        raise WrongMasterKey(str(subject))

    # Reading

    async def opened(
        self,
        connection: AsyncConnection,
        organisation_id: UUID,
        bodies: Sequence[Mapping[str, Any]],
        *,
        erased: str,
        unreadable: str,
    ) -> Sequence[dict[str, Any]]:
        """Bodies of events with their personal data in the clear, for those who may read it.

        `erased` stands where the key was destroyed, `unreadable` where it does not fit.
        """
        subjects = {UUID(value["of"]) for body in bodies for value in sealed_in(body)}
        keys: dict[UUID, Subject | None] = {}
        if subjects:
            values = {
                "organisation_id": organisation_id, "subjects": list(subjects), "aliases": [],
            }  # fmt: skip
            for row in await connection.execute(subject_rows.READ, values):
                try:
                    keys[row.subject] = self._opened(organisation_id, row)
                except WrongMasterKey:
                    keys[row.subject] = None

        def shown(event: UUID, name: str, value: Any) -> Any:
            if not is_sealed(value):
                return value
            subject = keys.get(UUID(value["of"]), _NO_KEY)
            if subject is None:
                return unreadable
            try:
                plain = unseal(subject.cipher, event, name, value) if subject.cipher else None
            except CantOpen:
                return unreadable
            return erased if plain is None else plain

        return [sealing.opened(body, shown) for body in bodies]

    # The end

    async def destroy(
        self, connection: AsyncConnection, organisation_id: UUID, names: Sequence[Name]
    ) -> int:
        """Destroy the keys of these, and what an account is found by; how many there were.

        Who had no key is noted as well: none is made for them later.
        """
        subjects = [name for name in names if isinstance(name, UUID)]
        aliases = [
            self._alias(hide, organisation_id, name)
            for name in names
            if isinstance(name, str)
            for hide in self._hides
        ]
        values = {"organisation_id": organisation_id, "subjects": subjects, "aliases": aliases}
        ended = (await connection.execute(subject_rows.DESTROY, values)).rowcount
        noted = {"organisation_id": organisation_id, "subjects": subjects}
        await connection.execute(subject_rows.NOTE, noted)
        self._forget([(organisation_id, name) for name in names])
        return ended

    async def check(self, connection: AsyncConnection) -> None:
        """Raises WrongMasterKey where the oldest or the newest key can't be opened."""
        for row in await connection.execute(subject_rows.ENDS):
            self._unwrapped(row.organisation_id, row.subject, bytes(row.wrapped))

    async def rewrap(self, connection: AsyncConnection) -> int:
        """Wrap by the first master key what another one wrapped; how many keys that were. What
        accounts are found by is made anew as well."""
        changed = 0
        for row in await connection.execute(subject_rows.EVERY):
            wrapped, bound = bytes(row.wrapped), row.organisation_id.bytes + row.subject.bytes
            try:
                decrypted(self._wraps[0], wrapped, bound)
            except InvalidTag:
                key, alias = self._unwrapped(row.organisation_id, row.subject, wrapped), None
                if row.account is not None:
                    account = decrypted(AESGCM(key), bytes(row.account), bound).decode()
                    alias = self._alias(self._hides[0], row.organisation_id, account)
                values = {
                    "organisation_id": row.organisation_id,
                    "subject": row.subject,
                    "old": wrapped,
                    "new": encrypted(self._wraps[0], key, bound),
                    "alias": alias,
                }
                changed += (await connection.execute(subject_rows.REWRAP, values)).rowcount
        return changed


_NO_KEY = Subject(UUID(int=0), None)


def _columns(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    return {name: [row[name] for row in rows] for name in rows[0]}


def _order(key: tuple[UUID, Name]) -> tuple[UUID, str]:
    """Keys are made in one order everywhere, so that two who make some can't wait crosswise."""
    return key[0], str(key[1])
