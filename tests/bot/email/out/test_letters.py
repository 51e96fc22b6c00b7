"""Answers to mails are written with what they answer, to whom they may be, and no more often."""

import asyncio

from bot.email import tokens
from bot.email.sending import send_waiting
from core.unit import unit
from tests.bot.email.out.post import Post, said


async def test_an_answer_says_what_it_answers_and_that_a_program_wrote_it(post: Post) -> None:
    asked = await post.office.say("letter hello")
    assert asked.reference is not None
    asker = post.office.asker
    letter_id = await post.answer(
        "See #1", to="asker@acme.example", task_id=asked.task_id, person_id=asker.id
    )
    assert letter_id is not None
    [row] = await post.rows()
    assert (row.id, row.state, row.recipient) == (letter_id, "queued", "asker@acme.example")
    [letter] = await post.contents()
    assert letter["Subject"] == f"Re: [#{asked.reference}] 見積のお願い"
    assert letter["In-Reply-To"] == "<second@else.example>"
    assert letter["References"].split() == ["<first@else.example>", "<second@else.example>"]
    assert letter["Auto-Submitted"] == "auto-replied"
    assert letter["Message-ID"] == row.message_id
    assert "See #1" in said(letter)
    assert "See #1" in said(letter, "html")
    # Its Reply-To is this task and person's, and nobody else's.
    token = tokens.token_in(post.box, letter["Reply-To"])
    assert token is not None
    async with post.office.house.engine.connect() as connection:
        found = await tokens.find_token(connection, token.upper())
    assert found is not None
    assert not found.expired
    assert (found.task_id, found.person_id) == (asked.task_id, asker.id)


async def test_a_task_and_person_have_one_token_until_it_is_old(post: Post) -> None:
    office, asked = post.office, await post.office.say("letter hello")
    assert asked.task_id is not None

    async def token() -> str:
        async with unit(office.house) as work:
            assert asked.task_id is not None
            return await tokens.token_for(
                work, office.house, office.organisation.id, asked.task_id, office.asker.id
            )

    async def expired(token: str) -> bool | None:
        async with office.house.engine.connect() as connection:
            found = await tokens.find_token(connection, token)
            return found.expired if found is not None else None

    first = await token()
    assert await token() == first
    await office.execute("update reply_tokens set expires_at = now() + interval '10 days'")
    assert await token() == first  # for longer
    row = await office.row("select expires_at - now() > interval '100 days' from reply_tokens", {})
    assert row[0]
    await office.execute("update reply_tokens set expires_at = now() - interval '1 day'")
    assert await expired(first) is True
    second = await token()
    assert second != first
    assert (await expired(first), await expired(second)) == (None, False)
    async with unit(office.house) as work:
        await tokens.revoke(work, office.organisation.id, office.asker.id)
    assert await expired(second) is None


async def test_who_is_answered_automatically_is_so_once_a_day(post: Post) -> None:
    assert await post.answer(automatic=True) is not None
    assert await post.answer(automatic=True) is None
    assert await post.answer(automatic=True, to="other@else.example") is not None
    assert await post.answer() is not None  # asked for
    await post.office.execute("update mail_addresses set answered_at = now() - interval '25 hours'")
    assert await post.answer(automatic=True) is not None


async def test_a_loop_ends_and_we_do_not_write_to_ourselves(post: Post) -> None:
    assert await post.answer(to="quote@miyabi.example") is None
    answered = [await post.answer() for _ in range(25)]
    assert answered.count(None) == 5
    await post.office.execute("update letters set created_at = now() - interval '2 hours'")
    assert await post.answer() is not None
    await post.office.execute(
        "insert into mail_addresses (organisation_id, address, paused_until)"
        f" values ('{post.office.organisation.id}', 'gone@else.example', now() + interval '1 day')"
    )
    assert await post.answer(to="gone@else.example") is None


async def test_answers_are_sent_by_whoever_waits_for_them(post: Post) -> None:
    sender = asyncio.create_task(send_waiting(post.opening))
    try:
        await post.answer("one", automatic=True)
        await post.answer("two")
        async with asyncio.timeout(20):
            while await post.states() != ["sent", "sent"]:  # noqa: ASYNC110  # nothing tells
                await asyncio.sleep(0.02)
    finally:
        sender.cancel()
    automatic, asked_for = sorted(post.outside.letters, key=lambda each: each.sender)
    assert automatic.sender == ""  # so that nothing ever comes back of it
    assert asked_for.sender.startswith("quote+b-")
    assert automatic.private
