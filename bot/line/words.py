"""The few words that LINE's form of a message adds to it."""

from core.words import Words

MORE_LINES = Words(
    ja="… ほか {n} 行（PDFを参照）", en="… {n} more lines, see the PDF", zh="… 另有 {n} 行，见PDF"
)
GOES_ON = Words(
    ja="続きは… LINEでは長すぎて送れません（残り約 {n} 文字）。",
    en="It goes on… too long for LINE (about {n} more characters).",
    zh="后续内容过长，无法在LINE发送（约剩 {n} 字）。",
)
IN_WORDS = Words(
    ja="文字でも決定できます:「承認 {code}」「却下 {code} 理由」",
    en="Or in words: “approve {code}”, “reject {code} reason”",
    zh="也可用文字: “批准 {code}”“驳回 {code} 理由”",
)
OPEN = Words(ja="書類を開く", en="Open the document", zh="打开文件")
OPEN_NAMED = Words(ja="{name} を開く", en="Open {name}", zh="打开 {name}")
NO_LINK = Words(
    ja="「{name}」を開くリンクをここでは作れません。管理者に受け取り方を確認してください。",
    en="No link to “{name}” can be made here. Please ask your administrator for the file.",
    zh="此处无法生成“{name}”的链接，请向管理员索取该文件。",
)
NEXT = Words(ja="次へ ▶", en="More ▶", zh="下一页 ▶")
BACK = Words(ja="◀ 前へ", en="◀ Back", zh="◀ 上一页")
PAGE = Words(
    ja="（全 {all} 件中 {first}〜{last} 件目）",
    en="({first} to {last} of {all})",
    zh="（共 {all} 项，第 {first}〜{last} 项）",
)
ELSEWHERE = Words(
    ja="詳しい内容は、Miyabiとの1対1のトークで確認してください。",
    en="Please see the details in your one-to-one chat with Miyabi.",
    zh="详细内容请在与Miyabi的一对一聊天中查看。",
)
AMOUNT = Words(ja="金額", en="Amount", zh="金额")
