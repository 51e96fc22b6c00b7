"""A route in words: as a line of steps, for whoever set it up and whoever waits for it."""

from collections.abc import Iterable

from core.approvals.route import REQUESTERS, Route, StepOf, Who
from core.words import LANGUAGES, Words, same

_ROLES = {
    "requester": Words(ja="申請者", en="requester", zh="申请人"),
    "approver": Words(ja="承認者", en="approver", zh="审批人"),
    "accountant": Words(ja="経理担当", en="accountant", zh="会计"),
    "auditor": Words(ja="監査担当", en="auditor", zh="审计"),
    "admin": Words(ja="管理者", en="administrator", zh="管理员"),
}
_SUPERIOR = Words(ja="申請者の上長", en="the requester's superior", zh="申请人的上级")
_LEVELS = Words(
    ja="申請者の{n}段上の上長",
    en="the superior {n} levels above the requester",
    zh="申请人的{n}级上级",
)
_DEPARTMENT = Words(ja="部署 {name}", en="department {name}", zh="部门 {name}")
_OWN = Words(ja="申請者と同じ部署", en="the requester's department", zh="申请人所在部门")
_POST = Words(ja="役職 {name}", en="post {name}", zh="职位 {name}")
_ANY = Words(ja="{who}（1人）", en="{who} (any one)", zh="{who}（任一人）")
_ALL = Words(ja="{who}（全員）", en="{who} (all)", zh="{who}（全员）")
_SOME = Words(ja="{who}（{n}人）", en="{who} ({n} of them)", zh="{who}（{n}人）")
_STEP = Words(ja="{name}: {who}", en="{name}: {who}", zh="{name}: {who}")
_WHEN = Words(ja="{step}［{when} のとき］", en="{step} [if {when}]", zh="{step}［{when} 时］")
_DAYS = Words(
    ja="{step}、{n}営業日以内",
    en="{step}, within {n} business days",
    zh="{step}，{n}个工作日内",
)
_FINAL = Words(ja="{step}、代理不可", en="{step}, not delegable", zh="{step}，不可代理")


def who_in_words(who: Who) -> Words:
    """Whom a route means, as far as it says so itself."""
    parts = []
    if who.superior is not None:
        parts.append(_SUPERIOR if who.superior == 1 else _LEVELS.fill(n=who.superior))
    if who.department is not None:
        own = who.department == REQUESTERS
        parts.append(_OWN if own else _DEPARTMENT.fill(name=who.department))
    if who.post is not None:
        parts.append(_POST.fill(name=who.post))
    if who.role is not None:
        parts.append(_ROLES[who.role])
    if who.person is not None:
        parts.append(same(who.person))
    return _joined(parts, " & ")


def step_in_words(step: StepOf) -> Words:
    """A step: its name, whom it asks, how many of them have to approve, and when it is needed."""
    who = _joined([who_in_words(each) for each in step.who], ", ")
    if step.need == "all":
        who = _ALL.fill(who=who)
    else:
        who = _ANY.fill(who=who) if step.need == "any" else _SOME.fill(who=who, n=step.need)
    said = _STEP.fill(name=step.name, who=who)
    if step.days is not None:
        said = _DAYS.fill(step=said, n=step.days)
    if not step.delegable:
        said = _FINAL.fill(step=said)
    return _WHEN.fill(step=said, when=" ".join(step.when.split())) if step.when else said


def route_in_words(route: Route) -> Words:
    """A route as a line of steps."""
    return _joined([step_in_words(step) for step in route.steps], " → ")


def _joined(parts: Iterable[Words], mark: str) -> Words:
    parts = list(parts)
    return Words(*(mark.join(part.to(language) for part in parts) for language in LANGUAGES))
