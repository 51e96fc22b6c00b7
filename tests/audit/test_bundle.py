"""A bundle is verified by the public key alone, wherever it is; any change is refused."""

import io
import json
import random
import zipfile
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from uuid_utils.compat import uuid7

from audit.bundle import GoneEvents, NothingToExport, export
from audit.event import canonical
from audit.note import NoteKey
from audit.verifier.bundle import verify_bundle
from audit.verifier.notes import read_keys
from audit.verifier.verdict import Kind, Verdict
from tests.audit.log_of_one import KEY, KEYS, ORGANISATION, event, sign, tamper, write

Files = Mapping[str, bytes]


async def make(app: AsyncEngine, path: Path, first: int = 0, end: int | None = None) -> Path:
    async with app.connect() as connection:
        await export(connection, ORGANISATION, path, first=first, end=end)
    return path


async def grow(app: AsyncEngine, *sizes: int) -> list[str]:
    """A log with a checkpoint at each of these sizes."""
    notes, stream, size = [], uuid7(), 0
    for upto in sizes:
        await write(app, *(event(stream, n) for n in range(size, upto)))
        notes.append(await sign(app))
        size = upto
    return notes


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def pack(path: Path, files: Files, *, anew: bool) -> Path:
    """A bundle of these files; `anew`: with every checksum that needs no key computed again."""
    from audit.bundle import _Files, _json, _Sealed

    files = dict(files)
    manifest = files.pop("manifest.json")
    if anew:
        said = json.loads(manifest)
        said["files"] = {name: sha256(data).hexdigest() for name, data in files.items()}
        said.pop("sha256")
        said["sha256"] = sha256(canonical(said).encode()).hexdigest()
        manifest = _json(said)
    raw = io.BytesIO()
    sealed = _Sealed(raw)
    with zipfile.ZipFile(sealed, "w", zipfile.ZIP_DEFLATED) as archive:
        written = _Files(archive)
        for name, data in files.items():
            written.add(name, data)
        written.add("manifest.json", manifest)
    sealed.seal()
    path.write_bytes(raw.getvalue())
    return path


@pytest.mark.parametrize("events", [1, 3, 256, 257, 700])
async def test_a_whole_log_verifies_wherever_it_is(
    app: AsyncEngine, tmp_path: Path, events: int
) -> None:
    await grow(app, events)
    path = await make(app, tmp_path / "log.zip")
    (tmp_path / "far").mkdir()
    moved = path.rename(tmp_path / "far" / "away.bin")

    verdict = verify_bundle(moved, KEYS)

    assert (verdict.faults, verdict.events, verdict.checkpoints) == ([], events, 1)


@pytest.mark.parametrize(
    ("first", "end"), [(0, 1), (1, 2), (0, 300), (255, 257), (256, 512), (100, 599), (599, 600)]
)
async def test_any_range_verifies(app: AsyncEngine, tmp_path: Path, first: int, end: int) -> None:
    await grow(app, 200, 500, 600)

    verdict = verify_bundle(await make(app, tmp_path / "range", first, end), KEYS)

    assert (verdict.faults, verdict.events) == ([], end - first)


async def test_there_is_no_bundle_of_what_is_not_signed(app: AsyncEngine, tmp_path: Path) -> None:
    await grow(app, 5)
    await write(app, event(uuid7()))
    with pytest.raises(NothingToExport):
        await make(app, tmp_path / "more", 0, 6)


async def test_there_is_no_bundle_with_a_gap(
    app: AsyncEngine, owner: AsyncEngine, tmp_path: Path
) -> None:
    await grow(app, 5)
    await tamper(owner, "delete from audit_events where seq = 3")
    with pytest.raises(GoneEvents):
        await make(app, tmp_path / "gap")


async def test_keys_inside_are_not_believed(app: AsyncEngine, tmp_path: Path) -> None:
    await grow(app, 5)
    path = await make(app, tmp_path / "log")

    assert verify_bundle(path, {}).kind is Kind.UNKNOWN_KEY
    assert verify_bundle(path, read_keys(NoteKey.made("x").vkey)).kind is Kind.UNKNOWN_KEY


def _lines(change: Callable[[list[bytes]], list[bytes]]) -> Callable[[Files], dict[str, bytes]]:
    def changed(files: Files) -> dict[str, bytes]:
        lines = change(files["events.jsonl"].splitlines(keepends=True))
        return {**files, "events.jsonl": b"".join(lines)}

    return changed


def _swap(lines: list[bytes]) -> list[bytes]:
    lines[30], lines[60] = lines[60], lines[30]
    return lines


@pytest.mark.parametrize(
    ("attack", "kind", "leaf"),
    [
        (_lines(lambda lines: [*lines[:30], b'{"x":1}\n', *lines[31:]]), Kind.MODIFIED, 30),
        (_lines(lambda lines: [*lines[:30], *lines[31:]]), Kind.MISSING, 30),
        (_lines(lambda lines: [*lines[:30], *lines[40:]]), Kind.MISSING, 30),
        (_lines(lambda lines: lines[:70]), Kind.TAIL_CUT, 70),
        (_lines(lambda lines: [*lines[:30], lines[7], *lines[30:]]), Kind.INSERTED, 30),
        (_lines(lambda lines: [*lines, lines[7]]), Kind.INSERTED, 100),
        (_lines(_swap), Kind.REORDERED, 30),
        (_lines(lambda lines: [lines[50], *lines[:50], *lines[51:]]), Kind.REORDERED, 0),
    ],
)
@pytest.mark.parametrize("anew", [True, False])
async def test_what_was_done_to_events_is_named(
    app: AsyncEngine,
    tmp_path: Path,
    attack: Callable[[Files], dict[str, bytes]],
    kind: Kind,
    leaf: int,
    anew: bool,
) -> None:
    await grow(app, 100)
    files = members(await make(app, tmp_path / "log"))

    verdict = verify_bundle(pack(tmp_path / "bad", attack(files), anew=anew), KEYS)

    assert verdict.first is not None
    assert (verdict.kind, verdict.first.leaf) == (kind, leaf)


async def test_events_and_hashes_written_anew_without_the_key(
    app: AsyncEngine, tmp_path: Path
) -> None:
    """The checkpoints on the way tell between which two of them it happened."""
    from audit.hashing import leaf_hash

    await grow(app, 40, 80, 100)
    files = members(await make(app, tmp_path / "log"))
    lines = files["events.jsonl"].splitlines()
    lines[60] = lines[60].replace(b'"n":60', b'"n":61')
    events = b"".join(line + b"\n" for line in lines)
    leaves = b"".join(leaf_hash(line) for line in lines)
    forged = {**files, "events.jsonl": events, "leaves.bin": leaves}

    verdict = verify_bundle(pack(tmp_path / "bad", forged, anew=True), KEYS)

    assert verdict.first is not None
    assert verdict.kind is Kind.INCONSISTENT
    assert (verdict.first.leaf, verdict.first.until) == (40, 80)
    assert verdict.first.event == json.loads(lines[40])["id"]


async def test_a_bundle_is_held_against_anchors(
    app: AsyncEngine, owner: AsyncEngine, tmp_path: Path
) -> None:
    notes = await grow(app, 40, 100)
    path = await make(app, tmp_path / "log")

    assert verify_bundle(path, KEYS, anchors=notes).kind is None
    tail = verify_bundle(path, KEYS, anchors=notes[:1])
    assert (tail.verified, tail.kind, tail.unanchored) == (True, Kind.UNANCHORED, 60)
    other = await _other_history(app, owner)
    assert verify_bundle(path, KEYS, anchors=[other]).kind is Kind.INCONSISTENT


async def _other_history(app: AsyncEngine, owner: AsyncEngine) -> str:
    names = ("events", "streams", "tiles", "trees", "checkpoints")
    await tamper(owner, *(f"delete from audit_{name}" for name in names))
    return (await grow(app, 100))[0]


async def test_a_file_that_is_no_bundle_is_told_from_a_bad_one(tmp_path: Path) -> None:
    path = tmp_path / "x"
    for content in (b"", b"hello", b"PK\x05\x06" + bytes(18)):
        path.write_bytes(content)
        assert verify_bundle(path, KEYS).kind is Kind.MALFORMED


async def test_every_single_bit_of_the_file_counts(app: AsyncEngine, tmp_path: Path) -> None:
    """Zip headers, compressed data and all: a seventh of the bits in each run, and any seventh."""
    await grow(app, 2, 3)
    whole = (await make(app, tmp_path / "log", 1, 3)).read_bytes()
    path = tmp_path / "flipped"

    assert _accepted(whole, lambda data: _checked(path, data), 7) == []


@pytest.mark.parametrize("anew", [False, True])
async def test_every_single_bit_of_the_content_counts(
    app: AsyncEngine, tmp_path: Path, anew: bool
) -> None:
    """Also where whoever flips it computes all checksums anew, of what a key stands for.

    Then there is one checkpoint only: of an older one it does not matter who signed it. Where the
    checksums stay, about one bit in two bytes is flipped: of the file as a whole more are, above.
    Of events, which are hashed as a whole, every thirteenth; of the rest every fifth.
    """
    await grow(app, *([4] if anew else [2, 4]))
    files = members(await make(app, tmp_path / "log", 1, 3))
    assert not set(files) - {
        "manifest.json",
        "events.jsonl",
        "leaves.bin",
        "seqs.bin",
        "range.json",
        "keys.txt",
        "checkpoints/2.note",
        "checkpoints/4.note",
    }
    unsigned = {"keys.txt", "manifest.json"} if anew else set()
    path = tmp_path / "flipped"

    for name, data in files.items():
        if name in unsigned:
            continue

        def check(flipped: bytes, name: str = name) -> Verdict:
            return verify_bundle(pack(path, {**files, name: flipped}, anew=anew), KEYS)

        every = 17 if not anew else 13 if name == "events.jsonl" else 5
        assert (name, _accepted(data, check, every)) == (name, [])


def _checked(path: Path, data: bytes) -> Verdict:
    path.write_bytes(data)
    return verify_bundle(path, KEYS)


def _accepted(data: bytes, check: Callable[[bytes], Verdict], every: int = 1) -> list[int]:
    """The bits that can be flipped without being noticed, of every so-manieth from any on."""
    found = []
    for bit in range(random.randrange(every), len(data) * 8, every):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        if check(bytes(flipped)).kind is None:
            found.append(bit)
    return found


async def test_a_rotated_key_and_the_one_before_it_both_verify(
    app: AsyncEngine, tmp_path: Path
) -> None:
    from datetime import timedelta

    from audit.checkpoints import make_due
    from audit.keys import HeldKey

    new = NoteKey.made(KEY.name)
    await grow(app, 3)
    await write(app, event(uuid7()))
    await make_due(app, [HeldKey(KEY), HeldKey(new)], every=timedelta(0), events=1)
    path = await make(app, tmp_path / "both")
    assert verify_bundle(path, KEYS).verified
    assert verify_bundle(path, read_keys(new.vkey)).verified

    await write(app, event(uuid7()))
    await sign(app, new)
    path = await make(app, tmp_path / "new")
    assert verify_bundle(path, read_keys(new.vkey)).verified
    assert verify_bundle(path, KEYS).kind is Kind.UNKNOWN_KEY
    async with app.connect() as connection:
        assert (await connection.execute(text("select count(*) from audit_checkpoints"))).scalar()
