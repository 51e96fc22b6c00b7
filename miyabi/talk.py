"""What is said from the terminal: as a person, through the door that all platforms use."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from uuid import UUID

from core import tasks
from core.commands import read_target
from core.db import fetch_one
from core.errors import Refused, Unknown
from core.ids import new_id
from core.inbound import Answer, Click, Inbound, Spot
from core.intake import accept
from core.organisations import Organisation
from core.people import Person
from core.phrases import NOBODY, UNKNOWN_TASK
from core.ports import Lane
from core.views import TaskView, task_view
from core.words import Words
from miyabi.seed import console_account
from miyabi.sending import put_in
from miyabi.session import Session

_NO_APPROVER = Words(
    ja="{reference} を承認できる人がほかにいません。「miyabi people add」で追加してください。",
    en="Nobody else may approve {reference}. Add someone with “miyabi people add”.",
    zh="没有其他人可以批准 {reference}。请用“miyabi people add”添加。",
)
_ELSEWHERE = Words(
    ja="{reference} の質問には、依頼した場所で依頼者が答えてください。選択肢は番号で答えられます。",
    en="The question of {reference} is answered where it was asked, by who asked; "
    "a choice can be given by its number.",
    zh="{reference} 的问题请由申请人在原会话中回答。选项可用编号回答。",
)


@dataclass(frozen=True, slots=True)
class Talk:
    """A person at the terminal, speaking to Miyabi."""

    session: Session
    organisation: Organisation
    handle: str

    async def say(
        self,
        text: str,
        *,
        today: date | None = None,
        lane: Lane = "interactive",
        files: Sequence[Path] = (),
    ) -> Answer:
        """Say something that opens a conversation or names a task, with files if any.

        Raises Refused where a file can't be taken: nothing was said then.
        """
        sent = await put_in(self.session.house, self.organisation.id, files)
        inbound = replace(self._inbound(text=text, today=today), lane=lane, files=tuple(sent))
        return await accept(self.session.house, inbound)

    async def send(self, view: TaskView, files: Sequence[Path]) -> Answer:
        """Send files in the thread of a task that was asked for here."""
        thread = await _thread_of(self, view)
        sent = await put_in(self.session.house, self.organisation.id, files)
        inbound = replace(self._inbound(thread=thread, addressed=False), files=tuple(sent))
        return await accept(self.session.house, inbound)

    async def click(self, action: str, value: str, reason: str = "") -> Answer:
        """Press a button or pick an option."""
        click = Click(action, value, reason)
        return await accept(self.session.house, self._inbound(click=click))

    async def reply(self, thread: str, text: str) -> Answer:
        """Say something in a task's thread, to nobody by name."""
        inbound = self._inbound(text=text, thread=thread, addressed=False)
        return await accept(self.session.house, inbound)

    def _inbound(
        self,
        *,
        text: str = "",
        thread: str | None = None,
        addressed: bool = True,
        click: Click | None = None,
        today: date | None = None,
    ) -> Inbound:
        return Inbound(
            console_account(self.organisation.slug, self.handle),
            Spot(self.handle, thread),
            new_id().hex,
            text=text,
            addressed=addressed,
            click=click,
            today=today,
        )


async def see(session: Session, organisation: Organisation, task_id: UUID) -> TaskView:
    """The task as it stands."""
    async with session.house.engine.connect() as connection:
        return await task_view(connection, session.house, organisation.id, task_id)


async def find_task(session: Session, organisation: Organisation, name: str) -> TaskView:
    """The task named `#1042`, `1042` or by its document's number. Raises Refused."""
    target, rest = read_target(name)
    if target is None or rest:
        raise Unknown(UNKNOWN_TASK.fill(target=name))
    async with session.house.engine.connect() as connection:
        task_id = await tasks.find(connection, organisation.id, target)
    return await see(session, organisation, task_id)


def other_approver(view: TaskView) -> Person:
    """Who approves where the command line is to see to it: the first who may."""
    able = sorted(view.approval.may_decide, key=lambda p: p.id) if view.approval else []
    if not able:
        raise Refused(_NO_APPROVER.fill(reference=view.spoken))
    return able[0]


async def approve(session: Session, organisation: Organisation, view: TaskView) -> Answer:
    """Have another person approve what waits."""
    person = other_approver(view)
    assert view.approval is not None  # noqa: S101  # other_approver has seen it
    talk = Talk(session, organisation, person.handle)
    stage = view.approval.open
    return await talk.click("approve", str(stage.id if stage else view.approval.id))


async def requester_of(session: Session, organisation: Organisation, view: TaskView) -> str:
    """The handle of who asked for a task."""
    for person in await session.everyone(organisation):
        if person.id == view.requester_id:
            return person.handle
    raise Refused(NOBODY)


async def answer_question(talk: Talk, view: TaskView, text: str) -> Answer:
    """Answer the task's open question: by the number of a choice, else in words."""
    question = view.question or {}
    offered = question.get("choices", [])
    number = unicodedata.normalize("NFKC", text).strip()
    if number.isdecimal() and 1 <= int(number) <= len(offered):
        return await talk.click("answer", f"{question['id']}.{int(number) - 1}")
    return await talk.reply(await _thread_of(talk, view), text)


async def _thread_of(talk: Talk, view: TaskView) -> str:
    """The terminal's thread of a task. Raises Refused where it was asked for elsewhere."""
    async with talk.session.house.engine.connect() as connection:
        row = await fetch_one(
            connection,
            "select root from threads where organisation_id = :organisation_id"
            " and task_id = :task_id and platform = 'console' and channel = :channel"
            " and person_id is null and root is not null",
            {
                "organisation_id": view.organisation_id,
                "task_id": view.id,
                "channel": talk.handle,
            },
        )
    if row is None:
        raise Refused(_ELSEWHERE.fill(reference=view.spoken))
    return str(row.root)
