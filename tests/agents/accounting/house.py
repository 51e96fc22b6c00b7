"""The office of tests/core/house.py with payment runs in it, and claims to be paid."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from uuid import UUID

from agents.accounting import expense, payment
from core import organisations, tasks
from core.bank_accounts import BankAccounts, Whose
from core.bank_days import next_bank_day
from core.company import Company
from core.db import fetch_all
from core.house import House
from core.inbound import Answer, Inbound, Sender, Spot
from core.intake import accept
from core.payables import owe
from core.people import Person, add, link
from core.transfer import banks
from core.transfer.records import Account
from core.unit import unit
from tests.core.house import Office

KEY = b"k" * 32
PAYER = {
    "code": "1234567890", "kana": "ｶ)ｱｸﾒ", "bank": "0001", "branch": "001", "kind": "1",
    "number": "7777777",
}  # fmt: skip
ACCOUNT = banks.account("0009", "001", "1", "1234567", "アスカ タロウ")


@dataclass(slots=True)
class Accounting:
    """An accountant who asks for runs, and two more who decide on them."""

    office: Office
    accountant: Person
    deciders: tuple[Person, Person]
    accounts: BankAccounts
    keys: int = 0

    @property
    def house(self) -> House:
        return self.office.house

    @property
    def day(self) -> date:
        """A bank day to come, by the clock that the runs go by."""
        return next_bank_day(self.accountant.today() + timedelta(days=7))

    async def claim(self, amount: int, person: Person | None = None, **more: object) -> int:
        """A task of somebody's of which so much is to be paid; its reference."""
        answer = await self.office.say(f"letter {amount}", person)
        await self.office.work()
        assert answer.task_id is not None
        async with unit(self.house) as work:
            task = await tasks.lock(work.connection, self.office.organisation.id, answer.task_id)
            await owe(work, task, task.person_id, amount, **more)  # type: ignore[arg-type]
        assert answer.reference is not None
        return answer.reference

    async def say(self, words: str, person: Person | None = None) -> Answer:
        """Said today: a run's day must not have passed when its file is issued."""
        self.keys += 1
        spot = Spot("room", f"thread-{self.keys}")
        sender = Sender("wall", "w1", (person or self.accountant).handle)
        return await accept(self.house, Inbound(sender, spot, f"pay-{self.keys}", words))

    async def run(self, words: str = "") -> UUID:
        """A run that is asked for and worked on as far as it goes."""
        answer = await self.say(f"payout {words or self.day.isoformat()}")
        await self.office.work()
        assert answer.task_id is not None
        return answer.task_id

    async def decide(self, task_id: UUID, action: str = "approve") -> None:
        """What both deciders do, or the first of them."""
        for person in self.deciders if action == "approve" else self.deciders[:1]:
            approval = await self.office.approval_id(task_id)
            await self.office.click(action, approval, person, "no reason")
            await self.office.work()

    async def held(self, task_id: UUID) -> set[int]:
        """The references of what a run has."""
        async with self.house.engine.connect() as connection:
            rows = await fetch_all(
                connection,
                "select t.reference from payables p join tasks t on t.id = p.task_id"
                " where p.organisation_id = :organisation_id and p.run_id = :run",
                {"organisation_id": self.office.organisation.id, "run": task_id},
            )
        return {row.reference for row in rows}

    async def put(self, whose: Whose, account: Account = ACCOUNT) -> None:
        async with unit(self.house) as work:
            await self.accounts.put(work, whose, account)


async def open_accounting(office: Office) -> Accounting:
    """The office with an account to pay from, and accountants."""
    accounts = BankAccounts(office.house.engine, office.organisation.id, KEY)

    async def known(house: House, organisation_id: UUID) -> BankAccounts:
        return accounts

    office.house = replace(
        office.house,
        agents={**office.house.agents, "payment": payment.agent, "expense": expense.agent},
        resources={**office.house.resources, BankAccounts: known},
    )
    people = []
    async with unit(office.house) as work:
        company = Company("Acme", transfer=PAYER)
        await organisations.change_company(work, office.organisation.id, company)
        for handle in ("keiko", "kenji", "kana"):
            person = await add(
                work, office.organisation.id, handle, handle.title(),
                frozenset({"requester", "accountant"}), language="en",
            )  # fmt: skip
            await link(work, person, Sender("wall", "w1", handle))
            people.append(person)
    return Accounting(office, people[0], (people[1], people[2]), accounts)
