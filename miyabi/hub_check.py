"""What the doctor says of the notification hub: places that are off, what was given up, providers
that are not spoken to just now."""

from core.db import fetch_alone
from core.house import House
from core.platform import Finding
from core.words import Words

WELL = Words(
    ja="通知: 届かないものはありません",
    en="Notifications: nothing is stuck",
    zh="通知: 没有未送达的内容",
)
OFF = Words(
    ja="通知先「{name}」（{slug}）: 停止中（{why}）",
    en="Place “{name}” ({slug}): off ({why})",
    zh="通知目标“{name}”（{slug}）: 已停用（{why}）",
)
FIX_OFF = Words(
    ja="送信先を直してから「miyabi notify place test {name} --org {slug}」を実行してください。",
    en="Mend it, then run “miyabi notify place test {name} --org {slug}”.",
    zh="修复后运行“miyabi notify place test {name} --org {slug}”。",
)
DEAD = Words(
    ja="届かなかった通知（{slug}）: {n}件",
    en="Notifications that were given up ({slug}): {n}",
    zh="未能送达的通知（{slug}）: {n} 条",
)
FIX_DEAD = Words(
    ja="「miyabi notify dead list --org {slug}」で理由を確認してください。",
    en="“miyabi notify dead list --org {slug}” says why.",
    zh="可用“miyabi notify dead list --org {slug}”查看原因。",
)
CIRCUIT = Words(
    ja="{provider}（{slug}）: 失敗が続いたため送信を休止中（{why}）",
    en="{provider} ({slug}): not spoken to, as it failed again and again ({why})",
    zh="{provider}（{slug}）: 因连续失败暂停发送（{why}）",
)
FIX_CIRCUIT = Words(
    ja="自動で再試行します。続く場合は {provider} の設定と状態を確認してください。",
    en="It is tried again by itself. If that goes on, look at {provider} and its settings.",
    zh="会自动重试。如持续，请检查 {provider} 的状态和设置。",
)

_LOOK = """
    select 'off' as kind, o.slug, p.name as what, coalesce(p.off_why, '') as why, 0 as times
    from notice_places p join organisations o on o.id = p.organisation_id
    where p.off_since is not null and p.removed_at is null
    union all select 'dead', o.slug, '', '', count(*)
    from dispatches d join organisations o on o.id = d.organisation_id
    where d.dead_at is not null group by o.slug
    union all select 'circuit', o.slug, c.provider, coalesce(c.reason, ''), 0
    from circuits c join organisations o on o.id = c.organisation_id where c.state <> 'closed'
    order by 1, 2, 3
"""


async def look(house: House) -> list[Finding]:
    """Whatever is not well with it; one that says so where all is."""
    rows = await fetch_alone(house.engine, _LOOK, {})  # across organisations: the doctor's look
    findings = [_finding(row.kind, row.slug, row.what, row.why, row.times) for row in rows]
    return findings or [Finding(True, WELL)]


def _finding(kind: str, slug: str, what: str, why: str, times: int) -> Finding:
    if kind == "off":
        fix = FIX_OFF.fill(name=what, slug=slug)
        return Finding(False, OFF.fill(name=what, slug=slug, why=why), fix)
    if kind == "dead":
        return Finding(False, DEAD.fill(slug=slug, n=times), FIX_DEAD.fill(slug=slug))
    fix = FIX_CIRCUIT.fill(provider=what)
    return Finding(False, CIRCUIT.fill(provider=what, slug=slug, why=why), fix)
