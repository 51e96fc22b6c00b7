"""Words around an order that are no part of it: greetings, requests, labels, sign-offs."""

import re


def _any_of(*lists: str) -> str:
    """One of many patterns, the longest first, so that none cuts another short."""
    words = {word for text in lists for word in text.split()}
    return "|".join(sorted(words, key=lambda word: (-len(word), word)))


# Mail addresses, links, telephone and postal numbers, times, references to other papers.
CONTACT = re.compile(
    r"[\w.+\-]{1,64}@[\w\-]{1,64}\.[\w.\-]{1,64}|https?://[^\s<>|]{1,2000}|〒?\d{3}-\d{4}(?!\d)"
    r"|(?:tel|fax|電話|携帯)[ :]{0,3}[\d\-()+ ]{7,20}|(?<![\d\-])0\d{1,4}-\d{1,4}-\d{3,4}(?!\d)"
    r"|(?<!\d)\d{1,2}:\d{2}(?!\d)|(?:午前|午後|am |pm )?\d{1,2}時(?:\d{1,2}分)?(?!間)"
    r"|(?:注文|見積|管理|発注|伝票|案件|社員|顧客)?(?:番号|no\.|no:|№) ?[:#]? ?[a-z0-9\-]{1,20}"
    r"|(?<!\w)#\d{1,9}|<[@#!][^<>\n]{1,60}>"
)

# Whole sentences of politeness.
_KANA = r"[ぁ-ん]{0,14}"
POLITE = re.compile(
    r"(?:いつも|平素より?|平素は|日頃より?)?(?:大変|格別の?)?お世話に?(?:なって|なり)(?:おり|い)?ます?"
    r"|(?:いつも)?お世話(?:様|さま)(?:です|になります)|お疲れ(?:様|さま)(?:です|でした)?"
    r"|(?:どうぞ|何卒|以上)?[、,]? ?(?:よろしく|宜しく|ヨロシク)"
    r"(?:お?(?:願|ねが)い?(?:致)?[ぁ-ん]{0,8}(?:申し上げます)?)?"
    rf"|お(?:願|ねが)い?(?:致|申し上げ){{0,2}}{_KANA}|お手数{_KANA}"
    rf"|(?:恐れ入り|すみ|済み|申し訳あり|申し訳ござい)ます?{_KANA}"
    r"|ご(?:確認|検討|対応|査収|教示|連絡|返信|回答|手配|用意|提示|提出|送付|案内|依頼)"
    rf"(?:の(?:ほど|程)|願い|頂け|頂き|下さい|致)?{_KANA}"
    r"|(?:下記|以下|次)の?(?:通り|とおり|内容|品目|商品|条件|もの)?"
    r"(?:で|にて|の|を|につきまして|について)?"
    r"|(?:有難う|有り難う)[ぁ-ん]{0,8}|初めまして|日本円で?"
)

# Words of requests, forms and business that say no item. Patterns, one after another.
_LABELS = """
    御?お?見積(?:もり|り)?(?:書|依頼|金額|価格|額)? 御中 件名 品名 品目 商品名? 製品名? 明細 内訳
    数量 単価 納期 納品(?:日|先|場所)? 納入(?:日|先)? 希望納期 届け?(?:先|日)? 期日 期限 締切 宛先
    宛名 宛て? 顧客名? 客先 取引先 客様名? 客 得意先 担当者? 担当 備考 支払(?:い|条件|方法)?
    請求書? 会社名? 企業名? 日付 番号 有効期限 予算 値引き? 割引き? 出精 特別 端数
"""
_JAPANESE = """
    大?至急 急ぎ? 緊急 早急 早め 追加 新規 概算 正式 再度 再 合計 全体 全部 一律 税抜き? 税込み?
    消費税 送料 込み? 別 程度 以上 以下 前後 約 計 別途 各種? 弊社 当社 自社 御社 貴社 案件 件
    価格 金額 総額 月額 年額 円 台分 人分 個分 部分 分 必着 厳守 迄 頃 向け? 様 殿 氏 現在 今回
    先日 本件 同じ 今日 本日 明日 提出 送付 作成 発行 手配 用意 購入 注文 発注 導入 検討 希望 依頼
    相談 内容 確認 回答 返信 連絡 送信 対応 可能 場合 必要 予定 程 方 事 物 者 私 我々 皆様 是非
    何卒 一応 例 他 次 下記 上記 未定 最低 最高 最大 最小 限定 昨日 一昨日 昨年 来年 今年 今週
    来週 再来週 今月 来月 年始 休み? 休暇 連休 最短 無し? 有り? 社内 見込み? 参考 在庫 納品書
    領収書 メール ファイル 添付 チャット オーダー オフ ディスカウント パーセント お ご 御
    (?:作|出|送|頂|欲|願|買|探|頼|急|教)(?=[ぁ-ん]) 申し上 致
"""
_CHINESE = """
    报价(?:单|表)? 報價(?:單)? 报一?[下个]?价? 询价 詢價 麻烦 请问 请 請 帮忙 帮我 帮 给我 我们
    我司 贵司 贵公司 我 你们 你 您们? 给 給 需要 想要 要 想 好 谢谢 謝謝 客户 客戶 公司 单价 單價
    总共 总价 总额 一共 另外 还有 还要 还 再加 再 加 以及 尽快 交货期? 交貨期? 到货 送到 送货 交期
    日期 优惠 折扣 打折 左右 大概 约 价格 每 为 為 订购 订 订单 采购 购置 购买 买 做一?份 做 发 出
    一份 一张 份 一下 吧 呢 吗 个 下月 下个月 开始 的 和 与 跟 及 在 把 共 也 都 了 就 是 这些
    以下 如下 产品 商品 含税 不含税 前 之前 打 即可 可以 能 开 方 供 货 从 向 对 用
    能不能 可不可以 是否 前回 前々回 毎月 毎週 毎年 同数 同じ
"""
# Possessive (++): never tried in another way, whatever the length.
SMALL = re.compile(rf"(?:{_any_of(_LABELS, _JAPANESE, _CHINESE)}|[ぁ-ゖ々])++")

_QUOTE = r"御?お?見積(?:もり|り)?(?:書|依頼)?"
LEADING = re.compile(
    rf"(?:大?至急|追加|新規|{_QUOTE}(?:の?件)?|请|請|麻烦|帮我|帮忙|给我?|給我?|我们|我司|我|需要"
    r"|想要|要|想|为|為|订购|采购|购买|订|买|还要|还有|另外|以及|再加|报价|報價|询价|[和与及的])++"
)
TRAILING = re.compile(
    rf"(?:{_QUOTE}|希望|依頼|追加|購入|注文|発注|至急|报价单?|報價|[的和与及跟])++$"
)

_ENGLISH = """
    a about above add afternoon ahead all also am an and another any apiece approx approximately
    are around as asap at attached be been before below best billed budget but buy buying by can
    cheers client company confirm could create customer date day deadline dear deliver deliverable
    delivered deliveries delivering delivery did discount do does draft due each earliest estimate
    estimates evening exactly expected extra following follows for from fyi get gimme give going
    good got great greetings had has have hello help here hey hi hope how i i'd i'll i'm if
    immediately in include including into is it it's item items its just kind kindly know later
    latest let like line list look make may me miyabi more morning much my name need needed needs
    new no not note now number of off ok on once one's only or order ordering our out over per
    per-unit please pls plus plz pm possible prepare price priced prices pricing process product
    products provide purchase purchasing put qty quantities quantity quick quickly quotation
    quotations quote quoted quotes quoting re ready receive regarding regards regular request
    requested require required requires respectively roughly rush same see send sent set ship
    shipped shipping should sincerely so some soon sorry subject supply team than thank thanks
    that the their them then there these they thing this those thx till to too total unit units
    until up urgent urgently us use via want wanted wants warm was we we'd we'll we're well what
    when which will wish with within without would yen yes yet you you'd your yours
"""
ENGLISH_SMALL = frozenset(_ENGLISH.split())

# Kana that stand alone before an order and name nothing.
_ALONE = """
    それ これ あと あとは ほか ほかに つぎ とりあえず まず さらに もう あわせて ぜんぶで また なお
    では ただし もし できれば なるべく そして および ぜひ こちら そちら たぶん だいたい やく
    ちょうど すべて みなさま どうぞ よろしく おねがい ください ほしい です ます そのうち うち ずつ
"""
SMALL_KANA = re.compile(rf"(?:{_any_of(_ALONE)})++(?:で|に|を|は|の|も)?")

# Grammar between words.
_GRAMMAR = """
    について につき によりまして により にて には では での への との とも からの? までに? より
    として とか など だけ のみ ずつ も を に は が の で と へ や って です(?:が|ので|ね)?
    ですけど でした だ なので ので けど ね よ な か し お ご さんの? さま くらい ぐらい ほど あと
    また それと それから および 及び ください 下さい くださいませ ます たい する した して という
    ある あり いる
"""
PARTICLES = re.compile(rf"(?:{_any_of(_GRAMMAR)})++")

SIGN_OFF = re.compile(
    r"^ ?(?:以上|敬具|草々|--+|―{2,}|={3,}|_{3,}|\*{3,}|(?:best |kind |warm |many )?"
    r"(?:regards|thanks|thank you|cheers|sincerely|yours)[^\n]{0,20}"
    r"|谢谢|謝謝|此致|敬礼|顺祝商祺)[。.,、!]? ?$",
    re.MULTILINE,
)
NOTE = re.compile(
    r"^ ?(?:備考|メモ|※|注記?|p\.?s\.?|追伸|notes?|remarks?|备注) ?[:・ ][^\n]*$", re.MULTILINE
)
COMMAND_NAME = re.compile(r"^\s*(?:[/!@] ?miyabi|<@[^<>\n]{1,40}>)[ 、,:]*")
COMMAND = re.compile(
    r"^\s*(?:(?:miyabi|ミヤビ|みやび|雅)[ 、,:]+)?"
    rf"(?:{_QUOTE}|quotation|quote|estimate|报价单?|報價單?)(?:[ :、,]+|(?=[^\w])|$)"
)
