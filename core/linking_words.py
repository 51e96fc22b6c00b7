"""What is said of accounts: linking one, cutting one, and what each is told."""

from core.words import Words

CODE = Words(
    ja=(
        "連携コード: {code}\n"
        "Miyabi を使いたいほかのアプリ（LINE など）で、この 8 桁の数字だけを Miyabi に"
        "送ってください。"
        "{minutes} 分間、1 回だけ使えます。ほかの人には教えないでください。"
    ),
    en=(
        "Your code: {code}\n"
        "In the other app where you want to use Miyabi (LINE, say), send Miyabi these 8 digits and "
        "nothing else. The code holds for {minutes} minutes and once. Show it to nobody."
    ),
    zh=(
        "关联代码: {code}\n"
        "请在想使用 Miyabi 的其他应用（例如 LINE）中，只把这 8 位数字发送给 Miyabi。"
        "{minutes} 分钟内有效，仅限一次。请勿告诉他人。"
    ),
)
TOLD_ONCE = Words(
    ja="一度だけお知らせしました。もう一度必要なときは、あらためて送ってください。",
    en="This was told once only. If you need it again, please ask anew.",
    zh="该内容仅告知一次。如再次需要，请重新发送。",
)
PRIVATELY = Words(
    ja="ほかの人に見えない場所で伝えます。私との 1 対 1 のトークで「連携」と送ってください。",
    en="That is for your eyes only. Please send “link” in a one-to-one chat with me.",
    zh="该内容只能告诉您本人。请在与我的一对一聊天中发送“绑定”。",
)
NOT_FOR_PROGRAMS = Words(
    ja="アカウントの連携と解除は、本人が操作してください（プログラムからはできません）。",
    en="Accounts are linked and cut by people themselves, not by programs.",
    zh="账号的关联与解除须由本人操作，程序不能代为执行。",
)
LINKED = Words(
    ja="{name} さん、このアカウントを連携しました。「ヘルプ」で使い方を表示します。",
    en="{name}, this account is linked. “help” shows what I can do.",
    zh="{name}，此账号已关联。发送“帮助”可查看用法。",
)
HOW_TO_LINK = Words(
    ja=(
        "すでにほかのアプリ（Slack など）で Miyabi を使っている場合は、そこで「連携」と送り、"
        "表示された 8 桁の数字をここに送ってください。"
    ),
    en=(
        "If you use Miyabi in another app already (Slack, say), send “link” there and send the 8 "
        "digits that you are told here."
    ),
    zh=(
        "如果您已在其他应用（例如 Slack）中使用 Miyabi，请在那里发送“绑定”，"
        "再把得到的 8 位数字发到这里。"
    ),
)
WRONG = Words(
    ja=(
        "そのコードは正しくありません。「連携」と送って表示された 8 桁の数字を確かめてください。"
        "コードは発行から 10 分間だけ使えます。"
    ),
    en=(
        "That code is not right. Please check the 8 digits that you were told; a code holds for 10 "
        "minutes."
    ),
    zh="代码不正确。请确认发送“绑定”后得到的 8 位数字。代码在 10 分钟内有效。",
)
ENDED = Words(
    ja="そのコードの有効時間は終わっています。もう一度「連携」と送って、新しいコードを使ってください。",
    en="That code has ended. Please send “link” again where Miyabi knows you, and use the new one.",
    zh="该代码已过期。请重新发送“绑定”获取新代码。",
)
USED = Words(
    ja="そのコードはすでに使われています。もう一度「連携」と送って、新しいコードを使ってください。",
    en="That code was used already. Please send “link” again where Miyabi knows you.",
    zh="该代码已被使用。请重新发送“绑定”获取新代码。",
)
TOO_OFTEN = Words(
    ja="コードの誤りが {most} 回続いたため、{at} まで受け付けません。",
    en="{most} codes were tried from this account. Please try again from {at} on.",
    zh="该账号已尝试 {most} 次，请在 {at} 之后重试。",
)

UNLINKED = Words(
    ja=(
        "このアカウントの連携を解除しました。ここからは何もできなくなり、お知らせも届きません。"
        "もう一度使うには、連携し直してください。"
    ),
    en=(
        "This account is cut: nothing can be done from it any more, and nothing is told here. "
        "To use it again, link it anew."
    ),
    zh="已解除此账号的关联。此后无法从这里操作，也不会收到通知。如需再次使用，请重新关联。",
)
LAST_ACCOUNT = Words(
    ja=(
        "これはあなたの最後のアカウントです。解除すると Miyabi を使えなくなり、"
        "承認の依頼も届きません。"
        "それでもよければ「連携解除 はい」と送ってください。"
    ),
    en=(
        "This is your last account. Without it you can't use Miyabi, and are asked for no "
        "approval. If that is what you want, send “unlink yes”."
    ),
    zh="这是您的最后一个账号。解除后将无法使用 Miyabi，也收不到审批请求。如确认，请发送“解绑 是”。",
)
LAST_OF_ADMIN = Words(
    ja=(
        "これは管理者であるあなたの最後のアカウントです。解除すると、ここから管理者として操作できなく"
        "なります。それでもよければ「連携解除 はい」と送ってください。"
    ),
    en=(
        "This is the last account of yours, and you are an admin: nothing can be administered from "
        "a chat by you any more. If that is what you want, send “unlink yes”."
    ),
    zh="这是您作为管理员的最后一个账号。解除后您将无法在聊天中管理。如确认，请发送“解绑 是”。",
)

ENDS_ON = Words(
    ja="承認の依頼がほかの人によって終わったときも、ここでお知らせします。",
    en="You are told here, too, when something that you were asked has ended by somebody else.",
    zh="您被请求审批的事项由他人结束时，也会在此通知您。",
)
ENDS_OFF = Words(
    ja="承認の依頼がほかの人によって終わったときは、お知らせしません。「状況」で確かめられます。",
    en="You are not told when something that you were asked has ended; “status” shows it.",
    zh="您被请求审批的事项由他人结束时，不再通知。可发送“状态”查看。",
)
ENDS_HOW = Words(
    ja="変えるには「終了通知 オン」または「終了通知 オフ」と送ってください。",
    en="To change it, send “endings on” or “endings off”.",
    zh="如需更改，请发送“结束通知 开”或“结束通知 关”。",
)
AMOUNTS_ON = Words(
    ja="このグループでは金額と明細を表示します。",
    en="Amounts and lines are shown in this group.",
    zh="此群组将显示金额和明细。",
)
AMOUNTS_OFF = Words(
    ja="このグループでは金額と明細を表示しません。",
    en="Amounts and lines are not shown in this group.",
    zh="此群组不显示金额和明细。",
)
AMOUNTS_HOW = Words(
    ja="管理者は「金額表示 オン」「金額表示 オフ」で変えられます。",
    en="An admin changes it with “amounts on” or “amounts off”.",
    zh="管理员可发送“金额显示 开”或“金额显示 关”进行更改。",
)
NO_GROUP = Words(
    ja="これはグループの中で送ってください。金額を表示するかどうかはグループごとに決まります。",
    en="Please send this in a group: whether amounts are shown is said for each group.",
    zh="请在群组中发送。是否显示金额按群组设置。",
)
