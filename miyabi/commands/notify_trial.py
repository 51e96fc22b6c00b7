"""A harmless notice on each of somebody's channels, and what became of each."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.words import Words
from miyabi.commands.frame import AsJson, Exit, OfOrganisation, complain, print_json, run, say
from miyabi.commands.people import find_person

if TYPE_CHECKING:
    from uuid import UUID

    from core.house import House
    from core.settings import Settings

_REST = ("sent", "delivered", "read", "failed", "dropped", "unknown", "digested", "held")
"""States in which nothing more is to come of a try."""
_ARRIVED = ("sent", "delivered", "read")

_NO_WAY = Words(
    ja="{who} さんに届くチャネルがありません。「miyabi people link」で連携してください。",
    en="{who} has no channel that reaches them. Link one with “miyabi people link”.",
    zh="没有能通知到 {who} 的渠道。请用“miyabi people link”关联。",
)
_LATE = Words(
    ja="{seconds} 秒以内に結果が出ませんでした。",
    en="Not all of it was told within {seconds} seconds.",
    zh="{seconds} 秒内未全部得到结果。",
)
_STATES = {
    "sent": Words(ja="送信しました", en="sent", zh="已发送"),
    "delivered": Words(ja="届きました", en="delivered", zh="已送达"),
    "read": Words(ja="読まれました", en="read", zh="已读"),
    "failed": Words(ja="失敗しました", en="failed", zh="失败"),
    "dropped": Words(ja="送信しませんでした", en="not sent", zh="未发送"),
    "unknown": Words(ja="結果不明です", en="unknown", zh="结果未知"),
    "held": Words(ja="保留中です", en="held", zh="已保留"),
}
_WAITS = Words(ja="送信待ちです", en="waiting", zh="等待发送")


def register(app: typer.Typer) -> None:
    """Add the command below `miyabi notify`."""
    app.command("test")(try_channels)


def try_channels(
    person: Annotated[str, typer.Argument(metavar="PERSON", help="A handle.")],
    patience: Annotated[
        float, typer.Option("--wait", min=1, max=600, help="Seconds to wait for what becomes of it")
    ] = 30.0,
    organisation: OfOrganisation = None,
    as_json: AsJson = False,
) -> None:
    """Send somebody a harmless notice on each of their channels, and tell what arrived."""

    async def command(settings: "Settings") -> int:
        import asyncio
        import contextlib

        from core.notices import Notice, Recipient, publish
        from core.unit import unit
        from miyabi.plugins import all_channels
        from miyabi.session import session
        from notifier.hub.working import work_on_notices

        async with session(settings) as opened:
            who = await find_person(opened, organisation, person)
            # Beside whatever workers there are: this one is here to see to it.
            working = asyncio.create_task(work_on_notices(opened.built.opening, all_channels()))
            try:
                async with unit(opened.house) as work:
                    to = (Recipient("person", str(who.id)),)
                    notice_id = await publish(
                        work, who.organisation_id, Notice("test", to, {"person": who.name})
                    )
                rows = await _rest(opened.house, who.organisation_id, notice_id, patience)
            finally:
                working.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await working
        done = [row for row in rows if row["state"] in _REST]
        if as_json:
            print_json({"notice": notice_id, "person": who.handle, "channels": rows})
        else:
            for row in rows:
                say(_line(row))
            if not rows:
                complain(_NO_WAY.fill(who=who.name))
            elif len(done) < len(rows):
                complain(_LATE.fill(seconds=f"{patience:g}"))
        arrived = rows and all(row["state"] in _ARRIVED for row in rows)
        return Exit.DONE if arrived else Exit.FAILED

    run(command, as_json=as_json)


def _line(row: dict[str, Any]) -> Words:
    state = _STATES.get(row["state"], _WAITS)
    why = f" ({row['why']})" if row["why"] else ""
    line = "{channel}  {address}: {state}{why}"
    return Words(line, line, line).fill(
        channel=row["channel"], address=row["address"], state=state, why=why
    )


async def _rest(
    house: "House", organisation_id: "UUID", notice_id: "UUID", patience: float
) -> list[dict[str, Any]]:
    """What became of each dispatch of a notice, once nothing more is to come, or time is up."""
    import asyncio

    from core.db import fetch_all

    loop = asyncio.get_running_loop()
    end = loop.time() + patience
    while True:
        async with house.engine.connect() as connection:
            rows = await fetch_all(
                connection,
                "select d.channel, d.workspace, d.address, d.state, d.external_id,"
                " coalesce(d.reason, d.error) as why, n.fanned_at from notices n"
                " left join dispatches d on d.organisation_id = :organisation_id"
                " and d.notice_id = n.id where n.organisation_id = :organisation_id"
                " and n.id = :id order by d.place_in_line, d.channel, d.address",
                {"organisation_id": organisation_id, "id": notice_id},
            )
        told = [row._asdict() for row in rows if row.channel is not None]
        fanned = bool(rows) and rows[0].fanned_at is not None
        if loop.time() >= end or (fanned and all(row["state"] in _REST for row in told)):
            return [{key: row[key] for key in row if key != "fanned_at"} for row in told]
        await asyncio.sleep(0.2)
