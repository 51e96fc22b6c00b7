"""One server at a thread: for as long as its sends last, and not a moment longer."""

import asyncio
import contextlib
import multiprocessing
import os
import signal
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import event

from audit.store import on_disk
from audit.subjects import PersonalKeys
from core.db import create_engine
from core.documents import Files
from core.errors import LostLease, TryLater
from core.heartbeat import Heartbeat
from core.house import LEASE, House
from core.messages import Message
from core.ports import Place, Sent
from notifier import outcome, thread
from notifier.deliver import announce
from notifier.outcome import Showing
from notifier.thread import take
from tests.core.house import MASTER, Bell, Office, Trouble, Wall, letter_agent, seen

SHORT = timedelta(seconds=0.9)


@pytest.fixture
def short_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    shorten(monkeypatch)


def shorten(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(thread, "THREAD_LEASE", SHORT)
    patch.setattr(thread, "_RENEW_EVERY", 0.2)


async def tell(office: Office, task_id: UUID | None, worker: str = "w") -> None:
    assert task_id is not None
    await announce(office.house, office.organisation.id, task_id, worker)


async def thread_of(office: Office, task_id: UUID | None) -> UUID:
    row = await office.row("select id from threads where task_id = :id", {"id": task_id})
    return UUID(str(row.id))


@contextlib.contextmanager
def counted(office: Office) -> Iterator[list[int]]:
    """How often a connection is taken out meanwhile."""
    count = [0]

    def out(*_: object) -> None:
        count[0] += 1

    event.listen(office.house.engine.sync_engine, "checkout", out)
    try:
        yield count
    finally:
        event.remove(office.house.engine.sync_engine, "checkout", out)


@pytest.mark.usefixtures("short_lease")
async def test_a_send_that_takes_longer_than_the_lease_keeps_its_thread(office: Office) -> None:
    office.wall.hang_after = True
    answer = await office.say("letter hello")
    sending = asyncio.create_task(tell(office, answer.task_id))
    await office.wall.hanging.wait()
    for _ in range(12):
        await asyncio.sleep(0.2)
        await tell(office, answer.task_id, "another")

    assert office.wall.looks == []
    assert not sending.done()
    sending.cancel()
    await asyncio.wait([sending])


@pytest.mark.usefixtures("short_lease")
async def test_who_has_lost_the_thread_stops_its_send_and_writes_nothing(office: Office) -> None:
    office.wall.hang = True
    answer = await office.say("letter hello")
    sending = asyncio.create_task(tell(office, answer.task_id))
    await office.wall.hanging.wait()
    await office.execute(
        "update threads set lease_owner = 'thief', lease_until = now() + interval '1 minute'"
    )
    async with asyncio.timeout(5):
        await sending

    row = await office.row(
        "select d.state, h.lease_owner from deliveries d join threads h on h.id = d.thread_id"
        " where d.slot = 'root'",
        {},
    )
    assert (row.state, row.lease_owner) == ("sending", "thief")
    assert office.wall.looks == []


async def test_the_outcome_of_who_lost_the_thread_is_not_written(office: Office) -> None:
    answer = await office.say("letter hello")
    office.wall.meanwhile = lambda: office.execute("update threads set lease_owner = 'thief'")
    await tell(office, answer.task_id)

    row = await office.row(
        "select state, (select count(*) from messages) as n from deliveries order by id limit 1", {}
    )
    assert (row.state, row.n) == ("sending", 0)


async def test_what_another_has_touched_since_it_was_read_is_not_sent(office: Office) -> None:
    answer = await office.say("letter hello")
    office.wall.troubles = [TryLater("busy")]
    await tell(office, answer.task_id)
    await office.execute("update deliveries set next_at = now()")
    taken = await take(
        office.house, office.organisation.id, await thread_of(office, answer.task_id), "late"
    )
    assert taken is not None
    await office.execute("update deliveries set attempts = attempts + 1")

    with pytest.raises(LostLease):
        await outcome.intend(Showing(office.house, taken, taken.due[0].slot, taken.due[:1]))


async def test_an_announcement_with_nothing_to_tell_costs_one_statement(office: Office) -> None:
    answer = await office.say("letter hello")
    await office.work()
    with counted(office) as count:
        await tell(office, answer.task_id)

    assert count == [1]


async def test_a_nudge_that_found_nothing_to_tell_is_used_up(office: Office) -> None:
    answer = await office.say("letter hello")
    await office.work()
    await office.execute(
        "insert into outbox (id, organisation_id, kind, subject_id, next_at)"
        " select gen_random_uuid(), organisation_id, 'announce', id, now() from tasks"
    )
    await tell(office, answer.task_id)

    assert (await office.row("select count(*) as n from outbox", {})).n == 0


async def test_what_changes_while_one_message_is_sent_is_shown_in_the_next(office: Office) -> None:
    answer = await office.say("letter hello")
    office.wall.meanwhile = lambda: office.say(f"cancel #{answer.reference}")
    await tell(office, answer.task_id)

    assert office.wall.edits == []
    assert office.wall.showing("○ draw").text.startswith("#1001 cancelled")


# A process that is stopped


class Board(Wall):
    """A wall that several processes see: a folder. Its bell is a file that says: about to post."""

    def __init__(self, folder: Path, *, slow: float = 0) -> None:
        super().__init__()
        self.folder, self.slow = folder, slow

    async def send(self, place: Place, message: Message, key: str) -> Sent:
        if self.slow:
            (self.folder / "about-to-post").touch()
            await asyncio.sleep(self.slow)
        with (self.folder / key).open("a") as file:
            file.write("posted\n")
        return Sent(place.channel, key)

    async def find(self, place: Place, key: str, attachment: object) -> Sent | None:
        return Sent(place.channel, key) if (self.folder / key).exists() else None

    def pinned(self) -> dict[str, str]:
        return {file.name: file.read_text() for file in self.folder.iterdir()}


def zombie(url: str, folder: str, organisation_id: UUID, task_id: UUID) -> None:
    """A worker process that announces, slowly enough to be stopped just before it posts."""
    with pytest.MonkeyPatch.context() as patch:
        shorten(patch)
        asyncio.run(_announce(url, Board(Path(folder), slow=0.3), organisation_id, task_id))


async def _announce(url: str, board: Board, organisation_id: UUID, task_id: UUID) -> None:
    engine = create_engine(url)
    heartbeat = Heartbeat(url, LEASE)
    resources = dict.fromkeys([Files, Trouble], _nothing)
    personal, agents = PersonalKeys([MASTER]), {"letter": letter_agent}
    store, ways = on_disk(board.folder.with_suffix(".store")), {"wall": board}
    house = House(engine, Bell(), agents, resources, heartbeat, personal, store, ways)
    await announce(house, organisation_id, task_id, "zombie")
    heartbeat.stop()
    await engine.dispose()


async def _nothing(house: House, organisation_id: UUID) -> object:
    return None


@pytest.mark.usefixtures("short_lease")
async def test_a_process_stopped_before_its_send_sends_nothing_when_it_wakes(
    office: Office, database_url: str, tmp_path: Path
) -> None:
    """SIGSTOP between intent and act, until another has done it; then SIGCONT."""
    answer = await office.say("letter hello")
    assert answer.task_id is not None
    process = multiprocessing.get_context("spawn").Process(
        target=zombie, args=(database_url, str(tmp_path), office.organisation.id, answer.task_id)
    )
    process.start()
    assert process.pid is not None
    await seen((tmp_path / "about-to-post").exists)
    os.kill(process.pid, signal.SIGSTOP)
    (tmp_path / "about-to-post").unlink()
    await asyncio.sleep(SHORT.total_seconds() + 0.3)

    board = Board(tmp_path)
    office.house.outbounds["wall"] = board  # type: ignore[index]  # a dictionary underneath
    await announce(office.house, office.organisation.id, answer.task_id, "heir")
    posted = board.pinned()
    os.kill(process.pid, signal.SIGCONT)
    await asyncio.to_thread(process.join, 20)

    assert process.exitcode == 0
    assert len(posted) == 2  # request and progress
    assert board.pinned() == posted
    assert set(posted.values()) == {"posted\n"}
