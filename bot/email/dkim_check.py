"""Signatures of senders' domains (RFC 6376), checked by ourselves where no provider has done it."""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from bot.email.reading.authentication import ascii_domain

Resolve = Callable[[str], Awaitable[bytes | None]]
"""A name to its TXT record; None where it has none. Raises OSError where nobody answers."""

_ANSWER = 5.0  # seconds for a key
_MOST = 3  # signatures by the sender's domain that are tried
_HEADERS = 262_144  # bytes; more are taken apart in quadratic time by the library
_BLANKS = 2_000  # in a row; likewise
_SIGNATURE = 4_096  # bytes of a signature's header
_ALGORITHM = b"rsa-sha256"  # SHA-1 proves nothing (RFC 8301); Ed25519 always comes beside this one
_DOMAIN = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Checked:
    """Whether a signature of the sender's domain is good; `why` is for the log, in English."""

    good: bool
    why: str


@dataclass(frozen=True, slots=True)
class _Signature:
    number: int  # among all of the mail
    key: str  # the name of its record


async def txt_of(name: str) -> bytes | None:
    """The TXT record of a name in the DNS."""
    from dns.asyncresolver import resolve
    from dns.exception import DNSException
    from dns.resolver import NXDOMAIN, NoAnswer

    try:
        found = await resolve(name, "TXT", lifetime=_ANSWER)
    except (NXDOMAIN, NoAnswer):
        return None
    except DNSException as error:
        raise OSError(str(error)) from error
    records = [b"".join(record.strings) for record in found]
    return records[0] if len(records) == 1 else None  # RFC 6376, 3.6.2.2: several are as none


async def check(raw: bytes, from_domain: str, resolve: Resolve = txt_of) -> Checked:
    """Whether a mail is signed by the very domain that it says it is from.

    The signature has to cover all of the text, From and Subject. One by a domain above proves less
    than it seems: a provider may sign so for all of its customers (RFC 7489, 3.1.1, has a list of
    public suffixes against that).
    """
    signatures = await asyncio.to_thread(_signatures, raw, ascii_domain(from_domain))
    if isinstance(signatures, str):
        return Checked(False, signatures)
    why = "no signature of the sender's domain"
    for signature in signatures[:_MOST]:
        try:
            record = await resolve(signature.key)
        except (OSError, UnicodeError):
            why = f"no answer for the key {signature.key}"
            continue
        if record is None or _is_test(record):
            why = f"no key {signature.key}"
        elif await asyncio.to_thread(_verified, raw, signature, record):
            return Checked(True, f"signed by {signature.key}")
        else:
            why = f"a signature that is wrong by {signature.key}"
    return Checked(False, why[:200])


def _too_much(raw: bytes) -> str:
    """Why a mail is not checked: the library would take too long over it."""
    head = re.split(rb"\r?\n\r?\n", raw[: _HEADERS + 4], maxsplit=1)[0]
    if len(head) > _HEADERS:
        return "the headers are too long for a signature to be checked"
    if b" " * _BLANKS in raw.replace(b"\t", b" "):
        return "too many blanks in a row for a signature to be checked"
    return ""


def _signatures(raw: bytes, domain: str) -> Sequence[_Signature] | str:
    """The signatures that speak for the sender's domain, or why there can be none."""
    import dkim  # type: ignore[import-untyped]
    from dkim.util import InvalidTagValueList, parse_tag_value  # type: ignore[import-untyped]

    if why := _too_much(raw):
        return why
    try:
        headers = dkim.DKIM(raw).headers
    except (dkim.DKIMException, IndexError):
        return "the headers can't be read"
    names = [name.lower() for name, _ in headers]
    if names.count(b"from") != 1 or names.count(b"subject") > 1:
        return "there is not one From and one Subject"
    needed = {b"from", b"subject"} & set(names)
    found, number = [], -1
    for name, value in headers:
        if name.lower() != b"dkim-signature":
            continue
        number += 1
        if len(value) > _SIGNATURE:
            continue
        try:
            tags = parse_tag_value(value)
            signer, selector = (tags[tag].decode("ascii") for tag in (b"d", b"s"))
        except (InvalidTagValueList, KeyError, UnicodeDecodeError):
            continue
        covers = frozenset(re.split(rb"\s*:\s*", tags.get(b"h", b"").strip().lower()))
        whole = b"l" not in tags and needed <= covers and tags.get(b"a") == _ALGORITHM
        if whole and _DOMAIN.fullmatch(signer) and ascii_domain(signer) == domain:
            found.append(_Signature(number, f"{selector}._domainkey.{signer}"))
    return found


def _verified(raw: bytes, signature: _Signature, record: bytes) -> bool:
    import dkim

    # What it finds wrong it logs for whoever runs it by hand.
    quiet = logging.getLogger("dkim.quiet")
    quiet.addHandler(logging.NullHandler())
    quiet.propagate = False
    checked = dkim.DKIM(raw, logger=quiet, minkey=1024)
    try:
        return bool(checked.verify(signature.number, dnsfunc=lambda name, timeout=5: record))
    except Exception:  # of the sender's making, and of many kinds that have nothing in common
        return False


def _is_test(record: bytes) -> bool:
    """RFC 6376, 3.6.1: a domain that only tries it out is to be taken as one that does not sign."""
    flags = re.search(rb"(?:^|;)\s*t\s*=\s*([a-z:\s]*)", record, re.IGNORECASE)
    return flags is not None and b"y" in re.split(rb"[\s:]+", flags[1].lower())
