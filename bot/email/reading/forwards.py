"""Mails that were passed on: what was passed on is what is asked about, so nothing is cut."""

import re
from collections.abc import Sequence

from bot.email.reading.mail import Forwarded
from bot.email.reading.quotes import LOOKED_AT, SHORTEST, head, is_separator

_TAGS = re.compile(r"\s*(?:\[[^\]\r\n]{0,60}\]|【[^】\r\n]{0,60}】|［[^］\r\n]{0,60}］)\s*")
_FORWARDS = re.compile(
    r"\s*(?:fwd?|wg|tr|rv|enc|doorst|vs|vb|轉寄|转发|轉發|転送)\s?[:：]", re.IGNORECASE
)

_MARKER = re.compile(
    r"\s{0,4}(?:"
    r"[-_=*－―─]{2,60}\s{0,4}(?:(?:begin )?forwarded (?:message|by)\b.{0,200}|"
    r"転送(?:された)?(?:メッセージ|メール)?|(?:ここから)?転送(?:メッセージ|メール)?(?:ここから)?|"
    r"weitergeleitete (?:nachricht|e-?mail)|message (?:transféré|transmis)|mensaje reenviado|"
    r"messaggio inoltrato|mensagem encaminhada|doorgestuurd bericht|转发(?:的)?(?:邮件|消息)|"
    r"轉寄(?:的)?(?:郵件|信件)|전달된 메시지)\s{0,4}[-_=*－―─]{0,60}|"
    r"begin forwarded message|転送されたメッセージ|anfang der weitergeleiteten nachricht|"
    r"début du message (?:transféré|réexpédié)|inicio del mensaje reenviado|"
    r"inizio messaggio inoltrato|开始转发的邮件|開始轉寄郵件"
    r")\s?[:：]?\s*$",
    re.IGNORECASE,
)


def is_marker(line: str) -> bool:
    """Whether the line says that a forwarded mail follows."""
    return len(line) > SHORTEST and _MARKER.match(line[:LOOKED_AT]) is not None


def subject_says(subject: str | None) -> bool:
    """Whether the subject begins as that of a forwarded mail does ("Fwd:"), after its [tags]."""
    rest = (subject or "")[:LOOKED_AT]
    for _ in range(4):
        if _FORWARDS.match(rest):
            return True
        tag = _TAGS.match(rest)
        if tag is None:
            return False
        rest = rest[tag.end() :]
    return False


def forwarded(lines: Sequence[str], at: int) -> Forwarded:
    """Who wrote what was forwarded, and its subject, from the first head at or after the line."""
    surely = False
    for number in range(at, len(lines)):
        line = lines[number]
        announced = is_marker(line) or is_separator(line)
        found = None if announced else head(lines, number, surely=surely)
        if found is not None:
            return Forwarded(found.sender, found.subject)
        surely = announced or (surely and not line.strip(" \t>＞_"))
    return Forwarded("", "")
