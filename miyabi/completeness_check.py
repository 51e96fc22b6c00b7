"""What `miyabi doctor` says of the log's completeness: the newest run of each organisation."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import text

from core import completeness, organisations
from core.platform import Finding
from core.words import Words
from miyabi.build import Built

LATE = timedelta(days=2)
"""After which a night was missed, while there are workers."""

COMPLETE = Words(
    ja="監査ログの完全性（{slug}）: {at}、タスク{tasks}件、不足{lacking}件",
    en="Completeness of the audit log ({slug}): {at}, {tasks} tasks, {lacking} lacking",
    zh="审计日志的完整性（{slug}）: {at}，任务{tasks}个，缺失{lacking}项",
)
NOT_YET = Words(
    ja="監査ログの完全性（{slug}）: まだ確認していません",
    en="Completeness of the audit log ({slug}): not looked at yet",
    zh="审计日志的完整性（{slug}）: 尚未检查",
)
FIX_LACKING = Words(
    ja="不足: {kinds}。「miyabi audit complete」で確認し、原因がわかったら --accept で受け入れて"
    "ください。",
    en="Lacking: {kinds}. See “miyabi audit complete”; once it is known why, accept it with "
    "--accept.",
    zh="缺失: {kinds}。请用“miyabi audit complete”查看，查明原因后用 --accept 接受。",
)
FIX_LATE = Words(
    ja="夜間の確認が行われていません。ワーカーのログの schedule.failed を確認してください。",
    en="The nightly run did not take place. See schedule.failed in the workers' log.",
    zh="夜间检查未执行。请查看工作进程日志中的 schedule.failed。",
)


async def look(built: Built) -> Sequence[Finding]:
    """A finding for each organisation. That it is late is none where no worker runs."""
    found = []
    async with built.house.engine.connect() as connection:
        now = await connection.scalar(text("select now()"))
        working = await connection.scalar(
            text("select exists (select from workers where seen_at > now() - interval '1 minute')")
        )
        for each in await organisations.every(connection):
            outcome = await completeness.newest(connection, each.id)
            if outcome is None:
                found.append(Finding(True, NOT_YET.fill(slug=each.slug)))
                continue
            fix = None
            if not outcome.well:
                fix = FIX_LACKING.fill(kinds=", ".join(outcome.kinds))
            elif working and now - outcome.at > LATE:
                fix = FIX_LATE
            what = COMPLETE.fill(
                slug=each.slug, at=outcome.at.isoformat(timespec="seconds"),
                tasks=outcome.tasks, lacking=outcome.lacking,
            )  # fmt: skip
            found.append(Finding(fix is None, what, fix))
    return found
