"""From a program's post to what arrives: through the door, the rules and the hub's own loop."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from aiohttp import ClientSession

from core import notice_senders
from core.documents import Files
from core.notices import Notice, Recipient, publish
from core.platform import Opening
from core.unit import unit
from miyabi.plugins import all_channels
from miyabi.session import newest_version
from notifier.hub import places
from notifier.hub.fanning import fan_out_due
from notifier.hub.lanes import Lane
from notifier.hub.place_checks import checked
from notifier.hub.places import NoticePlace
from notifier.hub.sending import Ways
from notifier.hub.working import work_on_notices
from tests.core.conftest import office
from tests.core.house import Office, seen
from tests.fakes.webhooks.receiver import Answer, Receiver
from tests.notifier.channels.posts import OPEN
from tests.running import at_port
from tests.web.test_notifying import ALERTS
from web.app import create_app

__all__ = ["office"]


@asynccontextmanager
async def working(office: Office) -> AsyncIterator[tuple[str, dict[str, str]]]:
    """The web and the hub's loop; gives the address and a program's headers."""

    async def read_file(organisation_id: UUID, sha256: str) -> bytes:
        return await Files(office.house, organisation_id).get(sha256)

    opening = Opening(OPEN, office.house, read_file)
    async with unit(office.house) as work:
        key = await notice_senders.add(work, office.organisation.id, "monitor", ["alert.*"])
    hub = asyncio.create_task(work_on_notices(opening, all_channels()))
    try:
        async with at_port(create_app(opening, [], newest=newest_version())) as url:
            yield url, {"Authorization": f"Bearer {key}"}
    finally:
        hub.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await hub


async def _added(office: Office, hook: Receiver, **more: Any) -> NoticePlace:
    bare = places.made(office.organisation.id, "ops", "webhook", hook.url, language="en", **more)
    place = checked(office.house, OPEN, all_channels(), bare)
    hook.secret = place.secrets["secret"]
    async with unit(office.house) as work:
        await places.add(work, office.house, place)
    return place


async def _long_ago(office: Office) -> None:
    """What is sent was sent a while ago: it may be changed at once."""
    sent = "select count(*) as n from dispatches where sent_at is not null"
    async with asyncio.timeout(30):
        while (await office.row(sent, {})).n < 1:  # noqa: ASYNC110  # nothing tells
            await asyncio.sleep(0.01)
    await office.execute("update dispatches set sent_at = sent_at - interval '1 minute'")


async def test_what_fires_reaches_a_webhook_signed_and_then_that_it_is_over(office: Office) -> None:
    resolved = {**ALERTS, "status": "resolved"}
    resolved["alerts"] = [{**each, "status": "resolved"} for each in ALERTS["alerts"]]
    async with Receiver() as hook, working(office) as (url, headers), ClientSession() as client:
        await _added(office, hook)
        path = f"{url}/api/notify/alertmanager?to=place:ops"
        for n, body in enumerate((ALERTS, resolved), 1):
            async with client.post(path, json=body, headers=headers) as answer:
                assert answer.status == 202
            await seen(lambda n=n: len(hook.calls) == n)
            await _long_ago(office)
        async with client.get(f"{url}{answer.headers['Location']}", headers=headers) as looked:
            standing = await looked.json()

    fired, over = (json.loads(body) for _, body in hook.calls)
    assert (fired["type"], over["type"]) == ("alert.probe_failure", "alert.probe_failure")
    assert (fired["data"]["resolved"], over["data"]["resolved"]) == (False, True)
    assert fired["data"]["id"] == over["data"]["id"] == standing["counted_with"]
    assert "Probe failed: www" in fired["data"]["text"]
    assert len({headers["webhook-id"] for headers, _ in hook.calls}) == 2


async def test_a_place_that_is_gone_is_off_and_its_owner_hears_of_it(office: Office) -> None:
    async with Receiver() as hook, working(office) as (url, headers), ClientSession() as client:
        place = await _added(office, hook, owner_id=office.boss.id)
        hook.usual = Answer(410)
        for n in range(2):
            async with client.post(
                f"{url}/api/notify",
                json={"topic": "alert.disk", "to": ["place:ops"], "title": "x"},
                headers={**headers, "Idempotency-Key": str(n)},
            ) as answer:
                assert answer.status == 202
            await seen(lambda: any("ops" in text for text in office.wall.texts()))
        async with office.house.engine.connect() as connection:
            found = await places.by_id(connection, office.house, office.organisation.id, place.id)

    assert found is not None
    assert found.off_since is not None
    assert len(hook.calls) == 1
    assert len(office.wall.texts("boss")) == 1


async def test_what_got_lost_is_posted_again_as_it_was(office: Office) -> None:
    """Though it has happened once more meanwhile; the receiver compares what comes under one id."""
    house, to = office.house, (Recipient("place", "ops"),)
    async with Receiver(answers=[Answer(hang_up=True)]) as hook:
        await _added(office, hook)
        lane = Lane(Ways(house, OPEN, all_channels()), "webhook", "w1")
        for _ in range(2):
            async with unit(house) as work:
                await publish(
                    work, office.organisation.id, Notice("alert.disk", to, {"n": 1}, group="g")
                )
            await fan_out_due(house)
            while await lane.take():
                await lane.rest()
            await office.execute(
                "update dispatches set lease_until = now() - interval '1 second'"
                " where lease_until is not null"
            )
        while await lane.take():
            await lane.rest()
        row = await office.row("select state, sending_revision from dispatches", {})
        counted = await office.row("select max(count) as times from notices", {})

    assert (row.state, counted.times) == ("sent", 2)
    assert len(hook.calls) == 2
    assert len(hook.bodies) == 1
