"""Personal data in events: sealed under a key per person, and gone with it."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event as sqlalchemy_event
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from uuid_utils.compat import uuid7

from audit import bundle
from audit.event import JSON, Actor, Event, NotSealed
from audit.registry import NotDeclared
from audit.sealed import CantOpen, seal, unseal
from audit.sealing import wanted
from audit.subjects import PersonalKeys, WrongMasterKey
from audit.verifier.bundle import verify_bundle
from core.db import create_engine
from tests.audit.happening import Happening
from tests.audit.log_of_one import KEYS, ORGANISATION, sign, verify, write

MASTER, OTHER = b"m" * 32, b"o" * 32


@pytest.fixture
async def app(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(database_url)
    yield engine
    await engine.dispose()


def named(person: UUID, actor: Actor, **more: JSON) -> Event:
    data = {"n": 1, "name": "山田 花子", "key": "k-77", **more}
    return Event(ORGANISATION, person, Happening.NAMED, data, actor)


def hers(person: UUID) -> Actor:
    return Actor(person, "slack:T1:U0HANAKO", ip="203.0.113.77", user_agent="hanako/1.0")


async def sealed(app: AsyncEngine, keys: PersonalKeys, *events: Event) -> list[Event]:
    async with app.begin() as connection:
        found, learned = await keys.sealed(connection, events)
    keys.remember(learned)
    return list(found)


async def shown(app: AsyncEngine, keys: PersonalKeys, event: Event) -> dict[str, Any]:
    async with app.connect() as connection:
        [body] = await keys.opened(
            connection, ORGANISATION, [event.body()], erased="gone", unreadable="what?"
        )
    return body


async def destroy(app: AsyncEngine, keys: PersonalKeys, *names: UUID | str) -> int:
    async with app.begin() as connection:
        return await keys.destroy(connection, ORGANISATION, names)


def test_an_event_with_personal_data_in_the_clear_has_no_spelling() -> None:
    person = uuid7()
    with pytest.raises(NotSealed):
        named(person, Actor(person)).body()
    with pytest.raises(NotSealed):
        Event(ORGANISATION, person, Happening.DONE, {}, hers(person)).body()
    with pytest.raises(NotDeclared):
        named(person, Actor(person), name=7)


async def test_who_may_read_sees_it_until_the_key_is_destroyed_and_nobody_afterwards(
    app: AsyncEngine, tmp_path: Path
) -> None:
    keys, person, other = PersonalKeys([MASTER]), uuid7(), uuid7()
    events = await sealed(app, keys, named(person, hers(other)), named(other, hers(other)))
    await write(app, *events)
    await sign(app)
    async with app.connect() as connection:
        stored = await connection.scalar(
            text("select string_agg(body::text, '') from audit_events")
        )
        await bundle.export(connection, ORGANISATION, tmp_path / "before.zip")
    for private in ("花子", "U0HANAKO", "203.0.113", "hanako", "k-77"):
        assert private not in stored

    body = await shown(app, keys, events[0])
    assert (body["account"], body["ip"]) == ("slack:T1:U0HANAKO", "203.0.113.77")
    assert body["data"] == {"n": 1, "name": "山田 花子", "key": "k-77"}

    assert await destroy(app, keys, person) == 1
    assert await destroy(app, keys, person) == 0
    about_her, others = [await shown(app, keys, event) for event in events]
    assert (about_her["data"]["name"], about_her["data"]["key"]) == ("gone", "k-77")
    assert (about_her["user_agent"], others["data"]["name"]) == ("hanako/1.0", "山田 花子")

    assert (await verify(app)).faults == []
    verdict = verify_bundle(tmp_path / "before.zip", KEYS)
    assert (verdict.faults, verdict.events) == ([], 2)


async def test_what_is_written_about_an_erased_person_is_lost_at_once(app: AsyncEngine) -> None:
    keys, person = PersonalKeys([MASTER]), uuid7()
    await destroy(app, keys, person)  # never had a key, and never will

    [event] = await sealed(app, keys, named(person, hers(person)))

    assert event.body()["account"] == {"of": str(person), "sealed": None}
    assert (await shown(app, keys, event))["data"]["name"] == "gone"
    with pytest.raises(DBAPIError, match="does not come back"):
        async with app.begin() as connection:
            await connection.execute(
                text("update audit_subjects set wrapped = 'x', erased_at = null")
            )


async def test_an_account_of_nobody_has_a_key_and_an_id_that_tells_nothing(
    app: AsyncEngine, database_url: str
) -> None:
    keys, actor = PersonalKeys([MASTER]), Actor(None, "terminal:hanako")
    first, again, elsewhere = (
        Event(of, uuid7(), Happening.DONE, {}, actor)
        for of in (ORGANISATION, ORGANISATION, uuid7())
    )
    subjects = set()
    for keyring, event in ((keys, first), (PersonalKeys([MASTER]), again), (keys, elsewhere)):
        [written] = await sealed(app, keyring, event)
        subjects.add(written.actor.account["of"])  # type: ignore[index, call-overload]

    assert len(subjects) == 2  # one in each organisation
    [first] = await sealed(app, keys, first)
    assert (await shown(app, keys, first))["account"] == "terminal:hanako"
    assert await destroy(app, keys, "terminal:hanako") == 1
    assert (await shown(app, keys, first))["account"] == "gone"
    [later] = await sealed(app, keys, again)
    assert later.actor.account["of"] not in subjects  # type: ignore[index, call-overload]


async def test_a_key_of_a_transaction_that_was_undone_is_never_used(app: AsyncEngine) -> None:
    keys, person = PersonalKeys([MASTER]), uuid7()
    async with app.connect() as connection:
        _, learned = await keys.sealed(connection, [named(person, Actor(person))])
        await connection.rollback()
    assert learned

    [event] = await sealed(app, keys, named(person, Actor(person)))

    assert (await shown(app, keys, event))["data"]["name"] == "山田 花子"


async def test_a_known_person_costs_no_statement(app: AsyncEngine) -> None:
    keys, person = PersonalKeys([MASTER]), uuid7()
    first = await keys.sealed_alone(app, named(person, hers(person)))
    asked: list[str] = []
    sqlalchemy_event.listen(
        app.sync_engine, "before_cursor_execute", lambda *args: asked.append(args[2])
    )

    second = await keys.sealed_alone(app, named(person, hers(person)))
    async with app.connect() as connection:
        await keys.sealed(connection, [named(person, hers(person))])

    assert asked == []
    assert first.actor.account != second.actor.account  # equal values do not look alike
    assert not wanted([second])


async def test_a_master_key_is_changed_and_another_opens_nothing(app: AsyncEngine) -> None:
    person, old, new = uuid7(), PersonalKeys([MASTER]), PersonalKeys([OTHER, MASTER])
    by_nobody = Event(ORGANISATION, uuid7(), Happening.DONE, {}, Actor(None, "terminal:hanako"))
    [nobodys] = await sealed(app, old, by_nobody)
    [event] = await sealed(app, old, named(person, Actor(person)))
    assert (await shown(app, PersonalKeys([OTHER]), event))["data"]["name"] == "what?"
    async with app.connect() as connection:
        await new.check(connection)
        with pytest.raises(WrongMasterKey):
            await PersonalKeys([OTHER]).check(connection)
    with pytest.raises(WrongMasterKey):
        await sealed(app, PersonalKeys([OTHER]), named(person, Actor(person)))

    async with app.begin() as connection:
        assert await new.rewrap(connection) == 2
        assert await new.rewrap(connection) == 0

    assert (await shown(app, PersonalKeys([OTHER]), event))["data"]["name"] == "山田 花子"
    assert (await shown(app, old, event))["data"]["name"] == "what?"
    [again] = await sealed(app, PersonalKeys([OTHER]), by_nobody)
    assert again.actor.account["of"] == nobodys.actor.account["of"]  # type: ignore[index, call-overload]


async def test_a_value_opens_in_its_own_event_and_field_only(app: AsyncEngine) -> None:
    keys, person = PersonalKeys([MASTER]), uuid7()
    [event] = await sealed(app, keys, named(person, hers(person)))
    body = event.body()
    moved = {**body, "ip": body["account"], "account": None}
    async with app.connect() as connection:
        [got] = await keys.opened(connection, ORGANISATION, [moved], erased="", unreadable="what?")
    assert got["ip"] == "what?"

    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    cipher, of, id_ = AESGCM(b"k" * 32), uuid7(), uuid7()
    value = seal(cipher, of, id_, "name", "x")
    assert unseal(cipher, id_, "name", value) == "x"
    for bad in (
        {"of": str(of), "sealed": "****"},
        {"of": str(of), "sealed": ""},
        {"of": str(of), "sealed": "AAAA"},
    ):
        with pytest.raises(CantOpen):
            unseal(cipher, id_, "name", bad)
    with pytest.raises(CantOpen):
        unseal(cipher, uuid7(), "name", value)


async def test_the_keys_are_no_part_of_the_log(app: AsyncEngine, database_url: str) -> None:
    keys, person = PersonalKeys([MASTER]), uuid7()
    await write(app, *await sealed(app, keys, named(person, hers(person))))
    await sign(app)
    owner = create_async_engine(database_url)
    async with owner.begin() as connection:
        await connection.execute(text("truncate audit_subjects"))
    await owner.dispose()

    assert (await verify(app)).faults == []
