"""Bytes into text, as Japanese mail really is: wrong labels, vendors' rows, half-width kana."""

import codecs
import re

from bot.email.reading import jis

GETA = "〓"
"""Stands where a character has no meaning outside its maker's phones (JIS X 0208, 2-14)."""

_JIS = frozenset({
    "iso-2022-jp", "iso-2022-jp-1", "iso-2022-jp-2", "iso-2022-jp-3", "iso-2022-jp-2004",
    "iso-2022-jp-ms", "iso-2022-jp-ext", "csiso2022jp", "csiso2022jp2", "cp50220", "cp50221",
    "cp50222", "windows-50220", "windows-50221", "windows-50222", "x-windows-50220",
    "x-windows-50221", "x-windows-iso2022jp", "jis", "jis7", "jis8", "x-jis",
})  # fmt: skip
_CP932 = frozenset({
    "shift-jis", "shiftjis", "sjis", "x-sjis", "x-shift-jis", "windows-31j", "windows31j",
    "cswindows31j", "cp932", "ms932", "ms-932", "x-ms-cp932", "windows-932", "x-windows-932",
    "mskanji", "ms-kanji", "csshiftjis", "sjis-win", "x-mac-japanese", "932", "shift-jis-2004",
    "sjis-open", "cp943", "ibm-943", "x-sjis-docomo",
})  # fmt: skip
_EUC = frozenset({
    "euc-jp", "eucjp", "x-euc-jp", "x-euc", "euc", "ujis", "cp51932", "windows-51932",
    "x-windows-51932", "eucjp-win", "eucjp-ms", "euc-jp-ms", "eucjpms", "cseucpkdfmtjapanese",
    "x-eucjp",
})  # fmt: skip
_ALSO = {
    "iso-8859-1": "cp1252", "latin1": "cp1252", "latin-1": "cp1252", "l1": "cp1252",
    "iso8859-1": "cp1252", "iso-8859-1-windows-3.1-latin-1": "cp1252", "ansi": "cp1252",
    "iso-8859-9": "cp1254", "iso-8859-11": "cp874", "tis-620": "cp874", "windows-874": "cp874",
    "iso-8859-8-i": "iso8859-8", "iso-8859-8-e": "iso8859-8", "iso-8859-6-i": "iso8859-6",
    "gb2312": "gb18030", "gbk": "gb18030", "x-gbk": "gb18030", "cp936": "gb18030",
    "windows-936": "gb18030", "ms936": "gb18030", "gb-2312-80": "gb18030",
    "gb2312-80": "gb18030", "csgb2312": "gb18030", "euc-cn": "gb18030", "x-euc-cn": "gb18030",
    "hz-gb-2312": "hz",
    "big5": "cp950", "big-5": "cp950", "x-big5": "cp950", "cn-big5": "cp950", "csbig5": "cp950",
    "x-x-big5": "cp950", "windows-950": "cp950",
    "ks-c-5601-1987": "cp949", "ks-c-5601": "cp949", "ksc5601": "cp949", "ksc-5601": "cp949",
    "euc-kr": "cp949", "windows-949": "cp949", "ms949": "cp949", "x-windows-949": "cp949",
    "koi8-ru": "koi8-u", "x-mac-roman": "mac-roman", "macintosh": "mac-roman",
    "x-mac-cyrillic": "mac-cyrillic", "unicode-1-1-utf-8": "utf-8", "utf8mb4": "utf-8",
    "x-utf-8": "utf-8", "utf": "utf-8", "unicode-1-1-utf-7": "utf-7",
    "x-unicode-2-0-utf-7": "utf-7",
    "unicode": "utf-16", "ucs-2": "utf-16",
}  # fmt: skip
"""As browsers read them (WHATWG Encoding, 4.2): the label of the smaller set is used for the larger
one that it became."""

_ASCII = frozenset({"us-ascii", "ascii", "ansi-x3.4-1968", "iso-ir-6", "7bit"})
_SEVEN_BIT = frozenset({"utf-7", "hz", "iso-2022-kr", "iso2022-kr", "utf-16", "utf-32"})
"""What ASCII bytes are not ASCII in, beside ISO-2022-JP."""
_NO_CHARSETS = frozenset({
    "idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined", "mbcs", "oem",
    "palmos", "charmap",
})  # fmt: skip
"""Codecs of Python that no mail is written in; one of them takes quadratic time."""

_ESCAPES = re.compile(rb"\x1b(?:\$[@AB(]|\([BJI])|\x1bN")
_WEB_CODES = re.compile(rb"\x1b\$[EFGOPQ][!-z]+\x0f?")
"""Pictures of SoftBank's phones: an escape that is no designation, and letters."""
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb]"
)
_HALF = re.compile("[\ud800-\udfff]")
_OWN_USE = re.compile("[\ue000-\uf8ff]")
_KANA = re.compile("[ぁ-んァ-ヶー]")
_WIDE = re.compile("[ぁ-んァ-ヶー一-龠、。「」・々〇！-～]")
_NARROW_KANA = re.compile("[\uff61-\uff9f]")
_RUN = re.compile(rb"[\x80-\xff]{3}")
_LONG_RUN = re.compile(rb"[\x80-\xff]{4}")
_LOOKS_AT = 4000
"""Bytes that a guess is made from."""


def decode(data: bytes, label: str | None = None) -> str:
    """The text of bytes that say they are in `label`; believed only as far as they agree with it.

    It never raises and never gives control characters (but for line feeds and tabs), escapes or
    half characters. What can't be read at all is U+FFFD, what only one maker's phones show is 〓.
    """
    return clean(_decoded(data, _plain_label(label)))


def uncleaned(data: bytes) -> str:
    """The text of bytes without a label, with all that nobody sees."""
    return _decoded(data, "")


def decode_surely(data: bytes, label: str | None) -> str | None:
    """The same, or None where the bytes are no text in any way that is known."""
    text = _decoded(data, _plain_label(label))
    if "�" in text or (not data.isascii() and _UNSEEN.search(text.replace("\r\n", ""))):
        return None
    return clean(text)


def clean(text: str) -> str:
    """Without what nobody sees: control characters, escapes, changes of direction, halves."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if text.isascii() and text.isprintable():
        return text
    return _UNSEEN.sub("", _HALF.sub("�", text))


def _plain_label(label: str | None) -> str:
    return (label or "").strip(" \t\"'<>;,").lower().replace("_", "-").replace(" ", "-")[:60]


def _decoded(data: bytes, label: str) -> str:
    if data[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return data.decode("utf-16", "replace")
    if b"\x1b$" in data:
        data = _WEB_CODES.sub(b"", data)
    if data.isascii() and not (b"\x1b" in data or b"\x0e" in data):
        return _ascii(data, label)
    if label in _JIS or (_ESCAPES.search(data) and data.isascii() and "2022" not in label):
        if data.isascii() or b"\x1b" in data or b"\x0e" in data:
            return _phones(jis.iso2022(data))
        return _guessed(data)  # no escapes, and eight bits: the label is a habit of the sender's
    if label in _CP932 or label in _EUC:
        return _japanese(data, "cp932" if label in _CP932 else "euc-jp")
    return _other(data, _ALSO.get(label, label))


def _ascii(data: bytes, label: str) -> str:
    text = data.decode("ascii")
    if label in _JIS and ("$B" in text or "$@" in text):
        return jis.without_escapes(text)
    name = _ALSO.get(label, label)
    return _by_codec(data, name) or text if name in _SEVEN_BIT else text


def _japanese(data: bytes, label: str) -> str:
    text = _strict(data, label)
    if text is None or _looks_wrong(text):
        other = _utf8(data) or _strict(data, "euc-jp" if label == "cp932" else "cp932")
        if other and (text is None or (_KANA.search(other) and not _looks_wrong(other))):
            return _phones(other)
    if text is not None:
        return _phones(text)
    return _phones(jis.loose_cp932(data) if label == "cp932" else jis.euc(data, strict=False))


def _looks_wrong(text: str) -> bool:
    return len(_NARROW_KANA.findall(text)) > len(_WIDE.findall(text))


def _other(data: bytes, label: str) -> str:
    if not label or label in _ASCII or (codec := _codec(label)) is None:
        return _guessed(data)
    if codec == "utf-8":
        text = _utf8(data)
        if text is not None:
            return text
        guess = _guess_japanese(data)
        loose = data.decode("utf-8", "replace")
        return guess if guess and loose.count("�") * 10 > len(loose) else loose
    text = _by_codec(data, codec)
    if codec.startswith(("utf", "gb", "hz", "iso2022", "big5", "cp9", "euc")):
        if text is not None:
            return text
        return _utf8(data) or _guess_japanese(data) or data.decode(codec, "replace")
    # Of a table of single bytes nearly any byte is a letter: other evidence is stronger.
    return _utf8(data) or _guess_japanese(data) or text or _table(data, codec)


def _guessed(data: bytes) -> str:
    if _ESCAPES.search(data):
        return _phones(jis.iso2022(data))
    return (
        _utf8(data)
        or _guess_japanese(data, kanji=_RUN.search(data) is not None)
        or _nearly_utf8(data)
        or _by_numbers(data)
    )


def _guess_japanese(data: bytes, *, kanji: bool = False) -> str | None:
    """As cp932 or EUC-JP, where kana are among it: no other language's bytes give those.

    With `kanji` those are enough: nothing is said against it.
    """
    best: str | None = None
    for name in ("cp932", "euc-jp"):
        text = _strict(data, name)
        if text is None or _fits(text) <= 0:
            continue
        if not kanji and len(_KANA.findall(text, 0, _LOOKS_AT)) < 2:
            continue
        if best is None or _fits(text) > _fits(best):
            best = text
    return None if best is None else _phones(best)


def _fits(text: str) -> float:
    """How much of what is not ASCII is what Japanese is written with, from -1 to 1."""
    some = [letter for letter in text[:_LOOKS_AT] if ord(letter) > 0x7F]
    joined = "".join(some)
    good, bad = len(_WIDE.findall(joined)), len(_NARROW_KANA.findall(joined))
    return (good - bad) / (len(some) or 1)


def _strict(data: bytes, label: str) -> str | None:
    try:
        return data.decode("cp932") if label == "cp932" else jis.euc(data, strict=True)
    except UnicodeDecodeError:
        return None


def _utf8(data: bytes) -> str | None:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        if len(data) - error.start < 4 and error.reason == "unexpected end of data" and error.start:
            return data[: error.start].decode("utf-8")  # it was cut inside its last character
        return None


def _nearly_utf8(data: bytes) -> str | None:
    """UTF-8 in which a byte here and there is broken."""
    text = data.decode("utf-8", "replace")
    wide = sum(ord(letter) > 0x7F for letter in text[:_LOOKS_AT])
    return text if wide > 4 and text.count("�", 0, _LOOKS_AT) * 4 < wide else None


def _by_codec(data: bytes, codec: str) -> str | None:
    try:
        return data.decode(codec)
    except (UnicodeError, LookupError, ValueError):
        return None


def _table(data: bytes, codec: str) -> str:
    """A table with holes: what it lacks is taken from latin-1."""
    try:
        return data.decode(codec, "replace")
    except (UnicodeError, LookupError, ValueError):
        return data.decode("latin-1")


def _codec(label: str) -> str | None:
    if label in _NO_CHARSETS:
        return None
    try:
        found = codecs.lookup(label)
    except (LookupError, ValueError, TypeError):
        return None
    if not getattr(found, "_is_text_encoding", False) or found.name in _NO_CHARSETS:
        return None
    return found.name


def _by_numbers(data: bytes) -> str:
    """No label and no sign: by how the bytes are distributed."""
    if not _LONG_RUN.search(data):
        return data.decode("cp1252", "replace")  # letters with accents among letters without
    from charset_normalizer import from_bytes

    best = from_bytes(data[:_LOOKS_AT], steps=3, chunk_size=256).best() if len(data) > 3 else None
    name = best.encoding if best is not None else None
    text = None if name is None or _codec(name) is None else _by_codec(data, name)
    if text is not None:
        return text
    return data.decode("cp1252", "replace")


def _phones(text: str) -> str:
    return _OWN_USE.sub(GETA, text)
