"""The log in its database: what is whole verifies."""

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from uuid_utils.compat import uuid7

from audit.verifier.verdict import Kind
from tests.audit.log_of_one import KEYS, event, sign, verify, write


async def test_a_log_without_a_checkpoint_is_whole_and_says_so(app: AsyncEngine) -> None:
    stream = uuid7()
    await write(app, *(event(stream, n) for n in range(5)))

    verdict = await verify(app, {})

    assert verdict.verified
    assert (verdict.events, verdict.leaves, verdict.uncheckpointed) == (5, 5, 5)


@pytest.mark.parametrize("events", [1, 255, 256, 257, 1300])
async def test_a_signed_log_of_any_size_verifies(app: AsyncEngine, events: int) -> None:
    streams = [uuid7() for _ in range(3)]
    await write(app, *(event(streams[n % 3], n) for n in range(events)))
    await sign(app)
    await write(app, event(streams[0]))

    verdict = await verify(app)

    assert (verdict.kind, verdict.faults) == (None, [])
    assert (verdict.leaves, verdict.uncheckpointed) == (events + 1, 1)
    assert [head.size for head in verdict.heads] == [events]


async def test_a_checkpoint_by_a_strange_key_vouches_for_nothing(app: AsyncEngine) -> None:
    await write(app, event(uuid7()))
    await sign(app)

    verdict = await verify(app, {})

    assert verdict.kind is Kind.UNKNOWN_KEY
    assert (await verify(app, KEYS)).verified
