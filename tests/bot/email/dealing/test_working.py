"""Whatever ends in between: each mail once, and the next one goes on."""

import asyncio
import contextlib
from dataclasses import replace

import pytest

from bot.email.child import Poison
from bot.email.claims import TRIES, claim
from bot.email.dealing import deal
from bot.email.reading.mail import Mail
from bot.email.reading.parse import read_mail
from bot.email.working import Working, deal_with
from core.errors import LostLease
from tests.bot.email.dealing.post import Post, written


class Choking:
    """Reads, but for mails with poison in them."""

    async def read(self, raw: bytes) -> Mail:
        if b"poison" in raw:
            raise Poison("it took too long")
        return read_mail(raw)


async def test_a_process_that_ends_anywhere_leaves_one_task_and_one_answer(post: Post) -> None:
    for number in range(12):
        raw = written(
            "letter hello", subject=f"letter {number}", message_id=f"<{number}@acme.example>"
        )
        mail_id = await post.store(raw)
        came = await claim(post.office.house.engine, mail_id)
        assert came is not None
        trying = asyncio.create_task(deal(post.door, came))
        await asyncio.sleep(number * 0.003)
        trying.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await trying
        await post.office.execute("update mails set lease_until = now() - interval '1 second'")
        await post.deal(mail_id)

    assert await post.count("tasks") == await post.count("inbound") == 12
    assert await post.count("mails", "state = 'done'") == 12


async def test_who_was_stopped_for_long_writes_nothing_any_more(post: Post) -> None:
    mail_id = await post.store(written())
    slow = await claim(post.office.house.engine, mail_id)
    assert slow is not None
    await post.office.execute("update mails set lease_until = now() - interval '1 second'")
    quick = await claim(post.office.house.engine, mail_id)
    assert quick is not None
    await deal_with(post.door, quick)

    with pytest.raises(LostLease):
        await deal(post.door, slow)
    assert await post.count("tasks") == 1


async def test_a_try_in_vain_that_ends_too_late_changes_nothing(post: Post) -> None:
    post.door = replace(post.door, readers=Choking())
    mail_id = await post.store(written("poison"))
    slow = await claim(post.office.house.engine, mail_id)
    assert slow is not None
    await post.office.execute("update mails set lease_until = now() - interval '1 second'")
    assert await claim(post.office.house.engine, mail_id) is not None

    assert await deal_with(post.door, replace(slow, attempts=TRIES)) is None
    assert await post.state(mail_id) == "received"


async def test_a_poison_mail_is_put_away_and_the_next_goes_on(post: Post) -> None:
    post.door = replace(post.door, readers=Choking())
    poison = await post.store(written("poison"))
    good = await post.store(written(message_id="<2@acme.example>"))
    for _ in range(TRIES):
        await post.office.execute("update mails set next_at = now()")
        await post.try_once(poison)
    await post.try_once(good)

    assert await post.state(poison) == "quarantined"
    assert await post.state(good) == "done"
    [row] = await post.rows("select error, reason from mails where state = 'quarantined'")
    assert (row.reason, "too long" in row.error) == ("unreadable", True)
    assert await post.count("mail_bytes") == 1


async def test_a_mail_that_ends_every_process_is_put_away(post: Post) -> None:
    mail_id = await post.store(written())
    for _ in range(TRIES):
        assert await claim(post.office.house.engine, mail_id) is not None
        await post.office.execute("update mails set lease_until = now() - interval '1 second'")
    await post.try_once(mail_id)

    assert await post.state(mail_id) == "quarantined"
    assert await post.count("tasks") == 0


async def test_mails_are_dealt_with_as_they_come(post: Post) -> None:
    working = asyncio.create_task(Working(post.door).run())
    for number in range(5):
        await post.store(written(message_id=f"<{number}@acme.example>"))
    async with asyncio.timeout(30):
        while await post.count("mails", "state = 'done'") < 5:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    working.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await working

    assert await post.count("tasks") == 5


async def test_bytes_that_are_not_those_that_came_are_never_read(post: Post) -> None:
    mail_id = await post.store(written())
    await post.office.execute("update mail_bytes set content = content || 'x'")
    for _ in range(TRIES):
        await post.deal(mail_id)
        await post.office.execute("update mails set next_at = now()")

    assert await post.count("mails", "state = 'quarantined'") == 1
    assert await post.count("tasks") == 0
