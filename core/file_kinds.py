"""Which files may be sent with a request: told by their content, and not by their name."""

from core.words import Words

PDF, JPEG, PNG, HEIC = "application/pdf", "image/jpeg", "image/png", "image/heic"
CSV, XLS = "text/csv", "application/vnd.ms-excel"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
TEXT, OTHER = "text/plain", "application/octet-stream"
TABLES = frozenset({CSV, XLS, XLSX})
MOST_BYTES = 10 * 1024 * 1024

NOT_THIS_KIND = Words(
    ja="PDF・JPEG・PNG・HEIC のファイルだけ受け取れます。",
    en="Only PDF, JPEG, PNG and HEIC files are taken.",
    zh="只接受 PDF、JPEG、PNG、HEIC 文件。",
)
NO_PROGRAM = Words(
    ja="プログラムのファイルは受け取れません。",
    en="Programs are not taken.",
    zh="不接受程序文件。",
)
TOO_LARGE = Words(
    ja="10 MB を超えるファイルは受け取れません。",
    en="Files over 10 MB are not taken.",
    zh="不接受超过 10 MB 的文件。",
)

_ALSO_CALLED = {
    "image/jpg": JPEG,
    "image/pjpeg": JPEG,
    "image/heif": HEIC,
    "image/heic-sequence": HEIC,
    "application/x-pdf": PDF,
}
_SAYS_NOTHING = frozenset({"", "application/octet-stream", "binary/octet-stream"})
_HEIC_BRANDS = frozenset({b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1"})


def kind_of(content: bytes) -> str | None:
    """The media type by the first bytes; None for a kind that is not taken.

    PDF: ISO 32000-2, 7.5.2; PNG: its signature (W3C PNG, 5.2); JPEG: SOI and a marker (ITU-T T.81,
    B.1.1.3); HEIC: the brand in `ftyp` (ISO/IEC 23008-12, 10.2).
    """
    if content.startswith(b"%PDF-"):
        return PDF
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    if content.startswith(b"\xff\xd8\xff"):
        return JPEG
    if content[4:8] == b"ftyp" and content[8:12] in _HEIC_BRANDS:
        return HEIC
    return None


# What Windows, Linux and macOS run by its first bytes (PE, ELF, Mach-O of either order, a script).
_PROGRAMS = (
    b"MZ", b"\x7fELF", b"\xfe\xed\xfa\xce", b"\xfe\xed\xfa\xcf", b"\xce\xfa\xed\xfe",
    b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe", b"#!",
)  # fmt: skip
_ZIP, _COMPOUND = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def any_kind_of(content: bytes) -> str | None:
    """The same where files of every kind are taken: tables too, and what is only kept is TEXT or
    OTHER. None for a program: nobody is to be handed one as what came with a request.

    XLSX: a ZIP with the part of its workbook (ECMA-376-1, 12.3.23); XLS: a compound file with the
    stream `Workbook` ([MS-XLS], 2.1.2).
    """
    if content.startswith(_PROGRAMS):
        return None
    known = kind_of(content)
    if known is not None:
        return known
    if content.startswith(_ZIP):
        return XLSX if b"xl/workbook.xml" in content else OTHER
    if content.startswith(_COMPOUND):
        return XLS if "Workbook".encode("utf-16-le") in content else OTHER
    text = decoded(content)
    if text is None:
        return OTHER
    first = text.lstrip().partition("\n")[0]
    return CSV if any(mark in first for mark in ",\t;") else TEXT


def decoded(content: bytes) -> str | None:
    """A text file as Excel, a mail program or an editor saves it; None for what is no text."""
    wide = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    for encoding in ("utf-16",) if wide else ("utf-8-sig", "cp932"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        return None if "\0" in text else text
    return None


def why_not(media_type: str, size: int | None, *, any_kind: bool = False) -> Words | None:
    """Why a file can't be taken by what is said of it; None where nothing stands against it yet.

    `any_kind`: files of every kind are taken.
    """
    said = media_type.partition(";")[0].strip().lower()
    taken = any_kind or said in _SAYS_NOTHING
    if not taken and _ALSO_CALLED.get(said, said) not in {PDF, JPEG, PNG, HEIC}:
        return NOT_THIS_KIND
    return TOO_LARGE if size is not None and size > MOST_BYTES else None
