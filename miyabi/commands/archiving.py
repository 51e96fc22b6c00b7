"""`miyabi audit archive`, `restore`, `expire`, `hold`: months that leave the database, and when."""

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from core.errors import Permanent, Refused
from core.words import Words
from miyabi.commands.frame import AsJson, Exit, OfOrganisation, print_json, run, say

if TYPE_CHECKING:
    from audit.archives import Archive
    from core.keeping import Expired, Hold
    from core.settings import Settings

_NO_MONTH = Words(
    ja="「{text}」は月ではありません。2025-11 の形で書いてください。",
    en="“{text}” is no month. Write it as 2025-11.",
    zh="“{text}”不是月份。请写成 2025-11。",
)
_NO_HOLD = Words(
    ja="「{text}」は保全のIDではありません。",
    en="“{text}” is no id of a hold.",
    zh="“{text}”不是保全的 ID。",
)
_BUSY = Words(
    ja="別のプロセスがアーカイブ中です。しばらくしてから実行してください。",
    en="Another process is at the archive. Try again in a while.",
    zh="其他进程正在归档。请稍后再试。",
)
_STOPPED = Words(
    ja="アーカイブは途中で止まりました。失われたものはなく、次回、続きから行います。理由: {why}",
    en="The archive stopped on its way. Nothing is lost; the next run goes on from there: {why}",
    zh="归档中途停止。没有丢失任何内容，下次将从中断处继续。原因: {why}",
)
_NOTHING = Words(
    ja="アーカイブする月はありません。", en="No month is due.", zh="没有需要归档的月份。"
)
_STATES = {
    "due": Words(ja="作成待ち", en="to be made", zh="待制作"),
    "made": Words(ja="検査待ち", en="to be read back", zh="待读回检查"),
    "kept": Words(ja="保存済み", en="kept", zh="已保存"),
    "dropped": Words(ja="アーカイブのみ", en="in the archive only", zh="仅在归档中"),
    "restored": Words(ja="復元済み", en="brought back", zh="已恢复"),
    "expired": Words(ja="保存期間満了", en="its years are over", zh="保存期已满"),
}
_ONE = Words(
    ja="{month}  {events}件  葉 {first}〜{last}  {state}  {name}",
    en="{month}  {events} events  leaves {first} to {last}  {state}  {name}",
    zh="{month}  {events}条  叶 {first} 至 {last}  {state}  {name}",
)
_WHY = Words(ja="  止まった理由: {why}", en="  stopped: {why}", zh="  停止原因: {why}")
_RESTORED = Words(
    ja="{month} の{n}件を復元し、ツリーと照合しました。",
    en="{n} events of {month} are back, each compared with its leaf.",
    zh="已恢复 {month} 的 {n} 条事件，并与树逐一核对。",
)
_MAY_GO = Words(
    ja="保存期間を過ぎたもの: アーカイブ{months}か月分、書類{documents}件。削除するには --yes。",
    en="Past their years: {months} archives and {documents} documents. --yes drops them.",
    zh="已过保存期: {months} 个月的归档，{documents} 份文件。使用 --yes 删除。",
)
_WENT = Words(
    ja="アーカイブ{months}か月分と書類{documents}件を削除しました。",
    en="The archives of {months} months and {documents} documents were dropped.",
    zh="已删除 {months} 个月的归档和 {documents} 份文件。",
)
_PLACED = Words(
    ja="保全 {hold} を設定しました。", en="Hold {hold} is placed.", zh="已设置保全 {hold}。"
)
_RELEASED = Words(
    ja="保全 {hold} を解除しました。", en="Hold {hold} is released.", zh="已解除保全 {hold}。"
)
_HOLD = Words(
    ja="{hold}  {since}〜{until}  {state}  {reason}",
    en="{hold}  {since} to {until}  {state}  {reason}",
    zh="{hold}  {since} 至 {until}  {state}  {reason}",
)
_HOLDS = Words(ja="有効", en="holds", zh="有效")
_ENDED = Words(ja="解除 {at}", en="released {at}", zh="已解除 {at}")

Month = Annotated[str, typer.Argument(metavar="MONTH", help="As 2025-11 (UTC).")]
Since = Annotated[datetime | None, typer.Option("--since", formats=["%Y-%m-%d"], help="From.")]
Until = Annotated[datetime | None, typer.Option("--until", formats=["%Y-%m-%d"], help="To.")]

hold_app = typer.Typer(help="Legal holds: what may not be dropped.", no_args_is_help=True)


def register(audit: typer.Typer) -> None:
    """Add the commands below `miyabi audit`."""
    for command in (archive, restore, expire):
        audit.command()(command)
    audit.add_typer(hold_app, name="hold")


def archive(
    month: Annotated[
        str | None, typer.Argument(metavar="[MONTH]", help="As 2025-11 (UTC).")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Export, store, read back and let go of the months before the live window, or of one month."""

    async def command(settings: "Settings") -> int:
        from audit import archives
        from core.archive import go_on, month_due, plan_all
        from miyabi.archiving import alone, workshop
        from miyabi.session import session

        wanted = _month(month) if month else None
        async with (
            session(settings, sample=False) as opened,
            workshop(opened.house) as shop,
            alone(shop) as mine,
        ):
            if not mine:
                raise Refused(_BUSY)
            if wanted is not None:
                await month_due(shop, wanted)
            else:
                await plan_all(shop)
            try:
                while await go_on(shop, wanted):
                    pass
            except OSError as error:
                raise Permanent(_STOPPED.fill(why=str(error))) from error
            async with shop.engine.connect() as connection:
                found = await archives.every(connection, month=wanted)
        if as_json:
            print_json({"archives": [_data(each) for each in found]})
        else:
            _show(found)
        return Exit.DONE

    run(command, as_json=as_json)


def restore(month: Month, as_json: AsJson = False) -> None:
    """Bring a month back into the database; every event is compared with its leaf."""

    async def command(settings: "Settings") -> int:
        from core.archive import restore
        from miyabi.archiving import alone, workshop
        from miyabi.session import session

        wanted = _month(month)
        async with (
            session(settings, sample=False) as opened,
            workshop(opened.house) as shop,
            alone(shop) as mine,
        ):
            if not mine:
                raise Refused(_BUSY)
            events = await restore(shop, wanted)
        if as_json:
            print_json({"month": month, "events": events})
        else:
            say(_RESTORED.fill(month=month, n=events))
        return Exit.DONE

    run(command, as_json=as_json)


def expire(
    organisation: OfOrganisation = None,
    yes: Annotated[bool, typer.Option("--yes", help="Drop them.")] = False,
    as_json: AsJson = False,
) -> None:
    """Archives and documents past their years of retention and on no hold; --yes drops them."""

    async def command(settings: "Settings") -> int:
        from core.keeping import expired, let_go
        from miyabi.session import session

        async with session(settings, sample=False) as opened:
            of = (await opened.organisation(organisation)).id
            found = await expired(opened.house, of)
            if yes:
                await let_go(opened.house, of, found)
        if as_json:
            print_json({"dropped": yes, **_expired_data(found)})
        else:
            words = _WENT if yes else _MAY_GO
            say(words.fill(months=len(found.months), documents=len(found.documents)))
        return Exit.DONE

    run(command, as_json=as_json)


@hold_app.command("add")
def add(
    reason: Annotated[str, typer.Argument(metavar="REASON", help="What it is for.")],
    since: Since = None,
    until: Until = None,
    organisation: OfOrganisation = None,
    as_json: AsJson = False,
) -> None:
    """Let nothing of these days be dropped, however old; without days, nothing at all."""

    async def command(settings: "Settings") -> int:
        from core.keeping import place
        from core.unit import unit
        from miyabi.session import session

        async with session(settings, sample=False) as opened:
            of = (await opened.organisation(organisation)).id
            async with unit(opened.house) as work:
                days = (since and since.date(), until and until.date())
                hold = await place(work, of, *days, reason)
        if as_json:
            print_json({"hold": str(hold)})
        else:
            say(_PLACED.fill(hold=hold))
        return Exit.DONE

    run(command, as_json=as_json)


@hold_app.command("release")
def release(
    hold: Annotated[str, typer.Argument(metavar="HOLD", help="Its id, as `list` shows.")],
    organisation: OfOrganisation = None,
) -> None:
    """Let a hold go."""

    async def command(settings: "Settings") -> int:
        from uuid import UUID

        from core.keeping import release
        from core.unit import unit
        from miyabi.session import session

        try:
            id_ = UUID(hold)
        except ValueError as error:
            raise Refused(_NO_HOLD.fill(text=hold)) from error
        async with session(settings, sample=False) as opened:
            of = (await opened.organisation(organisation)).id
            async with unit(opened.house) as work:
                await release(work, of, id_)
        say(_RELEASED.fill(hold=hold))
        return Exit.DONE

    run(command)


@hold_app.command("list")
def list_(organisation: OfOrganisation = None, as_json: AsJson = False) -> None:
    """All holds there are and were."""

    async def command(settings: "Settings") -> int:
        from core.keeping import holds
        from miyabi.session import reading

        async with reading(settings, organisation) as (of, connection):
            found = await holds(connection, of)
        if as_json:
            print_json({"holds": [_hold_data(each) for each in found]})
        for each in () if as_json else found:
            at = each.released_at
            say(
                _HOLD.fill(
                    hold=each.id,
                    since=each.since or "",
                    until=each.until or "",
                    state=_ENDED.fill(at=f"{at:%Y-%m-%d}") if at else _HOLDS,
                    reason=each.reason,
                )
            )
        return Exit.DONE

    run(command, as_json=as_json)


def _month(text: str) -> date:
    """The first day of a month. Raises Refused."""
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError as error:
        raise Refused(_NO_MONTH.fill(text=text)) from error


def _show(found: "list[Archive]") -> None:
    if not found:
        say(_NOTHING)
    for each in found:
        values = {"events": each.events, "first": each.first, "last": each.end - 1}
        month, state = f"{each.month:%Y-%m}", _STATES[each.state]
        say(_ONE.fill(month=month, state=state, name=each.name or "", **values))
        if each.error:
            say(_WHY.fill(why=each.error))


def _data(archive: "Archive") -> dict[str, object]:
    return {
        "organisation": str(archive.organisation_id),
        "month": f"{archive.month:%Y-%m}",
        "state": archive.state,
        "events": archive.events,
        "first": archive.first,
        "end": archive.end,
        "name": archive.name,
        "sha256": archive.sha256,
        "bytes": archive.bytes,
        "error": archive.error,
    }


def _expired_data(found: "Expired") -> dict[str, object]:
    return {
        "months": [f"{month:%Y-%m}" for month in found.months],
        "documents": [number for _, number in found.documents],
    }


def _hold_data(hold: "Hold") -> dict[str, object]:
    return {
        "hold": str(hold.id),
        "since": hold.since,
        "until": hold.until,
        "reason": hold.reason,
        "placed_at": hold.placed_at,
        "released_at": hold.released_at,
    }
