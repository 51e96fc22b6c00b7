"""From what a person was answered to the end of the task: shown as it goes, or as data."""

from typing import TYPE_CHECKING

from core.words import Words
from miyabi.commands.frame import Exit, complain, exit_of, language, print_json, say, terminal
from miyabi.commands.screen import show_end, show_message, show_nothing, show_posting

if TYPE_CHECKING:
    from core.inbound import Answer
    from miyabi.follow import Inbox, Standing
    from miyabi.talk import Talk

_SAY_WHAT = Words(
    ja="依頼の内容も書いてください（例: {example}）。",
    en="Please say what is wanted, for example: {example}",
    zh="请写明内容（例如: {example}）。",
)
_HOW_TO_ANSWER = Words(
    ja="回答するには: miyabi answer '{reference}' 番号または内容",
    en="To answer: miyabi answer '{reference}' NUMBER-OR-TEXT",
    zh="回答方法: miyabi answer '{reference}' 编号或内容",
)
_HOW_TO_APPROVE = Words(
    ja="承認するには: miyabi approve '{reference}'",
    en="To approve: miyabi approve '{reference}'",
    zh="批准方法: miyabi approve '{reference}'",
)
_OUTCOME_EXIT = {
    "taken": Exit.DONE,
    "done": Exit.DONE,
    "told": Exit.DONE,
    "unavailable": Exit.FAILED,
}


async def to_its_end(
    talk: "Talk",
    answer: "Answer",
    *,
    inbox: "Inbox | None" = None,
    approves: bool = False,
    as_json: bool = False,
) -> Exit:
    """Follow the task an answer is about until it rests; where there is none, only show it."""
    from miyabi.follow import Inbox, follow
    from miyabi.report import report

    if answer.task_id is None or answer.outcome == "told":
        return without_task(talk, answer, as_json=as_json)
    organisation, show = talk.organisation, show_nothing if as_json else show_posting
    if not as_json:
        show_message(answer.message)
    if inbox is None or inbox.task_id != answer.task_id:
        inbox = Inbox(talk.session.house, organisation.id, task_id=answer.task_id)
    standing = await follow(talk.session, inbox, answer.task_id, show)
    while approves and standing.waiting_for == "approval":  # every step of the route
        approved = await _approve(talk, inbox, as_json=as_json)
        if approved.outcome != "done":
            return without_task(talk, approved, as_json=as_json)
        standing = await follow(talk.session, inbox, answer.task_id, show)
    found = await report(talk.session, organisation, answer.task_id)
    if as_json:
        message = answer.message.text if answer.message else ""
        print_json({**found, "message": message})
    else:
        show_end(found)
        _say_how_to_go_on(standing, str(found["task"]))
    return exit_of(standing.state)


async def _approve(talk: "Talk", inbox: "Inbox", *, as_json: bool) -> "Answer":
    """Another person approves, over the terminal too."""
    from miyabi.talk import approve, other_approver, see

    assert inbox.task_id is not None  # noqa: S101  # it was made for one task
    view = await see(talk.session, talk.organisation, inbox.task_id)
    answer = await approve(talk.session, talk.organisation, view)
    if not as_json and answer.message:
        terminal().print(f"{other_approver(view).name}: {answer.message.text}", style="green")
    return answer


def without_task(talk: "Talk", answer: "Answer", *, as_json: bool) -> Exit:
    """An answer that began nothing: a refusal, help, a list."""
    from miyabi.report import EMPTY

    code = _OUTCOME_EXIT.get(answer.outcome, Exit.REFUSED)
    text = answer.message.text if answer.message else ""
    if answer.opens is not None:
        example = talk.session.house.agent(answer.opens).example
        text, code = _SAY_WHAT.fill(example=example).to(language()), Exit.NEEDS_INPUT
    if as_json:
        state = "refused" if code == Exit.REFUSED else answer.outcome
        print_json({**EMPTY, "state": state, "outcome": answer.outcome, "message": text})
    elif code == Exit.DONE:
        show_message(answer.message)
    else:
        complain(text)
    return code


def _say_how_to_go_on(standing: "Standing", reference: str) -> None:
    if standing.waiting_for == "answer":
        say(_HOW_TO_ANSWER.fill(reference=reference))
    elif standing.waiting_for == "approval":
        say(_HOW_TO_APPROVE.fill(reference=reference))
