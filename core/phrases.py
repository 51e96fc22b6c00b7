"""What Miyabi itself says, in three languages. Agents and connectors bring their own words."""

from core.words import Words

RECEIVED = Words(
    ja="{reference} 「{title}」を受け付けました。進み具合はスレッドでお知らせします。",
    en="{reference} “{title}” is taken in. Progress is shown in the thread.",
    zh="{reference}“{title}”已受理。进度会显示在会话串中。",
)
RECEIVED_FLAT = Words(
    ja="{reference} 「{title}」を受け付けました。進み具合は「状況」で確認できます。",
    en="{reference} “{title}” is taken in. “status” tells how it goes.",
    zh="{reference}“{title}”已受理。发送“进度”可查看进展。",
)
PLACE_IN_LINE = Words(
    ja="あなたの依頼は {waiting} 件が進行中で、これは {number} 件目です。",
    en="You have {waiting} waiting; this one is number {number}.",
    zh="您有 {waiting} 个任务正在进行，这是第 {number} 个。",
)
FULL_PERSON = Words(
    ja=(
        "受け付けていません。あなたの依頼は {count} 件が進行中で、これが一人あたりの上限です。"
        "「取消 #番号」でどれかを取り消すか（「一覧」で見られます）、終わるのを待ってから、"
        "もう一度送ってください。"
    ),
    en=(
        "Not taken in: you have {count} tasks under way, as many as one person may have. "
        "Cancel one (“mine” lists them) or wait until one is finished, then send this again."
    ),
    zh=(
        "未受理：您有 {count} 个任务正在进行，已达每人上限。"
        "请取消其中一个（发送“我的”可查看），或等其中一个完成后再重新发送。"
    ),
)
FULL_ORGANISATION = Words(
    ja=(
        "受け付けていません。この組織の依頼は {count} 件が進行中で、これが上限です。"
        "どれかを取り消すか、終わるのを待ってから、もう一度送ってください。"
    ),
    en=(
        "Not taken in: your organisation has {count} tasks under way, as many as it may have. "
        "Cancel one or wait until one is finished, then send this again."
    ),
    zh=(
        "未受理：贵组织有 {count} 个任务正在进行，已达上限。"
        "请取消其中一个，或等其中一个完成后再重新发送。"
    ),
)
FULL_EVERYONE = Words(
    ja=(
        "受け付けていません。いま {count} 件の依頼が進行中で、これ以上は受け付けられません。"
        "数分待ってから、もう一度送ってください。"
    ),
    en=(
        "Not taken in: {count} tasks are under way here, as many as there may be. "
        "Please wait a few minutes, then send this again."
    ),
    zh="未受理：目前共有 {count} 个任务正在进行，已达上限。请等几分钟后再重新发送。",
)
NOT_TAKEN = Words(
    ja="いまデータベースに接続できないため、受け付けていません。少し待ってからもう一度送ってください。",
    en="Nothing was taken in: the database can't be reached. Please send it again in a moment.",
    zh="目前无法连接数据库，请求未被受理。请稍后重新发送。",
)
STILL_AT_IT = Words(
    ja="処理に時間がかかっています。結果はまもなくここでお知らせします。",
    en="This takes a moment. What came of it will be said here.",
    zh="处理需要一点时间，结果稍后会在此通知。",
)
PERHAPS_TAKEN = Words(
    ja=(
        "データベースの応答がなく、受け付けられたかどうか確認できません。"
        "少し待って「一覧」で確かめ、なければもう一度送ってください。"
    ),
    en=(
        "The database did not answer in time: it is not known whether this was taken in. "
        "Look in a moment with “mine”; if it is not there, please send it again."
    ),
    zh="数据库未及时响应，无法确认请求是否已受理。请稍后用“我的”查看；如果没有，请重新发送。",
)
UNKNOWN_PERSON = Words(
    ja=(
        "あなたのアカウント（{account}）はまだ登録されていないため、何も実行していません。"
        "管理者に「miyabi people link ハンドル {account}」での登録を依頼してください。"
    ),
    en=(
        "Your account ({account}) is not registered yet, so nothing was done. "
        "Ask your administrator to run “miyabi people link HANDLE {account}”."
    ),
    zh=(
        "您的账号（{account}）尚未登记，因此没有执行任何操作。"
        "请让管理员运行“miyabi people link 用户名 {account}”。"
    ),
)
NO_ROLE = Words(
    ja="この操作には役割「{role}」が必要です。管理者に相談してください。",
    en="This needs the role “{role}”. Please ask your administrator.",
    zh="此操作需要角色“{role}”。请联系管理员。",
)
UNKNOWN_COMMAND = Words(
    ja="「{word}」というコマンドはありません。{hint}",
    en="There is no command “{word}”. {hint}",
    zh="没有“{word}”这个命令。{hint}",
)
DID_YOU_MEAN = Words(
    ja="もしかして「{nearest}」ですか？",
    en="Did you mean “{nearest}”?",
    zh="您是指“{nearest}”吗？",
)
SEE_HELP = Words(
    ja="「ヘルプ」で使い方を表示します。", en="“help” shows what I can do.", zh="“帮助”可显示用法。"
)
UNKNOWN_TASK = Words(
    ja="その番号の依頼は見つかりません: {target}",
    en="There is no task with that number: {target}",
    zh="找不到该编号的任务: {target}",
)
WHICH_TASK = Words(
    ja="どの依頼ですか？「{command} #1042」のように番号を付けてください。",
    en="Which task? Add its number, as in “{command} #1042”.",
    zh="请指明任务编号，例如“{command} #1042”。",
)
NO_QUESTION = Words(
    ja="{reference} には答えを待つ質問がありません。",
    en="{reference} asks nothing at the moment.",
    zh="{reference} 目前没有待回答的问题。",
)
NOT_YOURS = Words(
    ja="これができるのは {who} さんです。",
    en="Only {who} can do this.",
    zh="只有 {who} 可以执行此操作。",
)
NOBODY = Words(ja="（該当者なし）", en="(nobody)", zh="（无人）")
OWN_REQUEST = Words(
    ja="自分の依頼は自分で承認できません。承認できる人: {who}",
    en="You can't approve your own request. Who can: {who}",
    zh="不能批准自己的申请。可批准的人: {who}",
)
REASON_NEEDED = Words(
    ja="理由を書いてください（例:「{example}」）。",
    en="Please give a reason (for example “{example}”).",
    zh="请填写理由（例如“{example}”）。",
)
ALREADY_DECIDED = Words(
    ja="{who} さんが {at} に「{action}」としてすでに決定しています。",
    en="Already decided: {action} by {who} at {at}.",
    zh="{who} 已于 {at} 作出决定: {action}。",
)
CONTENT_CHANGED = Words(
    ja="内容が変更されたため、この承認依頼は無効です。新しい承認依頼を見てください。",
    en="The content has changed since, so this request no longer holds. See the newer one.",
    zh="内容已变更，此审批请求已失效。请查看新的请求。",
)
WITHDRAWN = Words(
    ja="この依頼は取り消されています。",
    en="This request was withdrawn.",
    zh="该请求已被撤回。",
)
EXPIRED = Words(
    ja="この承認依頼は期限（{at}）が切れています。依頼者が「再実行」すると新しく届きます。",
    en="This request expired at {at}. A retry by the requester sends a new one.",
    zh="此审批请求已于 {at} 过期。申请人重试后会重新发送。",
)
NOTHING_PENDING = Words(
    ja="{reference} に承認待ちはありません。",
    en="Nothing of {reference} waits for approval.",
    zh="{reference} 没有待审批事项。",
)
DECIDED = Words(
    ja="{reference} を「{action}」にしました。",
    en="{reference}: {action}.",
    zh="{reference}: {action}。",
)
ACTION_APPROVED = Words(ja="承認", en="approved", zh="批准")
ACTION_REJECTED = Words(ja="却下", en="rejected", zh="驳回")
ACTION_RETURNED = Words(ja="差し戻し", en="sent back", zh="退回")
CANCELLED = Words(
    ja="{reference} を取り消しました。", en="{reference} is cancelled.", zh="{reference} 已取消。"
)
CANCELLING = Words(
    ja="{reference} を取り消しています。",
    en="{reference} is being cancelled.",
    zh="正在取消 {reference}。",
)
CANT_CANCEL = Words(
    ja="{reference} は「{state}」のため、取り消せません。",
    en="{reference} can't be cancelled: it is {state}.",
    zh="{reference} 状态为“{state}”，无法取消。",
)
CANT_RETRY = Words(
    ja="{reference} は「{state}」のため、再実行できません。",
    en="{reference} can't be retried: it is {state}.",
    zh="{reference} 状态为“{state}”，无法重试。",
)
RETRYING = Words(
    ja="{reference} を再実行します。", en="{reference} runs again.", zh="{reference} 将重新执行。"
)
CANT_REVISE = Words(
    ja="{reference} は「{state}」のため、修正できません。新しく依頼してください。",
    en="{reference} can't be changed: it is {state}. Please make a new request.",
    zh="{reference} 状态为“{state}”，无法修改。请重新申请。",
)
REVISED = Words(
    ja="{reference} の修正（{revision} 版目）を受け付けました。",
    en="Revision {revision} of {reference} is taken in.",
    zh="已受理 {reference} 的第 {revision} 版修改。",
)
WHAT_TO_REVISE = Words(
    ja="どう直しますか？「修正 {reference} ABC商事 モニター6台」のように全体を書いてください。",
    en="What should it say? Write it whole, as in “revise {reference} 6 x monitor for ABC”.",
    zh="要怎么修改？请写出完整内容，例如“修改 {reference} ABC商事 显示器6台”。",
)
ANSWERED = Words(ja="承知しました。続けます。", en="Thank you, going on.", zh="明白了，继续处理。")
NOTED = Words(
    ja="承知しました。記録しました。", en="Thank you, it is noted.", zh="明白了，已记录。"
)
IT_WAS_NOT_SENT = Words(ja="実行されていなかった", en="It was not sent", zh="未执行")
QUESTION_OVER = Words(
    ja="この質問にはすでに答えが出ています。",
    en="This question was already answered.",
    zh="这个问题已经回答过了。",
)
EFFECT_ON = Words(ja="{act}（{target}）", en="{act} ({target})", zh="{act}（{target}）")
OUTCOME_UNKNOWN = Words(
    ja=(
        "「{what}」が実行されたかどうか分かりません。"
        "相手先を見て、実行されていたか、もう一度実行するかを選んでください。"
    ),
    en=(
        "Nobody knows whether “{what}” went through. "
        "Please look there, and say whether it was sent or is to be sent again."
    ),
    zh="无法确认“{what}”是否已执行。请到对方系统查看，并选择“已执行”或“再次执行”。",
)
WITH_REASON = Words(ja="{words}（{reason}）", en="{words} ({reason})", zh="{words}（{reason}）")
IT_WAS_SENT = Words(ja="実行されていた", en="It was sent", zh="已执行")
SEND_AGAIN = Words(ja="もう一度実行する", en="Send again", zh="再次执行")
CHOOSE_ONE = Words(
    ja="「{first}」か「{second}」のどちらかを選んでください。",
    en="Please choose “{first}” or “{second}”.",
    zh="请选择“{first}”或“{second}”。",
)
ERASED = Words(
    ja="依頼した人の個人データは消去済みです。依頼の内容は残っていません。",
    en="Whoever asked for this was erased, and what was asked with them.",
    zh="申请人的个人数据已删除，申请内容不再保留。",
)
NOT_OURS = Words(
    ja="このタスクは新しいバージョンのMiyabiのものです。更新後にもう一度お試しください。",
    en="This task is of a newer version of Miyabi. Please try again after the update.",
    zh="该任务属于较新版本的Miyabi。请在更新后重试。",
)
EFFECT_OPEN = Words(
    ja="{reference} には結果の分からない処理（{target}）があります。先にそれを確かめてください。",
    en="{reference}: nobody knows yet what became of {target}. Please settle that first.",
    zh="{reference} 有结果不明的操作（{target}）。请先确认其结果。",
)
NO_ANSWER_IN_TIME = Words(
    ja="{target} から時間内に返事がありません。",
    en="{target} did not answer in time.",
    zh="{target} 未在规定时间内答复。",
)
EFFECTS: dict[str, Words] = {
    "intended": Words(ja="実行中", en="under way", zh="执行中"),
    "done": Words(ja="実行済み", en="done", zh="已执行"),
    "failed": Words(ja="未実行", en="not done", zh="未执行"),
    "unknown": Words(ja="結果不明", en="outcome unknown", zh="结果不明"),
    "again": Words(ja="再実行待ち", en="to be done again", zh="等待再次执行"),
}
"""What became of an act on the outside."""
MESSAGES: dict[str, Words] = {
    "enclosed": Words(ja="添付ファイル", en="The enclosed file", zh="附件"),
    "file": Words(ja="ファイルのお知らせ", en="Word of a file", zh="文件通知"),
    "root": Words(ja="依頼の内容", en="The request", zh="申请内容"),
    "flash": Words(ja="進み具合", en="The progress", zh="进度"),
    "card": Words(ja="承認のお願い", en="The request for approval", zh="审批请求"),
    "reminder": Words(ja="承認のご確認", en="The reminder", zh="审批提醒"),
    "digest": Words(ja="承認待ちの一覧", en="The list of what waits", zh="待审批一览"),
    "word": Words(ja="承認のお知らせ", en="The word about an approval", zh="审批通知"),
    "question": Words(ja="質問", en="The question", zh="提问"),
    "result": Words(ja="発行した書類", en="The issued document", zh="已开具的文件"),
    "failure": Words(ja="停止のお知らせ", en="The notice of an error", zh="停止通知"),
    "held": Words(ja="保留中の依頼", en="The held request", zh="保留的申请"),
    "unknown": Words(
        ja="送信の確認", en="The question whether it was sent", zh="关于是否已发送的询问"
    ),
}
"""What the messages of a thread are called, by the kind of their slot."""
SENT_BACK = Words(
    ja=(
        "{who} さんから差し戻されました。理由: {reason}\n"
        "直した依頼の全文をこのスレッドに送ってください。"
    ),
    en=(
        "Sent back by {who}. Reason: {reason}\n"
        "Please send the whole corrected request in this thread."
    ),
    zh="{who} 已退回。理由: {reason}\n请在此会话串中发送修改后的完整请求。",
)
STORE_AWAY = Words(
    ja="書類の保存先が応答しないか、空きがありません: {why}",
    en="The store of documents is out of reach or full: {why}",
    zh="文件存储无法访问或已满：{why}",
)
NO_DOCUMENT = Words(
    ja="{reference} にはまだ発行された書類がありません。",
    en="{reference} has no issued document yet.",
    zh="{reference} 尚无已开具的文件。",
)
VOIDED = Words(
    ja="{number} を無効にしました。番号は欠番になりません。",
    en="{number} is void. Its number stays taken.",
    zh="{number} 已作废，编号保留不再使用。",
)
ALREADY_VOID = Words(
    ja="{number} はすでに無効です。", en="{number} is already void.", zh="{number} 已作废。"
)
UNEXPECTED = Words(
    ja="予期しないエラーで止まりました（エラー番号 {error_id}）。管理者に番号を伝えてください。",
    en="Stopped by an unexpected error (id {error_id}). Please tell your administrator the id.",
    zh="因意外错误而停止（错误编号 {error_id}）。请将编号告知管理员。",
)
GAVE_UP = Words(
    ja="{tries} 回試しましたが、うまくいきませんでした: {reason}",
    en="Gave up after {tries} tries: {reason}",
    zh="已尝试 {tries} 次仍未成功: {reason}",
)
ASKED_TO_WAIT = Words(
    ja=(
        "相手のシステムから {minutes} 分待つように求められたため、自動での再試行をやめました。"
        "時間をおいて再実行してください: {reason}"
    ),
    en=(
        "The other side asks us to wait {minutes} minutes, which is longer than tries go on by "
        "themselves. Retry after that: {reason}"
    ),
    zh="对方系统要求等待 {minutes} 分钟，超出自动重试的时限，已停止。请稍后重试: {reason}",
)
NEXT_TRY = Words(
    ja="{at} に再試行します（{tries} 回中 {n} 回目）: {reason}",
    en="Try {n} of {tries} at {at}: {reason}",
    zh="将于 {at} 重试（第 {n} 次，共 {tries} 次）: {reason}",
)
SECONDS = Words(ja="{n} 秒", en="{n} seconds", zh="{n} 秒")
MINUTES = Words(ja="{n} 分", en="{n} minutes", zh="{n} 分钟")
STEP_TOO_LONG = Words(
    ja="「{step}」が制限時間（{limit}）を超えたため、中断しました。",
    en="“{step}” was stopped: it took longer than {limit}.",
    zh="“{step}”超过时限（{limit}），已中断。",
)
TASK_TOO_LONG = Words(
    ja="「{step}」の途中で、依頼全体の制限時間（{limit}）を超えたため、中断しました。",
    en="Stopped at “{step}”: the work took longer than {limit} altogether.",
    zh="在“{step}”时，整个任务超过时限（{limit}），已中断。",
)
TOO_MUCH_MEMORY = Words(
    ja="この処理には {limit} MiB を超えるメモリが必要なため、中断しました。",
    en="Stopped: this needs more than the {limit} MiB of memory it may use.",
    zh="此处理所需内存超过 {limit} MiB，已中断。",
)
TOO_MUCH_CPU = Words(
    ja="この処理の計算時間が上限（{limit} 秒）を超えたため、中断しました。",
    en="Stopped: this takes more than the {limit} seconds of computing it may use.",
    zh="此处理的计算时间超过上限（{limit} 秒），已中断。",
)
CHILD_DIED = Words(
    ja="処理のプロセスが異常終了しました（{how}）。",
    en="The process that did the work died ({how}).",
    zh="执行该处理的进程异常终止（{how}）。",
)
WORKERS_DIED = Words(
    ja=(
        "「{step}」の途中で処理が {n} 回続けて異常終了したため、止めました"
        "（エラー番号 {error_id}）。管理者に番号を伝えてください。"
    ),
    en=(
        "Stopped: the process doing “{step}” died {n} times in a row (id {error_id}). "
        "Please tell your administrator the id."
    ),
    zh=(
        "执行“{step}”的进程连续 {n} 次异常终止，已停止（错误编号 {error_id}）。请将编号告知管理员。"
    ),
)
NUMBER_STAYS = Words(
    ja="番号 {number} は使用済みのままです。無効にするには「無効 {number} 理由」と送ってください。",
    en="The number {number} stays taken; void it with “void {number} reason”.",
    zh="编号 {number} 已被占用，不会收回；如需作废，请发送“作废 {number} 理由”。",
)
ACT_STAYS = Words(
    ja="取り消せません: {act}（{state}）",
    en="Can't be taken back: {act} ({state})",
    zh="无法撤回: {act}（{state}）",
)
NOTHING_OPEN = Words(
    ja="いま進行中の依頼も、あなたの承認待ちもありません。",
    en="You have no task under way and nothing waits for you.",
    zh="目前没有进行中的任务，也没有等待您处理的事项。",
)
MY_TASKS = Words(ja="自分の依頼", en="My tasks", zh="我的任务")
WAITS_FOR_ME = Words(ja="あなたの承認待ち", en="Waiting for you", zh="等待您审批")
FOR_PERSON = Words(ja="{person} の代理", en="for {person}", zh="代 {person}")
DUE_AT = Words(ja="期限 {at}", en="due {at}", zh="期限 {at}")
HELP = Words(
    ja=(
        "使えるコマンド:\n{agents}\n"
        "• 状況 #1042 … 進み具合\n• 取消 #1042 … 取り消し\n• 一覧 … 自分の依頼と承認待ち\n"
        "• 承認 #1042、却下 #1042 理由、差し戻し #1042 理由\n"
        "• 承認待ち … 承認待ちの一覧（「承認 #1042 #1043」でまとめて承認）\n"
        "• 承認経路 #1042 … 承認の流れ\n• 承認取消 #1042 … 承認の取り消し（5分以内）\n"
        "• 減額 #1042 2 1,500 理由 … 2件目の承認額を減らす\n"
        "• コメント #1042 内容\n• 質問 #1042 内容 … 依頼者への質問\n"
        "• 承認者追加 #1042 @名前\n• 回付 #1042 @名前 内容 … ほかの人に回す\n"
        "• 代理 @名前 12/1-12/5 … 代わりに承認する人\n"
        "• 回覧 #1042 @名前\n• 確認済み #1042 … 回覧を確認\n"
        "• 保留解除 #1042、破棄 #1042: 本人確認待ちの依頼\n"
        "• 修正 #1042 内容\n• 再実行 #1042\n• 無効 Q-2026-0001 理由\n"
        "• 通知設定 静か 22:00-8:00 … 通知の時間・宛先・まとめ方\n"
        "• 連携 … ほかのアプリでも使うための連携コード\n"
        "英語でも書けます（quote, status, cancel, approve …）。"
    ),
    en=(
        "What I can do:\n{agents}\n"
        "• status #1042: how it stands\n• cancel #1042\n• mine: my tasks and what waits for me\n"
        "• approve / reject / return #1042 reason\n"
        "• approvals: what waits for me (approve #1042 #1043 for several)\n"
        "• route #1042: where it stands\n• undo #1042: take my approval back (5 minutes)\n"
        "• reduce #1042 2 1,500 reason: approve less of line 2\n"
        "• comment / question #1042 text\n• add #1042 @name: one more approver\n"
        "• forward #1042 @name text: pass it on\n• circulate #1042 @name: for information\n"
        "• seen #1042: I have seen it\n• delegate @name 12/1-12/5: who decides in my place\n"
        "• release #1042 / drop #1042: a request that is held\n"
        "• revise #1042 text: change a request\n• retry #1042\n• void Q-2026-0001 reason\n"
        "• notify quiet 22:00-8:00: how I am notified\n"
        "• link: a code to use me in another app as well"
    ),
    zh=(
        "可用命令:\n{agents}\n"
        "• 状态 #1042: 查看进度\n• 取消 #1042\n• 我的: 我的任务和待审批\n"
        "• 批准 #1042、驳回 #1042 理由、退回 #1042 理由\n"
        "• 待审批: 待我审批（“批准 #1042 #1043”可一并批准）\n"
        "• 审批流程 #1042\n• 撤销批准 #1042: 撤销我的批准（5分钟内）\n"
        "• 减额 #1042 2 1,500 理由: 减少第2项的批准金额\n"
        "• 留言 #1042 内容\n• 提问 #1042 内容: 向申请人提问\n"
        "• 加签 #1042 @名称: 添加审批人\n• 转交 #1042 @名称 内容: 转交他人\n"
        "• 代理 @名称 12/1-12/5: 由他人代为审批\n"
        "• 传阅 #1042 @名称\n• 已阅 #1042: 确认已阅\n"
        "• 放行 #1042、丢弃 #1042: 保留的申请\n"
        "• 修改 #1042 内容\n• 重试 #1042\n• 作废 Q-2026-0001 理由\n"
        "• 通知设置 免打扰 22:00-8:00: 通知的时间、渠道和汇总\n"
        "• 绑定: 获取在其他应用中使用的关联代码"
    ),
)

HOW_TO_ASK = Words(
    ja="「{example}」のように書いてください。フォームでも依頼できます。",
    en="Write it as in “{example}”, or use the form.",
    zh="请按“{example}”的格式书写，也可以使用表单。",
)
OPEN_FORM = Words(ja="フォームを開く", en="Open the form", zh="打开表单")

STATES: dict[str, Words] = {
    "received": Words(ja="受付済み", en="received", zh="已受理"),
    "running": Words(ja="処理中", en="running", zh="处理中"),
    "waiting": Words(ja="待機中", en="waiting", zh="等待中"),
    "waiting:approval": Words(ja="承認待ち", en="waiting for approval", zh="等待审批"),
    "waiting:answer": Words(ja="回答待ち", en="waiting for an answer", zh="等待回答"),
    "waiting:release": Words(ja="保留中（本人確認待ち）", en="held", zh="保留中（待确认）"),
    "waiting:outside": Words(ja="外部待ち", en="waiting for another system", zh="等待外部系统"),
    "retrying": Words(ja="再試行待ち", en="retrying", zh="等待重试"),
    "cancelling": Words(ja="取り消し中", en="being cancelled", zh="取消中"),
    "done": Words(ja="完了", en="done", zh="已完成"),
    "rejected": Words(ja="却下", en="rejected", zh="已驳回"),
    "cancelled": Words(ja="取り消し済み", en="cancelled", zh="已取消"),
    "failed": Words(ja="停止（エラー）", en="stopped by an error", zh="因错误停止"),
}


def state_words(state: str, waiting_for: str | None) -> Words:
    """A task's state as people say it."""
    return STATES[f"{state}:{waiting_for}" if waiting_for else state]
