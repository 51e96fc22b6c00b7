"""Proofs that stand alone: that an event is in the log, that one checkpoint continues another."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from uuid import UUID

from audit.hashing import leaf_hash
from audit.verifier.merkle import consistency_holds, inclusion_holds
from audit.verifier.notes import BadNote, Keys, open_checkpoint
from audit.verifier.spelling import read, read_hash, spell
from audit.verifier.verdict import Fault, Head, Kind

_INCLUSION = {"format", "event", "leaf", "checkpoint", "hashes", "sha256"}
_CONSISTENCY = {"format", "old", "new", "hashes", "sha256"}
_MOST_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Proven:
    """What a proof proves: of an event its number and content, or that `head` continues `old`."""

    head: Head
    event: dict[str, Any] | None = None
    leaf: int | None = None
    old: Head | None = None


def check_proof(data: bytes, keys: Keys) -> Proven | Fault:
    """Verify a proof by nothing but the keys; what it proves, or why it is refused."""
    try:
        if len(data) > _MOST_BYTES or not data.endswith(b"\n"):
            raise ValueError("no proof")
        proof = read(data[:-1])
        return _check(proof, keys)
    except BadNote as error:
        return Fault(error.kind, error.why)
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        return Fault(Kind.MALFORMED, f"this is no proof: {error}")


def _check(proof: Any, keys: Keys) -> Proven | Fault:
    names = set(proof)
    if names not in (_INCLUSION, _CONSISTENCY) or proof["format"] != 1:
        raise ValueError("its fields are not those of format 1")
    hashes = [read_hash(each) for each in proof["hashes"]]
    found = (_inclusion if names == _INCLUSION else _consistency)(proof, hashes, keys)
    # Only against accidents: what it covers beyond the above (strange signatures) proves nothing.
    rest = {name: value for name, value in proof.items() if name != "sha256"}
    if isinstance(found, Proven) and sha256(spell(rest)).hexdigest() != proof["sha256"]:
        return Fault(Kind.MODIFIED, "the proof's own checksum does not match")
    return found


def _inclusion(proof: dict[str, Any], hashes: list[bytes], keys: Keys) -> Proven | Fault:
    head = open_checkpoint(proof["checkpoint"], keys)
    event, leaf = proof["event"], _whole(proof["leaf"])
    if not inclusion_holds(leaf_hash(spell(event)), leaf, head.size, hashes, head.root):
        about = "this event with this number is not in the tree that the checkpoint signs"
        return Fault(Kind.MODIFIED, about, head.origin, leaf, event=_id(event))
    if head.origin.rpartition("/")[2] != event.get("organisation"):
        return Fault(Kind.MODIFIED, "the event is another organisation's", head.origin, leaf)
    return Proven(head, event=event, leaf=leaf)


def _consistency(proof: dict[str, Any], hashes: list[bytes], keys: Keys) -> Proven | Fault:
    old, new = open_checkpoint(proof["old"], keys), open_checkpoint(proof["new"], keys)
    if old.origin != new.origin or not consistency_holds(
        old.size, new.size, hashes, old.root, new.root
    ):
        about = f"the checkpoint of size {new.size} does not continue that of size {old.size}"
        return Fault(Kind.INCONSISTENT, about, new.origin, old.size)
    return Proven(new, old=old)


def _whole(value: Any) -> int:
    if type(value) is not int:
        raise ValueError("no whole number")
    return value


def _id(event: Any) -> UUID | None:
    try:
        return UUID(event["id"])
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
