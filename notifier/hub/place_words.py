"""What is said of places that can't be as somebody wants them."""

import re

from core.words import Words

_NAME = re.compile(r"[\w.-]{1,60}")

WRONG_NAME = Words(
    ja="「{name}」は名前に使えません。文字・数字・「.」「-」「_」で60文字までにしてください。",
    en="“{name}” can't be a name: letters, digits, “.”, “-” and “_”, 60 at most.",
    zh="“{name}”不能用作名称。请使用文字、数字、“.”、“-”、“_”，最多60个字符。",
)
TAKEN = Words(
    ja="通知先「{name}」はすでにあります。",
    en="There is already a place “{name}”.",
    zh="已有通知目标“{name}”。",
)
NO_SUCH = Words(
    ja="通知先「{name}」はありません。「miyabi notify place list」で一覧を表示します。",
    en="There is no place “{name}”. “miyabi notify place list” lists them.",
    zh="没有通知目标“{name}”。可用“miyabi notify place list”查看列表。",
)
NO_CHANNEL = Words(
    ja="チャンネル「{channel}」はありません（{known}）。",
    en="There is no channel “{channel}” ({known}).",
    zh="没有渠道“{channel}”（{known}）。",
)
NO_SETTING = Words(
    ja="{channel} に設定「{name}」はありません。",
    en="{channel} has no setting “{name}”.",
    zh="{channel} 没有设置“{name}”。",
)
NO_SECRET = Words(
    ja="{channel} に秘密の値「{name}」はありません。",
    en="{channel} has no secret “{name}”.",
    zh="{channel} 没有密钥项“{name}”。",
)
NOT_HERE = Words(
    ja="{channel} ではチャンネル宛てに送れません（個人宛てのみ）。",
    en="{channel} tells people only, and no place.",
    zh="{channel} 只能发给个人，不能发到群组位置。",
)


def name_fits(name: str) -> bool:
    """Whether a place can be called so."""
    return _NAME.fullmatch(name) is not None
