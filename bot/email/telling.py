"""What a mail says and what became of it, as data for programs (`miyabi ingest --json`)."""

import re
from collections.abc import Sequence
from typing import Any

from bot.email.reading.mail import File, Mail
from bot.email.verdicts import Outcome

_START = 80  # characters


def said(mail: Mail) -> dict[str, Any]:
    """What it says. `from` and `from_name` are null where From names nobody, or several;
    `attachments` are the files that lie in the mail itself."""
    sender, written = mail.sender, mail.written
    forwarded = written.forwarded
    return {
        "message_id": mail.message_id,
        "from": _as_written(mail, sender.address) if sender else None,
        "from_name": sender.name if sender else None,
        "subject": mail.subject,
        "new_text_80": " ".join(written.new.split())[:_START],
        "text": written.new,
        "quoted": written.quoted,
        "signature": written.signature,
        "attachments": [_file(file) for file in mail.files if not file.within],
        "kind": mail.kind,
        "is_auto_reply": mail.is_auto_reply,
        "is_bounce": mail.is_bounce,
        "never_reply": mail.never_reply,
        "failed_recipients": [each.recipient for each in mail.failed],
        "is_forward": forwarded is not None,
        "forwarded_from": forwarded.sender if forwarded else None,
        "forwarded_subject": forwarded.subject if forwarded else None,
        "spoof_warning": mail.spoof_warning,
        "tnef": _tnef(mail),
        "calendar": _calendar(mail),
        "too_much": list(mail.too_much),
    }


def became(outcome: Outcome | None, address: str | None, verified_by: str | None) -> dict[str, Any]:
    """What became of it; without an outcome, nothing did so far."""
    return {
        "verdict": outcome.verdict if outcome else None,
        "reason": outcome.reason if outcome else None,
        "task": outcome.reference if outcome else None,
        "sender": {
            "address": address,
            "verified": verified_by is not None,
            "by": verified_by,
        },
    }


def _as_written(mail: Mail, address: str) -> str:
    """An address in the case in which From has it; everywhere else it is in lower case."""
    values = [value for name, value in mail.headers if name == "from"]
    found = re.search(re.escape(address), " ".join(values), re.IGNORECASE)
    return found[0] if found else address


def _file(file: File) -> dict[str, Any]:
    return {
        "name": file.name or None,
        "type": file.declared,
        "content_type": file.media_type,
        "size": len(file.content),
        "sha256": file.sha256,
        "inline": file.inline,
        "role": file.role,
    }


def _tnef(mail: Mail) -> dict[str, Any] | None:
    if not any(file.role == "tnef" for file in mail.files):
        return None
    inner: Sequence[File] = [file for file in mail.files if file.within]
    return {
        "body": mail.tnef_body,
        "html": mail.tnef_html,
        "files": [{"name": file.name, "size": len(file.content)} for file in inner],
    }


def _calendar(mail: Mail) -> dict[str, Any] | None:
    entry = mail.invitation
    if entry is None:
        return None
    return {
        "method": entry.method,
        "summary": entry.summary,
        "start": entry.start.isoformat() if entry.start else None,
        "end": entry.end.isoformat() if entry.end else None,
        "organizer": entry.organizer,
        "uid": entry.uid,
    }
