"""What each worker does for the audit log's tree: gives events their leaves, signs its heads.

One at a time sequences, by a lock of the database; the others look whether it is free. Whoever has
a key signs. Whatever goes wrong, both go on.
"""

import asyncio
import random
import time
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from audit import keys
from audit.checkpoints import make_due
from audit.keys import Signer
from audit.sequencer import Batch, StuckTree, sequence
from core.db import is_outage
from miyabi.pauses import Pauses

log = structlog.get_logger()

SEQUENCE_EVERY = 0.25
"""Seconds an event waits for its leaf at most, where all goes well."""

TRY_STUCK_EVERY = 60.0
"""Seconds for which a tree that can't grow is left alone, so that the others' go on."""

SIGN_EVERY = 1.0
"""Seconds between two looks whether a checkpoint is due; at once after growth seen here."""


async def keep_tree(engine: AsyncEngine, signers: Sequence[Signer]) -> None:
    """Until cancelled. Without a key there are leaves, and no checkpoints."""
    grown = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(_sequence_forever(engine, grown))
        if signers:
            group.create_task(_sign_forever(engine, signers, grown))
        else:
            log.warning("audit.no_key", see="miyabi audit key new")


async def seal_now(engine: AsyncEngine, signers: Sequence[Signer]) -> None:
    """Give all that waits its leaf and sign it at once, for a command that hands out proofs: on the
    embedded database there may be no worker. Without a key here nothing is done."""
    if not signers:
        return
    while (await sequence(engine)).more:
        pass
    await make_due(engine, signers, every=timedelta(0), events=1)


async def _sequence_forever(engine: AsyncEngine, grown: asyncio.Event) -> None:
    await asyncio.sleep(random.uniform(0, SEQUENCE_EVERY))  # noqa: S311  # not a secret
    stuck, looked = set[UUID](), time.monotonic()
    pauses = Pauses(SEQUENCE_EVERY)
    while True:
        if time.monotonic() - looked > TRY_STUCK_EVERY:
            stuck, looked = set(), time.monotonic()
        try:
            batch = await sequence(engine, without=stuck)
        except StuckTree as error:
            stuck.add(error.organisation_id)
            log.error(
                "audit.tree_stuck",
                organisation=str(error.organisation_id),
                error=repr(error.__cause__),
                see="miyabi audit verify",
            )
            continue
        except (SQLAlchemyError, OSError) as error:
            _tell("sequencer", error)
            batch = Batch()
        except Exception:  # whatever it was, the next batch may do without it
            log.exception("audit.sequencer_crashed")
            await asyncio.sleep(pauses.next())
            continue
        pauses.over()
        if batch.events:
            grown.set()
        if not batch.more:
            await asyncio.sleep(SEQUENCE_EVERY)


async def _sign_forever(
    engine: AsyncEngine, signers: Sequence[Signer], grown: asyncio.Event
) -> None:
    listed, pauses = False, Pauses(SIGN_EVERY)
    while True:
        try:
            if not listed:
                async with engine.begin() as connection:
                    await keys.enlist(connection, signers)
                listed = True
            await make_due(engine, signers)
        except (SQLAlchemyError, OSError) as error:
            _tell("checkpoints", error)
            await asyncio.sleep(SIGN_EVERY)
        except Exception:  # whatever a key or its keeper raises, the next try may do without it
            log.exception("audit.checkpoints_crashed")
            await asyncio.sleep(pauses.next())
        else:
            pauses.over()
        grown.clear()
        try:
            async with asyncio.timeout(SIGN_EVERY):
                await grown.wait()
        except TimeoutError:
            continue


def _tell(who: str, error: Exception) -> None:
    """An outage passes by; anything else is somebody's to mend."""
    what = "away" if is_outage(error) else "stuck"
    log.error(f"audit.{who}_{what}", error=repr(error))
