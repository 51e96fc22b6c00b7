"""What the reasons of a decision say."""

from core.words import Words

RULE = Words(
    ja="規則「{rule}」: {channels}", en="rule “{rule}”: {channels}", zh="规则“{rule}”: {channels}"
)  # fmt: skip
CHOSEN = Words(
    ja="本人の設定（{pattern}）: {channels}",
    en="their own choice ({pattern}): {channels}",
    zh="本人设置（{pattern}）: {channels}",
)
DEFAULT = Words(
    ja="経路を決める規則がないため、連絡先を登録順に使います。",
    en="No rule says by which channels: their accounts in the order in which they were linked.",
    zh="没有规定渠道的规则，按绑定顺序使用账号。",
)
ELSEWHERE = Words(
    ja="{channel} ではタスクの会話に表示されているため、送りません（規則「{rule}」）。",
    en="Not by {channel}: the task's own conversation shows it there (rule “{rule}”).",
    zh="{channel} 的任务会话中已显示，不再发送（规则“{rule}”）。",
)
UNREACHED = Words(
    ja="{channel} には届きません（ブロック・連携解除・不達など）。",
    en="Not by {channel}: nothing arrives there (blocked, unlinked or bounced).",
    zh="{channel} 无法送达（被屏蔽、解绑或退信）。",
)
NO_CHOSEN = Words(
    ja="本人が選んだ経路では届かないため、規則の経路を使います。",
    en="By none of the channels they chose are they reached: those of the rule are taken.",
    zh="本人选择的渠道均无法送达，改用规则的渠道。",
)
NO_WAY = Words(
    ja="届けられる連絡先がありません。",
    en="There is no account by which they are reached.",
    zh="没有可以送达的账号。",
)
MUTED = Words(
    ja="本人がミュートしています（{what}、{until}）。",
    en="They muted it ({what}, {until}).",
    zh="本人已静默（{what}，{until}）。",
)
MUTED_CHANNEL = Words(
    ja="本人が {channel} を止めています（{what}、{until}）。",
    en="They do not want it by {channel} ({what}, {until}).",
    zh="本人已停用 {channel}（{what}，{until}）。",
)
FOR_GOOD = Words(ja="無期限", en="for good", zh="无限期")
UNTIL = Words(ja="{at} まで", en="until {at}", zh="至 {at}")
TASK = Words(ja="このタスク", en="this task", zh="此任务")
NEEDED = Words(
    ja="必要なお知らせなので、ミュートしていても1つの経路で送ります。",
    en="They need to know it: although it is muted, they are told by one channel.",
    zh="属于必须知道的通知，虽已静默，仍通过一个渠道发送。",
)
DIGEST = Words(
    ja="まとめて {at}（{zone}）に送ります（{whose}）。",
    en="It goes into the digest of {at} ({zone}; {whose}).",
    zh="将汇总于 {at}（{zone}）发送（{whose}）。",
)
OWN = Words(ja="本人の設定", en="their own choice", zh="本人设置")
BY_RULE = Words(ja="規則「{rule}」", en="rule “{rule}”", zh="规则“{rule}”")
QUIET = Words(
    ja="静かな時間のため {at}（{zone}）まで待ちます。",
    en="Quiet hours: it waits until {at} ({zone}).",
    zh="处于免打扰时间，将等到 {at}（{zone}）。",
)
PASSES = Words(
    ja="緊急なので、静かな時間（{zone}、{at} まで）でも送ります。",
    en="It is critical: it is told in quiet hours too ({zone}, until {at}).",
    zh="属于紧急通知，免打扰时间（{zone}，至 {at}）内也会发送。",
)
TOO_MANY = Words(
    ja="緊急のお知らせは1時間に{most}件までと本人が設定しています。",
    en="They want at most {most} critical ones an hour in their quiet hours.",
    zh="本人设置免打扰时间内每小时最多{most}条紧急通知。",
)
THEIR_ZONE = Words(ja="{zone}", en="{zone}", zh="{zone}")
COMPANY_ZONE = Words(
    ja="{zone}・会社の時刻", en="{zone}, the company's", zh="{zone}，公司时区"
)  # fmt: skip
