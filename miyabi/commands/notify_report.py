"""The daily and the weekly report: switching them on and off, and seeing one at once."""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from core.errors import Refused
from core.words import Words
from miyabi.commands.frame import AsJson, Exit, OfOrganisation, print_json, run, say

if TYPE_CHECKING:
    from datetime import time

    from core.settings import Settings

app = typer.Typer(help="The daily and the weekly report, by mail.", no_args_is_help=True)

Which = Annotated[Literal["daily", "weekly"], typer.Argument(metavar="daily|weekly")]

_ON = Words(
    ja="{report} は {at}（{zone}）に送ります。次は {first} です。",
    en="The {report} report is sent at {at} ({zone}). The next one: {first}.",
    zh="{report} 报告将于 {at}（{zone}）发送。下一次：{first}。",
)
_OFF = Words(
    ja="{report} の送信を止めました。",
    en="The {report} report is sent no more.",
    zh="已停止发送 {report} 报告。",
)
_NONE = Words(
    ja="送信するレポートはありません。「miyabi notify report on daily」で始められます。",
    en="No report is sent. “miyabi notify report on daily” begins with one.",
    zh="没有要发送的报告。可用“miyabi notify report on daily”开始。",
)
_NO_TIME = Words(
    ja="時刻は「08:30」のように書いてください: {given}",
    en="A time is written as 08:30: {given}",
    zh="时间请写成“08:30”的形式：{given}",
)


@app.command("on")
def switch_on(
    report: Which,
    at: Annotated[str, typer.Option("--at", metavar="HH:MM", help="The company's time.")] = "08:30",
    organisation: OfOrganisation = None,
) -> None:
    """Have a report sent: daily on each working day, of the days since the one before; weekly on
    the first working day, of the week before. Who gets it the rules say; else the admins."""

    async def command(settings: "Settings") -> int:
        from zoneinfo import ZoneInfo

        from core.db import fetch_one
        from core.unit import unit
        from miyabi.session import session
        from notifier.hub import reports

        moment = _time(at)
        async with session(settings) as opened:
            company = await opened.organisation(organisation)
            async with unit(opened.house) as work:
                # across organisations: what time it is
                row = await fetch_one(work.connection, "select now() as now", {})
                assert row is not None  # noqa: S101  # it always is some time
                first = await reports.switch_on(
                    work, opened.house, company.id, report, moment, row.now
                )
        zone = company.company.time_zone
        shown = f"{first.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}"
        say(_ON.fill(report=report, at=f"{moment:%H:%M}", zone=zone, first=shown))
        return Exit.DONE

    run(command)


@app.command("off")
def switch_off(report: Which, organisation: OfOrganisation = None) -> None:
    """Send a report no more."""

    async def command(settings: "Settings") -> int:
        from core.unit import unit
        from miyabi.session import session
        from notifier.hub import reports

        async with session(settings) as opened:
            company = await opened.organisation(organisation)
            async with unit(opened.house) as work:
                gone = await reports.switch_off(work, company.id, report)
        say(_OFF.fill(report=report) if gone else _NONE)
        return Exit.DONE

    run(command)


@app.command("show")
def show_reports(organisation: OfOrganisation = None, as_json: AsJson = False) -> None:
    """Print which reports are sent, when, and what counts as saved."""

    async def command(settings: "Settings") -> int:
        from zoneinfo import ZoneInfo

        from miyabi.session import session
        from notifier.hub import reports

        async with session(settings) as opened, opened.house.engine.connect() as connection:
            company = await opened.organisation(organisation)
            found = await reports.switched_on(connection, company.id)
        zone = ZoneInfo(company.company.time_zone)
        rows = [
            {"report": name, "at": f"{at:%H:%M}", "next": due.astimezone(zone).isoformat()}
            for name, (at, due) in found.items()
        ]
        if as_json:
            minutes = dict(settings.notify.minutes_saved)
            print_json({"reports": rows, "zone": zone.key, "minutes_saved": minutes})
            return Exit.DONE
        for row in rows:
            first = row["next"][:16].replace("T", " ")
            say(_ON.fill(report=row["report"], at=row["at"], zone=zone.key, first=first))
        if not rows:
            say(_NONE)
        return Exit.DONE

    run(command, as_json=as_json)


def _time(given: str) -> "time":
    from datetime import datetime

    try:
        return datetime.strptime(given, "%H:%M").time()  # noqa: DTZ007  # a time of day has no zone
    except ValueError as error:
        raise Refused(_NO_TIME.fill(given=given)) from error
