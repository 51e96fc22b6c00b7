"""What `miyabi doctor` says of the audit log's tree: its key, its sequencer, its checkpoints."""

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from audit.keys import Signer
from audit.sequencer import backlog
from core import workers
from core.errors import MiyabiError
from core.platform import Finding
from core.settings import Settings
from core.words import Words, same
from miyabi.build import Built
from miyabi.signing import signers

LATE = 60.0
"""Seconds after which what waits is no longer on its way."""

KEY = Words(
    ja="監査ログの署名鍵: {what}", en="Audit signing key: {what}", zh="审计签名密钥: {what}"
)
HERE_NONE = Words(
    ja="ここにはありません（ワーカーにあります）",
    en="not here, but at a worker",
    zh="不在此处（在工作进程处）",
)
NOWHERE = Words(
    ja="ありません（チェックポイントが作られません）",
    en="none: there are no checkpoints",
    zh="没有（不会生成检查点）",
)
TREE = Words(
    ja="監査ツリー: {leaves}件、順番待ち{waiting}件、最新チェックポイント {at}",
    en="Audit tree: {leaves} leaves, {waiting} events wait, newest checkpoint {at}",
    zh="审计树: {leaves}条，等待{waiting}条，最新检查点 {at}",
)
FIX_KEY = Words(
    ja="「miyabi audit key new」で作り、ワーカーに渡してください。",
    en="Make one with “miyabi audit key new” and give it to the workers.",
    zh="请用“miyabi audit key new”生成并交给工作进程。",
)
FIX_LATE = Words(
    ja="{seconds}秒前のイベントが順番待ちです。"
    "ワーカーのログの audit.sequencer を確認してください。",
    en="An event of {seconds} s ago still waits. See audit.sequencer in the workers' log.",
    zh="{seconds}秒前的事件仍在等待。请查看工作进程日志中的 audit.sequencer。",
)
FIX_UNSIGNED = Words(
    ja="署名が{seconds}秒遅れています。ワーカーのログの audit.checkpoints を確認してください。",
    en="A checkpoint is {seconds} s late. See audit.checkpoints in the workers' log.",
    zh="检查点延迟了{seconds}秒。请查看工作进程日志中的 audit.checkpoints。",
)

_HEADS = text("""
    -- across organisations: the doctor looks at all of them
    select coalesce(sum(size), 0) as leaves, max(checkpoint_at) as at,
        coalesce(extract(epoch from clock_timestamp() - min(coalesce(checkpoint_at, sequenced_at))
            filter (where size > checkpoint_size)), 0) as unsigned
    from audit_trees
""")


async def look(settings: Settings, built: Built) -> Sequence[Finding]:
    """The key and the tree. What waits while no worker runs waits for one, and is no fault."""
    async with built.house.engine.connect() as connection:
        heads = (await connection.execute(_HEADS)).one()
        waits = await backlog(connection)
        working = await _working(connection)
    key = _key(settings, signs=heads.at is not None and float(heads.unsigned) < LATE)
    at = heads.at.isoformat() if heads.at else "-"
    what = TREE.fill(leaves=heads.leaves, waiting=waits.events, at=at)
    fix = None
    if working and waits.seconds > LATE:
        fix = FIX_LATE.fill(seconds=round(waits.seconds))
    elif working and key.well and float(heads.unsigned) > LATE:
        fix = FIX_UNSIGNED.fill(seconds=round(float(heads.unsigned)))
    return [key, Finding(fix is None, what, fix)]


def _key(settings: Settings, *, signs: bool) -> Finding:
    try:
        found: Sequence[Signer] = signers(settings)
    except MiyabiError as error:
        return Finding(False, KEY.fill(what="✕"), error.words)
    if found:
        names = ", ".join(f"{each.name}+{each.id.hex()}" for each in found)
        return Finding(True, KEY.fill(what=same(names)))
    return Finding(
        signs, KEY.fill(what=HERE_NONE if signs else NOWHERE), None if signs else FIX_KEY
    )


async def _working(connection: AsyncConnection) -> bool:
    return any(each.state == "working" for each in await workers.every(connection))
