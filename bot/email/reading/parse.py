"""The bytes of a mail into what it says. Pure; meant for a child process (bot/email/child.py)."""

from bot.email.reading import (
    addresses,
    bodies,
    headers,
    kinds,
    parts,
    reports,
    trimming,
)
from bot.email.reading.mail import Kind, Mail, Mailbox, Written
from bot.email.reading.outline import Outline

MOST_BYTES = 40 * 1024 * 1024
"""More than this is not even looked at: mails over the settings' size come as a head alone."""


class TooMuch(ValueError):
    """A mail is larger than anything that is read."""


def read_mail(raw: bytes) -> Mail:
    """What a mail says. Anything may be wrong with it; what goes over a cap is left out and said.

    Raises TooMuch over 40 MB.
    """
    if len(raw) > MOST_BYTES:
        raise TooMuch(f"{len(raw)} bytes")
    raw = raw.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n")
    if b"\n" not in raw:
        raw = raw.replace(b"\r", b"\n")  # as a Macintosh once ended lines
    cut = parts.cut(raw)
    head = cut.root.head
    body = bodies.gather(raw, cut)
    said = head.first("subject")
    subject = None if said is None else headers.text(said)
    senders = addresses.mailboxes(head.every("from"))
    written = _written(body, subject)
    outline = _outline(cut, body, senders, subject)
    judged = kinds.kind_of(outline)
    return Mail(
        headers=tuple(head.fields),
        message_id=headers.message_id(head),
        senders=senders,
        reply_to=addresses.mailboxes(head.every("reply-to")),
        recipients=addresses.recipients(head),
        to=addresses.mailboxes(head.every("to")),
        cc=addresses.mailboxes(head.every("cc")),
        subject=subject,
        date=headers.date(head.first("date")),
        references=tuple(headers.references(head)),
        written=written,
        files=tuple(body.files),
        kind=_kind(judged.kind, body),
        is_auto_reply=judged.is_auto_reply,
        is_bounce=judged.is_bounce,
        never_reply=judged.never_reply,
        failed=tuple(reports.failed(outline)) if judged.is_bounce else (),
        about=() if judged.kind in {"human", "calendar"} else tuple(reports.about(outline)),
        invitation=body.invitation,
        tnef_body=body.tnef_text,
        tnef_html=body.tnef_html,
        spoof_warning=any(addresses.looks_like_another(each) for each in senders),
        too_much=tuple(dict.fromkeys([*cut.too_much, *body.too_much])),
    )


def _kind(judged: Kind, body: bodies.Body) -> Kind:
    """A person's mail may be one that can't be read, or an invitation."""
    if judged not in {"human", "calendar", "encrypted"}:
        return judged
    if body.closed:
        return "encrypted"
    return "calendar" if body.invites else "human"


def _written(body: bodies.Body, subject: str | None) -> Written:
    if body.armor:
        return Written("", quoted=body.armor)
    if body.html is not None:
        return trimming.written_html(body.html, subject)
    return trimming.written(body.text, subject)


def _outline(
    cut: parts.Cut, body: bodies.Body, senders: tuple[Mailbox, ...], subject: str | None
) -> Outline:
    return Outline(
        headers=headers.Decoded(cut.root.head),
        media_type=cut.root.media_type,
        parameters=cut.root.parameters,
        sender=senders[0].address if len(senders) == 1 else "",
        subject=subject,
        text=body.text,
        leaves=tuple(leaf.media_type for leaf in cut.leaves),
        reports=tuple(body.reports),
    )
