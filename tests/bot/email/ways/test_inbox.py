"""Mail is stored with its bytes, once in each mailbox."""

import asyncio
from hashlib import sha256

import asyncpg  # type: ignore[import-untyped]
import pytest

from bot.email.inbox import WAKES, Come, Read, message_id, store, store_all
from tests.bot.email.ways.conftest import Post

RAW = b"From: a@example.jp\r\nMessage-ID:\r\n <one@example.jp>\r\n\r\n\x1b$B\x00\xff\r\n"
_LOST = "\N{REPLACEMENT CHARACTER}"


async def test_a_mail_is_stored_with_its_bytes_and_its_event(post: Post) -> None:
    id = await store(
        post.house, post.box, RAW, came_by="lmtp", envelope_from="", envelope_to=["Q+x@m.example"]
    )

    [row] = await post.rows("select * from mails")
    assert row.id == id
    assert (row.organisation_id, row.mailbox_id) == (post.box.organisation_id, post.box.id)
    assert (row.state, row.came_by, row.size) == ("received", "lmtp", len(RAW))
    assert (row.envelope_from, row.envelope_to) == ("", ["Q+x@m.example"])
    assert (row.message_id, row.sha256) == ("<one@example.jp>", sha256(RAW).hexdigest())
    assert await post.contents() == [RAW]
    [event] = [event for event in post.office.bell.events if event.tag == "intake:mail:received"]
    assert (event.stream, event.data["sha256"]) == (id, row.sha256)


async def test_the_same_mail_is_stored_once_in_each_mailbox(post: Post) -> None:
    other = await post.another_box("info@miyabi.example")

    both = [await store(post.house, box, RAW, came_by="smtp") for box in (post.box, other)]
    again = [await store(post.house, box, RAW, came_by="imap", uid=7) for box in (post.box, other)]

    assert None not in both
    assert again == [None, None]
    assert await post.contents() == [RAW, RAW]


async def test_of_several_at_once_each_is_stored_once_whoever_else_does(post: Post) -> None:
    mails = [Come(RAW + b"%d" % (n // 2), n, 1) for n in range(10)]
    read = Read("INBOX", 1, 9)

    stored = await asyncio.gather(
        *(store_all(post.house, post.box, mails, came_by="imap", read=read) for _ in range(3))
    )

    assert len([id for ids in stored for id in ids if id]) == 5
    assert sorted(await post.contents()) == [RAW + b"%d" % n for n in range(5)]
    [folder] = await post.rows("select folder, uidvalidity, last_uid from mail_folders")
    assert tuple(folder) == ("INBOX", 1, 9)


async def test_of_a_mail_that_is_too_large_the_whole_size_is_kept(post: Post) -> None:
    await store(post.house, post.box, RAW, came_by="imap", uid=1, whole_size=10**9)

    [row] = await post.rows("select size from mails")
    assert row.size == 10**9


async def test_whoever_listens_is_woken_at_the_commit(post: Post, database_url: str) -> None:
    woken = asyncio.Event()
    listener = await asyncpg.connect(database_url.replace("+asyncpg", ""))
    await listener.add_listener(WAKES, lambda *_: woken.set())
    try:
        await store(post.house, post.box, RAW, came_by="file")
        await asyncio.wait_for(woken.wait(), 10)
    finally:
        await listener.close()


@pytest.mark.parametrize(
    ("header", "said"),
    [
        (b"Message-Id: <a@b>\n\nx", "<a@b>"),
        (b"X: y\r\nMESSAGE-ID:<a@b> (c)\r\n\r\n", "<a@b>"),
        (b"Subject: x\n\nMessage-ID: <in@the.body>\n", None),
        (b"Message-ID: none\r\n\r\n", None),
        (b"Message-ID: <\x00\xe3\x81@b>\r\n\r\n", f"<{_LOST * 2}@b>"),
        (b"Message-ID: <" + b"a" * 2000 + b">\r\n\r\n", None),
        (b"", None),
    ],
)  # fmt: skip
def test_the_message_id_is_what_the_header_says(header: bytes, said: str | None) -> None:
    assert message_id(header) == said
