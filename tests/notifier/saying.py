"""A flat platform beside the wall: who asks and one who decides are on it, one to one."""

from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from core import people
from core.db import fetch_all
from core.inbound import Answer, Inbound, Sender, Spot
from core.intake import accept
from core.people import Person
from core.unit import unit
from notifier.deliver import announce
from tests.core.house import Office, SayingWall

CARD = "Approval wanted"


@dataclass(slots=True)
class Flat:
    """An office with such a platform, and hands to move it."""

    office: Office
    wall: SayingWall
    keys: int = 0

    def sender(self, person: Person) -> Sender:
        return Sender("flat", "f1", person.handle)

    async def say(
        self, words: str, person: Person | None = None, *, group: str | None = None
    ) -> Answer:
        """As somebody, in their own chat or a group's."""
        self.keys += 1
        sender = self.sender(person or self.office.asker)
        chat = group or sender.account
        inbound = Inbound(
            sender=sender,
            spot=Spot(chat, chat, flat=True),
            key=f"flat-{self.keys}",
            text=words,
            today=date(2026, 11, 25),
        )
        return await accept(self.office.house, inbound)

    async def asked(self, words: str = "letter hello") -> Answer:
        """A request, walked up to where it waits for somebody, with all that is told of it."""
        answer = await self.say(words)
        await self.office.work()
        return answer

    async def tell(self, answer: Answer, worker: str = "w") -> None:
        """One announcement of what is due by now."""
        assert answer.task_id is not None
        house = self.office.house
        await announce(house, self.office.organisation.id, answer.task_id, worker)

    async def tell_in_time(self, answer: Answer) -> None:
        """The next one, when all that was put off is due."""
        await self.office.execute("update deliveries set next_at = now() where next_at > now()")
        await self.office.execute("update threads set lease_until = null, lease_owner = null")
        await self.tell(answer)

    async def states(self, slot: str, chat: str | None = None) -> list[str]:
        async with self.office.house.engine.connect() as connection:
            rows = await fetch_all(
                connection,
                "select d.state from deliveries d join threads h on h.id = d.thread_id"
                " where d.slot like :slot and h.channel = coalesce(:chat, h.channel)"
                " order by d.id",
                {"slot": slot, "chat": chat},
            )
        return [row.state for row in rows]

    async def block(self, person: Person) -> None:
        """They are not reached there any more, and nobody has looked at what waits for them."""
        await self.office.execute(
            "update accounts set unreachable_since = now() where platform = 'flat'"
            f" and external_id = '{person.handle}'"
        )

    async def approve(self, task_id: UUID | None, person: Person) -> None:
        """From the wall; and what follows is told."""
        await self.office.click("approve", await self.office.approval_id(task_id), person)
        await self.office.work()


async def flatten(office: Office) -> Flat:
    """Have the platform be there."""
    wall = SayingWall()
    office.house = replace(office.house, outbounds={"wall": office.wall, "flat": wall})
    flat = Flat(office, wall)
    async with unit(office.house) as work:
        for person in (office.asker, office.boss):
            await people.link(work, person, flat.sender(person))
    return flat
