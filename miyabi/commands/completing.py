"""`miyabi audit complete`: whether every state has its event, and every event its state."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from core.words import Words, same
from miyabi.commands.frame import AsJson, Exit, OfOrganisation, complain, print_json, run, say

if TYPE_CHECKING:
    from core.agreement import Lack
    from core.completeness import Run
    from core.organisations import Organisation
    from core.settings import Settings
    from miyabi.session import Session

LACKING = 20
"""The exit code where something is lacking; those of `verify` end at 19."""

_ANSWER_AT_MOST = 60.0

_COMPLETE = Words(
    ja="{slug}: {since} 以降のタスク{tasks}件、事実{facts}件を照合しました。不足はありません。",
    en="{slug}: {facts} facts of {tasks} tasks since {since} stand in the tables and in the log. "
    "Nothing is lacking.",
    zh="{slug}: 已核对 {since} 以来的任务{tasks}个、事实{facts}项，无缺失。",
)
_LACKING = Words(
    ja="{slug}: {since} 以降のタスク{tasks}件、事実{facts}件のうち、{lacking}件が一方にしか"
    "ありません。",
    en="{slug}: of {facts} facts of {tasks} tasks since {since}, {lacking} stand on one side only.",
    zh="{slug}: {since} 以来的任务{tasks}个、事实{facts}项中，有{lacking}项只在一方存在。",
)
_NO_EVENT = Words(ja="イベントなし", en="no event", zh="无事件")
_NO_ROW = Words(ja="記録なし", en="no row", zh="无记录")
_LINE = same("  {task} {kind} {key}: {side}")
_MORE = Words(ja="ほか{n}件", en="{n} more", zh="另有{n}项")
_ACCEPTED = Words(
    ja="受け入れました。次回はここから確認します。",
    en="Accepted: the next run begins here.",
    zh="已接受：下次从此处开始检查。",
)


def register(audit: typer.Typer) -> None:
    """Add the command below `miyabi audit`."""
    audit.command("complete")(complete)


def complete(
    since: Annotated[
        datetime | None,
        typer.Option("--since", help="From then on (default: the last good run)."),
    ] = None,
    accept: Annotated[
        bool, typer.Option("--accept", help="What is lacking now is known: go on from here.")
    ] = False,
    organisation: OfOrganisation = None,
    as_json: AsJson = False,
) -> None:
    """Compare what the tables say of tasks with the events of the log, both ways.

    A task's events are numbered without a gap; each state, step, approval, decision, document,
    act and message has its event, and each such event what it speaks of. 20: something is lacking.
    """

    async def command(settings: "Settings") -> int:
        from core import organisations
        from miyabi.session import session

        found = []
        async with session(settings, sample=False, answer_at_most=_ANSWER_AT_MOST) as opened:
            if organisation:
                companies = [await opened.organisation(organisation)]
            else:
                async with opened.house.engine.connect() as connection:
                    companies = await organisations.every(connection)
            for company in companies:
                # What is accepted is all that came since the last good run.
                looked = await _look(opened, company, None if accept else since, accept=accept)
                found.append((company, looked))
        if as_json:
            print_json({"organisations": [_data(company, looked) for company, looked in found]})
        else:
            for company, looked in found:
                _tell(company, looked)
            if accept:
                say(_ACCEPTED)
        lacks = any(looked.lacking for _, looked in found)
        return LACKING if lacks and not accept else Exit.DONE

    run(command, as_json=as_json)


async def _look(
    opened: "Session", company: "Organisation", since: datetime | None, *, accept: bool
) -> "Run":
    import getpass

    from audit.event import Actor
    from core import completeness
    from core.unit import unit

    house = opened.house
    moment = since.astimezone() if since is not None else None
    async with house.engine.begin() as connection:
        looked = await completeness.begin(connection, company.id, moment)
    while not looked.done:
        async with house.engine.begin() as connection:
            looked = await completeness.look(connection, company.id, looked)
    async with unit(house) as work:
        actor = Actor(account=f"terminal:{getpass.getuser()}")
        completeness.record(work, company.id, looked, actor, accepted=accept)
    return looked


def _data(company: "Organisation", looked: "Run") -> dict[str, object]:
    return {
        "organisation": company.slug,
        "since": looked.since.isoformat(),
        "until": looked.until.isoformat(),
        "tasks": looked.tasks,
        "facts": looked.facts,
        "lacking": looked.lacking,
        "kinds": sorted(looked.kinds),
        "first": [
            {
                "task": str(lack.task_id),
                "reference": lack.reference,
                "kind": lack.kind,
                "key": lack.key,
                "lacks": lack.side,
                "rows": lack.stored,
                "events": lack.said,
            }
            for lack in looked.first
        ],
    }


def _tell(company: "Organisation", looked: "Run") -> None:
    words = _LACKING if looked.lacking else _COMPLETE
    told = {"slug": company.slug, "since": looked.since.date().isoformat()}
    counts = {"tasks": looked.tasks, "facts": looked.facts, "lacking": looked.lacking}
    say(words.fill(**told, **counts))
    for lack in looked.first:
        complain(_line(lack))
    if looked.lacking > len(looked.first):
        complain(_MORE.fill(n=looked.lacking - len(looked.first)))


def _line(lack: "Lack") -> Words:
    task = f"#{lack.reference}" if lack.reference is not None else str(lack.task_id)
    side = _NO_EVENT if lack.side == "event" else _NO_ROW
    return _LINE.fill(task=task, kind=lack.kind, key=lack.key, side=side)
