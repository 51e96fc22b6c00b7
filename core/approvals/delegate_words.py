"""What people are told when they choose who decides in their place."""

from core.words import Words

USAGE = Words(
    ja="「delegate @佐藤 12/1-12/5」のように、代理の人と期間を書いてください"
    "（一部の種類だけなら続けて「quote」など。一覧は「delegate list」、取り消しは"
    "「delegate revoke @佐藤」）。",
    en="Say who and when, as in “delegate @sato 12/1-12/5” (and for some kinds only “quote” after"
    " it). “delegate list” shows them, “delegate revoke @sato” takes one back.",
    zh="请写明代理人和期间，例如“delegate @sato 12/1-12/5”（仅限部分种类时在后面加“quote”等）。"
    "“delegate list”显示列表，“delegate revoke @sato”取消。",
)
NOT_READ = Words(
    ja="「{text}」が分かりません。使える種類: {forms}",
    en="“{text}” can't be read. Kinds there are: {forms}",
    zh="无法识别“{text}”。可用的种类: {forms}",
)
ONESELF = Words(
    ja="自分自身を代理にはできません。",
    en="Nobody can act for themselves.",
    zh="不能将自己设为代理人。",
)
OVER = Words(
    ja="期間（{since} から {until}）が正しくないか、もう終わっています。",
    en="From {since} to {until} is over already, or no period.",
    zh="期间（{since} 至 {until}）不正确或已结束。",
)
TOO_LONG = Words(
    ja="代理は {days} 日までです。",
    en="A delegation lasts at most {days} days.",
    zh="代理最长为 {days} 天。",
)
CIRCLE = Words(
    ja="代理が一周してしまいます: {names}",
    en="The delegates would go round in a circle: {names}",
    zh="代理会形成循环: {names}",
)
TOO_MANY = Words(
    ja="代理の代理は {most} 回までです: {names}",
    en="It would be handed on more than {most} times: {names}",
    zh="代理最多转交 {most} 次: {names}",
)
NONE_TO_REVOKE = Words(
    ja="取り消す代理の設定がありません。",
    en="There is no delegation to take back.",
    zh="没有可取消的代理设置。",
)
MADE = Words(
    ja="{since} 00:00 から {until} 23:59 まで（{zone}）、{person} さんの代わりに {delegate} さんが"
    "決定します（{forms}）。",
    en="From {since} 00:00 to {until} 23:59 ({zone}) {delegate} decides for {person} ({forms}).",
    zh="自 {since} 00:00 至 {until} 23:59（{zone}），由 {delegate} 代 {person} 审批（{forms}）。",
)
REVOKED = Words(
    ja="{person} さんの代理（{delegate} さん）を取り消しました。",
    en="{delegate} does not act for {person} any more.",
    zh="已取消 {delegate} 对 {person} 的代理。",
)
NONE = Words(ja="代理の設定はありません。", en="There are no delegations.", zh="没有代理设置。")
ALL_FORMS = Words(ja="すべての種類", en="all kinds", zh="所有种类")
LINE = Words(
    ja="{person} → {delegate}: {since} 〜 {until}（{forms}）",
    en="{person} → {delegate}: {since} to {until} ({forms})",
    zh="{person} → {delegate}: {since} 至 {until}（{forms}）",
)
