"""Whatever is said, a letter is as the standards have it, and says that and nothing else."""

from datetime import UTC, datetime
from email.utils import collapse_rfc2231_value

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.email.compose import Draft, Enclosed, compose, one_line, safe_name
from bot.email.render import Look, show
from bot.email.subjects import LONGEST, answering
from core.messages import (
    Attachment,
    Button,
    Dates,
    Field,
    Line,
    Message,
    Option,
    Picture,
    Progress,
    Select,
)
from tests.bot.email.out.post import read, said
from tests.fakes.mail.letters import wrongs

ANY = st.text(
    st.one_of(st.characters(), st.sampled_from('\r\n\x00\x1b\x85\u2028=?"\\<>@,;:. \ud800見積')),
    max_size=90,
)
NASTY = "x\r\nBcc: all@else.example\r\n\r\n<script>alert(1)</script> =?UTF-8?Q?a?= \x1b$B \ud800"


def _draft(subject: str, name: str, file: str, text: str, html: str) -> Draft:
    return Draft(
        message_id="<1@miyabi.example>",
        sender="quote@miyabi.example",
        sender_name=name,
        recipient="asker@acme.example",
        subject=subject,
        date=datetime(2026, 11, 26, tzinfo=UTC),
        text=text,
        html=html,
        in_reply_to="<2@acme.example>",
        references=["<bad id@x>", "<2@acme.example>", name],
        files=[Enclosed(file, subject, text.encode("utf-8", "replace"))],
    )


@given(ANY, ANY, ANY)
@example(NASTY, NASTY, NASTY)
@example("a" * 200, "あ" * 120, "見積書_" * 60 + ".pdf")
@settings(max_examples=25)
def test_no_text_gets_a_line_of_its_own_into_a_header(subject: str, name: str, file: str) -> None:
    content = compose(_draft(subject, name, file, "text", "<p>text</p>"))
    assert wrongs(content) == []
    letter = read(content)
    assert letter["Bcc"] is None
    assert "".join(str(letter["Subject"]).split()) == "".join(one_line(subject).split())
    [enclosed] = letter.iter_attachments()
    assert enclosed.get_filename() == safe_name(file)
    old = enclosed.get_param("name", header="content-type")
    assert old is not None
    assert "\n" not in collapse_rfc2231_value(old)


@pytest.mark.parametrize("name", ["見積書（東京）.pdf", "見積" * 70 + ".xlsx", "plain name.pdf"])
def test_a_files_name_stands_there_in_both_forms(name: str) -> None:
    content = compose(_draft("s", "n", name, "text", "<p>text</p>"))
    assert wrongs(content) == []
    [enclosed] = read(content).iter_attachments()
    assert enclosed.get_filename() == name
    if not name.isascii():
        assert b"filename*" in content
        assert b'name="=?UTF-8?B?' in content


def _message(text: str) -> Message:
    """A message with this text in every place."""
    return Message(
        text=text,
        title=text,
        body=text,
        fields=(Field(text, text),),
        lines=(Line(text, text, text),),
        totals=(Field(text, text),),
        sections=(Field(text, text),),
        progress=(Progress(text, "running", text),),
        picture=Picture("a" * 64, text),
        buttons=(
            Button("approve", text, "step"),
            Button("retry", text, "task"),
            Button("answer", text, "1"),
        ),
        select=Select("answer", text, text, (Option(text, text),)),
        dates=Dates("answer", text, text),
        files=(Attachment("b" * 64, text, "application/pdf"),),
        note=text,
        language="ja",
    )


@given(ANY, st.booleans())
@example(NASTY, True)
@settings(max_examples=20)
def test_whatever_a_message_says_is_shown_and_is_nothing_else(text: str, again: bool) -> None:
    look = Look({"step": "https://miyabi.example/a/1"}, {}, links={"b" * 64: "https://m.example/d"})
    spoken, html = show([(_message(text), again), (Message(text, language="ja"), False)], look)
    content = compose(_draft("s", "n", "f", spoken, html))
    assert wrongs(content) == []
    letter = read(content)
    assert "https://miyabi.example/a/1" in said(letter)
    assert "https://miyabi.example/a/1" in said(letter, "html")
    words = one_line(text)
    if len(words.split()) == 1:
        assert words in " ".join(said(letter).split())


@given(ANY, st.integers(1, 10**6))
@settings(max_examples=20)
def test_a_subject_has_its_number_once_and_stays_the_same_along_a_conversation(
    subject: str, reference: int
) -> None:
    message = Message("Hello", title="Hello", language="en")
    first = answering(subject, message, reference)
    assert f"#{reference}" in first
    assert len(first) <= LONGEST
    second = answering(first, message, reference)
    assert f"#{reference}" in second
    assert answering(f"RE: Re: {second}", message, reference) == second
