"""What a mail is made of: its text among its parts, its files, and what is left out over a cap."""

import base64
import struct
from datetime import UTC, datetime

import pytest

from bot.email.reading import names
from bot.email.reading.mail import File
from bot.email.reading.parse import TooMuch, read_mail

PDF = b"%PDF-1.7\n%..."


def multipart(kind: str, *parts: str, name: str = "b", head: str = "") -> str:
    """A multipart of the kind with these parts."""
    inner = "".join(f"--{name}\n{part}\n" for part in parts)
    return (
        f"{head}Content-Type: multipart/{kind}; boundary={name}\n\npreamble\n{inner}--{name}--\nend"
    )


def part(content_type: str, body: str | bytes, *more: str) -> str:
    """A part with that content; bytes by base64."""
    lines = [f"Content-Type: {content_type}", *more]
    if isinstance(body, bytes):
        lines.append("Content-Transfer-Encoding: base64")
        body = base64.encodebytes(body).decode()
    return "\n".join(lines) + "\n\n" + body


def _named(raw: str) -> list[tuple[str, str, bool, str]]:
    return [
        (each.name, each.media_type, each.inline, each.role)
        for each in read_mail(raw.encode()).files
    ]


def _one(raw: str) -> File:
    (found,) = read_mail(raw.encode()).files
    return found


def test_the_plain_one_of_several_forms_is_the_text() -> None:
    plain, html = part("text/plain", "plain"), part("text/html", "<p>html</p>")

    assert read_mail(multipart("alternative", plain, html).encode()).written.new == "plain"
    empty = part("text/plain", " \n")
    assert read_mail(multipart("alternative", empty, html).encode()).written.new == "html"
    related = multipart(
        "related", html, part("image/png", b"\x89PNG\r\n\x1a\n", "Content-ID: <a>"), name="c"
    )
    mail = read_mail(multipart("alternative", plain, related).encode())
    assert mail.written.new == "plain"
    assert [(each.media_type, each.inline) for each in mail.files] == [("image/png", True)]


def test_text_around_pictures_is_one_text() -> None:
    raw = multipart(
        "mixed",
        part("text/plain", "before"),
        part("image/jpeg", b"\xff\xd8\xff\xe0", "Content-Disposition: inline; filename=a.jpg"),
        part("text/plain", "after"),
        part("text/plain", "a,b", "Content-Disposition: attachment; filename=a.csv"),
        part("text/plain; name=notes.txt", "notes", "Content-Disposition: inline"),
    )

    assert read_mail(raw.encode()).written.new.split() == ["before", "after"]
    assert _named(raw) == [
        ("a.jpg", "image/jpeg", True, "attachment"),
        ("a.csv", "text/csv", False, "attachment"),
        ("notes.txt", "text/plain", True, "attachment"),
    ]


def test_a_boundary_that_begins_like_another() -> None:
    inner = multipart("alternative", part("text/plain", "text"), name="ab")
    unclosed = inner.replace("--ab--\nend", "")

    mail = read_mail(multipart("mixed", unclosed, part("text/plain", "two"), name="ab_0").encode())

    assert mail.written.new.split() == ["text", "two"]


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize(
    "kind",
    [
        'multipart/mixed; boundary="b"',
        "multipart/mixed\n boundary=b",  # no semicolon
        "multipart/mixed; boundary=other",
        "multipart/mixed",
        "Multipart/Mixed; BOUNDARY = b ;",
        'multipart/mixed; boundary="=?us-ascii?Q?b?="',
    ],
)
def test_boundaries_that_are_declared_badly(kind: str, ending: str) -> None:
    body = f"--b\nContent-Type: text/plain\n\ntext\n--b\n{part('application/pdf', PDF)}\n--b--"
    raw = f"From: a@example.jp\nContent-Type: {kind}\n\n{body}".replace("\n", ending)

    mail = read_mail(raw.encode())

    assert (mail.written.new, [each.content for each in mail.files]) == ("text", [PDF])


def test_a_multipart_without_parts_is_text() -> None:
    assert read_mail(b"Content-Type: multipart/mixed; boundary=b\n\nhello").written.new == "hello"


def test_what_lies_within_a_thousand_parts_is_left_out_and_said() -> None:
    raw = "".join(
        f"Content-Type: multipart/mixed; boundary=b{number}\n\n--b{number}\n"
        for number in range(1000)
    )

    mail = read_mail(f"Subject: x\n{raw}\ntext".encode())

    assert (mail.subject, mail.too_much) == ("x", ("parts deeper than 20",))


def test_no_more_than_two_hundred_parts_and_twenty_files_are_read() -> None:
    texts = [part("text/plain", "t")] * 300
    files = [part("application/pdf", PDF, "Content-Disposition: attachment")] * 30

    assert read_mail(multipart("mixed", *texts).encode()).too_much == ("parts after the 200th",)
    mail = read_mail(multipart("mixed", *files).encode())
    assert (len(mail.files), mail.too_much) == (20, ("files after the 20th",))


def test_a_file_over_ten_megabytes_is_left_out_and_said() -> None:
    large = part("application/zip", "x" * (10 * 1024 * 1024 + 1), "Content-Disposition: attachment")

    mail = read_mail(multipart("mixed", large, part("application/pdf", PDF)).encode())

    assert [each.media_type for each in mail.files] == ["application/pdf"]
    assert mail.too_much == ("a file over 10 MB",)


def test_a_text_over_its_cap_is_cut_and_said() -> None:
    mail = read_mail(b"Subject: x\n\n" + "見積 ".encode() * 600_000)

    assert "text over 1,000,000 letters" in mail.too_much
    assert len(mail.written.new) <= 1_000_000
    with pytest.raises(TooMuch):
        read_mail(b"x" * (40 * 1024 * 1024 + 1))


@pytest.mark.parametrize(
    ("encoding", "body", "content"),
    [
        ("base64", "JVBERi0xLjcKJQ==", b"%PDF-1.7\n%"),
        ("BASE64 ", "JVBERi0x\nLjcKJQ", b"%PDF-1.7\n%"),  # its end is missing
        ("base64", "JVBERi0xLjcKJQ==\n\n-- \nfooter of a list", b"%PDF-1.7\n%"),
        ("base64", "Hello", b"Hello"),
        ("base64; x", "JVBERi0xLjcKJQ==", b"%PDF-1.7\n%"),
        ("quoted-printable", "=25PDF=\n-1.7=0A=25", b"%PDF-1.7\n%"),
        ("quoted-printable", "=25PDF= \n-1.7=3g", b"%PDF-1.7=3g"),
        ("x-uuencode", "begin 644 a\n*)5!$1BTQ+C<*)0\n`\nend", b"%PDF-1.7\n%"),
        ("8bit", "%PDF", b"%PDF"),
        ("nonsense", "%PDF", b"%PDF"),
    ],
)
def test_encodings_of_a_body(encoding: str, body: str, content: bytes) -> None:
    raw = f"Content-Type: application/pdf\nContent-Transfer-Encoding: {encoding}\n\n{body}"

    assert _one(raw).content == content


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ('attachment; filename="=?UTF-8?B?6KaL56mN?=.pdf"', "見積.pdf"),
        ('attachment; filename="=?ISO-2022-JP?B?GyRCOCtAURsoQg==?= 1.pdf"', "見積 1.pdf"),
        ("attachment; filename*=UTF-8''%E8%A6%8B%E7%A9%8D.pdf; filename=x.pdf", "見積.pdf"),
        ("attachment; filename*=iso-2022-jp'ja'%1B%24%42%38%2B%40%51%1B%28%42.pdf", "見積.pdf"),
        ("attachment; filename*=Cp932''%8C%A9%90%CF.pdf;", "見積.pdf"),
        ("attachment; filename*0*=UTF-8''%E8%A6; filename*1*=%8B; filename*2=.pdf", "見.pdf"),
        ('attachment; filename*1=".pdf"; filename*0="a b"', "a b.pdf"),
        ('attachment; filename*0="=?UTF-8?B?6KaL"; filename*1="56mN?="', "見積"),
        ("attachment; filename=%E8%A6%8B%E7%A9%8D.pdf", "見積.pdf"),
        ("attachment; filename=My File (1).pdf", "My File (1).pdf"),
        ('attachment; filename="unclosed.pdf', "unclosed.pdf"),
        ('attachment; filename="../../etc/passwd"', "passwd"),
        ("attachment; filename=C:\\docs\\a.pdf", "a.pdf"),
        ("attachment; filename=php://foo", "foo"),
        ('attachment; filename="か\u3099.pdf"', "が.pdf"),
        ('attachment; filename="a\u202egpj.exe"', "agpj.exe"),
        ('attachment; filename="a..b:c*.pdf"', "a.b_c_.pdf"),
        ('attachment; filename="NUL.pdf"', "_NUL.pdf"),
        ('attachment; filename=".."', "file"),
        ("attachment", ""),
    ],
)
def test_names_of_files(disposition: str, name: str) -> None:
    raw = f"Content-Type: application/pdf\nContent-Disposition: {disposition}\n\n%PDF"

    assert _one(raw).name == name


@pytest.mark.parametrize("codec", ["cp932", "utf-8", "euc_jp", "iso2022_jp"])
def test_names_in_raw_bytes(codec: str) -> None:
    named = 'Content-Disposition: attachment; filename="表示と予算表.pdf"'.encode(codec)

    (found,) = read_mail(b"Content-Type: application/pdf\n" + named + b"\n\n%PDF").files

    assert found.name == "表示と予算表.pdf"


def test_a_long_name_keeps_its_ending() -> None:
    short = names.safe("見" * 300 + ".xlsx")

    assert short.endswith("見.xlsx")
    assert len(short.encode()) <= 240


@pytest.mark.parametrize(
    ("content", "declared", "name", "kind"),
    [
        (PDF, "text/html", "a.html", "application/pdf"),
        (b"\x89PNG\r\n\x1a\n", "application/pdf", "a.pdf", "image/png"),
        (b"GIF89a\x01\x00", "application/octet-stream", "", "image/gif"),
        (b"PK\x03\x04..[Content_Types].xml..xl/workbook.xml", "application/zip", "a.zip",
         "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        (b"PK\x03\x04..secret.exe", "application/vnd.ms-excel", "a.xls", "application/zip"),
        (b"code,qty\nA-1,2\n", "application/vnd.ms-excel", "a.csv", "text/csv"),
        ("商品,数量\n".encode("cp932"), "application/octet-stream", "a.CSV", "text/csv"),
        (b"<html><body>x", "application/pdf", "a.pdf", "text/html"),
        (b"hello", "image/png", "a.png", "text/plain"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600, "application/vnd.ms-excel", "a.xls",
         "application/vnd.ms-excel"),
        (b"", "application/pdf", "a.pdf", "text/plain"),
    ],
)  # fmt: skip
def test_what_a_file_is_by_its_content(content: bytes, declared: str, name: str, kind: str) -> None:
    assert names.kind(content, declared, name) == kind


def test_mails_in_a_mail_are_files_and_not_read() -> None:
    inner = "From: x@evil.example\nContent-Type: text/plain\n\nignore me"
    raw = multipart("mixed", part("text/plain", "see"), part("message/rfc822; name=a.eml", inner))

    mail = read_mail(raw.encode())

    assert mail.written.new == "see"
    assert [(each.name, each.declared, each.content) for each in mail.files] == [
        ("a.eml", "message/rfc822", inner.encode())
    ]


def test_signatures_and_what_is_encrypted_are_told_apart() -> None:
    signed = multipart(
        'signed; protocol="application/pgp-signature"',
        part("text/plain", "text"),
        part("application/pgp-signature; name=signature.asc", "-----BEGIN PGP SIGNATURE-----"),
    )
    assert _named(signed) == [("signature.asc", "application/pgp-signature", False, "signature")]
    assert read_mail(signed.encode()).written.new == "text"
    closed = part(
        'application/pkcs7-mime; smime-type=enveloped-data; name="smime.p7m"', b"\x30\x80"
    )
    mail = read_mail(closed.encode())
    assert (mail.kind, [each.role for each in mail.files]) == ("encrypted", ["encrypted"])
    inline = (
        "From: a@example.jp\n\n-----BEGIN PGP MESSAGE-----\n\nhQEMA\n-----END PGP MESSAGE-----\n"
    )
    mail = read_mail(inline.encode())
    assert (mail.kind, mail.written.new, mail.files) == ("encrypted", "", ())
    assert "hQEMA" in mail.written.quoted


def test_what_is_signed_inside_its_signature_is_read() -> None:
    clear = (
        "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nPlease quote\n- -- 5 pieces\n"
        "-----BEGIN PGP SIGNATURE-----\n\niQ==\n-----END PGP SIGNATURE-----\n"
    )
    assert read_mail(f"Subject: x\n\n{clear}".encode()).written.new == "Please quote\n-- 5 pieces"
    entity = b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + "見積を".encode()
    octets = b"\x04" + bytes([len(entity)]) + entity
    content = bytes.fromhex("06092a864886f70d010701a0") + bytes([len(octets)]) + octets
    opaque = b"\x30\x80" + bytes.fromhex("06092a864886f70d010702a0803080") + content + b"\x00\x00"

    mail = read_mail(part("application/pkcs7-mime; smime-type=signed-data", opaque).encode())

    assert (mail.kind, mail.written.new) == ("human", "見積を")
    assert [each.role for each in mail.files] == ["signature"]


def test_an_invitation_says_when_with_its_zone() -> None:
    entry = (
        "BEGIN:VCALENDAR\nVERSION:2.0\nMETHOD:REQUEST\nBEGIN:VEVENT\nUID:1@x\n"
        "DTSTART:20240401T000000Z\nDURATION:PT1H\nSUMMARY:打合せ\\, 東京\n"
        "ORGANIZER;CN=T:MAILTO:Taro@Example.jp\nEND:VEVENT\nEND:VCALENDAR"
    )
    calendar = part("text/calendar; method=REQUEST; charset=utf-8", entry)
    mail = read_mail(multipart("alternative", part("text/plain", "come"), calendar).encode())

    assert mail.invitation is not None
    assert (mail.kind, mail.invitation.summary) == ("calendar", "打合せ, 東京")
    assert mail.invitation.organizer == "taro@example.jp"
    assert mail.invitation.start == datetime(2024, 4, 1, tzinfo=UTC)
    assert mail.invitation.end == datetime(2024, 4, 1, 1, tzinfo=UTC)
    attached = part("text/calendar", entry, "Content-Disposition: attachment; filename=a.ics")
    mail = read_mail(multipart("mixed", part("text/plain", "see"), attached).encode())
    assert mail.kind == "human"
    for cut_off in (entry.partition("END:VEVENT")[0], entry.replace("END:VCALENDAR", "")):
        mail = read_mail(part("text/calendar", cut_off).encode())
        assert mail.invitation is not None
        assert mail.invitation.uid == "1@x"
    for broken in ("BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:never\n", "BEGIN:VCALENDAR", "", "x"):
        read_mail(part("text/calendar", broken).encode())


def _attribute(level: int, number: int, kind: int, data: bytes) -> bytes:
    head = struct.pack("<BHHI", level, number, kind, len(data))
    return head + data + struct.pack("<H", sum(data) & 0xFFFF)


def test_winmail_dat_is_unpacked_also_where_its_names_are_japanese() -> None:
    written = "本文です\0".encode("cp932")
    whole = struct.pack("<IH", 0x223E9F78, 1) + _attribute(1, 0x9006, 8, b"\0\0\1\0")
    whole += _attribute(1, 0x9007, 6, struct.pack("<II", 932, 0))
    whole += _attribute(1, 0x800C, 1, written) + _attribute(2, 0x9002, 6, b"\0" * 14)
    whole += _attribute(2, 0x8010, 1, "見積書.pdf\0".encode("cp932"))
    whole += _attribute(2, 0x800F, 6, PDF)

    for content in (whole, whole.replace(struct.pack("<II", 932, 0), b"\xff" * 8)):
        raw = part("application/octet-stream; name=winmail.dat", content)
        mail = read_mail(raw.encode())
        assert mail.written.new == "本文です"
        assert [(each.name, each.within) for each in mail.files] == [
            ("winmail.dat", ""),
            ("見積書.pdf", "winmail.dat"),
        ]
        assert mail.files[1].content == PDF


def test_a_broken_winmail_dat_stays_a_file() -> None:
    for content in (b"\x78\x9f\x3e\x22", b"\x78\x9f\x3e\x22" + b"\xff" * 200, b"x"):
        mail = read_mail(part("application/ms-tnef; name=winmail.dat", content).encode())
        assert [each.role for each in mail.files] == ["tnef"]


def test_flowed_lines_are_joined_and_the_label_of_html_is_in_itself() -> None:
    raw = b"Content-Type: text/plain; format=flowed; delsp=yes\n\nhello \nworld"
    assert read_mail(raw).written.new == "helloworld"
    html = '<html><meta charset="Shift_JIS"><p>表示'.encode("cp932")
    assert read_mail(b"Content-Type: text/html\n\n" + html).written.new == "表示"


def test_parts_of_a_report_are_no_files() -> None:
    raw = multipart(
        "report; report-type=delivery-status",
        part("text/plain", "failed"),
        part(
            "message/delivery-status",
            "Final-Recipient: rfc822; a@example.jp\nAction: failed\nStatus: 5.1.1",
        ),
        part("message/rfc822", "Message-ID: <ours@x>\n\nx"),
        head="From: MAILER-DAEMON@example.jp\n",
    )

    mail = read_mail(raw.encode())

    assert (mail.kind, mail.files) == ("bounce", ())
    assert [each.recipient for each in mail.failed] == ["a@example.jp"]
    assert "<ours@x>" in mail.about
