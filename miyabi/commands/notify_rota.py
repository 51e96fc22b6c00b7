"""Who is on call: making rotas, looking at them, swapping and removing."""

from typing import TYPE_CHECKING, Annotated

import typer

from core.words import Words
from miyabi.commands.frame import AsJson, Exit, OfOrganisation, print_json, run, say
from miyabi.commands.people import find_person

if TYPE_CHECKING:
    from datetime import datetime

    from core.settings import Settings
    from notifier.hub.on_call import Kept

app = typer.Typer(help="Who is on call (当番), in turn by weeks.", no_args_is_help=True)

_ADDED = Words(
    ja="当番表「{name}」を作りました。今の当番: {who}",
    en="The rota “{name}” is made. On call now: {who}",
    zh="已创建值班表“{name}”。当前值班: {who}",
)
_SWAPPED = Words(
    ja="{since} から {until} まで（{zone}）、{who} が当番です。",
    en="{who} is on call from {since} to {until} ({zone}).",
    zh="{since} 至 {until}（{zone}）由 {who} 值班。",
)
_BACK = Words(
    ja="交代を {n} 件取り消しました。",
    en="{n} swaps are taken back.",
    zh="已取消 {n} 个换班。",
)
_REMOVED = Words(
    ja="当番表「{name}」を削除しました。",
    en="The rota “{name}” is removed.",
    zh="已删除值班表“{name}”。",
)
_NONE = Words(ja="当番表はありません。", en="There are no rotas.", zh="没有值班表。")
_NOBODY = Words(ja="いません", en="nobody", zh="无")
_SWAP = Words(ja="（交代）", en=" (swap)", zh="（换班）")

RotaName = Annotated[str, typer.Argument(metavar="ROTA")]


@app.command("add")
def add_rota(
    name: RotaName,
    people: Annotated[list[str], typer.Argument(metavar="PERSON…", help="In turn: handles.")],
    at: Annotated[
        str, typer.Option("--at", help="When each week is handed over: “mon 10:00”.")
    ] = "mon 10:00",
    zone: Annotated[
        str | None, typer.Option("--zone", help="IANA zone (default: the company's).")
    ] = None,
    starts: Annotated[
        str | None, typer.Option("--from", metavar="DAY", help="First hand-over, to the first.")
    ] = None,
    organisation: OfOrganisation = None,
) -> None:
    """Have people on call in turn, a week each."""

    async def command(settings: "Settings") -> int:
        from datetime import UTC, datetime
        from zoneinfo import ZoneInfo

        from core.unit import unit
        from miyabi.commands.people import read_zone
        from miyabi.session import session
        from notifier.hub import on_call
        from notifier.hub.rota_text import latest_turn, read_moment, read_turn

        weekday, time_of_day = read_turn(at)
        async with session(settings) as opened:
            company = await opened.organisation(organisation)
            where = read_zone(zone) if zone else company.company.time_zone
            now = datetime.now(UTC)
            local = ZoneInfo(where)
            first = (
                read_moment(starts, where).astimezone(local).date()
                if starts
                else latest_turn(weekday, now.astimezone(local).date())
            )
            found = [await find_person(opened, organisation, each) for each in people]
            async with unit(opened.house) as work:
                await on_call.add(
                    work, company.id, name, found, zone=where, weekday=weekday,
                    time_of_day=time_of_day, starts_on=first,
                )  # fmt: skip
                kept = await on_call.rota_named(work.connection, company.id, name)
        say(_ADDED.fill(name=name, who=_now(kept, now)))
        return Exit.DONE

    run(command)


@app.command("list")
def list_rotas(organisation: OfOrganisation = None, as_json: AsJson = False) -> None:
    """List the rotas, with who is on call now."""

    async def command(settings: "Settings") -> int:
        from datetime import UTC, datetime

        from miyabi.session import session
        from notifier.hub.on_call import rotas_of
        from notifier.hub.rotas import on_call

        async with session(settings) as opened:
            company = await opened.organisation(organisation)
            async with opened.house.engine.connect() as connection:
                found = await rotas_of(connection, company.id)
        now = datetime.now(UTC)
        if as_json:
            rows = [
                {
                    "rota": each.rota.name,
                    "zone": each.rota.zone,
                    "on_call": on_call(each.rota, now),
                    "name": _name(each, now),
                    "people": [each.names[person] for person in each.rota.people],
                }
                for each in found
            ]
            print_json({"organisation": company.slug, "rotas": rows})
        elif not found:
            say(_NONE)
        for each in () if as_json else found:
            say(_listed(each, now))
        return Exit.DONE

    run(command, as_json=as_json)


@app.command("show")
def show_rota(
    name: RotaName,
    weeks: Annotated[int, typer.Option("--weeks", min=1, max=104)] = 8,
    organisation: OfOrganisation = None,
    as_json: AsJson = False,
) -> None:
    """Show who is on call from now on, by the clock of the rota's zone."""

    async def command(settings: "Settings") -> int:
        from datetime import UTC, datetime, timedelta
        from zoneinfo import ZoneInfo

        from miyabi.session import session
        from notifier.hub.on_call import rota_named
        from notifier.hub.rotas import shifts

        async with session(settings) as opened:
            company = await opened.organisation(organisation)
            async with opened.house.engine.connect() as connection:
                kept = await rota_named(connection, company.id, name)
        now = datetime.now(UTC).replace(microsecond=0)
        zone = ZoneInfo(kept.rota.zone)
        rows = [
            {
                "since": shift.since.astimezone(zone),
                "until": shift.until.astimezone(zone),
                "person": shift.person,
                "name": kept.names[shift.person],
                "swapped": shift.swapped,
            }
            for shift in shifts(kept.rota, now, now + timedelta(weeks=weeks))
        ]
        if as_json:
            data = [
                {**row, "since": f"{row['since']:%Y-%m-%dT%H:%M%z}",
                 "until": f"{row['until']:%Y-%m-%dT%H:%M%z}"}
                for row in rows
            ]  # fmt: skip
            print_json({"rota": name, "zone": kept.rota.zone, "shifts": data})
            return Exit.DONE
        say(f"{name} ({kept.rota.zone})")
        for row in rows:
            mark = _SWAP if row["swapped"] else Words("", "", "")
            span = f"{row['since']:%Y-%m-%d %H:%M} → {row['until']:%Y-%m-%d %H:%M}  {row['name']}"
            say(Words(*(f"{span}{text}" for text in (mark.ja, mark.en, mark.zh))))
        return Exit.DONE

    run(command, as_json=as_json)


@app.command("swap")
def swap_rota(
    name: RotaName,
    person: Annotated[str, typer.Argument(metavar="PERSON", help="Who is on call then: a handle.")],
    since: Annotated[str, typer.Argument(metavar="SINCE", help="“2026-12-24 18:00”, there.")],
    until: Annotated[str, typer.Argument(metavar="UNTIL", help="The first moment after it.")],
    organisation: OfOrganisation = None,
) -> None:
    """Have somebody on call in another's place, by the clock of the rota's zone."""

    async def command(settings: "Settings") -> int:
        from core.unit import unit
        from miyabi.session import session
        from notifier.hub import on_call
        from notifier.hub.rota_text import read_moment

        async with session(settings) as opened:
            company = await opened.organisation(organisation)
            who = await find_person(opened, organisation, person)
            async with unit(opened.house) as work:
                kept = await on_call.rota_named(work.connection, company.id, name)
                zone = kept.rota.zone
                begins, ends = read_moment(since, zone), read_moment(until, zone)
                await on_call.swap(work, company.id, kept, who, begins, ends)
        say(_SWAPPED.fill(who=who.name, since=since, until=until, zone=zone))
        return Exit.DONE

    run(command)


@app.command("unswap")
def unswap_rota(
    name: RotaName,
    at: Annotated[str, typer.Argument(metavar="AT", help="A moment of the swap.")],
    organisation: OfOrganisation = None,
) -> None:
    """Take back the swaps that count at a moment."""

    async def command(settings: "Settings") -> int:
        from core.unit import unit
        from miyabi.session import session
        from notifier.hub import on_call
        from notifier.hub.rota_text import read_moment

        async with session(settings) as opened:
            company = await opened.organisation(organisation)
            async with unit(opened.house) as work:
                kept = await on_call.rota_named(work.connection, company.id, name)
                moment = read_moment(at, kept.rota.zone)
                count = await on_call.unswap(work, company.id, kept, moment)
        say(_BACK.fill(n=count))
        return Exit.DONE

    run(command)


@app.command("remove")
def remove_rota(name: RotaName, organisation: OfOrganisation = None) -> None:
    """Remove a rota: nobody is on call by it any more."""

    async def command(settings: "Settings") -> int:
        from core.unit import unit
        from miyabi.session import session
        from notifier.hub import on_call

        async with session(settings) as opened:
            company = await opened.organisation(organisation)
            async with unit(opened.house) as work:
                kept = await on_call.rota_named(work.connection, company.id, name)
                await on_call.remove(work, company.id, kept)
        say(_REMOVED.fill(name=name))
        return Exit.DONE

    run(command)


def _name(kept: "Kept", moment: "datetime") -> str | None:
    from notifier.hub.rotas import on_call

    person = on_call(kept.rota, moment)
    return kept.names[person] if person is not None else None


def _now(kept: "Kept", moment: "datetime") -> Words | str:
    return _name(kept, moment) or _NOBODY


def _listed(kept: "Kept", moment: "datetime") -> Words:
    rota = kept.rota
    people = " → ".join(kept.names[person] for person in rota.people)
    line = f"{rota.name} ({rota.zone}): " + "{who}  [" + people.replace("{", "(") + "]"
    return Words(line, line, line).fill(who=_now(kept, moment))
