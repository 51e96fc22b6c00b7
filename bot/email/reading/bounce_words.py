"""Bounces that are plain text: what mail servers say in English and Japanese when nothing arrived.

The words are those of qmail, exim, Postfix, sendmail, Exchange, Notes, m-FILTER and of Japan's
mobile carriers. Words alone prove nothing, for people write about such mails: the sender has to be
a mail server, or the return path empty (RFC 3464, 2).
"""

import re

from bot.email.reading.outline import Outline

_LOOKED_AT = 20_000

_DAEMON = re.compile(
    r"(?:mailer-?daemon|mail-daemon|postmaster|mail-?delivery(?:-subsystem)?|microsoftexchange"
    r"[0-9a-f]{0,40}|maildelivery|bounces?|mdaemon|mailadmin)@",
    re.IGNORECASE,
)
_SUBJECT = re.compile(
    r"\s*(?:(?:\*{3}\s?spam\s?\*{3}|\[[^\]]{0,40}\]|【[^】]{0,40}】)\s*)?(?:"
    r"undeliver(?:ed|able)\b|non-?deliver(?:y|able)|delivery (?:failure|failed|status notification|"
    r"has failed|report)|"
    r"(?:mail|message) delivery \(?(?:failed|failure|system error)|"
    r"(?:mail|message|e-?mail) (?:system error|failure|could not be|not delivered|undeliverable)|"
    r"failure notice|returned (?:mail|to sender)|returned message|failed (?:mail|delivery)|"
    r"bounced mail|rejected mail|mail error|user unknown|message you sent blocked|error sending|"
    r"(?:メール|mail)?(?:の)?(?:配信|配送|送信|配達)(?:が)?(?:不能|不可|エラー|失敗|できません|に失敗)|"
    r"(?:メール)?不達|未(?:配信|配達|達)|宛先(?:が)?(?:不明|見つかり)|エラーメール|メールエラー|"
    r"メール(?:を|が)(?:送信|配信|お届け)でき|送信できません|"
    r"unzustellbar|nicht zustellbar|non remis|退信|系统退信|无法投递|無法傳遞"
    r")",
    re.IGNORECASE,
)
_BODY = re.compile(
    r"could ?n[o']t be (?:delivered|reached)|(?:was|were) not delivered|"
    r"(?:wasn't|not been) delivered|unable to (?:be )?deliver|did not (?:receive|reach)|"
    r"undeliverable|delivery (?:has )?failed|permanent (?:fatal )?errors?|failure reasons?|"
    r"fatal errors?|(?:user|recipient|mailbox|address|host|account)[^\n]{0,20}"
    r"(?:unknown|unavailable|not found|rejected|does ?n[o']t exist|disabled|full)|"
    r"(?:unknown|no such|invalid) (?:user|recipient|mailbox|address|host|local part)|"
    r"over quota|returned message|"
    r"(?:^|\s)5\d\d[ -](?:5\.\d{1,3}\.\d{1,3}|[^\n]{0,60}(?:unknown|user|reject|denied|not))|"
    r"status: 5\.|"
    r"宛先不明|宛先(?:の)?(?:メール)?アドレス(?:が|は)(?:存在|見つか|間違)|存在し(?:ない|ません)|"
    r"(?:配信|配送|送信|配達|お届け)(?:が|は|に|を)?(?:不能|失敗|でき(?:ません|ず|なかった)|されません)|"
    r"(?:送信|配信)先[^\n]{0,20}(?:見つかり|受信できません)|送信できませんでした|不達|"
    r"無効なメールアドレス|メールボックス(?:が|の容量)|受信拒否|受け取れません|エラーメッセージ",
    re.IGNORECASE | re.MULTILINE,
)
_DELAY = re.compile(
    r"delivery status notification \(delay\)|delayed|warning: (?:could not send|message)|"
    r"still being retried|will keep trying|will be retried|do not need to resend|"
    r"(?:配信|配送|送信)(?:が|は)?(?:遅延|遅れ)|再送(?:を試み|します)",
    re.IGNORECASE,
)
_BEGINS_AGAIN = re.compile(
    r"[-_=*\s]{0,60}(?:below this line is a copy|this is a copy of the message|original message|"
    r"returned message|unsent message|undelivered message|transcript|message header|"
    r"送信(?:された)?メール|元のメール|元のメッセージ|以下は)|received:|return-path:|message-id:",
    re.IGNORECASE,
)


def is_daemon(sender: str) -> bool:
    """Whether the address is one that mail servers write from."""
    return _DAEMON.match(sender) is not None


def is_servers(outline: Outline) -> bool:
    """Whether it can't be a person's, for its sender. Behind `postmaster` somebody may sit."""
    if not is_daemon(outline.sender):
        return False
    return not outline.sender.startswith("postmaster@") or is_delay(outline)


def is_bounce(outline: Outline, *, null_path: bool) -> bool:
    """Whether a mail that is no report says that a mail of ours was not delivered."""
    submitted = outline.header("auto-submitted").lower()
    server = null_path or is_daemon(outline.sender)
    if outline.header("x-failed-recipients") and (server or submitted.startswith("auto-")):
        return not is_delay(outline)
    if not server:
        return False
    subject = _SUBJECT.match(outline.subject or "") is not None
    body = _BODY.search(outline.text[:_LOOKED_AT]) is not None
    if not (subject or (body and (is_daemon(outline.sender) or returns(outline.text)))):
        return False
    return not is_delay(outline)


def is_delay(outline: Outline) -> bool:
    """Whether it says only that it takes longer."""
    if re.search(r"\bfail|undeliver", outline.subject or "", re.IGNORECASE):
        return False
    return bool(
        _DELAY.search(outline.subject or "") or _DELAY.search(before_original(outline.text)[:2_000])
    )


def returns(text: str) -> bool:
    """Whether the mail that was sent is in the text."""
    return len(before_original(text)) < len(text[:_LOOKED_AT])


def before_original(text: str) -> str:
    """What the server says itself, without the mail that comes back, 20,000 characters at most."""
    looked = text[:_LOOKED_AT]
    at = 0
    for line in looked.split("\n"):
        if at and _BEGINS_AGAIN.match(line):
            return looked[:at]
        at += len(line) + 1
    return looked
