"""Checkpoints that were kept elsewhere: what the log can't deny having been."""

from collections.abc import Iterable, Mapping
from itertools import pairwise

from audit.verifier.heads import Claim, Heads
from audit.verifier.notes import BadNote, read_checkpoint
from audit.verifier.verdict import Fault, Kind, Verdict


def by_origin(notes: Iterable[str], verdict: Verdict) -> Mapping[str, list[str]]:
    """Notes by the tree they are of; what is no checkpoint is noted."""
    found: dict[str, list[str]] = {}
    for note in notes:
        try:
            found.setdefault(read_checkpoint(note).origin, []).append(note)
        except BadNote as error:
            verdict.add(Fault(error.kind, f"anchor: {error.why}"))
    return found


def claims(notes: Iterable[str], heads: Heads, origin: str, verdict: Verdict) -> list[Claim]:
    """The anchors of one tree, by size. Two of one size with different roots are a fork."""
    opened = (heads.open(note, anchor=True) for note in notes)
    found = sorted(
        {(claim.size, claim.root): claim for claim in opened if claim is not None}.values(),
        key=lambda claim: (claim.size, claim.root),
    )
    for one, other in pairwise(found):
        if one.size == other.size:
            about = f"two anchors of size {one.size} are of different trees"
            verdict.add(Fault(Kind.INCONSISTENT, about, origin, until=one.size))
    return found


def read_notes(content: bytes) -> list[str]:
    """The notes of an anchor's file: each a text, its signatures, and an empty line.

    A text without signatures is left out: there a disk was full. Whether the others are
    checkpoints is seen by whoever reads them.
    """
    parts = content.decode("utf-8", "replace").split("\n\n")
    return [
        f"{text}\n\n{below}\n"
        for text, below in pairwise(parts[:-1])  # behind the last empty line is nothing, or half
        if below.startswith("\u2014 ")
    ]
