"""All real mails of the shared corpus, with every answer that is known of them."""

import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from bot.email.reading.mail import File, Mail
from bot.email.reading.parse import read_mail

MAILS = Path(__file__).parents[5] / "shared" / "mail"
EXPECTED: list[dict[str, Any]] = (
    json.loads((MAILS / "expected.json").read_text())["messages"]
    if (MAILS / "expected.json").exists()
    else []
)
NOT_CHECKED = {"file", "basis", "note", "source", "is_forward"}

pytestmark = pytest.mark.skipif(not EXPECTED, reason="the shared mails are not on this machine")


def _plain(text: str) -> str:
    return " ".join(text.split())


def _files(mail: Mail) -> list[File]:
    return [each for each in mail.files if not each.within]


def _size(each: File, wanted: int | None) -> int | None:
    return None if wanted is None else len(each.content)


def _check(key: str, wanted: Any, mail: Mail, raw: bytes, whole: dict[str, Any]) -> None:  # noqa: PLR0912
    subject, new = mail.subject or "", _plain(mail.written.new)
    match key:
        case "bytes":
            assert len(raw) == wanted
        case "from":
            assert mail.sender is not None
            assert mail.sender.address == wanted.lower()
        case "from_name":
            assert mail.sender is not None
            assert mail.sender.name == wanted
        case "subject":
            assert mail.subject == wanted
        case "subject_contains":
            assert [words for words in wanted if words not in subject] == []
        case "subject_must_not_contain":
            assert [words for words in wanted if words in subject] == []
        case "new_text_80":
            ways = [wanted, *whole.get("text_may_be", [])]
            assert any(new.startswith(way) if way else not new for way in ways), new[:100]
        case "text_may_be":
            pass  # with new_text_80
        case "text_must_contain":
            assert [words for words in wanted if _plain(words) not in new] == []
        case "text_must_not_contain":
            assert [words for words in wanted if words in mail.written.new] == []
        case "attachments":
            found = [
                {
                    "name": each.name if want["name"] is not None else None,
                    "size": _size(each, want["size"]),
                    "type": each.declared,
                    "inline": each.inline,
                    "role": each.role,
                }
                for each, want in zip(_files(mail), wanted, strict=True)
            ]
            assert wanted == found
        case "attachment_name_rules":
            all_names = [each.name for each in _files(mail)]
            assert all(all_names) or not wanted["nonempty"]
            assert all_names[0] == wanted["first_should_be"]
            for sign in wanted["must_not_contain"]:
                assert sign not in "".join(all_names)
        case "is_auto_reply" | "is_bounce" | "never_reply" | "kind" | "spoof_warning":
            assert wanted == getattr(mail, key)
        case "failed_recipients":
            assert wanted == [each.recipient for each in mail.failed]
        case "forwarded_from":
            assert mail.written.forwarded is not None
            assert wanted == mail.written.forwarded.sender
        case "forwarded_subject":
            assert mail.written.forwarded is not None
            assert wanted == mail.written.forwarded.subject
        case "tnef":
            within = [
                {"name": each.name, "size": len(each.content)} for each in mail.files if each.within
            ]
            assert wanted.get("files", within) == within
            assert wanted.get("body_contains", "") in mail.tnef_body
            assert wanted.get("html", mail.tnef_html) == mail.tnef_html
        case "calendar":
            assert mail.invitation is not None
            for name, value in wanted.items():
                found_value = getattr(mail.invitation, name)
                if isinstance(found_value, datetime):
                    found_value = found_value.isoformat()
                assert value == found_value
        case _:
            raise AssertionError(f"nothing checks {key}")


@pytest.mark.parametrize("whole", EXPECTED, ids=[each["file"] for each in EXPECTED])
def test_every_answer_that_is_known_of_a_real_mail_is_given(whole: dict[str, Any]) -> None:
    raw = (MAILS / whole["file"]).read_bytes()

    mail = read_mail(raw)

    for key, wanted in whole.items():
        if key not in NOT_CHECKED:
            _check(key, wanted, mail, raw, whole)
    seen = "".join([mail.subject or "", mail.written.new, mail.written.quoted])
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]", seen)
