"""What is told by mail: what somebody has to know, in one thread, with what it is about."""

import re

import pytest

from bot.email import letters, tokens
from tests.bot.email.out.post import Post, said


async def test_a_request_by_mail_gets_its_draft_its_approver_a_letter_and_then_the_result(
    post: Post,
) -> None:
    office = post.office
    asked = await post.write("letter hello")
    [drafted] = post.to(office.asker)
    assert drafted["Subject"] == f"Re: [#{asked.reference}] 見積のお願い"
    assert drafted["In-Reply-To"] == "<mail-1@acme.example>"
    assert "Draft ready" in said(drafted)
    assert "hello" in said(drafted)
    [wanted] = post.to(office.boss)
    assert wanted["Subject"] == f"Approval wanted: #{asked.reference} Letter"
    [link] = set(re.findall(r"https://miyabi\.example/\S+", said(wanted)))
    assert link in said(wanted, "html")
    assert [each.get_filename() for each in wanted.iter_attachments()] == [
        f"draft-{asked.reference}.txt"
    ]
    assert "approve" in said(wanted)
    row = await office.row(
        "select root from threads where platform = 'email' and person_id is not null", {}
    )
    assert row.root == wanted["Message-ID"]  # the conversation with them is what began so

    await office.click("approve", await office.approval_id(asked.task_id), office.boss)
    await office.work()
    _, result = post.to(office.asker)
    assert result["Subject"] == drafted["Subject"]
    assert result["In-Reply-To"] == drafted["Message-ID"]
    assert result["References"].split() == ["<mail-1@acme.example>", drafted["Message-ID"]]
    [issued] = result.iter_attachments()
    assert issued.get_filename().startswith("L-2026-")
    assert issued.get_content() == "L-2026-0001: hello"
    assert len(post.to(office.boss)) == 1  # what they did themselves they are not told
    assert set(await post.states()) == {"sent"}


async def test_a_letter_has_its_own_return_path_and_its_readers_own_token(post: Post) -> None:
    await post.write("letter hello")
    one, other = post.outside.letters
    assert one.sender != other.sender
    assert one.sender.startswith("quote+b-")
    assert one.private
    first, second = post.to(post.office.asker)[0], post.to(post.office.boss)[0]
    assert first["Reply-To"] != second["Reply-To"]
    assert tokens.token_in(post.box, first["Reply-To"]) is not None
    assert first["From"] == "見積 Miyabi <quote@miyabi.example>"
    assert first["Auto-Submitted"] == "auto-generated"


async def test_a_question_is_asked_with_its_choices_and_how_to_answer(post: Post) -> None:
    asked = await post.write("letter ?")
    [letter] = post.to(post.office.asker)
    text = said(letter)
    assert "Which tone?" in text
    assert "1. warm" in text
    assert "reply to this mail" in text
    await post.write("1", thread="<mail-1@acme.example>")
    assert await post.office.state(asked.task_id) == "waiting:approval"


async def test_what_is_too_large_for_a_letter_is_opened_by_a_link(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(letters, "MOST_BYTES", 3)
    asked = await post.write("letter hello")
    [wanted] = post.to(post.office.boss)
    assert list(wanted.iter_attachments()) == []
    assert f"draft-{asked.reference}.txt: https://miyabi.example/d/" in said(wanted)
    assert f">draft-{asked.reference}.txt</a>" in said(wanted, "html")


async def test_without_a_server_to_send_by_it_is_told_elsewhere(post: Post) -> None:
    await post.office.execute("update mailboxes set settings = settings - 'smtp'")
    await post.write("letter ?")
    assert "no server to send by" in post.office.wall.showing("Which tone?").text
    assert await post.states() == []
