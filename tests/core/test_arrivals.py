"""What platforms deliver: stored once, dealt with in order, answered once, and forgotten."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncEngine

from core.arrivals import Chat, Delivered, store, take_free_token, take_token, token_of
from core.open_arrivals import claim, fail, finish, let_go, open_of, put_off, renew, waiting
from tests.core.house import Office
from tests.core.test_housekeeping import housekeep

_NOW = datetime.now(UTC)


def event(office: Office, key: str, *, at: float = 0, **more: Any) -> Delivered:
    """An event of the room R, said so many seconds after the others."""
    given: dict[str, Any] = {
        "organisation_id": office.organisation.id,
        "platform": "wall",
        "workspace": "w1",
        "key": key,
        "chat": "R",
        "account": "asker",
        "kind": "message",
        "body": {"text": f"見積 {key} 🍣"},
        "said_at": _NOW + timedelta(seconds=at),
    }
    return Delivered(**(given | more))


def room(office: Office, chat: str = "R") -> Chat:
    return Chat(office.organisation.id, "wall", "w1", chat)


async def keys(office: Office, state: str) -> list[str]:
    async with office.house.engine.connect() as connection:
        found = await connection.exec_driver_sql(
            f"select key from arrivals where state = '{state}' order by said_at"
        )
        return [key for (key,) in found]


async def test_an_event_is_stored_once_however_often_and_wherever_it_comes(office: Office) -> None:
    engine = office.house.engine
    events = [event(office, f"e{n}") for n in range(10)]

    found = await asyncio.gather(
        *(store(engine, [event(office, e.key) for e in order]) for order in (events, events[::-1])),
        store(engine, [event(office, "e0"), event(office, "e0")]),
    )

    assert sum(len(ids) for ids in found) == 10
    assert len(await keys(office, "received")) == 10


async def test_what_is_ignored_keeps_its_kind_and_nothing_else(office: Office) -> None:
    await store(office.house.engine, [event(office, "new", kind="dance", ignored=True)])

    row = await office.row("select kind, state, body::text as body from arrivals", {})
    assert (row.kind, row.state, row.body) == ("dance", "ignored", "{}")
    assert await open_of(office.house.engine, room(office)) is None


async def test_a_chat_is_had_by_one_and_its_events_come_in_the_order_they_were_said(
    office: Office,
) -> None:
    engine = office.house.engine
    await store(engine, [event(office, "second", at=2), event(office, "first", at=1)])
    await store(engine, [event(office, "elsewhere", chat="S")])

    found = await asyncio.gather(*(claim(engine, room(office)) for _ in range(8)))

    [claimed] = [each for each in found if each]
    assert [(a.key, a.attempts) for a in claimed.arrivals] == [("first", 0), ("second", 0)]
    assert claimed.arrivals[0].body == {"text": "見積 first 🍣"}
    # Not even what was said before it, and came late.
    await store(engine, [event(office, "late", at=0)])
    assert await claim(engine, room(office)) is None
    still = await open_of(engine, room(office))
    assert still is not None
    assert still.held
    await finish(engine, claimed.arrivals[:1])
    then = await claim(engine, room(office))
    assert then is not None
    assert [a.key for a in then.arrivals] == ["late", "second"]
    row = await office.row("select body::text as body from arrivals where key = 'first'", {})
    assert row.body == "{}"


async def test_processes_that_race_for_a_chat_never_have_it_together(office: Office) -> None:
    engine, having, done = office.house.engine, [0], []
    await store(engine, [event(office, f"{n:02}", at=n) for n in range(12)])

    async def process(_: int) -> None:
        while len(done) < 12:
            claimed = await claim(engine, room(office))
            if claimed is None:
                await asyncio.sleep(0.001)
                continue
            having[0] += 1
            assert having[0] == 1
            done.append(claimed.arrivals[0].key)
            await asyncio.sleep(0)
            having[0] -= 1
            await finish(engine, claimed.arrivals[:1])

    await asyncio.gather(*map(process, range(6)))

    assert done == [f"{n:02}" for n in range(12)]


async def test_who_died_with_a_chat_loses_it_and_who_lives_keeps_it(office: Office) -> None:
    engine = office.house.engine
    await store(engine, [event(office, "e")])
    dead = await claim(engine, room(office))
    assert dead is not None
    assert await renew(engine, dead) is not None

    await office.execute("update arrivals set lease_until = now() - interval '1 second'")
    heir = await claim(engine, room(office))

    assert heir is not None
    assert heir.arrivals[0].attempts == 1
    assert await renew(engine, dead) is None
    assert await put_off(engine, dead, "x", counts=True) is None
    await let_go(engine, dead)
    assert await claim(engine, room(office)) is None
    await let_go(engine, heir)
    again = await claim(engine, room(office))
    assert again is not None
    assert again.arrivals[0].attempts == 1  # a death counts, giving back does not


async def test_what_is_put_off_holds_up_its_chat_and_no_other(office: Office) -> None:
    engine = office.house.engine
    both = [event(office, "busy"), event(office, "next", at=1), event(office, "other", chat="S")]
    await store(engine, both)
    assert await waiting(engine, "wall") == []  # whoever stored them is at it
    await office.execute("update arrivals set next_at = now() - interval '1 minute'")
    assert {chat.chat for chat in await waiting(engine, "wall")} == {"R", "S"}
    claimed = await claim(engine, room(office))
    assert claimed is not None

    wait = await put_off(engine, claimed, "busy", timedelta(seconds=40), counts=False)

    assert wait is not None
    assert 30 < wait.total_seconds() <= 40
    assert await claim(engine, room(office)) is None
    found = await open_of(engine, room(office))
    assert found is not None
    assert 30 < found.waits.total_seconds() <= 40
    assert [chat.chat for chat in await waiting(engine, "wall")] == ["S"]
    await office.execute("update arrivals set next_at = now() where key = 'busy'")
    again = await claim(engine, room(office))
    assert again is not None
    assert again.arrivals[0].attempts == 0
    await fail(engine, again.arrivals[0], "KeyError")
    assert await keys(office, "failed") == ["busy"]
    after = await claim(engine, room(office))
    assert after is not None
    assert after.arrivals[0].key == "next"


async def taken(engine: AsyncEngine, office: Office, arrival: UUID) -> str | None:
    return await take_token(engine, office.organisation.id, arrival, uuid4())


async def test_a_reply_token_is_taken_once_and_only_while_it_is_young(office: Office) -> None:
    engine, organisation_id = office.house.engine, office.organisation.id
    minute = timedelta(seconds=50)
    mine = event(office, "mine", reply_token="t1", reply_for=minute)
    old = event(office, "old", reply_token="t2", reply_for=timedelta(0))
    none = event(office, "again", redelivered=True)
    await store(engine, [mine, old, none])

    calls = [uuid4() for _ in range(10)]
    found = await asyncio.gather(
        *(take_token(engine, organisation_id, mine.id, call) for call in calls)
    )

    assert sorted(token for token in found if token) == ["t1"]
    spent = await token_of(engine, calls[found.index("t1")])
    assert spent is not None
    assert (spent.token, spent.young) == ("t1", True)
    assert "t1" not in repr(spent) + repr(mine)
    assert await taken(engine, office, old.id) is None
    assert await taken(engine, office, none.id) is None
    assert await token_of(engine, uuid4()) is None


async def test_a_token_is_free_for_its_chat_when_its_arrival_is_dealt_with(office: Office) -> None:
    engine = office.house.engine
    for key, seconds in (("later", 50), ("sooner", 40)):
        await store(
            engine,
            [event(office, key, reply_token=key, reply_for=timedelta(seconds=seconds))],
        )
    assert await take_free_token(engine, room(office), uuid4()) is None  # theirs who deal with it

    await office.execute("update arrivals set state = 'done'")

    assert await take_free_token(engine, room(office, "S"), uuid4()) is None
    found = await asyncio.gather(
        *(take_free_token(engine, room(office), uuid4()) for _ in range(2))
    )
    assert sorted(token or "" for token in found) == ["later", "sooner"]
    assert await take_free_token(engine, room(office), uuid4()) is None


async def test_arrivals_are_forgotten_after_thirty_days_unless_they_are_open(
    office: Office,
) -> None:
    await store(office.house.engine, [event(office, key) for key in ("old", "open", "new")])
    await office.execute("update arrivals set state = 'done' where key <> 'open'")
    await office.execute(
        "update arrivals set received_at = now() - interval '31 days' where key <> 'new'"
    )

    await housekeep(office)

    assert await keys(office, "done") == ["new"]
    assert await keys(office, "received") == ["open"]
