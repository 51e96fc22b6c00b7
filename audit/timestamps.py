"""RFC 3161 time stamps: somebody else says when a checkpoint was there at the latest.

The stamp is over the SHA-256 of the note, as `openssl ts -verify -data NOTE -in TOKEN` reads it.
"""

from collections.abc import Sequence
from pathlib import Path

import aiohttp
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from rfc3161_client import (
    HashAlgorithm,
    TimestampRequestBuilder,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from audit.anchors import AnchorAway, Parcel, Receipt

_MOST_BYTES = 1024 * 1024
_SECONDS = 15.0
_HEADERS = {
    "Content-Type": "application/timestamp-query",
    "Accept": "application/timestamp-reply",
}


class Timestamps:
    """A time stamp authority that is asked over HTTP."""

    name = "rfc3161"
    each = False
    stamps = True
    patience = 20.0

    def __init__(self, url: str, certificates: Sequence[x509.Certificate]) -> None:
        """`certificates`: those that its answers must lead up to; no others are believed. Where the
        authority's own is among them, it is told to send none."""
        self._url = url
        self._certificates = certificates

    async def put(self, parcel: Parcel) -> Receipt:
        """Have the newest checkpoint stamped; a stamp that does not hold is refused."""
        note = parcel.newest.note.encode()
        own = next((each for each in self._certificates if _stamps(each)), None)
        request = (
            TimestampRequestBuilder()
            .data(note)
            .hash_algorithm(HashAlgorithm.SHA256)
            .cert_request(cert_request=own is None)
            .build()
        )
        answer = await self._ask(request.as_bytes())
        verifier = VerifierBuilder.from_request(request)
        for certificate in self._certificates:
            verifier = verifier.add_root_certificate(certificate)
        if own is not None:
            verifier = verifier.tsa_certificate(own)
        try:
            stamp = decode_timestamp_response(answer)
            verifier.build().verify_message(stamp, note)
        except (VerificationError, ValueError) as error:
            raise AnchorAway(f"the time stamp does not hold: {error}") from error
        return Receipt(f"serial {stamp.tst_info.serial_number:x}", answer)

    async def _ask(self, request: bytes) -> bytes:
        limit = aiohttp.ClientTimeout(total=_SECONDS, connect=5.0)
        try:
            async with (
                aiohttp.ClientSession(timeout=limit, trust_env=True) as session,
                session.post(self._url, data=request, headers=_HEADERS) as response,
            ):
                if response.status != 200:
                    raise AnchorAway(f"the time stamp authority answered HTTP {response.status}")
                answer = await response.content.read(_MOST_BYTES)
        except aiohttp.ClientError as error:
            raise AnchorAway(
                f"the time stamp authority can't be reached: {type(error).__name__}"
            ) from error
        return answer


def _stamps(certificate: x509.Certificate) -> bool:
    """Whether this is an authority's own, rather than one above it."""
    try:
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return False
    return ExtendedKeyUsageOID.TIME_STAMPING in usage


def read_certificates(path: Path) -> Sequence[x509.Certificate]:
    """The certificates of a PEM file. Raises OSError, and ValueError where it has none."""
    return x509.load_pem_x509_certificates(path.read_bytes())
