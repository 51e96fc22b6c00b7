"""The index of documents: what each is searched by. Written in the caller's transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection
from uuid_utils.compat import uuid7

from audit.event import digest

WORDS_AT_MOST = 4000
"""Characters of a document that are indexed; a text as long as that is found by its beginning."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A document as it is searched for.

    `dated`, `amount` (whole yen, tax included; None: about no money) and `counterparty` are those
    of the transaction. `stream` is where its events are, `reference` what people call that.
    `words` are more to find it by. It is not dropped before `retain_until`.
    """

    id: UUID
    organisation_id: UUID
    dated: date
    amount: int | None
    counterparty: str
    kind: str
    number: str
    stream: UUID
    retain_until: date
    reference: str = ""
    person_id: UUID | None = None
    words: Sequence[str] = ()

    def fingerprint(self) -> str:
        """SHA-256 in hex of what the law asks a document to be found by, for its event."""
        return fingerprint(self.id, self.number, self.dated, self.amount, self.counterparty)


def fingerprint(
    document_id: UUID, number: str, dated: date, amount: int | None, counterparty: str
) -> str:
    """The document's id is in it as a salt: nobody can try out names against the hash alone."""
    return digest(
        {
            "id": str(document_id),
            "number": number,
            "date": dated.isoformat(),
            "amount": amount,
            "counterparty": counterparty,
        }
    ).hex()


_NAME = text("""
    insert into audit_counterparties (id, organisation_id, name)
    select :id, :organisation_id, :name where audit_fold(:name) <> '' and not exists (
        select from audit_counterparties
        where organisation_id = :organisation_id and folded = audit_fold(:name))
    on conflict (organisation_id, folded) do nothing
""")
_ENTER = text("""
    insert into audit_documents (id, organisation_id, dated, amount, counterparty_id, counterparty,
        kind, number, stream, reference, person_id, words, retain_until)
    values (:id, :organisation_id, :dated, :amount, (
            select c.id from audit_counterparties c
            where c.organisation_id = :organisation_id and c.folded = audit_fold(:counterparty)
        ), :counterparty, :kind, :number, :stream, :reference, :person_id,
        left(array_to_string(
            array(select audit_fold(word) from unnest(cast(:words as text[])) as word), E'\\n'),
            :words_at_most),
        :retain_until)
""")
_ATTACH = text("""
    update audit_documents set sha256 = :sha256, file_name = :name, media_type = :media_type
    where organisation_id = :organisation_id and id = :id
""")
_VOID = text("""
    update audit_documents set voided_at = now()
    where organisation_id = :organisation_id and id = :id
""")


async def enter(connection: AsyncConnection, entry: Entry) -> None:
    """Put a document into the index; its file is attached when there is one."""
    named = {"organisation_id": entry.organisation_id, "name": entry.counterparty}
    await connection.execute(_NAME, {"id": uuid7(), **named})
    await connection.execute(
        _ENTER,
        {
            "id": entry.id,
            "organisation_id": entry.organisation_id,
            "dated": entry.dated,
            "amount": entry.amount,
            "counterparty": entry.counterparty,
            "kind": entry.kind,
            "number": entry.number,
            "stream": entry.stream,
            "reference": entry.reference,
            "person_id": entry.person_id,
            "words": [entry.number, entry.counterparty, *entry.words],
            "words_at_most": WORDS_AT_MOST,
            "retain_until": entry.retain_until,
        },
    )


async def attach(
    connection: AsyncConnection,
    organisation_id: UUID,
    document_id: UUID,
    *,
    sha256: str,
    name: str,
    media_type: str,
) -> None:
    """Say which file in the store of documents it is."""
    await connection.execute(
        _ATTACH,
        {
            "organisation_id": organisation_id,
            "id": document_id,
            "sha256": sha256,
            "name": name,
            "media_type": media_type,
        },
    )


async def void(connection: AsyncConnection, organisation_id: UUID, document_id: UUID) -> None:
    """Mark it as void; it stays in the index."""
    await connection.execute(_VOID, {"organisation_id": organisation_id, "id": document_id})
