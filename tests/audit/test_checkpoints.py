"""Checkpoints are signed notes that anybody's tools can read, by keys that come and go."""

import base64
import hashlib
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine
from uuid_utils.compat import uuid7

from audit import checkpoints, keys
from audit.checkpoints import Checkpoint, make_due, newest
from audit.keys import HeldKey, Signer, add_to_file, signers_in, signers_of_file, take_from_file
from audit.note import NoteKey, note
from audit.proofs import head
from tests.audit.test_sequencer import ORGANISATION, all_sequenced, event, write

AT_ONCE = timedelta(0)

# The key and the note of the documentation of golang.org/x/mod/sumdb/note.
GO_KEY = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
GO_VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)
GO_LINE = (
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZ"
    "SNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)


def verified(signed: str, vkey: str) -> list[str]:
    """The lines of a note's text, by a verifier of this test's own."""
    words, _, lines = signed.partition("\n\n")
    name, id_, encoded = vkey.split("+", 2)
    public = base64.b64decode(encoded)
    assert hashlib.sha256(name.encode() + b"\n" + public).digest()[:4].hex() == id_
    for line in lines.splitlines():
        dash, who, signature = line.split(" ")
        raw = base64.b64decode(signature)
        assert dash == "—"
        if (who, raw[:4].hex()) == (name, id_):
            key = Ed25519PublicKey.from_public_bytes(public[1:])
            key.verify(raw[4:], f"{words}\n".encode())
            return words.split("\n")
    raise InvalidSignature


async def grow(engine: AsyncEngine, count: int, organisation: UUID = ORGANISATION) -> None:
    await write(engine, *(event(n, organisation) for n in range(count)))
    await all_sequenced(engine)


def a_signer(name: str = "miyabi") -> HeldKey:
    return HeldKey(NoteKey.made(name))


def test_keys_and_notes_are_those_of_the_go_tools() -> None:
    key = NoteKey.read(GO_KEY)

    assert key.written() == GO_KEY
    assert key.vkey == GO_VKEY
    assert verified(note(GO_TEXT, [GO_LINE]), GO_VKEY) == GO_TEXT.splitlines()


async def test_a_signature_of_ours_is_the_go_tools_to_the_byte() -> None:
    [signer] = signers_in(GO_KEY)

    signature = await signer.sign(GO_TEXT.encode())

    assert base64.b64encode(signer.id + signature).decode() == GO_LINE.rsplit(maxsplit=1)[-1]


async def test_a_checkpoint_says_which_tree_how_large_its_root_and_when(app: AsyncEngine) -> None:
    signer = a_signer()
    await grow(app, 3)

    [made] = await make_due(app, [signer])

    async with app.connect() as connection:
        stands = await head(connection, ORGANISATION)
        assert await newest(connection, ORGANISATION) == made
    assert stands is not None
    assert (made.size, made.root) == (3, stands.root)
    assert verified(made.note, signer.vkey) == [
        f"miyabi/{ORGANISATION}",
        "3",
        base64.b64encode(stands.root).decode(),
        made.at.strftime("time %Y-%m-%dT%H:%M:%SZ"),
    ]


async def test_a_checkpoint_is_made_after_a_while_with_news_or_after_much_of_it(
    app: AsyncEngine,
) -> None:
    signers = [a_signer()]
    await grow(app, 1)

    async def due(**when: object) -> list[int]:
        return [each.size for each in await make_due(app, signers, **when)]  # type: ignore[arg-type]

    assert await due() == [1]  # the first one at once
    assert await due(every=AT_ONCE) == []  # no news
    await grow(app, 9)
    assert await due(every=timedelta(hours=1), events=10) == []
    await grow(app, 1)
    assert await due(every=timedelta(hours=1), events=10) == [11]
    await grow(app, 1)
    assert await due(every=AT_ONCE) == [12]


async def test_every_organisation_has_its_own(app: AsyncEngine) -> None:
    other = uuid7()
    await grow(app, 2)
    await grow(app, 1, other)

    made = await make_due(app, [a_signer()])

    assert {each.organisation_id: each.size for each in made} == {ORGANISATION: 2, other: 1}


async def test_of_two_who_sign_the_same_head_one_is_kept(app: AsyncEngine) -> None:
    await grow(app, 2)
    first = await make_due(app, [a_signer()])
    async with app.begin() as connection:
        assert not await checkpoints._keep(connection, first[0])

    async with app.connect() as connection:
        assert await newest(connection, ORGANISATION) == first[0]


@pytest.mark.parametrize("wrong", ["size", "root"])
async def test_a_checkpoint_of_another_tree_is_not_kept(app: AsyncEngine, wrong: str) -> None:
    await grow(app, 2)
    [made] = await make_due(app, [a_signer()])
    await grow(app, 1)
    size, root = (9, made.root) if wrong == "size" else (3, b"x" * 32)

    async with app.begin() as connection:
        kept = await checkpoints._keep(
            connection, Checkpoint(ORGANISATION, size, root, "x\n", made.at)
        )

    assert not kept


async def test_during_a_rotation_both_keys_sign_and_afterwards_only_the_new_one(
    app: AsyncEngine, tmp_path: Path
) -> None:
    path = tmp_path / "audit.key"
    old, new = NoteKey.made("miyabi"), NoteKey.made("miyabi")

    async def checkpoint() -> str:
        await grow(app, 1)
        signers = signers_of_file(path)
        async with app.begin() as connection:
            await keys.enlist(connection, signers)
        [made] = await make_due(app, signers, every=AT_ONCE)
        return made.note

    add_to_file(path, old)
    before = await checkpoint()
    add_to_file(path, new)
    during = await checkpoint()
    assert take_from_file(path, old.vkey)
    async with app.begin() as connection:
        await keys.retire(connection, old.vkey)
    after = await checkpoint()

    for signed, vkey in (
        (before, old.vkey),
        (during, old.vkey),
        (during, new.vkey),
        (after, new.vkey),
    ):
        verified(signed, vkey)
    for signed, vkey in ((before, new.vkey), (after, old.vkey)):
        with pytest.raises(InvalidSignature):
            verified(signed, vkey)
    async with app.connect() as connection:
        listed = await keys.every(connection)
    assert [(each.vkey, each.retired_at is None) for each in listed] == [
        (old.vkey, False),
        (new.vkey, True),
    ]


@dataclass(frozen=True)
class Unreachable:
    """A key service that does not answer."""

    name: str = "kms"
    id: bytes = b"\0\0\0\0"
    vkey: str = "kms+00000000+"

    async def sign(self, message: bytes) -> bytes:
        raise ConnectionError("no answer")


async def test_a_key_that_cant_be_reached_leaves_the_checkpoint_due(app: AsyncEngine) -> None:
    await grow(app, 1)
    with pytest.raises(OSError, match="no answer"):
        await make_due(app, [Unreachable()])

    assert len(await make_due(app, [a_signer()])) == 1


def test_a_key_file_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "audit.key"
    key = NoteKey.made("miyabi")

    add_to_file(path, key)

    assert path.stat().st_mode & 0o777 == 0o600
    signers: list[Signer] = list(signers_of_file(path))
    assert [each.vkey for each in signers] == [key.vkey]
    path.chmod(0o640)
    with pytest.raises(PermissionError, match="chmod 600"):
        signers_of_file(path)


@pytest.mark.parametrize(
    "line",
    [
        "hello",
        GO_VKEY,
        GO_KEY[:-4],
        GO_KEY.replace("c74f20a3", "c74f20a4"),
        GO_KEY.replace("PeterNeumann", "Peter"),
        GO_KEY.replace("+AYEK", "+AoEK"),
    ],
)
def test_what_is_no_key_is_refused_without_being_told(line: str) -> None:
    with pytest.raises(ValueError, match="key 2: ") as caught:
        signers_in(f"{GO_KEY}\n{line}\n")

    assert "AYEKFALVFGyNhPJEMzD1QIDr" not in str(caught.value)


@pytest.mark.parametrize("name", ["", "two words", "a+b", "a\nb"])
def test_a_name_that_would_break_a_note_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        NoteKey.made(name)


@pytest.mark.parametrize(
    "statement",
    [
        "insert into audit_keys (vkey, name, valid_from) values ('a', 'a', now())",
        "update audit_keys set vkey = 'b'",
        "delete from audit_keys",
    ],
)
async def test_the_application_may_list_keys_and_retire_them_and_no_more(
    app: AsyncEngine, statement: str
) -> None:
    with pytest.raises(DBAPIError, match="permission denied"):
        async with app.begin() as connection:
            await connection.execute(text(statement))


async def test_the_owner_cant_change_a_checkpoint(app: AsyncEngine, owner: AsyncEngine) -> None:
    await grow(app, 1)
    await make_due(app, [a_signer()])
    for statement in ("update audit_checkpoints set note = 'x'", "delete from audit_checkpoints"):
        with pytest.raises(DBAPIError, match="append-only"):
            async with owner.begin() as connection:
                await connection.execute(text(statement))
