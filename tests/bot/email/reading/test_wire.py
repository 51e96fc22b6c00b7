"""What a child hands over is what it read, and only data."""

import pickle
import struct
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.email.reading.mail import Failed, Invitation, Mail
from bot.email.reading.parse import read_mail
from bot.email.reading.wire import pack, unpack

_HEAD = b"From: Taro <taro@example.jp>, b@example.jp\nDate: Mon, 1 Apr 2024 09:00:00 +0930\n"
_MAIL = (
    _HEAD + b"To: quote@miyabi.example\nMessage-ID: <1@example.jp>\nReferences: <0@example.jp>\n"
    b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\nhello\n\n-----Original Message-----\n"
    b"From: c@example.jp\nSubject: x\n\nold\n--b\nContent-Type: application/pdf; name=a.pdf\n\n"
    b"%PDF-1.7\n\x00\xff\n--b\nContent-Type: image/png; name=b.png\n\nx\n--b--\n"
)


def _passed(mail: Mail) -> Mail:
    return unpack(b"".join(pack(mail)))


def _told(mail: Mail) -> list[object]:
    values = (getattr(mail, name) for name in Mail.__slots__)  # type: ignore[attr-defined]
    return [tuple(value) if isinstance(value, list) else value for value in values]


def test_all_of_a_mail_arrives() -> None:
    mail = read_mail(_MAIL)
    assert len(mail.files) == 2
    assert _told(_passed(mail)) == _told(mail)


@settings(max_examples=30)
@given(st.binary(max_size=200))
def test_any_mail_arrives(body: bytes) -> None:
    mail = read_mail(_HEAD + b"Subject: " + body)
    assert _told(_passed(mail)) == _told(mail)


def test_reports_and_invitations_arrive() -> None:
    mail = read_mail(_MAIL)
    start = datetime(2024, 4, 1, 9, tzinfo=timezone(timedelta(hours=9, minutes=30)))
    mail = replace(
        mail,
        invitation=Invitation("REQUEST", "会議", start, None, "a@example.jp", "1"),
        failed=(Failed("a@example.jp", True, "5.1.1", "宛先不明"),),
        date=datetime(2024, 4, 1, tzinfo=UTC),
    )
    assert _told(_passed(mail)) == _told(mail)


@pytest.mark.parametrize("cut", [1, 8, -1])
def test_what_is_cut_off_is_refused(cut: int) -> None:
    with pytest.raises((ValueError, struct.error)):
        unpack(b"".join(pack(read_mail(_MAIL)))[:cut])


def test_a_pickle_is_refused() -> None:
    with pytest.raises(ValueError, match=r"decode|Expecting"):
        unpack(pickle.dumps(read_mail(_MAIL)))
