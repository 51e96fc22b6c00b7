"""Who hears of what and where: showing, checking and setting a company's rules."""

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.words import Words
from miyabi.commands.frame import AsJson, Exit, OfOrganisation, print_json, run, say

if TYPE_CHECKING:
    from core.organisations import Organisation
    from core.settings import Settings
    from miyabi.session import Session
    from notifier.hub.rules import Rule

app = typer.Typer(help="Rules: who hears of what, by which channels.", no_args_is_help=True)

File = Annotated[Path, typer.Argument(metavar="FILE", help="TOML; see docs/notifications.md.")]

_OWN = Words(
    ja="# 自社の規則、第{n}版（{at}）",
    en="# the company's own rules, version {n} ({at})",
    zh="# 本公司规则，第{n}版（{at}）",
)
_DEFAULTS = Words(
    ja="# 付属の規則（自社の規則の後に使われます）",
    en="# the rules that came with Miyabi; they count after the company's own",
    zh="# 自带规则（排在本公司规则之后）",
)
_PUT = Words(
    ja="規則は第{n}版になりました（{rules}件）。これからの通知に使われます。",
    en="The rules are version {n} now ({rules} of them); notices from now on take them.",
    zh="规则现为第{n}版（{rules}条），将用于今后的通知。",
)
_SAME = Words(ja="変更はありません。", en="Nothing has changed.", zh="没有变化。")
_RIGHT = Words(
    ja="正しい規則です（{rules}件）。",
    en="The rules are right ({rules} of them).",
    zh="规则正确（{rules}条）。",
)
_NO_HISTORY = Words(
    ja="自社の規則はまだありません。",
    en="There have been no rules of the company's own.",
    zh="尚无本公司规则。",
)
_VERSION = Words(
    ja="第{n}版  {at}  {rules}件  {who}",
    en="version {n}  {at}  {rules} rules  {who}",
    zh="第{n}版  {at}  {rules}条  {who}",
)


@app.command("show")
def show_rules(
    own: Annotated[bool, typer.Option("--own", help="Only the company's own.")] = False,
    organisation: OfOrganisation = None,
    as_json: AsJson = False,
) -> None:
    """Print the rules in force, as the files that they are."""

    async def command(settings: "Settings") -> int:
        from core.codec import dump
        from miyabi.session import session
        from notifier.hub.rule_file import default_source, rules_of
        from notifier.hub.rule_store import versions

        async with session(settings) as opened, opened.house.engine.connect() as connection:
            company = await opened.organisation(organisation)
            found = await versions(connection, company.id, most=1)
        newest = found[0] if found else None
        source, version = (newest.source, newest.version) if newest else ("", 0)
        if as_json:
            rules = rules_of(source, version).rules
            print_json({"version": version, "rules": [dump(rule) for rule in rules]})
            return Exit.DONE
        if newest is not None and source:
            say(_OWN.fill(n=version, at=f"{newest.set_at:%Y-%m-%d}"))
            say(source.strip() + "\n")
        if not own:
            say(_DEFAULTS)
            say(default_source().strip())
        return Exit.DONE

    run(command, as_json=as_json)


@app.command("check")
def check_rules(file: File, organisation: OfOrganisation = None) -> None:
    """Read a file of rules and say what is wrong with it, with lines; nothing is changed."""

    async def command(settings: "Settings") -> int:
        from miyabi.session import session

        async with session(settings) as opened:
            company = await opened.organisation(organisation)
            _, rules = await _read(opened, company, file)
        say(_RIGHT.fill(rules=len(rules)))
        return Exit.DONE

    run(command)


@app.command("set")
def set_rules(file: File, organisation: OfOrganisation = None) -> None:
    """Put a file of rules in force, before those that came with Miyabi. One with an error is
    refused with its line and reason; an empty file takes the company's own out of force."""

    async def command(settings: "Settings") -> int:
        from core.unit import unit
        from miyabi.session import session
        from notifier.hub.rule_store import put

        async with session(settings) as opened:
            company = await opened.organisation(organisation)
            source, rules = await _read(opened, company, file)
            async with unit(opened.house) as work:
                version = await put(work, company.id, source, len(rules))
        say(_SAME if version is None else _PUT.fill(n=version, rules=len(rules)))
        return Exit.DONE

    run(command)


@app.command("history")
def show_history(
    most: Annotated[int, typer.Option("--last", min=1, help="So many versions.")] = 20,
    organisation: OfOrganisation = None,
    as_json: AsJson = False,
) -> None:
    """List the versions of the company's rules, the newest first."""

    async def command(settings: "Settings") -> int:
        from miyabi.session import session
        from notifier.hub.rule_store import versions

        async with session(settings) as opened, opened.house.engine.connect() as connection:
            company = await opened.organisation(organisation)
            found = await versions(connection, company.id, most)
        if as_json:
            print_json(
                {
                    "versions": [
                        {
                            "version": each.version,
                            "set_at": each.set_at.isoformat(),
                            "set_by": each.set_by,
                            "source": each.source,
                        }
                        for each in found
                    ]
                }
            )
            return Exit.DONE
        if not found:
            say(_NO_HISTORY)
        for each in found:
            at = f"{each.set_at:%Y-%m-%d %H:%M} UTC"
            say(_VERSION.fill(n=each.version, at=at, rules=each.rules, who=each.set_by or "-"))
        return Exit.DONE

    run(command, as_json=as_json)


async def _read(
    opened: "Session", company: "Organisation", file: Path
) -> "tuple[str, Collection[Rule]]":
    """A file's text and rules, checked against what there is. Raises Refused."""
    from core.people import ROLES
    from miyabi.plugins import all_channels, all_platforms
    from miyabi.routes_file import read_text
    from notifier.hub.on_call import rotas_of
    from notifier.hub.places import every
    from notifier.hub.rule_file import check_named, read_rules

    source = read_text(file)
    source = source if source.strip() else ""
    rules = read_rules(source, {*all_platforms(), *all_channels()}) if source else ()
    people = await opened.everyone(company)
    async with opened.house.engine.connect() as connection:
        rotas = await rotas_of(connection, company.id)
        places = await every(connection, opened.house, company.id)
    known: dict[str, Collection[str]] = {
        "person": {person.handle for person in people},
        "role": ROLES,
        "on_call": {kept.rota.name for kept in rotas},
        "place": {place.name for place in places},
    }
    check_named(source, rules, known)
    return source, rules
