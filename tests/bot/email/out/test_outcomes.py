"""What becomes of a letter however its server behaves: sent once, later, never, or nobody knows."""

import pytest

from bot.email import labels, outbound
from bot.email.smtp import status_of
from tests.bot.email.out.post import Post, said
from tests.fakes.mail.smtp import DROP, HANG, TAKE_AND_DROP, Stage


async def _deliveries(post: Post, slot: str = "card:%") -> list[str]:
    async with post.office.house.engine.connect() as connection:
        rows = await connection.exec_driver_sql(
            f"select state from deliveries where slot like '{slot}'"
            " and call is not null order by id"
        )
        return [row.state for row in rows]


async def _bounces(post: Post) -> int:
    row = await post.office.row("select coalesce(sum(bounces), 0) as n from mail_addresses", {})
    return int(row.n)


async def test_what_was_not_taken_now_is_sent_later_and_once(post: Post) -> None:
    answers: list[tuple[Stage, str]] = [
        ("MAIL", "451 4.3.0 try again"),
        ("MAIL", "550 5.7.60 not allowed to send as"),
        ("RCPT", "450 4.2.1 greylisted"),
        ("RCPT", DROP),
        ("DATA", "452 4.3.1 no room"),
        ("MAIL", "421 4.3.2 closing"),
    ]
    for sent, (stage, answer) in enumerate(answers):
        # Twice: what breaks on a kept connection is tried on a new one at once.
        post.outside.answers = {stage: [answer, answer]}
        asked = await post.write("letter ?")
        assert await post.states() == ["sent"] * sent, answer
        post.outside.answers = {}
        await post.tell(asked)
        assert len(post.to(post.office.asker)) == sent + 1
        assert await post.states() == ["sent"] * (sent + 1)
    assert await _bounces(post) == 0


async def test_what_never_will_be_taken_is_told_elsewhere_in_the_servers_words(post: Post) -> None:
    answers: list[tuple[Stage, str, int]] = [
        ("RCPT", "550 5.1.1 no such user", 1),
        ("RCPT", "550 5.7.1 your network is blocked", 1),
        ("DATA", "554 5.6.0 looks like spam", 1),
        ("RCPT", "550 nobody here", 2),
    ]
    for stage, answer, bounces in answers:
        post.outside.answers = {stage: [answer]}
        await post.write("letter ?")
        row = (await post.rows("state, error"))[-1]
        assert (row.state, answer in row.error) == ("failed", True)
        assert answer in post.office.wall.texts()[-1]
        assert await _bounces(post) == bounces
    assert post.outside.letters == []


async def test_a_letter_that_may_have_been_taken_is_not_sent_again(post: Post) -> None:
    office = post.office
    for taken in (True, False):
        post.outside.letters.clear()
        post.outside.answers = {"DATA": [TAKE_AND_DROP if taken else DROP]}
        asked = await post.write("letter ?")
        await post.tell(asked)
        await post.tell(asked)
        assert set(await _deliveries(post, "question:%")) == {"unknown"}
        # A person is asked, and can say it in an answer.
        assert "Send again" in said(post.to(office.asker)[-1])
        assert len(post.outside.letters) == 1 + taken
    notice = (await post.rows("id"))[-1].id
    for line in ("「Send again」", "send again."):
        click = await labels.click_for(office.house, office.organisation.id, notice, line)
        assert click is not None
        assert click.action == "resend"
    for line in ("please send again", "", "It was"):
        found = await labels.click_for(office.house, office.organisation.id, notice, line)
        assert found is None


async def test_a_slow_server_is_not_given_the_letter_twice(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbound, "_GIVES_UP", 0.3)
    post.outside.answers = {"DATA": [HANG]}
    asked = await post.write("letter ?")
    assert await post.states() == ["sending"]
    await post.tell(asked)  # under way still
    assert await post.states() == ["sending"]
    await post.office.execute("update letters set lease_until = now()")
    await post.tell(asked)
    assert "unknown" in await post.states()
    assert await _deliveries(post, "question:%") == ["unknown"]


async def test_what_was_queued_when_a_process_died_is_sent_once(post: Post) -> None:
    post.outside.answers = {"DATA": [TAKE_AND_DROP]}
    asked = await post.write("letter ?")
    await post.office.execute("update letters set state = 'queued', error = null")
    post.outside.letters.clear()
    await post.tell(asked)
    assert len(post.to(post.office.asker)) == 1
    assert await post.states() == ["sent"]
    await post.tell(asked)
    assert len(post.to(post.office.asker)) == 1


def test_a_status_is_found_in_a_servers_words() -> None:
    assert status_of("5.1.1 <a@b>: no such user") == "5.1.1"
    assert status_of("mail from 10.5.1.1 refused") == ""
