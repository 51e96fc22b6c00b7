"""Who decides on what: showing, setting and trying the routes of approvals."""

from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.errors import Refused
from core.words import Words
from miyabi.commands.frame import (
    AsJson,
    Exit,
    OfOrganisation,
    complain,
    language,
    print_json,
    run,
    say,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from core.approvals.chart import Chart
    from core.approvals.freezing import NamedRoute
    from core.settings import Settings
    from miyabi.route_trial import Trial

app = typer.Typer(help="Who decides on what: routes of approvals.", no_args_is_help=True)

File = Annotated[Path, typer.Argument(metavar="FILE", help="TOML; see docs/approvals-routes.md.")]

_NO_ROUTE = Words(
    ja="経路「{name}」はありません。あるもの: {known}",
    en="There is no route “{name}”. Known: {known}",
    zh="没有路线“{name}”。可用: {known}",
)
_HEAD = Words(
    ja="{name}（{origin}）", en="{name} ({origin})", zh="{name}（{origin}）"
)  # fmt: skip
_OWN = Words(
    ja="自社の経路、第{n}版", en="the company's own, version {n}", zh="本公司路线，第{n}版"
)
_SAMPLE = Words(ja="付属の経路", en="came with Miyabi", zh="自带路线")
_PUT = Words(
    ja="{name} は第{n}版になりました。これからの申請に使われます。",
    en="{name} is version {n} now; requests from now on take it.",
    zh="{name} 现为第{n}版，将用于今后的申请。",
)
_SAME = Words(ja="変更はありません。", en="Nothing has changed.", zh="没有变化。")
_DROPPED = Words(
    ja="{name} は付属の経路に戻りました。",
    en="{name} is the one that came with Miyabi again.",
    zh="{name} 已恢复为自带路线。",
)
_STEP = Words(
    ja="{step}: {who}（{of}人中{need}人）",
    en="{step}: {who} ({need} of {of})",
    zh="{step}: {who}（{of}人中{need}人）",
)
_FOR = Words(
    ja="{person}（{whose} の代理）", en="{person} for {whose}", zh="{person}（代理{whose}）"
)
_INFORM = Words(ja="回覧: {who}", en="for information: {who}", zh="传阅: {who}")


@app.command("show")
def show_routes(
    name: Annotated[str | None, typer.Argument(metavar="NAME")] = None,
    organisation: OfOrganisation = None,
    as_json: AsJson = False,
) -> None:
    """Show the routes in force, each as a line of steps with their conditions."""

    async def command(settings: "Settings") -> int:
        from core.approvals.routes import in_force
        from miyabi.session import session

        async with session(settings) as opened, opened.house.engine.connect() as connection:
            company = await opened.organisation(organisation)
            found = await in_force(connection, company.id, opened.house.agents.values())
        known = ", ".join(route.name for route in found)
        shown = [route for route in found if name in {None, route.name}]
        if not shown:
            raise Refused(_NO_ROUTE.fill(name=name, known=known))
        if as_json:
            print_json({"routes": [_data(route) for route in shown]})
        else:
            _show(shown)
        return Exit.DONE

    run(command, as_json=as_json)


def _data(named: "NamedRoute") -> dict[str, Any]:
    from core.codec import dump

    own = "organisation" if named.version else "built in"
    return {"name": named.name, "version": named.version, "from": own, **dump(named.route)}


def _show(routes: "Sequence[NamedRoute]") -> None:
    from core.approvals.route_words import route_in_words, who_in_words

    for named in routes:
        origin = _OWN.fill(n=named.version) if named.version else _SAMPLE
        say(_HEAD.fill(name=named.name, origin=origin))
        say("  " + route_in_words(named.route).to(language()))
        if named.route.inform:
            told = ", ".join(who_in_words(who).to(language()) for who in named.route.inform)
            say("  " + _INFORM.fill(who=told).to(language()))


@app.command("set")
def set_routes(file: File, organisation: OfOrganisation = None) -> None:
    """Put the routes of a file in force; one with an error is refused with its line and reason."""

    async def command(settings: "Settings") -> int:
        from core.approvals.route_file import check_handles
        from core.approvals.routes import put
        from core.unit import unit
        from miyabi.routes_file import read_file
        from miyabi.session import session

        async with session(settings) as opened:
            company = await opened.organisation(organisation)
            found = read_file(file, opened.house.agents)
            handles = {person.handle for person in await opened.everyone(company)}
            check_handles(found.source, found.routes, handles)
            async with unit(opened.house) as work:
                changed = await put(work, company.id, found.source, found.routes)
        for each in changed:
            say(_PUT.fill(name=each.name, n=each.version))
        if not changed:
            say(_SAME)
        return Exit.DONE

    run(command)


@app.command("drop")
def drop_route(
    name: Annotated[str, typer.Argument(metavar="NAME")], organisation: OfOrganisation = None
) -> None:
    """Take the company's own route out of force; the one that came with Miyabi is back then."""

    async def command(settings: "Settings") -> int:
        from core.approvals.routes import put
        from core.unit import unit
        from miyabi.session import session

        async with session(settings) as opened:
            company = await opened.organisation(organisation)
            async with unit(opened.house) as work:
                changed = await put(work, company.id, "", [name])
        say(_DROPPED.fill(name=name) if changed else _SAME)
        return Exit.DONE

    run(command)


@app.command("try")
def try_route(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="TOML or JSON with [request] …")],
    organisation: OfOrganisation = None,
    as_json: AsJson = False,
) -> None:
    """Print who would decide on a request, step by step, or why it would be refused.

    FILE has [request] (kind, requester, amount …, date); what it leaves out of [routes.NAME],
    [[people]] and [[delegations]] is the company's.
    """

    async def command(settings: "Settings") -> int:
        from miyabi.frozen import frozen_data, refused_data

        try:
            async with _tried(settings, organisation, file) as (trial, chart, named):
                data = frozen_data(chart, named, trial.asked(chart), trial.moment(chart))
        except Refused as refused:
            if as_json:
                print_json(refused_data(refused))
            complain(refused.words)
            return Exit.REFUSED
        if as_json:
            print_json(data)
        else:
            _show_trial(data)
        return Exit.DONE

    run(command, as_json=as_json)


@asynccontextmanager
async def _tried(
    settings: "Settings", organisation: str | None, file: Path
) -> "AsyncIterator[tuple[Trial, Chart, NamedRoute]]":
    """What a file asks, with the chart and the route that it means. With all of it in the file, no
    database is opened."""
    from core.approvals.freezing import NamedRoute
    from miyabi.plugins import all_agents
    from miyabi.route_trial import read_trial
    from miyabi.routes_file import read_text

    agents = all_agents()
    trial = read_trial(read_text(file), agents)
    name = trial.route_name(agents)
    if trial.people and name in trial.routes:
        yield trial, trial.chart(None), NamedRoute(name, 0, trial.routes[name])
        return

    from core.approvals.chart import read_chart
    from core.approvals.routes import route_for
    from miyabi.session import session

    async with session(settings) as opened, opened.house.engine.connect() as connection:
        company = await opened.organisation(organisation)
        stored = None
        if not trial.people:
            stored = await read_chart(connection, company.id, trial.moment())
        chart = trial.chart(stored)
        if name in trial.routes:
            named = NamedRoute(name, 0, trial.routes[name])
        else:
            named = await route_for(connection, company.id, name, agents.values())
    yield trial, chart, named


def _show_trial(data: dict[str, Any]) -> None:
    spoken = language()
    for step in data["steps"]:
        if "skipped" in step:
            say(f"{step['step']}: {step['skipped'][spoken]}")
            continue
        people = [
            _FOR.fill(person=each["person"], whose=each["for"]).to(spoken)
            if "for" in each
            else each["person"]
            for each in step["who"]
        ]
        who = ", ".join(people)
        say(_STEP.fill(step=step["step"], who=who, need=step["need"], of=step["of"]))
    if data["inform"]:
        say(_INFORM.fill(who=", ".join(each["person"] for each in data["inform"])))
