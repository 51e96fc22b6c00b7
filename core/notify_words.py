"""What people are told about how they are notified, and about what they chose of it."""

from core.words import Words

USAGE = Words(
    ja="「通知設定」だけで今の設定を表示します。例: 静か 22:00-8:00、まとめ 毎日9時、"
    "ミュート #1042 明日まで、チャンネル 重要 email,slack、言語 en、時間帯 Asia/Taipei",
    en="“notify” alone shows how it is set. For example: quiet 22:00-8:00, digest daily 9:00,"
    " mute #1042 until tomorrow, channels high email,slack, language en, zone Asia/Taipei",
    zh="只写“通知设置”可显示当前设置。例如: 免打扰 22:00-8:00、汇总 每天9点、"
    "静默 #1042 到明天、渠道 重要 email,slack、语言 zh、时区 Asia/Taipei",
)
USAGE_QUIET = Words(
    ja="「静か 22:00-8:00」「静か 22:00-8:00 休日も」「静か オフ」のように書いてください。",
    en="Write it as in “quiet 22:00-8:00”, “quiet 22:00-8:00 holidays” or “quiet off”.",
    zh="请写成“免打扰 22:00-8:00”、“免打扰 22:00-8:00 节假日”或“免打扰 关”。",
)
USAGE_DIGEST = Words(
    ja="「まとめ 毎日9時」「まとめ 毎時」「まとめ 毎週月曜 9:00」「まとめ log.* 毎日18時」"
    "「まとめ オフ」のように書いてください。",
    en="Write it as in “digest daily 9:00”, “digest hourly”, “digest weekly monday 9:00”,"
    " “digest log.* daily 18:00” or “digest off”.",
    zh="请写成“汇总 每天9点”、“汇总 每小时”、“汇总 每周一 9:00”、“汇总 log.* 每天18点”"
    "或“汇总 关”。",
)
USAGE_MUTE = Words(
    ja="「ミュート #1042 明日まで」「ミュート alert.disk 2時間」「ミュート解除 #1042」"
    "のように書いてください。",
    en="Write it as in “mute #1042 until tomorrow”, “mute alert.disk 2h” or “unmute #1042”.",
    zh="请写成“静默 #1042 到明天”、“静默 alert.disk 2小时”或“取消静默 #1042”。",
)
USAGE_CHANNELS = Words(
    ja="「チャンネル 重要 email,slack」「チャンネル 既定」のように書いてください。",
    en="Write it as in “channels high email,slack” or “channels default”.",
    zh="请写成“渠道 重要 email,slack”或“渠道 默认”。",
)
USAGE_LANGUAGE = Words(
    ja="使えるのは ja、en、zh です（例: 「言語 en」）。",
    en="There are ja, en and zh, as in “language en”.",
    zh="可用: ja、en、zh（例如“语言 zh”）。",
)
USAGE_CRITICAL = Words(
    ja="「緊急 オン」「緊急 オフ」「緊急 5」（1時間に5件まで）のように書いてください。",
    en="Write it as in “critical on”, “critical off” or “critical 5” (5 an hour at most).",
    zh="请写成“紧急 开”、“紧急 关”或“紧急 5”（每小时最多5条）。",
)
NOT_READ = Words(
    ja="「{text}」が分かりません。{usage}",
    en="“{text}” can't be read. {usage}",
    zh="无法识别“{text}”。{usage}",
)
NO_TIME_BETWEEN = Words(
    ja="始まりと終わりが同じ時刻です。",
    en="It would end when it begins.",
    zh="开始和结束时间相同。",
)
OVER = Words(ja="その時刻はもう過ぎています。", en="That is over already.", zh="该时间已过。")
NO_CHANNEL = Words(
    ja="「{text}」という通知先はありません。使えるもの: {known}",
    en="You have no channel “{text}”. There are: {known}",
    zh="您没有渠道“{text}”。可用: {known}",
)
WHICH_CHANNELS = Words(
    ja="通知先を順に書いてください（例: 「チャンネル 重要 email,slack」）。使えるもの: {known}",
    en="Name them in order, as in “channels high email,slack”. There are: {known}",
    zh="请按顺序写出渠道（例如“渠道 重要 email,slack”）。可用: {known}",
)
NO_ZONE = Words(
    ja="「{text}」という時間帯はありません。近いもの: {near}",
    en="There is no time zone “{text}”. Near it: {near}",
    zh="没有时区“{text}”。相近的: {near}",
)

# How it stands

TITLE = Words(ja="通知の設定", en="Your notifications", zh="通知设置")
QUIET = Words(ja="静かな時間", en="Quiet hours", zh="免打扰时间")
DIGEST = Words(ja="まとめて通知", en="Digests", zh="汇总通知")
CHANNELS = Words(ja="通知先", en="Channels", zh="渠道")
MUTES = Words(ja="ミュート中", en="Muted", zh="已静默")
CRITICAL = Words(ja="緊急の通知", en="Critical ones", zh="紧急通知")
LANGUAGE = Words(ja="言語", en="Language", zh="语言")
ZONE = Words(ja="時間帯", en="Time zone", zh="时区")
LANGUAGES = {"ja": "日本語", "en": "English", "zh": "中文"}
ZONE_COMPANY = Words(
    ja="{zone}、会社の時間帯", en="{zone}, the company's zone", zh="{zone}，公司时区"
)
HOURS = Words(ja="{since} から {until} まで", en="{since} to {until}", zh="{since} 至 {until}")
DAYS_OFF = Words(ja="会社の休日は終日", en="all day on the company's days off", zh="公司休息日全天")
BRACKETS = Words(ja="{what}（{zone}）", en="{what} ({zone})", zh="{what}（{zone}）")
NO_QUIET = Words(ja="なし", en="none", zh="无")
BY_RULES = Words(ja="会社の決まりどおり", en="as the company's rules say", zh="按公司规则")
RHYTHMS = {
    "at_once": Words(ja="すぐに", en="at once", zh="立即"),
    "hourly": Words(ja="毎時", en="hourly", zh="每小时"),
    "daily": Words(ja="毎日 {at}", en="daily at {at}", zh="每天 {at}"),
    "weekly": Words(ja="毎週{weekday} {at}", en="every {weekday} at {at}", zh="每{weekday} {at}"),
}
WEEKDAYS = (
    Words(ja="月曜", en="Monday", zh="周一"),
    Words(ja="火曜", en="Tuesday", zh="周二"),
    Words(ja="水曜", en="Wednesday", zh="周三"),
    Words(ja="木曜", en="Thursday", zh="周四"),
    Words(ja="金曜", en="Friday", zh="周五"),
    Words(ja="土曜", en="Saturday", zh="周六"),
    Words(ja="日曜", en="Sunday", zh="周日"),
)
EVERYTHING = Words(ja="すべて", en="everything", zh="全部")
IMPORTANCES = {
    "low": Words(ja="低", en="low", zh="低"),
    "normal": Words(ja="普通", en="normal", zh="一般"),
    "high": Words(ja="重要", en="high", zh="重要"),
    "critical": Words(ja="緊急", en="critical", zh="紧急"),
}
ALL_AT_ONCE = Words(
    ja="{channels}（すべてに）", en="{channels} (all of them)", zh="{channels}（全部）"
)
PAIR = Words(ja="{what}: {how}", en="{what}: {how}", zh="{what}: {how}")
MUTED_UNTIL = Words(ja="{what}: {until}まで", en="{what} until {until}", zh="{what}: 至 {until}")
BY_CHANNEL = Words(
    ja="{what}（{channel} のみ）", en="{what}, by {channel} only", zh="{what}（仅 {channel}）"
)
PASSES = Words(ja="静かな時間でも届きます", en="come in quiet hours too", zh="免打扰时间也会送达")
HELD = Words(
    ja="静かな時間の後に届きます", en="wait for the end of quiet hours", zh="免打扰结束后送达"
)
AT_MOST = Words(ja="1時間に {n} 件まで", en="{n} an hour at most", zh="每小时最多 {n} 条")
NEEDED = Words(
    ja="あなたの承認や安全に関わる通知は、ミュートしていても届きます。",
    en="Approvals that wait for you and what concerns security come even where they are muted.",
    zh="需要您审批或与安全有关的通知，即使静默也会送达。",
)

# What was done

QUIET_SET = Words(
    ja="{hours}は通知を止め、終わった後にまとめて届けます。緊急の通知: {critical}。",
    en="Quiet: {hours}. What comes then is told together afterwards. Critical ones {critical}.",
    zh="{hours}内不通知，结束后汇总送达。紧急通知: {critical}。",
)
QUIET_OFF = Words(
    ja="静かな時間をなくしました。待っていた通知はこれから届きます。",
    en="No more quiet hours. What was held comes now.",
    zh="已取消免打扰时间。保留的通知将立即送达。",
)
DIGEST_SET = Words(
    ja="まとめて通知します: {what}: {how}（{zone}）",
    en="Told together: {what}: {how} ({zone})",
    zh="汇总通知: {what}: {how}（{zone}）",
)
DIGEST_OFF = Words(
    ja="{what} はまとめず、すぐに通知します。",
    en="{what}: told at once, not in a digest.",
    zh="{what} 不再汇总，立即通知。",
)
CHANNELS_SET = Words(ja="通知先: {said}", en="Channels: {said}", zh="渠道: {said}")
MUTE_SET = Words(
    ja="ミュートしました: {what}。{needed}",
    en="Muted: {what}. {needed}",
    zh="已静默: {what}。{needed}",
)
MUTE_OFF = Words(
    ja="ミュートを解除しました: {what}", en="No longer muted: {what}", zh="已取消静默: {what}"
)
NOT_MUTED = Words(
    ja="{what} はミュートしていません。", en="{what} was not muted.", zh="{what} 未被静默。"
)
LANGUAGE_SET = Words(
    ja="言語を {what} にしました。", en="Your language: {what}.", zh="语言: {what}。"
)
ZONE_SET = Words(ja="時間帯: {zone}", en="Your time zone: {zone}", zh="时区: {zone}")
CRITICAL_SET = Words(ja="緊急の通知: {how}", en="Critical ones {how}.", zh="紧急通知: {how}")
RESET = Words(
    ja="通知の設定をすべて既定に戻しました。",
    en="Your notifications are as the company's rules say again.",
    zh="通知设置已全部恢复默认。",
)

# What a digest had

LAST = Words(
    ja="{at}（{zone}）のまとめ: {n} 件（{page}/{pages}）",
    en="The digest of {at} ({zone}): {n} ({page}/{pages})",
    zh="{at}（{zone}）的汇总: {n} 条（{page}/{pages}）",
)
NO_LAST = Words(ja="まとめはまだありません。", en="There was no digest yet.", zh="还没有汇总。")
TIMES = Words(ja="×{n}", en="×{n}", zh="×{n}")

# Buttons

SET_NIGHT = Words(ja="静か 22:00-8:00", en="Quiet 22:00-8:00", zh="免打扰 22:00-8:00")
SET_LOUD = Words(ja="静かな時間なし", en="No quiet hours", zh="取消免打扰")
SET_DAILY = Words(ja="毎日9時にまとめる", en="Digest at 9:00", zh="每天9点汇总")
SET_AT_ONCE = Words(ja="すぐに通知", en="Tell me at once", zh="立即通知")
