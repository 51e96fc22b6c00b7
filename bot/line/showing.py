"""Messages as LINE shows them, with all that has to be there before they are: what is pressed, and
the links by which documents and pictures are opened."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from bot.line.changes import render_change
from bot.line.flex import Json
from bot.line.press_ids import press_id, presses_of
from bot.line.render import Look, render
from core import people, presses
from core.chats import shows_amounts
from core.db import fetch_one_alone
from core.house import House
from core.inbound import Sender
from core.links import make_link
from core.messages import Attachment, Message
from core.ports import Utterance
from core.unit import Unit, unit


@dataclass(frozen=True, slots=True)
class Room:
    """A chat, and who is there: one person, or several (`account` is None)."""

    organisation_id: UUID
    workspace: str
    chat: str
    account: str | None


class Showing:
    """Makes what calls to LINE hold."""

    def __init__(self, house: House, link_lasts: timedelta) -> None:
        self._house = house
        self._lasts = link_lasts

    async def utterances(
        self, room: Room, task_id: UUID | None, said: Sequence[Utterance]
    ) -> list[list[Json]]:
        """The objects of each utterance; none where there is nothing worth saying."""
        links, amounts = await self._prepared(room, task_id, [each.message for each in said])
        found = []
        for each in said:
            look = self._look(room, links, amounts, each.message)
            found.append(render_change(each.before, each.message, look, code=each.code))
        return found

    async def messages(
        self, room: Room, task_id: UUID | None, said: Sequence[Message], quick: int
    ) -> list[Json]:
        """The objects of some messages that are no task's news: answers, which may be about one."""
        links, amounts = await self._prepared(room, task_id, said)
        return [
            made
            for message in said
            for made in render(message, self._look(room, links, amounts, message, quick))
        ]

    def _look(
        self,
        room: Room,
        links: Mapping[str, str],
        amounts: bool,
        message: Message,
        quick: int = 0,
    ) -> Look:
        picture = links.get(message.picture.sha256) if message.picture is not None else None
        return Look(
            press=lambda action, value: press_id(room.organisation_id, action, value),
            link=lambda file: links.get(file.sha256),
            picture=picture if picture is not None and picture.startswith("https:") else None,
            quick=quick,
            amounts=amounts,
        )

    async def _prepared(
        self, room: Room, task_id: UUID | None, messages: Sequence[Message]
    ) -> tuple[Mapping[str, str], bool]:
        """The links by what they open, and whether amounts may be shown. What can be pressed is
        stored before it is shown."""
        amounts = room.account is not None or await self._may_see_amounts(room)
        pressable = sorted({pair for message in messages for pair in presses_of(message)})
        files = _files(messages) if task_id is not None and amounts else []
        if not pressable and not files:
            return {}, amounts
        async with unit(self._house) as work:
            own = room.organisation_id
            await presses.keep(work, own, [(press_id(own, *pair), *pair) for pair in pressable])
            links = await self._links(work, room, task_id, files) if task_id is not None else {}
        return links, amounts

    async def _may_see_amounts(self, room: Room) -> bool:
        async with self._house.engine.connect() as connection:
            return await shows_amounts(
                connection, room.organisation_id, "line", room.workspace, room.chat
            )

    async def _links(
        self, work: Unit, room: Room, task_id: UUID, files: Sequence[Attachment]
    ) -> Mapping[str, str]:
        person = None
        if room.account is not None:
            sender = Sender("line", room.workspace, room.account)
            person = await people.who(work.connection, sender)
        found: dict[str, str] = {}
        for file in files:
            link = await make_link(
                work,
                self._house,
                room.organisation_id,
                task_id,
                file,
                person.id if person is not None else None,
                self._lasts,
            )
            if link is not None:
                found[file.sha256] = link
        return found


def _files(messages: Sequence[Message]) -> list[Attachment]:
    """All that is to be opened, once each."""
    found = {file.sha256: file for message in messages for file in message.files}
    for message in messages:
        if (picture := message.picture) is not None:
            found.setdefault(picture.sha256, Attachment(picture.sha256, "1.png", "image/png"))
    return list(found.values())


async def task_of(house: House, organisation_id: UUID, delivery: str) -> UUID | None:
    """The task that a delivery is of."""
    row = await fetch_one_alone(
        house.engine,
        "select task_id from deliveries where organisation_id = :organisation_id and id = :id",
        {"organisation_id": organisation_id, "id": UUID(delivery)},
    )
    return row.task_id if row is not None else None
