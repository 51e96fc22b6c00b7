"""Signed heads against a tree that is being read: each must be what the tree was at its size."""

from collections.abc import Iterable
from dataclasses import dataclass

from audit.verifier.notes import BadNote, Keys, open_checkpoint, read_checkpoint
from audit.verifier.verdict import Fault, Head, Kind, Verdict


@dataclass(frozen=True, slots=True)
class Claim:
    """A head that somebody keeps: in the table or bundle, or (`anchor`) outside of our trust.

    `head` is None where no key that was given signed it; `unknown` says so.
    """

    size: int
    root: bytes
    head: Head | None
    anchor: bool
    unknown: Fault | None = None


class Heads:
    """What the heads of one tree come to while its leaves are read in order."""

    def __init__(self, origin: str, keys: Keys, verdict: Verdict, begin: int = 0) -> None:
        self._origin, self._keys, self._verdict = origin, keys, verdict
        self._broken = False
        self._unknown: Fault | None = None
        self.good = begin  # as far as a matching head was found
        self.newest: Head | None = None
        self.anchored = 0

    def open(self, note: str, *, anchor: bool = False) -> Claim | None:
        """Verify a note; None where it is refused, which is then noted.

        One that only strange keys signed proves nothing by itself: it is a fault unless a newer one
        is signed by a known key. An anchor is kept for its signature, so there it always is.
        """
        try:
            head = open_checkpoint(note, self._keys, origin=self._origin)
            return Claim(head.size, head.root, head, anchor)
        except BadNote as error:
            refused = error
        where = "anchor" if anchor else "checkpoint"
        try:
            said = read_checkpoint(note)
        except BadNote:
            self._verdict.add(Fault(refused.kind, f"{where}: {refused.why}", self._origin))
            return None
        fault = Fault(
            refused.kind, f"{where} of size {said.size}: {refused.why}", self._origin, said.size
        )
        if refused.kind is not Kind.UNKNOWN_KEY or anchor:
            self._verdict.add(fault)
            return None
        return Claim(said.size, said.root, None, anchor=False, unknown=fault)

    def meet(self, claim: Claim, root: bytes, event: object = None) -> None:
        """Compare with what the tree was at that size; `event` is the first since `good`."""
        if root != claim.root:
            self._differ(claim, event)
        elif not self._broken:
            self.good = claim.size
        if claim.anchor:
            self.anchored = claim.size if not self._broken else self.anchored
            self._verdict.anchors += 1
            return
        self._verdict.checkpoints += 1
        self._unknown = claim.unknown
        if claim.head is not None:
            self.newest = claim.head

    def _differ(self, claim: Claim, event: object) -> None:
        what = "the anchor" if claim.anchor else "the checkpoint"
        about = f"{what} of size {claim.size} is not a head of this tree"
        if self._broken:  # the first says it all
            self._verdict.add(Fault(Kind.INCONSISTENT, about, self._origin))
        else:
            id_ = None if event is None else str(event)
            self._verdict.add(
                Fault(Kind.INCONSISTENT, about, self._origin, self.good, claim.size, id_)
            )
        self._broken = True

    def beyond(self, claims: Iterable[Claim], size: int) -> None:
        """Heads of a tree that was larger than this one is: its tail is gone."""
        for claim in claims:
            what = "an anchor" if claim.anchor else "a checkpoint"
            about = f"{what} says {claim.size} events, there are {size}"
            self._verdict.add(Fault(Kind.TAIL_CUT, about, self._origin, size, claim.size))

    def close(self, size: int) -> None:
        """After the last leaf: what stands under no head that can be trusted."""
        if self._unknown is not None:
            self._verdict.add(self._unknown)
        if self.newest is not None:
            self._verdict.heads.append(self.newest)
        self._verdict.uncheckpointed += size - min(self.newest.size if self.newest else 0, size)
