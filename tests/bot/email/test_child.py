"""Mails are read in a child that is kept, and replaced where a mail was too much for it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.email.child import Poison, Readers

MAIL = b"From: a@example.jp\nSubject: hello\n\ntext"


@pytest.fixture
async def readers() -> AsyncIterator[Readers]:
    """One child, with less time than it has elsewhere."""
    found = Readers(1, time=timedelta(seconds=1), memory=200)
    yield found
    await found.close()


async def test_a_child_is_kept_and_several_may_ask_at_once(readers: Readers) -> None:
    mails = await asyncio.gather(
        *(readers.read(MAIL.replace(b"hello", b"%d" % n)) for n in range(9))
    )

    assert [each.subject for each in mails] == [str(number) for number in range(9)]
    assert len(readers.children) == 1


async def test_the_next_mail_goes_on_after_one_that_takes_all_memory() -> None:
    readers = Readers(1, memory=64)
    head = b"Content-Type: application/pdf\nContent-Transfer-Encoding: base64\n\n"
    with pytest.raises(Poison, match=r"MemoryError|died"):
        await readers.read(head + b"JVBERi0x" * 4_000_000)

    assert (await readers.read(MAIL)).subject == "hello"
    await readers.close()


async def test_the_next_mail_goes_on_after_one_whose_reader_was_killed(readers: Readers) -> None:
    await readers.read(MAIL)
    (child,) = readers.children
    reading = asyncio.ensure_future(readers.read(MAIL))
    child.process.kill()
    with pytest.raises(Poison, match="SIGKILL"):
        await reading

    assert (await readers.read(MAIL)).subject == "hello"


async def test_the_next_mail_goes_on_after_one_that_takes_too_long(readers: Readers) -> None:
    await readers.read(MAIL)
    (child,) = readers.children
    child.process.send_signal(19)  # SIGSTOP: it does nothing more, as one that reads for ever
    with pytest.raises(Poison, match="not read within 1 s"):
        await readers.read(MAIL)

    assert (await readers.read(MAIL)).subject == "hello"
    assert child.gone


async def test_mails_behind_one_that_ends_the_reader_go_to_another(readers: Readers) -> None:
    await readers.read(MAIL)
    (child,) = readers.children
    reading = [asyncio.ensure_future(readers.read(MAIL)) for _ in range(4)]
    await asyncio.sleep(0)
    child.process.kill()
    found = await asyncio.gather(*reading, return_exceptions=True)

    assert sum(isinstance(each, Poison) for each in found) <= 1
    assert [each.subject for each in found if not isinstance(each, BaseException)][:3] == [
        "hello"
    ] * 3


async def test_whoever_stops_waiting_gets_no_other_mails_answer(readers: Readers) -> None:
    await readers.read(MAIL)
    waiting = asyncio.ensure_future(readers.read(MAIL.replace(b"hello", b"first")))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)

    assert (await readers.read(MAIL)).subject == "hello"


async def test_a_child_knows_nothing_of_the_house(
    readers: Readers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIYABI_SECRET", "secret")
    await readers.read(MAIL)
    (child,) = readers.children

    environment = await asyncio.to_thread(Path(f"/proc/{child.process.pid}/environ").read_bytes)
    assert b"secret" not in environment
