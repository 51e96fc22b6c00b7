"""`miyabi workers`: which worker processes there are, and whether each hears its queue."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from core.words import Words
from miyabi.commands.frame import AsJson, Exit, language, print_json, run, say, terminal

if TYPE_CHECKING:
    from rich.table import Table

    from core.settings import Settings
    from core.workers import Worker

STATES = {
    "working": Words(ja="稼働中", en="working", zh="工作中"),
    "deaf": Words(ja="キュー応答なし", en="deaf to its queue", zh="听不到队列"),
    "stopping": Words(ja="停止処理中", en="stopping", zh="正在停止"),
    "gone": Words(ja="応答なし", en="gone without a word", zh="失去联系"),
    "ended": Words(ja="終了", en="ended", zh="已结束"),
}
_COLUMNS = (
    Words(ja="ワーカー", en="Worker", zh="工作进程"),
    Words(ja="状態", en="State", zh="状态"),
    Words(ja="レーン", en="Lanes", zh="通道"),
    Words(ja="実行中", en="Jobs", zh="执行中"),
    Words(ja="確認（秒前）", en="Seen (s ago)", zh="上次确认（秒前）"),
    Words(ja="版", en="Version", zh="版本"),
)
_NONE = Words(
    ja="稼働中のワーカーがありません。「miyabi worker」または「miyabi up」で起動してください。",
    en="No worker is at work. Start one with “miyabi worker” or “miyabi up”.",
    zh="没有正在工作的进程。请用“miyabi worker”或“miyabi up”启动。",
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("workers")(workers)


def workers(as_json: AsJson = False) -> None:
    """Show the worker processes. Exit code 1 unless one works and none is deaf."""

    async def command(settings: "Settings") -> int:
        from core.workers import every, well
        from miyabi.session import session

        async with (
            session(settings, sample=False) as opened,
            opened.house.engine.connect() as connection,
        ):
            found = await every(connection)
        if as_json:
            print_json({"well": well(found), "workers": [_data(worker) for worker in found]})
        else:
            _show(found)
        return Exit.DONE if well(found) else Exit.FAILED

    run(command, as_json=as_json)


def _data(worker: "Worker") -> dict[str, object]:
    return {
        "name": worker.name,
        "state": worker.state,
        "lanes": list(worker.lanes),
        "jobs": worker.jobs,
        "started_at": worker.started_at.isoformat(),
        "seen_seconds_ago": round(worker.seen, 1),
        "polled_seconds_ago": None if worker.polled is None else round(worker.polled, 1),
        "version": worker.version,
    }


def _show(found: "Sequence[Worker]") -> None:
    present = [worker for worker in found if worker.state != "ended"]
    if present:
        terminal().print(_table(present))
    if not any(worker.state == "working" for worker in found):
        say(_NONE)


def _table(found: "Sequence[Worker]") -> "Table":
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD)
    for column in _COLUMNS:
        table.add_column(column.to(language()))
    for worker in found:
        style = {"working": "green", "stopping": "yellow"}.get(worker.state, "bold red")
        table.add_row(
            worker.name,
            Text(STATES[worker.state].to(language()), style=style),
            ", ".join(worker.lanes),
            str(worker.jobs),
            f"{worker.seen:.0f}",
            worker.version,
        )
    return table
