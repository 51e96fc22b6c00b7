"""Trying a notice without sending it."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.words import Words
from miyabi.commands.frame import AsJson, Exit, OfOrganisation, language, print_json, run, say
from miyabi.commands.people import find_person

if TYPE_CHECKING:
    from core.settings import Settings

_OUTCOMES = {
    "now": Words(ja="すぐに送ります", en="told now", zh="立即发送"),
    "held": Words(ja="{until} まで待ちます", en="held until {until}", zh="等到 {until}"),
    "digest": Words(
        ja="{until} にまとめて送ります", en="in the digest of {until}", zh="于 {until} 汇总发送"
    ),
    "dropped": Words(ja="送りません", en="not told", zh="不发送"),
}
_HEAD = Words(
    ja="{topic}（{importance}）→ {to}: {outcome}",
    en="{topic} ({importance}) → {to}: {outcome}",
    zh="{topic}（{importance}）→ {to}: {outcome}",
)
_AT_ONCE = Words(ja="使う経路", en="by", zh="使用渠道")
_THEN = Words(ja="届かなければ", en="if that fails", zh="无法送达时")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("explain")(explain_topic)


def explain_topic(
    topic: Annotated[str, typer.Argument(metavar="TOPIC", help="“alert.disk”, “task.failed” …")],
    to: Annotated[str, typer.Option("--to", metavar="PERSON", help="Whom: a handle.")],
    at: Annotated[
        str | None,
        typer.Option("--at", metavar="TIME", help="“23:00”, “2026-12-31 23:00”: by their clock."),
    ] = None,
    importance: Annotated[
        str | None, typer.Option("--importance", help="low, normal, high or critical.")
    ] = None,
    task: Annotated[
        str | None, typer.Option("--task", metavar="REF", help="Which task it is about: “#1042”.")
    ] = None,
    organisation: OfOrganisation = None,
    as_json: AsJson = False,
) -> None:
    """Print how somebody would be told of a topic, and each reason; nothing is sent."""

    async def command(settings: "Settings") -> int:
        from miyabi.session import session
        from miyabi.talk import find_task
        from notifier.hub.explaining import as_data, explain, read_at, read_importance

        async with session(settings) as opened:
            person = await find_person(opened, organisation, to)
            company = await opened.organisation(organisation)
            explained = await explain(
                opened.house,
                person,
                topic,
                importance=read_importance(importance) if importance else None,
                at=read_at(at, person.time_zone) if at else None,
                task_id=(await find_task(opened, company, task)).id if task else None,
            )
        data = as_data(explained, language())
        if as_json:
            print_json(data)
        else:
            _show(data)
        return Exit.DONE

    run(command, as_json=as_json)


def _show(data: dict[str, Any]) -> None:
    outcome = _OUTCOMES[data["outcome"]].fill(until=data["until"])
    say(
        _HEAD.fill(
            topic=data["topic"], importance=data["importance"], to=data["to"], outcome=outcome
        )
    )
    for words, at_once in ((_AT_ONCE, True), (_THEN, False)):
        names = [_name(each) for each in data["channels"] if each["at_once"] is at_once]
        if names:
            say(f"  {words.to(language())}: " + ", ".join(names))
    for reason in data["reasons"]:
        say(f"  - {reason['words']}")


def _name(way: dict[str, Any]) -> str:
    return f"{way['channel']} ({way['workspace']})" if way["workspace"] else str(way["channel"])
