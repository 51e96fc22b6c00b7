"""Other programs have people told: by notices, CloudEvents and Alertmanager's posts."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import pytest
from aiohttp import ClientSession
from pydantic import SecretStr
from sqlalchemy import text

from core import notice_senders
from core.db import create_engine, from_json
from core.documents import Files
from core.errors import Refused, Unknown
from core.platform import Opening
from core.settings import NotifySettings, Settings
from core.tags import Tag
from core.unit import unit
from core.wakes import listening
from miyabi.session import newest_version
from notifier.hub import places
from notifier.hub.fanning import fan_out_due
from tests.core.house import Office, check_events, open_office
from tests.running import at_port
from web.app import create_app

ALERTS = {
    "receiver": "miyabi", "status": "firing", "version": "4", "truncatedAlerts": 0,
    "externalURL": "http://prometheus.example.org:9093",
    "groupKey": '{}/{severity="critical"}:{alertname="ProbeFailure"}',
    "groupLabels": {"alertname": "ProbeFailure"},
    "commonLabels": {"alertname": "ProbeFailure", "severity": "critical", "job": "http"},
    "commonAnnotations": {"summary": "Probe failed: www", "description": "Down for 5 m"},
    "alerts": [
        {
            "status": "firing",
            "labels": {"alertname": "ProbeFailure", "severity": "critical", "instance": "www"},
            "annotations": {"summary": "Probe failed: www"},
            "startsAt": "2026-11-27T13:08:45.828123456Z", "endsAt": "0001-01-01T00:00:00Z",
            "generatorURL": "http://prometheus.example.org:9090/graph?g0.expr=probe_success",
            "fingerprint": "1a30ba71cca2921f",
        }
    ],
}  # fmt: skip
"""As Alertmanager 0.28 posts it, with what its documentation names."""


@dataclass(frozen=True, slots=True)
class Desk:
    """An office, a program's key, and a way to call."""

    office: Office
    client: ClientSession
    key: str

    async def post(
        self,
        body: Any,
        key: str | None = "k1",
        path: str = "",
        headers: dict[str, str] | None = None,
    ) -> tuple[int, Any]:
        sent = {"Authorization": f"Bearer {self.key}", **(headers or {})}
        if key is not None:
            sent["Idempotency-Key"] = key
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        url = f"/api/notify{path}"
        async with self.client.post(url, data=data, headers=sent) as answer:
            return answer.status, await answer.json(content_type=None)

    async def get(self, notice_id: object, key: str | None = None) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {key or self.key}"}
        async with self.client.get(f"/api/notify/{notice_id}", headers=headers) as answer:
            return answer.status, await answer.json(content_type=None)

    async def notices(self) -> list[Any]:
        async with self.office.house.engine.connect() as connection:
            return list(await connection.execute(text("select * from notices order by id")))


@pytest.fixture
async def desk(database_url: str) -> AsyncIterator[Desk]:
    async with open_office(database_url) as office:
        async with unit(office.house) as work:
            key = await notice_senders.add(
                work, office.organisation.id, "monitor", ["alert.*", "com.example.*", "log.*"]
            )
        async with serving(office) as client:
            yield Desk(office, client, key)
    await check_events(database_url)


@asynccontextmanager
async def serving(office: Office, per_minute: int = 600) -> AsyncIterator[ClientSession]:
    async def read_file(organisation_id: UUID, sha256: str) -> bytes:
        return await Files(office.house, organisation_id).get(sha256)

    given = Settings(
        secret_key=SecretStr("A" * 43 + "="), notify=NotifySettings(send_per_minute=per_minute)
    )
    app = create_app(Opening(given, office.house, read_file), [], newest=newest_version())
    async with at_port(app) as url, ClientSession(url, headers={"Accept-Language": "en"}) as client:
        yield client


async def test_a_notice_is_taken_in_once_with_its_event_and_wakes_the_hub(desk: Desk) -> None:
    woken = asyncio.Event()
    body = {
        "topic": "alert.disk", "importance": "high", "to": ["boss", "role:admin", "all"],
        "title": "Disk\x00 full", "url": "https://grafana.example/d/1", "facts": {"host": "web1"},
        "group": "disk-web1", "actions": [{"kind": "ack"}],
        "ladder": {"minutes": 15, "then": [["role:admin"], ["other"]]},
        "file": {"name": "a/b.txt", "content": base64.b64encode("空き 1%".encode()).decode()},
    }  # fmt: skip
    async with listening(desk.office.house, "notices", lambda *_: woken.set()):
        status, answer = await desk.post(body)
        async with asyncio.timeout(10):
            await woken.wait()
    again, second = await desk.post(body)

    assert (status, again) == (202, 202)
    assert second == {**answer, "again": True}
    [row] = await desk.notices()
    assert str(row.id) == answer["id"]
    assert len(row.key_sha256) == 32
    assert row.facts == {
        "host": "web1", "title": "Disk full", "url": "https://grafana.example/d/1",
    }  # fmt: skip
    assert row.recipients == [
        {"kind": "person", "of": str(desk.office.boss.id)},
        {"kind": "role", "of": "admin"},
        {"kind": "all", "of": ""},
    ]
    other = {"kind": "person", "of": str(desk.office.other_boss.id)}
    assert row.ladder["rungs"] == [[{"kind": "role", "of": "admin"}], [other]]
    content = await Files(desk.office.house, row.organisation_id).get(row.file["sha256"])
    assert (content.decode(), row.file["name"]) == ("空き 1%", "a_b.txt")
    event = await desk.office.row(
        "select body from audit_events where stream = :id", {"id": row.id}
    )
    said = from_json(event.body)
    assert (said["tag"], said["data"]["topic"]) == (Tag.NOTICE_PUBLISHED, "alert.disk")


async def test_one_key_is_for_one_notice(desk: Desk) -> None:
    first, _ = await desk.post({"topic": "alert.disk"})
    other, problem = await desk.post({"topic": "alert.cpu"})
    none, lacking = await desk.post({"topic": "alert.cpu"}, key=None)

    assert (first, other, none) == (202, 422, 400)
    assert (problem["code"], lacking["code"]) == ("key_reused", "no_key")
    assert len(await desk.notices()) == 1


async def test_many_at_once_with_few_keys_are_each_taken_in_once(desk: Desk) -> None:
    """Turns of several, several turns at once, and the same key in all of them."""
    answers = await asyncio.gather(
        *(desk.post({"topic": "log.x"}, key=f"k{n % 5}") for n in range(60))
    )

    assert {status for status, _ in answers} == {202}
    assert len({answer["id"] for _, answer in answers}) == 5
    assert len(await desk.notices()) == 5


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"topic": "alert.disk", "to": ["nobody-here"]}, "to"),
        ({"topic": "alert.disk", "to": ["place:ops"]}, "to"),
        ({"topic": "alert.disk", "to": ["role:king"]}, "to"),
        ({"topic": "alert.disk", "to": ["requester"]}, "to"),
        ({"topic": "alert.disk", "to": ["planet:mars"]}, "to"),
        ({"topic": "alert.disk", "ladder": {"minutes": 5, "then": [["x"]]}}, "ladder.then"),
        ({"topic": "Alert Disk"}, "topic"),
        ({"title": "x"}, "topic"),
        ({"topic": "alert.disk", "importance": "huge"}, "importance"),
        ({"topic": "alert.disk", "url": "javascript:alert(1)"}, "url"),
        ({"topic": "alert.disk", "facts": {"x": "y" * 30_000}}, "facts"),
        ({"topic": "alert.disk", "facts": {"x": {"x": {"x": {"x": {"x": {"x": {}}}}}}}}, "facts"),
        ({"topic": "alert.disk", "surprise": 1}, "surprise"),
        ({"topic": "alert.disk", "expires_at": "2026-11-27T10:00:00"}, "expires_at"),
        ({"topic": "alert.disk", "expires_at": "9999-12-31T23:59:59-12:00"}, "expires_at"),
        ({"topic": "alert.disk", "expires_at": "0001-01-01T00:00:00+14:00"}, "expires_at"),
        ({"topic": "alert.disk", "to": ["nobody\x00"]}, "to"),
        ({"topic": "alert.disk", "to": ["on_call:\x00"]}, "to"),
        ({"topic": "alert.disk", "url": "https://x/\x00"}, "url"),
        (
            {"topic": "alert.disk", "actions": [{"kind": "open", "url": "https://x/\x00"}]},
            "actions.0.url",
        ),
        ({"topic": "alert.disk", "file": {"name": "x", "content": "TVqQ"}}, "file.content"),
    ],
)  # fmt: skip
async def test_what_is_wrong_is_said_by_field(desk: Desk, body: Any, field: str) -> None:
    status, problem = await desk.post(body)

    assert status == 422
    assert [each["field"] for each in problem["errors"]] == [field]
    assert await desk.notices() == []


@pytest.mark.parametrize("body", [b"{", b"[" * 100_000, b'{"topic": "\\ud800"}', b"\xff"])
async def test_what_is_no_json_is_refused(desk: Desk, body: bytes) -> None:
    for path in ("", "/alertmanager", "/cloudevents"):
        headers = {"Content-Type": "application/cloudevents+json"}
        status, _ = await desk.post(body, path=path, headers=headers)

        assert status in {400, 422}


async def test_a_program_sends_its_own_topics_and_never_ours(desk: Desk) -> None:
    status, problem = await desk.post({"topic": "report.daily"})
    async with unit(desk.office.house) as work:
        organisation_id = desk.office.organisation.id
        anything = await notice_senders.add(work, organisation_id, "anything", ["*"])
        with pytest.raises(Refused):
            await notice_senders.add(work, organisation_id, "evil", ["security.*"])
        with pytest.raises(Refused):
            await notice_senders.add(work, organisation_id, "monitor", ["x"])
    ours, _ = await replace(desk, key=anything).post({"topic": "security.login"})
    fine, _ = await replace(desk, key=anything).post({"topic": "report.daily"})

    assert (status, ours, fine) == (403, 403, 202)
    assert "alert.*" in problem["detail"]


async def test_a_revoked_key_is_worth_nothing_at_once(desk: Desk) -> None:
    """Though the process remembers who called."""
    before, _ = await desk.post({"topic": "alert.disk"})
    async with unit(desk.office.house) as work:
        await notice_senders.revoke(work, desk.office.organisation.id, "monitor")
        await notice_senders.revoke(work, desk.office.organisation.id, "monitor")
        with pytest.raises(Unknown):
            await notice_senders.revoke(work, desk.office.organisation.id, "nobody")
    after = [await desk.post({"topic": "alert.disk"}, key=f"a{n}") for n in range(2)]
    looked, _ = await desk.get("0198c0de-0000-7000-8000-000000000000")

    assert before == 202
    assert [status for status, _ in after] == [401, 401]
    assert looked == 401
    assert len(await desk.notices()) == 1


@pytest.mark.parametrize("given", ["", "Bearer", "Bearer wrong", "Basic x"])
async def test_without_a_key_nothing_is_taken_in(desk: Desk, given: str) -> None:
    status, _ = await desk.post({"topic": "alert.disk"}, headers={"Authorization": given})

    assert status == 401
    assert await desk.notices() == []


async def test_a_program_that_runs_wild_is_told_when_to_come_again(desk: Desk) -> None:
    async with serving(desk.office, per_minute=2) as client:
        slow = replace(desk, client=client)
        answers = [await slow.post({"topic": "log.x"}, key=f"k{n}") for n in range(3)]

    assert [status for status, _ in answers] == [202, 202, 429]
    assert answers[2][1]["code"] == "too_often"


async def test_a_program_is_told_how_its_own_notice_stands(desk: Desk) -> None:
    _, answer = await desk.post({"topic": "alert.disk", "to": ["boss"]})
    first, accepted = await desk.get(answer["id"])
    await desk.office.execute("update notices set fanned_at = now()")
    async with unit(desk.office.house) as work:
        await work.connection.execute(
            text(
                "insert into dispatches (id, organisation_id, notice_id, person_id, channel,"
                " address, importance, state, sent_at) values (gen_random_uuid(), :o, :n, :p,"
                " 'slack', 'U1', 1, 'sent', now())"
            ),
            {"o": desk.office.organisation.id, "n": answer["id"], "p": desk.office.boss.id},
        )
        stranger = await notice_senders.add(work, desk.office.organisation.id, "x", ["*"])
    second, done = await desk.get(answer["id"])

    assert (first, accepted["state"], accepted["dispatches"]) == (200, "accepted", [])
    assert (second, done["state"], done["count"]) == (200, "done", 1)
    [told] = done["dispatches"]
    assert (told["to"], told["channel"], told["state"]) == ("boss", "slack", "sent")
    assert "U1" not in json.dumps(done)
    assert (await desk.get(answer["id"], key=stranger))[0] == 404
    assert (await desk.get("rubbish"))[0] == 404


async def test_a_program_ends_its_own_notice_and_no_others(desk: Desk) -> None:
    """By saying that somebody has it, or that it is not so any more; what waits does not leave."""
    house, organisation_id = desk.office.house, desk.office.organisation.id
    async with unit(house) as work:
        stranger = replace(desk, key=await notice_senders.add(work, organisation_id, "x", ["*"]))
    ids = [
        (await desk.post({"topic": "alert.disk", "to": ["boss"]}, f"k{n}"))[1]["id"]
        for n in range(2)
    ]
    await fan_out_due(house, 10)
    foreign = [await stranger.post(b"", None, f"/{ids[0]}/{act}") for act in ("ack", "cancel")]
    _, acknowledged = await desk.post(b"", None, f"/{ids[0]}/ack")
    _, cancelled = await desk.post(b"", None, f"/{ids[1]}/cancel")
    again, _ = await desk.post(b"", None, f"/{ids[1]}/cancel")

    assert [status for status, _ in foreign] == [404, 404]
    assert acknowledged["acknowledged_at"] is not None
    assert cancelled["cancelled_at"] is not None
    for each, reason in ((acknowledged, "acknowledged"), (cancelled, "cancelled")):
        assert [(d["state"], d["reason"]) for d in each["dispatches"]] == [("dropped", reason)]
    assert again == 200


async def test_while_the_database_is_away_it_is_said(desk: Desk) -> None:
    away = create_engine("postgresql+asyncpg://nobody@127.0.0.1:1/none")
    house = replace(desk.office.house, engine=away)
    async with serving(replace(desk.office, house=house)) as client:
        lost = replace(desk, client=client)
        status, problem = await lost.post({"topic": "alert.disk"})
        looked, _ = await lost.get("0198c0de-0000-7000-8000-000000000000")
    await away.dispose()

    assert (status, problem["code"], looked) == (503, "unavailable", 503)


async def test_no_secret_among_the_facts_reaches_a_log(
    desk: Desk, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Neither where it is taken, nor refused, nor where the database refuses it."""
    caplog.set_level("DEBUG")
    facts = {"password": "hunter2-hunter2"}
    await desk.post({"topic": "alert.disk", "facts": facts})
    await desk.post({"topic": "alert.disk", "facts": facts, "surprise": "hunter2-hunter2"})
    await desk.post({"topic": "alert.disk", "facts": facts, "importance": 7}, key="k2")
    await desk.office.execute_as_owner(
        "alter table notices add check (facts ->> 'password' <> 'hunter2-hunter2') not valid"
    )
    try:
        crashed, _ = await desk.post({"topic": "alert.disk", "facts": facts}, key="k3")
    finally:
        await desk.office.execute_as_owner(
            "alter table notices drop constraint notices_facts_check"
        )
    said = capfd.readouterr()

    assert crashed == 500
    assert "web.crashed" in said.out + said.err + caplog.text
    assert "hunter2" not in said.out + said.err + caplog.text


# CloudEvents


EVENT = {
    "specversion": "1.0", "id": "A-1", "source": "https://ci.example/run/7",
    "type": "com.example.Build.Failed", "subject": "main is red", "importance": "high",
    "to": "boss, role:admin", "time": "2026-11-27T12:00:00Z", "data": {"branch": "main"},
}  # fmt: skip


async def test_an_event_is_the_same_in_each_form_and_once(desk: Desk) -> None:
    structured = {"Content-Type": "application/cloudevents+json; charset=utf-8"}
    batched = {"Content-Type": "application/cloudevents-batch+json"}
    binary = {f"ce-{name}": str(value) for name, value in EVENT.items() if name != "data"}
    binary["Content-Type"] = "application/json"
    one, first = await desk.post(EVENT, path="/cloudevents", headers=structured)
    two, second = await desk.post({"branch": "main"}, path="/cloudevents", headers=binary)
    three, third = await desk.post(
        [EVENT, {**EVENT, "id": "A-2"}, EVENT], path="/cloudevents", headers=batched
    )

    assert (one, two, three) == (202, 202, 202)
    assert first["id"] == second["id"] == third["notices"][0]["id"] == third["notices"][2]["id"]
    assert [each["again"] for each in third["notices"]] == [True, False, True]
    row, _ = await desk.notices()
    assert (row.topic, row.importance) == ("com.example.build.failed", "high")
    assert row.facts == {
        "branch": "main", "source": "https://ci.example/run/7", "title": "main is red",
    }  # fmt: skip
    assert [each["kind"] for each in row.recipients] == ["person", "role"]


@pytest.mark.parametrize("lacking", ["id", "source", "type", "specversion"])
async def test_an_event_says_itself_what_it_is(desk: Desk, lacking: str) -> None:
    """In a batch nothing is taken in where one of them does not."""
    event = {name: value for name, value in EVENT.items() if name != lacking}
    batched = {"Content-Type": "application/cloudevents-batch+json"}
    status, problem = await desk.post([EVENT, event], path="/cloudevents", headers=batched)

    assert (status, problem["code"]) == (422, "invalid_event")
    assert lacking in problem["detail"]
    assert await desk.notices() == []


@pytest.mark.parametrize("name", ["source", "id", "group", "subject"])
async def test_half_a_character_in_an_event_breaks_nothing(desk: Desk, name: str) -> None:
    structured = {"Content-Type": "application/cloudevents+json"}
    event = {**EVENT, name: "x\ud800"}
    (one, first), (two, second) = [
        await desk.post(event, path="/cloudevents", headers=structured) for _ in range(2)
    ]
    nobody, _ = await desk.post({**EVENT, "to": "\ud800"}, path="/cloudevents", headers=structured)

    assert (one, two, nobody) == (202, 202, 422)
    assert first["id"] == second["id"]


async def test_data_that_is_no_object_is_told_all_the_same(desk: Desk) -> None:
    headers = {f"ce-{name}": str(value) for name, value in EVENT.items() if name != "data"}
    headers["Content-Type"] = "text/plain"
    await desk.post("壊れました".encode(), path="/cloudevents", headers=headers)
    await desk.post(
        b"[1, 2]", path="/cloudevents",
        headers={**headers, "ce-id": "A-2", "Content-Type": "application/json"},
    )  # fmt: skip

    rows = await desk.notices()
    assert [row.facts.get("text") for row in rows] == ["壊れました", None]
    assert rows[1].facts["data"] == [1, 2]


async def test_whoever_asks_whether_events_may_be_sent_is_told(desk: Desk) -> None:
    headers = {"WebHook-Request-Origin": "eventgrid.example"}
    async with desk.client.options("/api/notify/cloudevents", headers=headers) as answer:
        assert (answer.status, answer.headers["WebHook-Allowed-Origin"]) == (200, "*")


# Alertmanager


async def test_what_fires_and_what_is_over_are_of_one_group(desk: Desk) -> None:
    resolved = {
        **ALERTS, "status": "resolved", "alerts": [
            {**ALERTS["alerts"][0], "status": "resolved", "endsAt": "2026-11-27T13:20:00Z"},
        ],
    }  # fmt: skip
    path = "/alertmanager?to=role:admin&to=boss"
    answers = [await desk.post(body, None, path) for body in (ALERTS, ALERTS, resolved)]

    assert [(status, answer["again"]) for status, answer in answers] == [
        (202, False), (202, True), (202, False),
    ]  # fmt: skip
    fired, over = await desk.notices()
    assert (fired.topic, fired.importance) == ("alert.probe_failure", "critical")
    assert fired.group_key == over.group_key
    assert (fired.resolved, over.resolved) == (False, True)
    assert [each["kind"] for each in fired.recipients] == ["role", "person"]
    assert (fired.facts["title"], fired.facts["firing"]) == ("Probe failed: www", 1)
    assert (over.facts["firing"], over.facts["resolved_count"]) == (0, 1)
    assert over.facts["alerts"][0]["ends_at"] == "2026-11-27T13:20:00+00:00"


async def test_a_group_is_one_message_for_a_place_from_firing_to_resolved(desk: Desk) -> None:
    """Another alert of the same group and its end change what stands there."""
    house, organisation_id = desk.office.house, desk.office.organisation.id
    place = places.made(organisation_id, "ops", "webhook", "https://hooks.example/", secrets={})
    async with unit(house) as work:
        await places.add(work, house, place)
    second = {**ALERTS["alerts"][0], "fingerprint": "2", "labels": {"instance": "api"}}
    two = {**ALERTS, "alerts": [*ALERTS["alerts"], second], "commonLabels": {}}
    over = [{**each, "status": "resolved"} for each in two["alerts"]]
    for body in (ALERTS, two, {**two, "status": "resolved", "alerts": over}):
        status, answer = await desk.post(body, None, "/alertmanager?to=place:ops")
        assert status == 202
        await fan_out_due(house, 10)
    _, standing = await desk.get(answer["id"])

    assert (standing["resolved"], standing["counted_with"] is not None) == (True, True)
    [told] = standing["dispatches"]
    assert (told["to"], told["channel"]) == ("ops", "webhook")


async def test_a_group_of_many_alerts_tells_some_and_how_many(desk: Desk) -> None:
    many = {
        **ALERTS, "truncatedAlerts": 7,
        "commonLabels": {}, "commonAnnotations": {}, "groupLabels": {},
        "alerts": [
            {**ALERTS["alerts"][0], "fingerprint": str(n), "labels": {
                "alertname": f"A{n % 3}", "severity": "warning" if n else "info",
            }} for n in range(50)
        ],
    }  # fmt: skip
    status, _ = await desk.post(many, None, "/alertmanager")

    assert status == 202
    [row] = await desk.notices()
    assert (row.topic, row.importance) == ("alert.several", "normal")
    assert (len(row.facts["alerts"]), row.facts["more"]) == (20, 37)
    assert row.facts["title"] == "A0, A1, A2"


async def test_what_alertmanager_never_sends_is_refused(desk: Desk) -> None:
    statuses = [
        (await desk.post(body, None, "/alertmanager"))[0]
        for body in ({}, [], {**ALERTS, "alerts": []}, {**ALERTS, "status": "odd"})
    ]

    assert statuses == [400] * 4
