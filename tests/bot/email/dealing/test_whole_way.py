"""From a mail to the mail that answers it, with letters as they really are."""

from collections.abc import AsyncIterator
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path

import pytest

from bot.email import boxes
from bot.email.boxes import Trust
from bot.email.door import Door
from bot.email.verdicts import Outcome
from core.errors import Permanent
from core.settings import EmailSettings
from core.unit import unit
from notifier.topics import RETRY
from tests.bot.email.dealing.post import PROVIDER, Here, Post, no_dns, written
from tests.bot.email.out.post import Post as Letters
from tests.bot.email.out.post import open_checked_post, said


@pytest.fixture
async def letters(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Letters]:
    async with open_checked_post(database_url, tmp_path, monkeypatch) as letters:
        yield letters


@pytest.fixture
async def post(letters: Letters) -> Post:
    """Whoever deals with mails, beside the server that takes the letters."""
    house = letters.office.house
    box = replace(letters.box, trust=Trust(authserv_ids=(PROVIDER,)))
    async with unit(house) as work:
        await boxes.change(work, house, box)
    return Post(letters.office, box, Door(house, EmailSettings(), Here(), no_dns))


async def answer(post: Post, letter: EmailMessage, text: str, **more: object) -> Outcome:
    """Somebody answers a letter, as their program does; what follows of it is worked out."""
    given: dict[str, object] = {
        "sender": letter["To"],
        "to": letter["Reply-To"],
        "subject": f"Re: {letter['Subject']}",
        "references": [*str(letter["References"] or "").split(), letter["Message-ID"]],
        "message_id": f"<re-{abs(hash(text))}@acme.example>",
    }
    quoted = "\n".join(f"> {line}" for line in said(letter).splitlines())
    content = f"{text}\n\nOn Thu, 26 Nov 2026 Miyabi <{post.box.address}> wrote:\n{quoted}\n"
    outcome = await post.take(written(content, **{**given, **more}))  # type: ignore[arg-type]
    await post.office.work()
    return outcome


async def test_a_request_by_mail_is_approved_by_mail_and_answered_in_its_thread(
    post: Post, letters: Letters
) -> None:
    office = post.office
    await office.execute("delete from accounts where platform = 'wall'")
    asked = await post.take(written("letter hello", subject="A letter", to=post.box.address))
    await office.work()
    [to_decide] = letters.to(office.boss)

    decided = await answer(post, to_decide, "OK")

    assert (decided.reason, decided.task_id) == ("decided", asked.task_id)
    assert await office.state(asked.task_id) == "done"
    result = letters.to(office.asker)[-1]
    assert f"#{asked.reference}" in result["Subject"]
    assert result["In-Reply-To"]
    assert "<1@acme.example>" in result["References"]
    assert [part.get_filename() for part in result.iter_attachments()]


async def test_an_answer_to_an_older_letter_decides_nothing_on_the_new_content(
    post: Post, letters: Letters
) -> None:
    office = post.office
    await office.execute("delete from accounts where platform = 'wall'")
    asked = await post.take(written("letter hello", subject="A letter", to=post.box.address))
    await office.work()
    [older] = letters.to(office.boss)
    draft = letters.to(office.asker)[-1]
    revised = await answer(post, draft, "revise letter goodbye")

    outcome = await answer(post, older, "OK")

    assert (revised.reason, revised.task_id) == ("continued", asked.task_id)
    assert outcome.reason == "answered"
    assert await post.count("decisions") == 0


async def test_a_forwarded_letter_lets_nobody_else_decide(post: Post, letters: Letters) -> None:
    office = post.office
    await office.execute("delete from accounts where platform = 'wall'")
    await post.take(written("letter hello", subject="A letter", to=post.box.address))
    await office.work()
    [to_decide] = letters.to(office.boss)

    outcome = await answer(post, to_decide, "OK", sender="asker@acme.example")

    assert outcome.reason != "decided"
    assert await post.count("decisions") == 0


async def test_a_label_that_a_letter_shows_is_pressed_by_typing_it(
    post: Post, letters: Letters
) -> None:
    office = post.office
    await office.execute("delete from accounts where platform = 'wall'")
    office.trouble.errors = [Permanent("no paper")]
    asked = await post.take(written("letter hello", subject="A letter", to=post.box.address))
    await office.work()
    assert (await office.state(asked.task_id)).startswith("failed")
    [failed] = letters.to(office.asker)

    outcome = await answer(post, failed, RETRY.en)

    assert (outcome.reason, outcome.task_id) == ("continued", asked.task_id)
    assert await office.state(asked.task_id) == "waiting:approval"
