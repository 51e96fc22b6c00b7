"""Requests that are held because nothing proves whose they are: listed, released, dropped."""

from typing import TYPE_CHECKING, Annotated

import typer

from core.words import Words, same
from miyabi.commands.frame import AsJson, Exit, OfOrganisation, print_json, run, say

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from audit.event import Actor
    from core.settings import Settings
    from core.tasks import Task
    from core.unit import Unit
    from miyabi.session import Session

app = typer.Typer(help="Requests of which nothing proves whose they are.", no_args_is_help=True)

_NONE = Words(ja="保留中の依頼はありません。", en="Nothing is held.", zh="没有保留的申请。")
_OPERATOR = Words(ja="運用担当者", en="the operator", zh="管理员")
_ONE = same("{reference}  {who}  {text}")
_SHOWN = 60  # characters of a request

Reference = Annotated[str, typer.Argument(metavar="#1042", help="The request's number.")]


@app.command("list")
def list_held(organisation: OfOrganisation = None, as_json: AsJson = False) -> None:
    """List what is held, the oldest first."""

    async def command(settings: "Settings") -> int:
        from core.holding import held_tasks
        from core.people import name_of
        from miyabi.session import session

        async with session(settings) as opened:
            company = await opened.organisation(organisation)
            async with opened.house.engine.connect() as connection:
                found = await held_tasks(connection, company.id)
                rows = [
                    {
                        "reference": task.reference,
                        "agent": task.agent,
                        "requester": await name_of(connection, company.id, task.person_id),
                        "text": task.text,
                    }
                    for task in found
                ]
        if as_json:
            print_json({"organisation": company.slug, "held": rows})
        else:
            for row in rows:
                text = " ".join(str(row["text"]).split())[:_SHOWN]
                reference = f"#{row['reference']}"
                say(_ONE.fill(reference=reference, who=row["requester"], text=text))
            if not rows:
                say(_NONE)
        return Exit.DONE

    run(command, as_json=as_json)


@app.command("release")
def release_held(reference: Reference, organisation: OfOrganisation = None) -> None:
    """Have it done, as whose it says it is asked for it."""
    from core.holding import RELEASED, release

    _act(reference, organisation, release, RELEASED)


@app.command("drop")
def drop_held(reference: Reference, organisation: OfOrganisation = None) -> None:
    """End it; nothing is said of it where it came from."""
    from core.holding import DROPPED, drop

    _act(reference, organisation, drop, DROPPED)


def _act(
    reference: str,
    organisation: str | None,
    act: "Callable[[Unit, Task, Words, Actor], Awaitable[object]]",
    done: Words,
) -> None:
    async def command(settings: "Settings") -> int:
        from audit.event import SYSTEM
        from core.unit import unit
        from miyabi.session import session

        async with session(settings) as opened, unit(opened.house) as work:
            task = await _task(opened, work, organisation, reference)
            await act(work, task, _OPERATOR, SYSTEM)
        say(done.fill(reference=task.spoken))
        return Exit.DONE

    run(command)


async def _task(
    opened: "Session", work: "Unit", organisation: str | None, reference: str
) -> "Task":
    """The task of a number, with or without #, locked. Raises Refused where there is none."""
    from core import tasks
    from core.commands import read_target
    from core.errors import Unknown
    from core.phrases import UNKNOWN_TASK

    company = await opened.organisation(organisation)
    target, rest = read_target(reference)
    if target is None or rest:
        raise Unknown(UNKNOWN_TASK.fill(target=reference))
    task_id = await tasks.find(work.connection, company.id, target)
    return await tasks.lock(work.connection, company.id, task_id)
