"""RFC 3161 time stamps, offline: that a checkpoint was there at some moment, says somebody else.

Believed are the certificates that the caller gives, and no other; they need to have been valid when
the stamp was made.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from cryptography import x509
from rfc3161_client import (
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from audit.verifier.notes import BadNote, read_checkpoint
from audit.verifier.verdict import Fault, Kind, Stamp, Verdict

CLOCKS = timedelta(minutes=5)
"""That the clock of a database and that of a time stamp authority may differ by."""

_SHA256 = x509.ObjectIdentifier("2.16.840.1.101.3.4.2.1")


@dataclass(frozen=True, slots=True)
class Stamps:
    """Time stamps (DER), and the certificates that they must lead up to."""

    tokens: Sequence[bytes] = ()
    certificates: Sequence[x509.Certificate] = ()


@dataclass(frozen=True, slots=True)
class Open:
    """A time stamp that holds, of what was not found yet: the SHA-256 of some note."""

    imprint: bytes
    at: datetime
    authority: str


def verify_stamps(stamps: Stamps, notes: Iterable[str], verdict: Verdict) -> Sequence[Open]:
    """Verify time stamps and note what they say of these notes; those of others are given back."""
    opened = (_open(token, stamps.certificates, verdict) for token in stamps.tokens)
    return resolve([each for each in opened if each is not None], notes, verdict)


def resolve(found: Sequence[Open], notes: Iterable[str], verdict: Verdict) -> Sequence[Open]:
    """Note what these say of such notes; those of still others are given back."""
    if not found:
        return found
    known = {sha256(note.encode("utf-8", "replace")).digest(): note for note in notes}
    for each in found:
        if each.imprint in known:
            _note(each, known[each.imprint], verdict)
    return [each for each in found if each.imprint not in known]


def read_certificates(content: bytes) -> Sequence[x509.Certificate]:
    """The certificates of a PEM file. Raises ValueError where it has none."""
    return x509.load_pem_x509_certificates(content)


def _open(token: bytes, certificates: Sequence[x509.Certificate], verdict: Verdict) -> Open | None:
    try:
        stamp = decode_timestamp_response(token)
        info = stamp.tst_info
        imprint = info.message_imprint
        if imprint.hash_algorithm != _SHA256:
            raise ValueError("its hash is no SHA-256")
        builder = VerifierBuilder()
        for certificate in dict.fromkeys(certificates):
            builder = builder.add_root_certificate(certificate)
        if not stamp.signed_data.certificates:
            builder = builder.tsa_certificate(_signer(stamp, certificates))
        builder.build().verify(stamp, imprint.message)
        within = map(x509.load_der_x509_certificate, stamp.signed_data.certificates)
        return Open(
            imprint.message,
            info.gen_time,
            _signer(stamp, (*within, *certificates)).subject.rfc4514_string(),
        )
    except VerificationError as error:
        verdict.add(Fault(Kind.BAD_SIGNATURE, f"time stamp: {error}"))
    except ValueError as error:
        verdict.add(Fault(Kind.MALFORMED, f"time stamp: {error}"))
    return None


def _signer(stamp: TimeStampResponse, among: Iterable[x509.Certificate]) -> x509.Certificate:
    """The certificate that signed, as the signature names it. Raises ValueError."""
    signers = [(each.issuer, each.serial_number) for each in stamp.signed_data.signer_infos]
    for certificate in among:
        if signers == [(certificate.issuer, certificate.serial_number)]:
            return certificate
    raise ValueError("the certificate that it is signed with was not given")


def _note(found: Open, note: str, verdict: Verdict) -> None:
    """Note what was there when, and whether it said so itself."""
    try:
        said = read_checkpoint(note)
        at = datetime.fromisoformat(said.at)
    except (BadNote, ValueError):
        return  # whoever reads the note says so
    if at > found.at + CLOCKS:
        about = f"the checkpoint of size {said.size} says {said.at}, its time stamp {found.at}"
        verdict.add(Fault(Kind.INCONSISTENT, about, said.origin, until=said.size))
    verdict.stamps.append(Stamp(said.origin, said.size, found.at.isoformat(), found.authority))
