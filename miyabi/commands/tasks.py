"""Everything that is done to a task that exists: say it, see it, have its document."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.errors import Refused
from core.phrases import NO_QUESTION
from core.words import Words
from miyabi.commands.frame import (
    AsJson,
    AsPerson,
    Exit,
    OfOrganisation,
    print_json,
    read_text,
    run,
    say,
)

if TYPE_CHECKING:
    from core.inbound import Answer
    from core.organisations import Organisation
    from core.settings import Settings
    from core.views import TaskView
    from miyabi.session import Session
    from miyabi.talk import Talk

TaskName = Annotated[
    str, typer.Argument(metavar="TASK", help="#1042, 1042 or its document's number Q-2026-0001.")
]
Reason = Annotated[list[str] | None, typer.Argument(metavar="REASON")]
Rest = Annotated[list[str], typer.Argument(metavar="TEXT", help="- reads it from stdin.")]

NO_DOCUMENT = Words(
    ja="{reference} にはまだ書類がありません。",
    en="{reference} has no document yet.",
    zh="{reference} 尚无文件。",
)

_APPROVERS = frozenset({"approve", "reject", "return", "void"})
"""What the first who may decide does by default; everything else, who asked for the task."""
_DONE_BY_SAYING = frozenset({"cancel", "reject", "return", "void"})
"""What has succeeded once it is said; of everything else the task's state tells."""


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("status")(status)
    app.command("mine")(mine)
    app.command("approvals")(approvals)
    app.command("route")(route)
    app.command("show")(show)
    app.command("document")(document)
    app.command("answer")(answer)
    for verb, summary in (
        ("approve", "Approve what waits, as somebody other than who asked."),
        ("reject", "Reject what waits; needs a reason."),
        ("return", "Send what waits back to who asked; needs a reason."),
        ("undo", "Take an approval back: the last one, within five minutes."),
        ("cancel", "Withdraw a task."),
        ("retry", "Run a task again that stopped."),
        ("void", "Make an issued document void; needs a reason."),
    ):
        app.command(verb, help=summary)(_saying(verb))
    app.command("revise")(revise)


def _saying(verb: str) -> Callable[..., None]:
    def command(
        task: TaskName,
        reason: Reason = None,
        as_person: AsPerson = None,
        organisation: OfOrganisation = None,
        as_json: AsJson = False,
    ) -> None:
        _say(verb, task, " ".join(reason or []), as_person, organisation, as_json=as_json)

    return command


def revise(
    task: TaskName,
    text: Rest,
    as_person: AsPerson = None,
    organisation: OfOrganisation = None,
    as_json: AsJson = False,
) -> None:
    """Put a new request in place of a task's; an issued document gets a new edition."""
    _say("revise", task, read_text(text), as_person, organisation, as_json=as_json)


def answer(
    task: TaskName,
    text: Rest,
    as_person: AsPerson = None,
    organisation: OfOrganisation = None,
    as_json: AsJson = False,
) -> None:
    """Answer what a task asks: the number of a choice, or in words."""
    _say("answer", task, read_text(text), as_person, organisation, as_json=as_json)


def _say(
    verb: str,
    name: str,
    rest: str,
    as_person: str | None,
    organisation: str | None,
    *,
    as_json: bool,
) -> None:
    """Say a command in the chat as a person, and follow what comes of it."""

    async def command(settings: "Settings") -> int:
        from miyabi.commands.following import to_its_end
        from miyabi.follow import Inbox
        from miyabi.session import session
        from miyabi.talk import Talk, find_task

        async with session(settings, working=True) as opened:
            company = await opened.organisation(organisation)
            view = await find_task(opened, company, name)
            talk = Talk(opened, company, await _speaker(opened, verb, view, as_person))
            inbox = Inbox(opened.house, company.id, task_id=view.id)
            await inbox.fresh()  # what came before is not news
            said = await _said(talk, view, verb, rest)
            code = await to_its_end(talk, said, inbox=inbox, as_json=as_json)
            return Exit.DONE if said.outcome == "done" and verb in _DONE_BY_SAYING else code

    run(command, as_json=as_json)


async def _said(talk: "Talk", view: "TaskView", verb: str, rest: str) -> "Answer":
    from miyabi.talk import answer_question

    if verb != "answer":
        return await talk.say(f"{verb} {view.number or view.spoken} {rest}".strip())
    if view.question is None:
        raise Refused(NO_QUESTION.fill(reference=view.spoken))
    return await answer_question(talk, view, rest)


async def _speaker(opened: "Session", verb: str, view: "TaskView", as_person: str | None) -> str:
    """Who says it: as named, else who would."""
    from miyabi.talk import requester_of

    company = await opened.organisation_of(view.organisation_id)
    if as_person is not None:
        return await opened.handle_of(company, as_person)
    if verb == "undo" and (last := await _decided_last(opened, company, view)):
        return last
    if verb not in _APPROVERS:
        return await requester_of(opened, company, view)
    holders = sorted(view.approval.may_decide, key=lambda p: p.id) if view.approval else []
    if holders and verb != "void":
        return holders[0].handle
    able = [
        person
        for person in await opened.everyone(company)
        if person.may("approver") and person.id != view.requester_id
    ]
    return able[0].handle if able else await opened.handle_of(company, None, "approver")


async def _decided_last(opened: "Session", company: "Organisation", view: "TaskView") -> str | None:
    """The handle of who decided last."""
    standing = view.approval.run.standing if view.approval else ()
    everyone = {person.id: person.handle for person in await opened.everyone(company)}
    return everyone.get(standing[-1].person) if standing else None


def status(
    task: TaskName,
    as_person: AsPerson = None,
    organisation: OfOrganisation = None,
    as_json: AsJson = False,
) -> None:
    """Tell how a task stands."""
    if as_json:
        show(task, organisation, as_json=True)
    _tell(f"status {task}", as_person, organisation, as_json=False)


def mine(
    as_person: AsPerson = None, organisation: OfOrganisation = None, as_json: AsJson = False
) -> None:
    """List somebody's tasks and what waits for their approval."""
    _tell("mine", as_person, organisation, as_json=as_json)


def approvals(
    as_person: AsPerson = None, organisation: OfOrganisation = None, as_json: AsJson = False
) -> None:
    """List what waits for somebody's decision."""
    _tell("approvals", as_person, organisation, as_json=as_json)


def route(
    task: TaskName,
    as_person: AsPerson = None,
    organisation: OfOrganisation = None,
    as_json: AsJson = False,
) -> None:
    """Tell where an approval stands, as a line of steps."""
    _tell(f"route {task}", as_person, organisation, as_json=as_json)


def _tell(text: str, as_person: str | None, organisation: str | None, *, as_json: bool) -> None:
    async def command(settings: "Settings") -> int:
        from miyabi.commands.following import without_task
        from miyabi.session import session
        from miyabi.talk import Talk

        async with session(settings) as opened:
            company = await opened.organisation(organisation)
            talk = Talk(opened, company, await opened.handle_of(company, as_person))
            return without_task(talk, await talk.say(text), as_json=as_json)

    run(command, as_json=as_json)


def show(task: TaskName, organisation: OfOrganisation = None, as_json: AsJson = False) -> None:
    """Show a task whole: what was understood, the amounts, the documents, the audit log."""

    async def command(settings: "Settings") -> int:
        from core.views import status_message
        from miyabi.commands.frame import language
        from miyabi.commands.screen import show_end, show_message
        from miyabi.report import report
        from miyabi.session import session
        from miyabi.talk import find_task

        async with session(settings) as opened:
            company = await opened.organisation(organisation)
            view = await find_task(opened, company, task)
            found = await report(opened, company, view.id)
            if as_json:
                print_json(found)
            else:
                show_message(status_message(view, language(), view.time_zone))
                show_end(found)
        return Exit.DONE

    run(command, as_json=as_json)


def document(
    task: TaskName,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Where to write it.")
    ] = None,
    organisation: OfOrganisation = None,
    as_json: AsJson = False,
) -> None:
    """Write a task's documents as files; while none is issued, the draft."""

    async def command(settings: "Settings") -> int:
        from miyabi.report import documents
        from miyabi.session import session
        from miyabi.talk import find_task

        async with session(settings) as opened:
            company = await opened.organisation(organisation)
            view = await find_task(opened, company, task)
            found = await documents(opened, company, view, out.resolve() if out else None)
        if not found:
            raise Refused(NO_DOCUMENT.fill(reference=view.spoken))
        if as_json:
            print_json({"task": view.spoken, "documents": found})
        else:
            for each in found:
                say(str(each["path"]))
        return Exit.DONE

    run(command, as_json=as_json)
