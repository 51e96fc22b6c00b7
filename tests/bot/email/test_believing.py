"""A sender is believed by the provider's word or the domain's signature, and nothing else."""

import base64
from collections.abc import Callable
from dataclasses import replace
from email.parser import BytesParser
from email.policy import compat32
from functools import cache

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from bot.email.believing import Verified, verify
from bot.email.boxes import Box, Server, Trust
from bot.email.dkim_check import Resolve, check
from bot.email.reading.mail import Mail, Mailbox, Written
from core.ids import new_id

MAIL = (
    b"From: Hanako <hanako@abc.example>\r\nTo: quote@miyabi.example\r\n"
    b"Subject: =?utf-8?B?6KaL56mN?=\r\nDate: Mon, 10 Jun 2024 09:00:00 +0900\r\n"
    b"Message-ID: <1@abc.example>\r\n\r\nFive monitors, please.\r\n"
)
GOOGLE = Trust(("mx.google.com",))


@cache
def _key() -> tuple[bytes, bytes]:
    """A private key in PEM, and its record in the DNS."""
    key = rsa.generate_private_key(65537, 2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return pem, b"v=DKIM1; k=rsa; p=" + base64.b64encode(public)


def _signed(raw: bytes = MAIL, domain: bytes = b"abc.example", **how: object) -> bytes:
    given: dict[str, object] = {"canonicalize": (b"relaxed", b"relaxed"), **how}
    return bytes(dkim.DKIM(raw).sign(b"s1", domain, _key()[0], **given)) + raw


def _dns(asked: list[str], record: bytes | OSError | None = b"") -> Resolve:
    async def resolve(name: str) -> bytes | None:
        asked.append(name)
        if isinstance(record, OSError):
            raise record
        return _key()[1] if record == b"" else record

    return resolve


def _box(trust: Trust = Trust()) -> Box:  # noqa: B008  # frozen
    return Box(new_id(), new_id(), "default", "quote@miyabi.example", trust=trust)


def _mail(raw: bytes) -> Mail:
    message = BytesParser(policy=compat32).parsebytes(raw)
    headers = [(name.lower(), str(value)) for name, value in message.items()]
    senders = [Mailbox("hanako@abc.example")] * sum(name == "from" for name, _ in headers)
    return Mail(headers, None, senders, (), (), (), (), None, None, (), Written(""))


async def _verified(raw: bytes, trust: Trust = Trust(), asked: list[str] | None = None) -> Verified:  # noqa: B008
    resolve = _dns(asked if asked is not None else [])
    return await verify(_box(trust), _mail(raw), raw, resolve)


def _results(text: str, raw: bytes = MAIL) -> bytes:
    return f"Authentication-Results: mx.google.com; {text}\r\n".encode() + raw


async def test_the_providers_word_counts_before_our_own_check() -> None:
    asked: list[str] = []
    passed = _results("dmarc=pass header.from=abc.example")
    failed = _results("dmarc=fail header.from=abc.example", _signed())
    silent = _results("spf=softfail; dmarc=temperror header.from=abc.example", _signed())

    assert (await _verified(passed, GOOGLE, asked)).by == "dmarc"
    assert (await _verified(failed, GOOGLE, asked)).refused == "forged"
    assert (await _verified(silent, GOOGLE, asked)).by is None
    assert asked == [], "it was not asked for a key"
    assert (await _verified(passed)).by is None, "a provider that is not trusted says nothing"


async def test_the_providers_name_on_what_did_not_come_from_it_says_nothing() -> None:
    """A mailbox that is read from Google, and a port on which anybody near can hand mail in."""
    raw = _results("dmarc=pass header.from=abc.example")
    read = replace(_box(GOOGLE), imap=Server("imap.gmail.com", 993))
    own = _box(GOOGLE)

    async def by(box: Box, way: str, raw: bytes = raw) -> str | None:
        return (await verify(box, _mail(raw), raw, _dns([]), came_by=way)).by

    assert [await by(read, way) for way in ("imap", "file")] == ["dmarc", "dmarc"]
    assert [await by(read, way) for way in ("smtp", "lmtp", "http")] == [None, None, None]
    assert await by(read, "smtp", _signed()) == "dkim"
    assert await by(own, "lmtp") == "dmarc"


async def test_without_a_trusted_word_the_domains_signature_is_checked() -> None:
    asked: list[str] = []

    assert await _verified(_signed(), GOOGLE, asked) == Verified(
        "dkim", None, "signed by s1._domainkey.abc.example"
    )
    assert asked == ["s1._domainkey.abc.example"]
    assert (await _verified(_signed().replace(b"\r\n", b"\n"))).by == "dkim"
    assert (await _verified(_signed(), Trust(dkim=False))).by is None
    assert (await _verified(MAIL)).by is None


@pytest.mark.parametrize("people", [b"", b"From: ceo@abc.example\r\n"])
async def test_a_mail_from_nobody_or_several_is_forged(people: bytes) -> None:
    raw = MAIL if people else MAIL.replace(b"From: Hanako <hanako@abc.example>\r\n", b"")

    assert (await _verified(people + raw)).refused == "forged"
    assert (await _verified(_results("dmarc=pass header.from=abc.example", people + raw),
                            GOOGLE)).refused == "forged"  # fmt: skip


async def test_a_provider_that_signs_for_its_customers_does_not_speak_for_one() -> None:
    assert not (await check(_signed(), "hanako.abc.example", _dns([]))).good


@pytest.mark.parametrize(
    "raw",
    [
        lambda: _signed().replace(b"Five", b"Nine"),
        lambda: _signed().replace(b"6KaL56mN", b"6KaL56mO"),
        lambda: _signed() + b"And ten chairs.\r\n",
        lambda: _signed(length=True),
        lambda: _signed(domain=b"evil.example"),
        lambda: _signed(domain=b"example"),
        lambda: _signed(domain=b"mail.abc.example"),
        lambda: _signed(signature_algorithm=b"rsa-sha1"),
        lambda: _signed(include_headers=[b"from", b"date"]),
        lambda: b"Subject: Another\r\n" + _signed(),
        lambda: _signed() + b" " * 3000 + b"\r\n",
        lambda: b"X-Long: " + b"a\r\n " * 200_000 + b"\r\n" + _signed(),
    ],
    ids=[
        "text", "subject", "appended", "part", "other domain", "suffix", "below", "sha1",
        "subject unsigned", "second subject", "blanks", "long",
    ],
)  # fmt: skip
async def test_a_signature_that_proves_less_is_none(raw: Callable[[], bytes]) -> None:
    assert not (await check(raw(), "abc.example", _dns([]))).good


async def test_a_key_that_is_not_there_or_only_tried_out_proves_nothing() -> None:
    raw, record = _signed(), _key()[1]

    for answer in (None, b"rubbish", b"v=DKIM1; p=", record + b"; t=y", record + b"; t=s:y"):
        assert not (await check(raw, "abc.example", _dns([], answer))).good
    away = await check(raw, "abc.example", _dns([], OSError("no answer")))
    assert (away.good, "no answer" in away.why) == (False, True)
    assert (await check(raw, "abc.example", _dns([], record + b"; t=s"))).good
    asked: list[str] = []
    await check(b"".join(_signed()[: -len(MAIL)] for _ in range(9)) + MAIL.replace(b"Five", b"Six"),
                "abc.example", _dns(asked))  # fmt: skip
    assert len(asked) == 3


@examples(max_examples=25)
@given(st.binary(max_size=40), st.binary(max_size=40))
async def test_any_bytes_are_checked_without_an_error(junk: bytes, record: bytes) -> None:
    signature = b"DKIM-Signature: v=1; a=rsa-sha256; d=abc.example; s=s; h=from; bh=AA==; b=" + junk

    assert not (await check(signature + b"\r\nFrom: a@abc.example\r\n\r\n", "abc.example",
                            _dns([], record))).good  # fmt: skip
    assert not (await check(junk + record, "abc.example", _dns([]))).good
