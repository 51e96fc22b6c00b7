"""Mailboxes are read by IMAP: at a real dovecot, and at one that something stands in front of."""

import asyncio
import re
import smtplib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import asyncpg  # type: ignore[import-untyped]
import pytest

from bot.email import boxes, imap, inbox
from bot.email.boxes import Box, Security, Server
from bot.email.imap import Keeping
from bot.email.imap_session import fetched
from bot.email.imap_watch import Pace, Watch
from bot.email.inbox import Come, Read
from bot.email.oauth import Tokens
from core.db import create_engine
from core.unit import unit
from tests.bot.email.ways.conftest import Folder, Post, seen
from tests.fakes.mail.between import between

SMALL = 4096  # bytes that a mail may have in most of these tests
# The server tells by IDLE within a second. What is looked into in any case, is not in these tests.
PACE = Pace(idles=30, idles_near=30, looks=60, first_wait=0.05, most=0.1, refused=0.1)


def mail(number: int, more: bytes = b"") -> bytes:
    return (
        b"Message-ID: <%d@b>\r\nSubject: \xe6\xb3\x95 x\r\n\r\nhello %d\r\n" % (number, number)
        + more
    )


@asynccontextmanager
async def watching(post: Post, box: Box, pace: Pace = PACE) -> AsyncIterator[Watch]:
    watch = Watch(box, Keeping(post.house, box, Tokens(post.house)), SMALL, pace)
    try:
        yield watch
    finally:
        await watch.stop()
        assert not watch.alive


async def test_what_lies_there_and_what_comes_is_stored_and_then_marked_as_read(
    folder: Folder,
) -> None:
    await folder.append(mail(1), mail(2))
    async with watching(folder.post, await folder.box()):
        await folder.post.until(2)
        await folder.append(mail(3))
        stored = await folder.post.until(3)
        await folder.until("UNSEEN", 0)

    assert stored == [mail(1), mail(2), mail(3)]
    rows = await folder.post.rows("select came_by, uid, message_id from mails order by uid")
    assert [tuple(row) for row in rows] == [("imap", n, f"<{n}@b>") for n in (1, 2, 3)]


async def test_what_is_delivered_to_the_server_by_lmtp_comes_too(folder: Folder) -> None:
    def deliver() -> None:
        with smtplib.LMTP("127.0.0.1", folder.dovecot.lmtp) as client:
            client.sendmail("a@example.jp", [folder.user], mail(1))

    async with watching(folder.post, await folder.box()):
        await asyncio.to_thread(deliver)
        [stored] = await folder.post.until(1)

    assert stored.startswith(b"Return-Path: <a@example.jp>\r\nDelivered-To: ")
    assert stored.endswith(mail(1))


async def test_what_was_stored_is_moved_where_that_is_wanted(folder: Folder) -> None:
    await folder.append(mail(1), mail(2))
    async with watching(folder.post, await folder.box(moves_to="済み")):
        await folder.post.until(2)
        await folder.until("ALL", 0)
        await folder.append(mail(3))
        await folder.until("ALL", 3, "済み")


async def test_without_move_others_mails_that_are_marked_for_deletion_stay(folder: Folder) -> None:
    await folder.append(mail(1))
    with folder.dovecot.mailbox(folder.user) as theirs:
        theirs.client.uid("STORE", "1", "+FLAGS", r"(\Deleted \Seen)")
        await folder.append(mail(2))
        with between(folder.dovecot.imap, (b" MOVE ", b" XYZ ")) as front:
            async with watching(folder.post, await folder.box(front.port, moves_to="Done")):
                await folder.until("ALL", 1, "Done")
                await folder.until("ALL", 1)

    assert len(await folder.numbers("DELETED")) == 1


async def test_of_a_mail_that_is_too_large_only_the_header_is_fetched(folder: Folder) -> None:
    large = mail(1, b"x" * 70 + b"\r\n" * SMALL)
    await folder.append(large, mail(2))
    async with watching(folder.post, await folder.box()):
        stored = await folder.post.until(2)

    assert stored == [large[: large.index(b"hello")], mail(2)]
    [row] = await folder.post.rows("select size from mails where uid = 1")
    assert row.size == len(large)


async def test_nothing_is_lost_or_doubled_when_all_numbers_are_new(folder: Folder) -> None:
    """The folder is made anew, while nobody watches: another UIDVALIDITY."""
    await folder.append(mail(1), mail(2), folder="Work")
    box = await folder.box(folder="Work")
    async with watching(folder.post, box):
        await folder.post.until(2)
    with folder.dovecot.mailbox(folder.user) as session:
        session.folder.delete("Work")
    await asyncio.sleep(1.1)  # its number is the time in seconds
    await folder.append(mail(2), mail(3), folder="Work", seen=True)
    await folder.append(mail(1), folder="Work")

    async with watching(folder.post, box):
        stored = await folder.post.until(3)
        await folder.until("UNSEEN", 0, "Work")

    assert stored == [mail(1), mail(2), mail(3)]
    [validity] = await folder.post.rows("select count(distinct uidvalidity) as n from mails")
    assert validity.n == 2


async def test_what_was_read_before_the_mailbox_was_added_is_left_alone(folder: Folder) -> None:
    await folder.append(mail(1), seen=True)
    await folder.append(mail(2))
    box = await folder.box()
    await folder.post.rows(
        "update mailboxes set created_at = now() + interval '3 days' returning 1"
    )
    async with watching(folder.post, box):
        await folder.post.until(1)
        await folder.append(mail(3), seen=True)
        stored = await folder.post.until(2)

    assert stored == [mail(2), mail(3)]


@pytest.mark.parametrize("unread", [(), (2,)], ids=["all of it", "all but one below"])
async def test_a_first_look_takes_no_read_mail_however_it_lies_and_however_it_ends(
    folder: Folder, unread: tuple[int, ...]
) -> None:
    for number in range(1, 6):
        await folder.append(mail(number), seen=number not in unread)
    box = await folder.box()
    await folder.post.rows(
        "update mailboxes set created_at = now() + interval '3 days' returning 1"
    )
    with folder.dovecot.mailbox(folder.user) as session:
        validity = int(session.folder.status("INBOX", ["UIDVALIDITY"])["UIDVALIDITY"])
    # An earlier first look was cut off after it had stored what it found first.
    come = [Come(mail(number), number, validity) for number in unread]
    await inbox.store_all(
        folder.post.house, box, come, came_by="imap", read=Read("INBOX", validity, 0)
    )
    async with watching(folder.post, box, replace(PACE, idles_near=0.2, looks=0.2)):
        await asyncio.sleep(0.6)
        await folder.append(mail(6))
        stored = await folder.post.until(len(unread) + 1)

    assert stored == [*map(mail, unread), mail(6)]


async def test_a_crash_between_storing_and_marking_doubles_nothing(folder: Folder) -> None:
    await folder.append(mail(1), mail(2), mail(3))
    box = await folder.box()
    with folder.dovecot.mailbox(folder.user) as session:
        validity = int(session.folder.status("INBOX", ["UIDVALIDITY"])["UIDVALIDITY"])
    read = Read("INBOX", validity, 3)  # the third was passed by and never stored
    come = [Come(mail(n), n, validity) for n in (1, 2)]
    await inbox.store_all(folder.post.house, box, come, came_by="imap", read=read)

    async with watching(folder.post, box):
        stored = await folder.post.until(3)
        await folder.until("UNSEEN", 0)

    assert stored == [mail(1), mail(2), mail(3)]


async def test_nothing_is_marked_that_is_not_stored(folder: Folder) -> None:
    class Away(Keeping):
        tries = 0

        async def store(self, mails: Sequence[Come], read: Read) -> set[int]:
            Away.tries += 1
            raise OSError("the database is away")

    await folder.append(mail(1))
    box = await folder.box()
    watch = Watch(box, Away(folder.post.house, box, Tokens(folder.post.house)), SMALL, PACE)
    await seen(lambda: Away.tries > 2)
    await watch.stop()

    assert len(await folder.numbers("UNSEEN")) == 1
    [row] = await folder.post.rows("select error from mail_folders")
    assert row.error == "the database is away"


@pytest.mark.parametrize("end", ["bye", "cut", "silence"])
async def test_it_connects_again_whatever_ends_a_connection(folder: Folder, end: str) -> None:
    with between(folder.dovecot.imap) as front:
        box = await folder.box(front.port)
        pace = replace(PACE, idles_near=0.3, answers=0.3) if end == "silence" else PACE
        async with watching(folder.post, box, pace):
            await folder.append(mail(1))
            await folder.post.until(1)
            await seen(lambda: front.heard.endswith(b"IDLE\r\n"))
            if end == "bye":
                front.say(b"* BYE Server shutting down.\r\n")
            elif end == "cut":
                front.cut()
            else:
                front.go_deaf()
            await folder.append(mail(2))
            stored = await folder.post.until(2)

    assert stored == [mail(1), mail(2)]
    assert front.connections >= 2


@pytest.mark.parametrize(
    ("says", "hears"),
    [
        ((b" IDLE ", b" XYZW "), ()),  # it has none
        ((), (b" IDLE", b" XYZW")),  # it says that it has, and knows nothing of it
        ((b"+ idling", b"* 99 EXISTS\r\n+ idling"), ()),  # it has more to say at that moment
        ((b" BODY[] {", b" FLAGS () BODY[] {"), ()),
    ],
    ids=["no idle", "idle refused", "more before idle", "more attributes"],
)
async def test_servers_of_other_kinds_are_read_too(
    folder: Folder, says: tuple[bytes, bytes], hears: tuple[bytes, bytes]
) -> None:
    with between(folder.dovecot.imap) as front:
        front.changes, front.theirs = (says,) if says else (), (hears,) if hears else ()
        pace = replace(PACE, idles_near=0.3, looks=0.3)
        async with watching(folder.post, await folder.box(front.port), pace):
            await folder.append(mail(1))
            await folder.post.until(1)
            await folder.append(mail(2))
            assert await folder.post.until(2) == [mail(1), mail(2)]
    assert front.connections == 1


async def test_a_mail_that_the_server_can_not_give_holds_up_no_other(folder: Folder) -> None:
    """dovecot finds the file of the second one empty, says NO and closes the line."""
    await folder.append(mail(1), mail(2), mail(3))
    for file in (folder.dovecot.folder / "mail" / folder.user).rglob("u.2"):
        file.write_bytes(b"")
    async with watching(folder.post, await folder.box()):
        stored = await folder.post.until(2)

    assert stored == [mail(1), mail(3)]


async def test_a_refused_login_is_shown_and_tried_again(folder: Folder) -> None:
    box = await folder.box()
    wrong = replace(box, secrets={"imap_password": "wrong"})
    async with watching(folder.post, wrong):
        rows = await folder.post.shown("select error from mail_folders")
    assert "Authentication failed" in rows[0].error

    await folder.append(mail(1))
    async with watching(folder.post, box):
        await folder.post.until(1)
    [row] = await folder.post.rows("select error from mail_folders")
    assert row.error is None


@pytest.mark.parametrize("security", ["tls", "starttls"])
async def test_the_line_is_secured_and_the_server_has_to_be_who_it_says(
    folder: Folder, security: Security, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = folder.dovecot.imaps if security == "tls" else folder.dovecot.imap
    box = await folder.box(imap=Server("127.0.0.1", port, folder.user, security))
    await folder.append(mail(1))
    async with watching(folder.post, box):
        rows = await folder.post.shown("select error from mail_folders")
    assert "certificate verify failed" in rows[0].error

    monkeypatch.setenv("SSL_CERT_FILE", str(folder.dovecot.authorities))
    async with watching(folder.post, box):
        await folder.post.until(1)


async def test_a_mailbox_is_opened_with_a_token_and_a_refused_one_is_forgotten(
    folder: Folder,
) -> None:
    tokens = [folder.dovecot.token_of("somebody-else"), folder.dovecot.token_of(folder.user)]
    forgotten = []

    class Tokened(Keeping):
        async def token(self) -> str | None:
            return tokens[0]

        async def refused(self) -> None:
            forgotten.append(tokens.pop(0))

    server = Server("127.0.0.1", folder.dovecot.imap, folder.user, "none", oauth2=True)
    box = await folder.box(imap=server)
    await folder.append(mail(1))
    keeps = Tokened(folder.post.house, box, Tokens(folder.post.house))
    watch = Watch(box, keeps, SMALL, PACE)
    await folder.post.until(1)
    await watch.stop()

    assert forgotten == ["somebody-else-token"]


async def test_a_password_may_have_any_characters(folder: Folder) -> None:
    box = await folder.box(secrets={"imap_password": '合言葉"\\'})
    async with watching(folder.post, box):
        rows = await folder.post.shown("select error from mail_folders")

    assert "AUTHENTICATIONFAILED" in rows[0].error


async def test_one_process_watches_and_another_takes_over(
    folder: Folder, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imap, "_LOOKS", 0.05)
    with between(folder.dovecot.imap) as front:
        house, engines = folder.post.house, [create_engine(database_url) for _ in range(2)]
        houses = [replace(house, engine=engine) for engine in engines]
        tasks = [asyncio.create_task(imap.watch(each, SMALL, PACE)) for each in houses]
        box = await folder.box(front.port)
        await folder.append(mail(1))
        await folder.post.until(1)
        await asyncio.sleep(0.2)
        assert front.connections == 1

        await _end_the_holder(database_url)
        await seen(lambda: front.connections == 2)
        await folder.append(mail(2))
        await folder.post.until(2)

        secrets = {**box.secrets, "refresh_token": "another"}
        async with unit(house) as work:
            await boxes.change(work, house, replace(box, secrets=secrets))
        await asyncio.sleep(0.2)
        assert front.connections == 2
        async with unit(house) as work:
            await boxes.change(work, house, replace(box, moves_to="Done"))
        await seen(lambda: front.connections == 3)
        async with unit(house) as work:
            await boxes.remove(work, box)
        await seen(lambda: front.heard.rstrip().endswith(b"LOGOUT"))
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for engine in engines:
            await engine.dispose()


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ([(b"1 (UID 5 BODY[] {3}", b"a)b"), b")"], [(5, b"a)b")]),
        ([(b"1 (BODY[] {3}", b"abc"), b" UID 5)"], [(5, b"abc")]),
        ([b"2 (FLAGS (\\Seen))", (b"1 (UID 5 BODY[] {0}", b""), b")"], [(None, None), (5, b"")]),
        ([rb'1 (UID 5 BODY[] "a\"\\b")'], [(5, rb"a\"\b".replace(b'\\"', b'"'))]),
        ([b"1 (BODY[HEADER]<0> NIL UID 5)", None], [(5, b"")]),
        ([(b"1 (UID 5 BODY[] {5}", b"1 (UI"), b")", b"3 (UID 7)"], [(5, b"1 (UI"), (7, None)]),
        ([b'1 (BODY[] "UID 9" UID 5)'], [(5, b"UID 9")]),
    ],
)  # fmt: skip
def test_mails_are_told_apart_however_a_server_puts_them(
    said: list[object], read: list[tuple[int | None, bytes | None]]
) -> None:
    found = list(fetched(said))

    numbers = [re.search(rb"UID (\d+)", attributes) for attributes, _ in found]
    assert [
        (int(n[1]) if n else None, content) for n, (_, content) in zip(numbers, found, strict=True)
    ] == read


async def _end_the_holder(database_url: str) -> None:
    """End the database's session that has the lock."""
    owner = await asyncpg.connect(database_url.replace("+asyncpg", ""))
    try:
        await owner.execute(
            "select pg_terminate_backend(l.pid) from pg_locks l"
            " join pg_database d on d.oid = l.database"
            " where d.datname = current_database() and locktype = 'advisory' and granted"
        )
    finally:
        await owner.close()
