"""The words of the commands about notifications, in three languages, as they are folded."""

import re
from collections.abc import Mapping

from core.notices import Importance
from core.preferences import DigestRhythm
from core.words import Language

VERBS: Mapping[str, tuple[str, ...]] = {
    "show": ("show", "表示", "確認", "显示", "查看"),
    "quiet": ("quiet hours", "quiet", "静か", "おやすみ", "夜間", "静音", "免打扰", "勿扰"),
    "digest": ("digest", "まとめ", "ダイジェスト", "汇总", "摘要"),
    "unmute": ("unmute", "ミュート解除", "取消静默", "取消屏蔽"),
    "mute": ("mute", "ミュート", "静默", "屏蔽"),
    "channels": ("channels", "channel", "チャンネル", "チャネル", "連絡先", "渠道"),
    "language": ("language", "言語", "ことば", "语言"),
    "zone": ("time zone", "timezone", "zone", "タイムゾーン", "時間帯", "时区"),
    "critical": ("critical", "緊急", "紧急"),
    "list": ("list", "一覧", "列表"),
    "reset": ("reset", "初期化", "リセット", "重置"),
}
BY_WORD = sorted(
    ((word, name) for name, spoken in VERBS.items() for word in spoken),
    key=lambda pair: -len(pair[0]),
)
OFF = frozenset({"none", "なし", "無し", "解除", "无", "关闭", "不要"})
DEFAULT = frozenset({"default", "company", "既定", "会社", "会社の決まり", "默认", "公司"})
ALWAYS = re.compile(r"for good|forever|always|ずっと|永久|一直")
UNTIL = re.compile(r"\b(?:until|till|for|from|to|at|on|by)\b|から|まで|に|は|を|从|到|至|的|之间")
RANGE = re.compile(r"^\s*(?:-|~|―|から|\bto\b|\buntil\b|到|至)\s*$")
DAYS_OFF = re.compile(
    r"(?:and\s+)?(?:on\s+)?(?:holidays|weekends|days? off)|休日も?|休みの日も?|土日も?|祝日も?"
    r"|节假日|休息日|周末"
)
WORKDAYS = re.compile(
    r"every day|workdays too|no holidays|休日は除く|休日以外|毎日|不含节假日|每天"
)
LASTS = re.compile(
    r"(\d{1,3})\s*(?:(hours?|h|時間|小时)|(minutes?|min|m|分間?|分钟)|(days?|d|日間|天))"
)
REFERENCE = re.compile(r"#(\d{1,18})")
PATTERN = re.compile(r"[a-z0-9_*?-]+(?:\.[a-z0-9_*?-]+)*")
FAMILIES = frozenset(
    {"task", "approval", "security", "report", "alert", "community", "log", "system", "person"}
)
"""Families of topics whose name alone means all of them."""
ALONE = frozenset({"digest", "test", "*"})
FAMILIES_SPOKEN = {
    "tasks": "task", "依頼": "task", "任务": "task", "approvals": "approval", "承認": "approval",
    "审批": "approval", "reports": "report", "レポート": "report", "報告": "report",
    "报告": "report", "alerts": "alert", "警報": "alert", "アラート": "alert", "警报": "alert",
    "告警": "alert", "ログ": "log", "日志": "log", "digests": "digest", "まとめ": "digest",
    "汇总": "digest", "all": "*", "everything": "*", "すべて": "*", "全部": "*",
}  # fmt: skip
IMPORTANCES: Mapping[str, Importance] = {
    "low": "low", "normal": "normal", "high": "high", "critical": "critical",
    "低": "low", "普通": "normal", "通常": "normal", "重要": "high", "高": "high",
    "緊急": "critical", "一般": "normal", "紧急": "critical",
}  # fmt: skip
RHYTHMS: Mapping[str, DigestRhythm] = {
    "at once": "at_once", "immediately": "at_once", "now": "at_once", "off": "at_once",
    "none": "at_once", "すぐ": "at_once", "即時": "at_once", "オフ": "at_once", "なし": "at_once",
    "立即": "at_once", "关": "at_once", "关闭": "at_once",
    "every hour": "hourly", "hourly": "hourly", "毎時": "hourly", "1時間ごと": "hourly",
    "每小时": "hourly", "every day": "daily", "daily": "daily", "毎日": "daily", "毎朝": "daily",
    "每天": "daily", "每日": "daily", "every week": "weekly", "weekly": "weekly", "毎週": "weekly",
    "每周": "weekly", "每星期": "weekly",
}  # fmt: skip
RHYTHM = re.compile(
    "|".join(
        rf"(?<![a-z.]){re.escape(spoken)}(?![a-z.])" if spoken.isascii() else spoken
        for spoken in sorted(RHYTHMS, key=len, reverse=True)
    )
)
WEEKDAYS = (
    r"\bmon(?:days?)?\b|月曜日?|(?<=[周期])一", r"\btue(?:s|sdays?)?\b|火曜日?|(?<=[周期])二",
    r"\bwed(?:nesdays?)?\b|水曜日?|(?<=[周期])三", r"\bthu(?:rs|rsdays?)?\b|木曜日?|(?<=[周期])四",
    r"\bfri(?:days?)?\b|金曜日?|(?<=[周期])五", r"\bsat(?:urdays?)?\b|土曜日?|(?<=[周期])六",
    r"\bsun(?:days?)?\b|日曜日?|(?<=[周期])[日天]",
)  # fmt: skip
LANGUAGES: Mapping[str, Language] = {
    "ja": "ja", "japanese": "ja", "日本語": "ja", "日语": "ja", "日文": "ja",
    "en": "en", "english": "en", "英語": "en", "英语": "en", "英文": "en",
    "zh": "zh", "chinese": "zh", "中国語": "zh", "中文": "zh",
}  # fmt: skip
