"""Proofs, checkpoints and keys: the standards' own examples, and every bit that is changed."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncEngine
from uuid_utils.compat import uuid7

from audit.hashing import EMPTY_ROOT, leaf_hash
from audit.merkle import Range, Tree, consistency, inclusion
from audit.note import NoteKey, checkpoint_text, note, signature_line
from audit.proof_files import consistency_file, inclusion_file
from audit.verifier.merkle import Growing, consistency_holds, inclusion_holds
from audit.verifier.notes import BadNote, open_checkpoint, read_keys, read_vkey
from audit.verifier.proof import Proven, check_proof
from audit.verifier.spelling import read, spell
from audit.verifier.verdict import Fault, Kind
from tests.audit.log_of_one import KEY, KEYS, ORGANISATION, body_of, event, sign, write
from tests.audit.test_merkle import DATA, ROOTS


def test_roots_are_those_of_the_standard() -> None:
    growing = Growing()
    assert growing.root() == EMPTY_ROOT == bytes.fromhex(ROOTS[0])
    for leaf, root in zip(DATA, ROOTS[1:], strict=True):
        growing.push(leaf_hash(leaf))
        assert growing.root().hex() == root


def test_proofs_of_the_standard_hold() -> None:
    """RFC 6962, 2.1.3: of a tree of seven leaves; hashed by hand here, as the text writes it."""
    a, b, c, d, e, f, j = (leaf_hash(leaf) for leaf in DATA[:7])
    g, h, i = _node(a, b), _node(c, d), _node(e, f)
    k, l_ = _node(g, h), _node(i, j)
    root = _node(k, l_)

    assert inclusion_holds(a, 0, 7, [b, h, l_], root)
    assert inclusion_holds(d, 3, 7, [c, g, l_], root)
    assert inclusion_holds(e, 4, 7, [f, j, k], root)
    assert inclusion_holds(j, 6, 7, [i, k], root)
    assert consistency_holds(3, 7, [c, d, g, l_], _node(g, c), root)
    assert consistency_holds(4, 7, [l_], k, root)
    assert consistency_holds(6, 7, [i, j, k], _node(k, i), root)


def _node(left: bytes, right: bytes) -> bytes:
    from hashlib import sha256

    return sha256(b"\x01" + left + right).digest()


def _root(leaves: list[bytes]) -> bytes:
    return Tree().grown(leaves)[0].root()


def _hashes(leaves: list[bytes], ranges: list[Range]) -> list[bytes]:
    return [_root(leaves[each.start : each.end]) for each in ranges]


@given(st.data())
@settings(max_examples=150)
def test_every_inclusion_proof_holds_and_none_that_was_changed(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 300))
    index = data.draw(st.integers(0, size - 1))
    leaves = [leaf_hash(bytes([n % 256, n // 256])) for n in range(size)]
    path, root = _hashes(leaves, list(inclusion(index, size))), _root(leaves)

    assert inclusion_holds(leaves[index], index, size, path, root)
    assert not inclusion_holds(leaves[index], index, size, [*path, root], root)
    for other in {index ^ 1 << bit for bit in range(10)}:
        assert not inclusion_holds(leaves[index], other, size, path, root)
    if path:
        at, bit = data.draw(st.integers(0, len(path) - 1)), data.draw(st.integers(0, 255))
        assert not inclusion_holds(leaves[index], index, size, path[:-1], root)
        changed = [*path[:at], _flip(path[at], bit), *path[at + 1 :]]
        assert not inclusion_holds(leaves[index], index, size, changed, root)
    bit = data.draw(st.integers(0, 255))
    assert not inclusion_holds(_flip(leaves[index], bit), index, size, path, root)
    assert not inclusion_holds(leaves[index], index, size, path, _flip(root, bit))


@given(st.data())
@settings(max_examples=150)
def test_every_consistency_proof_holds_and_none_that_was_changed(data: st.DataObject) -> None:
    new = data.draw(st.integers(1, 300))
    old = data.draw(st.integers(1, new))
    leaves = [leaf_hash(bytes([n % 256, n // 256])) for n in range(new)]
    path = _hashes(leaves, list(consistency(old, new)))
    roots = _root(leaves[:old]), _root(leaves)

    assert consistency_holds(old, new, path, *roots)
    assert not consistency_holds(old, new, [*path, roots[0]], *roots)
    bit = data.draw(st.integers(0, 255))
    assert not consistency_holds(old, new, path, _flip(roots[0], bit), roots[1])
    assert not consistency_holds(old, new, path, roots[0], _flip(roots[1], bit))
    if path:
        at = data.draw(st.integers(0, len(path) - 1))
        changed = [*path[:at], _flip(path[at], bit), *path[at + 1 :]]
        assert not consistency_holds(old, new, changed, *roots)


def _flip(data: bytes, bit: int) -> bytes:
    flipped = bytearray(data)
    flipped[bit // 8] ^= 1 << bit % 8
    return bytes(flipped)


def test_the_standards_own_key_and_note_are_read() -> None:
    """The key of Go's sumdb/note documentation, which c2sp.org/signed-note has from there."""
    key = read_vkey("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
    text = (
        "If you think cryptography is the answer to your problem,\n"
        "then you don't know what your problem is.\n"
    )
    signature = (
        "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXg"
        "KvqfqdngotpRZb6KE6RyyBwJnAM="
    )
    from audit.verifier.notes import _from_base64, _split, keyring

    said, [(name, blob)] = _split(f"{text}\n\u2014 PeterNeumann {signature}\n")
    key.public.verify(blob[4:], said.encode())
    assert (name, blob[:4]) == (key.name, key.id)
    assert _from_base64(signature) == blob
    assert keyring([key])["PeterNeumann", blob[:4]] == key


def _note(*keys: NoteKey) -> str:
    words = checkpoint_text(ORGANISATION, 7, bytes(32), datetime(2026, 1, 2, tzinfo=UTC))
    return note(
        words, [signature_line(key.name, key.id, key.key.sign(words.encode())) for key in keys]
    )


def test_every_bit_of_a_checkpoint_counts() -> None:
    whole = _note(KEY).encode()
    head = open_checkpoint(whole.decode(), KEYS)
    assert (head.size, head.at, head.signers) == (7, "2026-01-02T00:00:00Z", (KEY.name,))

    for bit in range(len(whole) * 8):
        with pytest.raises((BadNote, UnicodeDecodeError)):
            open_checkpoint(_flip(whole, bit).decode(), KEYS)


def test_a_signature_of_a_stranger_is_ignored_and_a_false_one_of_ours_is_not() -> None:
    stranger = NoteKey.made("witness.example")
    both = _note(KEY, stranger)
    assert open_checkpoint(both, KEYS).signers == (KEY.name,)
    with pytest.raises(BadNote) as unknown:
        open_checkpoint(_note(stranger), KEYS)
    assert unknown.value.kind is Kind.UNKNOWN_KEY

    words = both.partition("\n\n")[0] + "\n"
    false = signature_line(KEY.name, KEY.id, stranger.key.sign(words.encode()))
    ours = read_keys(f"# ours\n{KEY.vkey}\n\n{stranger.vkey}\n")
    with pytest.raises(BadNote) as bad:
        open_checkpoint(_note(stranger) + false, ours)
    assert bad.value.kind is Kind.BAD_SIGNATURE


@pytest.mark.parametrize(
    "line",
    ["", "x", "a+b+c", "a+00000000+AAAA", KEY.vkey.replace("+", "+0", 1), KEY.vkey[:-4]],
    ids=range(6),
)
def test_what_is_no_key_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="vkey"):
        read_vkey(line)


async def test_a_proof_of_an_event_stands_alone_and_every_bit_of_it_counts(
    app: AsyncEngine,
) -> None:
    stream = uuid7()
    events = await write(app, *(event(stream, n) for n in range(6)))
    await sign(app)
    await write(app, event(stream))
    async with app.connect() as connection:
        proof = await inclusion_file(connection, ORGANISATION, events[4].id)
        with pytest.raises(LookupError):
            await inclusion_file(connection, ORGANISATION, uuid7())

    proven = check_proof(proof, KEYS)

    assert isinstance(proven, Proven)
    assert proven.event == await body_of(app, events[4])
    assert (proven.leaf, proven.head.size) == (4, 6)
    for bit in range(len(proof) * 8):
        assert isinstance(check_proof(_flip(proof, bit), KEYS), Fault), bit
    refused = check_proof(proof, read_keys(NoteKey.made("x").vkey))
    assert isinstance(refused, Fault)
    assert refused.kind is Kind.UNKNOWN_KEY


async def test_a_proof_whose_checksum_was_computed_anew_is_refused_as_well(
    app: AsyncEngine,
) -> None:
    from hashlib import sha256

    stream = uuid7()
    events = await write(app, *(event(stream, n) for n in range(6)))
    await sign(app)
    async with app.connect() as connection:
        proof = json.loads(await inclusion_file(connection, ORGANISATION, events[4].id))
    del proof["sha256"]
    for forged in (
        {**proof, "leaf": 5},
        {**proof, "event": {**proof["event"], "tag": "test:thing:denied"}},
        {**proof, "hashes": proof["hashes"][:-1]},
        {**proof, "hashes": [*proof["hashes"], "00" * 32]},
    ):
        sum_ = sha256(spell(forged)).hexdigest()
        found = check_proof(spell({**forged, "sha256": sum_}) + b"\n", KEYS)
        assert isinstance(found, Fault)
        assert found.kind is Kind.MODIFIED


async def test_consistency_between_checkpoints_stands_alone(app: AsyncEngine) -> None:
    stream = uuid7()
    for n in (3, 2, 2):
        await write(app, *(event(stream) for _ in range(n)))
        await sign(app)
    async with app.connect() as connection:
        for old, new in ((3, 5), (3, 7), (5, 7), (7, 7)):
            proof = await consistency_file(connection, ORGANISATION, old, new)
            proven = check_proof(proof, KEYS)
            assert isinstance(proven, Proven)
            assert proven.old is not None
            assert (proven.old.size, proven.head.size) == (old, new)
        for size in (4, 9):
            with pytest.raises(LookupError):
                await consistency_file(connection, ORGANISATION, size, 7)
    for bit in range(0, len(proof) * 8, 7):
        assert isinstance(check_proof(_flip(proof, bit), KEYS), Fault)


def test_json_has_one_spelling_also_beyond_the_first_plane() -> None:
    assert spell({"\U0001f600": 1, "ｱ": 2}) == '{"\U0001f600":1,"ｱ":2}'.encode()
    for other in (b'{"b":1,"a":2}', b'{"a": 1}', b'{"a":1,"a":1}', b'{"a":1.0}', b"NaN"):
        with pytest.raises(ValueError, match=r"canonical|whole number"):
            read(other)
