"""What the pages on which approvals are decided say themselves."""

from core.words import Language, Words

UNKNOWN = Words(
    ja="このページは見つかりません。アドレスが途中で切れていないか確かめてください。",
    en="There is no such page. Please check that the address is complete.",
    zh="找不到该页面。请确认地址是否完整。",
)
GONE = Words(
    ja="このページはもう開けません。",
    en="This page can't be opened any more.",
    zh="该页面已无法打开。",
)
AWAY = Words(
    ja="いまは処理できません。決定を送った場合は、少し待ってからこのページを開き直し、記録されたか確かめてください。",
    en="This can't be done at the moment. If you sent a decision, open this page again shortly to "
    "see whether it was recorded.",
    zh="暂时无法处理。如果您已提交决定，请稍后重新打开此页面确认是否已记录。",
)
OTHER_PERSON = Words(
    ja="このページはほかの人に送られたものです。転送されたリンクでは決定できません。"
    "あなたに届いたお知らせから開いてください。",
    en="This page was sent to somebody else. Nothing can be decided by a link that was forwarded. "
    "Please use the message that was sent to you.",
    zh="此页面是发送给其他人的。无法通过转发的链接进行审批。请使用发送给您本人的通知。",
)
PRESS_AGAIN = Words(
    ja="このページを開いてから時間がたっているか、ブラウザーがCookieを受け付けていません。"
    "何も決定していません。もう一度押してください。",
    en="This page was opened too long ago, or the browser takes no cookies. Nothing was decided. "
    "Please press once more.",
    zh="此页面打开时间过长，或浏览器未接受 Cookie。未作任何审批。请再按一次。",
)
WHOSE = Words(
    ja="{who} さん専用のページです。転送しないでください。{until} まで、一度だけ決定できます。",
    en="This page is for {who} alone; please don't forward it. It takes one decision, until "
    "{until}.",
    zh="此页面仅供 {who} 使用，请勿转发。在 {until} 之前可作出一次决定。",
)
APPROVAL = Words(ja="承認", en="Approval", zh="审批")

LABELS: dict[str, Words] = {
    "item": Words(ja="内容", en="Item", zh="内容"),
    "amount": Words(ja="金額", en="Amount", zh="金额"),
    "document": Words(ja="書類", en="Document", zh="文件"),
    "hash": Words(ja="書類のハッシュ", en="Document hash", zh="文件哈希"),
    "approve": Words(ja="承認する", en="Approve", zh="批准"),
    "reject": Words(ja="却下する", en="Reject", zh="驳回"),
    "send_back": Words(ja="差し戻す", en="Send back", zh="退回"),
    "reason": Words(ja="理由・コメント", en="Reason or comment", zh="理由或留言"),
    "reason_help": Words(
        ja="却下と差し戻しには理由が必要です。",
        en="To reject or to send back, a reason is needed.",
        zh="驳回或退回时必须填写理由。",
    ),
    "to": Words(ja="差し戻し先", en="Send back to", zh="退回至"),
    "to_requester": Words(ja="依頼者", en="Who requested it", zh="申请人"),
    "needs_code": Words(
        ja="この金額の決定には、あなたのチャットに届く確認コードが必要です。",
        en="To decide on this amount you need a code that is sent to your chat.",
        zh="此金额的审批需要输入发送到您聊天账号的验证码。",
    ),
    "send_code": Words(ja="コードを送る", en="Send me the code", zh="发送验证码"),
    "code": Words(ja="確認コード（6桁）", en="Code (6 digits)", zh="验证码（6位）"),
    "code_sent": Words(
        ja="チャットに届いたコードを入力してください。10分間有効です。",
        en="Type the code that was sent to your chat. It holds for 10 minutes.",
        zh="请输入发送到您聊天账号的验证码，10 分钟内有效。",
    ),
    "enter": Words(ja="続ける", en="Go on", zh="继续"),
    "again": Words(ja="もう一度コードを送る", en="Send another code", zh="重新发送验证码"),
    "languages": Words(ja="言語", en="Languages", zh="语言"),
}
"""By the names that the template calls them."""

NAMES: tuple[tuple[Language, str], ...] = (("ja", "日本語"), ("en", "English"), ("zh", "中文"))
