"""Which conversation a mail goes on with: by our own marks first, then by what it refers to."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.email import ids, tokens
from bot.email.boxes import Box
from bot.email.reading.mail import Mail
from bot.email.requests import folded_subject
from core.db import fetch_all, fetch_one
from core.house import House
from core.people import Person

_NUMBERS = re.compile(r"#(\d+)")


@dataclass(frozen=True, slots=True)
class Conversation:
    """What a mail goes on with: a task, and the thread of it in which its sender is spoken with.

    `letters` are the mails of ours that it refers to, newest first; `token`: it came to an address
    that only mails to this very person about this very task tell. `theirs` is false where the
    sender has no part in the task: somebody put them in copy, or handed it on.
    """

    task_id: UUID
    reference: int
    channel: str
    root: str
    letters: Sequence[UUID] = ()
    token: bool = False
    theirs: bool = True


@dataclass(frozen=True, slots=True)
class Marks:
    """What a mail carries of ours. `token`: of whom and about what its address is; it may have
    `expired`. `letters`: mails of ours that it refers to, newest first."""

    token: tokens.Found | None
    letters: Sequence[UUID]

    def is_of(self, person: Person | None) -> bool:
        """Whether it came to this person's own address of a task, which holds yet."""
        return (
            person is not None
            and self.token is not None
            and self.token.person_id == person.id
            and not self.token.expired
        )


async def marks_of(house: House, box: Box, mail: Mail, recipients: Sequence[str]) -> Marks:
    """What a mail carries of ours; nothing of it is believed for who sent it."""
    letters = [ids.letter_of(house, each) for each in mail.references]
    found = [each for each in letters if each is not None]
    async with house.engine.connect() as connection:
        token = await _token(connection, box, recipients)
    return Marks(token, found)


async def _token(
    connection: AsyncConnection, box: Box, recipients: Sequence[str]
) -> tokens.Found | None:
    for address in recipients:
        token = tokens.token_in(box, address)
        found = await tokens.find_token(connection, token) if token is not None else None
        if found is not None and found.organisation_id == box.organisation_id:
            return found
    return None


async def find(
    house: House, box: Box, mail: Mail, person: Person, marks: Marks
) -> Conversation | None:
    """The conversation that a mail goes on with: rather one in which its sender has a part."""
    others: Conversation | None = None
    async with house.engine.connect() as connection:
        for task_id, by_token in await _meant(connection, box, mail, person, marks):
            thread = await _thread(connection, person, task_id)
            if thread is None:
                continue
            found = Conversation(
                task_id, thread.reference, thread.channel, thread.root, marks.letters,
                token=by_token and marks.is_of(person),
            )  # fmt: skip
            if await _has_part(connection, person, task_id):
                return found
            others = others or replace(found, theirs=False)
    return others


async def _meant(
    connection: AsyncConnection, box: Box, mail: Mail, person: Person, marks: Marks
) -> list[tuple[UUID, bool]]:
    """The tasks that a mail may be about, the surest first; whether its address says so."""
    meant: dict[UUID, bool] = {}
    if marks.token is not None and marks.token.person_id == person.id:
        meant[marks.token.task_id] = True
    for statement, values in (
        (_BY_LETTERS, {"letters": list(marks.letters)}),
        (_BY_MAILS, {"references": list(mail.references)}),
    ):
        scope = {"organisation_id": box.organisation_id, **values}
        for row in await fetch_all(connection, statement, scope):
            meant.setdefault(row.task_id, False)
    return list(meant.items())


_BY_LETTERS = """
    select l.task_id from unnest(cast(:letters as uuid[])) with ordinality as named(id, place)
        join letters l on l.id = named.id
    where l.organisation_id = :organisation_id and l.task_id is not null order by named.place
"""
_BY_MAILS = """
    select m.task_id from unnest(cast(:references as text[])) with ordinality as named(id, place)
        join mails m on m.message_id = named.id
    where m.organisation_id = :organisation_id and m.task_id is not null
        and m.state = 'done' order by named.place -- a held one may be anybody's
"""

# Who asked, whose decision it is or was, who was shown it; and who was written to about it.
_HAS_PART = """
    select 1 from tasks t where t.organisation_id = :organisation_id and t.id = :task_id and (
        t.person_id = :person_id
        or exists (select from approval_seats s where s.organisation_id = :organisation_id
            and s.task_id = t.id and :person_id in (s.person_id, s.holder_id)
            and s.state <> 'void')
        or exists (select from threads h where h.organisation_id = :organisation_id
            and h.task_id = t.id and h.person_id = :person_id)
        or exists (select from letters l where l.organisation_id = :organisation_id
            and l.task_id = t.id and l.person_id = :person_id and l.state <> 'failed'))
"""


async def _has_part(connection: AsyncConnection, person: Person, task_id: UUID) -> bool:
    return await fetch_one(connection, _HAS_PART, _scope(person, task_id)) is not None


# Their own thread of it; else the one in which it was asked for.
_THREAD = """
    select h.channel, h.root, t.reference from threads h join tasks t on t.id = h.task_id
    where h.organisation_id = :organisation_id and t.organisation_id = :organisation_id
        and h.task_id = :task_id and h.platform = 'email' and h.root is not null
    order by h.person_id is not distinct from :person_id desc, exists (select from accounts a
            where a.organisation_id = :organisation_id and a.person_id = :person_id
            and a.platform = 'email' and a.external_id = h.channel) desc, h.created_at
    limit 1
"""


async def _thread(connection: AsyncConnection, person: Person, task_id: UUID) -> Any:
    return await fetch_one(connection, _THREAD, _scope(person, task_id))


def _scope(person: Person, task_id: UUID) -> dict[str, object]:
    return {
        "organisation_id": person.organisation_id,
        "task_id": task_id,
        "person_id": person.id,
    }


async def is_new_subject(
    house: House, box: Box, conversation: Conversation, subject: str | None
) -> bool:
    """Whether somebody took an old mail to write about something new: its subject is neither that
    of a mail of this conversation nor says the task's number, as our own subjects do."""
    folded = folded_subject(subject)
    named = _NUMBERS.findall(unicodedata.normalize("NFKC", subject or ""))
    if not folded or str(conversation.reference) in named:
        return False
    async with house.engine.connect() as connection:
        rows = await fetch_all(
            connection,
            "select distinct subject from mails where organisation_id = :organisation_id"
            " and task_id = :task_id",
            {"organisation_id": box.organisation_id, "task_id": conversation.task_id},
        )
    return folded not in {folded_subject(row.subject) for row in rows}


def root_of(box: Box, message_id: str | None, sha256: str) -> str:
    """What a conversation that begins with this mail is called: its Message-ID, and of a mail
    without one, one that is made of its bytes."""
    return message_id or f"<{sha256}@{box.address.partition('@')[2]}>"
