"""Webhooks are LINE's or refused, and once answered 200 they are dealt with, once, in order."""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.routing import Route

from bot.line import rows
from bot.line.channels import Channels
from bot.line.inbox import Inbox
from bot.line.reading import is_from_line, read_events, read_webhook
from bot.line.spool import Signed, Spool
from bot.line.tokens import Channel
from bot.line.webhook import PATH, webhook
from core.arrivals import Arrival
from core.arriving import Arriving
from core.chores import Chores
from core.ids import new_id
from core.platform import Opening
from core.sealing import seal
from core.secret_key import secret_key
from core.settings import Settings
from core.unit import unit
from tests.core.house import Office, open_office, seen
from tests.core.wire import Wire
from tests.fakes.line.driver import Driver
from tests.fakes.line.server import FakeLine
from tests.fakes.line.signing import sign, signed_headers
from tests.running import at_port

ANY_TEXT = st.text(alphabet=st.characters(codec="utf-8")) | st.sampled_from(
    ["🍣 髙﨑𠮷 ㈱ＡＢＣ　見積", "👨‍👩‍👧‍👦", "ｶﾞ", "\u202e", "\x00"]
)


def test_lines_own_example_is_verified(shared: Path) -> None:
    sample = json.loads((shared / "specs/samples/line-request-signing.json").read_text())
    body = sample["body"].encode()
    signature = sample["headers"]["x-line-signature"]

    assert is_from_line(sample["channel_secret"], body, signature)
    assert not is_from_line(sample["channel_secret"], body + b" ", signature)
    assert not is_from_line("another", body, signature)
    assert read_webhook(body) == json.loads(body)


@settings(max_examples=60)
@given(ANY_TEXT, st.booleans(), st.integers(0, 10_000))
def test_the_bytes_are_signed_whatever_is_in_them(text: str, escaped: bool, at: int) -> None:
    body = json.dumps({"text": text}, ensure_ascii=escaped).encode()
    signature = sign("secret", body)
    at %= len(body)
    changed = body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]

    assert is_from_line("secret", body, signature)
    assert not is_from_line("secret", changed, signature)
    assert not is_from_line("secret", body, signature[:-2] + "髙=")


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | ANY_TEXT | st.just("\ud83d"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=3),
    max_leaves=8,
)
_KNOWN_KEYS = ("type", "source", "timestamp", "webhookEventId", "deliveryContext", "replyToken")


@settings(max_examples=80)
@given(
    st.lists(st.dictionaries(st.sampled_from((*_KNOWN_KEYS, "mode", "x")), JSON) | JSON, max_size=4)
)
def test_whatever_a_webhook_holds_is_read_into_what_a_database_can_keep(events: list[Any]) -> None:
    body = json.dumps({"destination": "U1", "events": events}).encode()
    said = read_webhook(body)
    assert said is not None

    for event in read_events(Channel("U1", UUID(int=1), "", ""), said):
        kept = json.dumps(event.body, allow_nan=False, ensure_ascii=False).encode().decode()
        assert "\\u0000" not in kept
        assert event.key


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b'{"events":[]}', b"[" * 10**5])
def test_what_is_no_webhook_is_none(body: bytes) -> None:
    assert read_webhook(body) is None


@dataclass
class Told:
    """What reached the handlers, over all processes."""

    noticed: list[str] = field(default_factory=list)
    handled: list[Arrival] = field(default_factory=list)
    flows: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.flows.set()

    @property
    def texts(self) -> list[str]:
        return [arrival.body["message"]["text"] for arrival in self.handled]


@dataclass
class Hands:
    """The handlers of one process."""

    told: Told

    async def noticed(self, arrival: Arrival) -> None:
        self.told.noticed.append(arrival.key)
        await self.told.flows.wait()

    async def patience(self, arrivals: Sequence[Arrival]) -> timedelta:
        return timedelta(0)

    async def handle(self, arrivals: Sequence[Arrival]) -> Sequence[Arrival]:
        await self.told.flows.wait()
        self.told.handled.append(arrivals[0])
        return arrivals[:1]

    async def gave_up(self, arrivals: Sequence[Arrival], error_id: str) -> None:
        raise AssertionError


@dataclass
class Mailroom:
    """Webhooks and what they are for, without what is done about them."""

    office: Office
    line: FakeLine
    wire: Wire
    opening: Opening
    told: Told = field(default_factory=Told)

    @asynccontextmanager
    async def process(self, *, knows: bool = True) -> AsyncIterator[Driver]:
        """A web process; gives the people who write to it. `knows` its channels from before."""
        engine, chores, channels = self.office.house.engine, Chores(), Channels(self.opening)
        if knows:
            await channels.get(self.line.home.destination)
        arriving = Arriving(engine, "line", Hands(self.told), chores)
        inbox = Inbox(engine, channels, Spool(self.folder), arriving, chores)
        app = Starlette(routes=[Route(PATH, webhook(inbox), methods=["POST"])])
        sweeping = asyncio.create_task(arriving.sweep())
        inbox.drain_later()
        async with at_port(app) as url:
            yield self.line.driver(url)
        sweeping.cancel()
        await chores.close(patience=1)
        await channels.chores.close(patience=0.1)

    @property
    def folder(self) -> Path:
        return self.opening.settings.home / "line-webhooks"

    def kept(self) -> int:
        """Webhooks that wait in files."""
        return len(list(self.folder.glob("*.webhook")))

    async def states(self) -> dict[str, str]:
        async with self.office.house.engine.connect() as connection:
            found = await connection.exec_driver_sql("select kind, state from arrivals")
            return {row.kind: row.state for row in found}

    async def handled(self, count: int) -> list[Arrival]:
        await seen(lambda: len(self.told.handled) >= count)
        await asyncio.sleep(0.05)
        assert len(self.told.handled) == count
        return self.told.handled


@pytest.fixture
async def mailroom(database_url: str, tmp_path: Path) -> AsyncIterator[Mailroom]:
    async with (
        FakeLine() as line,
        Wire(database_url, tmp_path) as wire,
        open_office(wire.url) as office,
    ):
        given = Settings(home=tmp_path / "home", secret_key=SecretStr("A" * 43 + "="))
        opening = Opening(given, office.house, _no_file)
        opens = {"secret": line.home.secret, "token": line.home.token}
        destination = line.home.destination
        sealed = seal(secret_key(given), "line", destination, opens)
        async with unit(office.house) as work:
            await rows.save(work, office.organisation.id, destination, "みやび商会", sealed)
        yield Mailroom(office, line, wire, opening)
        wire.flows.set()


async def _no_file(organisation_id: UUID, sha256: str) -> bytes:
    raise LookupError(sha256)


async def test_what_is_not_lines_is_refused_and_nothing_is_stored(mailroom: Mailroom) -> None:
    async with mailroom.process() as people:
        home = mailroom.line.home
        event = people.make.text("見積 🍣", "花子")
        body = json.dumps({"destination": home.destination, "events": [event]}).encode()
        good = signed_headers(home.secret, body)
        other = body.replace(home.destination.encode(), b"U" + b"0" * 32)

        replies = [
            await people.raw(body, {"content-type": "application/json"}),
            await people.raw(body, good | {"x-line-signature": "nonsense"}),
            await people.raw(body + b" ", good),
            await people.raw(body, signed_headers("another", body)),
            await people.raw(other, signed_headers(home.secret, other)),
            await people.raw(b"{", signed_headers(home.secret, b"{")),
            await people.raw(b" " * 1_000_001, good),
        ]

        assert [reply.status for reply in replies] == [401, 401, 401, 401, 401, 400, 413]
        assert await mailroom.states() == {}
        assert (await people.raw(body, good)).ok
        assert (await people.deliver()).ok  # the console's "Verify"
        await mailroom.handled(1)


async def test_events_of_one_webhook_are_separate_and_their_own_chats(mailroom: Mailroom) -> None:
    async with mailroom.process() as people:
        mailroom.line.home.group("営業", ("花子", "一郎"))
        make = people.make
        reply = await people.deliver(
            make.text("一", "花子"),
            make.text("二", "花子", "営業"),
            make.text("三", "一郎"),
            make.text("四", "花子"),
        )
        assert reply.ok
        found = await mailroom.handled(4)

        ids = [event["webhookEventId"] for event in reply.events]
        assert sorted(arrival.key for arrival in found) == sorted(ids)
        assert len({arrival.chat for arrival in found}) == 3
        mine = [a.body["message"]["text"] for a in found if a.chat == a.account]
        assert [text for text in mine if text != "三"] == ["一", "四"]
        assert all(arrival.reply_until for arrival in found)


async def test_an_unknown_kind_and_what_is_anothers_to_answer_are_kept_as_ignored(
    mailroom: Mailroom,
) -> None:
    async with mailroom.process() as people:
        said = people.make.text("x", "花子")
        dance = said | {"type": "dance", "webhookEventId": "01A", "steps": "髙"}
        standby = said | {"type": "postback", "webhookEventId": "01B", "mode": "standby"}

        body = {"destination": mailroom.line.home.destination, "events": [dance, standby]}
        raw = json.dumps(body).encode()
        reply = await people.raw(raw, signed_headers(mailroom.line.home.secret, raw))

        assert reply.ok
        assert await mailroom.states() == {"dance": "ignored", "postback": "ignored"}
        kept = read_events(Channel("U1", UUID(int=1), "", ""), body)
        assert [each.reply_token is None for each in kept] == [False, True], "whose to answer"
        assert mailroom.told.noticed == []


async def test_what_is_delivered_again_is_done_once_and_its_token_is_not_trusted(
    mailroom: Mailroom,
) -> None:
    async with mailroom.process() as one, mailroom.process() as other:
        first = await one.say("見積 A", "花子")
        lost = one.make.text("見積 B", "花子")
        replies = await asyncio.gather(
            *(people.redeliver(*first.events, lost) for people in (one, other, other))
        )

        assert all(reply.ok for reply in replies)
        found = await mailroom.handled(2)
        row = await mailroom.office.row(
            "select redelivered, reply_token from arrivals where key = :key",
            {"key": lost["webhookEventId"]},
        )
        assert (row.redelivered, row.reply_token) == (True, None)
        assert [a.reply_until is None for a in found] == [False, True]


async def test_line_has_its_answer_while_everything_behind_hangs(mailroom: Mailroom) -> None:
    async with mailroom.process() as people:
        mailroom.told.flows.clear()
        replies = [await people.say(f"{n}", "花子") for n in range(5)]

        assert all(reply.status == 200 and reply.elapsed < 0.5 for reply in replies)
        assert mailroom.told.handled == []
        mailroom.told.flows.set()
        await mailroom.handled(5)
        assert mailroom.told.texts == ["0", "1", "2", "3", "4"]


async def test_while_the_database_stands_still_webhooks_are_kept_and_later_done_in_order(
    mailroom: Mailroom,
) -> None:
    async with mailroom.process() as people, mailroom.process() as other:
        mailroom.wire.flows.clear()
        first = await asyncio.gather(*(people.say(f"{n}", f"友{n}") for n in range(10)))
        second = await people.say("続き", "友0")
        doubled = await people.redeliver(*second.events)

        assert all(reply.ok for reply in (*first, second, doubled))
        assert max(reply.elapsed for reply in first) < 1.6
        assert mailroom.kept() == 12
        mailroom.wire.flows.set()
        third = await people.say("最後", "友0")
        assert third.ok
        assert (await other.redeliver(*third.events)).ok
        found = await mailroom.handled(12)

        of_one = [a.body["message"]["text"] for a in found if a.account == found_id(found, "0")]
        assert of_one == ["0", "続き", "最後"]
        await seen(lambda: mailroom.kept() == 0)
        assert (await people.say("もう平気", "友0")).elapsed < 0.5
        await mailroom.handled(13)


def found_id(found: Sequence[Arrival], text: str) -> str:
    return next(a.account for a in found if a.body["message"]["text"] == text)


async def test_a_process_that_does_not_know_its_channels_yet_keeps_what_may_be_lines(
    mailroom: Mailroom,
) -> None:
    mailroom.wire.cut()
    async with mailroom.process(knows=False) as people:
        reply = await people.say("始めまして", "花子")
        event = people.make.text("偽物", "花子")
        body = {"destination": mailroom.line.home.destination, "events": [event]}
        raw = json.dumps(body).encode()
        forged = await people.raw(raw, signed_headers("another", raw))

        assert reply.ok
        assert forged.status == 200  # nobody could tell
        await mailroom.wire.mend()
        await mailroom.handled(1)
        assert mailroom.told.texts == ["始めまして"]
        await seen(lambda: mailroom.kept() == 0)


async def test_what_is_kept_waits_for_its_channel_to_become_known_and_not_for_ever(
    mailroom: Mailroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.line.channels._NONE_FRESH", 0.1)
    removed = "update installations set removed_at = {} where platform = 'line'"
    await mailroom.office.execute(removed.format("now()"))
    mailroom.wire.cut()
    async with mailroom.process(knows=False) as people:
        assert (await people.say("始めまして", "花子")).ok
        await mailroom.wire.mend()
        await asyncio.sleep(0.7)
        assert mailroom.kept() == 1

        await mailroom.office.execute(removed.format("null"))
        await mailroom.handled(1)
        await seen(lambda: mailroom.kept() == 0)

    stranger = Signed(b'{"destination":"U2","events":[{}]}', "x", time.time() - 3600)
    await Spool(mailroom.folder).keep(stranger, verified=False)
    async with mailroom.process():
        await seen(lambda: mailroom.kept() == 0)


async def test_what_can_be_kept_nowhere_is_lines_to_deliver_again(mailroom: Mailroom) -> None:
    async with mailroom.process() as people:
        mailroom.folder.parent.mkdir()
        mailroom.folder.write_text("in the way")
        mailroom.wire.flows.clear()

        reply = await people.say("x", "花子")

        assert reply.status == 503
        assert reply.elapsed < 2
        mailroom.wire.flows.set()
        mailroom.folder.unlink()
        assert (await people.redeliver(*reply.events)).ok
        await mailroom.handled(1)


async def test_files_of_a_process_that_was_killed_are_brought_in_by_the_next(
    mailroom: Mailroom,
) -> None:
    make = mailroom.line.driver("http://nowhere").make
    events = [make.text(f"{n}", "花子") for n in range(120)]
    waiting = Spool(mailroom.folder)
    for event in events:
        body = {"destination": mailroom.line.home.destination, "events": [event]}
        raw = json.dumps(body).encode()
        signed = Signed(raw, sign(mailroom.line.home.secret, raw), time.time() - 60)
        await waiting.keep(signed, verified=True)
    (mailroom.folder / "0.new").write_text("half of o")
    (mailroom.folder / "00.webhook").write_text("nonsense")

    async with mailroom.process() as people:
        assert (await people.say("今", "花子")).ok
        await mailroom.handled(121)

    assert mailroom.told.texts == [*(f"{n}" for n in range(120)), "今"]
    old, new = mailroom.told.handled[0], mailroom.told.handled[-1]
    assert old.reply_until is None  # a minute later its token is worth nothing
    assert new.reply_until is not None
    assert mailroom.kept() == 0


_KILLED = """
import asyncio, sys, time
from pathlib import Path
from bot.line.spool import Signed, Spool
async def main():
    spool = Spool(Path(sys.argv[1]))
    for n in range(100000):
        await spool.keep(Signed(b"x" * 20000, "s", time.time()), verified=True)
        print(n, flush=True)
asyncio.run(main())
"""


async def test_a_kept_webhook_outlives_kill_9_and_half_a_one_is_nothing(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _KILLED, str(tmp_path), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    told = 0
    while told < 20:
        told = int(await process.stdout.readline()) + 1
    os.kill(process.pid, signal.SIGKILL)
    told += len((await process.stdout.read()).split())
    await process.wait()

    found = await Spool(tmp_path).oldest(10**6)

    assert len(found) >= told
    assert {len(signed.body) for signed in found} == {20000}
    assert sorted(found, key=lambda signed: signed.received_at) == found


async def test_the_spool_has_a_limit_and_a_low_one_for_strangers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.line.spool._MOST", 1000)
    monkeypatch.setattr("bot.line.spool._MOST_UNVERIFIED", 300)
    spool = Spool(tmp_path)

    async def kept(times: int, *, verified: bool) -> int:
        done = 0
        for _ in range(times):
            try:
                await spool.keep(Signed(b"x" * 100, "s", time.time()), verified=verified)
            except OSError:
                continue
            done += 1
        return done

    assert await kept(9, verified=False) < 4
    assert 4 < await kept(12, verified=True) < 10


async def test_each_of_lines_sample_events_goes_through(mailroom: Mailroom, shared: Path) -> None:
    sample = json.loads((shared / "specs/samples/line-webhook.json").read_text())
    events = [
        event | {"webhookEventId": new_id().hex, "timestamp": event["timestamp"] + n}
        for n, event in enumerate(sample["body"]["events"])
    ]
    async with mailroom.process() as people:
        body = {"destination": mailroom.line.home.destination, "events": events}
        raw = json.dumps(body).encode()
        assert (await people.raw(raw, signed_headers(mailroom.line.home.secret, raw))).ok
        expected = sum(event["type"] in _ANSWERED for event in events)
        await mailroom.handled(expected)
        row = await mailroom.office.row("select count(*) as n from arrivals", {})
        assert row.n == 28
        ignored = {kind for kind, state in (await mailroom.states()).items() if state == "ignored"}
        assert ignored == {"beacon", "videoPlayComplete", "messageEdited", "undefined"}


_ANSWERED = {
    "message", "follow", "unfollow", "join", "leave", "postback", "accountLink", "memberJoined",
    "memberLeft", "unsend",
}  # fmt: skip
