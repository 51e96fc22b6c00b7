"""What `miyabi doctor` says of the store, and of months on their way into the archive."""

from collections.abc import Sequence

from audit import archives
from audit.store import StoreAway
from core.platform import Finding
from core.words import Words
from miyabi.build import Built

STORE = Words(ja="書類の保存先", en="The store of documents", zh="文件存储")
FIX_STORE = Words(
    ja="[store] の設定、空き容量、権限を確認してください: {why}",
    en="See to the settings below [store], to room and rights there: {why}",
    zh="请检查 [store] 设置、剩余空间和权限: {why}",
)
ARCHIVE = Words(
    ja="監査ログのアーカイブ: {months}か月分、作業中{open}件",
    en="Audit archive: {months} months, {open} archives on their way",
    zh="审计归档: {months} 个月，进行中 {open} 个",
)
FIX_ARCHIVE = Words(
    ja="{month} で止まっています: {why}。解決後「miyabi audit archive」で続けられます。",
    en="{month} stopped: {why}. Once that is mended, “miyabi audit archive” goes on.",
    zh="{month} 停止: {why}。解决后可用“miyabi audit archive”继续。",
)


async def look(built: Built) -> Sequence[Finding]:
    """The store, and the archive where there is one."""
    try:
        await built.house.store.size("archives/none")
        found = [Finding(True, STORE)]
    except StoreAway as error:
        found = [Finding(False, STORE, FIX_STORE.fill(why=error))]
    async with built.house.engine.connect() as connection:
        every = await archives.every(connection)
    if every:
        stopped = next((each for each in every if each.error), None)
        open_ = [each for each in every if each.state in {"due", "made", "kept"}]
        what = ARCHIVE.fill(months=len({each.month for each in every}), open=len(open_))
        fix = None
        if stopped is not None:
            fix = FIX_ARCHIVE.fill(month=f"{stopped.month:%Y-%m}", why=stopped.error)
        found.append(Finding(stopped is None, what, fix))
    return found
