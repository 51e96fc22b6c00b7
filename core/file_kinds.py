"""Which files may be sent with a request: told by their content, and not by their name."""

from core.words import Words

PDF, JPEG, PNG, HEIC = "application/pdf", "image/jpeg", "image/png", "image/heic"
MOST_BYTES = 10 * 1024 * 1024

NOT_THIS_KIND = Words(
    ja="PDF・JPEG・PNG・HEIC のファイルだけ受け取れます。",
    en="Only PDF, JPEG, PNG and HEIC files are taken.",
    zh="只接受 PDF、JPEG、PNG、HEIC 文件。",
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


def why_not(media_type: str, size: int | None) -> Words | None:
    """Why a file can't be taken by what is said of it; None where nothing stands against it yet."""
    said = media_type.partition(";")[0].strip().lower()
    if said not in _SAYS_NOTHING and _ALSO_CALLED.get(said, said) not in {PDF, JPEG, PNG, HEIC}:
        return NOT_THIS_KIND
    return TOO_LARGE if size is not None and size > MOST_BYTES else None
