"""What can't be known again is not said twice, and no content is kept with a failure."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import pytest

from core.channel import Channel, Posting
from core.dispatches import came_back
from core.errors import OutcomeUnknown, Permanent
from core.notices import Recipient
from core.ports import Sent
from core.settings import Settings
from core.unit import unit
from core.words import Words, same
from notifier.hub import places
from notifier.hub.dead import dead, replay
from notifier.hub.elsewhere import turn_those_that_came_back
from notifier.hub.hushed import HIDDEN, hushed
from notifier.hub.lanes import Lane
from notifier.hub.sending import Ways
from tests.core.house import Office
from tests.notifier.hub.test_sending import Sending

OPS = Recipient("place", "ops")


class Room:
    """A place of a channel that knows no keys: what it is sent twice stands there twice."""

    def __init__(self, sending: Sending) -> None:
        self.sending = sending
        self.said: list[str] = []
        self.trouble: list[Exception] = []
        self.place = places.made(sending.organisation, "ops", "teams", "x")

    async def open(self) -> None:
        async with unit(self.sending.house) as work:
            await places.add(work, self.sending.house, self.place)

    async def tell(self, **more: Any) -> None:
        await self.sending.tell("alert.disk", OPS, group="d", **more)
        await self.send()

    async def send(self, owner: str = "w1") -> None:
        await self.sending.due()
        channel = Channel("teams", self._post, _fine, {}, frozenset())
        ways = Ways(self.sending.house, self.sending.settings, {"teams": channel})
        lane = Lane(ways, "teams", owner)
        while await lane.take():
            await lane.rest()

    async def _post(self, settings: Settings, posting: Posting) -> Sent:
        self.said.append(posting.message.title)
        if self.trouble:
            raise self.trouble.pop()
        return Sent("", posting.key)


def _fine(settings: Settings, address: str, given: Mapping[str, str]) -> Words | None:
    return None


@pytest.fixture
async def sending(office: Office) -> Sending:
    return Sending(office, Settings(secret_key=None))


@pytest.fixture
async def room(sending: Sending) -> Room:
    room = Room(sending)
    await room.open()
    return room


@pytest.mark.parametrize("trouble", [OutcomeUnknown("?"), TimeoutError(), ValueError("?")])
async def test_a_change_of_which_nobody_knows_is_not_said_again(
    room: Room, trouble: Exception
) -> None:
    await room.tell()
    room.trouble = [trouble]
    await room.tell(resolved=True)
    await room.send()

    assert len(room.said) == 2
    assert await room.sending.rows("state, shown, edit_at is null") == [("sent", 2, True)]
    assert "dispatch:unknown" in await room.sending.tags()


async def test_nor_what_a_worker_was_at_who_died(room: Room) -> None:
    await room.tell()
    await room.sending.tell("alert.disk", OPS, group="d", resolved=True)
    await room.sending.office.execute(
        "update dispatches set state = 'sending', sending_revision = 2, lease_owner = 'dead',"
        " edit_at = null, lease_until = now()"
    )
    await room.send()

    assert len(room.said) == 1
    assert await room.sending.rows("state, shown") == [("sent", 2)]


async def test_what_was_said_stays_said_where_the_place_is_off_by_now(room: Room) -> None:
    await room.tell()
    async with unit(room.sending.house) as work:
        await places.turn_off(work, room.place, same("gone"))
    await room.tell(resolved=True)

    assert len(room.said) == 1
    assert await room.sending.rows("state, reason, dead_at is null") == [("sent", None, True)]


async def test_what_came_back_is_sent_when_it_is_replayed(sending: Sending) -> None:
    await sending.tell()
    await sending.send()
    [letter] = await sending.rows("id")
    async with unit(sending.house) as work:
        await came_back(work, sending.organisation, letter, same("no such mailbox"))
    await turn_those_that_came_back(sending.house)
    async with unit(sending.house) as work:
        assert await replay(work, sending.organisation, [letter]) == 1
    await sending.send()

    assert sending.office.wall.sends == [str(letter)] * 2
    assert await sending.rows("state, shown") == [("sent", 1)]


async def test_no_fact_gets_into_what_is_kept_of_a_failure(sending: Sending) -> None:
    why = same("refused: 'password=hunter2-hunter2, /var is full on web1.example'")
    sending.office.wall.troubles = [Permanent(why)]
    facts = {"title": "x", "text": "/var is full on web1.example", "password": "hunter2-hunter2"}
    await sending.tell(facts=facts)
    await sending.send()

    async with sending.house.engine.connect() as connection:
        [letter] = await dead(connection, sending.organisation)
    assert letter.error == f"refused: 'password={HIDDEN}, {HIDDEN}'"
    for table, column in (("notices", "facts"), ("audit_events", "body")):
        row = await sending.office.row(
            f"select count(*) as n from {table} where organisation_id = :o"
            f" and cast({column} as text) like '%hunter2%' and not ({column} ? 'password')",
            {"o": UUID(str(sending.organisation))},
        )
        assert row.n == 0


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ('{"p": "a\\"b\\nc"}', f'{{"p": "{HIDDEN}"}}'),
        ("it was cut: hunter2-h", "it was cut: "),
        ("pin 471 is wrong", f"pin {HIDDEN} is wrong"),
        ("too long", "too long"),
    ],
)
def test_a_value_is_hidden_however_it_is_quoted(said: str, left: str) -> None:
    facts = {
        "api_key": 'a"b\nc', "deep": [{"token": "hunter2-hunter2"}], "secret": {"pin": 471},
        "x": "long",
    }  # fmt: skip

    assert hushed(same(said), facts).en == left
