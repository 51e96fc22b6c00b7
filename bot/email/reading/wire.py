"""A mail as it goes from the child that read it to us: one JSON head, and the files' bytes beside.

It is data and nothing else: a child that a mail has taken over can lie about what it read, but can
have nothing run here, as a pickle could. It is also smaller and quicker than one.
"""

import json
import struct
from datetime import datetime, timedelta, timezone
from typing import Any

from bot.email.reading.mail import (
    Failed,
    File,
    Forwarded,
    Invitation,
    Mail,
    Mailbox,
    Written,
)

_LENGTH = struct.Struct("!I")
_dumps = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":")).encode


def pack(mail: Mail) -> list[bytes]:
    """The pieces that `unpack` reads, to be written one after the other."""
    written, invitation, forwarded = mail.written, mail.invitation, mail.written.forwarded
    head = (
        mail.headers,
        mail.message_id,
        _plain(mail.senders),
        _plain(mail.reply_to),
        mail.recipients,
        _plain(mail.to),
        _plain(mail.cc),
        mail.subject,
        _moment(mail.date),
        mail.references,
        (written.new, written.quoted, written.signature, written.first),
        forwarded and (forwarded.sender, forwarded.subject),
        [
            (each.name, each.media_type, each.declared, len(each.content), each.sha256,
             each.inline, each.role, each.within)
            for each in mail.files
        ],
        mail.kind,
        mail.is_auto_reply,
        mail.is_bounce,
        mail.never_reply,
        [(each.recipient, each.permanent, each.status, each.why) for each in mail.failed],
        mail.about,
        invitation
        and (
            invitation.method,
            invitation.summary,
            _moment(invitation.start),
            _moment(invitation.end),
            invitation.organizer,
            invitation.uid,
        ),
        mail.tnef_body,
        mail.tnef_html,
        mail.spoof_warning,
        mail.too_much,
    )  # fmt: skip
    said = _dumps(head).encode()
    return [_LENGTH.pack(len(said)), said, *(each.content for each in mail.files)]


def unpack(content: bytes) -> Mail:
    """The mail that was packed. Raises ValueError, TypeError or struct.error if it is none."""
    (length,) = _LENGTH.unpack_from(content)
    at = _LENGTH.size + length
    (
        headers, message_id, senders, reply_to, recipients, to, cc, subject, date, references,
        written, forwarded, files, kind, is_auto_reply, is_bounce, never_reply, failed, about,
        invitation, tnef_body, tnef_html, spoof_warning, too_much,
    ) = json.loads(content[_LENGTH.size : at])  # fmt: skip
    new, quoted, signature, first = written
    kept = []
    for name, media_type, declared, size, digest, inline, role, within in files:
        data = content[at : at + size]
        at += size
        kept.append(File(name, media_type, declared, data, digest, inline, role, within))
    if at != len(content):
        raise ValueError("its files are not as long as it says")
    return Mail(
        tuple([(name, value) for name, value in headers]),
        message_id,
        _mailboxes(senders),
        _mailboxes(reply_to),
        tuple(recipients),
        _mailboxes(to),
        _mailboxes(cc),
        subject,
        _read_moment(date),
        tuple(references),
        Written(new, quoted, signature, forwarded and Forwarded(*forwarded), first),
        tuple(kept),
        kind,
        is_auto_reply,
        is_bounce,
        never_reply,
        tuple([Failed(*each) for each in failed]),
        tuple(about),
        invitation and _invitation(invitation),
        tnef_body,
        tnef_html,
        spoof_warning,
        tuple(too_much),
    )


def _plain(mailboxes: Any) -> list[tuple[str, str]]:
    return [(each.address, each.name) for each in mailboxes]


def _mailboxes(plain: Any) -> tuple[Mailbox, ...]:
    return tuple([Mailbox(address, name) for address, name in plain])


def _moment(when: datetime | None) -> tuple[str, float] | None:
    """By the clock there, and the seconds that it is before UTC."""
    if when is None:
        return None
    ahead = when.utcoffset() or timedelta()
    return when.replace(tzinfo=None).isoformat(), ahead.total_seconds()


def _read_moment(plain: Any) -> datetime | None:
    if plain is None:
        return None
    clock, ahead = plain
    zone = timezone(timedelta(seconds=ahead))
    return datetime.fromisoformat(clock).replace(tzinfo=zone)


def _invitation(plain: Any) -> Invitation:
    method, summary, start, end, organizer, uid = plain
    return Invitation(method, summary, _read_moment(start), _read_moment(end), organizer, uid)
