"""What `miyabi doctor` says of the anchors: how far each is, and which one is behind."""

from collections.abc import Sequence

from audit.anchored import Reach, reach
from core.errors import MiyabiError
from core.platform import Finding
from core.settings import Settings
from core.words import Words
from miyabi.anchors import Anchors, anchors
from miyabi.build import Built

GRACE = 120.0
"""Seconds that a checkpoint may wait beyond an anchor's pace: for a try, or two."""

NONE = Words(
    ja="アンカー: 設定なし（docs/audit-anchors.md）",
    en="Anchors: none is set up (docs/audit-anchors.md)",
    zh="锚定: 未设置（docs/audit-anchors.md）",
)
UNUSABLE = Words(ja="アンカー: ✕", en="Anchors: ✕", zh="锚定: ✕")
ANCHOR = Words(
    ja="アンカー {name}: {size} / {of}件まで、{at}",
    en="Anchor {name}: up to {size} of {of} events, {at}",
    zh="锚定 {name}: 至 {size} / {of}条，{at}",
)
FIX = Words(
    ja="{minutes}分遅れています（{tries}回失敗: {error}）。「miyabi audit anchors」で"
    "確認してください。",
    en="It is {minutes} min behind ({tries} tries failed: {error}). See “miyabi audit anchors”.",
    zh="落后{minutes}分钟（失败{tries}次: {error}）。请用“miyabi audit anchors”确认。",
)


def is_behind(of: Reach, known: Anchors) -> bool:
    """Whether what is signed waits for longer than this anchor's pace can explain."""
    return of.behind > known.pace(of.anchor).total_seconds() + GRACE


async def look(settings: Settings, built: Built) -> Sequence[Finding]:
    """One finding an anchor: over all organisations, and of the one that is most behind."""
    try:
        known = anchors(settings.anchors)
    except MiyabiError as error:
        return [Finding(False, UNUSABLE, error.words)]
    if not known.all:
        return [Finding(True, NONE)]
    async with built.house.engine.connect() as connection:
        found = await reach(connection, known.names)
    return [
        _finding(name, [each for each in found if each.anchor == name], known)
        for name in known.names
    ]


def _finding(name: str, found: Sequence[Reach], known: Anchors) -> Finding:
    size, of = sum(each.size for each in found), sum(each.of for each in found)
    at = max((each.at for each in found if each.at is not None), default=None)
    what = ANCHOR.fill(name=name, size=size, of=of, at=at.isoformat() if at else "-")
    worst = max(found, key=lambda each: each.behind, default=None)
    if worst is None or not is_behind(worst, known):
        return Finding(True, what)
    minutes, error = round(worst.behind / 60), worst.error or "-"
    return Finding(False, what, FIX.fill(minutes=minutes, tries=worst.tries, error=error))
