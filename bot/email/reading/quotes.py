"""Where a quoted mail begins: attributions, heads that programs copy, lines between mails.

All patterns are anchored and look at a line's first characters only, so that a text of any size
takes time in proportion to it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

LOOKED_AT = 400
"""Characters of a line, or of the lines of an attribution together, that are looked at."""

_QUOTED = re.compile(r"[ \t]{0,3}(?:[>＞]|[A-Z]{2,4}> )")

_SEPARATOR = re.compile(
    r"\s{0,4}[-_=*－―─]{2,60}\s{0,4}(?:"
    r"original (?:message|appointment)|reply message|"
    r"元の?(?:メッセージ|メール)|オリジナル(?:の)?メッセージ|受信メール|返信元(?:の)?(?:メッセージ|メール)|"
    r"ursprüngliche (?:nachricht|e-?mail)|message d['’]origine|message original|mensaje original|"
    r"messaggio originale|mensagem original|oorspronkelijk bericht|oprindelig meddelelse|"
    r"ursprungligt meddelande|原始邮件|原邮件|邮件原件|原始郵件|原始信件|원본 메시지"
    r")\s{0,4}[-_=*－―─]{0,60}\s*$",
    re.IGNORECASE,
)

_RULE = re.compile(r"\s{0,4}_{10,200}\s*$")

_LABELS: dict[str, tuple[str, ...]] = {
    "from": (
        "from", "差出人", "送信者", "送信元", "発信者", "発信元", "von", "de", "da", "van", "fra",
        "från", "od", "发件人", "寄件者", "寄件人", "보낸 사람", "от",
    ),
    "date": (
        "sent", "date", "送信日時", "日時", "日付", "送信日", "受信日時", "gesendet", "datum",
        "envoyé", "inviato", "data", "enviado", "fecha", "verzonden", "sendt", "skickat", "dato",
        "发送时间", "发送日期", "寄件日期", "日期", "时间", "보낸 날짜", "дата",
    ),
    "to": (
        "to", "宛先", "宛て先", "送信先", "受信者", "an", "à", "a", "para", "aan", "til", "till",
        "收件人", "收信人", "받는 사람", "кому",
    ),
    "subject": (
        "subject", "件名", "題名", "表題", "betreff", "objet", "oggetto", "asunto", "assunto",
        "onderwerp", "emne", "ämne", "主题", "主旨", "主題", "제목", "тема",
    ),
    "other": (
        "cc", "bcc", "写し", "kopie", "copie", "抄送", "副本", "reply-to", "返信先", "importance",
        "重要度", "attachments", "添付ファイル", "添付", "message-id", "priority", "sender",
    ),
}  # fmt: skip
_KIND_OF = {label: kind for kind, labels in _LABELS.items() for label in labels}
_LABEL = re.compile(r"[\s>＞*]{0,20}([^\s:：*>＞][^:：*>＞\r\n]{0,15}?)\*?\s{0,3}[:：]\*{0,2}(.*)$")
_FAR = 24
"""Lines that the head of a quoted mail may take: long lists of recipients are wrapped."""

_DATED = re.compile(
    r"\d{1,4}\s?[-/.年]\s?\d{1,2}\s?[-/.月]|\d{1,2}:\d{2}|\b\d{4}\b|\d{1,2}\s?[月日]"
)
_TIMED = re.compile(r"\d{1,2}\s?[:：.時点h]\s?\d{2}|\d\s?[ap]\.?m\b", re.IGNORECASE)
_STARTS = re.compile(
    r"[\s\-(\[（>＞]{0,12}(?:on|am|le|el|il|em|op|den|på|w dniu|dnia|in|vào|at|mon|tue|wed|thu|fri|"
    r"sat|sun|在|於|于|\d{1,4}[-/.年]|\d{1,2}\.)",
    re.IGNORECASE,
)
_WROTE = re.compile(
    r".{0,380}?(?:"
    r"\b(?:wrote|writes|sent|said)|schrieb|schreef|geschreven|a écrit|écrit|escribió|ha scritto|"
    r"escreveu|skrev|napisał(?:\(a\))?|pisze|написал|пишет|đã viết|"
    r"(?:が|は|、)?書き(?:ました|込みました)|(?:が|は)?書いた|さん曰く|さんの発言|"
    r"の(?:メール|メッセージ)|からの(?:メール|メッセージ)|写道|寫道|写到|작성"
    r")\s?[:：]?\s?[-)\]）]{0,10}\s*$",
    re.IGNORECASE,
)
_WROTE_BEFORE = re.compile(
    r".{0,200}?\b(?:schrieb|schreef|skrev)\b.{1,200}[:：]\s*$", re.IGNORECASE
)
_DATE_AND_ADDRESS = re.compile(
    r"[\s(（]{0,4}\d{4}\s?[-/.年]\s?\d{1,2}\s?[-/.月]\s?\d{1,2}.{0,300}?"
    r"[<＜(（]\s{0,2}(?:mailto:)?[^\s<>]{1,200}@[^\s<>]{1,200}[>＞)）]\s{0,2}(?:さん)?[:：]?\s*$"
)
_SOMEBODY = re.compile(
    r"[\s\-]{0,6}\S.{0,200}?(?:\bwrote|\bwrites|\bsaid|schrieb|a écrit|"
    r"(?:さん|様|氏)?(?:が|は|、)?\s?(?:書き(?:ました|込みました)|書いた)|(?:さん|様|氏)\s?wrote|"
    r"(?:さん|様|氏)曰く|(?:さん|様|氏)の(?:発言|メール|メッセージ)|写道|寫道)\s?[:：]\s*$",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"[A-Za-z0-9._%+'=/-]{1,64}@[A-Za-z0-9.-]{1,190}[A-Za-z0-9]")


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a mail that was copied into a text: it goes up to (not with) line `end`."""

    end: int
    sender: str
    subject: str


SHORTEST = 4
"""The shortest line that can say anything between its dashes."""


def is_empty(line: str) -> bool:
    """Whether nothing can be seen in the line."""
    return not line or line.isspace()


_SIGNS = re.compile("[>＞:：@]")
_MAY_BEGIN = re.compile(
    rf"[-_=*－―─]|{_STARTS.pattern}|begin|転送|anfang|début|inicio|inizio|开始|開始", re.IGNORECASE
)


def is_plain(line: str) -> bool:
    """Whether the line surely begins nothing of what is looked for here or in forwards.py: most
    lines do not, and need not be held against each pattern."""
    return _SIGNS.search(line) is None and _MAY_BEGIN.match(line.lstrip()) is None


def is_quoted(line: str) -> bool:
    """Whether the line is marked as somebody else's."""
    return line.startswith(">") or _QUOTED.match(line) is not None


def is_separator(line: str) -> bool:
    """Whether the line says that the mail that is answered follows."""
    return len(line) > SHORTEST and _SEPARATOR.match(line[:LOOKED_AT]) is not None


def is_rule(line: str) -> bool:
    """Whether it is the line of underscores that Outlook draws."""
    return "_____" in line[:LOOKED_AT] and _RULE.match(line[:LOOKED_AT]) is not None


@lru_cache(maxsize=128)  # each line is looked at again from every line a little above it
def _labelled(line: str) -> tuple[str, str] | None:
    if ":" not in line and "：" not in line:
        return None
    found = _LABEL.match(line[:LOOKED_AT])
    if found is None:
        return None
    kind = _KIND_OF.get(found[1].strip().lower())
    return None if kind is None else (kind, found[2].strip())


def head(lines: Sequence[str], at: int, *, surely: bool = False) -> Head | None:
    """The head of a copied mail that begins at the line.

    From, and two more of date, recipient and subject; without a subject the sender has to be an
    address, for "From: 東京 / To: 大阪 / Date: 6/10" is a journey; and so it has to where it does
    not come first, as it does in a head, for that is a form. `surely`: it comes after a line that
    announces a mail; the sender is enough then.
    """
    first = _labelled(lines[at])
    if first is None or (first[0] == "other" and not surely):
        return None
    found: dict[str, str] = {}
    end = at
    strays = 0
    for number in range(at, min(len(lines), at + _FAR)):
        line = lines[number]
        labelled = _labelled(line)
        if labelled is not None:
            kind, value = labelled
            if kind != "other" and kind in found:
                break
            found.setdefault(kind, value)
            end, strays = number + 1, 0
        elif is_empty(line.strip(" >＞")):
            if "subject" in found or strays:
                break
            strays += 1
        elif (
            strays >= 3
            or _LABEL.match(line[:LOOKED_AT])
            or (strays and is_empty(lines[number - 1].strip(" >＞")))
        ):
            break
        else:
            strays += 1
    sender = found.get("from")
    if sender is None:
        return None
    if not surely:
        others = len({"date", "to", "subject"} & found.keys())
        bare = "subject" not in found or first[0] != "from"
        if others < 2 or (bare and "@" not in sender):
            return None
    return Head(end, _who(sender), found.get("subject", ""))


def _who(value: str) -> str:
    """The address of a sender, in lower case; without one, the name."""
    found = _ADDRESS.search(value)
    if found is not None:
        return found[0].lower()
    return value.split("[mailto", 1)[0].strip(" \t\"'*<>[]")


def attribution(lines: Sequence[str], at: int) -> int | None:
    """The number of lines, 1 to 3, of "On …, … wrote:" that begins at the line.

    One without a date or an address counts only where a quoted line comes next.
    """
    text = lines[at].strip()
    if len(text) <= SHORTEST or len(text) > LOOKED_AT:
        return None
    if text[-1] in ":：" and _SOMEBODY.match(text) and _quote_next(lines, at + 1):
        return 1
    if _STARTS.match(text):
        return _dated(lines, at, text)
    # 田中 <tanaka@example.com> schrieb am 10.06.2024 um 9:00:
    named = "@" in text and _DATED.search(text) and _WROTE_BEFORE.match(text)
    return 1 if named else None


_ENDS = (":", "：", "-", ")", "）", "]")


def _dated(lines: Sequence[str], at: int, text: str) -> int | None:
    """The same of one that begins with a date, or with the word before it."""
    for taken in range(1, 4):
        if len(text) > LOOKED_AT:
            break
        # "2024年6月10日の山田様からのメール:" may be a person's own words: programs give the time
        exact = text.endswith(_ENDS) and ("@" in text or _TIMED.search(text))
        if (exact or _quote_next(lines, at + taken)) and _is_attribution(text):
            return taken
        following = lines[at + taken].strip() if at + taken < len(lines) else ""
        if not following or is_quoted(following):
            break
        text = f"{text} {following}"
    return None


def _is_attribution(text: str) -> bool:
    if _DATE_AND_ADDRESS.match(text):
        return True
    if not _DATED.search(text):
        return False
    return bool(_WROTE.match(text) or _WROTE_BEFORE.match(text))


def _quote_next(lines: Sequence[str], at: int) -> bool:
    for line in lines[at : at + 4]:
        if not is_empty(line):
            return is_quoted(line)
    return False
