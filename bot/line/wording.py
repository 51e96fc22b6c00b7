"""What LINE's ways in say themselves, in three languages."""

from core.words import LANGUAGES, Words

HOW_TO_ASK = Words(
    ja="「{title}」ですね。次のメッセージに内容を書いて送ってください。\n例: {example}",
    en="{title}: please write what it is about in your next message.\nSuch as: {example}",
    zh="“{title}”：请在下一条消息中写明内容。\n例: {example}",
)
WHAT_FOR = Words(
    ja=(
        "{files} 件のファイルを受け取りました。何に使いますか？ "
        "下から選ぶか、依頼の文を続けて送ってください（10分以内）。"
    ),
    en="{files} file(s) received. What are they for? Choose below, or go on with your request "
    "within 10 minutes.",
    zh="已收到 {files} 个文件。用于什么？请在下方选择，或在10分钟内继续发送申请内容。",
)
HELP = Words(ja="使い方", en="Help", zh="帮助")
MINE = Words(ja="自分の依頼", en="My tasks", zh="我的申请")
APPROVALS = Words(ja="承認待ち", en="Approvals", zh="待审批")
NEVER_MIND = Words(ja="やめる", en="Never mind", zh="取消")
DROPPED = Words(ja="やめました。", en="Never mind, then.", zh="已取消。")

NO_SUCH_BUTTON = Words(
    ja="このボタンはもう使えません。「状況」で今の状態を確認できます。",
    en="This button does nothing any more. “status” tells how things are.",
    zh="此按钮已失效。发送“进度”可查看当前状态。",
)
GAVE_UP = Words(
    ja=(
        "うまく処理できませんでした（エラー {error}）。もう一度送ってください。"
        "続く場合は管理者にこの番号を伝えてください。"
    ),
    en="Something went wrong (error {error}). Please send it again; if it happens again, give your "
    "administrator that number.",
    zh="处理失败（错误 {error}）。请重新发送；若仍失败，请将该编号告知管理员。",
)

STICKER = Words(
    ja="スタンプをありがとうございます。依頼は文字で送ってください。",
    en="Thank you for the sticker. Please write what you need.",
    zh="谢谢您的贴图。请用文字说明需求。",
)
VOICE = Words(
    ja="音声は聞き取れません。文字で送ってください。",
    en="I can't listen to voice messages. Please write it.",
    zh="无法识别语音，请用文字发送。",
)
VIDEO = Words(
    ja="動画は扱えません。領収書などは写真かPDFで送ってください。",
    en="I can't use videos. Please send receipts and the like as a photo or PDF.",
    zh="无法处理视频。收据等请以照片或PDF发送。",
)
LOCATION = Words(
    ja="位置情報は使いません。場所は文字で書いてください。",
    en="I have no use for a location. Please write the place in words.",
    zh="不使用位置信息，请用文字写明地点。",
)
UNREADABLE = Words(
    ja="この種類のメッセージは扱えません。文字、写真、PDFで送ってください。",
    en="I can't use this kind of message. Please send text, a photo or a PDF.",
    zh="无法处理此类消息。请发送文字、照片或PDF。",
)
FILE_AWAY = Words(
    ja="このファイルはLINEから取得できません。写真かPDFを直接送ってください。",
    en="LINE does not hand out this file. Please send the photo or PDF itself.",
    zh="无法从LINE获取该文件。请直接发送照片或PDF。",
)

WELCOME = Words(
    ja="友だち追加ありがとうございます。Miyabi（会社の手続きのお手伝い）です。\n"
    "ご利用にはアカウントの連携が必要です。連携コード（8桁、10分間有効）を、"
    "すでにお使いのSlackなどで「連携」と送って受け取るか、管理者からもらい、ここに送ってください。",
    en="Thank you for adding Miyabi, which helps with your company's paperwork.\n"
    "Your account has to be linked first: get a code (8 digits, good for 10 minutes) by sending "
    "“link” where you use Miyabi already, or from your administrator, and send it here.",
    zh="感谢添加 Miyabi（协助处理公司手续）。\n"
    "使用前需要绑定账号：请在已使用的 Slack 等处发送“绑定”获取绑定码（8位，10分钟有效），"
    "或向管理员索取，然后发送到这里。",
)
WELCOME_ALL = "\n\n".join(WELCOME.to(language) for language in LANGUAGES)
"""In every language: of a stranger nobody knows which is theirs."""
HELLO = Words(
    ja="{name}さん、こんにちは。依頼をそのまま書いて送ってください。\n{examples}",
    en="Hello {name}. Just write what you need, such as:\n{examples}",
    zh="{name}，您好。请直接写明需求，例如:\n{examples}",
)
INTRODUCTION = Words(
    ja="はじめまして、Miyabiです。会社の手続きをお手伝いします。\n"
    "このグループでは、私にメンションするか「見積」「承認」「状況」などの言葉で始まるメッセージにだけ返事をします。"
    "できることは、書いた人の権限で決まります。金額は、管理者が許可するまでここには出しません。",
    en="Hello, I am Miyabi and help with your company's paperwork.\n"
    "Here I only answer when I am mentioned, or when a message begins with a word such as "
    "“quote”, “approve” or “status”. What I do depends on the rights of whoever writes. Amounts "
    "are not shown here until an admin allows it.",
    zh="大家好，我是 Miyabi，协助处理公司手续。\n"
    "在群里，只有提到我，或消息以“报价”“批准”“进度”等词开头时我才会回复。"
    "能做什么取决于发消息者的权限。管理员允许之前，这里不显示金额。",
)

ASK_REASON = Words(
    ja=(
        "{reference} を「{label}」にします。"
        "理由を下から選ぶか、次のメッセージに書いてください（10分以内）。依頼者に伝わります。"
    ),
    en="{label} {reference}: choose the reason below, or write it in your next message (within 10 "
    "minutes). The requester will read it.",
    zh="{reference} {label}：请在下方选择理由，或在下一条消息中填写（10分钟内）。申请人会看到。",
)
ASK_WORDS = Words(
    ja="{reference}「{label}」: 内容を次のメッセージに書いてください（10分以内）。",
    en="{label}, {reference}: please write it in your next message (within 10 minutes).",
    zh="{reference}“{label}”：请在下一条消息中填写内容（10分钟内）。",
)
ASK_WHOM = Words(
    ja="{reference}「{label}」: だれにしますか？ 下から選ぶか、名前を送ってください（10分以内）。",
    en="{label}, {reference}: whom? Choose below, or send the name (within 10 minutes).",
    zh="{reference}“{label}”：选择谁？请在下方选择，或发送姓名（10分钟内）。",
)
ASK_STEP = Words(
    ja="{reference} をどこへ差し戻しますか？ 下から選ぶか、番号を送ってください（10分以内）。\n"
    "{places}",
    en="Send {reference} back to whom? Choose below, or send the number (within 10 minutes).\n"
    "{places}",
    zh="{reference} 退回给谁？请在下方选择，或发送编号（10分钟内）。\n{places}",
)

IN_A_GROUP = Words(
    ja="グループでは、私にメンションして書いてください。",
    en="In a group, please mention me in it.",
    zh="在群里请提到我来填写。",
)

REASONS = {
    "amount": Words(ja="金額相違", en="Wrong amount", zh="金额不符"),
    "content": Words(ja="内容不備", en="Incomplete", zh="内容不完整"),
    "proof": Words(ja="証憑不足", en="Proof is missing", zh="凭证不足"),
    "budget": Words(ja="予算超過", en="Over budget", zh="超出预算"),
    "late": Words(ja="期限切れ", en="Too late", zh="已过期限"),
    "twice": Words(ja="重複申請", en="Asked for twice", zh="重复申请"),
    "rule": Words(ja="規程外", en="Against the rules", zh="不符合规定"),
    "needless": Words(ja="不要", en="Not needed", zh="不需要"),
}
"""The usual reasons to reject something or to send it back, by the word they are kept under."""
