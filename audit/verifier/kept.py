"""What auditors kept of a log, out of files: notes, mails saved as .eml, time stamps."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser

from audit.verifier.anchors import read_notes

NOTE, MAIL, STAMP = ".note", ".eml", ".tsr"
_LEFT_OUT = (".json", ".pem", ".crt", ".vkey", ".zip")
"""Proofs (`miyabi audit check` reads those), certificates and keys that lie beside."""


@dataclass(slots=True)
class Kept:
    """Checkpoints as they were given out, whoever signed them, and time stamps as they came."""

    notes: list[str] = field(default_factory=list)
    stamps: list[bytes] = field(default_factory=list)


def read_kept(files: Iterable[tuple[str, bytes]]) -> Kept:
    """Read files, named as they are: `.note` is one note, `.eml` a mail with some attached, `.tsr`
    a time stamp, anything else notes one after the other. None is judged here."""
    kept = Kept()
    for name, content in files:
        _read(name.lower(), content, kept)
    kept.notes = list(dict.fromkeys(kept.notes))
    kept.stamps = list(dict.fromkeys(kept.stamps))
    return kept


def _read(name: str, content: bytes, kept: Kept) -> None:
    if name.endswith(MAIL):
        for inner, attached in _attached(content):
            if inner.endswith((NOTE, STAMP)):
                _read(inner, attached, kept)
    elif name.endswith(NOTE):
        kept.notes.append(content.decode("utf-8", "replace"))
    elif name.endswith(STAMP):
        kept.stamps.append(content)
    elif not name.endswith(_LEFT_OUT):
        kept.notes += read_notes(content)


def _attached(content: bytes) -> Iterator[tuple[str, bytes]]:
    """The files of a mail, also of one that was forwarded inside of another."""
    message = BytesParser(_class=EmailMessage, policy=policy.default).parsebytes(content)
    for part in message.walk():
        name = part.get_filename()
        payload = part.get_payload(decode=True)
        if name and isinstance(payload, bytes):
            yield name.lower(), payload
