"""A bundle by itself, offline: events, hashes, checkpoints, and nothing believed but the keys.

Reads it as a stream: memory does not grow with it.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

from audit.hashing import SIZE, leaf_hash
from audit.verifier import anchors as kept
from audit.verifier.container import BadBundle, Container, Digest
from audit.verifier.heads import Claim, Heads
from audit.verifier.merkle import Growing, subtrees
from audit.verifier.notes import Keys
from audit.verifier.rows import Clock, as_event_id
from audit.verifier.sequence import Difference, Line, Wanted, differences
from audit.verifier.spelling import read, read_hash, spell
from audit.verifier.stamps import Stamps, resolve, verify_stamps
from audit.verifier.verdict import Fault, Kind, Verdict

MANIFEST, EVENTS, LEAVES, RANGE, KEYS, SEQS = (
    "manifest.json",
    "events.jsonl",
    "leaves.bin",
    "range.json",
    "keys.txt",
    "seqs.bin",
)
_FIELDS = {
    "format",
    "origin",
    "organisation",
    "first",
    "end",
    "size",
    "checkpoints",
    "made_at",
    "files",
    "sha256",
}


def verify_bundle(
    path: Path,
    keys: Keys,
    *,
    anchors: Iterable[str] | None = None,
    stamps: Stamps | None = None,
) -> Verdict:
    """Verify a bundle by nothing but these public keys, and checkpoints kept elsewhere if given,
    with their time stamps."""
    verdict = Verdict()
    try:
        with Container(path) as container:
            notes = None if anchors is None else list(anchors)
            bundle = _Bundle(container, keys, verdict)
            if stamps is not None:
                bundle.look_at_stamps(stamps, notes or ())
            bundle.verify(notes)
            if not verdict.counts and not container.is_sealed():
                about = "the file is not byte for byte what was written"
                verdict.add(Fault(Kind.MODIFIED, about))
    except BadBundle as error:
        verdict.add(Fault(Kind.MALFORMED, str(error)))
    return verdict


class _Bundle:
    def __init__(self, container: Container, keys: Keys, verdict: Verdict) -> None:
        self._container = container
        self._verdict = verdict
        self._manifest = _manifest(container)
        self._origin: str = self._manifest["origin"]
        self._first: int = self._manifest["first"]
        self._end: int = self._manifest["end"]
        self._size: int = self._manifest["size"]
        self._heads = Heads(self._origin, keys, verdict, self._first)
        self._clock = Clock()
        self._after = b""  # the event after the last good head
        self._digests = {EVENTS: Digest(), LEAVES: Digest()}
        self._numbers = sha256()  # of what SEQS has to hold by the events themselves
        self._numbered = True  # whether they say so: those of version 1 do not

    def verify(self, anchors: Iterable[str] | None) -> None:
        """Check all of it."""
        left, right = self._range()
        growing = Growing(self._first, left)
        claims = self._claims(anchors)
        for difference in differences(self._wanted(growing, claims), self._lines()):
            self._verdict.add(self._fault(difference))
        self._cover(growing, right, claims)
        self._heads.close(self._size)
        self._verdict.leaves = self._end - self._first
        self._verdict.range = (self._first, self._end)
        if not self._verdict.counts:
            self._check_files()
        if anchors is not None:
            self._note_unanchored()

    def look_at_stamps(self, stamps: Stamps, notes: Sequence[str]) -> None:
        """Time stamps of these notes, or of the bundle's own checkpoints."""
        rest = verify_stamps(stamps, notes, self._verdict)
        sizes = self._manifest["checkpoints"] if rest else ()
        own = (_text(self._container, f"checkpoints/{size}.note") for size in sizes)
        for each in resolve(rest, own, self._verdict):
            about = f"the note that the time stamp of {each.at.isoformat()} is of was not given"
            self._verdict.add(Fault(Kind.MISSING, about))

    def _range(self) -> tuple[list[bytes], list[bytes]]:
        """The hashes of what lies left and right of the range."""
        try:
            found = read(self._small(RANGE))
            if set(found) != {"left", "right"}:
                raise ValueError("its fields are not those of format 1")
            left, right = ([read_hash(each) for each in found[side]] for side in sorted(found))
        except (ValueError, TypeError, AttributeError) as error:
            raise BadBundle(f"{RANGE} can't be read: {error}") from None
        counts = (
            len(list(subtrees(0, self._first))),
            len(list(subtrees(self._end, self._size))),
        )
        if (len(left), len(right)) != counts:
            raise BadBundle(f"{RANGE} does not fit the range")
        return left, right

    def _small(self, name: str) -> bytes:
        """A member of one line."""
        data = self._container.read(name)
        if not data.endswith(b"\n"):
            raise BadBundle(f"{name} does not end")
        return data[:-1]

    def _claims(self, anchors: Iterable[str] | None) -> list[Claim]:
        """The bundle's checkpoints, and the anchors that this range can be held against."""
        found = []
        for size in self._manifest["checkpoints"]:
            claim = self._heads.open(_text(self._container, f"checkpoints/{size}.note"))
            if claim is not None and claim.size != size:
                about = f"the checkpoint of size {size} is one of size {claim.size}"
                self._verdict.add(Fault(Kind.INCONSISTENT, about, self._origin, until=size))
            elif claim is not None:
                found.append(claim)
        notes = kept.by_origin(anchors or (), self._verdict).get(self._origin, [])
        for claim in kept.claims(notes, self._heads, self._origin, self._verdict):
            if self._first < claim.size <= self._end or claim.size == self._size:
                found.append(claim)
        return sorted(found, key=lambda claim: claim.size)

    def _wanted(self, growing: Growing, claims: list[Claim]) -> Iterator[Wanted]:
        """The hashes of the leaves; what grows of them is compared with the heads on the way."""
        sizes = {claim.size for claim in claims}
        for hash_ in self._container.pieces(LEAVES, SIZE, self._digests[LEAVES]):
            yield Wanted(hash_, growing.size)
            growing.push(hash_)
            if growing.size in sizes and growing.size <= self._end:
                self._meet(growing, claims)

    def _lines(self) -> Iterator[Line]:
        """The events."""
        for line in self._container.lines(EVENTS, self._digests[EVENTS]):
            leaf = self._first + self._verdict.events
            if leaf == self._heads.good:
                self._after = line
            self._look_at(line, leaf)
            self._verdict.events += 1
            yield Line(leaf_hash(line), line)

    def _look_at(self, line: bytes, leaf: int) -> None:
        """What can be told of an event by itself."""
        body = _body(line)
        event = as_event_id(body.get("id"))
        seq = body.get("seq")
        if type(seq) is int and 0 < seq < 2**63:
            self._numbers.update(seq.to_bytes(8))
        else:
            self._numbered = False
        if body.get("organisation") != self._manifest["organisation"]:
            about = "an event of another organisation"
            self._verdict.add(Fault(Kind.INSERTED, about, self._origin, leaf, event=event))
        try:
            late = self._clock.is_late(datetime.fromisoformat(str(body.get("at"))))
        except (ValueError, TypeError):
            return  # no time that can be compared; its hash tells whether it was so
        if late:
            about = "dated back: others of a later time were there before it"
            self._verdict.add(Fault(Kind.INSERTED, about, self._origin, leaf, event=event))

    def _meet(self, growing: Growing, claims: list[Claim]) -> None:
        root = growing.root()
        event = as_event_id(_body(self._after).get("id"))
        for claim in claims:
            if claim.size == growing.size:
                self._heads.meet(claim, root, event)

    def _fault(self, difference: Difference) -> Fault:
        """A difference, with the event that stands there."""
        line, count = difference.line, difference.count
        body = _body(line.data) if line is not None else {}
        about = {
            Kind.MISSING: f"{count} events are gone",
            Kind.TAIL_CUT: f"{count} events are gone",
            Kind.INSERTED: f"{count} events are here that do not belong here",
            Kind.REORDERED: "an event that belongs elsewhere stands here",
        }.get(difference.kind, "the content does not match its hash")
        return Fault(
            difference.kind,
            about,
            self._origin,
            difference.leaf,
            difference.leaf + count if count > 1 else None,
            as_event_id(body.get("id")),
            as_event_id(body.get("stream")),
        )

    def _cover(self, growing: Growing, right: list[bytes], claims: list[Claim]) -> None:
        """After the last leaf: what lies right of the range, up to the newest checkpoint."""
        if growing.size != self._end:
            about = f"{LEAVES} ends at {growing.size}, not at {self._end}"
            kind = Kind.TAIL_CUT if growing.size < self._end else Kind.INSERTED
            leaf = min(growing.size, self._end)
            self._verdict.add(Fault(kind, about, self._origin, leaf, max(growing.size, self._end)))
            return
        if self._size > self._end:
            parts = zip(subtrees(self._end, self._size), right, strict=True)
            for (height, _), root in parts:
                growing.join(height, root)
            self._meet(growing, claims)

    def _check_files(self) -> None:
        """Against accidents, where what is signed does not reach: the manifest's own checksums."""
        digests = {name: digest.hex() for name, digest in self._digests.items()}
        for name in self._container.names:
            if name == SEQS:
                digest = Digest()
                count = sum(1 for _ in self._container.pieces(SEQS, 8, digest))
                digests[name] = digest.hex() if count == self._end - self._first else ""
                if self._numbered and digest.hex() != self._numbers.hexdigest():
                    about = f"{SEQS} has other numbers than the events"
                    self._verdict.add(Fault(Kind.REORDERED, about, self._origin))
            elif name not in digests and name != MANIFEST:
                digests[name] = sha256(self._container.read(name)).hexdigest()
        rest = {name: value for name, value in self._manifest.items() if name != "sha256"}
        wrong = [name for name, hash_ in digests.items() if self._manifest["files"][name] != hash_]
        if sha256(spell(rest)).hexdigest() != self._manifest["sha256"]:
            wrong.append(MANIFEST)
        for name in wrong:
            about = f"{name} does not match its checksum"
            self._verdict.add(Fault(Kind.MODIFIED, about, self._origin))

    def _note_unanchored(self) -> None:
        tail = max(self._end - max(self._heads.anchored, self._first), 0)
        self._verdict.unanchored = tail
        if tail:
            about = f"{tail} events are under no anchor yet"
            first = self._end - tail
            self._verdict.add(Fault(Kind.UNANCHORED, about, self._origin, first, self._end))


def _manifest(container: Container) -> dict[str, Any]:
    """What the bundle says it is. Raises BadBundle where that can't be."""
    if MANIFEST not in container.names:
        raise BadBundle("this is no bundle: it has no manifest")
    data = container.read(MANIFEST)
    try:
        found = read(data.removesuffix(b"\n"))
        fits = data.endswith(b"\n") and _fits(found, container.names)
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise BadBundle(f"{MANIFEST} can't be read: {error}") from None
    if not fits:
        raise BadBundle(f"{MANIFEST} does not fit the bundle")
    return dict(found)


def _fits(found: dict[str, Any], names: list[str]) -> bool:
    """Whether a manifest can be that of a bundle with these members."""
    if set(found) != _FIELDS or found["format"] != 1:
        return False
    first, end, size, sizes = (found[name] for name in ("first", "end", "size", "checkpoints"))
    if any(type(number) is not int for number in (first, end, size, *sizes)):
        return False
    rising = sizes == sorted(set(sizes)) and all(first < each <= end for each in sizes[:-1])
    notes = [f"checkpoints/{each}.note" for each in sizes]
    wanted = [EVENTS, LEAVES, RANGE, KEYS, *notes]
    if SEQS in names:  # the numbers of events in their streams; bundles of old have none
        wanted.append(SEQS)
    return bool(
        0 <= first < end <= size
        and rising
        and sizes[-1:] == [size]
        and sorted(names) == sorted([MANIFEST, *wanted])
        and sorted(found["files"]) == sorted(wanted)
        and isinstance(found["made_at"], str)
        and found["origin"] == f"miyabi/{found['organisation']}"
        and str(UUID(found["organisation"])) == found["organisation"]
    )


def _text(container: Container, name: str) -> str:
    try:
        return container.read(name).decode()
    except UnicodeDecodeError:
        raise BadBundle(f"{name} is no text") from None


def _body(line: bytes) -> dict[str, Any]:
    """What a line says; nothing where it can't be read."""
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
