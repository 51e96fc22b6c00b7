"""Any bytes are read: never an exception, and no text with what must not be in one."""

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from datetime import datetime
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.email.reading import charsets, names
from bot.email.reading.mail import Mail
from bot.email.reading.parse import read_mail

# Line ends are in texts; everything else of these is in none.
FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")

LABELS = st.sampled_from(
    [
        "utf-8",
        "iso-2022-jp",
        "cp932",
        "euc-jp",
        "us-ascii",
        "utf-7",
        "iso-8859-1",
        "gb2312",
        "big5",
        "utf-16",
        "iso-2022-kr",
        "hz",
        "koi8-r",
        "idna",
        "unicode_escape",
        "x",
        "",
        "cp50221",
    ]
)
SCRAPS = st.sampled_from(
    [
        b"\x1b$B%F%9",
        b"\x1b(B",
        b"\x1b(I1",
        b"\x0e1\x0f",
        "見積".encode(),
        "見積".encode("cp932"),
        "です".encode("euc_jp"),
        b"\xed\xa0\x80",
        b"\x00",
        b"\r",
        b"\r\n",
        b"\n\n",
        b"\xff\xfe",
        b"=?",
        b"=?utf-8?B?6KaL?=",
        b"=?iso-2022-jp?Q?=1B$B?=",
        b"?=",
        b"+ZQ-",
        b"On Mon, x wrote:\n> ",
        b"-- \n",
        "さんは書きました:\n>".encode(),
        b"<a@b.jp>",
        b'"',
        b"(",
        b";",
        b"\x80",
        b"\xe2\x80\xae",
    ]
)
WILD = st.lists(st.one_of(SCRAPS, st.binary(max_size=8)), max_size=12).map(b"".join)
TYPES = st.sampled_from(
    [
        b"text/plain",
        b"text/html",
        b"multipart/mixed; boundary=b",
        b"multipart/report; boundary=b",
        b'multipart/alternative; boundary="b"',
        b"multipart/encrypted; boundary=b",
        b"message/rfc822",
        b"multipart/digest; boundary=b",
        b"application/pkcs7-mime",
        b"application/ms-tnef",
        b"text/calendar",
        b"message/delivery-status",
        b"application/octet-stream",
        b"image/png",
    ]
)
NAMES = st.sampled_from(
    [
        b"From",
        b"To",
        b"Subject",
        b"Date",
        b"Message-ID",
        b"References",
        b"Content-Transfer-Encoding",
        b"Content-Disposition",
        b"Auto-Submitted",
        b"Delivered-To",
        b"X-Failed-Recipients",
    ]
)


@st.composite
def mails(draw: st.DrawFn) -> bytes:
    """Something like a mail, with anything in it."""
    raw = bytearray()
    for _ in range(draw(st.integers(1, 4))):
        for name in draw(st.lists(NAMES, max_size=4)):
            raw += name + b": " + draw(WILD) + b"\n"
        label = draw(LABELS).encode()
        raw += b"Content-Type: " + draw(TYPES) + b"; charset=" + label
        raw += b"; name=" + draw(WILD) + b"\n"
        raw += draw(
            st.sampled_from(
                [
                    b"",
                    b"Content-Transfer-Encoding: base64\n",
                    b"Content-Transfer-Encoding: quoted-printable\n",
                ]
            )
        )
        raw += b"\n" + draw(WILD) + b"\n--b" + draw(st.sampled_from([b"\n", b"--\n", b""]))
    return bytes(raw)


def _texts(value: object) -> Iterator[str]:
    """All that is text in a mail; `headers` are raw on purpose."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, datetime | bytes | bool) or value is None:
        return
    elif is_dataclass(value):
        for each in fields(value):
            if each.name != "headers":
                yield from _texts(getattr(value, each.name))
    elif isinstance(value, tuple | list):
        for item in value:
            yield from _texts(item)


def _check(mail: Mail) -> None:
    for text in _texts(mail):
        assert FORBIDDEN.search(text) is None, text
        text.encode()
    for each in mail.files:
        assert not set(each.name) & set('/\\:*?"<>|\n')


@settings(max_examples=120, deadline=None)
@given(st.one_of(mails(), st.binary(max_size=300)))
def test_any_bytes_are_a_mail(raw: bytes) -> None:
    _check(read_mail(raw))


@settings(max_examples=150, deadline=None)
@given(WILD, LABELS)
def test_any_bytes_are_text_in_any_charset(data: bytes, label: str) -> None:
    text = charsets.decode(data, label)

    assert FORBIDDEN.search(text) is None
    text.encode()


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet=st.sampled_from("あ亜ｱ①㈱～A 1、。"), min_size=1, max_size=40))
def test_japanese_comes_back_from_every_encoding_it_is_written_in(text: str) -> None:
    assert charsets.decode(text.encode("cp932"), "cp932") == text
    assert charsets.decode(text.encode(), "utf-8") == text


@settings(max_examples=80, deadline=None)
@given(st.text(max_size=60))
def test_any_name_is_made_safe_once_and_for_all(name: str) -> None:
    safe = names.safe(name)

    assert names.safe(safe) == safe
    assert ".." not in safe
    assert len(safe.encode()) <= 240


@pytest.mark.parametrize(
    "evil",
    [
        b"Content-Type: text/plain; charset=iso-2022-jp\n\n|$B",
        b"\n\n|-----BEGIN PGP SIGNED MESSAGE-----\n\n",
        b"\n\n-----BEGIN PGP SIGNED MESSAGE-----\n\n|\n-----BEGIN PGP SIGNATURE-----",
        b"Content-Type: multipart/mixed; boundary=b\n\n|--bx\n",
        b"Subject: |=?utf-8?Q?a",
        b'From: |"\\',
        b"Content-Type: text/plain|;a*0*=",
    ],
    ids=str,
)
def test_a_mail_four_times_as_long_takes_no_sixteen_times(evil: bytes) -> None:
    head, again = evil.rsplit(b"|", 1)
    took = [_seconds(head + again * count) for count in (1000, 4000)]

    assert took[1] < 10 * took[0] + 0.05


def _seconds(raw: bytes) -> float:
    """The least of several: whatever else runs takes its time too."""
    times = []
    for _ in range(3):
        began = process_time()
        read_mail(raw)
        times.append(process_time() - began)
    return min(times)
