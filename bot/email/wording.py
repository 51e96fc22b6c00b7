"""What mails say of themselves, in three languages."""

from core.words import Words

DECIDE = Words(
    ja="内容を確認して、承認・却下・差し戻しをする",
    en="Look at it, then approve, reject or send back",
    zh="查看内容并批准、驳回或退回",
)
DECIDE_OR_REPLY = Words(
    ja="このメールへの返信の1行目に「承認」、「却下 理由」、「差し戻し 理由」"
    "と書いても決められます。"
    "リンクはご本人専用です。転送しないでください。",
    en="Or reply to this mail with “approve”, “reject reason” or “return reason” in the first "
    "line. The link is for you alone: please do not forward it.",
    zh="也可以回复此邮件，在第一行写“批准”、“驳回 理由”或“退回 理由”。"
    "链接仅供您本人使用，请勿转发。",
)
DECIDE_BY_REPLY = Words(
    ja="このメールへの返信の1行目に「承認」、「却下 理由」、「差し戻し 理由」"
    "のいずれかを書いてください。",
    en="Please reply to this mail with “approve”, “reject reason” or “return reason” in the first "
    "line.",
    zh="请回复此邮件，在第一行写“批准”、“驳回 理由”或“退回 理由”。",
)
FOR_YOU_ALONE = Words(
    ja="リンクはご本人専用です。転送しないでください。",
    en="The link is for you alone: please do not forward it.",
    zh="链接仅供您本人使用，请勿转发。",
)
DECIDE_ELSEWHERE = Words(
    ja="承認・却下・差し戻しは、ほかのアプリの Miyabi（Slack・LINE など）で行ってください。",
    en="Please decide where you have Miyabi in another app (Slack, LINE).",
    zh="请在其他应用（Slack、LINE 等）的 Miyabi 中批准、驳回或退回。",
)
ANSWER_CHOICE = Words(
    ja="番号か答えを、このメールへの返信の1行目に書いてください。",
    en="Please reply to this mail with the number or your answer in the first line.",
    zh="请回复此邮件，在第一行写编号或答案。",
)
ANSWER_DAY = Words(
    ja="日付を、このメールへの返信の1行目に書いてください。",
    en="Please reply to this mail with the day in the first line.",
    zh="请回复此邮件，在第一行写日期。",
)
ANSWER_WORD = Words(
    ja="このメールへの返信の1行目に次の言葉だけを書くと、そのとおりにします: {words}",
    en="Reply to this mail with one of these and nothing else in the first line: {words}",
    zh="回复此邮件，在第一行只写以下任一词语即可: {words}",
)
QUOTED = Words(ja="「{word}」", en="“{word}” ", zh="“{word}”")
NOT_ENCLOSED = Words(
    ja="大きいため添付していません。",
    en="not attached, as it is too large.",
    zh="因文件过大未附上。",
)
FOOTER = Words(
    ja="Miyabi が自動で送信しています。このメールにそのまま返信できます。",
    en="Sent by Miyabi, a program. You can simply reply to this mail.",
    zh="由 Miyabi 自动发送。可直接回复此邮件。",
)
FOOTER_MUTE = Words(
    ja="Miyabi が自動で送信しています。",
    en="Sent by Miyabi, a program.",
    zh="由 Miyabi 自动发送。",
)
UNSUBSCRIBE = Words(
    ja="このまとめのメールを止める", en="Stop these summaries", zh="停止此类汇总邮件"
)
FROM_MIYABI = Words(ja="Miyabi からのお知らせ", en="From Miyabi", zh="来自 Miyabi 的通知")

NO_SERVER = Words(
    ja="メール {address} の送信サーバーが設定されていません（miyabi mail box set --smtp-host）。",
    en="The mailbox {address} has no server to send by (miyabi mail box set --smtp-host).",
    zh="邮箱 {address} 未设置发送服务器（miyabi mail box set --smtp-host）。",
)
NO_BOX = Words(
    ja="メールボックスがありません（miyabi mail box add）。",
    en="There is no mailbox (miyabi mail box add).",
    zh="没有邮箱（miyabi mail box add）。",
)
SERVER_AWAY = Words(
    ja="メールサーバー {host} に接続できません: {why}",
    en="The mail server {host} can't be reached: {why}",
    zh="无法连接邮件服务器 {host}: {why}",
)
NO_LOGIN = Words(
    ja="メールサーバー {host} がログインを拒みました: {why}",
    en="The mail server {host} refuses the login: {why}",
    zh="邮件服务器 {host} 拒绝登录: {why}",
)
NO_TLS = Words(
    ja="メールサーバー {host} がSTARTTLSに対応していません。",
    en="The mail server {host} has no STARTTLS.",
    zh="邮件服务器 {host} 不支持 STARTTLS。",
)
LATER = Words(
    ja="メールサーバーが今は受け取りません: {why}",
    en="The mail server does not take it now: {why}",
    zh="邮件服务器暂不接收: {why}",
)
REFUSED = Words(
    ja="メールサーバーが受け取りません: {why}",
    en="The mail server refuses it: {why}",
    zh="邮件服务器拒收: {why}",
)
LOST = Words(
    ja="送信の途中で接続が切れ、届いたかどうか分かりません。",
    en="The connection was lost while it was sent: nobody knows whether it arrived.",
    zh="发送途中连接中断，无法确认是否送达。",
)
UNDER_WAY = Words(ja="送信中です。", en="It is being sent.", zh="正在发送。")
TOO_MANY = Words(
    ja="この宛先への送信が多すぎます。",
    en="Too many mails to this address.",
    zh="发往此地址的邮件过多。",
)
BOUNCED = Words(
    ja="{address} へのメールが届かなかったため、こちらにお知らせします。",
    en="You are told here because a mail to {address} came back.",
    zh="发往 {address} 的邮件被退回，因此在此通知您。",
)
