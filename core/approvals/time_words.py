"""What people are told of delegates, of reminders, and of who left."""

from core.words import Words

STAYS = Words(
    ja="{what}（{step}）はあなたの決定待ちのままです。代理の {who} さんは、依頼者か、"
    "すでにこの承認の中で決定する人のため、代わりに決定できません。",
    en="{what} ({step}) still waits for you: {who}, who acts for you, asked for it or decides in it"
    " already.",
    zh="{what}（{step}）仍由您审批：您的代理人 {who} 是申请人，或已在此审批中。",
)
STAYS_AS_FINAL = Words(
    ja="{what}（{step}）は本人だけが決定できるため、代理の {who} さんには移りません。",
    en="{what} ({step}) still waits for you: nobody else can decide this step, so {who} can't.",
    zh="{what}（{step}）只能由您本人决定，不会转给代理人 {who}。",
)
SKIPPED = Words(
    ja="省略: 決定する人がいなくなりました",
    en="left out: nobody is left to decide it",
    zh="省略: 已无人可审批",
)
LEFT = Words(
    ja="{who} さんがいなくなりました。{what} の段階「{step}」: {rule}",
    en="{who} is not there any more. Step “{step}” of {what}: {rule}",
    zh="{who} 已不在。{what} 的步骤“{step}”: {rule}",
)
RULES: dict[str, Words] = {
    "enough": Words(
        ja="残りの人だけで決まります。",
        en="those who are left are enough.",
        zh="由其余的人审批即可。",
    ),
    "next": Words(
        ja="残りの人だけで決まります。誰もいなければ次の段階に進みます。",
        en="those who are left decide; with nobody left it is left out.",
        zh="由其余的人审批；若无人则跳过。",
    ),
    "superior": Words(
        ja="上長の {to} さんが代わりに決定します。",
        en="their superior {to} decides in their place.",
        zh="由其上级 {to} 代为审批。",
    ),
    "refuse": Words(
        ja="決定できる人がいないため、依頼者に差し戻しました。",
        en="nobody can decide it, so it went back to who asked.",
        zh="已无人可审批，退回给申请人。",
    ),
}
STUCK = Words(
    ja="{what} の段階「{step}」は期限を過ぎましたが、引き継げる人がいません。",
    en="Nobody has decided in time, and nobody can take over step “{step}” of {what}.",
    zh="{what} 的步骤“{step}”已超时，但无人可接手。",
)
SENT_BACK = Words(
    ja="段階「{step}」の {who} さんがいなくなり、決定できる人がいません。"
    "内容を確認して、もう一度依頼してください（このまま内容を返信すれば新しい版になります）。",
    en="{who} is not there any more, and nobody else can decide step “{step}”. Please write it anew"
    " here; it is asked for again.",
    zh="步骤“{step}”的 {who} 已不在，无人可审批。请在此重新填写内容，将重新提交。",
)
