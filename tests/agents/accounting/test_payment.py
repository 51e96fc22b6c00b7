"""Payment runs: from approved claims to a file that two people have approved."""

import asyncio
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy.exc import DBAPIError

from agents.accounting import payment
from core import erasure, journal, payables, tasks
from core.agent import Approved, TaskInfo
from core.bank_accounts import BankAccounts, Whose
from core.db import execute, fetch_all
from core.documents import Files
from core.errors import NeedsInput, Permanent
from core.paid import standings
from core.transfer.reader import read
from core.unit import Unit, unit
from core.views import task_view
from miyabi.report import documents
from tests.agents.accounting.house import ACCOUNT, KEY, Accounting

TODAY = date(2026, 11, 25)


async def test_approved_claims_become_one_file_that_two_accountants_approve(
    accounting: Accounting,
) -> None:
    office = accounting.office
    await accounting.put(Whose(office.asker.id))
    await accounting.put(Whose(None, "Sun Design"))
    first = await accounting.claim(2_340)
    second = await accounting.claim(
        89_790, payee="Sun Design", withheld=10_210,
        received_on=accounting.day - timedelta(days=90),
    )  # fmt: skip
    left = await accounting.claim(500, office.boss)
    await accounting.put(Whose(office.boss.id), replace(ACCOUNT, bank="0002"))  # is no more

    run = await accounting.run()

    assert await office.state(run) == "waiting:approval"
    cards = [m for m in office.wall.posted.values() if "Approval wanted" in m.text and m.lines]
    card = next(m for m in cards if "Transfer file" in m.title)
    assert [(line.name, line.amount) for line in card.lines] == [
        ("Asker", "¥2,340"), ("Sun Design", "¥89,790"),
    ]  # fmt: skip
    assert f"#{first}" in card.lines[0].detail
    assert "****567" in card.lines[0].detail
    assert card.totals[-1].value == "¥92,130"
    assert f"Boss (#{left})" in card.note
    assert "取適法" in card.note
    shown = next(field.value for field in card.fields if "SHA-256" in field.label)

    async with accounting.house.engine.connect() as connection:
        view = await task_view(connection, accounting.house, office.organisation.id, run)
    # Nobody is handed the file before; no session is needed to write nothing.
    assert await documents(cast(Any, None), office.organisation, view, Path()) == []

    approval = await office.approval_id(run)
    own = await office.click("approve", approval, accounting.accountant)
    assert own.outcome == "refused"  # who asked is not one of the two
    await office.click("approve", approval, accounting.deciders[0])
    await office.work()
    assert await office.state(run) == "waiting:approval"
    await accounting.decide(run)

    assert await office.state(run) == "done"
    [posted] = [m for m in office.wall.posted.values() if m.files]
    [file] = posted.files
    assert file.sha256 == shown
    assert file.name.startswith("P-")
    found = read(await Files(accounting.house, office.organisation.id).get(file.sha256))
    assert (found.month, found.day) == (accounting.day.month, accounting.day.day)
    assert [(each.amount, each.to.number) for each in found.payments] == [
        (2_340, "1234567"), (89_790, "1234567"),
    ]  # fmt: skip
    assert found.total == 92_130

    await _refuses_another_file(accounting, file.sha256)
    await accounting.put(Whose(office.boss.id))
    async with accounting.house.engine.connect() as connection:
        stand = {
            each.reference: each for each in await standings(connection, office.organisation.id)
        }
    number = file.name.partition("_")[0]
    assert (stand[first].standing, stand[first].number) == ("paid", number)
    assert (stand[left].standing, stand[left].run) == ("open", None)
    following = await accounting.run()  # what was paid is not paid again
    assert await accounting.held(run) == {first, second}
    assert await accounting.held(following) == {left}

    async with accounting.house.engine.connect() as connection:
        day = accounting.day
        lines = await journal.month_of(
            connection, office.organisation.id, day.year, day.month, "Asia/Tokyo"
        )
    paid = [(line.debit, line.credit, line.amount) for line in lines if line.day == day]
    assert ("未払金", "普通預金", 2_340) in paid
    assert ("未払金", "預り金", 10_210) in paid


async def _refuses_another_file(accounting: Accounting, sha256: str) -> None:
    """What is not exactly what was approved, or comes too late, gets no number."""
    files = Files(accounting.house, accounting.office.organisation.id)
    company = await accounting.house.company(accounting.office.organisation.id)
    torn = await files.put((await files.get(sha256))[:-2], "text/plain")
    run = payment.Run(
        tuple(payment.Item(1, Whose(None, "x"), "x", amount, "", "") for amount in (2_340, 89_790)),
        (),
    )
    in_time, late = (
        payment.When(day, day) for day in (accounting.day, TODAY - timedelta(days=400))
    )
    for when, shown, file, told in (
        (late, sha256, sha256, "has passed"),
        (in_time, sha256, torn, "not what was approved"),
        (in_time, torn, sha256, "not what was approved"),
        (payment.When(in_time.pay_on + timedelta(days=1), TODAY), sha256, sha256, "not what"),
    ):
        approved = Approved("Kenji", "", shown)
        document = payment.TransferFile(file, "x.txt", "text/plain", 1)
        with pytest.raises(Permanent, match=told):
            await payment.confirm(approved, document, when, run, company, files)
    document = payment.TransferFile(sha256, "x.txt", "text/plain", 1)
    approved = Approved("Kenji", "", sha256)
    confirmed = await payment.confirm(approved, document, in_time, run, company, files)
    assert confirmed.total == 92_130


async def test_two_runs_at_once_share_nothing_and_lose_nothing(accounting: Accounting) -> None:
    await accounting.put(Whose(accounting.office.asker.id))
    claims = {await accounting.claim(1_000 + n) for n in range(3)}
    begun = [await accounting.say(f"payout {accounting.day}") for _ in range(3)]
    jobs, accounting.office.bell.jobs = list(accounting.office.bell.jobs), []

    async def work(nth: int) -> None:
        from core.runner import advance

        for job in jobs:
            if job.kind == "advance" and job.task_id == begun[nth].task_id:
                await advance(accounting.house, job.organisation_id, job.task_id, f"worker-{nth}")

    await asyncio.gather(*(work(n) for n in range(3)))

    runs = [each.task_id for each in begun if each.task_id is not None]
    taken = [await accounting.held(run) for run in runs]
    assert sorted(map(len, taken)) == [0, 0, 3]
    assert set().union(*taken) == claims
    states = sorted([await accounting.office.state(run) for run in runs])
    assert states == ["failed", "failed", "waiting:approval"]


@pytest.mark.parametrize("end", ["rejected", "cancelled"])
async def test_what_a_run_had_is_free_once_it_is_over(accounting: Accounting, end: str) -> None:
    office = accounting.office
    await accounting.put(Whose(office.asker.id))
    claim = await accounting.claim(1_000)
    run = await accounting.run()
    assert await accounting.held(run) == {claim}
    meanwhile = await accounting.run()
    assert await office.state(meanwhile) == "failed"
    assert "another run" in next(
        m.text for m in office.wall.posted.values() if "nothing approved" in m.text
    )

    if end == "rejected":
        await accounting.decide(run, "reject")
    else:
        row = await office.row("select reference from tasks where id = :id", {"id": run})
        await accounting.say(f"cancel #{row.reference}")
    assert await office.state(run) == end

    assert await accounting.held(await accounting.run()) == {claim}


async def test_a_worker_that_dies_while_it_gathers_has_taken_nothing(
    accounting: Accounting,
) -> None:
    office = accounting.office
    await accounting.put(Whose(office.asker.id))
    claim = await accounting.claim(1_000)
    begun = await accounting.say(f"payout {accounting.day}")
    assert begun.task_id is not None

    async with accounting.house.engine.connect() as connection:
        work = Unit(connection)
        run = await tasks.lock(connection, office.organisation.id, begun.task_id)
        gathered = await payables.gather(work, run, accounting.day, accounting.accounts)
        assert [each.amount for each, _ in gathered.payables] == [1_000]
        # The connection is lost before the commit.

    assert await accounting.held(begun.task_id) == set()
    await office.work()
    assert await accounting.held(begun.task_id) == {claim}


async def test_what_was_handed_out_stays_in_its_file_unless_that_is_void(
    accounting: Accounting,
) -> None:
    office = accounting.office
    await accounting.put(Whose(office.asker.id))
    claim = await accounting.claim(1_000)
    run = await accounting.run()
    await accounting.decide(run)
    number = (await office.row("select number from documents where task_id = :id", {"id": run}))[0]

    async with accounting.house.engine.connect() as connection:
        with pytest.raises(DBAPIError, match="is in the file of run"):
            await execute(
                connection,
                "update payables set run_id = null, pay_on = null"
                " where organisation_id = :organisation_id",
                {"organisation_id": office.organisation.id},
            )
    voided = await office.say(f"void {number} the bank refused it", office.boss)
    assert voided.outcome == "done"

    assert await accounting.held(await accounting.run()) == {claim}


async def test_a_claim_that_turns_out_void_stops_the_file_and_a_revision_goes_without(
    accounting: Accounting,
) -> None:
    office = accounting.office
    await accounting.put(Whose(office.asker.id))
    first, second = await accounting.claim(1_000), await accounting.claim(2_000)
    voided = await office.row("select id from tasks where reference = :n", {"n": second})
    await office.click("approve", await office.approval_id(voided.id), office.boss)
    await office.work()
    assert await office.state(voided.id) == "done"
    run = await accounting.run()
    assert await accounting.held(run) == {first, second}
    await office.say(f"void #{second} not ours", office.boss)

    await accounting.decide(run)

    assert await office.state(run) == "failed"
    row = await office.row("select reference from tasks where id = :id", {"id": run})
    await accounting.say(f"revise #{row.reference} {accounting.day}")
    await office.work()
    assert await accounting.held(run) == {first}
    await accounting.decide(run)
    assert await office.state(run) == "done"


async def test_only_accountants_gather_and_what_lacks_is_said(accounting: Accounting) -> None:
    office = accounting.office
    await accounting.claim(1_000, office.boss)

    nobodys = await accounting.run()
    theirs = await accounting.say(f"payout {accounting.day}", office.asker)
    await office.work()

    texts = "\n".join(office.wall.texts())
    assert await office.state(nobodys) == "failed"
    assert "no bank account is known: Boss" in texts
    assert await office.state(theirs.task_id) == "failed"
    assert "Only an accountant" in texts


async def test_an_account_that_changed_since_it_was_gathered_stops_the_run(
    accounting: Accounting,
) -> None:
    office = accounting.office
    known = {Whose(office.asker.id): replace(ACCOUNT, holder="ｱｽｶ ｼﾞﾛｳ")}
    await accounting.put(*known)
    company = await accounting.house.company(office.organisation.id)
    when = payment.When(accounting.day, accounting.day)
    files = Files(accounting.house, office.organisation.id)
    item = payment.Item(
        1, *known, "Asker", 1_000, payment.place(ACCOUNT), accounting.accounts.mark(ACCOUNT)
    )
    task = TaskInfo(1, 1, "en", "Keiko", TODAY)

    assert await payment.write(
        when, payment.Run((item,), ()), company, accounting.accounts, files, task
    )
    await accounting.put(*known, *known.values())  # the number is the same, the holder is not
    with pytest.raises(Permanent, match="Asker"):
        await payment.write(
            when, payment.Run((item,), ()), company, accounting.accounts, files, task
        )


async def test_numbers_of_accounts_are_nowhere_in_the_clear_but_in_the_file(
    accounting: Accounting,
) -> None:
    office = accounting.office
    await accounting.put(Whose(office.asker.id))
    await accounting.put(Whose(accounting.deciders[1].id))
    await accounting.claim(1_000)
    await accounting.run()
    async with accounting.house.engine.connect() as connection:
        for table in ("bank_accounts", "payables", "steps", "audit_events", "messages"):
            found = await fetch_all(connection, f"select t.*::text as row from {table} t", {})
            assert found
            assert not any(ACCOUNT.number in each.row for each in found), table

    with pytest.raises(Permanent):  # another installation's key
        async with accounting.house.engine.connect() as connection:
            await BankAccounts(accounting.house.engine, office.organisation.id, b"x" * 32).all_of(
                connection
            )
    await office.execute(
        "update bank_accounts set sealed = (select sealed from bank_accounts"
        f" where person_id = '{office.asker.id}')"
    )
    with pytest.raises(Permanent):  # a row that was copied to another person's
        async with accounting.house.engine.connect() as connection:
            await BankAccounts(accounting.house.engine, office.organisation.id, KEY).all_of(
                connection
            )

    await erasure.erase(accounting.house, office.organisation.id, "kana")
    async with unit(accounting.house) as work:
        assert not await accounting.accounts.remove(work, Whose(accounting.deciders[1].id))
        assert await accounting.accounts.remove(work, Whose(office.asker.id))


@pytest.mark.parametrize(
    ("said", "pay_on"),
    [
        ("12/25", "2026-12-25"),
        ("振込データ 12月25日 払い", "2026-12-25"),
        ("Dec 31", "2027-01-04"),
        ("12/26", "2026-12-28"),
        ("明日", "2026-11-26"),
    ],
)
async def test_it_is_paid_on_the_next_day_on_which_banks_pay(said: str, pay_on: str) -> None:
    when = await payment.choose_day(payment.begin(said, None, TODAY))

    assert when.pay_on == date.fromisoformat(pay_on)


@pytest.mark.parametrize("said", ["soon", "", "2026-11-01", "2027-11-01", "2/30"])
async def test_a_day_that_can_not_be_is_asked_about(said: str) -> None:
    with pytest.raises(NeedsInput):
        await payment.choose_day(payment.begin(said, None, TODAY))

    answered = payment.answer(payment.begin(said, None, TODAY), "day", "2026-11-26")
    assert (await payment.choose_day(answered)).pay_on == date(2026, 11, 26)


async def test_a_claim_goes_from_the_chat_into_the_file_and_the_journal(
    accounting: Accounting,
) -> None:
    office = accounting.office
    await accounting.put(Whose(office.asker.id))
    superior = "superior_id = (select id from people where handle = 'boss')"
    await office.execute(f"update people set {superior} where handle = 'asker'")
    claimed = await office.say("経費：11/20 タクシー 2,340円 品川→新宿 ABC商事訪問")
    await office.work()
    assert claimed.task_id is not None
    for person in (office.boss, accounting.accountant):
        await office.click("approve", await office.approval_id(claimed.task_id), person)
        await office.work()
    assert await office.state(claimed.task_id) == "done"

    run = await accounting.run()
    assert await accounting.held(run) == {claimed.reference}
    await accounting.decide(run)

    assert await office.state(run) == "done"
    today, day = accounting.accountant.today(), accounting.day
    async with accounting.house.engine.connect() as connection:
        months = {(today.year, today.month), (day.year, day.month)}
        lines = [
            line
            for year, month in sorted(months)
            for line in await journal.month_of(
                connection, office.organisation.id, year, month, "Asia/Tokyo"
            )
        ]
    booked = [(line.debit, line.credit, line.amount, line.tax) for line in lines]
    assert booked == [
        ("旅費交通費", "未払金", 2_340, booked[0][3]), ("未払金", "普通預金", 2_340, "対象外"),
    ]  # fmt: skip
    assert booked[0][3].startswith("課対仕入込10%")
