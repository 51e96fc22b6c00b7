"""What a mail asks for, in the words that every channel hands on."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from bot.email.reading.mail import File, Forwarded, Mail, Mailbox, Written
from bot.email.recipients import meant
from bot.email.requests import (
    bare_subject,
    folded_subject,
    is_meant,
    linking_code,
    reply_text,
    request_text,
)
from bot.email.taking_in import worth_keeping
from core.ids import new_id
from miyabi.plugins import all_agents
from tests.bot.email.dealing.post import box_of

AGENTS = all_agents()


def mail(subject: str | None, text: str = "", files: Sequence[File] = ()) -> Mail:
    return Mail(
        headers=(), message_id="<1@x.example>", senders=(Mailbox("a@x.example"),), reply_to=(),
        recipients=(), to=(), cc=(), subject=subject, date=None, references=(),
        written=Written(text), files=files,
    )  # fmt: skip


def file(name: str, size: int, kind: str = "image/png", *, inline: bool = True) -> File:
    content = name.encode().ljust(size, b".")[:size]
    return File(name, kind, kind, content, f"{hash(name):x}", inline)


@pytest.mark.parametrize(
    ("subject", "bare"),
    [
        ("Re: 見積のお願い", "見積のお願い"),
        ("RE: Re: FW: [#1042] 見積のお願い", "見積のお願い"),
        ("Re[2]: Fwd: x", "x"),
        ("転送：【転送】見積", "見積"),
        ("Regarding the quote", "Regarding the quote"),
        ("[ml:123] Re: hello", "hello"),
        (None, ""),
        ("Re:", ""),
    ],
)
def test_prefixes_and_tags_are_no_subject(subject: str | None, bare: str) -> None:
    assert bare_subject(subject) == bare


def test_two_mails_of_a_conversation_have_one_subject() -> None:
    assert folded_subject("ＲＥ： 見積 の お願い") == folded_subject("Fwd: 見積のお願い")
    assert folded_subject("見積のお願い") != folded_subject("別件のお願い")


@pytest.mark.parametrize(
    ("subject", "text", "purpose", "asked"),
    [
        ("見積 ABC商事", "モニター5台", "general", "見積 ABC商事\nモニター5台"),
        ("ABC商事", "モニター5台", "quote", "見積 ABC商事\nモニター5台"),
        ("見積 ABC商事", "モニター5台", "quote", "見積 ABC商事\nモニター5台"),
        ("お世話になっております", "status #12", "general", "status #12"),
        ("status #12", "", "quote", "status #12"),
        (
            "モニター5台の件",
            "ABC商事にモニター５台お願いします",
            "quote",
            "見積 ABC商事にモニター５台お願いします",
        ),
        ("見積", "ABC商事 モニター5台", "general", "見積 ABC商事 モニター5台"),
        (
            "見積のお願い",
            "ABC商事 モニター5台",
            "general",
            "見積 見積のお願い\nABC商事 モニター5台",
        ),
        ("質問", "見積 ABC商事 モニター5台", "general", "見積 ABC商事 モニター5台"),
        ("承認", "", "general", "承認"),
        ("Fwd: 発注の件", "モニター5台", "general", "見積 発注の件\nモニター5台"),
    ],
)
def test_a_subject_a_text_and_a_mailbox_say_what_is_asked(
    subject: str, text: str, purpose: str, asked: str
) -> None:
    assert request_text(mail(subject, text), purpose, AGENTS) == asked  # type: ignore[arg-type]


def test_a_command_in_the_subject_is_not_done_again_by_an_answer() -> None:
    answer = replace(mail("Re: status #12", "ありがとう"), references=("<1@x.example>",))

    assert request_text(answer, "general", AGENTS) == "ありがとう"


def test_of_a_mail_that_was_passed_on_its_head_is_no_request() -> None:
    text = (
        "お願いします。\n\n---------- Forwarded message ---------\nFrom: 山田 <y@abc.example>\n"
        "Date: 2026年11月25日(水) 10:00\nSubject: 見積依頼\nTo: <t@acme.example>\n\n"
        "ABC商事の山田です。\n> モニター5台"
    )
    forwarded = replace(mail("Fwd: 見積依頼"), written=Written(text, forwarded=Forwarded("y", "")))

    asked = request_text(forwarded, "quote", AGENTS)
    assert asked.split() == [
        "見積",
        "見積依頼",
        "お願いします。",
        "ABC商事の山田です。",
        "モニター5台",
    ]


def test_files_alone_are_a_request_where_the_mailbox_says_for_what() -> None:
    asked = request_text(mail(None), "expense", AGENTS, "taxi.pdf")

    assert asked.endswith(" taxi.pdf")
    assert asked.partition(" ")[0] in AGENTS["expense"].words
    assert request_text(mail(None), "general", AGENTS, "taxi.pdf") == ""


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("見積書ありがとうございました。3部届きました。", False),
        ("了解です", False),
        ("株式会社ABC商事", False),
        ("見積 ABC商事 モニター5台", True),
        ("修正 モニター10台", True),
        ("取消", True),
    ],
)
def test_only_its_first_word_makes_a_reply_more_than_talk(text: str, means: bool) -> None:
    assert is_meant(text, AGENTS) is means


def test_a_linking_code_is_a_mail_that_says_nothing_else() -> None:
    assert linking_code(mail("連携", "1234 5678")) == "1234 5678"
    assert linking_code(mail("1234-5678", "")) == "1234-5678"
    assert linking_code(mail("見積", "1234 5678 個ください")) is None


def test_an_answer_between_our_lines_is_theirs_alone() -> None:
    assert reply_text(mail("Re: x", "> Which tone?\nwarm\n> Anything else?\nno")) == "warm\nno"


def test_pictures_of_a_signature_are_no_receipts() -> None:
    logo = file("logo.png", 4_000)
    numbered = file("image001.png", 9_000, inline=False)
    photo = file("IMG_2041.jpeg", 400_000, "image/jpeg")
    receipt = file("receipt.png", 4_000, inline=False)
    invitation = file("invite.ics", 900, "text/calendar", inline=False)
    inner = file("mail.eml", 900, "message/rfc822", inline=False)

    sent = [logo, numbered, photo, receipt, invitation, inner]
    assert worth_keeping(mail("x", "hello", sent)) == [photo, receipt]
    assert worth_keeping(mail("x", "", [logo])) == [logo]
    assert worth_keeping(mail("x", "", [receipt, receipt])) == [receipt]


def test_of_addresses_that_share_a_mailbox_the_surest_recipient_counts() -> None:
    organisation = new_id()
    quote, expense = (box_of(organisation, f"{name}@x.example") for name in ("quote", "expense"))
    other = box_of(new_id(), "other@x.example")
    boxes = [quote, expense, other]

    assert meant(boxes, quote, ["expense+tag@x.example", "a@y.example"]) == expense
    assert meant(boxes, quote, ["expense@x.example", "quote@x.example"]) == quote
    assert meant(boxes, quote, ["other@x.example"]) == quote
    assert meant(boxes, quote, []) == quote
