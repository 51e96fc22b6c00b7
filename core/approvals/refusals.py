"""Why a request can't be decided by its route, and what to do about it; why a step is left out."""

from core.words import Words

_ASK_ADMIN = Words(
    ja="管理者に経路（miyabi routes show）または人の設定を確認してもらってください。",
    en="Ask an administrator to look at the route (miyabi routes show) and at the people.",
    zh="请管理员检查路线（miyabi routes show）或人员设置。",
)


def _with_advice(words: Words) -> Words:
    """The reason with what to do, in each language."""
    return Words(words.ja + _ASK_ADMIN.ja, f"{words.en} {_ASK_ADMIN.en}", words.zh + _ASK_ADMIN.zh)


NOBODY_FITS = Words(
    ja="当てはまる人がいません",
    en="there is nobody whom it would fit",
    zh="没有符合条件的人",
)
ONLY_THEMSELVES = Words(
    ja="当てはまるのは申請者・編集者またはその代理だけです（{names}）。自分の申請は承認できません",
    en="it fits only who asked for this, edited it, or acts for them ({names}), and nobody "
    "approves their own request",
    zh="符合条件的只有申请人、编辑者或其代理（{names}），不能审批自己的申请",
)
NOBODY = _with_advice(
    Words(
        ja="「{step}」で決められる人がいません: {why}。",
        en="Nobody can decide at “{step}”: {why}.",
        zh="“{step}”没有可以决定的人: {why}。",
    )
)
TOO_FEW = _with_advice(
    Words(
        ja="「{step}」には{need}人の承認が必要ですが、決められる人は{count}人です（{names}）。",
        en="“{step}” needs {need} approvals, but only {count} can decide: {names}.",
        zh="“{step}”需要{need}人审批，但只有{count}人可以决定（{names}）。",
    )
)
NO_STAGE = _with_advice(
    Words(
        ja="経路「{route}」には、この申請を決める人が1人もいません。",
        en="The route “{route}” has nobody who would decide on this request.",
        zh="路线“{route}”中没有人可以决定该申请。",
    )
)
NOT_TELLABLE = _with_advice(
    Words(
        ja="「{step}」の条件（{condition}）を判定できません。{why}",
        en="Whether “{step}” is needed ({condition}) can't be told. {why}",
        zh="无法判断“{step}”的条件（{condition}）。{why}",
    )
)
COUNTS_LATER = Words(
    ja="{names} は後の段階で決めます",
    en="{names} will decide at a later step",
    zh="{names} 将在后面的步骤决定",
)
NOT_NEEDED = Words(
    ja="不要（条件 {condition} に当てはまりません）",
    en="not needed (it is not so that {condition})",
    zh="不需要（不满足条件 {condition}）",
)
_LEFT_OUT = Words(ja="省略: {why}", en="left out: {why}", zh="省略: {why}")


def left_out(why: Words) -> Words:
    """The note of a step that finds no one and is left out by its rule."""
    return _LEFT_OUT.fill(why=why)
