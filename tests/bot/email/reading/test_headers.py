"""The head of a mail: words, addresses, ids and dates, as all kinds of senders write them."""

import base64

import pytest

from bot.email.reading.mail import Mailbox
from bot.email.reading.parse import read_mail


def _mail(head: str | bytes, body: str = "text") -> bytes:
    raw = head if isinstance(head, bytes) else head.encode()
    return raw + b"\n\n" + body.encode()


def _word(label: str, data: bytes) -> str:
    return f"=?{label}?B?{base64.b64encode(data).decode()}?="


def _subject(raw: str | bytes) -> str | None:
    data = raw if isinstance(raw, bytes) else raw.encode()
    return read_mail(b"Subject: " + data + b"\n\n").subject


def test_encoded_words_that_were_cut_inside_a_character() -> None:
    data = "見積依頼の件".encode()
    hexed = "".join(f"={byte:02X}" for byte in data[7:])

    assert _subject(f"{_word('UTF-8', data[:7])}\n {_word('utf-8', data[7:])}") == "見積依頼の件"
    assert _subject(f"{_word('UTF-8', data[:7])} =?utf-8?Q?{hexed}?=") == "見積依頼の件"
    jis = b"\x1b$B8+@Q\x1b(B"
    assert (
        _subject(f"{_word('iso-2022-jp', jis[:4])}\r\n\t{_word('iso-2022-jp', jis[4:])}") == "見積"
    )


def test_encoded_words_as_they_should_not_be() -> None:
    assert _subject("Re:=?utf-8?B?6KaL56mN?=(=?utf-8?q?a_b?=)") == "Re:見積(a b)"
    assert _subject("=?utf-8?Q?=E8=A6=8B?what?=") == "見?what"
    assert _subject("=?utf-8*ja?B?6KaL56mN?=") == "見積"
    assert _subject("=?utf-8?B?6KaL56m?=") == "見�" or _subject("=?utf-8?B?6KaL56m?=") is not None
    assert _subject(f"=?utf-8?B?{'6KaL56mN'}") == "=?utf-8?B?6KaL56mN"
    assert _subject(_word("x-unknown", "見積のお願い".encode("cp932"))) == "見積のお願い"
    assert _subject(_word("iso-8859-1", "見積のお願い".encode())) == "見積のお願い"


@pytest.mark.parametrize("codec", ["utf-8", "cp932", "euc_jp", "iso2022_jp"])
def test_raw_bytes_in_a_head(codec: str) -> None:
    named = '"表計算課、田中" <tanaka@example.jp>'.encode(codec)

    mail = read_mail(b"From: " + named + b"\nSubject: " + "見積のお願い".encode(codec) + b"\n\n")

    assert mail.subject == "見積のお願い"
    assert mail.senders == (Mailbox("tanaka@example.jp", "表計算課、田中"),)


def test_a_subject_has_no_line_ends_and_no_escapes() -> None:
    assert (
        _subject(_word("utf-8", b"a\r\nBcc: x@example.jp\x1b[0m\x00")) == "a Bcc: x@example.jp[0m"
    )
    assert _subject("a\n\t b   c") == "a b c"
    assert _subject("見積　①") == "見積　①"
    assert read_mail(b"From: a@example.jp\n\n").subject is None
    assert _subject("") == ""


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        ('"Yamada, Taro" <Taro@Example.JP>', [("taro@example.jp", "Yamada, Taro")]),
        ("Yamada, Taro <taro@example.jp>", [("taro@example.jp", "Yamada, Taro")]),
        (
            f"{_word('utf-8', '山田, 太郎'.encode())}<t@example.jp>",
            [("t@example.jp", "山田, 太郎")],
        ),
        (f'"{_word("utf-8", "山田".encode())}" <t@example.jp>', [("t@example.jp", "山田")]),
        ("t@example.jp (Taro (of Osaka), x@y.jp)", [("t@example.jp", "Taro (of Osaka), x@y.jp")]),
        ("a@example.jp, b@example.jp", [("a@example.jp", ""), ("b@example.jp", "")]),
        ("a@example.jp; b@example.jp", [("a@example.jp", ""), ("b@example.jp", "")]),
        ("<a@example.jp> <b@example.jp>", [("a@example.jp", ""), ("b@example.jp", "")]),
        ("Group: a@example.jp, B <b@example.jp>;", [("a@example.jp", ""), ("b@example.jp", "B")]),
        ("undisclosed-recipients:;", []),
        ('"taro."@docomo.ne.jp', [("taro.@docomo.ne.jp", "")]),
        ("ta..ro.@docomo.ne.jp", [("ta..ro.@docomo.ne.jp", "")]),
        ("<@relay.jp:a@example.jp>", [("a@example.jp", "")]),
        ("boss@example.jp <x@evil.example>", [("x@evil.example", "boss@example.jp")]),
        ("a@b@example.jp", []),
        ("a b@example.jp", []),
        ("boss@exam\x00ple.jp", []),
        ("boss@exam\u200eple.jp", []),
        ("=?utf-8?q?boss=40example=2Ejp?=", []),
        ("\u212aen@example.jp", [("\u212aen@example.jp", "")]),
        ("", []),
    ],
)
def test_mailboxes(raw: str, found: list[tuple[str, str]]) -> None:
    mail = read_mail(_mail(f"From: {raw}"))

    assert [(each.address, each.name) for each in mail.senders] == found
    assert (mail.sender is None) == (len(found) != 1)


def test_several_fields_from_are_several_senders() -> None:
    mail = read_mail(_mail("From: a@example.jp\nTo: b@example.jp\nFrom: c@example.jp"))

    assert mail.sender is None


def test_a_name_that_shows_another_address_is_noticed() -> None:
    for name in (
        "boss@example.jp",
        '"Boss (boss@example.jp)"',
        _word("utf-8", "ｂｏｓｓ＠example.jp".encode()),
    ):
        assert read_mail(_mail(f"From: {name} <x@evil.example>")).spoof_warning
    assert not read_mail(_mail('From: "X@evil.example" <x@evil.example>')).spoof_warning


def test_whom_it_was_for_the_surest_first() -> None:
    head = (
        "To: A <quote+x@example.jp>, other@example.jp\nCc: c@example.jp\n"
        "X-Forwarded-To: f@example.jp\nX-Original-To: o@example.jp\nDelivered-To: D@example.jp"
    )

    assert read_mail(_mail(head)).recipients == (
        "d@example.jp", "o@example.jp", "f@example.jp", "quote+x@example.jp", "other@example.jp",
        "c@example.jp",
    )  # fmt: skip


def test_ids_newest_first() -> None:
    mail = read_mail(
        _mail(
            "Message-Id: <n@x>\nIn-Reply-To: <c@x> (Taro's message)\nReferences: <a@x>\n <b@x><c@x>"
        )
    )

    assert (mail.message_id, tuple(mail.references)) == ("<n@x>", ("<c@x>", "<b@x>", "<a@x>"))
    assert read_mail(_mail("Message-ID: 12345@x")).message_id == "<12345@x>"
    assert read_mail(_mail("Message-ID: ")).message_id is None
    many = " ".join(f"<{number}@x>" for number in range(900))
    assert len(read_mail(_mail(f"References: {many}")).references) == 100


def test_dates_that_are_none() -> None:
    assert str(read_mail(_mail("Date: Mon, 1 Apr 2024 09:00:00 +0900 (JST)")).date) == (
        "2024-04-01 09:00:00+09:00"
    )
    for wrong in ("yesterday", "32 Foo 2024", "Mon, 1 Apr 99999 09:00:00 +99999", ""):
        assert read_mail(_mail(f"Date: {wrong}")).date is None


def test_a_head_as_it_should_not_be() -> None:
    mbox = b"From a@example.jp Mon Apr  1\nFrom: a@example.jp\nSubject : x\nno field at all\nmore"
    mail = read_mail(mbox)

    assert (mail.sender, mail.subject) == (Mailbox("a@example.jp"), "x")
    assert mail.written.new == "no field at all\nmore"
    assert read_mail(b"\xef\xbb\xbf\r\nSubject: x\r\n\r\ny").subject == "x"
    assert read_mail(b"Subject: x\rFrom: a@example.jp\r\ry").written.new == "y"
    assert read_mail(b"").senders == ()


def test_a_head_over_its_cap_is_cut_and_said() -> None:
    mail = read_mail(_mail("Subject: x\n" + "X-Long: " + "y" * 70_000 + "\nFrom: a@example.jp"))

    assert (mail.subject, mail.senders) == ("x", ())
    assert mail.written.new == "text"
    assert mail.too_much == ("headers over 64 KB",)
