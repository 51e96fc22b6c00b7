"""Words that show a company or whom a quote is for: 商店, Inc., 御中, 宛, for."""

import re

from core.reading.legal_forms import ENGLISH_FORM, LEGAL_FORM

HONORIFIC = r"(?:御中|さん|さま|様|殿|氏|先生|くん|ちゃん)"
# What makes the words before it the one a quote is for.
TO = r"(?:宛て?|向けに?|あて|行き)"
LABEL = re.compile(
    r"(?:宛先|宛名|顧客名?|客先|取引先|得意先|お客様名?|会社名|企業名|御社名|お客さま|客户|客戶|公司名?称?"
    r"|抬头|\b(?:customer|client|company|bill to|sold to|ship to|to|attn)) ?(?:は|:|=) ?"
)
ADDRESSED_AFTER = re.compile(rf" ?(?:{HONORIFIC}|{TO}|[へに])")
ADDRESSED_BEFORE = re.compile(
    r"(?:\bfor|\bto|[给給为為]|宛先|顧客名?|客先|客户|customer|client)[ :は]{0,3}$"
)
DEPARTMENT = re.compile(
    r"[一-龯ァ-ヶー]{1,8}(?:支店|支社|営業所|事業所|事業部|本部|本社|工場|部|課|室)(?![一-龯ァ-ヶー])"
)

# What names of Japanese and Chinese companies end with when they have no legal form.
_ENDINGS = """
    商事 商店 商会 商行 製作所 製造所 工業所? 産業 建設 工務店 物産 物流 運輸 電機 電気 電子
    機械 機工 化学 化成 製薬 薬品 食品 水産 酒造 印刷 出版 新聞 書店 書房 不動産 住宅 設計 設備
    通信 情報 企画 開発 技研 研究所 事務所 法律事務所 会計事務所 銀行 信用金庫 保険 証券 病院
    医院 診療所 クリニック 薬局 学園 学院 大学 高校 小学校 中学校 幼稚園 保育園 市役所 区役所
    役場 組合 協会 財団 連合会 百貨店 観光 旅館 ホテル 農園 牧場 製菓 製麺 製紙 製鉄 製鋼
    鉄工所? 木工所 金属 繊維 紡績 自動車 交通 鉄道 航空 倉庫 石油 ガス 電力 水道局
    コーポレーション カンパニー ホールディングス ソリューションズ? システムズ? テクノロジーズ?
    サービス社 グループ スタジオ デザイン事務所 贸易 貿易 集团 集團 科技 实业 實業 电子 公司
    商贸 工厂 制造 会社
"""
_ENDING = rf"(?:{'|'.join(_ENDINGS.split())})"
_EDGE = r"\s、。,:;!?()/「」『』【】\[\]<>=+*|~"
_BEGIN = rf"(?<![^{_EDGE}])"
_INSIDE = rf"[^{_EDGE}\dをがはにへとで]"
_END = rf"(?=$|[{_EDGE}]|{HONORIFIC}|{TO}|[のにへはをが])"
COMPANY_SHAPED = re.compile(
    rf"{_BEGIN}{LEGAL_FORM} ?(?:(?!{HONORIFIC}|宛|の){_INSIDE}){{1,20}}"
    rf"|{_BEGIN}{_INSIDE}{{1,16}}{_ENDING}{_END}"
    rf"|{_BEGIN}{_INSIDE}{{1,20}}{LEGAL_FORM}{_END}"
    r"|(?<![a-z])[a-z][a-z&'\-]{0,20}(?: [a-z&][a-z&'\-]{0,20}){0,3},? "
    rf"{ENGLISH_FORM}(?![a-z])"
)
