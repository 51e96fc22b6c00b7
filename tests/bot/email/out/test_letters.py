"""Answers to mails are written with what they answer, to whom they may be, and no more often."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from bot.email import handing_over, tokens
from bot.email.sending import send_waiting
from core.documents import Files
from core.ids import new_id
from core.ports import TooLarge
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


@asynccontextmanager
async def _sending(post: Post, *states: str) -> AsyncIterator[None]:
    """Somebody sends until the letters are in these states."""
    sender = asyncio.create_task(send_waiting(post.opening))
    try:
        yield
        async with asyncio.timeout(20):
            while await post.states() != [*states]:  # noqa: ASYNC110  # nothing tells
                await asyncio.sleep(0.02)
    finally:
        sender.cancel()
        await asyncio.wait([sender])


async def test_answers_are_sent_by_whoever_waits_for_them(post: Post) -> None:
    async with _sending(post, "sent", "sent"):
        await post.answer("one", automatic=True)
        await post.answer("two")
    automatic, asked_for = sorted(post.outside.letters, key=lambda each: each.sender)
    assert automatic.sender == ""  # so that nothing ever comes back of it
    assert asked_for.sender.startswith("quote+b-")
    assert automatic.private


async def test_an_answer_is_tried_again_and_ends_with_the_servers_words(post: Post) -> None:
    post.outside.answers = {"RCPT": ["450 4.2.1 later"], "DATA": ["554 5.7.1 no, thank you"]}
    await post.answer("one")
    async with _sending(post, "queued"):
        async with asyncio.timeout(20):
            while not (await post.rows("error"))[0].error:  # noqa: ASYNC110  # likewise
                await asyncio.sleep(0.02)
    [row] = await post.rows("attempts, error, next_at > now() + interval '10 seconds' as later")
    assert (row.attempts, row.later) == (1, True)
    assert "450 4.2.1 later" in row.error
    await post.office.execute("update letters set next_at = now()")
    async with _sending(post, "failed"):
        pass
    assert "554 5.7.1 no, thank you" in (await post.rows("error"))[0].error
    assert post.outside.letters == []


async def test_an_answer_whose_sender_died_is_not_sent_again(post: Post) -> None:
    await post.answer("one")
    await post.answer("two")
    await post.office.execute(
        "update letters set state = 'sending', lease_until = now() where id in"
        " (select id from letters order by id limit 1)"
    )
    async with _sending(post, "unknown", "sent"):
        pass
    assert len(post.outside.letters) == 1


async def test_whoever_fails_before_handing_over_takes_no_letter_from_who_does(post: Post) -> None:
    assert await post.answer() is not None
    house = post.office.house
    [late] = await handing_over.claim(house, 1)
    await post.office.execute("update letters set lease_until = now() - interval '1 second'")
    [letter] = await handing_over.claim(house, 1)
    await handing_over.begin(house, letter)

    await handing_over.later(house, late, "421 too many connections", timedelta(0))
    async with unit(house) as work:
        assert not await handing_over.failed(work, late, "550 no such user", 550)

    assert await post.states() == ["sending"]
    await handing_over.sent(house, letter)
    assert await post.states() == ["sent"]


async def test_no_address_of_anybodys_gets_into_a_header(post: Post) -> None:
    for address in (
        "a@b\r\nBcc: c@d.example",
        "a b@c.example",
        "<a@b.example>",
        "あ@b.example",
        "",
    ):
        assert await post.answer(to=address) is None


async def test_files_of_mails_are_had_by_their_hash_from_the_own_store(post: Post) -> None:
    organisation_id = post.office.organisation.id
    sha256 = await Files(post.office.house, organisation_id).put(b"receipt", "text/plain")
    fetch = post.outbound.fetch
    assert await fetch(organisation_id, "acme", sha256, 7) == b"receipt"
    with pytest.raises(TooLarge):
        await fetch(organisation_id, "acme", sha256, 6)
    with pytest.raises(LookupError):
        await fetch(new_id(), "acme", sha256, 7)
    with pytest.raises(LookupError):
        await fetch(organisation_id, "acme", "0" * 64, 7)
