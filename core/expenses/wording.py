"""What is asked about a claim, and said of how an amount came about."""

from core.words import Words

ASK_LINES = Words(
    ja="何の経費ですか？1件1行で書いてください"
    "（例: 11/20 タクシー 2,340円 品川→新宿 ABC商事訪問）。",
    en="What was paid? Write one line each, such as: Nov 20 taxi 2,340 yen Shinagawa to Shinjuku, "
    "visit to ABC.",
    zh="请问是什么费用？每项写一行（例: 11月20日 出租车 2,340日元 品川→新宿 拜访ABC）。",
)
NOT_UNDERSTOOD = Words(
    ja="「{answer}」は分かりませんでした。{again}",
    en="“{answer}” was not understood. {again}",
    zh="无法理解“{answer}”。{again}",
)
OF_LINE = Words(
    ja="{n}件目「{words}」: {asked}",
    en="Line {n}, “{words}”: {asked}",
    zh="第{n}项“{words}”: {asked}",
)
ASK_DAY = Words(ja="いつの支払いですか？", en="On which day was it paid?", zh="请问是哪天支付的？")
NO_SUCH_DAY = Words(
    ja="その日付は暦にありません。いつの支払いですか？",
    en="There is no such day. On which day was it paid?",
    zh="不存在这个日期。请问是哪天支付的？",
)
DAY_TO_COME = Words(
    ja="{day} はまだ来ていません。いつの支払いですか？",
    en="{day} is yet to come. On which day was it paid?",
    zh="{day} 尚未到来。请问是哪天支付的？",
)
TOO_OLD = Words(
    ja="{day} は{months}か月より前なので精算できません。日付が違う場合は書き直してください。",
    en="{day} is more than {months} months ago and can't be claimed. If that is a slip, write the "
    "right day.",
    zh="{day} 已超过{months}个月，不能报销。如日期有误请重新填写。",
)
ASK_AMOUNT = Words(
    ja="税込でいくらですか？", en="How much was it, tax included?", zh="请问含税金额是多少？"
)
WHICH_AMOUNT = Words(
    ja="金額がいくつかあります（{amounts}）。この件の税込金額はどれですか？",
    en="There are several amounts ({amounts}). Which is that of this line, tax included?",
    zh="有多个金额（{amounts}）。请问此项的含税金额是哪个？",
)
SUM = Words(ja="合計 {amount}", en="the sum, {amount}", zh="合计 {amount}")
ASK_SHARE = Words(
    ja="割り勘です。{amount}はご自分の負担分ですか、全員分ですか？（金額を書いても構いません）",
    en="The bill was split. Is {amount} your own share or all of it? (You may write the amount.)",
    zh="这是分摊的。{amount}是您自己的部分，还是全体的总额？（也可以直接写金额）",
)
MINE = Words(ja="自分の分 {amount}", en="my share, {amount}", zh="自己的部分 {amount}")
WHOLE = Words(
    ja="全員分。自分は{n}分の1で {amount}",
    en="the whole bill; my {n}th of it is {amount}",
    zh="总额，自己占{n}分之一 {amount}",
)
ASK_PEOPLE = Words(
    ja="ご自分を含めて何名でしたか？",
    en="How many people, yourself included?",
    zh="包括您本人共几位？",
)
EACH_OR_ALL = Words(
    ja="{n}名で{amount}は、全員分ですか、1名分ですか？",
    en="Is {amount} for all {n} people or for each?",
    zh="{n}位的{amount}，是总额还是每位的金额？",
)
FOR_ALL = Words(ja="全員分 {amount}", en="for all, {amount}", zh="总额 {amount}")
FOR_EACH = Words(
    ja="1名分。合わせて {amount}", en="for each; together {amount}", zh="每位。合计 {amount}"
)
ASK_CATEGORY = Words(ja="どの費目ですか？", en="Which category is it?", zh="请问属于哪个费用类别？")
ASK_PAYEE = Words(ja="支払先はどこですか？", en="Who was paid?", zh="请问支付给谁？")
ASK_PURPOSE = Words(ja="何のための支払いですか？", en="What was it for?", zh="请问用途是什么？")
ASK_ATTENDEES = Words(
    ja="参加者の氏名（会社名）と、ご自分を含む人数を書いてください"
    "（例: ABC商事 佐藤様、伊藤様 計3名）。",
    en="Write who took part and how many, yourself included (such as: Sato (ABC), Ito, 3 people).",
    zh="请填写参加者姓名（公司）以及包括您本人的人数（例: ABC公司 佐藤、伊藤 共3人）。",
)
BAD_REGISTRATION = Words(
    ja="登録番号「{number}」が正しくありません。正しい番号（T+13桁）を書くか、番号なしを選んでください。",
    en="“{number}” is not a valid registration number. Write the right one (T and 13 digits), or "
    "choose that there is none.",
    zh="登记编号“{number}”不正确。请填写正确编号（T加13位数字），或选择没有编号。",
)
NEEDS_NUMBER = Words(
    ja="公共交通機関でも1回の取引が{limit}以上の場合はインボイスが必要です。"
    "登録番号（T+13桁）を書いてください。",
    en="Public transport of {limit} and more in one transaction needs an invoice. Write the "
    "registration number (T and 13 digits).",
    zh="公共交通单笔{limit}及以上需要合格发票。请填写登记编号（T加13位数字）。",
)
NO_NUMBER = Words(ja="番号なし", en="There is none", zh="没有编号")
OVER = Words(
    ja="{name}の上限{limit}を超えているため申請できません。金額を直してください。",
    en="That is over the limit of {limit} for {name} and can't be claimed. Correct the amount.",
    zh="超过{name}的上限{limit}，不能申请。请修改金额。",
)
LEAVE_OUT = Words(ja="この件を除く", en="Leave it out", zh="去掉此项")
TOO_MANY = Words(
    ja="一度に精算できるのは{most}件までです。分けて申請してください。",
    en="A claim has at most {most} lines. Claim the rest in another one.",
    zh="一次最多报销{most}项。请分开申请。",
)
BOTH_WAYS = Words(
    ja="往復。{amount}は往復の合計として扱いました",
    en="Round trip; {amount} was taken for both ways together",
    zh="往返。{amount}按往返合计处理",
)
DOUBLED = Words(
    ja="往復。片道{amount}×2", en="Round trip; {amount} one way, twice", zh="往返。单程{amount}×2"
)
TIMES = Words(ja="{amount}×{n}", en="{amount} × {n}", zh="{amount}×{n}")
SHARED = Words(
    ja="割り勘。全員分{amount}の{n}分の1（1円未満切捨て）",
    en="A split bill; one {n}th of {amount}, fractions cut",
    zh="分摊。总额{amount}的{n}分之一（舍去尾数）",
)
OWN_SHARE = Words(
    ja="割り勘。金額は自分の負担分",
    en="A split bill; the amount is the own share",
    zh="分摊。金额为本人部分",
)
