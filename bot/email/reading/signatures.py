"""Where a signature begins: `-- `, a Japanese one between lines, a telephone's, a list's footer."""

import re
from collections.abc import Sequence

from bot.email.reading.quotes import LOOKED_AT, is_empty

_MOST_LINES = 16
"""A signature between drawn lines is no longer than that."""

_DASHES = re.compile(r"\s?(?:--|－－|―)[ \t\u3000]?$")

_DRAWN = re.compile(
    r"\s{0,4}[^\w\s>＞「」、。](?:[^\w>＞「」、。]|[oOﾟ]){6,200}$|\s{0,4}_{7,200}\s*$"
)

_TELEPHONE = re.compile(
    r"\s*(?:"
    r"(?:私の|my )?(?:iphone|ipad|android(?:端末)?|スマートフォン|スマホ|携帯(?:電話)?|galaxy|"
    r"xperia|pixel|yahoo!?メール(?:アプリ)?|outlook(?: for (?:ios|android))?|gmail|"
    r"windows(?: phone)?)\s?から送信(?:されました)?[○◎。.]{0,4}|"
    r"(?:sent|send) (?:from|via|with|by) (?:my |the )?[\w!'’+.\- ]{2,60}(?:\s?[<(]\S{1,200}[>)])?|"
    r"get outlook for (?:ios|android|mac)(?:\s?[<(]\S{1,200}[>)])?|"
    r"outlook for (?:ios|android)(?:\s?[<(]\S{1,200}[>)])?\s?を(?:入手|取得)(?:する)?|"
    r"(?:von meinem|gesendet von(?: meinem| mit)?) [\w .\-]{2,40}(?: gesendet)?|"
    r"envoyé (?:de mon|depuis(?: mon)?) [\w .\-]{2,40}|enviado desde mi [\w .\-]{2,40}|"
    r"inviato da [\w .\-]{2,40}|发自我的\s?\S{2,30}|從我的\s?\S{2,30}\s?傳送|發自我的\s?\S{2,30}|"
    r"나의 \S{2,20}에서 보냄"
    r")\s*$",
    re.IGNORECASE,
)

_FOOTER = re.compile(r"mailing list|listinfo|メーリングリスト", re.IGNORECASE)

_NOTICE = re.compile(
    r"\s*(?:【?(?:機密|免責|守秘)(?:情報|事項|保持)|"
    r"(?:本|この)(?:電子)?(?:e-?)?メール(?:および|及び|、|には|は|に)[^\n]{0,60}(?:機密|秘密|宛先以外|受信者以外)|"
    r"confidentiality notice|disclaimer:|"
    r"this (?:e-?mail|message)[^\n]{0,80}(?:confidential|privileged|intended (?:only|solely)))",
    re.IGNORECASE,
)

_CONTACTS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"\b(?:tel|phone|mobile|携帯|direct)\b|電話|☎|℡|直通|(?:\A|\s)0\d{1,4}-\d{1,4}-\d{3,4}\b",
        r"\bfax\b|ファックス|ＦＡＸ",
        r"〒|\b\d{3}-\d{4}\b|[都道府県].{1,10}[市区町村郡]|\b(?:street|avenue|road|suite)\b",
        r"[\w.+-]{1,64}@[\w-]{1,60}\.[\w.-]{1,60}",
        r"https?://|\bwww\.",
        r"株式会社|有限会社|合同会社|\(株\)|（株）|㈱|\b(?:inc|ltd|gmbh|llc|corp)\b",
        r"(?:部|課|室|グループ|センター|事業所|支店|営業所)(?:\s|　|\Z)",
    )
)
_BUSINESS = re.compile(
    r"納品|納入|送付先|届け?先|お届|配送|発送|請求先|請求書|宛先|見積|発注|注文|数量|単価|合計|金額|円|"
    r"ship(?:ping)? to|bill(?:ing)? to|deliver|quantity|qty|amount|total",
    re.IGNORECASE,
)
"""What stands between lines and is business, an address to deliver to say, is no signature."""


def is_telephones(line: str) -> bool:
    """Whether the line is what a telephone adds by itself ("iPhoneから送信")."""
    return len(line) <= LOOKED_AT and _TELEPHONE.match(line) is not None


def signature(lines: Sequence[str], start: int, end: int) -> int:
    """The line in start…end at which the signature begins; `end` without one."""
    end = _back(lines, start, end)
    begins = _notice(lines, start, end)
    begins = _telephones(lines, start, begins)
    # `-- ` always begins one (RFC 3676, 4.3); without its space only a short one at the end
    short = _short(lines, start, end)
    for number in range(start, end):
        line = lines[number]
        if (number >= short or line.startswith("-- ")) and _DASHES.match(line):
            return min(begins, number)
    return min(begins, _drawn(lines, start, begins))


def _back(lines: Sequence[str], start: int, end: int) -> int:
    while end > start and is_empty(lines[end - 1]):
        end -= 1
    return end


def _short(lines: Sequence[str], start: int, end: int) -> int:
    """The line from which only as many are left as a signature may have."""
    left = _MOST_LINES
    while end > start and left:
        end -= 1
        left -= not is_empty(lines[end])
    return end


def _telephones(lines: Sequence[str], start: int, end: int) -> int:
    back = _back(lines, start, end)
    while back > start and is_telephones(lines[back - 1]):
        end = back - 1
        back = _back(lines, start, end)
    return end


def _notice(lines: Sequence[str], start: int, end: int) -> int:
    """A last paragraph that says how confidential all that is."""
    for number in range(max(start, end - _MOST_LINES), end):
        drawn = number > start and bool(_DRAWN.match(lines[number - 1][:LOOKED_AT]))
        opens = drawn or number == start or is_empty(lines[number - 1])
        if opens and _NOTICE.match(lines[number][:LOOKED_AT]):
            begins = number - drawn
            return begins if _back(lines, start, begins) > start else end
    return end


def _drawn(lines: Sequence[str], start: int, end: int) -> int:
    """The line of a Japanese signature, or of the footer of a mailing list."""
    end = _back(lines, start, end)
    first = max(start + 1, end - _MOST_LINES)
    for number in range(first, end):
        if not _DRAWN.match(lines[number][:LOOKED_AT]):
            continue
        block = [line[:LOOKED_AT] for line in lines[number + 1 : end]]
        text = "\n".join(block)
        if any(_FOOTER.search(line) for line in block[:3]):
            return number
        if _BUSINESS.search(text):
            continue
        kinds = sum(1 for contact in _CONTACTS if contact.search(text))
        closed = len(block) > 1 and _DRAWN.match(block[-1])
        if kinds >= (1 if closed else 2) and not is_empty("".join(lines[start:number])):
            return number
    return end
