"""Whoever has stolen the signing key: what they can forge, and by what it is found out.

With the database as well, see test_attacks: a tail that no anchor has yet, and no past.
"""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from uuid_utils.compat import uuid7

from audit.checkpoints import make_due
from audit.event import JSON, canonical
from audit.hashing import leaf_hash
from audit.keys import HeldKey
from audit.merkle import Tree
from audit.note import NoteKey, checkpoint_text, note, signature_line
from audit.proof_files import _file
from audit.verifier.notes import read_keys
from audit.verifier.proof import Proven, check_proof
from audit.verifier.verdict import Fault, Kind
from tests.audit.log_of_one import KEY, KEYS, ORGANISATION, event, sign, verify, write


async def forged_head(root: bytes, size: int, key: NoteKey = KEY) -> str:
    words = checkpoint_text(ORGANISATION, size, root, datetime.now(UTC))
    return note(words, [signature_line(key.name, key.id, key.key.sign(words.encode()))])


async def forged_proof() -> tuple[bytes, str]:
    """Of an event that never was, in a tree of its own, under a head signed by the stolen key."""
    said: dict[str, JSON] = {**event(uuid7()).body(), "seq": 1, "at": "2026-11-25T00:00:00+00:00"}
    tree, _ = Tree().grown([leaf_hash(canonical(said).encode())])
    head = await forged_head(tree.root(), 1)
    return _file({"event": said, "leaf": 0, "checkpoint": head, "hashes": []}), head


async def test_a_proof_of_what_never_was_can_be_forged_and_its_head_is_in_no_log(
    app: AsyncEngine,
) -> None:
    """A proof is worth what its checkpoint is: whoever has the log, or an anchor, finds it out."""
    await write(app, *(event(uuid7(), n) for n in range(5)))
    true = await sign(app)
    proof, head = await forged_proof()

    assert isinstance(check_proof(proof, KEYS), Proven)
    verdict = await verify(app, anchors=[true, head])
    assert verdict.kind is Kind.INCONSISTENT
    assert verdict.first is not None
    assert (verdict.first.leaf, verdict.first.until) == (0, 1)
    assert (await verify(app, anchors=[true])).verified  # the true log is none the worse


@pytest.mark.parametrize(("size", "kind"), [(5, Kind.INCONSISTENT), (9, Kind.TAIL_CUT)])
async def test_another_head_can_be_signed_and_the_log_does_not_lead_there(
    app: AsyncEngine, size: int, kind: Kind
) -> None:
    await write(app, *(event(uuid7(), n) for n in range(5)))
    await sign(app)

    verdict = await verify(app, anchors=[await forged_head(b"x" * 32, size)])

    assert verdict.kind is kind


async def test_once_it_is_known_the_key_is_no_longer_believed_and_the_others_signatures_hold(
    app: AsyncEngine,
) -> None:
    """While keys overlap each head has both signatures; with the new one all before still verifies,
    and what only the stolen one signs is worth nothing."""
    new = NoteKey.made(KEY.name)
    await write(app, *(event(uuid7(), n) for n in range(5)))

    [made] = await make_due(app, [HeldKey(KEY), HeldKey(new)], every=timedelta(0), events=1)
    keys = read_keys(new.vkey)
    proof, _ = await forged_proof()

    assert (await verify(app, keys, anchors=[made.note])).verified
    refused = check_proof(proof, keys)
    assert isinstance(refused, Fault)
    assert refused.kind is Kind.UNKNOWN_KEY
