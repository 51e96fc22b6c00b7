"""An archive of before an erasure verifies as ever, and what was sealed in it opens no more."""

import zipfile
from pathlib import Path

import zstandard
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from uuid_utils.compat import uuid7

from audit import log
from audit.event import Actor, Event
from audit.sequencer import sequence
from audit.store import on_disk
from audit.subjects import PersonalKeys
from audit.verifier.bundle import verify_bundle
from tests.audit.happening import Happening
from tests.audit.log_of_one import KEYS, ORGANISATION, verify
from tests.audit.months import ago, happened, id_of, make_months, set_clock
from tests.audit.test_archives import Years, owner_listed, sign_all

NEEDLES = (b"U0HANAKO", "花子".encode(), b"203.0.113.77")


async def test_an_archive_of_before_verifies_and_opens_no_more(
    app: AsyncEngine, owner: AsyncEngine, tmp_path: Path
) -> None:
    keys, person = PersonalKeys([b"m" * 32]), uuid7()
    await set_clock(owner)
    await make_months(owner, 4)
    actor = Actor(person, "slack:T1:U0HANAKO", ip="203.0.113.77")
    data = {"n": 1, "name": "花子", "key": "k"}
    event = Event(ORGANISATION, person, Happening.NAMED, data, actor, id=id_of(ago(3)))
    async with app.begin() as connection:
        await connection.execute(
            text("select set_config('test.clock', :at, true)"), {"at": ago(3).isoformat()}
        )
        [sealed], _ = await keys.sealed(connection, [event])
        await log.append(connection, [sealed])
    await sequence(app)
    await happened(app, ago(1), uuid7())
    await sequence(app)
    await owner_listed(owner)
    await sign_all(app)
    (tmp_path / "scratch").mkdir()
    years = Years(app, owner, on_disk(tmp_path / "store"), tmp_path / "scratch")
    await years.archive(3)

    async with app.begin() as connection:
        assert await keys.destroy(connection, ORGANISATION, [person]) == 1

    [archive] = await years.every(3)
    away, bundle = tmp_path / "away", tmp_path / "bundle"
    assert archive.name is not None
    await years.store.fetch(archive.name, away)
    assert (verify_bundle(away, KEYS).kind, (await verify(app)).faults) == (None, [])
    with away.open("rb") as file, bundle.open("wb") as plain:
        zstandard.ZstdDecompressor().copy_stream(file, plain)
    with zipfile.ZipFile(bundle) as opened:
        content = b"".join(opened.read(name) for name in opened.namelist())
    assert str(person).encode() in content
    assert not [needle for needle in NEEDLES if needle in content]
    assert await years.restore(3) == 1
    assert (await verify(app)).faults == []
    async with app.connect() as connection:
        body = await connection.scalar(text("select body from audit_events order by at limit 1"))
        [shown] = await keys.opened(
            connection, ORGANISATION, [body], erased="gone", unreadable="what?"
        )
    assert (shown["account"], shown["data"]["name"]) == ("gone", "gone")
