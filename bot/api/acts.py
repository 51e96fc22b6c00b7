"""What is done to a task: the same buttons that people have, pressed by a program."""

from typing import Any

from bot.api.door import Visit, claim
from bot.api.models import Reply
from bot.api.problems import Problem
from bot.api.tasks import Found, find
from core import phrases
from core.approvals.acts import PRESSES
from core.inbound import Answer, Click, Inbound, Spot
from core.intake import accept
from core.views import TaskView
from core.words import Words

ELSEWHERE = Words(
    ja="{reference} は別の場所で依頼されました。そこで答えるか、選択肢から選んでください。",
    en="{reference} was asked for elsewhere. Answer it there, or choose one of its choices.",
    zh="{reference} 是在其他地方申请的。请在那里回答，或从选项中选择。",
)
NO_CHOICE = Words(ja="この選択肢はありません。", en="There is no such choice.", zh="没有这个选项。")
_ANSWERED = Click("answered", "")
"""For an act that was done before: its key finds the first answer, whatever comes with it."""


async def press(
    visit: Visit, key: str, name: str, act: str, reason: str = "", to: int | None = None
) -> Answer:
    """Press the button of that name. Raises Problem where the task has none such."""
    claimed = await claim(visit, key, f"{act} {name}", reason if to is None else [reason, to])
    if claimed.answered:
        return await accept(visit.opening.house, _pressed(visit, claimed.delivery, _ANSWERED))
    found = await find(visit, name)
    value = _approval(found.view) if act in PRESSES else str(found.view.id)
    click = Click(act, value, reason, to)
    return await accept(visit.opening.house, _pressed(visit, claimed.delivery, click))


async def reply(visit: Visit, key: str, name: str, given: Reply) -> Answer:
    """Answer the task's question. Raises Problem where it asks none, or not this person."""
    claimed = await claim(visit, key, f"answer {name}", given.model_dump())
    if claimed.answered:
        return await accept(visit.opening.house, _pressed(visit, claimed.delivery, _ANSWERED))
    found = await find(visit, name)
    if given.choice is not None:
        click = Click("answer", _chosen(found.view, given.choice))
        return await accept(visit.opening.house, _pressed(visit, claimed.delivery, click))
    spot = Spot(visit.room, _own_thread(visit, found))
    words = given.text or ""
    said = Inbound(
        visit.sender, spot, claimed.delivery, words, addressed=False, by_program=True,
        ip=visit.ip, user_agent=visit.user_agent,
    )  # fmt: skip
    return await accept(visit.opening.house, said)


def _pressed(visit: Visit, delivery: str, click: Click) -> Inbound:
    return Inbound(
        visit.sender, Spot(visit.room), delivery, click=click, by_program=True,
        ip=visit.ip, user_agent=visit.user_agent,
    )  # fmt: skip


def _approval(view: TaskView) -> str:
    if view.approval is None:
        raise Problem(409, phrases.NOTHING_PENDING.fill(reference=view.spoken))
    return str(view.approval.id)


def _chosen(view: TaskView, value: str) -> str:
    """A choice as its button carries it: the question's id and the choice's place."""
    question = _question(view)
    values = [choice["value"] for choice in question["choices"]]
    if value not in values:
        raise Problem(422, errors={"choice": NO_CHOICE})
    return f"{question['id']}.{values.index(value)}"


def _own_thread(visit: Visit, found: Found) -> str:
    _question(found.view)
    if found.view.requester_id != visit.person.id:
        raise Problem(403, phrases.NOT_YOURS.fill(who=found.view.requester))
    if found.thread is None:
        raise Problem(409, ELSEWHERE.fill(reference=found.view.spoken))
    return found.thread


def _question(view: TaskView) -> dict[str, Any]:
    if view.question is None:
        raise Problem(409, phrases.NO_QUESTION.fill(reference=view.spoken))
    return view.question
