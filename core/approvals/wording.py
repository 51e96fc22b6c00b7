"""What people are told of approvals, and how who decided is called."""

from datetime import datetime
from zoneinfo import ZoneInfo

from core import phrases
from core.words import Words, same

ACTIONS: dict[str, Words] = {
    "approve": phrases.ACTION_APPROVED,
    "reject": phrases.ACTION_REJECTED,
    "return": phrases.ACTION_RETURNED,
}

IN_PLACE_OF = Words(
    ja="{who}（{person} の代理）", en="{who} for {person}", zh="{who}（代 {person}）"
)
STEP_DECIDED = Words(
    ja="この段階は {who} さんが {at} に「{action}」としています。今は {waits} さんの決定待ちです。",
    en="This step is decided: {action} by {who} at {at}. It waits for {waits} now.",
    zh="此步骤已由 {who} 于 {at} 决定: {action}。目前等待 {waits}。",
)
YOU_DECIDED = Words(
    ja="あなたは {at} に「{action}」としています。今は {waits} さんの決定待ちです。",
    en="You have decided at {at}: {action}. It waits for {waits} now.",
    zh="您已于 {at} 决定: {action}。目前等待 {waits}。",
)
NOT_YET = Words(
    ja="まだあなたの番ではありません。今は {waits} さんの決定待ちです。",
    en="It is not your turn yet. It waits for {waits} now.",
    zh="还未轮到您。目前等待 {waits}。",
)
HANDED_ON = Words(
    ja="この決定は {who} さんに移っています。",
    en="This decision has passed to {who}.",
    zh="此审批已转给 {who}。",
)
ACTS_FOR_AUTHOR = Words(
    ja="依頼者の代理をしている間は、その人の依頼を決定できません。決定できる人: {who}",
    en="While you act for who asked, you can't decide on it. Who can: {who}",
    zh="在代理申请人期间，不能审批其申请。可审批的人: {who}",
)
KEPT = Words(ja="前の版で承認済み", en="approved in an earlier revision", zh="前一版已批准")
NO_SUCH_STEP = Words(
    ja="{place} 番目の段階には差し戻せません。戻せる段階: {places}",
    en="It can't be sent back to step {place}. Steps it can go back to: {places}",
    zh="不能退回到第 {place} 步。可退回的步骤: {places}",
)
NOTHING_TO_UNDO = Words(
    ja="取り消せる承認がありません（最後に承認した人が、5分以内で、次の人が動くまでに限ります）。",
    en=(
        "There is no approval that you can take back: only who approved last can, within 5 minutes"
        " and until the next one acts."
    ),
    zh="没有可撤销的批准（仅限最后批准的人，5分钟内，且下一人尚未处理）。",
)
WORK_WENT_ON = Words(
    ja="承認の後の処理がもう始まっているため、取り消せません。訂正は「revise」で新しい依頼にできます。",
    en=(
        "The work has gone on after the approval, so it can't be taken back."
        " A correction is a new request: use “revise”."
    ),
    zh="批准后的处理已开始，无法撤销。如需更正，请用“revise”提出新申请。",
)
UNDONE = Words(
    ja="{reference} の承認を取り消しました。もう一度決定してください。",
    en="Your approval of {reference} is taken back. Please decide again.",
    zh="已撤销对 {reference} 的批准。请重新审批。",
)
PASSED_STEP = Words(
    ja="{reference} を承認しました。次は {waits} さんの決定待ちです。",
    en="{reference}: approved. It waits for {waits} next.",
    zh="{reference} 已批准。接下来等待 {waits}。",
)
SENT_TO_STEP = Words(
    ja="{reference} を {place} 番目の段階（{waits} さん）に差し戻しました。",
    en="{reference} is sent back to step {place} ({waits}).",
    zh="已将 {reference} 退回到第 {place} 步（{waits}）。",
)
DECIDES_ALREADY = Words(
    ja="{who} さんは加えられません。依頼者か、すでにこの承認の中で決定する人です。",
    en="{who} can't be added: they asked for it, or decide in it already.",
    zh="不能添加 {who}：其为申请人，或已在此审批中。",
)
NOT_DELEGABLE = Words(
    ja="この段階は本人だけが決定できます。",
    en="Nobody else can decide this step.",
    zh="此步骤只能由本人决定。",
)
ADDED = Words(
    ja="{who} さんを承認者に加えました。",
    en="{who} has to approve as well.",
    zh="已添加 {who} 为审批人。",
)
FORWARDED = Words(
    ja="{who} さんに回しました。", en="It is passed on to {who}.", zh="已转给 {who}。"
)
NOTED = Words(
    ja="{reference} にコメントしました。", en="Noted on {reference}.", zh="已对 {reference} 留言。"
)
ASKED = Words(
    ja="{reference} の依頼者に質問しました。", en="Asked of who requested {reference}.",
    zh="已向 {reference} 的申请人提问。",
)  # fmt: skip
WHO_IS = Words(
    ja="「{who}」という人がいません。@名前 で指定してください。",
    en="There is nobody called “{who}”. Name them by handle.",
    zh="没有名为“{who}”的人。请用 @名称 指定。",
)
WHAT_TO_SAY = Words(
    ja="何を伝えるかも書いてください（例:「{example}」）。",
    en="Please write what to say too (for example “{example}”).",
    zh="请同时写明内容（例如“{example}”）。",
)
CIRCULATED = Words(
    ja="{who} さんに回覧します。", en="{who} will be told of it.", zh="将传阅给 {who}。"
)
SEEN = Words(ja="確認済みにしました。", en="Noted that you have seen it.", zh="已确认。")
NOT_CIRCULATED = Words(
    ja="あなたへの回覧はありません。", en="It was not circulated to you.", zh="没有传阅给您。"
)
STRANGER = Words(
    ja="この承認に関わる人だけができます。",
    en="Only those who take part in this approval can do this.",
    zh="只有参与此审批的人可以执行此操作。",
)


def called(who: str, person: str | None) -> Words:
    """Who decided, and in whose place."""
    return same(who) if person is None else IN_PLACE_OF.fill(who=who, person=person)


def moment(at: datetime, zone: ZoneInfo) -> str:
    """A moment as people in that zone read it, to the minute."""
    return at.astimezone(zone).strftime("%Y-%m-%d %H:%M")
