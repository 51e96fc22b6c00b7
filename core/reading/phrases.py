"""Words around an order that are no part of it: greetings, requests, labels, addresses, sign-offs."""

import re

from core.reading.legal_forms import LEGAL_FORM

# Mail addresses, links, telephone and postal numbers, times, references to other papers.
CONTACT = re.compile(
    r"[\w.+\-]{1,64}@[\w\-]{1,64}\.[\w.\-]{1,64}|https?://[^\s<>|]{1,2000}|〒?\d{3}-\d{4}(?!\d)"
    r"|(?:tel|fax|電話|携帯)[ :]{0,3}[\d\-()+ ]{7,20}|(?<![\d\-])0\d{1,4}-\d{1,4}-\d{3,4}(?!\d)"
    r"|(?<!\d)\d{1,2}:\d{2}(?!\d)|(?:午前|午後|am |pm )?\d{1,2}時(?:\d{1,2}分)?(?!間)"
    r"|(?:注文|見積|管理|発注|伝票|案件|社員|顧客)?(?:番号|no\.|no:|№)\s?[:#]?\s?[a-z0-9\-]{1,20}"
    r"|(?<!\w)#\d{1,9}|<[@#!][^<>\n]{1,60}>"
)

# Whole sentences of politeness, and what mails are made of.
_KANA = r"[ぁ-ん]{0,14}"
POLITE = re.compile(
    r"(?:いつも|平素より?|平素は|日頃より?)?(?:大変|格別の?)?お世話に?(?:なって|なり)(?:おり|い)?ます?"
    r"|(?:いつも)?お世話(?:様|さま)(?:です|になります)|お疲れ(?:様|さま)(?:です|でした)?"
    r"|(?:どうぞ|何卒|以上)?[、,]?\s?(?:よろしく|宜しく|ヨロシク)(?:お?(?:願|ねが)い?(?:致)?"
    r"[ぁ-ん]{0,8}(?:申し上げます)?)?"
    rf"|お(?:願|ねが)い?(?:致|申し上げ){{0,2}}{_KANA}"
    rf"|(?:恐れ入り|すみ|済み|申し訳あり|申し訳ござい)ます?{_KANA}|お手数{_KANA}"
    rf"|ご(?:確認|検討|対応|査収|教示|連絡|返信|回答|手配|用意|提示|提出|送付|案内|依頼)"
    rf"(?:の(?:ほど|程)|願い|頂け|頂き|下さい|致)?{_KANA}"
    r"|(?:下記|以下|次)の?(?:通り|とおり|内容|品目|商品|条件|もの)?(?:で|にて|の|を|につきまして|について)?"
    r"|(?:有難う|有り難う)[ぁ-ん]{0,8}|初めまして|日本円で?"
)

# Request words, labels and small words of business: a word made only of these says no item.
_LABELS = (
    "御?お?見積(?:もり|り)?(?:書|依頼|金額|価格|額)?|御中|件名|品名|品目|商品名?|製品名?|明細|内訳|数量|単価|納期"
    "|納品(?:日|先|場所)?|納入(?:日|先)?|希望納期|届け?(?:先|日)?|期日|期限|締切|宛先|宛名|宛て?|顧客名?|客先|取引先|客様名?|客"
    "|得意先|担当者?|担当|備考|支払(?:い|条件|方法)?|請求書?|会社名?|企業名?|日付|番号|値引き?|割引き?|出精|特別|端数"
)
_SMALL_JA = (
    "大?至急|急ぎ?|緊急|早急|早め|追加|新規|概算|正式|再度|再|合計|全体|全部|一律|税抜き?|税込み?|消費税|送料|込み?|別"
    "|程度|以上|以下|前後|約|計|別途|各種?|弊社|当社|自社|御社|貴社|案件|件|価格|金額|総額|月額|年額|円|台分|人分|個分|部分|分"
    "|必着|厳守|迄|頃|向け?|様|殿|氏|現在|今回|先日|本件|同じ|今日|本日|明日|提出|送付|作成|発行|手配|用意|購入|注文|発注|導入|検討|希望"
    "|依頼|相談|内容|確認|回答|返信|連絡|送信|対応|可能|場合|必要|予定|程|方|事|物|者|私|我々|皆様|是非|何卒|一応|例|他|次|下記|以下|上記"
    "|メール|ファイル|添付|チャット|オーダー|オフ|ディスカウント|パーセント|お|ご|御"
    "|(?:作|出|送|頂|欲|願|買|探|頼|急|教)(?=[ぁ-ん])|申し上|致"
)
_SMALL_ZH = (
    "报价(?:单|表)?|報價(?:單)?|报一?下?价?|询价|詢價|麻烦|请问|请|請|帮忙|帮我|帮|给我|我们|我司|贵司|贵公司|我|你们|你|您们?"
    "|给|給|需要|想要|要|想|好|谢谢|謝謝|客户|客戶|公司|单价|單價|总共|一共|另外|还有|还要|还|再加|再|加|以及|尽快|交货期?|交貨期?|到货"
    "|送到|送货|交期|日期|优惠|折扣|打折|左右|大概|约|价格|每|为|為|订购|订|订单|采购|购置|购买|买|做一?份|做|发|出|一份|一张|份|一下|吧|呢|吗"
    "|的|和|与|跟|及|在|把|共|也|都|了|就|是|这些|以下|如下|产品|商品|含税|不含税|前|之前|打|即可|可以|能|开|方|供|货|从|向|对|用"
)
SMALL = re.compile(rf"(?:{_LABELS}|{_SMALL_JA}|{_SMALL_ZH}|[ぁ-ゖ々])+")
LEADING = re.compile(
    rf"(?:大?至急|追加|新規|御?お?見積(?:もり|り)?(?:書|依頼)?(?:の?件)?|{_SMALL_ZH})+"
)
TRAILING = re.compile(
    r"(?:御?お?見積(?:もり|り)?(?:書|依頼)?|希望|依頼|追加|購入|注文|発注|至急|報价|报价单?|報價|的)+$"
)

ENGLISH_SMALL = frozenset(
    [
        "a",
        "about",
        "above",
        "add",
        "ahead",
        "all",
        "also",
        "am",
        "an",
        "and",
        "another",
        "any",
        "are",
        "as",
        "asap",
        "at",
        "attached",
        "be",
        "been",
        "before",
        "below",
        "best",
        "billed",
        "but",
        "buy",
        "by",
        "can",
        "cheers",
        "client",
        "company",
        "confirm",
        "could",
        "create",
        "customer",
        "date",
        "day",
        "deadline",
        "dear",
        "deliver",
        "delivered",
        "delivery",
        "delivering",
        "did",
        "discount",
        "do",
        "does",
        "draft",
        "due",
        "each",
        "estimate",
        "estimates",
        "expected",
        "following",
        "follows",
        "for",
        "from",
        "get",
        "give",
        "gimme",
        "going",
        "good",
        "got",
        "great",
        "greetings",
        "had",
        "has",
        "have",
        "hello",
        "help",
        "here",
        "hey",
        "hi",
        "hope",
        "how",
        "i",
        "i'd",
        "i'll",
        "i'm",
        "if",
        "immediately",
        "in",
        "include",
        "including",
        "into",
        "is",
        "it",
        "it's",
        "item",
        "items",
        "its",
        "just",
        "kind",
        "kindly",
        "know",
        "let",
        "like",
        "line",
        "list",
        "look",
        "make",
        "may",
        "me",
        "miyabi",
        "more",
        "morning",
        "much",
        "my",
        "name",
        "need",
        "needed",
        "needs",
        "new",
        "no",
        "not",
        "note",
        "now",
        "number",
        "of",
        "off",
        "ok",
        "on",
        "once",
        "one's",
        "or",
        "order",
        "ordering",
        "our",
        "out",
        "over",
        "per",
        "please",
        "plus",
        "pls",
        "plz",
        "pm",
        "possible",
        "prepare",
        "price",
        "priced",
        "prices",
        "pricing",
        "process",
        "product",
        "products",
        "provide",
        "put",
        "qty",
        "quantities",
        "quantity",
        "quick",
        "quickly",
        "quotation",
        "quotations",
        "quote",
        "quoted",
        "quotes",
        "quoting",
        "ready",
        "receive",
        "regarding",
        "regards",
        "regular",
        "request",
        "requested",
        "require",
        "required",
        "requires",
        "respectively",
        "rush",
        "same",
        "see",
        "send",
        "sent",
        "set",
        "ship",
        "shipped",
        "shipping",
        "should",
        "sincerely",
        "so",
        "some",
        "soon",
        "sorry",
        "subject",
        "supply",
        "team",
        "than",
        "thank",
        "thanks",
        "that",
        "the",
        "their",
        "them",
        "then",
        "there",
        "these",
        "they",
        "thing",
        "this",
        "those",
        "thx",
        "till",
        "time",
        "to",
        "today",
        "too",
        "total",
        "total",
        "unit",
        "units",
        "until",
        "up",
        "urgent",
        "urgently",
        "us",
        "use",
        "via",
        "want",
        "wanted",
        "wants",
        "warm",
        "was",
        "we",
        "we'd",
        "we'll",
        "we're",
        "well",
        "what",
        "when",
        "which",
        "will",
        "wish",
        "with",
        "within",
        "without",
        "would",
        "yen",
        "yes",
        "yet",
        "you",
        "you'd",
        "your",
        "yours",
        "per-unit",
        "re",
        "fyi",
        "deliverable",
        "deliveries",
        "afternoon",
        "evening",
        "purchase",
        "purchasing",
        "buying",
        "budget",
        "approx",
        "approximately",
        "around",
        "roughly",
        "only",
        "exactly",
        "extra",
        "later",
        "latest",
        "earliest",
        "apiece",
    ]
)

LATIN_WORD = re.compile(r"[a-z][a-z'&\-]*(?:\.(?=[a-z]))?|[à-öø-ÿ]+")

HONORIFIC = r"(?:御中|さん|さま|様|殿|氏|先生|くん|ちゃん)"
# What makes the words before it the one a quote is for.
TO = r"(?:宛て?|向けに?|あて|行き)"
# Kana that stand alone before an order and name nothing.
SMALL_KANA = re.compile(
    r"(?:それ|これ|あと|あとは|ほか|ほかに|つぎ|とりあえず|まず|さらに|もう|あわせて|ぜんぶで|また|なお|では|ただし|もし|できれば|なるべく"
    r"|そして|および|ぜひ|こちら|そちら|たぶん|だいたい|やく|ちょうど|すべて|みなさま|どうぞ|よろしく|おねがい|ください|ほしい|です|ます|そのうち|うち|ずつ)+"
    r"(?:で|に|を|は|の|も)?"
)
PARTICLES = re.compile(
    r"(?:(?:について|につき|によりまして|により|にて|には|では|での|への|との|とも|からの?|までに?|より|として|とか|など|だけ|のみ|ずつ|も|を|に|は|が|の|で|と|へ|や|って"
    r"|です(?:が|ので|ね)?|ですけど|でした|だ|なので|ので|けど|ね|よ|な|か|し|お|ご|さんの?|さま|くらい|ぐらい|ほど|あと|また|それと|それから|および|及び"
    r"|ください|下さい|くださいませ|ます|たい|する|した|して|という|ある|あり|いる))+"
)
COMPANY_LABEL = re.compile(
    r"(?:宛先|宛名|顧客名?|客先|取引先|得意先|お客様名?|会社名|企業名|御社名|お客さま|客户|客戶|公司名?称?|抬头"
    r"|\b(?:customer|client|company|bill to|sold to|ship to|to|attn))\s?(?:は|:|=)\s?"
)
COMPANY_ENDING = (
    r"(?:商事|商店|商会|商行|製作所|製造所|工業所?|産業|建設|工務店|物産|物流|運輸|電機|電気|電子|機械|機工|化学|化成|製薬|薬品"
    r"|食品|水産|酒造|印刷|出版|新聞|書店|書房|不動産|住宅|設計|設備|通信|情報|企画|開発|技研|研究所|事務所|法律事務所|会計事務所"
    r"|銀行|信用金庫|保険|証券|病院|医院|診療所|クリニック|薬局|学園|学院|大学|高校|小学校|中学校|幼稚園|保育園|市役所|区役所|役場|組合|協会|財団|連合会"
    r"|百貨店|観光|旅館|ホテル|農園|牧場|製菓|製麺|製紙|製鉄|製鋼|鉄工所?|木工所|金属|繊維|紡績|自動車|交通|鉄道|航空|倉庫|石油|ガス|電力|水道局"
    r"|コーポレーション|カンパニー|ホールディングス|ソリューションズ?|システムズ?|テクノロジーズ?|サービス社|グループ|スタジオ|デザイン事務所"
    r"|贸易|貿易|集团|集團|科技|实业|實業|电子|電子公司|公司|商贸|工厂|制造|会社)"
)
COMPANY_SHAPED = re.compile(
    rf"(?<![^\s、。,:;!?()/\n「」]){LEGAL_FORM}\s?(?:(?!{HONORIFIC}|宛|の)[^\s、。,:;!?()/\n\dをがはにへとで]){{1,20}}"
    rf"|(?<![^\s、。,:;!?()/\n「」])[^\s、。,:;!?()/\n\dをがはにへとで]{{1,16}}{COMPANY_ENDING}(?=$|[\s、。,:;!?()/\n]|{HONORIFIC}|{TO}|[のにへはをが])"
    rf"|(?<![^\s、。,:;!?()/\n「」])[^\s、。,:;!?()/\n\dをがはにへとで]{{1,20}}{LEGAL_FORM}(?=$|[\s、。,:;!?()/\n]|{HONORIFIC}|{TO}|[のにへはをが])"
    rf"|(?<![a-z])[a-z][a-z&'\-]{{0,20}}(?: [a-z&][a-z&'\-]{{0,20}}){{0,3}},? (?:co\.?,? ?ltd\.?|inc\.?|corp\.?|corporation|ltd\.?|llc|k\.k\.|gmbh|plc|limited|company)(?![a-z])"
)
DEPARTMENT = re.compile(
    r"(?:[一-龯ァ-ヶー]{1,8}(?:支店|支社|営業所|事業所|事業部|本部|本社|工場|総務部|営業部|部|課|室))(?![一-龯ァ-ヶー])"
    r"|\b(?:department|dept\.?|division|office)\b"
)
SIGN_OFF = re.compile(
    r"^\s?(?:以上|敬具|草々|--+|―{2,}|={3,}|_{3,}|\*{3,}|(?:best |kind |warm |many )?(?:regards|thanks|thank you|cheers|sincerely|yours)[^\n]{0,20})[。.,、!]?\s?$",
    re.MULTILINE,
)
NOTE = re.compile(
    r"^\s?(?:備考|メモ|※|注記?|p\.?s\.?|追伸|note|notes|remarks?|备注)\s?[:・ ][^\n]*$",
    re.MULTILINE,
)
COMMAND = re.compile(
    r"^\s*(?:(?:[/!]|<@[^<>\n]{1,40}>|@)?\s?(?:miyabi|ミヤビ|みやび|雅)?[ 、,:]*)(?:御?お?見積(?:もり|り)?(?:書|依頼)?|quotation|quote|报价单?|報價單?|estimate)(?:[ :、,]+|(?=[^\w])|$)"
)
COMMAND_NAME = re.compile(r"^\s*(?:[/!@]\s?miyabi|<@[^<>\n]{1,40}>)[ 、,:]*")
ADDRESSED_AFTER = re.compile(rf"\s?(?:{HONORIFIC}|{TO}|[へに])")
ADDRESSED_BEFORE = re.compile(
    r"(?:\bfor|\bto|[给給为為]|宛先|顧客名?|客先|客户|customer|client)[ :は]{0,3}$"
)
