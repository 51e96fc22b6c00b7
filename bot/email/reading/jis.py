"""The Japanese sets by one table, that of cp932: what it shows is what senders saw.

JIS X 0208 in ISO-2022-JP (RFC 1468) and EUC-JP is moved to where cp932 has it, so that WAVE DASH,
the vendors' row 13 and the selected rows 89 to 92 come out alike however a mail is encoded.
"""

import re

_ESCAPE = re.compile(rb"\x1b(\$\([@BCDOPQ]|\$[@AB]|\([BJIH]|\.[AF]|&@|N.)|[\x0e\x0f\n]", re.DOTALL)
_SIGN = re.compile(r"\$[@B]|\([BJ]")
_PAIRS = re.compile(r"(?:[!-~]{2})+")
_WIDE = {b"$@", b"$B", b"$(@", b"$(B"}
_OTHERS = {
    b"$(D": ("euc_jp", b"\x8f"),
    b"$(O": ("euc_jis_2004", b""),
    b"$(Q": ("euc_jis_2004", b""),
    b"$(P": ("euc_jis_2004", b"\x8f"),
    b"$A": ("gb2312", b""),
    b"$(C": ("euc_kr", b""),
}
"""JIS X 0212 and 0213, GB 2312, KS X 1001 (RFC 1554), read through the EUC form of each."""
_EUC = re.compile(
    rb"([\x00-\x7f]+)|((?:[\xa1-\xfe][\xa1-\xfe])+)|((?:\x8e[\xa1-\xdf])+)|(\x8f[\xa1-\xfe]{2})|(.)",
    re.DOTALL,
)
_GETA = "〓"


def iso2022(data: bytes) -> str:
    """ISO-2022-JP with all that Microsoft and others put into it (CP50221, ISO-2022-JP-2).

    A line begins in ASCII (RFC 1468); with SO, or with its eighth bit set, a byte is half-width
    kana (CP50222, JIS8).
    """
    text: list[str] = []
    mode, shifted, at = b"(B", False, 0
    for found in _ESCAPE.finditer(data):
        text.append(_run(data[at : found.start()], b"(I" if shifted else mode))
        at = found.end()
        sign = found.group(1)
        if sign is None:
            match found.group():
                case b"\n":
                    mode, shifted = b"(B", False
                    text.append("\n")
                case b"\x0e":
                    shifted = True
                case _:
                    shifted = False
        elif sign[:1] != b"." and sign[:1] != b"N" and sign != b"&@":
            mode = sign
    text.append(_run(data[at:], b"(I" if shifted else mode))
    return "".join(text)


def without_escapes(text: str) -> str:
    """ISO-2022-JP that lost its escapes on the way: `$B%F%9%H(B`."""
    read: list[str] = []
    at, opened = 0, -1
    for sign in _SIGN.finditer(text):
        if sign.group()[0] == "$":
            opened = sign.end() if opened < 0 else opened
        elif opened >= 0:
            if _PAIRS.fullmatch(text, opened, sign.start()):
                read.append(text[at : opened - 2])
                read.append(_wide(text[opened : sign.start()].encode("ascii")))
                at = sign.end()
            opened = -1
    return "".join([*read, text[at:]])


def euc(data: bytes, *, strict: bool) -> str:
    """EUC-JP as cp51932 has it, and with JIS X 0212. Raises UnicodeDecodeError where `strict`."""
    text: list[str] = []
    for found in _EUC.finditer(data):
        ascii_, wide, kana, more, bad = found.groups()
        if ascii_ is not None:
            text.append(ascii_.decode("ascii"))
        elif wide is not None:
            text.append(_wide(bytes(byte & 0x7F for byte in wide)))
        elif kana is not None:
            text.append(kana.replace(b"\x8e", b"").decode("cp932"))
        elif more is not None:
            text.append(more.decode("euc_jp", "replace").replace("�", _GETA))
        elif strict:
            raise UnicodeDecodeError("euc-jp", data, found.start(), found.end(), f"{bad!r}")
        else:
            text.append("�")
    return "".join(text)


def loose_cp932(data: bytes) -> str:
    """cp932 with what has no place in it: one 〓 for each."""
    return data.decode("cp932", "replace").replace("�", _GETA)


def _run(data: bytes, mode: bytes) -> str:
    """What stands between two escapes."""
    if mode in _WIDE:
        return _wide(data)
    if mode == b"(I":
        data = bytes(byte | 0x80 if 0x21 <= byte <= 0x5F else byte for byte in data)
        return data.decode("cp932", "replace")
    if mode in _OTHERS:
        codec, before = _OTHERS[mode]
        pairs = (data[at : at + 2] for at in range(0, len(data), 2))
        moved = b"".join(before + bytes(byte | 0x80 for byte in pair) for pair in pairs)
        return moved.decode(codec, "replace").replace("�", _GETA)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return loose_cp932(data)


class _Pairs(dict[int, str]):
    """What two bytes of JIS X 0208 stand for, worked out when they first come."""

    def __missing__(self, pair: int) -> str:
        self[pair] = found = _moved(pair.to_bytes(2, "big"))
        return found


_JIS_X_0208 = _Pairs()
_GRAPHIC = bytes(range(0x21, 0x7F))


def _wide(data: bytes) -> str:
    """Pairs of JIS X 0208, as cp932 has them."""
    if len(data) % 2 == 0 and not data.translate(None, _GRAPHIC):
        return data.decode("utf-16-be").translate(_JIS_X_0208)
    return _moved(data)


def _moved(data: bytes) -> str:
    """Pairs of JIS X 0208, moved to where cp932 has them."""
    moved = bytearray()
    at, length = 0, len(data)
    while at < length:
        row = data[at] & 0x7F
        if row < 0x21 or row == 0x7F:
            moved.append(row)
            at += 1
            continue
        if at + 1 == length:
            moved += b"\x81\xac"
            break
        cell = data[at + 1] & 0x7F
        if not 0x21 <= cell <= 0x7E:
            moved += b"\x81\xac"  # 〓
            at += 1
            continue
        lead = (row - 0x21) // 2 + 0x81
        if lead > 0x9F:
            lead += 0x40
        low = cell + 0x1F if cell < 0x60 else cell + 0x20
        trail = low if row % 2 else cell + 0x7E
        moved += bytes((lead, trail))
        at += 2
    return _pairs(bytes(moved))


def _pairs(data: bytes) -> str:
    try:
        return data.decode("cp932")
    except UnicodeDecodeError:
        pass
    text, at = [], 0
    while at < len(data):
        two = data[at : at + (1 if data[at] < 0x80 else 2)]
        text.append(two.decode("cp932", "replace").replace("�", _GETA)[:1] or _GETA)
        at += len(two)
    return "".join(text)
