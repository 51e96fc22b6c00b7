"""Who did not get a mail, and which mail it was: DSN (RFC 3464), and what servers say in words."""

import re
from collections.abc import Iterator, Mapping, Sequence

from bot.email.reading.bounce_words import before_original
from bot.email.reading.mail import Failed
from bot.email.reading.outline import Outline

_MOST = 50
"""Recipients, and ids, of one report."""
_WHY = 300

STATUS = frozenset(["message/delivery-status", "message/global-delivery-status"])
_ADDRESS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9.-]{1,190}[A-Za-z0-9]")
_ALONE = re.compile(
    r"\s{0,12}(?:(?:宛先|送信先|recipient|to|rcpt to|user|address|failed address)\s?[:：]\s{0,4})?"
    r"[<＜(]?([A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9.-]{1,190}[A-Za-z0-9])[>＞)]?"
    r"(?:\s*$|\s?[:：]|[.。,、]\s*$|\s+(?:on|\(|…|\.\.\.|宛))",
    re.IGNORECASE,
)
_TROUBLE = re.compile(
    r"unknown|unavailable|not found|reject|fail|denied|invalid|no such|undeliver|full|quota|"
    r"[45]\d\d[ -]|[45]\.\d\.\d|不明|存在|できません|失敗|エラー|拒否",
    re.IGNORECASE,
)
_ENHANCED = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")
_REPLY = re.compile(r"(?:^|[\s:<>(])([45]\d\d)(?=[\s,;:.-])", re.MULTILINE)
_FOR_NOW = re.compile(
    r"full|quota|temporar|try again|too many|timed? ?out|容量|一杯|いっぱい|一時的|しばらく",
    re.IGNORECASE,
)
_ID = re.compile(r"<[^<>\s@]{1,300}@[^<>\s@]{1,300}>")
_ID_LINE = re.compile(
    r"^[ \t>]{0,8}(?:original-)?message-id[ \t]?:[ \t]{0,8}\r?\n?[ \t]{0,8}(<[^<>\s]{3,600}>)",
    re.IGNORECASE | re.MULTILINE,
)
_PATH_LINE = re.compile(
    r"^(?:return-path|x-envelope-from|x-postfix-sender|envelope-from)[ \t]?:[^\n]{0,300}",
    re.IGNORECASE | re.MULTILINE,
)


def actions(outline: Outline) -> set[str]:
    """What became of the recipients of a delivery report: `failed`, `delayed`, `delivered`,
    `relayed`, `expanded` (RFC 3464, 2.3.3). Where a server leaves it out, by the status."""
    found = set()
    for group in _groups(outline):
        action = re.split(r"[\s(;]", group.get("action", "").lower().strip(), maxsplit=1)[0]
        if action:
            found.add(action)
        elif group.get("status"):
            found.add({"2": "delivered", "4": "delayed"}.get(group["status"].strip()[:1], "failed"))
    return found


def failed(outline: Outline) -> tuple[Failed, ...]:
    """The recipients that a mail was not delivered to; each once."""
    found: dict[str, Failed] = {}
    for group in _groups(outline):
        action = group.get("action", "").lower()
        status = _first(_ENHANCED, group.get("status", "")) or _first(
            _ENHANCED, group.get("diagnostic-code", "")
        )
        if not (action.startswith("failed") or (not action and status.startswith("5"))):
            continue
        who = _address(group.get("final-recipient", "")) or _address(
            group.get("original-recipient", "")
        )
        if who:
            why = re.sub(r"^\s*[\w-]{1,20}\s*;", "", group.get("diagnostic-code", "")).strip()
            found.setdefault(who, Failed(who, _permanent(status, why), status, _short(why)))
    if not found and not any(media_type in STATUS and text for media_type, text in outline.reports):
        for one in _in_words(outline):
            found.setdefault(one.recipient, one)
    return tuple(found.values())[:_MOST]


def about(outline: Outline) -> tuple[str, ...]:
    """The ids of the mails that a report is about, with their angle brackets; then the addresses of
    their return path, and those that the report came to, in lower case."""
    ids: dict[str, None] = {}
    paths: dict[str, None] = {}
    texts = [text for _, text in outline.reports] or [outline.text[-64_000:], outline.text[:64_000]]
    for text in texts:
        ids.update((found[1], None) for found in _ID_LINE.finditer(text))
        for line in _PATH_LINE.finditer(text):
            paths.update((found[0].lower(), None) for found in _ADDRESS.finditer(line[0]))
    for name in ("in-reply-to", "references", "x-original-message-id"):
        for value in outline.headers.get(name, ()):
            ids.update((found, None) for found in reversed(_ID.findall(value[:8_000])))
    for name in ("delivered-to", "x-original-to", "envelope-to", "to"):
        for value in outline.headers.get(name, ()):
            paths.update((found[0].lower(), None) for found in _ADDRESS.finditer(value[:8_000]))
    return (*list(ids)[:_MOST], *list(paths)[:_MOST])


def _groups(outline: Outline) -> Iterator[Mapping[str, str]]:
    """The groups of fields of delivery reports, one a recipient (and one of the whole mail)."""
    for media_type, text in outline.reports:
        if media_type not in STATUS:
            continue
        group: dict[str, str] = {}
        name = ""
        for line in [*text.replace("\r\n", "\n").split("\n"), ""]:
            if not line.strip():
                if group:
                    yield group
                group, name = {}, ""
            elif line[0] in " \t" and name:
                if len(group[name]) < 2_000:
                    group[name] += " " + line.strip()
            elif ":" in line:
                name, _, value = line.partition(":")
                name = name.strip().lower()
                if name == "final-recipient" and name in group:
                    # Some servers forget the empty line
                    yield group
                    group = {}
                group[name] = value.strip()


def _in_words(outline: Outline) -> Iterator[Failed]:
    said = before_original(outline.text)
    status = _first(_ENHANCED, said)
    code = _first(_REPLY, said)
    named = [
        found[0].lower()
        for value in outline.headers.get("x-failed-recipients", ())
        for found in _ADDRESS.finditer(value[:8_000])
    ]
    ours = {
        found[0].lower()
        for name in ("to", "delivered-to", "from", "x-original-to")
        for value in outline.headers.get(name, ())
        for found in _ADDRESS.finditer(value[:8_000])
    }
    lines = said.split("\n")
    if not named:
        alone = (_ALONE.match(line[:400]) for line in lines)
        named = [found[1].lower() for found in alone if found is not None]
    if not named:
        named = [
            found[0].lower()
            for line in lines
            if _TROUBLE.search(line[:400])
            for found in _ADDRESS.finditer(line[:400])
        ]
    if not named:
        to = re.search(r"^to:([^\n]{1,300})", outline.text[len(said) :], re.I | re.M)
        named = [found[0].lower() for found in _ADDRESS.finditer(to[1])] if to else []
    for who in named:
        if who not in ours:
            why = _why(lines, who)
            own = _first(_ENHANCED, why) or status
            lasting = _permanent(own or _first(_REPLY, why) or code, why or said[:2_000])
            yield Failed(who, lasting, own, _short(why))


def _why(lines: Sequence[str], who: str) -> str:
    """The words beside an address: the line with a code or with trouble, near where it stands."""
    for number, line in enumerate(lines):
        if who not in line[:400].lower():
            continue
        for near in lines[number : number + 8]:
            if _TROUBLE.search(near[:400]):
                return near
    return ""


def _permanent(status: str, why: str) -> bool:
    """By the status, its class first (RFC 3463, 3.1); without one by the words. A full mailbox is
    emptied one day, whatever class a server gives it (4.2.2 and 5.2.2)."""
    if status.startswith("5.2.2") or not status:
        return not status.startswith("5.2.2") and not _FOR_NOW.search(why)
    return status.startswith("5")


def _address(value: str) -> str:
    """The address of a field like `rfc822; a@example.com`."""
    found = _ADDRESS.search(value.rpartition(";")[2])
    return "" if found is None else found[0].lower()


def _first(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text[:20_000])
    return "" if found is None else found[1]


def _short(text: str) -> str:
    return " ".join(text.split())[:_WHY]
