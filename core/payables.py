"""What is to be paid of approved tasks, and which payment run has it.

A payable is in one run's file only. It is free while no run has it, or the run that had it is over
without a document that counts: rejected, cancelled, or declared void. Nobody has to release it, so
no crash can forget to. What a run has is paid once the run is done: its last step hands the file
out, in the transaction that ends the task.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.event import JSON
from core import tasks
from core.bank_accounts import BankAccounts, Whose
from core.db import execute, fetch_all, fetch_one
from core.errors import NotAllowed, Refused
from core.ids import new_id
from core.tags import Tag
from core.tasks import Task
from core.transfer.records import Account
from core.unit import Unit
from core.words import Words

NOT_AN_ACCOUNTANT = Words(
    ja="振込データを作れるのは経理担当（accountant）だけです。",
    en="Only an accountant can make a transfer file.",
    zh="只有会计人员（accountant）可以制作汇款数据。",
)
NOT_VOID = Words(
    ja="この依頼の {number} はすでに発行されています。やり直すには先に無効にしてください。",
    en="{number} of this task is already issued. Declare it void before it is done anew.",
    zh="此任务的 {number} 已开具。如需重做，请先将其作废。",
)
NOT_OWED = Words(
    ja="{claims} は集計後に無効になりました。修正（revise）してやり直してください。",
    en="{claims}: declared void since it was gathered. Revise the task.",
    zh="{claims} 在汇总后已作废。请修改（revise）后重试。",
)
NO_AMOUNT = Words(
    ja="支払額は1円以上でなければなりません（{amount}円）。",
    en="What is to be paid is less than ¥1 (¥{amount}).",
    zh="支付金额须至少为1日元（{amount}日元）。",
)


@dataclass(frozen=True, slots=True)
class Payable:
    """So many yen to be paid of a task. `name` is who is paid, as people are called."""

    id: UUID
    reference: int
    whose: Whose
    name: str
    amount: int
    received_on: date | None = None


@dataclass(frozen=True, slots=True)
class Gathered:
    """What a run has taken, each with the account to pay to; what nobody knows where to pay; and
    the references of other runs that are under way, whose claims are not free."""

    payables: tuple[tuple[Payable, Account], ...]
    without_account: tuple[Payable, ...]
    runs: tuple[int, ...] = ()


async def owe(
    work: Unit,
    task: Task,
    person_id: UUID,
    amount: int,
    *,
    payee: str = "",
    withheld: int = 0,
    received_on: date | None = None,
) -> None:
    """Write that so much of an approved task is to be paid to a person, or to a `payee` of theirs.

    Once for each task, however often it is called. `amount` in yen, as it is transferred;
    `withheld` goes to the tax office beside it. `received_on`: when the work of a small supplier
    was received, whom the law has paid in time. Raises Refused for less than a yen.
    """
    if amount < 1:
        raise Refused(NO_AMOUNT.fill(amount=f"{amount:,}"))
    payable_id = new_id()
    written = await execute(
        work.connection,
        "insert into payables (id, organisation_id, task_id, person_id, payee, amount, withheld,"
        " received_on) values (:id, :organisation_id, :task_id, :person_id, :payee,"
        " :amount, :withheld, :received_on)"
        " on conflict (organisation_id, task_id) do nothing",
        {
            "id": payable_id,
            "organisation_id": task.organisation_id,
            "task_id": task.id,
            "person_id": person_id,
            "payee": payee,
            "amount": amount,
            "withheld": withheld,
            "received_on": received_on,
        },
    )
    if written:
        data: dict[str, JSON] = {"payable": str(payable_id), "amount": amount}
        work.record(tasks.event(task, Tag.PAYABLE_OWED, data))


async def gather(work: Unit, run: Task, pay_on: date, accounts: BankAccounts) -> Gathered:
    """Take all that is free and has an account to be paid to, for this run alone.

    In the unit of the run's step, its row locked. What the run had taken before is taken anew. Two
    runs at once wait for each other's rows and share none. Raises NotAllowed unless an accountant
    asked, Refused where the run has issued its document.
    """
    await _check(work, run)
    known = await accounts.by_whose(work.connection)
    free = await _free(work, run)
    found = [(each, known[each.whose]) for each in free if each.whose in known]
    await _take(work, run, [each for each, _ in found], pay_on)
    without = tuple(each for each in free if each.whose not in known)
    return Gathered(tuple(found), without, await _runs_beside(work, run))


async def check_still_owed(work: Unit, run: Task) -> None:
    """Raises Refused where the document of something that a run has was declared void since."""
    rows = await fetch_all(
        work.connection,
        "select t.reference from payables p join tasks t on t.id = p.task_id"
        " where p.organisation_id = :organisation_id and p.run_id = :run and exists ("
        " select from documents d where d.organisation_id = :organisation_id"
        " and d.task_id = p.task_id and d.voided_at is not null) order by t.reference",
        {"organisation_id": run.organisation_id, "run": run.id},
    )
    if rows:
        raise Refused(NOT_OWED.fill(claims=", ".join(f"#{row.reference}" for row in rows[:20])))


async def withdraw(work: Unit, organisation_id: UUID, task_id: UUID) -> int:
    """Pay nothing of a task any more, as another takes its place. Returns the yen that are paid of
    it or on their way, where a run has it: then that stays."""
    await _unlock_free(work, organisation_id, task_id)
    row = await fetch_one(
        work.connection,
        "select amount, run_id from payables"
        " where organisation_id = :organisation_id and task_id = :task_id for update",
        {"organisation_id": organisation_id, "task_id": task_id},
    )
    if row is None:
        return 0
    if row.run_id is not None:
        return int(row.amount)
    await execute(
        work.connection,
        "update payables set withdrawn_at = now() where organisation_id = :organisation_id"
        " and task_id = :task_id",
        {"organisation_id": organisation_id, "task_id": task_id},
    )
    return 0


async def _check(work: Unit, run: Task) -> None:
    row = await fetch_one(
        work.connection,
        "select p.roles, (select min(d.number) from documents d"
        " where d.organisation_id = :organisation_id and d.task_id = :run"
        " and d.voided_at is null) as number"
        " from people p where p.organisation_id = :organisation_id and p.id = :person_id",
        {
            "organisation_id": run.organisation_id,
            "run": run.id,
            "person_id": run.person_id,
        },
    )
    assert row is not None  # noqa: S101  # a task refers to its person
    if not {"accountant", "admin"} & {*row.roles}:
        raise NotAllowed(NOT_AN_ACCOUNTANT)
    if row.number is not None:
        raise Refused(NOT_VOID.fill(number=row.number))


IS_FREE = """(p.run_id is null or exists (
    select from tasks had where had.id = p.run_id
    and had.state in ('done', 'rejected', 'cancelled')
    and not exists (select from documents d where d.task_id = p.run_id
        and d.voided_at is null)))"""
"""Of rows `p`: no run has it, or one that is over without a document that counts."""


async def _free(work: Unit, run: Task) -> Sequence[Payable]:
    await execute(
        work.connection,
        "update payables set run_id = null, pay_on = null"
        " where organisation_id = :organisation_id and run_id = :run",
        {"organisation_id": run.organisation_id, "run": run.id},
    )
    return await to_pay(work.connection, run.organisation_id, lock=True)


async def to_pay(
    connection: AsyncConnection, organisation_id: UUID, *, lock: bool = False
) -> Sequence[Payable]:
    """All that is free to be paid, oldest first. A task whose document is void is not paid.

    Locked in this one order, so that two runs at once can't wait crosswise; whoever waited for a
    row sees it as the other left it, and passes it over.
    """
    rows = await fetch_all(
        connection,
        f"""
        select p.id, t.reference, p.person_id, p.payee, p.amount, p.received_on,
            coalesce(nullif(p.payee, ''), who.name) as name
        from payables p join tasks t on t.id = p.task_id join people who on who.id = p.person_id
        where p.organisation_id = :organisation_id and p.withdrawn_at is null and {IS_FREE}
            and not exists (select from documents d where d.organisation_id = :organisation_id
                and d.task_id = p.task_id and d.voided_at is not null)
        order by p.id {"for update of p" if lock else ""}
        """,  # noqa: S608
        {"organisation_id": organisation_id},
    )
    return [
        Payable(row.id, row.reference, _whose(row), row.name, row.amount, row.received_on)
        for row in rows
    ]


async def _unlock_free(work: Unit, organisation_id: UUID, task_id: UUID) -> None:
    """Take a task's payable from a run that is over."""
    await execute(
        work.connection,
        f"update payables p set run_id = null, pay_on = null"  # noqa: S608
        f" where p.organisation_id = :organisation_id and p.task_id = :task_id and {IS_FREE}",
        {"organisation_id": organisation_id, "task_id": task_id},
    )


async def _runs_beside(work: Unit, run: Task) -> tuple[int, ...]:
    rows = await fetch_all(
        work.connection,
        "select distinct t.reference from payables p join tasks t on t.id = p.run_id"
        " where p.organisation_id = :organisation_id and t.id <> :run"
        " and t.state not in ('done', 'rejected', 'cancelled') order by t.reference",
        {"organisation_id": run.organisation_id, "run": run.id},
    )
    return tuple(row.reference for row in rows)


async def _take(work: Unit, run: Task, payables: Sequence[Payable], pay_on: date) -> None:
    ids = [each.id for each in payables]
    await execute(
        work.connection,
        "update payables set run_id = :run, pay_on = :pay_on"
        " where organisation_id = :organisation_id and id = any (:ids)",
        {
            "organisation_id": run.organisation_id,
            "run": run.id,
            "pay_on": pay_on,
            "ids": ids,
        },
    )
    named = "\n".join(map(str, ids)).encode()
    data: dict[str, JSON] = {
        "claims": len(ids),
        "amount": sum(each.amount for each in payables),
        "pay_on": pay_on.isoformat(),
        "claims_sha256": hashlib.sha256(named).hexdigest(),
    }
    work.record(tasks.event(run, Tag.PAYABLES_GATHERED, data))


def _whose(row: Any) -> Whose:
    return Whose(None, row.payee) if row.payee else Whose(row.person_id)
