"""A log with a tree and signed checkpoints, to be verified and attacked."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from uuid_utils.compat import uuid7

from audit import log
from audit.checkpoints import make_due
from audit.event import JSON, Actor, Event
from audit.keys import HeldKey
from audit.note import NoteKey
from audit.sequencer import sequence
from audit.verifier.live import verify_database
from audit.verifier.notes import Keys, read_keys
from audit.verifier.verdict import Verdict
from tests.audit.happening import Happening

ORGANISATION = UUID("0198c0de-0000-7000-8000-000000000001")
SEALED = {"of": "0198c0de-0000-7000-8000-000000000002", "sealed": "c2VhbGVk"}
"""An account as an event holds it."""
KEY = NoteKey.made("audit.example.jp")
KEYS = read_keys(KEY.vkey)


def event(stream: UUID, n: int = 0, organisation: UUID = ORGANISATION) -> Event:
    """Something that happened."""
    return Event(organisation, stream, Happening.HAPPENED, {"n": n}, Actor(uuid7(), SEALED))


async def write(engine: AsyncEngine, *events: Event) -> Sequence[Event]:
    """Write events and give them their leaves, in this order."""
    async with engine.begin() as connection:
        await log.append(connection, events)
    while (await sequence(engine)).events:
        pass
    return events


async def body_of(engine: AsyncEngine, event: Event) -> dict[str, JSON]:
    """What the log holds of an event: with its time."""
    async with engine.connect() as connection:
        body = await connection.scalar(
            text("select body from audit_events where id = :id"), {"id": event.id}
        )
    assert isinstance(body, dict)
    return body


async def sign(engine: AsyncEngine, key: NoteKey = KEY) -> str:
    """Sign the tree as it is; the note."""
    [made] = await make_due(engine, [HeldKey(key)], every=timedelta(0), events=1)
    return made.note


async def verify(
    engine: AsyncEngine, keys: Keys = KEYS, anchors: Sequence[str] | None = None
) -> Verdict:
    """What a verifier with the public key says."""
    return await verify_database(engine, keys, anchors=anchors)


async def tamper(engine: AsyncEngine, *statements: str, **values: object) -> None:
    """As the database's superuser, with the triggers switched off."""
    async with engine.begin() as connection:
        await connection.execute(text("set session_replication_role = replica"))
        for statement in statements:
            names = {name: value for name, value in values.items() if f":{name}" in statement}
            await connection.execute(text(statement), names)
