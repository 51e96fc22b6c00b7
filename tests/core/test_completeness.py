"""Each state has its event, each event its state; and whatever lacks one is told."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from structlog.testing import capture_logs

from audit.event import Actor
from core import completeness, nightly, people, tasks
from core.acknowledging import acknowledge
from core.agreement import _COMPARE, Compared, compare
from core.approvals import by_link, changing, deciding
from core.approvals.by_link import page_link
from core.approvals.circulation import circulate, confirm
from core.approvals.plan import Circulated
from core.approvals.view import approval_view
from core.completeness import _TOUCHED
from core.db import fetch_all, from_json
from core.errors import OutcomeUnknown, Permanent, TryLater
from core.expenses import books
from core.expenses.claim import Checked, CheckedLine, ClaimLine
from core.inbound import SentFile
from core.links import make_link, revoke
from core.messages import Attachment
from core.notices import Notice, Recipient, publish
from core.payables import owe
from core.reconcile import reconcile
from core.settings import Settings
from core.tags import FACTS, Tag
from core.unit import unit
from core.words import same
from notifier.deliver import announce
from notifier.hub.fanning import fan_out_due
from notifier.hub.lanes import Lane
from notifier.hub.sending import Ways
from tests.core.house import Office
from tests.core.post import BLIND, open_post

TOLD = {
    "number": Tag.STEP_FINISHED, "task": Tag.TASK_RECEIVED, "state": Tag.TASK_DONE,
    "revision": Tag.TASK_REVISED, "step": Tag.STEP_FINISHED, "approval": Tag.APPROVAL_REQUESTED,
    "closing": Tag.APPROVAL_DECIDED, "decision": Tag.APPROVAL_DECIDED,
    "undone": Tag.APPROVAL_UNDONE, "added": Tag.SEAT_ADDED, "note": Tag.APPROVAL_NOTED,
    "seen": Tag.APPROVAL_SEEN,
    "document": Tag.DOCUMENT_NUMBERED, "entry": Tag.DOCUMENT_NUMBERED,
    "file": Tag.DOCUMENT_ISSUED, "void": Tag.DOCUMENT_VOIDED, "sent": Tag.FILE_RECEIVED,
    "kept": Tag.FILE_KEPT, "refused": Tag.FILE_REFUSED, "intent": Tag.EFFECT_INTENDED,
    "effect": Tag.EFFECT_SETTLED, "message": Tag.MESSAGE_SENT, "unknown": Tag.MESSAGE_UNKNOWN,
    "settled": Tag.MESSAGE_SETTLED, "given up": Tag.MESSAGE_FAILED, "claim": Tag.CLAIM_APPROVED,
    "owed": Tag.PAYABLE_OWED, "link": Tag.LINK_MADE, "revoked": Tag.LINK_REVOKED,
    "page": Tag.PAGE_MADE, "page used": Tag.PAGE_USED, "notice": Tag.NOTICE_PUBLISHED,
    "dispatch": Tag.NOTICE_DECIDED, "told": Tag.DISPATCH_SENT, "not told": Tag.DISPATCH_DROPPED,
    "acknowledged": Tag.NOTICE_ACKNOWLEDGED,
}  # fmt: skip
"""For each kind of fact an event that tells it."""

STORED = {
    "number": "update audit_streams set count = count + 1",
    "task": "insert into tasks (id, organisation_id, reference, agent, agent_version, person_id,"
    " language, state) select uuidv7_now, organisation_id, 99, agent, 1, person_id, language,"
    " 'received' from tasks, gen_random_uuid() as uuidv7_now limit 1",
    "state": "update tasks set state = 'failed', waiting_for = null, question = null"
    " where state = 'done'",
    "revision": "insert into revisions select organisation_id, task_id, 7, ask, person_id"
    " from revisions limit 1",
    "step": "insert into steps select organisation_id, task_id, revision, 'more', '', '{}', now(),"
    " now() from steps limit 1",
    "approval": "insert into approvals (id, organisation_id, task_id, revision, step, route,"
    " shown_sha256, state, expires_at) select gen_random_uuid(), organisation_id, task_id, 9,"
    " 'more', '', '', 'approved', now() from approvals limit 1",
    "closing": "update approvals set state = 'withdrawn' where state = 'approved'",
    "decision": "insert into decisions (id, organisation_id, approval_id, person_id, action)"
    " select gen_random_uuid(), a.organisation_id, a.id, t.person_id, 'approve' from approvals a"
    " join tasks t on t.id = a.task_id"
    " where not exists (select from decisions d where d.approval_id = a.id) limit 1",
    "undone": "update decisions set undone_at = now() where undone_at is null",
    "added": "update approval_seats set added_by = holder_id where added_by is null",
    "note": "insert into approval_notes (id, organisation_id, approval_id, task_id, person_id,"
    " kind, text) select gen_random_uuid(), organisation_id, approval_id, task_id, person_id,"
    " 'question', 'why?' from circulations limit 1",
    "seen": "update circulations set seen_at = now() where seen_at is null",
    "document": "insert into documents (id, organisation_id, task_id, revision, kind, number,"
    " base_number, issued_on) select gen_random_uuid(), organisation_id, task_id, 9, kind, 'L-9',"
    " 'L-9', issued_on from documents limit 1",
    "entry": "update audit_documents set number = 'L-9' where number = 'L-2026-0001'",
    "file": "update documents set file = jsonb_set(file, '{sha256}', '\"other\"')"
    " where file is not null",
    "void": "update documents set voided_at = now() where voided_at is null",
    "sent": "update attachments set id = gen_random_uuid() where state = 'kept'",
    "kept": "update attachments set sha256 = repeat('0', 64) where state = 'kept'",
    "refused": "update attachments set state = 'refused', sha256 = null where state = 'kept'",
    "intent": "update effects set attempts = attempts + 1",
    "effect": "update effects set state = 'failed' where state = 'done'",
    "message": "update messages set external_id = 'other' where slot = 'root'",
    "unknown": "update deliveries set state = 'unknown' where id = (select id from deliveries"
    " where state = 'sent' limit 1)",
    "settled": "update deliveries set settled_by = (select id from people limit 1)"
    " where id = (select id from deliveries where state = 'sent' limit 1)",
    "given up": "update deliveries set state = 'failed' where id = (select id from deliveries"
    " where state = 'sent' and slot like 'card:%' limit 1)",
    "claim": "update claims set approved = approved - 1",
    "owed": "update payables set amount = amount + 1",
    "link": "update links set sha256 = repeat('0', 64)",
    "revoked": "update links set revoked_at = now() where revoked_at is null",
    "page": "update approval_links set id = gen_random_uuid()",
    "page used": "update approval_links set used_at = now() where used_at is null",
    "notice": "insert into notices (id, organisation_id, topic, importance, recipients)"
    " select gen_random_uuid(), organisation_id, topic, importance, '[]' from notices limit 1",
    "dispatch": "insert into dispatches (id, organisation_id, notice_id, channel, address,"
    " importance) select gen_random_uuid(), organisation_id, notice_id, 'other', '', 1"
    " from dispatches limit 1",
    "told": "update dispatches set sent_at = now() where sent_at is null",
    "not told": "update dispatches set state = 'failed' where state = 'sent'",
    "acknowledged": "update notices set acknowledged_at = now() where acknowledged_at is null",
}  # fmt: skip
"""For each kind of fact how a row comes to say it, though no event does."""


async def all_fates(office: Office) -> None:
    """Tasks that end in every way, with acts and messages that do."""
    outside = open_post(office, BLIND)
    for fate in (
        _issued,
        _enclosed,
        _discussed,
        _revised,
        _rejected,
        _paged,
        _cancelled,
        _failed,
        _expired,
        _noticed,
    ):
        await fate(office)
    outside.after = [OutcomeUnknown("lost"), OutcomeUnknown("lost")]
    parcel = await office.say("parcel hello", thread="p")
    await office.work()
    await office.say("again", thread="p")
    await office.work()
    await office.say("sent", thread="p")
    await office.work()
    assert await office.state(parcel.task_id) == "done"
    await _lost_messages(office)
    await _claimed(office, parcel.task_id)
    await _linked(office, parcel.task_id)


async def _claimed(office: Office, task_id: UUID) -> None:
    line = ClaimLine(date(2026, 11, 20), "taxi", "visit", "travel", 2340, 10)
    checked = Checked((CheckedLine(line, same("Travel"), "6110", 2340, 212, 70),))
    async with unit(office.house) as work:
        task = await tasks.lock(work.connection, office.organisation.id, task_id)
        await books.submit(work, task, checked)
        await books.approve(work, task, "E-2026-0001")


async def _linked(office: Office, task_id: UUID) -> None:
    """One link that was taken back, and one that opens its file."""
    house = replace(office.house, public_url="https://miyabi.example")
    of, file = office.organisation.id, Attachment("1" * 64, "a.pdf", "application/pdf")
    async with unit(house) as work:
        await make_link(work, house, of, task_id, file, None, timedelta(days=1))
        await revoke(work, of, task_id=task_id)
        await make_link(work, house, of, task_id, file, None, timedelta(days=1))


async def _decided(office: Office, words: str, action: str, thread: str | None = None) -> Any:
    answer = await office.say(words, thread=thread)
    await office.work()
    await office.click(action, await office.approval_id(answer.task_id), office.boss, "no reason")
    await office.work()
    return answer


async def _issued(office: Office) -> None:
    answer = await _decided(office, "letter hello", "approve")
    assert await office.state(answer.task_id) == "done"
    await office.say(f"void #{answer.reference} wrong", office.boss)
    async with unit(office.house) as work:
        task = await tasks.lock(work.connection, office.organisation.id, answer.task_id)
        await owe(work, task, task.person_id, 1_000)
    await _decided(office, "letter again", "approve")


async def _discussed(office: Office) -> None:
    """One who approves takes it back, says something, and has one more approve; two are told."""
    boss, told = office.boss, [office.asker, office.other_boss]
    async with unit(office.house) as work:
        third = await people.add(
            work, office.organisation.id, "third", "Third", frozenset({"requester"})
        )
    answer = await office.say("letter talk")
    await office.work()
    approval = await office.approval_id(answer.task_id)
    by = {person.id: Actor(person.id) for person in (boss, *told, third)}
    async with unit(office.house) as work:
        task, _ = await changing.add(work, boss, approval, third, by[boss.id])
        await changing.note(work, boss, approval, "comment", "fine", by[boss.id])
        circulated = [Circulated(person.id, confirm=True) for person in told]
        await circulate(work, task, approval, circulated, by[boss.id])
    await office.click("approve", approval, boss)
    await office.click("undo", approval, boss)
    await office.click("approve", approval, boss)
    async with unit(office.house) as work:
        await confirm(work, office.asker, approval, by[office.asker.id])
        await deciding.decide(work, third, approval, "approve", "", by[third.id])
    await office.work()
    assert await office.state(answer.task_id) == "done"


async def _revised(office: Office) -> None:
    answer = await office.say("letter ?", thread="r")
    await office.work()
    await office.say("warm", thread="r")
    await office.work()
    await office.say(f"revise #{answer.reference} letter bye")
    await office.work()
    await office.click("return", await office.approval_id(answer.task_id), office.boss, "why?")
    await office.say("letter once more", thread="r")
    await office.work()
    assert await office.state(answer.task_id) == "waiting:approval"


async def _enclosed(office: Office) -> None:
    office.wall.files = {"f1": b"%PDF-1.7", "f2": b"\0", "f3": b"%PDF-2.0"}
    files = [SentFile("f1", "a.pdf"), SentFile("f2", "b.pdf")]
    answer = await office.say("letter ?", thread="e", files=files)
    await office.work()
    await office.say("", thread="e", files=[SentFile("f3", "c.pdf")])
    await office.work()
    assert await office.state(answer.task_id) == "waiting:answer"


async def _rejected(office: Office) -> None:
    answer = await _decided(office, "letter no", "reject")
    assert await office.state(answer.task_id) == "rejected"


async def _paged(office: Office) -> None:
    """Three pages: of the two of one person one is used, and that of somebody else is not."""
    answer = await office.say("letter paged")
    await office.work()
    house = replace(office.house, public_url="https://miyabi.example")
    of, approval_id = office.organisation.id, await office.approval_id(answer.task_id)
    async with unit(house) as work:
        approval = await approval_view(work.connection, of, approval_id)
        assert approval.open is not None
        stage = approval.open.id
        urls = [
            await page_link(work, house, of, approval_id, stage, person.id, timedelta(days=1))
            for person in (office.boss, office.boss, office.other_boss)
        ]
        token = by_link.read_token((urls[0] or "").rpartition("/")[2])
        assert token is not None
        page = await by_link.find(work.connection, token)
        assert page is not None
        await by_link.decide(work, page, "reject", "no", Actor(office.boss.id, channel="page"))


async def _cancelled(office: Office) -> None:
    waiting = await office.say("letter never")
    await office.work()
    begun = await office.say("letter begun")
    for answer in (waiting, begun):
        await office.say(f"cancel #{answer.reference}")
    await office.work()
    assert await office.state(waiting.task_id) == "cancelled"


async def _failed(office: Office) -> None:
    office.trouble.errors = [TryLater("busy"), Permanent("row 3"), Permanent("row 3")]
    answer = await office.say("letter wrong")
    await office.work()
    await office.execute("update tasks set retry_at = now() where state = 'retrying'")
    await office.recover()
    await office.say(f"retry #{answer.reference}")
    await office.work()
    assert await office.state(answer.task_id) == "failed"


async def _expired(office: Office) -> None:
    answer = await office.say("letter late")
    await office.work()
    approval = await office.approval_id(answer.task_id)
    await office.execute(f"update approvals set expires_at = now() where id = '{approval}'")
    await office.execute(
        f"update schedule set next_at = now() where name = 'approval.expire:{approval}'"
    )
    await reconcile(office.house)
    await office.work()
    assert await office.state(answer.task_id) == "failed"


async def _noticed(office: Office) -> None:
    """One was told, of one somebody says that they have it before the other was told."""
    to = tuple(Recipient("person", str(each.id)) for each in (office.boss, office.other_boss))
    async with unit(office.house) as work:
        notices = [
            await publish(work, office.organisation.id, Notice("alert.disk", each))
            for each in (to[:1], to)
        ]
    await fan_out_due(office.house)
    lane = Lane(Ways(office.house, Settings(secret_key=None)), "wall", "w1")
    await office.execute(f"update dispatches set next_at = now() + interval '1 day'"
                         f" where notice_id = '{notices[1]}'")  # fmt: skip
    while await lane.take():
        await lane.rest()
    async with unit(office.house) as work:
        await acknowledge(work, office.organisation.id, notices[1], office.boss.id, "pressed")


async def _lost_messages(office: Office) -> None:
    """One that nobody knows of, until somebody says what became of it, and one that is given up."""
    office.wall.deaf = OutcomeUnknown("not_in_channel")
    for settled in (True, False):
        office.wall.lose_answer = True
        await _told(office, "letter lost")
        if settled:
            [row] = await rows(office, "select id from deliveries where state = 'unknown'")
            await office.click("sent", row.id, office.asker)
    office.wall.troubles = [Permanent("no such room")]
    await _told(office, "letter nowhere")
    assert not office.wall.troubles


async def _told(office: Office, words: str) -> None:
    """What there is to tell of a request, and once more what that left."""
    answer = await office.say(words)
    assert answer.task_id is not None
    for _ in range(2):
        await announce(office.house, office.organisation.id, answer.task_id, "w")


async def rows(office: Office, sql: str) -> list[Any]:
    async with office.house.engine.connect() as connection:
        return await fetch_all(connection, sql, {})


async def compared(connection: AsyncConnection, office: Office) -> Compared:
    found = await connection.execute(text("select id from tasks union select id from notices"
        " union select stream from audit_events where body -> 'data' -> 'reference' is not null"
        " or tag like 'notifier:%'"))  # fmt: skip
    return await compare(connection, office.organisation.id, [row.id for row in found])


@asynccontextmanager
async def tampering(office: Office) -> AsyncIterator[AsyncConnection]:
    """The superuser's connection, triggers off; what was done is undone in the end."""
    engine = create_async_engine(office.house.engine.url)
    async with engine.connect() as connection:
        await connection.execute(text("set session_replication_role = replica"))
        yield connection
        await connection.rollback()
    await engine.dispose()


async def test_whatever_lacks_its_other_side_is_named_and_nothing_else_is(office: Office) -> None:
    with capture_logs():  # tracebacks take long to be laid out
        await all_fates(office)
    states = {row.state for row in await rows(office, "select state from tasks")}
    assert states >= {"done", "rejected", "cancelled", "failed", "waiting"}

    async with tampering(office) as connection:
        whole = await compared(connection, office)
        assert (whole.lacking, whole.first) == (0, [])
        assert whole.facts > 200
        for kind in FACTS:
            for attack in (_WITHOUT_EVENT.format(tag=TOLD[kind]), STORED[kind]):
                found = await after(connection, office, attack)
                named = {(lack.kind, lack.side) for lack in found.first}
                assert (kind, "event") in named, (kind, attack, named)
        gone = set[str]()
        for table in _TABLES:
            found = await after(connection, office, f"delete from {table}")
            gone |= set(found.kinds)
            assert {lack.side for lack in found.first} == {"row"}
        assert gone == set(FACTS)


_WITHOUT_EVENT = (
    "delete from audit_events where id = (select id from audit_events"
    " where tag = '{tag}' order by id desc limit 1)"
)
_TABLES = (
    "tasks", "revisions", "steps", "decisions", "documents", "audit_documents", "effects",
    "messages", "deliveries", "attachments", "audit_streams",
    "approvals where state <> 'approved'", "approval_seats", "approval_notes", "circulations",
    "claims", "payables", "links", "notices", "dispatches",
)  # fmt: skip


async def after(connection: AsyncConnection, office: Office, attack: str) -> Compared:
    """What is found after an attack, which is undone."""
    async with connection.begin_nested() as before:
        done = await connection.execute(text(attack))
        assert done.rowcount > 0, attack
        found = await compared(connection, office)
        await before.rollback()
    return found


@pytest.mark.tampers
async def test_what_is_lacking_is_told_every_night_until_it_is_accepted(office: Office) -> None:
    await _decided(office, "letter hello", "approve")
    first = await night(office)
    assert (first["lacking"], first["gapless"], first["tasks"]) == (0, True, 1)
    await office.execute_as_owner(
        "do $$ begin set local session_replication_role = replica;"
        f" delete from audit_events where tag = '{Tag.DOCUMENT_ISSUED}'; end $$"
    )

    with capture_logs() as said:
        second = await night(office)
    third = await night(office)

    assert second["lacking"] == third["lacking"] == 2
    assert second["kinds"] == ["number", "file"]
    assert second["since"] == third["since"]
    told = [(each["reference"], each["kind"]) for each in said if each["event"] == "audit.lacking"]
    assert sorted(told) == [(1001, "file"), (1001, "number")]
    assert any(each["event"] == "audit.incomplete" for each in said)
    outcome = await newest(office)
    assert (outcome.well, outcome.lacking) == (False, 2)
    async with unit(office.house) as work:
        run = await completeness.begin(work.connection, office.organisation.id)
        while not run.done:
            run = await completeness.look(work.connection, office.organisation.id, run)
        completeness.record(work, office.organisation.id, run, accepted=True)
    assert (await newest(office)).well
    after = await night(office)
    assert (after["since"], after["lacking"]) == (run.until.isoformat(), 0)
    async with office.house.engine.connect() as connection:
        begun = await completeness.begin(connection, office.organisation.id)
    assert begun.since == run.until  # the hour of overlap goes no further back than that


async def test_a_partial_run_without_a_fault_covers_up_nothing_before_it(office: Office) -> None:
    async with unit(office.house) as work:
        run = await completeness.begin(work.connection, office.organisation.id)
        part = await completeness.begin(work.connection, office.organisation.id, run.until)
        looked = await completeness.look(work.connection, office.organisation.id, part)
        completeness.record(work, office.organisation.id, looked)

    assert (run.gapless, part.gapless) == (True, False)
    async with office.house.engine.connect() as connection:
        begun = await completeness.begin(connection, office.organisation.id)
    assert begun.since == completeness.BEGINNING


async def test_nights_that_were_missed_are_made_up_for_once(office: Office) -> None:
    """A week, of which nothing ran: one run from the last one's end, and the next is tonight's."""
    await night(office)
    await _decided(office, "letter hello", "approve")
    await office.execute(
        "update schedule set due_at = due_at - interval '7 days', next_at = now()"
        " where kind = 'completeness' and done_at is null"
    )

    runs = len(await outcomes(office))
    await reconcile(office.house)
    await reconcile(office.house)

    assert len(await outcomes(office)) == runs + 1
    [row] = await rows(
        office,
        "select due_at - now() as wait, due_at at time zone 'Asia/Tokyo' as local from schedule"
        " where kind = 'completeness' and done_at is null",
    )
    assert timedelta(0) < row.wait <= timedelta(days=1)
    assert (row.local.hour, row.local.minute) == (3, 0)


async def test_a_long_run_is_done_in_goes_and_goes_on_where_it_was(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nightly, "_BUDGET", 0)
    monkeypatch.setattr(completeness, "WINDOW", 10)
    for words in ("letter one", "letter two"):
        await _decided(office, words, "approve")
    goes = 0
    while not await outcomes(office):
        goes += 1
        await due(office)
        assert goes < 100

    [found] = await outcomes(office)
    assert goes > 3
    assert found["lacking"] == 0
    assert found["tasks"] >= 2
    assert await rows(office, "select * from completeness_runs") == []


async def due(office: Office) -> None:
    async with unit(office.house) as work:
        await nightly.watch_unwatched(work)
    await office.execute(
        "update schedule set next_at = now() where kind = 'completeness' and done_at is null"
    )
    await reconcile(office.house)


async def night(office: Office) -> dict[str, Any]:
    """The event of a run that is due now."""
    await due(office)
    return (await outcomes(office))[-1]


async def outcomes(office: Office) -> list[dict[str, Any]]:
    found = await rows(
        office,
        f"select body -> 'data' as data from audit_events where tag = '{Tag.LOG_COMPARED}'"
        " order by at",
    )
    return [from_json(row.data) for row in found]


async def newest(office: Office) -> completeness.Outcome:
    async with office.house.engine.connect() as connection:
        found = await completeness.newest(connection, office.organisation.id)
    assert found is not None
    return found


@pytest.mark.fresh
async def test_no_statement_needs_to_read_a_table_from_end_to_end(office: Office) -> None:
    """But for tasks that are not at their end, of which there are few."""
    async with office.house.engine.connect() as connection:
        now = datetime.fromisoformat("2026-11-25T00:00:00+00:00")
        ids = {"first": UUID(int=0), "last": UUID(int=1 << 80), "tasks": [UUID(int=1)] * 100}
        values = {"organisation_id": office.organisation.id, "since": now, "until": now, **ids}
        values |= {"tags": list(Tag), "most": 1, "earliest": now}
        await connection.execute(text("set enable_seqscan = off"))
        for sql in (_TOUCHED, _COMPARE, completeness._LAST_GOOD, completeness._NEWEST):
            plan = await connection.execute(text(f"explain {sql}"), values)
            lines = [str(line[0]) for line in plan]
            assert not [line for line in lines if "Seq Scan" in line], "\n".join(lines)
            assert [line for line in lines if "Index" in line]
